/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_op. Public headers: xen/vcpu.h, xen/hvm/hvm_vcpu.h. What time brings is in the guest time.
 */
#include "checks.h"

static uint8_t info_page[PAGE_SIZE] aligned_to(4096);
static struct vcpu_runstate_info runstate;
static struct vcpu_time_info time_copy;

static void check_register_info(void)
{
    struct vcpu_register_vcpu_info r = {.mfn = (unsigned long)info_page >> 12, .offset = 4096 - 60};
    EXPECT_EFAULT(vcpu_op(VCPUOP_register_vcpu_info, 0, bad));
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 0, &r), -XEN_ENXIO); /* leaves the page */
    r.offset = GUEST_BITS == 64 ? 4 : 2;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 0, &r), -XEN_ENXIO); /* not aligned */
    r.offset = 64;
    r.mfn = 0xfee00;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 0, &r), -XEN_EINVAL); /* no RAM */
    r.mfn = (unsigned long)info_page >> 12;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 77, &r), -XEN_ENOENT);
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 0, &r), 0);
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 0, &r), -XEN_EINVAL); /* once only */
    const struct vcpu_info *info = (const void *)&info_page[64];
    EXPECT(READ_ONCE(info->evtchn_upcall_pending), 1);
    CHECK(READ_ONCE(info->evtchn_pending_sel) == ~(xen_ulong_t)0, "pending_sel not all ones");
    CHECK(READ_ONCE(info->time.version) && READ_ONCE(info->time.tsc_to_system_mul),
          "no time in the registered vcpu_info");
    this_cpu()->vcpu_info = (struct vcpu_info *)(void *)&info_page[64];
    r.offset = 128;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_info, 2, &r), 0); /* a vCPU that is down */
}

static void check_areas(void)
{
    struct vcpu_register_runstate_memory_area rs = {.addr.p = (unsigned long)&runstate};
    struct vcpu_register_time_memory_area tm = {.addr.p = (unsigned long)&time_copy};
    struct vcpu_runstate_info got;
    rs.addr.h.p = &runstate;
    tm.addr.h.p = &time_copy;
    EXPECT(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &rs), 0);
    EXPECT(READ_ONCE(runstate.state), RUNSTATE_running);
    EXPECT_EFAULT(vcpu_op(VCPUOP_register_runstate_memory_area, 0, bad));
    EXPECT(vcpu_op(VCPUOP_get_runstate_info, 0, &got), 0);
    EXPECT(got.state, RUNSTATE_running);
    CHECK(got.time[RUNSTATE_running] > 0, "no time spent running");
    EXPECT(vcpu_op(VCPUOP_get_runstate_info, 1, &got), 0);
    EXPECT(got.state, RUNSTATE_offline);
    EXPECT_EFAULT(vcpu_op(VCPUOP_get_runstate_info, 0, bad));
    EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &tm), 0);
    CHECK(READ_ONCE(time_copy.tsc_to_system_mul) != 0, "time area not filled");
    tm.addr.h.p = NULL;
    EXPECT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &tm), 0);
    EXPECT_EFAULT(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, bad));
}

static void check_timers(void)
{
    struct vcpu_set_periodic_timer periodic = {.period_ns = 999999};
    struct vcpu_set_singleshot_timer single = {.timeout_abs_ns = now_ns() + 1000000000000};
    EXPECT(vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), -XEN_EINVAL); /* below 1 ms */
    periodic.period_ns = 10000000;
    EXPECT(vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), 0);
    EXPECT_EFAULT(vcpu_op(VCPUOP_set_periodic_timer, 0, bad));
    EXPECT(vcpu_op(VCPUOP_stop_periodic_timer, 0, 0), 0);
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 0, &single), 0);
    EXPECT(vcpu_op(VCPUOP_set_singleshot_timer, 1, &single), -XEN_EINVAL); /* another vCPU's */
    EXPECT_EFAULT(vcpu_op(VCPUOP_set_singleshot_timer, 0, bad));
    EXPECT(vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0), 0);
    EXPECT(vcpu_op(VCPUOP_stop_singleshot_timer, 1, 0), -XEN_EINVAL);
}

static unsigned int started;

/* A vCPU started by VCPUOP_initialise in flat 32-bit mode with paging off, at this code. */
__asm__(".pushsection .text\n.code32\n"
        "raw_start: incl started\n"
        "1: jmp 1b\n" ASM_CODE_BACK ".popsection\n");
extern uint8_t raw_start[];

static void check_initialise(void)
{
    struct vcpu_hvm_context ctx = {.mode = VCPU_HVM_MODE_32B};
    struct vcpu_hvm_x86_32 *r = &ctx.cpu_regs.x86_32;
    EXPECT(vcpu_op(VCPUOP_up, 1, 0), -XEN_EINVAL); /* not initialised */
    EXPECT_EFAULT(vcpu_op(VCPUOP_initialise, 1, bad));
    EXPECT(vcpu_op(VCPUOP_initialise, 77, &ctx), -XEN_ENOENT);
    EXPECT(vcpu_op(VCPUOP_initialise, 0, &ctx), -XEN_EEXIST);
    ctx.mode = 5;
    EXPECT(vcpu_op(VCPUOP_initialise, 1, &ctx), -XEN_EINVAL);
    ctx.mode = VCPU_HVM_MODE_32B;
    ctx.pad = 1;
    EXPECT(vcpu_op(VCPUOP_initialise, 1, &ctx), -XEN_EINVAL);
    ctx.pad = 0;
    r->cr0 = 0x11;
    r->cs_limit = r->ds_limit = r->ss_limit = r->es_limit = 0xffffffff;
    r->cs_ar = 0xc9b;
    r->ds_ar = r->es_ar = r->ss_ar = 0xc93;
    r->tr_limit = 0x67;
    r->tr_ar = 0x8b;
    r->eip = (uint32_t)(unsigned long)raw_start;
    r->ss_ar = 0xcf3; /* DPL 3 does not agree with CS */
    EXPECT(vcpu_op(VCPUOP_initialise, 1, &ctx), -XEN_EINVAL);
    r->ss_ar = 0xc93;
    EXPECT(vcpu_op(VCPUOP_initialise, 1, &ctx), 0);
    EXPECT(vcpu_op(VCPUOP_initialise, 1, &ctx), -XEN_EEXIST);
    EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 0);
    EXPECT(vcpu_op(VCPUOP_up, 1, 0), 0);
    EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 1);
    CHECK(wait_until(&started, 1, 2000000), "vCPU 1 did not run");
    EXPECT(vcpu_op(VCPUOP_down, 1, 0), 0);
    EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 0);
}

void check_vcpu(void)
{
    EXPECT(vcpu_op(VCPUOP_is_up, 0, 0), 1);
    EXPECT(vcpu_op(VCPUOP_is_up, 1, 0), 0);
    EXPECT(vcpu_op(VCPUOP_is_up, 2, 0), 0);
    EXPECT(vcpu_op(VCPUOP_is_up, 3, 0), -XEN_ENOENT);
    EXPECT(vcpu_op(VCPUOP_is_up, 0xffffffff, 0), -XEN_ENOENT);
    EXPECT(vcpu_op(14, 0, 0), -XEN_ENOSYS);
    EXPECT(vcpu_op(VCPUOP_send_nmi, 0, 1), -XEN_EINVAL);
    EXPECT(vcpu_op(VCPUOP_get_physid, 0, &runstate), -XEN_EINVAL);
    check_register_info();
    check_areas();
    check_timers();
    check_initialise();
}
