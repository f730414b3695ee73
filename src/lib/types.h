/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Basic types and macros that every file may use: fixed-width integers, the struct-wrapped
 * address types, and compile-time helpers. Pure C, no state. Not here: anything that allocates,
 * locks or touches a CPU.
 */
#ifndef KR_LIB_TYPES_H
#define KR_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)                 (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(cond)            _Static_assert(!(cond), "BUILD_BUG_ON: " #cond)
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))
#define likely(x)                     __builtin_expect(!!(x), 1)
#define unlikely(x)                   __builtin_expect(!!(x), 0)

#define must_check                    __attribute__((warn_unused_result))
#define noreturn_fn                   __attribute__((noreturn))
#define packed_struct                 __attribute__((packed))
#define aligned_to(n)                 __attribute__((aligned(n)))
#define printf_like(fmt, args)        __attribute__((format(printf, fmt, args)))
#define in_section(s)                 __attribute__((section(s), used))

/* Both arguments are evaluated once and must have the same type. */
#define min(a, b)                          \
    ({                                     \
        __typeof__(a) min_a_ = (a);        \
        __typeof__(b) min_b_ = (b);        \
        (void)(&min_a_ == &min_b_);        \
        min_a_ < min_b_ ? min_a_ : min_b_; \
    })
#define max(a, b)                          \
    ({                                     \
        __typeof__(a) max_a_ = (a);        \
        __typeof__(b) max_b_ = (b);        \
        (void)(&max_a_ == &max_b_);        \
        max_a_ > max_b_ ? max_a_ : max_b_; \
    })

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define KIB(n)     ((uint64_t)(n) << 10)
#define MIB(n)     ((uint64_t)(n) << 20)
#define GIB(n)     ((uint64_t)(n) << 30)

/* `a` is a power of two; x is any unsigned integer. */
#define ALIGN_UP(x, a)   (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

/* A volatile access: exactly one load or store of *p, for memory that others change. */
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * Addresses and frame numbers. g = guest-physical, m/h = machine (host-physical). They are
 * struct-wrapped so that one cannot stand for another by accident; use the helpers below.
 */
typedef struct {
    uint64_t v;
} gfn_t;
typedef struct {
    uint64_t v;
} mfn_t;
typedef struct {
    uint64_t v;
} gpa_t;
typedef struct {
    uint64_t v;
} hpa_t;

/* "No frame": never a valid frame number. */
#define FRAME_NONE (~0ULL)
#define GFN_NONE   _gfn(FRAME_NONE)
#define MFN_NONE   _mfn(FRAME_NONE)

static inline gfn_t _gfn(uint64_t v)
{
    return (gfn_t){v};
}
static inline mfn_t _mfn(uint64_t v)
{
    return (mfn_t){v};
}
static inline gpa_t _gpa(uint64_t v)
{
    return (gpa_t){v};
}
static inline hpa_t _hpa(uint64_t v)
{
    return (hpa_t){v};
}
static inline gfn_t gpa_to_gfn(gpa_t a)
{
    return _gfn(a.v >> PAGE_SHIFT);
}
static inline gpa_t gfn_to_gpa(gfn_t f)
{
    return _gpa(f.v << PAGE_SHIFT);
}
static inline mfn_t hpa_to_mfn(hpa_t a)
{
    return _mfn(a.v >> PAGE_SHIFT);
}
static inline hpa_t mfn_to_hpa(mfn_t f)
{
    return _hpa(f.v << PAGE_SHIFT);
}
static inline gfn_t gfn_add(gfn_t f, uint64_t n)
{
    return _gfn(f.v + n);
}
static inline mfn_t mfn_add(mfn_t f, uint64_t n)
{
    return _mfn(f.v + n);
}
static inline bool gfn_eq(gfn_t a, gfn_t b)
{
    return a.v == b.v;
}
static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.v == b.v;
}

/* Nanoseconds of host system time (since boot), the base of every timeout. */
typedef int64_t nsec_t;
#define NSEC_NEVER INT64_MAX
#define USEC(n)    ((nsec_t)(n)*1000)
#define MSEC(n)    ((nsec_t)(n)*1000000)
#define SEC(n)     ((nsec_t)(n)*1000000000)

#endif
