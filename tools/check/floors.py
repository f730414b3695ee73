#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every #include under src/ and port/ and refuses those that go to a higher floor
(ARCHITECTURE.md, "Floors"). Prints one line for each refusal; exit status 1 if there was any."""

import os
import re
import sys

FLOORS = {
    "abi": 0, "lib": 0, "arch/x86": 0,
    "core": 1, "arch/x86/cpu": 1,
    "mem": 2,
    "host": 3, "arch/x86/host": 3,
    "domain": 4, "arch/x86/p2m": 4, "arch/x86/policy": 4, "arch/x86/vcpu": 4,
    "guest": 5, "arch/x86/dev": 5, "arch/x86/insn": 5, "arch/x86/walk": 5,
    "exit": 6, "arch/x86/svm": 6, "arch/x86/vmx": 6,
    "boot": 7, "arch/x86/boot": 7,
}
PORT_HOST = 8  # the simulated machine stands beside all floors
GENERATED = {"loader_blob.h"}
COMPILER_HEADERS = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "cpuid.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def floor_of(path):
    """Floor of a file below src/, by its folder and, for subfolders, the folders above."""
    folder = os.path.dirname(path)
    if folder == "arch/x86":
        return FLOORS[folder]
    while folder and folder != "arch/x86":
        if folder in FLOORS:
            return FLOORS[folder]
        folder = os.path.dirname(folder)
    return None


def included_floor(name, root):
    if os.path.exists(os.path.join(root, "src", name)):
        return floor_of(name)
    if name in GENERATED or os.path.exists(os.path.join(root, "inside", name)):
        return 0  # the loader's figures, which the builder needs
    for port in ("metal", "host"):
        if os.path.exists(os.path.join(root, "port", port, name)):
            return 0
    return None


def check_file(root, path):
    own = floor_of(path[4:]) if path.startswith("src/") else 0
    if path.startswith("port/host/"):
        own = PORT_HOST
    if own is None:
        yield "no floor for this folder"
        return
    with open(os.path.join(root, path), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if not m:
                continue
            quoted, angled = m.groups()
            if angled:
                if angled.startswith("xen/"):
                    if not path.startswith("src/abi/"):
                        yield f"line {n}: <{angled}> belongs in src/abi only"
                elif own != PORT_HOST and angled not in COMPILER_HEADERS:
                    yield f"line {n}: <{angled}> is a system header"
                continue
            other = included_floor(quoted, root)
            if other is None:
                yield f'line {n}: "{quoted}" is neither below src/ nor in port/'
            elif other > own:
                yield f'line {n}: floor {own} includes "{quoted}" of floor {other}'


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    bad = 0
    for top in ("src", "port"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith((".c", ".h", ".S", ".def", ".inc")):
                    path = os.path.relpath(os.path.join(folder, name), root)
                    for what in check_file(root, path):
                        print(f"{path}: {what}")
                        bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
