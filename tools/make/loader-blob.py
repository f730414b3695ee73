#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes loader_blob.h: the sizes of the loader image, read from the symbols of loader.elf (first
argument) and checked against the flat image (second)."""

import os
import subprocess
import sys

nm = subprocess.run(["nm", sys.argv[1]], check=True, capture_output=True, text=True).stdout
at = {f[2]: int(f[0], 16) for f in map(str.split, nm.splitlines()) if len(f) == 3}
base = at["loader_image_start"]
assert at["loader_start"] == base, "the entry is not the first byte of the image"
assert at["loader_image_end"] - base == os.path.getsize(sys.argv[2]), "stray section in the image"

print("""/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tools/make/loader-blob.py: the loader image that goes to LOADER_VIRT in a guest. */
#ifndef KR_GEN_LOADER_BLOB_H
#define KR_GEN_LOADER_BLOB_H
""")
for name, symbol, text in (
        ("LOADER_RX_SIZE", "loader_rx_end", "code and constants, never written; page-aligned"),
        ("LOADER_IMAGE_SIZE", "loader_image_end", "bytes in loader_image"),
        ("LOADER_MEMORY_SIZE", "loader_memory_end", "memory it occupies; page-aligned")):
    print(f"#define {name} {at[symbol] - base:#x}u /* {text} */")
print("""
extern const unsigned char loader_image[LOADER_IMAGE_SIZE];

#endif""")
