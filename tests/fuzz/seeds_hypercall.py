#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seed inputs of fz_hypercall into tests/fuzz/corpus/hypercall: programs that do what guests
do (bring a vCPU up, switch to FIFO events, grant and map, balloon, poll), in the bytes that
fz_hypercall.c reads. The shapes are read from hypercall_shapes.h. Usage: seeds_hypercall.py [DIR]"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SELF = -1
FAMILY = {"EV": "ev", "MEM": "mem", "SCHED": "sched", "VCPU": "vcpu", "HVM": "hvm", "GNT": "gnt",
          "VER": "ver"}


def read_shapes():
    text = open(os.path.join(HERE, "hypercall_shapes.h")).read()
    table = text[text.index("shapes[] ="):]
    shapes = {}
    pattern = r"(EV|MEM|SCHED|VCPU|HVM|GNT|VER)\((\d+)(?:, (NULL|\"\w*\"))?(?:, (NULL|\"\w*\"))?\)" \
              r"|\{__HYPERVISOR_(\w+), 0, (NULL|\"\w*\")"
    for i, m in enumerate(re.finditer(pattern, table)):
        strip = [g.strip('"') if g and g != "NULL" else "" for g in m.groups()]
        if m.group(1):
            fields = "w" if m.group(1) == "VER" else strip[2]
            shapes[(FAMILY[m.group(1)], int(m.group(2)))] = (i, fields, strip[3])
        else:
            shapes[(m.group(5), 0)] = (i, strip[5], "")
    return shapes


SHAPES = read_shapes()


def value(field, v):
    if field == "d":
        return bytes([0 if v == SELF else 0x41 + (v - 0x41) % 5])
    if field in "gna":
        return bytes([v if v < 40 else 0x60 + v - 0x100])
    if field == "t":
        return v.to_bytes(3, "little")
    if field == "l":
        return b""
    if field == "q":
        return bytes([0, v]) if v < 40 else bytes([1]) + v.to_bytes(8, "little")
    return bytes([v]) if v < 40 else bytes([0xff]) + v.to_bytes(8, "little")


def body(family, op, fields=(), items=(), args=(0, 0, 0, 0), vcpu=0):
    """fields: of the structure, or a list of such for arrays; items: of the list."""
    index, shape, item = SHAPES[(family, op)]
    structs = fields if fields and isinstance(fields[0], (list, tuple)) else [fields]
    odd = len(structs) - 1 if family == "gnt" else vcpu
    if item and family != "gnt":
        odd = max(len(items) - 1, 0)
    out = bytes([index, odd]) + b"".join(value("w", a) for a in args)
    if family == "set_timer_op":
        out += value("t", args[0])
    if family == "vm_assist":
        out += value("w", args[0])
    if item:
        given = list(items) + [0] * 8
        for i in range(1 + odd % 8):
            out += value(item, given[i])
    if shape:
        for s in structs:
            values = list(s) + [0] * len(shape)
            for f in shape:
                out += b"" if f == "l" else value(f, values.pop(0))
    return out


def call(dom, *a, cpu=0, press=False, **k):
    return bytes([7, (0x84 if press else 0) + dom - 1 + 3 * cpu]) + body(*a, **k)


def multicall(dom, *bodies):
    return bytes([6, dom - 1, len(bodies) - 1]) + b"".join(bodies)


def grant(dom, ref, to, gfn):
    return bytes([1, dom - 1, ref, 1, to]) + value("g", gfn)


def poke(dom, gfn, offset, word):
    return (bytes([0, dom - 1]) + value("g", gfn) + offset.to_bytes(2, "little") +
            word.to_bytes(4, "little"))


def run(n):
    return bytes([4, n])


def life(what, dom):
    return bytes([3, {"make": 0, "kill": 0x40, "pause": 0x80, "unpause": 0xc0}[what] +
                  next(i for i in range(3) if
                       ({"make": 0, "kill": 0x40, "pause": 0x80, "unpause": 0xc0}[what] + i) % 3
                       == dom - 1)])


def channel(a, b):
    return (call(a, "ev", 6, [SELF, b]) + call(b, "ev", 0, [a, 1]) + call(b, "ev", 4, [1]) +
            call(a, "ev", 5, [SELF, 1]))


