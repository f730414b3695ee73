/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small ELF kernels and their compressed forms for the loader's tests, made with the compressors of
 * the libraries whose decompressors the loader links, and the guest memory they are loaded into.
 */
#ifndef TESTS_UNIT_LOADER_KERNEL_H
#define TESTS_UNIT_LOADER_KERNEL_H

#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "abi/loader.h"
#include "lib/types.h"

struct bytes {
    uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_new(size_t size)
{
    return (struct bytes){calloc(1, size + 1), size};
}

/* Exactly as large as it says, so that ASan sees a read past the end. */
static inline struct bytes bytes_copy(const void *data, size_t size)
{
    struct bytes b = {malloc(size ? size : 1), size};

    return b.data && size ? (memcpy(b.data, data, size), b) : b;
}

/* Something that compresses, but not to nothing. */
static inline void bytes_pattern(struct bytes b, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < b.size; i++) {
        if (i % 5 == 0)
            x = x * 1664525 + 1013904223;
        b.data[i] = (uint8_t)(i % 1000 < 700 ? x >> 24 : i / 1000);
    }
}

/* --- ELF files --- */

#define KERNEL_SIZE  0x60000u
#define KERNEL_ENTRY 0x200040u

static inline void kernel_header(struct bytes k, bool wide, uint64_t phoff, unsigned int phnum)
{
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_phoff = phoff,
                    .e_ehsize = sizeof(e),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = (uint16_t)phnum};
    Elf32_Ehdr e32 = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                      .e_type = ET_EXEC,
                      .e_machine = EM_386,
                      .e_version = EV_CURRENT,
                      .e_phoff = (uint32_t)phoff,
                      .e_ehsize = sizeof(e32),
                      .e_phentsize = sizeof(Elf32_Phdr),
                      .e_phnum = (uint16_t)phnum};

    if (wide)
        memcpy(k.data, &e, sizeof(e));
    else
        memcpy(k.data, &e32, sizeof(e32));
}

static inline void kernel_phdrs(struct bytes k, bool wide, uint64_t phoff, const Elf64_Phdr *p,
                                unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        Elf32_Phdr p32 = {.p_type = p[i].p_type,
                          .p_offset = (uint32_t)p[i].p_offset,
                          .p_paddr = (uint32_t)p[i].p_paddr,
                          .p_vaddr = 0xc0000000u,
                          .p_filesz = (uint32_t)p[i].p_filesz,
                          .p_memsz = (uint32_t)p[i].p_memsz,
                          .p_align = (uint32_t)p[i].p_align};
        if (wide)
            memcpy(k.data + phoff + i * sizeof(*p), &p[i], sizeof(*p));
        else
            memcpy(k.data + phoff + i * sizeof(p32), &p32, sizeof(p32));
    }
}

/* Returns the offset after the note. */
static inline size_t kernel_note(struct bytes k, size_t at, const char *name, uint32_t type,
                                 const void *value, uint32_t size)
{
    Elf64_Nhdr h = {(uint32_t)strlen(name) + 1, size, type};

    memcpy(k.data + at, &h, sizeof(h));
    memcpy(k.data + at + sizeof(h), name, h.n_namesz);
    at += ALIGN_UP(sizeof(h) + h.n_namesz, 4);
    memcpy(k.data + at, value, size);
    return at + ALIGN_UP(size, 4);
}

/*
 * The kernel that most tests use: file order is not memory order, one segment has a cleared tail,
 * the notes lie inside a segment as Linux has them.
 */
#define KERNEL_SEGMENTS 3
static inline const Elf64_Phdr *kernel_layout(void)
{
    static const Elf64_Phdr p[KERNEL_SEGMENTS] = {
        {.p_type = PT_LOAD,
         .p_offset = 0x41000,
         .p_paddr = 0x108000,
         .p_filesz = 0x1f000,
         .p_memsz = 0x1f000},
        {.p_type = PT_LOAD,
         .p_offset = 0x1000,
         .p_paddr = 0x200000,
         .p_filesz = 0x30123,
         .p_memsz = 0x45678},
        {.p_type = PT_NOTE,
         .p_offset = 0x2000,
         .p_paddr = 0x201000,
         .p_filesz = 0x100,
         .p_memsz = 0x100,
         .p_align = 4},
    };
    return p;
}

