/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_stream: a well-formed kernel lands byte for byte wherever headers, notes and segments lie in
 * the file and however the file is cut into chunks; anything else is refused with the right code
 * before a byte of RAM changes.
 *
 * LIBS: -llzma -lzstd -lz -llz4
 */
#include "unit.h"

#include "loader/elf_stream.h"
#include "loader_kernel.h"

static struct elf_stream s;

static void feed(struct bytes k, size_t chunk)
{
    for (size_t at = 0; at < k.size; at += chunk) {
        /* A copy, so that ASan sees a read past the chunk. */
        struct bytes c = bytes_copy(k.data + at, k.size - at < chunk ? k.size - at : chunk);
        bool more = s.sink.write(&s.sink, c.data, c.size);
        free(c.data);
        if (!more)
            return;
    }
}

/* Both passes; returns the failure code, 0 for success. `touched`: RAM may have been written. */
static int load(struct bytes k, size_t chunk, uint8_t *ram, bool *touched)
{
    struct loader_info info = info_new(NULL, 0);

    elf_stream_init(&s, &info, (uintptr_t)ram);
    feed(k, chunk);
    *touched = elf_stream_rewind(&s);
    if (*touched) {
        feed(k, chunk);
        elf_stream_finish(&s);
    }
    return (int)s.failure.code;
}

/* Loads a kernel with these headers that must be refused; returns the code. */
static int refused(struct bytes k)
{
    uint8_t *ram = ram_new();
    bool touched;
    int code = load(k, 4096, ram, &touched);

    assert_int_not_equal(code, 0);
    for (size_t i = 0; !touched && i < RAM_SIZE; i++)
        assert_int_equal(ram[i], RAM_FILL);
    return code;
}

static int refused_phdrs(const Elf64_Phdr *p, unsigned int n)
{
    struct bytes k = kernel_new(true);

    kernel_header(k, true, 64, n);
    kernel_phdrs(k, true, 64, p, n);
    int code = refused(k);
    free(k.data);
    return code;
}

/* The kernel of kernel_new, segment 1 changed. */
static int refused_segment(uint64_t paddr, uint64_t filesz, uint64_t memsz, uint64_t offset)
{
    Elf64_Phdr p[KERNEL_SEGMENTS];

    memcpy(p, kernel_layout(), sizeof(p));
    p[1].p_paddr = paddr;
    p[1].p_filesz = filesz;
    p[1].p_memsz = memsz;
    p[1].p_offset = offset;
    return refused_phdrs(p, KERNEL_SEGMENTS);
}

static void test_chunks(void **state)
{
    static const size_t chunks[] = {1, 7, 63, 64, 65, 4096, 0x10000, KERNEL_SIZE};
    bool touched;

    for (int wide = 0; wide < 2; wide++) {
        struct bytes k = kernel_new(wide);
        for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
            uint8_t *ram = ram_new();
            assert_int_equal(load(k, chunks[i], ram, &touched), 0);
            assert_true(ram_is_loaded(ram, k));
            assert_int_equal(s.entry, KERNEL_ENTRY);
            assert_int_equal(s.low, 0x108000);
            assert_int_equal(s.high, 0x245678);
        }
        free(k.data);
    }
}

/* Program headers at the very end; a segment that begins with the ELF header itself. */
static void test_late_headers(void **state)
{
    uint64_t phoff = KERNEL_SIZE - KERNEL_SEGMENTS * sizeof(Elf64_Phdr);
    struct bytes k = kernel_new(true);
    uint8_t *ram = ram_new();
    Elf64_Phdr p[KERNEL_SEGMENTS];
    bool touched;

    memcpy(p, kernel_layout(), sizeof(p));
    p[1].p_offset = 0;
    kernel_header(k, true, phoff, KERNEL_SEGMENTS);
    kernel_phdrs(k, true, phoff, p, KERNEL_SEGMENTS);
    assert_int_equal(load(k, 1000, ram, &touched), 0);
    assert_memory_equal(ram + 0x200000, k.data, 0x30123);
    assert_memory_equal(ram + 0x108000, k.data + 0x41000, 0x1f000);
    free(k.data);
}

