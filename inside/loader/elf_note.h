/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader for an ELF note segment that arrives in pieces. It looks for one note only: name "Xen",
 * type XEN_ELFNOTE_PHYS32_ENTRY (xen/elfnote.h), whose value is the 32-bit entry point.
 */
#ifndef LOADER_ELF_NOTE_H
#define LOADER_ELF_NOTE_H

#include "lib/types.h"

struct elf_note {
    uint8_t buf[24];     /* start of the current note: header, "Xen", value */
    uint32_t have, want; /* bytes in buf, bytes to collect before looking */
    uint32_t align;      /* of name and value: 4, or 8 in segments so aligned */
    uint64_t total;      /* size of the current note once its header is there */
    uint64_t skip;       /* bytes that remain of a note already looked at */
    bool found;
    uint64_t entry; /* valid when found; the first one wins */
};

void elf_note_init(struct elf_note *n, uint64_t p_align);

/* The next bytes of the segment. */
void elf_note_feed(struct elf_note *n, const uint8_t *data, size_t size);

#endif
