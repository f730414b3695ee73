/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit/ex_npf.c, exit/ex_io.c and guest/emul/emulate.c: instructions in guest memory, executed on
 * devices, holes and read-only memory, across pages, with the guest's own rights; port accesses.
 */
#include "unit/vm.h"

#define CODE   0x10000u
#define DATA   0x20000u
#define HOLE   0x30000u
#define RO     0x40000u
#define DEVICE 0xd0000u
#define LAST   0x21000u /* the page behind DATA is a hole */

static struct domain *d;
static struct vcpu *v;
static uint8_t *code, *data, *ro;

static struct {
    uint64_t offset[80], value[80];
    unsigned int size[80], n;
} log_;

static void dev_read(struct vcpu *w, void *ctx, uint64_t offset, unsigned int size, uint64_t *value)
{
    log_.offset[log_.n % 80] = offset;
    log_.size[log_.n++ % 80] = size;
    *value = 0x8877665544332211 & ~0ULL >> (64 - 8 * size);
}

static void dev_write(struct vcpu *w, void *ctx, uint64_t offset, unsigned int size, uint64_t value)
{
    log_.offset[log_.n % 80] = offset;
    log_.value[log_.n % 80] = value;
    log_.size[log_.n++ % 80] = size;
}

static void add(enum bus_space space, uint64_t base, uint64_t size)
{
    const struct bus_device dev = {.name = "test",
                                   .space = space,
                                   .start = base,
                                   .size = size,
                                   .read = dev_read,
                                   .write = dev_write};

    assert_int_equal(bus_add(d, &dev), 0);
}

/* 32-bit code, paging off, flat. */
static void start(void)
{
    static domid_t id;

    vm_machine(1);
    d = vm_create(++id, 1);
    v = d->vcpu[0];
    script_of(v)->control.cr0 = 0x11;
    script_of(v)->control.efer = 0;
    script_of(v)->segs.seg[SEG_CS].attr = 0xc9b;
    code = vm_ram(d, CODE >> 12);
    data = vm_ram(d, DATA >> 12);
    ro = vm_ram(d, RO >> 12);
    struct p2m_entry e = p2m_lookup(d, _gfn(RO >> 12));
    assert_int_equal(p2m_set(d, _gfn(RO >> 12), e.mfn, 0, P2M_RAM_RO, NULL), 0);
    add(BUS_MMIO, DEVICE, 0x1000);
    add(BUS_PORT, 0x300, 8);
    v->priv->regs.rip = CODE;
    memset(&log_, 0, sizeof(log_));
}

/* 64-bit code with page tables: the first 2 MiB as they are, of 4 KiB pages. */
static uint64_t *start_paged(void)
{
    uint64_t *table[4];

    start();
    for (unsigned int i = 0; i < 4; i++)
        table[i] = vm_ram(d, 0x100 + i);
    for (unsigned int i = 0; i < 3; i++)
        table[i][0] = (0x101000 + i * 0x1000) | 7;
    for (uint64_t i = 0; i < 512; i++)
        table[3][i] = i << 12 | 7;
    script_long_mode(v, true);
    script_of(v)->control.cr0 |= 1u << 16; /* WP */
    script_of(v)->control.cr4 = 1u << 5;
    script_of(v)->control.cr3 = 0x100000;
    return table[3];
}

/* Executes one instruction that faulted at gpa. Returns the exception's vector, or -1. */
static int fault(const void *insn, size_t n, uint64_t gpa, bool write)
{
    struct virt_vcpu *s = script_of(v);
    struct vmexit x = {.reason = VMEXIT_NPF, .npf = {.gpa = _gpa(gpa), .write = write}};

    memcpy(code, insn, n);
    v->priv->regs.rip = CODE;
    s->pending.valid = false;
    exit_dispatch(v, &x);
    assert_int_equal(v->priv->regs.rip, s->pending.valid ? CODE : CODE + n);
    return s->pending.valid ? s->pending.vector : -1;
}
#define FAULT(gpa, write, ...) \
    fault((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), gpa, write)

static uint64_t *reg(unsigned int n)
{
    return &v->priv->regs.gpr[n];
}