static inline struct bytes kernel_new(bool wide)
{
    struct bytes k = bytes_new(KERNEL_SIZE);
    uint64_t entry = KERNEL_ENTRY, other = 0xffffffff81000000;

    bytes_pattern(k, 1);
    kernel_header(k, wide, 64, KERNEL_SEGMENTS);
    kernel_phdrs(k, wide, 64, kernel_layout(), KERNEL_SEGMENTS);
    memset(k.data + 0x2000, 0, 0x100);
    size_t at = kernel_note(k, 0x2000, "Xen", 6, "linux", 6);
    at = kernel_note(k, at, "GNU", 18, &other, 8);
    at = kernel_note(k, at, "Xen", 1, &other, 8);
    kernel_note(k, at, "Xen", 18, &entry, wide ? 8 : 4);
    return k;
}

/* --- compressed forms --- */

static inline struct bytes pack_plain(struct bytes in)
{
    return bytes_copy(in.data, in.size);
}

static inline struct bytes pack_gzip(struct bytes in)
{
    z_stream z = {.next_in = in.data, .avail_in = (uInt)in.size};

    deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    struct bytes out = bytes_new(deflateBound(&z, in.size));
    z.next_out = out.data;
    z.avail_out = (uInt)out.size;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    out.size = z.total_out;
    deflateEnd(&z);
    return out;
}