/* The note segment before, after and away from the others, in every chunking of its bytes. */
static void test_note_anywhere(void **state)
{
    static const uint32_t places[] = {0x800, 0x2f00, 0x40000, KERNEL_SIZE - 0x100};
    uint8_t *ram = ram_new();
    uint32_t entry = 0x200100;
    Elf64_Phdr p[KERNEL_SEGMENTS];
    bool touched;

    memcpy(p, kernel_layout(), sizeof(p));
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct bytes k = kernel_new(true);
        p[2].p_offset = places[i];
        kernel_phdrs(k, true, 64, p, KERNEL_SEGMENTS);
        memset(k.data + places[i], 0, 0x100);
        kernel_note(k, kernel_note(k, places[i], "Linux-and-more", 18, "12345", 5), "Xen", 18,
                    &entry, 4);
        for (size_t chunk = 1; chunk < 64; chunk += 9) {
            assert_int_equal(load(k, chunk, ram, &touched), 0);
            assert_int_equal(s.entry, entry);
        }
        free(k.data);
    }
}

static void test_placement(void **state)
{
    const uint64_t n = 0x1000, off = 0x1000;

    /* The hole below 1 MiB, the end of RAM, 4 GiB, wrap-around. */
    assert_int_equal(refused_segment(0x9f001, n, n, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(0xff000, n, 2 * n, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(RAM_SIZE - n + 1, n, n, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(RAM_SIZE, n, n, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(GIB(4), n, n, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(0x200000, n, GIB(4), off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(0x200000, n, ~0ULL, off), LOADER_ERR_OUTSIDE);
    assert_int_equal(refused_segment(-n, n, n, off), LOADER_ERR_OUTSIDE);
    /* The loader's region, the ramdisk, the other segment; each from both sides and within. */
    assert_int_equal(refused_segment(LOADER - n + 1, n, n, off), LOADER_ERR_OVERLAP);
    assert_int_equal(refused_segment(LOADER, n, n, off), LOADER_ERR_OVERLAP);
    assert_int_equal(s.failure.a, LOADER);
    assert_int_equal(s.failure.b, LOADER + n);
    assert_int_equal(refused_segment(RAMDISK + 0xfff, n, n, off), LOADER_ERR_OVERLAP);
    assert_int_equal(refused_segment(RAMDISK - n, n, 3 * n, off), LOADER_ERR_OVERLAP);
    assert_int_equal(refused_segment(RAMDISK + 1, 1, 1, off), LOADER_ERR_OVERLAP);
    assert_int_equal(refused_segment(0x108000 - n + 1, n, n, off), LOADER_ERR_OVERLAP);
    assert_int_equal(refused_segment(0x108000 + 0x1efff, n, n, off), LOADER_ERR_OVERLAP);
    /* Touching is not overlapping: these fail for their note only, which lies elsewhere now. */
    assert_int_equal(refused_segment(LOADER - n, n, n, off), LOADER_ERR_BAD_ENTRY);
    assert_int_equal(refused_segment(0x108000 - n, n, n, off), LOADER_ERR_BAD_ENTRY);
    assert_int_equal(refused_segment(RAMDISK + n, n, n, off), LOADER_ERR_BAD_ENTRY);
    assert_int_equal(refused_segment(0, n, n, off), LOADER_ERR_BAD_ENTRY);
}

static void test_file_ranges(void **state)
{
    assert_int_equal(refused_segment(0x200000, 2, 1, 0x1000), LOADER_ERR_BAD_ELF);
    assert_int_equal(refused_segment(0x200000, 0x1000, 0x1000, KERNEL_SIZE - 0xfff),
                     LOADER_ERR_TRUNCATED);
    assert_int_equal(s.failure.a, KERNEL_SIZE + 1);
    assert_int_equal(s.failure.b, KERNEL_SIZE);
    assert_int_equal(refused_segment(0x200000, 0x1000, 0x1000, ELF_MAX_FILE - 1),
                     LOADER_ERR_TOO_LARGE);
    assert_int_equal(refused_segment(0x200000, 0x1000, 0x1000, -0x800ULL), LOADER_ERR_TOO_LARGE);
}

/* Each change of one header field, and the code that it must give. */
static void test_ehdr(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        int code;
    } rows[] = {
        {EI_MAG0, 0, LOADER_ERR_NOT_KERNEL},
        {EI_CLASS, ELFCLASS32, LOADER_ERR_BAD_ELF},
        {EI_CLASS, 9, LOADER_ERR_BAD_ELF},
        {EI_DATA, ELFDATA2MSB, LOADER_ERR_BAD_ELF},
        {EI_VERSION, 0, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_type), ET_REL, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_machine), EM_386, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_phentsize), 32, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_phnum), 0, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_phnum), ELF_MAX_HEADERS + 1, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_phoff), 63, LOADER_ERR_BAD_ELF},
        {offsetof(Elf64_Ehdr, e_phoff) + 2, 0x20, LOADER_ERR_TRUNCATED},
        {offsetof(Elf64_Ehdr, e_phoff) + 3, 0x50, LOADER_ERR_TOO_LARGE},
        {offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff, LOADER_ERR_TOO_LARGE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bytes k = kernel_new(true);
        k.data[rows[i].at] = rows[i].value;
        assert_int_equal(refused(k), rows[i].code);
        free(k.data);
    }
}