static void local_apic(void **state)
{
    start();
    /* mov eax, [0xfee00030]; mov dword [0xfee00080], 0x50; movzx ecx, byte [0xfee00032] */
    assert_int_equal(FAULT(0xfee00030, false, 0xa1, 0x30, 0x00, 0xe0, 0xfe), -1);
    assert_int_equal(*reg(R_AX), 0x50014);
    assert_int_equal(
        FAULT(0xfee00080, true, 0xc7, 0x05, 0x80, 0x00, 0xe0, 0xfe, 0x50, 0x00, 0x00, 0x00), -1);
    assert_int_equal(script_of(v)->tpr, 5);
    assert_int_equal(FAULT(0xfee00032, false, 0x0f, 0xb6, 0x0d, 0x32, 0x00, 0xe0, 0xfe), -1);
    assert_int_equal(*reg(R_CX), 5);
}

static void hole(void **state)
{
    start();
    *reg(R_AX) = 0;
    assert_int_equal(FAULT(HOLE, false, 0xa1, 0x00, 0x00, 0x03, 0x00), -1);
    assert_int_equal(*reg(R_AX), 0xffffffff);
    assert_int_equal(FAULT(HOLE, true, 0xa3, 0x00, 0x00, 0x03, 0x00), -1);
}

static void device(void **state)
{
    start();
    *reg(R_BX) = DEVICE + 0x10;
    *reg(R_AX) = 0xcafe1234;
    assert_int_equal(FAULT(DEVICE + 0x10, true, 0x66, 0x89, 0x03), -1); /* mov [ebx], ax */
    assert_int_equal(log_.offset[0], 0x10);
    assert_int_equal(log_.size[0], 2);
    assert_int_equal(log_.value[0], 0x1234);
    assert_int_equal(FAULT(DEVICE + 0x12, false, 0x0b, 0x43, 0x02), -1); /* or eax, [ebx + 2] */
    assert_int_equal(log_.offset[1], 0x12);
    assert_int_equal(log_.size[1], 4);
    assert_int_equal(*reg(R_AX), 0xcafe1234 | 0x44332211);
}

/* Reads of read-only memory are real, writes to it change nothing. */
static void read_only(void **state)
{
    start();
    *(uint32_t *)ro = 0xffffffff;
    assert_int_equal(FAULT(RO, true, 0x83, 0x05, 0x00, 0x00, 0x04, 0x00, 0x01), -1); /* add, 1 */
    assert_int_equal(*(uint32_t *)ro, 0xffffffff);
    assert_int_equal(v->priv->regs.rflags & 0x41, 0x41); /* carry, zero */
    assert_int_equal(log_.n, 0);
}

static void race(void **state)
{
    struct vmexit x = {.reason = VMEXIT_NPF, .npf = {.gpa = _gpa(DATA), .write = true}};

    start();
    code[0] = 0xf4; /* not looked at */
    exit_dispatch(v, &x);
    assert_int_equal(v->priv->regs.rip, CODE);
    x = (struct vmexit){.reason = VMEXIT_NPF, .npf = {.gpa = _gpa(RO), .exec = true}};
    exit_dispatch(v, &x);
    assert_int_equal(v->priv->regs.rip, CODE);
    assert_false(script_of(v)->pending.valid);
    assert_false(d->crashed);
}

static void crash(uint64_t gpa, bool exec, bool table, bool write)
{
    struct vmexit x = {.reason = VMEXIT_NPF,
                       .npf = {.gpa = _gpa(gpa), .exec = exec, .table = table, .write = write}};

    start();
    exit_dispatch(v, &x);
    assert_true(d->crashed);
    assert_int_equal(d->shutdown_code, SHUTDOWN_crash);
    assert_int_equal(v->priv->regs.rip, CODE);
}

static void crashes(void **state)
{
    crash(HOLE, true, false, false);
    crash(HOLE, false, true, false);
    crash(RO, false, true, true);
    crash(DEVICE, true, false, false);
}

