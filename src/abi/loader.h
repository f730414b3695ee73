/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface between Krypton and the loader program that unpacks a kernel inside the guest's
 * own container (inside/loader). Not part of Xen's ABI: the call numbers lie where Xen never has
 * any, answer only while the vCPU is LOADING, and are refused for ever after. All addresses are
 * guest-physical. The image is flat, and its first byte is the entry. The loader trusts nothing in
 * the payload; Krypton trusts nothing the loader says.
 */
#ifndef KR_ABI_LOADER_H
#define KR_ABI_LOADER_H

#include <stdint.h>

#define LOADER_MAGIC       0x6b724c64u /* "dLrk" */
#define LOADER_ABI_VERSION 2u

/* Virtual address the loader image is linked at and mapped to (2 MiB aligned). */
#define LOADER_VIRT 0x0000400000000000ULL

/*
 * Call numbers in rax for VMMCALL; arguments in rdi, rsi, rdx, r10; result in rax.
 * DONE takes guest-physical addresses: entry, lowest and end of the kernel, and the lowest of the
 * heap that may have been written. FAIL takes enum loader_error, a, b, and the least memory (low
 * RAM, bytes) that would do, 0 when memory is not what lacks. Neither returns.
 */
#define LOADER_CALL_PRINT 0x4b520001u /* (gpa of text, length <= 128) -> 0: one console line */
#define LOADER_CALL_DONE  0x4b520002u
#define LOADER_CALL_FAIL  0x4b520003u

/* Why a payload could not be loaded; `a` and `b` of LOADER_CALL_FAIL are given in brackets. */
enum loader_error {
    LOADER_ERR_EMPTY = 1,      /* no bytes at all */
    LOADER_ERR_NOT_KERNEL,     /* neither bzImage nor ELF */
    LOADER_ERR_TRUNCATED,      /* [needed size, given size] */
    LOADER_ERR_BAD_BZIMAGE,    /* setup header contradicts itself */
    LOADER_ERR_UNKNOWN_FORMAT, /* compression not known [first 4 bytes] */
    LOADER_ERR_CORRUPT,        /* decompressor refused [enum loader_format, library's code] */
    LOADER_ERR_BAD_ELF,        /* ELF header contradicts itself */
    LOADER_ERR_NO_NOTE,        /* no PHYS32_ENTRY note: not a PVH kernel */
    LOADER_ERR_NO_MEMORY,      /* kernel and heap do not fit [least memory, low RAM there is] */
    LOADER_ERR_OVERLAP,        /* segment meets loader, ramdisk or tables [segment start, end] */
    LOADER_ERR_OUTSIDE,        /* segment outside RAM [segment start, end] */
    LOADER_ERR_TOO_LARGE,      /* payload expands beyond every segment [limit] */
    LOADER_ERR_BAD_ENTRY,      /* entry not inside a loaded segment [entry] */
    LOADER_ERR_BAD_INFO,       /* struct loader_info of another version [version] */
};

enum loader_format {
    LOADER_FORMAT_PLAIN = 0, /* ELF as it is */
    LOADER_FORMAT_GZIP,
    LOADER_FORMAT_XZ,
    LOADER_FORMAT_LZMA,
    LOADER_FORMAT_ZSTD,
    LOADER_FORMAT_LZ4,
};

struct loader_range {
    uint64_t start, end; /* [start, end) */
};

#define LOADER_MAX_RANGES 8

/* What the loader's deepest call needs, eight times over; what every format needs beside a window
 * (docs/boot.md has the measured figures). */
#define LOADER_STACK_SIZE 0x4000u
#define LOADER_HEAP_MIN   0x80000u

/*
 * What Krypton writes before the loader starts; rdi holds its virtual address. The loader runs in
 * 64-bit mode at CPL 0, interrupts off, with all RAM below 4 GiB and the payload identity-mapped
 * (payload read-only), its own image at LOADER_VIRT, SSE enabled, and rsp at the end of its stack.
 */
struct loader_info {
    uint32_t magic, version;
    uint64_t payload, payload_size; /* the module's bytes, in the read-only window */
    uint64_t heap, heap_size;       /* scratch, used from its end downwards */
    uint32_t nr_ram, nr_reserved;   /* used entries of the two arrays */
    /* Where segments may go, also into the part of the heap that is not in use; above the heap's
     * end there is none that is not reserved. */
    struct loader_range ram[LOADER_MAX_RANGES];
    /* What they must not touch: stack, image and tables of the loader, ramdisk, and so on. */
    struct loader_range reserved[LOADER_MAX_RANGES];
};

#endif