static void test_notes(void **state)
{
    Elf64_Phdr p[ELF_MAX_HEADERS];
    struct bytes k;

    /* No note segment; no segment at all; as many headers as there may be. */
    assert_int_equal(refused_phdrs(kernel_layout(), 2), LOADER_ERR_NO_NOTE);
    assert_int_equal(refused_phdrs(kernel_layout() + 2, 1), LOADER_ERR_BAD_ELF);
    for (unsigned int i = 0; i < ELF_MAX_HEADERS; i++)
        p[i] = (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = 0x200000 + i, .p_memsz = 1};
    assert_int_equal(refused_phdrs(p, ELF_MAX_HEADERS), LOADER_ERR_NO_NOTE);
    assert_int_equal(s.nr_segments, ELF_MAX_HEADERS);

    /* Another name, type or value size; lengths that never end. */
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {{0, 5}, {0, 0xff}, {3, 0xff}, {4, 7}, {7, 0xff}, {8, 19}, {12, 'x'}, {15, 'n'}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t entry = KERNEL_ENTRY;
        k = kernel_new(true);
        memset(k.data + 0x2000, 0, 0x100);
        kernel_note(k, 0x2000, "Xen", 18, &entry, 8);
        k.data[0x2000 + rows[i].at] = rows[i].value;
        assert_int_equal(refused(k), LOADER_ERR_NO_NOTE);
        free(k.data);
    }
}

static void test_entry(void **state)
{
    static const uint64_t entries[] = {0, 0x107fff, 0x245678, GIB(4) + KERNEL_ENTRY, ~0ULL};

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        struct bytes k = kernel_new(true);
        kernel_note(k, 0x2000, "Xen", 18, &entries[i], 8);
        assert_int_equal(refused(k), LOADER_ERR_BAD_ENTRY);
        assert_int_equal(s.failure.a, entries[i]);
        free(k.data);
    }
}

/* The end of what is needed is not the end of the file, but an end must come. */
static void test_trailing(void **state)
{
    struct loader_info info = info_new(NULL, 0);
    struct bytes k = kernel_new(true), more = bytes_new(MIB(1));
    uint8_t *ram = ram_new();
    size_t n = 0;

    elf_stream_init(&s, &info, (uintptr_t)ram);
    feed(k, 4096);
    assert_true(elf_stream_rewind(&s));
    feed(k, 4096);
    while (n < 1000 && s.sink.write(&s.sink, more.data, more.size))
        n++;
    assert_int_equal(n, 64);
    assert_false(elf_stream_finish(&s));
    assert_int_equal(s.failure.code, LOADER_ERR_TOO_LARGE);
    free(more.data);
    free(k.data);
}

UNIT_MAIN(cmocka_unit_test(test_chunks), cmocka_unit_test(test_late_headers),
          cmocka_unit_test(test_note_anywhere), cmocka_unit_test(test_placement),
          cmocka_unit_test(test_file_ranges), cmocka_unit_test(test_ehdr),
          cmocka_unit_test(test_notes), cmocka_unit_test(test_entry),
          cmocka_unit_test(test_trailing))
