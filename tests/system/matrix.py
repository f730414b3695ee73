#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The matrix of hosts and guests: tests/system/matrix.txt says which run covers what.

    tests/system/matrix.py check       proves that each pair of values is covered, lists what is not
    tests/system/matrix.py generate    writes a covering table anew (deterministic)
"""

import itertools
import os
import random
import sys
from dataclasses import dataclass

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "matrix.txt")

FACTORS = {
    "kernel": ("amd64", "cloud", "rt"),
    "vcpus": ("1", "2", "4"),
    "hostcpus": ("1", "2", "4"),
    "machine": ("q35", "pc"),
    "boot": ("kernel", "grub-bios-mb2", "grub-bios-mb1", "grub-ovmf-mb2"),
    "guests": ("1", "2", "4"),
    "format": ("vmlinux", "xz", "gzip", "zstd", "lz4"),
    "cpu": ("max", "EPYC-Milan", "qemu64"),
}


@dataclass
class Row:
    name: str
    quick: bool
    values: dict


def pairs_of(values):
    return {((a, values[a]), (b, values[b])) for a, b in itertools.combinations(FACTORS, 2)}


def all_pairs():
    return {((a, x), (b, y)) for a, b in itertools.combinations(FACTORS, 2) for x in FACTORS[a] for y in FACTORS[b]}


def load(path=FILE):
    rows = []
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) != 2 + len(FACTORS) or words[1] not in ("quick", "full"):
                raise ValueError(f"{path}:{number}: not a row")
            values = dict(zip(FACTORS, words[2:]))
            for factor, value in values.items():
                if value not in FACTORS[factor]:
                    raise ValueError(f"{path}:{number}: {factor} cannot be {value}")
            rows.append(Row(words[0], words[1] == "quick", values))
    return rows


def uncovered(rows):
    left = all_pairs()
    for row in rows:
        left -= pairs_of(row.values)
    return sorted(left)


def lone_values(rows):
    """Values that none of the rows has."""
    return sorted({(f, v) for f in FACTORS for v in FACTORS[f]} - {(f, v) for r in rows for f, v in r.values.items()})


def generate():
    """Greedy cover: each row is built round an open pair; of many, the one that closes the most pairs is
    taken, the cheaper one among equals."""
    dice = random.Random(4)
    left, rows = all_pairs(), []

    def candidate(open_pairs):
        values = {f: dice.choice(v) for f, v in FACTORS.items()} | dict(dice.choice(open_pairs))
        return len(pairs_of(values) & left), -int(values["vcpus"]) * int(values["guests"]), values

    while left:
        open_pairs = sorted(left)
        best = max((candidate(open_pairs) for _ in range(2000)), key=lambda c: c[:2])[2]
        rows.append(best)
        left -= pairs_of(best)
    return rows


def main():
    if sys.argv[1:] == ["check"]:
        rows = load()
        missing = uncovered(rows)
        for (a, x), (b, y) in missing:
            print(f"matrix: no run has {a} {x} with {b} {y}")
        lone = lone_values([r for r in rows if r.quick])
        for factor, value in lone:
            print(f"matrix: no quick run has {factor} {value}")
        print(f"matrix: {len(rows)} runs, {len(all_pairs()) - len(missing)} of {len(all_pairs())} pairs covered")
        return 1 if missing or lone else 0
    if sys.argv[1:] == ["generate"]:
        rows = generate()
        widths = [max(map(len, (f, *v))) for f, v in FACTORS.items()]
        with open(FILE, "w", encoding="ascii") as f:
            f.write("# Which run covers what: each pair of values of two columns is in at least one row. Checked by\n"
                    "# tests/system/matrix.py; 'quick' rows are in make test, all rows in make test-full.\n")
            head = [n.ljust(w) for n, w in zip(FACTORS, widths)]
            f.write(("# run  when   " + "  ".join(head)).rstrip() + "\n")
            seen = set()
            for number, values in enumerate(rows, 1):
                fresh = {(k, v) for k, v in values.items()} - seen
                seen |= fresh
                cells = [values[n].ljust(w) for n, w in zip(FACTORS, widths)]
                f.write((f"m{number:02}    {'quick' if fresh else 'full '}  " + "  ".join(cells)).rstrip() + "\n")
        return 0
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
