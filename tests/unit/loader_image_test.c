/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader image itself, run by libunicorn in the state that abi/loader.h promises: code not
 * writable, payload read-only, nothing else mapped, .bss full of rubbish. It must end with the
 * right call, the kernel in place, within the stack and heap that its headers promise.
 * With KR_VMLINUZ the kernel of that name is loaded too (minutes under libunicorn).
 *
 * LIBS: -lunicorn -llzma -lzstd -lz -llz4
 */
#include "unit.h"

#include <unicorn/unicorn.h>

#include "loader_blob.h"
#include "loader_kernel.h"

#define PAYLOAD_AT 0xe0000000u /* outside RAM */
#define INFO_AT    0x1000u
#define STACK_AT   0x10000u
#define STACK_FILL 0xee

struct guest {
    uc_engine *uc;
    uint8_t *ram;
    size_t ram_size;
    struct loader_info *info;
    uint64_t call, args[4]; /* the last call but prints */
    char line[200];         /* the last print */
};

/* libunicorn does not know VMMCALL: every call stops the run here. */
static bool on_invalid(uc_engine *uc, void *arg)
{
    uint64_t rip;
    uint8_t code[3] = {0};

    uc_reg_read(uc, UC_X86_REG_RIP, &rip);
    uc_mem_read(uc, rip, code, sizeof(code));
    uc_emu_stop(uc);
    return !memcmp(code, "\x0f\x01\xd9", 3);
}

/* Answers the call at rip. Returns where to go on, 0 for nowhere. */
static uint64_t guest_call(struct guest *g)
{
    static const int ids[] = {UC_X86_REG_RAX, UC_X86_REG_RDI, UC_X86_REG_RSI, UC_X86_REG_RIP};
    uint64_t r[4], zero = 0;

    for (int i = 0; i < 4; i++)
        uc_reg_read(g->uc, ids[i], &r[i]);
    if (r[0] == LOADER_CALL_PRINT && r[2] <= 128 && r[1] + r[2] <= g->ram_size) {
        memcpy(g->line, g->ram + r[1], r[2]);
        g->line[r[2]] = 0;
        uc_reg_write(g->uc, UC_X86_REG_RAX, &zero);
        return r[3] + 3;
    }
    g->call = r[0];
    memcpy(g->args, r + 1, 2 * sizeof(r[0]));
    uc_reg_read(g->uc, UC_X86_REG_RDX, &g->args[2]);
    uc_reg_read(g->uc, UC_X86_REG_R10, &g->args[3]);
    return 0;
}

static void guest_init(struct guest *g, uint8_t *ram, size_t ram_size)
{
    static uint8_t image[LOADER_MEMORY_SIZE];
    uc_hook hook;

    memset(image, 0xff, sizeof(image));
    memcpy(image, loader_image, LOADER_IMAGE_SIZE);
    *g = (struct guest){.ram = ram, .ram_size = ram_size};
    assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_64, &g->uc), UC_ERR_OK);
    assert_int_equal(uc_mem_map_ptr(g->uc, 0, ram_size, UC_PROT_READ | UC_PROT_WRITE, ram), 0);
    assert_int_equal(uc_mem_map(g->uc, LOADER_VIRT, LOADER_RX_SIZE, UC_PROT_READ | UC_PROT_EXEC),
                     0);
    assert_int_equal(uc_mem_map(g->uc, LOADER_VIRT + LOADER_RX_SIZE,
                                LOADER_MEMORY_SIZE - LOADER_RX_SIZE, UC_PROT_READ | UC_PROT_WRITE),
                     0);
    assert_int_equal(uc_mem_write(g->uc, LOADER_VIRT, image, sizeof(image)), 0);
    assert_int_equal(uc_hook_add(g->uc, &hook, UC_HOOK_INSN_INVALID, (void *)on_invalid, g, 1, 0),
                     0);
    g->info = (struct loader_info *)(ram + INFO_AT);
    *g->info = info_new(NULL, 0);
    memset(ram + STACK_AT, STACK_FILL, LOADER_STACK_SIZE);
}

