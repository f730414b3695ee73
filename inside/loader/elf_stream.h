/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads an ELF kernel that passes by once, front to back, in chunks of any size, and is never held
 * as a whole. It takes two passes over the file: the first ends as soon as the program headers have
 * been seen, wherever they lie, and checks all that they say; the second copies segments to their
 * physical addresses and reads notes, so the order of headers, notes and segments does not matter.
 * Pure: knows nothing of decompressors; the only memory it writes is RAM it has checked.
 */
#ifndef LOADER_ELF_STREAM_H
#define LOADER_ELF_STREAM_H

#include <elf.h>

#include "elf_note.h"
#include "unpack.h"

#define ELF_MAX_HEADERS 32

/* Nothing of interest may lie beyond this file offset. */
#define ELF_MAX_FILE GIB(1)

/* What may follow the last byte of interest (symbols, relocations), so that an end is reached. */
#define ELF_MAX_TRAILING MIB(64)

struct elf_segment {
    uint64_t offset, filesz; /* in the file */
    uint64_t paddr, memsz;   /* in RAM; memsz 0 for notes */
    struct elf_note note;
};

struct elf_stream {
    struct sink sink;       /* feed it through this */
    struct failure failure; /* code 0: none so far */
    const struct loader_info *info;
    uintptr_t ram;     /* pointer = ram + guest-physical address; 0 in the guest */
    uint64_t pos;      /* bytes seen in this pass */
    bool headers_done; /* the first pass has succeeded */

    uint8_t ehdr[sizeof(Elf64_Ehdr)];
    uint8_t phdrs[ELF_MAX_HEADERS * sizeof(Elf64_Phdr)];
    uint64_t phoff, phsize; /* phsize 0: the ELF header has not been seen yet */

    struct elf_segment segments[ELF_MAX_HEADERS];
    unsigned int nr_segments;
    uint64_t needed;    /* file size that covers every segment */
    uint64_t low, high; /* [low, high): loaded memory, `high` with what lies beyond */
    uint64_t entry;     /* set by elf_stream_finish */
};

/* Prepares the first pass: feed the sink from the start of the file until it refuses. */
void elf_stream_init(struct elf_stream *s, const struct loader_info *info, uintptr_t ram);

/*
 * After the first pass: false when it failed (s->failure says why). Else clears the memory that no
 * file bytes will fill and prepares the second pass: feed everything, s->needed bytes at least.
 */
bool elf_stream_rewind(struct elf_stream *s);

/* After the second pass: false when it failed. Else entry, low and high are valid. */
bool elf_stream_finish(struct elf_stream *s);

#endif