/* Like Linux: x86 filter; its check is CRC32, the xz program's CRC64. */
static inline struct bytes pack_xz_with(struct bytes in, uint32_t dict, lzma_check check)
{
    struct bytes out = bytes_new(lzma_stream_buffer_bound(in.size));
    lzma_options_lzma o;
    lzma_filter filters[] = {
        {LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &o}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t used = 0;

    lzma_lzma_preset(&o, 1);
    o.dict_size = dict;
    if (lzma_stream_buffer_encode(filters, check, NULL, in.data, in.size, out.data, &used,
                                  out.size) != LZMA_OK)
        abort();
    out.size = used;
    return out;
}

static inline struct bytes pack_xz(struct bytes in)
{
    return pack_xz_with(in, 1u << 20, LZMA_CHECK_CRC32);
}

static inline struct bytes pack_xz_crc64(struct bytes in)
{
    return pack_xz_with(in, 1u << 20, LZMA_CHECK_CRC64);
}

static inline struct bytes pack_lzma(struct bytes in)
{
    struct bytes out = bytes_new(in.size + in.size / 8 + 4096);
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma o;

    lzma_lzma_preset(&o, 1);
    if (lzma_alone_encoder(&z, &o) != LZMA_OK)
        abort();
    z.next_in = in.data;
    z.avail_in = in.size;
    z.next_out = out.data;
    z.avail_out = out.size;
    if (lzma_code(&z, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    out.size = z.total_out;
    lzma_end(&z);
    return out;
}

/* As from a pipe: the frame does not say how large its content is. */
static inline struct bytes pack_zstd_window(struct bytes in, int log)
{
    struct bytes out = bytes_new(ZSTD_compressBound(in.size) + 64);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer i = {in.data, in.size, 0};
    ZSTD_outBuffer o = {out.data, out.size, 0};

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, log);
    if (ZSTD_compressStream2(c, &o, &i, ZSTD_e_continue) > o.size ||
        ZSTD_compressStream2(c, &o, &i, ZSTD_e_end))
        abort();
    out.size = o.pos;
    ZSTD_freeCCtx(c);
    return out;
}

static inline struct bytes pack_zstd(struct bytes in)
{
    return pack_zstd_window(in, 20);
}

static inline struct bytes pack_lz4(struct bytes in)
{
    size_t block = 8u << 20, at = 4;
    struct bytes out = bytes_new(64 + (size_t)LZ4_compressBound((int)in.size) * 2);

    memcpy(out.data, "\x02\x21\x4c\x18", 4);
    for (size_t done = 0; done < in.size; done += block) {
        int n = (int)(in.size - done < block ? in.size - done : block);
        int packed = LZ4_compress_default((char *)in.data + done, (char *)out.data + at + 4, n,
                                          (int)(out.size - at - 4));
        memcpy(out.data + at, &packed, 4);
        at += 4 + (size_t)packed;
    }
    out.size = at;
    return out;
}

struct pack {
    const char *name;
    enum loader_format id;
    struct bytes (*pack)(struct bytes in);
    bool checked; /* the format has a checksum */
};

#define PACKS 7
static const struct pack packs[PACKS] = {
    {"plain", LOADER_FORMAT_PLAIN, pack_plain, false},
    {"gzip", LOADER_FORMAT_GZIP, pack_gzip, true},
    {"xz", LOADER_FORMAT_XZ, pack_xz, true},
    {"xz", LOADER_FORMAT_XZ, pack_xz_crc64, true},
    {"lzma", LOADER_FORMAT_LZMA, pack_lzma, false},
    {"zstd", LOADER_FORMAT_ZSTD, pack_zstd, true},
    {"lz4", LOADER_FORMAT_LZ4, pack_lz4, false},
};

/* `total`: the unpacked size, which Linux appends to all but gzip. */
static inline struct bytes bzimage_new(struct bytes payload, uint32_t total)
{
    unsigned int setup = 4;
    uint32_t gap = 0x123, length = (uint32_t)payload.size + 4;
    size_t start = (setup + 1) * 512 + gap;
    struct bytes image = bytes_new(start + length + 100);

    image.data[0x1f1] = 0; /* means 4 */
    memcpy(image.data + 0x1fe, "\x55\xaa", 2);
    memcpy(image.data + 0x202, "HdrS\x0f\x02", 6);
    memcpy(image.data + 0x248, &gap, 4);
    memcpy(image.data + 0x24c, &length, 4);
    memcpy(image.data + start, payload.data, payload.size);
    memcpy(image.data + start + payload.size, &total, 4);
    return image;
}

/* --- guest memory: RAM at [0, 640 KiB) and [1 MiB, 4 MiB), filled with RAM_FILL; above it the
 * loader's heap, which lz4 needs 8 MiB of --- */

#define RAM_SIZE (4u << 20)
#define RAM_FILL 0xa5
#define LOADER   0x3c0000u
#define RAMDISK  0x380000u

static inline struct loader_info info_new(const uint8_t *payload, size_t size)
{
    return (struct loader_info){.magic = LOADER_MAGIC,
                                .version = LOADER_ABI_VERSION,
                                .payload = (uintptr_t)payload,
                                .payload_size = size,
                                .heap = RAM_SIZE,
                                .heap_size = MIB(9),
                                .nr_ram = 2,
                                .ram = {{0, 0xa0000}, {0x100000, RAM_SIZE}},
                                .nr_reserved = 2,
                                .reserved = {{LOADER, RAM_SIZE}, {RAMDISK, RAMDISK + 0x1000}}};
}

/* Static: ASan takes long to hand out and take back memory of this size. */
static uint8_t ram_memory[RAM_SIZE], ram_wanted[RAM_SIZE];

static inline uint8_t *ram_new(void)
{
    return memset(ram_memory, RAM_FILL, RAM_SIZE);
}

/* Whether RAM holds exactly what kernel_new's segments say and is untouched everywhere else. */
static inline bool ram_is_loaded(const uint8_t *ram, struct bytes kernel)
{
    uint8_t *want = memset(ram_wanted, RAM_FILL, RAM_SIZE);

    for (const Elf64_Phdr *p = kernel_layout(); p->p_type == PT_LOAD; p++) {
        memset(want + p->p_paddr, 0, p->p_memsz);
        memcpy(want + p->p_paddr, kernel.data + p->p_offset, p->p_filesz);
    }
    return !memcmp(ram, want, RAM_SIZE);
}

#endif
