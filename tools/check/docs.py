#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name must be there: files and functions in `code`, targets of links, and tests, which
are written unit `NAME`, `NAME`; fuzz `NAME`; guest `NAME`; system `NAME`. Prints what is not."""

import glob
import os
import re
import sys

sys.path[:0] = [os.path.join(os.getcwd(), d) for d in ("tests/system", "tools", "tools/images")]
TOPS = ("src", "port", "inside", "tests", "tools", "bench", "docs")
KINDS = {"unit": "tests/unit/{}.c", "fuzz": "tests/fuzz/{}.c", "guest": "tests/guests/{}/main.c"}


def documents():
    return sorted(glob.glob("*.md") + glob.glob("docs/**/*.md", recursive=True))


def identifiers():
    """Every word of the sources that a `function()` could be."""
    words = set()
    for top in TOPS[:-1]:
        for folder, _, files in os.walk(top):
            for name in files:
                if name.endswith((".c", ".h", ".S", ".py", ".def")):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        words.update(re.findall(r"\w+", f.read()))
    return words


def system_tests():
    import scenarios
    groups = {name: list(make()) for name, make in scenarios.GROUPS.items()}
    return {t.name for tests in groups.values() for t in tests} | set(groups)


def exists(path):
    return any(glob.glob(p) for p in (path, f"src/{path}"))


def is_path(text):
    """A file or folder of the tree: from its top, or below src/ with a file's ending."""
    if not re.fullmatch(r"[\w./*+-]+", text) or "/" not in text.strip("/"):
        return False
    first = text.split("/")[0]
    return first in TOPS or os.path.isdir(f"src/{first}") and bool(re.search(r"\.(c|h|S|lds|def)$", text))


def wrong_in(path, words, tests):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for code in re.findall(r"`([^`\n]+)`", text):
        if is_path(code) and not exists(code) and not code.startswith("build"):
            yield f"no file {code}"
        for name in re.findall(r"\b(\w+)\(\)", code):
            if name not in words:
                yield f"no function {name}()"
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not os.path.exists(os.path.join(os.path.dirname(path), target)):
            yield f"no file {target} to link to"
    for kind, names in re.findall(r"\b(unit|fuzz|guest|system) ((?:`[\w*-]+`, )*`[\w*-]+`)", text):
        for name in re.findall(r"[\w*-]+", names):
            if kind == "system" and name not in tests:
                yield f"no system test {name}"
            elif kind != "system" and not glob.glob(KINDS[kind].format(name)):
                yield f"no {kind} test {name}"


def main():
    words, tests = identifiers(), system_tests()
    bad = 0
    for path in documents():
        for what in dict.fromkeys(wrong_in(path, words, tests)):
            print(f"{path}: {what}")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
