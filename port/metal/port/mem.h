/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to memory that a guest can see or change, through an address from mem/window.h (or a
 * Krypton-owned frame's address): plain moves on real hardware. Every function loads or stores
 * its operand exactly once. On the host (port/host) each access goes through the stepped CPU's TLB
 * model, so a window address must never be dereferenced in any other way.
 */
#ifndef KR_PORT_MEM_H
#define KR_PORT_MEM_H

#include "lib/types.h"
#include "lib/string.h"

/* For the host's address sanitizer; nothing here. */
static inline void mem_poison(const void *p, size_t n)
{
    (void)p, (void)n;
}
static inline void mem_unpoison(const void *p, size_t n)
{
    (void)p, (void)n;
}
/* For the host's tests of memory being out; nothing here. */
static inline bool mem_alloc_fails(void)
{
    return false;
}

#define MEM_ACCESSORS(bits)                                       \
    static inline uint##bits##_t mem_load##bits(const void *p)    \
    {                                                             \
        return *(const volatile uint##bits##_t *)p;               \
    }                                                             \
    static inline void mem_store##bits(void *p, uint##bits##_t v) \
    {                                                             \
        *(volatile uint##bits##_t *)p = v;                        \
    }

MEM_ACCESSORS(8)
MEM_ACCESSORS(16)
MEM_ACCESSORS(32)
MEM_ACCESSORS(64)

/* Atomic, full barrier. Stores `next` when *p holds `expect`; returns what *p held. */
static inline uint32_t mem_cmpxchg32(void *p, uint32_t expect, uint32_t next)
{
    return __sync_val_compare_and_swap((volatile uint32_t *)p, expect, next);
}
static inline uint64_t mem_cmpxchg64(void *p, uint64_t expect, uint64_t next)
{
    return __sync_val_compare_and_swap((volatile uint64_t *)p, expect, next);
}

/* Atomic, full barrier; return the old value of the word or bit (bit counts from p, any size). */
static inline uint32_t mem_fetch_or32(void *p, uint32_t bits)
{
    return __sync_fetch_and_or((volatile uint32_t *)p, bits);
}
static inline uint32_t mem_fetch_and32(void *p, uint32_t bits)
{
    return __sync_fetch_and_and((volatile uint32_t *)p, bits);
}
static inline uint16_t mem_fetch_and16(void *p, uint16_t bits)
{
    return __sync_fetch_and_and((volatile uint16_t *)p, bits);
}
static inline uint8_t mem_xchg8(void *p, uint8_t v)
{
    return __atomic_exchange_n((volatile uint8_t *)p, v, __ATOMIC_SEQ_CST);
}
static inline bool mem_test_and_set_bit(void *p, unsigned int bit)
{
    bool old;

    __asm__ volatile("lock; btsl %2, %0"
                     : "+m"(((volatile uint32_t *)p)[bit / 32]), "=@ccc"(old)
                     : "r"(bit % 32)
                     : "memory");
    return old;
}
static inline bool mem_test_and_clear_bit(void *p, unsigned int bit)
{
    bool old;

    __asm__ volatile("lock; btrl %2, %0"
                     : "+m"(((volatile uint32_t *)p)[bit / 32]), "=@ccc"(old)
                     : "r"(bit % 32)
                     : "memory");
    return old;
}
static inline bool mem_test_bit(const void *p, unsigned int bit)
{
    return (mem_load32((const uint32_t *)p + bit / 32) >> (bit % 32)) & 1;
}

/* Copies in one direction between mapped memory and Krypton's own, or within mapped memory. The
 * source may change meanwhile: what arrives is some mix, read once. */
static inline void mem_copy(void *dst, const void *src, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
}
/* Whole pages, 4 KiB aligned. */
static inline void mem_copy_page(void *dst, const void *src)
{
    size_t n = PAGE_SIZE / 8;

    __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
}
static inline void mem_zero_page(void *p)
{
    size_t n = PAGE_SIZE / 8;

    __asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0UL) : "memory");
}
static inline void mem_zero(void *p, size_t n)
{
    __asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(0) : "memory");
}

#endif