static void guest_run(struct guest *g, struct bytes payload)
{
    size_t mapped = ALIGN_UP(payload.size + 1, 4096);
    uint64_t info = INFO_AT, stack = STACK_AT + LOADER_STACK_SIZE;

    g->info->payload = PAYLOAD_AT;
    g->info->payload_size = payload.size;
    assert_int_equal(uc_mem_map(g->uc, PAYLOAD_AT, mapped, UC_PROT_READ), 0);
    assert_int_equal(uc_mem_write(g->uc, PAYLOAD_AT, payload.data, payload.size), 0);
    uc_reg_write(g->uc, UC_X86_REG_RDI, &info);
    uc_reg_write(g->uc, UC_X86_REG_RSP, &stack);
    for (uint64_t rip = LOADER_VIRT; rip; rip = guest_call(g)) {
        uc_err e = uc_emu_start(g->uc, rip, 0, 0, 0);
        if (e)
            print_error("%s\n", uc_strerror(e));
        assert_int_equal(e, UC_ERR_OK);
    }
    assert_int_equal(uc_mem_unmap(g->uc, PAYLOAD_AT, mapped), 0);
}

static size_t guest_stack_used(const struct guest *g)
{
    size_t n = 0;

    while (n < LOADER_STACK_SIZE && g->ram[STACK_AT + n] == STACK_FILL)
        n++;
    return LOADER_STACK_SIZE - n;
}

/* The heap as info_new has it: above the RAM that the kernel may use. */
#define SMALL_RAM (RAM_SIZE + MIB(9))

static void small_guest(struct guest *g)
{
    uint8_t *ram = malloc(SMALL_RAM);

    memset(ram, RAM_FILL, SMALL_RAM);
    guest_init(g, ram, SMALL_RAM);
}

/* As Krypton has it: RAM without a hole, all of it from 1 MiB up to a region at the end is heap. */
#define REGION 0x7000u

static void tight_guest(struct guest *g, uint64_t ram_size)
{
    uint64_t border = ram_size - REGION;
    uint8_t *ram = malloc(ram_size);

    memset(ram, RAM_FILL, ram_size);
    guest_init(g, ram, ram_size);
    g->info->heap = MIB(1);
    g->info->heap_size = border - MIB(1);
    g->info->nr_ram = g->info->nr_reserved = 1;
    g->info->ram[0] = (struct loader_range){0, ram_size};
    g->info->reserved[0] = (struct loader_range){border, ram_size};
}

static void guest_fini(struct guest *g)
{
    uc_close(g->uc);
    free(g->ram);
}

static void test_formats(void **state)
{
    struct bytes k = kernel_new(true);

    for (const struct pack *p = packs; p < packs + PACKS; p++) {
        struct bytes packed = p->pack(k), image = bzimage_new(packed, KERNEL_SIZE);
        struct guest g;
        small_guest(&g);
        guest_run(&g, image);
        assert_int_equal(g.call, LOADER_CALL_DONE);
        assert_int_equal(g.args[0], KERNEL_ENTRY);
        assert_int_equal(g.args[1], 0x108000);
        assert_int_equal(g.args[2], 0x245678);
        assert_memory_equal(g.line, p->name, strlen(p->name));
        assert_true(guest_stack_used(&g) <= LOADER_STACK_SIZE / 2);
        print_message("%s; stack %zu\n", g.line, guest_stack_used(&g));
        /* What the test itself put below 128 KiB is not part of the comparison. */
        memset(g.ram, RAM_FILL, 0x20000);
        assert_true(ram_is_loaded(g.ram, k));
        guest_fini(&g);
        free(image.data);
        free(packed.data);
    }
    free(k.data);
}

