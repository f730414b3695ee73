#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of fz_loader: one small kernel in every format, bare and as bzImage. Needs
the zstd and lz4 programs. Usage: seeds_loader.py tests/fuzz/corpus/loader"""

import lzma
import os
import struct
import subprocess
import sys
import zlib

BASE, ENTRY = 0x100000, 0x100010


def elf(wide):
    note = struct.pack("<III4s", 4, 8 if wide else 4, 18, b"Xen\0")
    note += struct.pack("<Q" if wide else "<I", ENTRY)
    # (type, offset, paddr, filesz, memsz)
    rows = [(1, 0x200, BASE, 0x80, 0x200), (1, 0x280, BASE + 0x1000, 0x40, 0x40),
            (4, 0x240, BASE + 0x40, len(note), len(note))]
    if wide:
        head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, ENTRY, 64, 0, 0,
                           64, 56, len(rows), 0, 0, 0)
        head += b"".join(struct.pack("<IIQQQQQQ", t, 7, o, p, p, f, m, 4) for t, o, p, f, m in rows)
    else:
        head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, ENTRY, 52, 0, 0,
                           52, 32, len(rows), 0, 0, 0)
        head += b"".join(struct.pack("<IIIIIIII", t, o, p, p, f, m, 7, 4) for t, o, p, f, m in rows)
    body = head.ljust(0x200, b"\0") + bytes(range(64)) + note
    return body.ljust(0x2c0, b"\x90")


def bzimage(payload, size):
    payload += struct.pack("<I", size)
    image = bytearray(2 * 512)
    image[0x1f1] = 1
    image[0x1fe:0x200] = b"\x55\xaa"
    image[0x202:0x208] = b"HdrS\x0f\x02"
    image[0x248:0x250] = struct.pack("<II", 0, len(payload))
    return bytes(image) + payload


def tool(*command):
    return lambda data: subprocess.run(command, input=data, check=True, capture_output=True).stdout


def gzip(data):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return z.compress(data) + z.flush()


def xz(data):
    return lzma.compress(data, check=lzma.CHECK_CRC32, filters=[
        {"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])


FORMATS = {
    "plain": lambda data: data,
    "gzip": gzip,
    "xz": xz,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstd": tool("zstd", "-c", "--check"),
    "lz4": tool("lz4", "-l", "-c", "-"),
}

os.makedirs(sys.argv[1], exist_ok=True)
for name, pack in FORMATS.items():
    for kind, data in (("elf64", pack(elf(True))), ("elf32", pack(elf(False))),
                       ("bzimage", bzimage(pack(elf(True)), len(elf(True))))):
        with open(os.path.join(sys.argv[1], f"{name}-{kind}"), "wb") as f:
            f.write(data)
