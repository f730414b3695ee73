#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots Krypton with stock Linux guests under QEMU, test by test, and closes with 'N passed, N failed'.

    tests/system/run.py                    the quick tests
    tests/system/run.py --full             all of them, the whole matrix included
    tests/system/run.py NAME|GROUP|m* ...  the named ones (shell patterns)
    tests/system/run.py --list             what there is

build/logs/NAME.log is what came from the serial line, NAME.cmd the QEMU command.
KR_TIME_SCALE=2 doubles all time limits on a slow machine.
"""

import argparse
import fnmatch
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [ROOT + "/tools", ROOT + "/tools/images"]
import images  # noqa: E402
import machine  # noqa: E402
import scenarios  # noqa: E402
import session  # noqa: E402


def chosen(args):
    """The tests to run."""
    found = []
    for group, make in scenarios.GROUPS.items():
        for test in make():
            named = any(fnmatch.fnmatch(test.name, p) or p == group for p in args.names)
            if named or not args.names and (args.full or test.quick):
                found.append(test)
    names = [t.name for t in found]
    assert len(set(names)) == len(names), "two tests of one name"
    return found


def build_images(tests):
    """Makes the files that the tests boot, once each."""
    files = {m.file for t in tests for m in t.all_modules()}
    for file in sorted(files):
        name = os.path.relpath(file, images.OUT)
        if name in images.IMAGES:
            images.need(name)


def report(result, lock):
    with lock:
        word = "FAIL" if result.wrong else "ok"
        covers = f"  [{result.test.covers}]" if result.test.covers else ""
        print(f"  {word:4}  {result.test.name:<24} {result.seconds:6.1f} s{covers}", flush=True)
        for sentence in result.wrong:
            print(f"        {sentence}")
        if result.wrong:
            print(f"        {result.log} ends:")
            print("\n".join(f"        | {line}" for line in result.tail), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="tests, groups or shell patterns of tests")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="boots at a time (default 2)")
    parser.add_argument("--krypton", default=machine.KRYPTON, metavar="FILE")
    parser.add_argument("--guests", default=scenarios.GUESTS, metavar="DIR", help="built bare-metal guests")
    args = parser.parse_args()
    os.chdir(ROOT)
    scenarios.GUESTS = args.guests

    start = time.monotonic()
    tests = chosen(args)
    if args.list:
        for test in tests:
            print(f"{test.name:<24} {'quick' if test.quick else 'full':5}  {test.covers}")
        return 0
    if not tests:
        print(f"system: no test is called {' '.join(args.names)}")
        return 2

    try:
        build_images(tests)
    except images.ImageError as e:
        print(f"system: {e}\n0 passed, {len(tests)} failed")
        return 1

    lock = threading.Lock()
    tests.sort(key=lambda t: -t.seconds)  # long ones first, so that the end is not one long one alone

    def one(test):
        result = session.run(test, args.krypton)
        report(result, lock)
        return not result.wrong

    with ThreadPoolExecutor(args.j) as pool:
        verdicts = list(pool.map(one, tests))
    passed = sum(verdicts)
    failed = len(verdicts) - passed
    print(f"system: {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
