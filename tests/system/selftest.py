#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the harness itself: what it must not let pass. Boots nothing."""

import os
import sys

import session  # noqa: F401, first: it sets the module path
import machine
import matrix
import scenarios
from session import RAW, Matcher, Test, Type, judge


def unmet(test, output):
    matcher = Matcher(test)
    keys = b"".join(matcher.feed(output[i:i + 7]) for i in range(0, len(output), 7))
    return matcher.wrong + list(matcher.unmet()), keys


def ordered_lines():
    test = Test("t", expect={"web": ["one", "two"]})
    assert unmet(test, b"(web) one\r\n(web) two\r\n")[0] == []
    assert unmet(test, b"(web) two\r\n(web) one\r\n")[0] != []
    assert unmet(test, b"(web) one\r\n(db) two\r\n")[0] != []
    assert unmet(test, b"(web) one\r\n two (web) two\r\n")[0] != []


def broken_hypervisor():
    assert unmet(Test("t"), b"(KR) panic: oops\n")[0] != []
    assert unmet(Test("t"), b"(KR) module: panic=-1\n")[0] == []
    assert unmet(Test("t"), b"(web) Kernel panic - not syncing\n")[0] == []
    assert unmet(Test("t", status=3), b"(KR) panic: oops\n")[0] == []


def never_lines():
    test = Test("t", never=[r"^\(KR\) forged", r"\x1b"])
    assert unmet(test, b"(web) (KR) forged\n")[0] == []
    assert unmet(test, b"(KR) forged\n")[0] != []
    assert unmet(test, b"(web) \x1b[2J\n")[0] != []


def typed_keys():
    test = Test("t", expect={RAW: ["waits", Type(b"abc"), "got <abc>"], "web": ["ready", Type(b"x")]})
    assert unmet(test, b"(web) waits")[1] == b"abc"
    assert unmet(test, b"(web) wai")[1] == b""
    assert unmet(test, b"(web) ready\n")[1] == b"x"
    assert unmet(test, b"waits got <abc>\n(web) ready\n")[0] == []
    assert unmet(test, b"got <abc> waits\n(web) ready\n")[0] != []


def machine_end():
    assert judge(Test("t"), 1, False) == []
    assert judge(Test("t"), 0, False) != []  # a reset looks like this
    assert judge(Test("t"), 3, False) != []
    assert judge(Test("t", status=(0, 1)), 3, False) == []
    assert judge(Test("t", status="off"), 0, False) == []
    assert judge(Test("t", status="off"), 1, False) != []
    assert judge(Test("t"), 1, True) != []


def module_strings():
    guest = machine.Guest("web", "k", "r", vcpus=2, keys="cpus=0,2", cmdline="a=1,2 b")
    assert [(m.file, m.args) for m in guest.modules()] == [
        ("k", "domain=web memory=256M vcpus=2 cpus=0,2 -- a=1,2 b"), ("r", "")]
    argv = machine.command(machine.Host(), __file__, "x", [machine.Module(__file__, "a=1,2")], "none")
    assert argv[argv.index("-initrd") + 1] == f"{__file__} a=1,,2"


def matrix_cover():
    rows = matrix.load()
    assert matrix.uncovered(rows) == []
    assert matrix.lone_values([r for r in rows if r.quick]) == []
    assert matrix.uncovered(rows[1:]) != []


def every_test_asks():
    """No test may be content with a machine that says nothing."""
    tests = [t for make in scenarios.GROUPS.values() for t in make()]
    assert len({t.name for t in tests}) == len(tests)
    for test in tests:
        assert any(isinstance(step, str) for steps in test.expect.values() for step in steps), test.name


CASES = (ordered_lines, broken_hypervisor, never_lines, typed_keys, machine_end, module_strings, matrix_cover,
         every_test_asks)


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    failed = 0
    for case in CASES:
        try:
            case()
            print(f"  ok    {case.__name__}")
        except AssertionError as e:
            failed += 1
            print(f"  FAIL  {case.__name__} line {e.__traceback__.tb_next.tb_lineno}: {e}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
