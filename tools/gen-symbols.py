#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns `nm -n` output into the table that core/symbol.c searches, as assembler source.

symbol_offsets: ascending offsets of functions from image_start; symbol_names: where each name
starts in symbol_text (zero-terminated). Local and global functions alike; labels with a dot are
left out.
"""
import sys


def main():
    rows = []
    for line in sys.stdin:
        address, kind, name = line.split()
        if kind in "tT" and "." not in name:
            rows.append((int(address, 16) & 0x7FFFFFFF, name))
    base = next((a for a, n in rows if n == "image_start"), 0)
    table = {}
    for address, name in rows:
        if name not in ("image_start", "text_end"):
            table.setdefault(address - base, name)
    offsets = sorted(table)
    out = ['.section symbols, "a"', ".balign 4",
           ".globl symbol_count, symbol_offsets, symbol_names, symbol_text",
           f"symbol_count: .long {len(offsets)}", "symbol_offsets:"]
    out += [f".long {o:#x}" for o in offsets]
    out.append("symbol_names:")
    position = 0
    for o in offsets:
        out.append(f".long {position}")
        position += len(table[o]) + 1
    out.append("symbol_text:")
    out += [f'.asciz "{table[o]}"' for o in offsets]
    out.append('.byte 0')
    print("\n".join(out))


main()
