/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to memory that a guest can see, in the simulated machine: a window address goes through
 * the TLB model of the stepped CPU (port/host/mmu.c), any other address is plain memory of the
 * program. Meaning as in port/metal/port/mem.h.
 */
#ifndef KR_PORT_MEM_H
#define KR_PORT_MEM_H

#include "lib/types.h"
#include "lib/string.h"

/* The host address behind [p, p + n), which does not leave a page when p is a window address.
 * Panics where hardware would fault. */
void *sim_mem(const void *p, size_t n);

/* What is not allocated is not to be touched: the address sanitizer's view of kalloc(). */
void mem_poison(const void *p, size_t n);
void mem_unpoison(const void *p, size_t n);

/* Asked before each allocation: true when the test wants this one to fail (sim_alloc_fail). */
bool mem_alloc_fails(void);

/* Builtin copies of constant size, so that p need not be aligned. */
#define MEM_ACCESSORS(bits)                                       \
    static inline uint##bits##_t mem_load##bits(const void *p)    \
    {                                                             \
        uint##bits##_t v;                                         \
        memcpy(&v, sim_mem(p, sizeof(v)), sizeof(v));             \
        return v;                                                 \
    }                                                             \
    static inline void mem_store##bits(void *p, uint##bits##_t v) \
    {                                                             \
        memcpy(sim_mem(p, sizeof(v)), &v, sizeof(v));             \
    }

MEM_ACCESSORS(8)
MEM_ACCESSORS(16)
MEM_ACCESSORS(32)
MEM_ACCESSORS(64)

/* Called before each atomic operation: what a guest or another CPU does at that moment. */
extern void (*sim_atomic_hook)(void *host);

static inline void *sim_atomic(void *p, size_t n)
{
    void *host = sim_mem(p, n);

    if (sim_atomic_hook)
        sim_atomic_hook(host);
    return host;
}

static inline uint32_t mem_cmpxchg32(void *p, uint32_t expect, uint32_t next)
{
    return __sync_val_compare_and_swap((uint32_t *)sim_atomic(p, 4), expect, next);
}
static inline uint64_t mem_cmpxchg64(void *p, uint64_t expect, uint64_t next)
{
    return __sync_val_compare_and_swap((uint64_t *)sim_atomic(p, 8), expect, next);
}
static inline uint32_t mem_fetch_or32(void *p, uint32_t bits)
{
    return __sync_fetch_and_or((uint32_t *)sim_atomic(p, 4), bits);
}
static inline uint32_t mem_fetch_and32(void *p, uint32_t bits)
{
    return __sync_fetch_and_and((uint32_t *)sim_atomic(p, 4), bits);
}
static inline uint16_t mem_fetch_and16(void *p, uint16_t bits)
{
    return __sync_fetch_and_and((uint16_t *)sim_atomic(p, 2), bits);
}
static inline uint8_t mem_xchg8(void *p, uint8_t v)
{
    return __atomic_exchange_n((uint8_t *)sim_atomic(p, 1), v, __ATOMIC_SEQ_CST);
}
static inline bool mem_test_and_set_bit(void *p, unsigned int bit)
{
    return (mem_fetch_or32((uint32_t *)p + bit / 32, 1u << (bit % 32)) >> (bit % 32)) & 1;
}
static inline bool mem_test_and_clear_bit(void *p, unsigned int bit)
{
    return (mem_fetch_and32((uint32_t *)p + bit / 32, ~(1u << (bit % 32))) >> (bit % 32)) & 1;
}
static inline bool mem_test_bit(const void *p, unsigned int bit)
{
    return (mem_load32((const uint32_t *)p + bit / 32) >> (bit % 32)) & 1;
}

static inline void mem_copy(void *dst, const void *src, size_t n)
{
    memmove(sim_mem(dst, n), sim_mem(src, n), n);
}
static inline void mem_copy_page(void *dst, const void *src)
{
    mem_copy(dst, src, PAGE_SIZE);
}
static inline void mem_zero(void *p, size_t n)
{
    memset(sim_mem(p, n), 0, n);
}
static inline void mem_zero_page(void *p)
{
    mem_zero(p, PAGE_SIZE);
}

#endif