static void not_for_memory(void **state)
{
    start();
    *reg(R_BX) = HOLE;
    assert_int_equal(FAULT(HOLE, false, 0x0f, 0x10, 0x03), 6); /* movups xmm0, [ebx] */
    assert_false(d->crashed);
}

static void across_pages(void **state)
{
    start();
    memcpy(data + 0xffd, "\x01\x02\x03", 3);
    *reg(R_BX) = LAST - 3;
    *reg(R_AX) = 0;
    assert_int_equal(FAULT(LAST, false, 0x8b, 0x03), -1); /* mov eax, [ebx] */
    assert_int_equal(*reg(R_AX), 0xff030201);
    *reg(R_AX) = 0xaabbccdd;
    assert_int_equal(FAULT(LAST, true, 0x89, 0x03), -1);
    assert_memory_equal(data + 0xffd, "\xdd\xcc\xbb", 3);
    *reg(R_BX) = DEVICE - 1; /* the device gets the part that is its own, in bytes */
    assert_int_equal(FAULT(DEVICE, true, 0x89, 0x03), -1);
    assert_int_equal(log_.n, 3);
    assert_int_equal(log_.offset[2], 2);
    assert_int_equal(log_.value[2], 0xaa);
}

static void strings(void **state)
{
    start();
    *reg(R_DI) = DEVICE;
    *reg(R_AX) = 7;
    *reg(R_CX) = 100;
    memcpy(code, "\xf3\xab", 2); /* rep stosd */
    struct vmexit x = {.reason = VMEXIT_NPF, .npf = {.gpa = _gpa(DEVICE), .write = true}};
    exit_dispatch(v, &x);
    assert_int_equal(v->priv->regs.rip, CODE); /* not at once */
    assert_int_equal(*reg(R_CX), 36);
    assert_int_equal(*reg(R_DI), DEVICE + 256);
    exit_dispatch(v, &x);
    assert_int_equal(v->priv->regs.rip, CODE + 2);
    assert_int_equal(log_.n, 100);
    /* Both operands at the same place in their page: only one is the device. */
    *reg(R_SI) = DATA + 0x40;
    *reg(R_DI) = DEVICE + 0x40;
    memcpy(data + 0x40, "\x11\x22\x33\x44", 4);
    log_.n = 0;
    assert_int_equal(FAULT(DEVICE + 0x40, true, 0xa5), -1); /* movsd */
    assert_int_equal(log_.n, 1);
    assert_int_equal(log_.value[0], 0x44332211);
}

/* The exit was a read; when the instruction is looked at, it is a write to what the guest's own
 * tables make read-only. */
static void rights_are_the_guests(void **state)
{
    uint64_t *pte = start_paged();

    *reg(R_BX) = DEVICE;
    pte[DEVICE >> 12] = DEVICE | 5;
    assert_int_equal(FAULT(DEVICE, false, 0x8b, 0x03), -1);
    assert_int_equal(FAULT(DEVICE, false, 0x89, 0x03), 14);
    assert_int_equal(script_of(v)->control.cr2, DEVICE);
    assert_int_equal(script_of(v)->pending.error, 3);
    assert_int_equal(log_.n, 1);
    /* Second half of a write not allowed: no half of it is done. */
    pte[LAST >> 12] = LAST | 5;
    data[0xfff] = 0x5a;
    *reg(R_BX) = LAST - 1;
    assert_int_equal(FAULT(LAST, false, 0x89, 0x03), 14);
    assert_int_equal(script_of(v)->control.cr2, LAST);
    assert_int_equal(data[0xfff], 0x5a);
    *reg(R_SI) = 1ULL << 63;
    *reg(R_DI) = DEVICE + 8;
    assert_int_equal(FAULT(DEVICE + 8, true, 0xa4), 13); /* movsb from a non-canonical address */
}

/* -- ports ------------------------------------------------------------------------------------ */

static void port(bool in, uint16_t nr, unsigned int size, bool string, bool rep, uint8_t len)
{
    struct vmexit x = {
        .reason = VMEXIT_IO,
        .len = len,
        .io = {.port = nr, .size = (uint8_t)size, .in = in, .string = string, .rep = rep}};

    script_of(v)->pending.valid = false;
    exit_dispatch(v, &x);
}

