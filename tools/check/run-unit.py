#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test programs, one line each, closing with 'N passed, N failed' and a non-zero status when
any failed. A program passes with exit status 0 and is skipped with 77; its output is shown only
when it fails. --corpora: each program is a fuzz target's replay main and gets its corpus files.
--fuzz N: each program is a libFuzzer target and runs for N seconds on top of its corpus."""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

TIMEOUT = 300


def corpus_of(program):
    return "tests/fuzz/corpus/" + os.path.basename(program).removeprefix("fz_")


def command(args, program):
    corpus = corpus_of(program)
    if args.corpora:
        files = sorted(os.listdir(corpus)) if os.path.isdir(corpus) else []
        return [program] + [os.path.join(corpus, f) for f in files]
    if args.fuzz:
        grown = "build-fuzz/corpus/" + os.path.basename(program)
        os.makedirs(grown, exist_ok=True)
        old = [corpus] if os.path.isdir(corpus) else []
        return [program, f"-max_total_time={args.fuzz}", "-timeout=10", "-rss_limit_mb=2048",
                f"-artifact_prefix={grown}-", grown] + old
    return [program]


def run(args, program):
    start = time.monotonic()
    limit = TIMEOUT + (args.fuzz or 0)
    try:
        done = subprocess.run(command(args, program), stdin=subprocess.DEVNULL, timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        status, out = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        status = f"no end after {limit} s"
        out = (late.stdout or b"").decode(errors="replace")
    return status, out, time.monotonic() - start


def note(args, out):
    if args.corpora:
        found = re.search(r"(\d+) inputs", out)
        return found.group(0) if found else ""
    if args.fuzz:
        found = re.search(r"Done (\d+) runs", out)
        return found.group(1) + " runs" if found else ""
    cases = re.findall(r"PASSED *\] (\d+) test", out)
    return f"{sum(map(int, cases))} cases"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--corpora", action="store_true")
    p.add_argument("--fuzz", type=int)
    p.add_argument("programs", nargs="*")
    args = p.parse_args()
    # UNIT_TARGETS may name phony targets: make has run them already.
    programs = [n for n in args.programs if args.only in n and os.path.isfile(n)]
    tally = {"PASS": 0, "SKIP": 0, "FAIL": 0}
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for name, (status, out, took) in zip(programs, pool.map(lambda n: run(args, n), programs)):
            verdict = {0: "PASS", 77: "SKIP"}.get(status, "FAIL")
            tally[verdict] += 1
            print(f"{verdict} {os.path.basename(name):28} {note(args, out)} ({took:.1f} s)")
            if verdict == "FAIL":
                print("".join("    " + line + "\n" for line in out.splitlines()[-60:]), end="")
                print(f"    status: {status}")
            sys.stdout.flush()
    skipped = f", {tally['SKIP']} skipped" if tally["SKIP"] else ""
    print(f"{tally['PASS']} passed, {tally['FAIL']} failed{skipped}")
    return 1 if tally["FAIL"] or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