/* Whether [from, to) is as it was before the loader ran. */
static bool untouched(const struct guest *g, uint64_t from, uint64_t to)
{
    for (; from < to; from++)
        if (g->ram[from] != RAM_FILL)
            return false;
    return true;
}

/* Kernel and heap share RAM. Whatever the guest's size, the figure named is the same; with that
 * much the kernel loads, with a page less it does not; nothing is written below the reported end
 * of the heap but the kernel. */
static void check_least(struct bytes image, struct bytes k, uint64_t smallest)
{
    uint64_t least = 0;
    struct guest g;

    for (uint64_t size = smallest; size < MIB(3); size += 0x90000) {
        tight_guest(&g, size);
        guest_run(&g, image);
        if (g.call == LOADER_CALL_FAIL) {
            least = least ? least : g.args[3];
            assert_int_equal(g.args[3], least);
            assert_true(size < least);
            assert_true(untouched(&g, size - REGION, size));
        } else {
            assert_true(size >= least);
        }
        guest_fini(&g);
    }
    assert_int_not_equal(least, 0);
    tight_guest(&g, least - 4096);
    guest_run(&g, image);
    assert_int_equal(g.call, LOADER_CALL_FAIL);
    assert_int_equal(g.args[3], least);
    if (g.args[0] == LOADER_ERR_NO_MEMORY) {
        assert_int_equal(g.args[1], least);
        assert_int_equal(g.args[2], least - 4096);
    } else { /* it needs no heap, and meets what lies above */
        assert_int_equal(g.args[0], LOADER_ERR_OVERLAP);
    }
    guest_fini(&g);
    tight_guest(&g, least);
    guest_run(&g, image);
    print_message("least memory %#lx: %s\n", least, g.line);
    assert_int_equal(g.call, LOADER_CALL_DONE);
    assert_in_range(g.args[3], ALIGN_UP(g.args[2], 4096), least - REGION);
    for (const Elf64_Phdr *p = kernel_layout(); p->p_type == PT_LOAD; p++)
        assert_memory_equal(g.ram + p->p_paddr, k.data + p->p_offset, p->p_filesz);
    assert_true(untouched(&g, MIB(1), 0x108000));
    assert_true(untouched(&g, 0x127000, 0x200000));
    assert_true(untouched(&g, 0x245678, g.args[3]));
    assert_true(untouched(&g, least - REGION, least));
    guest_fini(&g);
}

static void test_least(void **state)
{
    struct bytes k = kernel_new(true);

    for (const struct pack *p = packs; p < packs + PACKS; p++) {
        struct bytes packed = p->pack(k), image = bzimage_new(packed, KERNEL_SIZE);
        check_least(image, k, MIB(1) + LOADER_HEAP_MIN + REGION);
        free(image.data);
        free(packed.data);
    }
    struct bytes far = pack_zstd_window(k, 26), image = bzimage_new(far, KERNEL_SIZE);
    check_least(image, k, MIB(1) + LOADER_HEAP_MIN + REGION);
    free(image.data);
    free(far.data);
    free(k.data);
}

/* Segments that more memory would not help are refused without a figure. */
static void test_misplaced(void **state)
{
    static const struct {
        uint64_t paddr, memsz;
        int code;
        bool figure;
    } rows[] = {
        {MIB(4), 4096, LOADER_ERR_OUTSIDE, true},
        {MIB(4) - REGION - 1, 4096, LOADER_ERR_OVERLAP, true},
        {MIB(4) - 4096, 4096, LOADER_ERR_OVERLAP, true},
        {GIB(4) - 4096, 4096, LOADER_ERR_OUTSIDE, true}, /* Krypton knows where RAM must end */
        {GIB(4) - 4096, 8192, LOADER_ERR_OUTSIDE, false},
        {-4096ULL, 8192, LOADER_ERR_OUTSIDE, false},
        {0x107fff, 4096, LOADER_ERR_OVERLAP, false}, /* the kernel's other segment */
    };
    Elf64_Phdr p[KERNEL_SEGMENTS];
    struct guest g;

    memcpy(p, kernel_layout(), sizeof(p));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bytes k = kernel_new(true);
        p[1].p_paddr = rows[i].paddr;
        p[1].p_filesz = p[1].p_memsz = rows[i].memsz;
        kernel_phdrs(k, true, 64, p, KERNEL_SEGMENTS);
        tight_guest(&g, MIB(4));
        guest_run(&g, k);
        assert_int_equal(g.call, LOADER_CALL_FAIL);
        assert_int_equal(g.args[0], rows[i].code);
        assert_int_equal(g.args[1], rows[i].paddr);
        assert_int_equal(g.args[2], rows[i].paddr + rows[i].memsz);
        assert_int_equal(
            g.args[3], rows[i].figure ? ALIGN_UP(rows[i].paddr + rows[i].memsz, 4096) + REGION : 0);
        guest_fini(&g);
        free(k.data);
    }
}