def programs():
    each = b"".join
    yield "events", channel(1, 2) + call(1, "ev", 9, [1]) + call(1, "ev", 3, [1]) + run(4)
    yield "fifo", (channel(1, 3) + call(1, "ev", 11, [9, 0, 0]) + call(1, "ev", 12, [10]) +
                   call(1, "ev", 13, [1, 3]) + call(3, "ev", 4, [1]) + poke(1, 10, 4, 0x80000000) +
                   call(1, "ev", 9, [1]) + call(1, "ev", 10, [SELF], press=True))
    yield "virqs", (call(1, "ev", 1, [0, 0]) + call(1, "ev", 7, [1]) + call(1, "ev", 8, [1, 1]) +
                    call(1, "vcpu", 8, [100, 0]) + run(8) + call(1, "set_timer_op", 0, args=[50, 0, 0, 0]) +
                    run(8) + call(1, "vcpu", 6, [30]) + run(20) + call(1, "vcpu", 7))
    for dom in (1, 2):
        yield f"grants{dom}", (
            grant(3, 8, dom, 3) + grant(3, 9, dom, 4) +
            call(dom, "gnt", 0, [[0x100, 2, 8, 3], [0x101, 6, 9, 3]], press=True) +
            poke(dom, 0x100, 0, 1) + call(dom, "gnt", 1, [[0x100, 0, 0], [0x101, 0, 1]]) +
            call(dom, "gnt", 5, [[8, 3, 0, 5, SELF, 0, 30, 1]]) + call(dom, "gnt", 2, [SELF, 1]) +
            call(dom, "gnt", 6, [SELF]) + call(dom, "gnt", 8, [1]) + call(dom, "gnt", 11, [8, 9]))
        yield f"memory{dom}", (
            call(dom, "mem", 1, [3, 0, 0, SELF], [20, 21, 22], press=True) +
            call(dom, "mem", 6, [3, 0, 0, SELF], [0x100, 0x101, 20]) + call(dom, "mem", 3, [SELF]) +
            call(dom, "mem", 7, [SELF, 0, 0, 0, 0x102]) + call(dom, "mem", 7, [SELF, 0, 1, 0, 0x103]) +
            call(dom, "mem", 7, [SELF, 0, 2, 20, 0x104]) + call(dom, "mem", 15, [SELF, 0x104]) +
            call(dom, "mem", 0, [2, 0, 0, SELF]) + call(dom, "mem", 9, [4]) + call(dom, "mem", 14, [SELF]))
    yield "sleep", (call(1, "ev", 6, [SELF, 1]) + call(1, "sched", 3, [1, 200], [1]) + run(30) +
                    call(1, "sched", 0) + call(1, "sched", 1) + run(3) + call(1, "sched", 7, [0, 1]) +
                    call(1, "sched", 6, [0, 3]))
    yield "ends", each(call(d, "sched", 2, [r]) + run(20) + life("make", d) + run(3)
                       for d, r in ((1, 0), (2, 1), (3, 3)))
    yield "kill", (channel(1, 2) + grant(1, 8, 2, 3) + call(2, "gnt", 0, [[0x100, 2, 8, 1]]) +
                   life("kill", 1) + run(30) + life("make", 1) + life("kill", 2) + run(31) +
                   life("make", 1) + life("make", 2) + channel(2, 3) + life("pause", 2) + run(4) +
                   life("unpause", 2) + run(4))
    yield "control", b"\0" + each((
        call(3, "hvm", 0, [1, 12, 5]), call(3, "hvm", 1, [2, 1]), call(3, "mem", 3, [1]),
        call(3, "mem", 6, [2, 0, 0, 1], [0x100, 0x101]), call(3, "ev", 5, [1, 1]),
        call(3, "sched", 4, [1, 1]), run(20), call(3, "ev", 10, [2])))
    yield "areas", (call(1, "hvm", 0, [SELF, 0, 1]) + call(1, "hvm", 23, [0, 32]) +
                    call(1, "vcpu", 10, [11, 0]) + call(1, "vcpu", 5) + call(1, "vcpu", 13) +
                    call(1, "vcpu", 4, [0]) + call(1, "vm_assist", 0, args=[0, 5, 0, 0]) + run(10) +
                    channel(2, 1) + call(1, "hvm", 9, [SELF, 3]) + call(1, "hvm", 15, [SELF, 0, 0, 0, 3]))
    yield "versions", each(call(d, "ver", op, [0]) for d in (1, 2) for op in range(11))
    yield "console", each(call(2, "console_io", 0, [40], args=[0, 8, 0, 0]) for _ in range(3))
    yield "multi", multicall(1, body("ev", 6, [SELF, 2]), body("mem", 6, [2, 0, 0, SELF], [20, 0x100]),
                             body("ver", 0), body("ev", 4, [1])) + multicall(
                                 2, body("ev", 0, [1, 1]), body("sched", 0), body("vcpu", 3, vcpu=1))
    state = [1, 0] + [0] * 8 + [0x1000, 2, 0x80000001, 0x1c000, 0x20, 0x500]
    for dom in (1, 3):
        yield f"up{dom}", (
            call(dom, "vcpu", 0, state, vcpu=1) + call(dom, "vcpu", 1, vcpu=1) + run(6) +
            call(dom, "ev", 7, [1], cpu=1) + call(dom, "ev", 4, [1]) + call(dom, "sched", 1, cpu=1) +
            call(dom, "vcpu", 11, args=[0, 0, 0, 0], vcpu=1) + run(6) +
            call(dom, "vcpu", 2, vcpu=1) + call(dom, "vcpu", 2) + run(31) + life("make", dom))


def main():
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus", "hypercall")
    os.makedirs(where, exist_ok=True)
    for name, program in programs():
        head = b"" if name == "control" else b"\1"
        with open(os.path.join(where, name), "wb") as f:
            f.write(head + program)


if __name__ == "__main__":
    main()
