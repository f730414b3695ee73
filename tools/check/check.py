#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The static checks of `make check`: one PASS or FAIL line each, details after a FAIL. With names as
arguments only those run. --root DIR checks another tree of the same shape; --selftest checks
tests/check/bad, where every check must fail. What has passed once is remembered, by the
preprocessed text, in build-host/check. Flags come from the Makefile through the environment."""

import argparse
import concurrent.futures
import glob
import hashlib
import os
import re
import shlex
import subprocess
import sys
import time

CACHE = os.path.abspath("build-host/check")
HERE = os.path.dirname(os.path.abspath(__file__))
POOL = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count())
METAL = shlex.split(os.environ.get("METAL_CFLAGS", ""))
HOST = [f for f in shlex.split(os.environ.get("HOST_CFLAGS", "")) if "sanitize" not in f]
HOST_SRC = os.environ.get("HOST_SRC", "").split()
# Not for clang, which reads the same flags for its diagnostics only.
GCC_ONLY = re.compile(r"-fno-jump-tables|-mstack-protector-guard.*|-fno-asynchronous.*")


def run(cmd):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode(errors="replace")


def sources(*patterns):
    found = []
    for pattern in patterns:
        found += glob.glob(pattern, recursive=True)
    return sorted(f for f in found if not f.startswith("tests/check/"))


def host_built():
    """Files of the host library; in another tree simply all."""
    return [f for f in HOST_SRC if os.path.exists(f)] or sources("src/**/*.c")


def flags_for(path):
    return HOST if path in host_built() or path.startswith("port/host") else METAL


def remembered(kind, path, cmd, flags):
    """Runs cmd unless it has passed on the same text before. Returns its output if it fails."""
    status, text = run(["gcc", "-E", "-P", "-x", "c"] + flags + [path])
    if status:
        return text
    with open(path, encoding="utf-8") as f:
        text += f.read() + repr(cmd)
    for config in (".clang-tidy", os.path.abspath(__file__)):
        if os.path.exists(config):
            text += open(config, encoding="utf-8").read()
    stamp = os.path.join(CACHE, kind, hashlib.sha256(text.encode()).hexdigest())
    if os.path.exists(stamp):
        return ""
    status, out = run(cmd)
    if status:
        return out or f"{path}: exit status {status}\n"
    os.makedirs(os.path.dirname(stamp), exist_ok=True)
    open(stamp, "w").close()
    return ""


def each(kind, paths, command):
    jobs = [POOL.submit(remembered, kind, p, *command(p)) for p in paths]
    return "".join(j.result() for j in jobs)


def check_floors():
    return run([sys.executable, os.path.join(HERE, "floors.py"), "."])[1]


def check_headers():
    """Every header compiles by itself."""
    def command(path):
        flags = flags_for(path)
        return ["gcc"] + flags + ["-Wno-unused-function", "-fsyntax-only", "-x", "c", path], flags
    return each("headers", sources("src/**/*.h", "port/**/*.h"), command)


def check_conditionals():
    """No conditional compilation in .c files: port/ and folders choose."""
    out = ""
    for path in sources("src/**/*.c", "port/**/*.c", "inside/**/*.c"):
        with open(path, encoding="utf-8") as f:
            for n, line in enumerate(f, 1):
                if re.match(r"\s*#\s*(if|elif|else)", line):
                    out += f"{path}:{n}: {line}"
    return out


def check_format():
    files = sources("src/**/*.[ch]", "port/**/*.[ch]", "inside/**/*.[ch]", "tests/**/*.[ch]",
                    "bench/**/*.[ch]", "tools/**/*.[ch]")
    status, out = run(["clang-format", "--dry-run", "-Werror"] + files)
    return out if status else ""


def check_cppcheck():
    build = os.path.join(CACHE, "cppcheck")
    os.makedirs(build, exist_ok=True)
    status, out = run(["cppcheck", "--quiet", "--enable=warning,performance,portability",
                       "--inline-suppr", "--error-exitcode=1", "--std=c11", "-j2", "-DKR_DEBUG=1",
                       "--suppress=missingIncludeSystem", "--suppress=unmatchedSuppression",
                       # beyond it: statement expressions, and sections between linker symbols
                       "--suppress=internalAstError", "--suppress=comparePointers",
                       "--suppress=subtractPointers", "--suppress=objectIndex", "--suppress=returnDanglingLifetime",
                       "--suppress=arrayIndexOutOfBoundsCond", "--suppress=normalCheckLevelMaxBranches",
                       f"--cppcheck-build-dir={build}", "-Isrc", "-Iport/metal"]
                      + sources("src/**/*.c"))
    return out if status else ""


def check_tidy():
    def command(path):
        flags = flags_for(path)
        clang = [f for f in flags if not GCC_ONLY.match(f)]
        # The compiler's own headers: clang's must not be mixed with gcc's.
        while "-nostdinc" in clang:
            at = clang.index("-nostdinc")
            del clang[at:at + 3]
        return ["clang-tidy", "--quiet", path, "--"] + clang + ["-Wno-unknown-warning-option"], flags
    return each("tidy", sources("src/**/*.c"), command)


def check_analyzer():
    """gcc -fanalyzer over what the host library consists of."""
    def command(path):
        return ["gcc"] + HOST + ["-fanalyzer", "-Werror", "-c", path, "-o", "/dev/null"], HOST
    return each("analyzer", host_built(), command)


def check_docs():
    """What is generated in docs/ is current, and what the documents name is there."""
    generator = os.environ.get("GEN_COMMAND_LINE", "")
    if not generator:
        return ""
    with open("docs/command-line.md", encoding="utf-8") as f:
        out = "" if f.read() == run([generator])[1] else "docs/command-line.md is not current: run `make docs`\n"
    status, text = run([sys.executable, "tools/gen-hypercalls.py", "--check"])
    return out + (text if status else "") + run([sys.executable, os.path.join(HERE, "docs.py")])[1]


CHECKS = {name[6:]: f for name, f in list(globals().items()) if name.startswith("check_")}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--root", default=".")
    p.add_argument("--selftest", action="store_true")
    p.add_argument("checks", nargs="*")
    args = p.parse_args()
    os.chdir("tests/check/bad" if args.selftest else args.root)
    failed = 0
    for name in args.checks or CHECKS:
        if args.selftest and name == "docs":
            continue
        start = time.monotonic()
        out = CHECKS[name]()
        bad = not out if args.selftest else bool(out)
        label = f"a bad tree fails {name}" if args.selftest else name
        print(f"{'FAIL' if bad else 'PASS'} {label:28} ({time.monotonic() - start:.1f} s)")
        if bad:
            print("".join("    " + line + "\n" for line in out.splitlines()), end="")
        sys.stdout.flush()
        failed += bad
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