static void ports(void **state)
{
    start();
    v->priv->regs.rip = CODE;
    *reg(R_AX) = 0x1122334455667788;
    port(true, 0x300, 1, false, false, 2);
    assert_int_equal(*reg(R_AX), 0x1122334455667711);
    port(true, 0x302, 2, false, false, 2);
    assert_int_equal(*reg(R_AX), 0x1122334455662211);
    port(true, 0x304, 4, false, false, 1);
    assert_int_equal(*reg(R_AX), 0x44332211);
    assert_int_equal(v->priv->regs.rip, CODE + 5);
    *reg(R_AX) = 0x1122334455667788;
    port(true, 0x80, 1, false, false, 1);
    assert_int_equal(*reg(R_AX), 0x11223344556677ff);
    port(true, 0xcf8, 4, false, false, 1);
    assert_int_equal(*reg(R_AX), 0xffffffff);
    *reg(R_AX) = 0x1122334455667788;
    log_.n = 0;
    port(false, 0x307, 1, false, false, 1);
    port(false, 0x300, 4, false, false, 1);
    assert_int_equal(log_.n, 2);
    assert_int_equal(log_.value[0], 0x88);
    assert_int_equal(log_.offset[0], 7);
    assert_int_equal(log_.value[1], 0x55667788);
    v->priv->regs.rip = CODE; /* a CPU that does not say how long it is */
    memcpy(code, "\x66\xef", 2);
    port(false, 0x300, 2, false, false, 0);
    assert_int_equal(v->priv->regs.rip, CODE + 2);
}

static void port_strings(void **state)
{
    start();
    *reg(R_DX) = 0x300;
    *reg(R_DI) = DATA;
    *reg(R_CX) = 3;
    memcpy(code, "\xf3\x66\x6d", 3); /* rep insw */
    port(true, 0x300, 2, true, true, 3);
    assert_int_equal(v->priv->regs.rip, CODE + 3);
    assert_memory_equal(data, "\x11\x22\x11\x22\x11\x22", 6);
    assert_int_equal(*reg(R_DI), DATA + 6);
    assert_int_equal(*reg(R_CX), 0);
    v->priv->regs.rip = CODE;
    *reg(R_SI) = DATA;
    log_.n = 0;
    memcpy(code, "\x6e", 1); /* outsb */
    port(false, 0x300, 1, true, false, 1);
    assert_int_equal(log_.n, 1);
    assert_int_equal(log_.value[0], 0x11);
    /* The bytes are no longer those that the CPU checked: it runs again. */
    v->priv->regs.rip = CODE;
    port(true, 0x300, 1, true, false, 1);
    *reg(R_DX) = 0x301;
    port(false, 0x300, 1, true, false, 1);
    memcpy(code, "\x90", 1);
    port(false, 0x301, 1, true, false, 1);
    assert_int_equal(log_.n, 1);
    assert_int_equal(v->priv->regs.rip, CODE);
}

/* INS into a page that is not there: #PF, and the device has not been read. */
static void port_string_fault(void **state)
{
    uint64_t *pte = start_paged();

    pte[DATA >> 12] = 0;
    *reg(R_DX) = 0x300;
    *reg(R_DI) = DATA;
    memcpy(code, "\x6c", 1);
    port(true, 0x300, 1, true, false, 1);
    assert_int_equal(script_of(v)->pending.vector, 14);
    assert_int_equal(script_of(v)->pending.error, 2);
    assert_int_equal(log_.n, 0);
    assert_int_equal(v->priv->regs.rip, CODE);
}

UNIT_MAIN(cmocka_unit_test(local_apic), cmocka_unit_test(hole), cmocka_unit_test(device),
          cmocka_unit_test(read_only), cmocka_unit_test(race), cmocka_unit_test(crashes),
          cmocka_unit_test(not_for_memory), cmocka_unit_test(across_pages),
          cmocka_unit_test(strings), cmocka_unit_test(rights_are_the_guests),
          cmocka_unit_test(ports), cmocka_unit_test(port_strings),
          cmocka_unit_test(port_string_fault))