static void fails_with(struct guest *g, struct bytes payload, int code, uint64_t a, uint64_t b)
{
    guest_run(g, payload);
    assert_int_equal(g->call, LOADER_CALL_FAIL);
    assert_int_equal(g->args[0], code);
    assert_int_equal(g->args[1], a);
    assert_int_equal(g->args[2], b);
    guest_fini(g);
}

static void test_failures(void **state)
{
    struct bytes k = kernel_new(true), xz = pack_xz(k), none = bytes_new(0);
    struct guest g;

    small_guest(&g);
    fails_with(&g, none, LOADER_ERR_EMPTY, 0, 0);
    small_guest(&g);
    g.info->version++;
    fails_with(&g, k, LOADER_ERR_BAD_INFO, LOADER_ABI_VERSION + 1, 0);
    small_guest(&g);
    g.info->ram[1].end = 0x120000;
    fails_with(&g, xz, LOADER_ERR_OUTSIDE, 0x108000, 0x127000);
    for (uint64_t heap = 0; heap < KIB(60); heap += 5000) {
        small_guest(&g);
        g.info->heap_size = heap;
        guest_run(&g, xz);
        assert_int_equal(g.args[0], LOADER_ERR_NO_MEMORY);
        guest_fini(&g);
    }
    small_guest(&g);
    xz.data[xz.size / 2] ^= 1;
    guest_run(&g, xz);
    assert_int_equal(g.call, LOADER_CALL_FAIL);
    assert_int_equal(g.args[0], LOADER_ERR_CORRUPT);
    assert_int_equal(g.args[1], LOADER_FORMAT_XZ);
    guest_fini(&g);
    free(none.data);
    free(xz.data);
    free(k.data);
}

/* A real kernel in far too little, then in the memory that is named. */
static void test_real(void **state)
{
    const char *name = getenv("KR_VMLINUZ");
    FILE *file = name ? fopen(name, "rb") : NULL;
    struct guest g;

    if (!file)
        skip();
    struct bytes image = bytes_new(MIB(100));
    image.size = fread(image.data, 1, image.size, file);
    fclose(file);
    tight_guest(&g, MIB(32));
    guest_run(&g, image);
    guest_fini(&g);
    assert_int_equal(g.call, LOADER_CALL_FAIL);
    tight_guest(&g, g.args[3]);
    guest_run(&g, image);
    print_message("%s in %zu\n%s; stack %zu\n", name, g.ram_size, g.line, guest_stack_used(&g));
    assert_int_equal(g.call, LOADER_CALL_DONE);
    assert_in_range(g.args[0], g.args[1], g.args[2]);
    assert_true(guest_stack_used(&g) <= LOADER_STACK_SIZE / 2);
    guest_fini(&g);
    free(image.data);
}

UNIT_MAIN(cmocka_unit_test(test_formats), cmocka_unit_test(test_least),
          cmocka_unit_test(test_misplaced), cmocka_unit_test(test_failures),
          cmocka_unit_test(test_real))
