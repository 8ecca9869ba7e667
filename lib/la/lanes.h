/* SPDX-License-Identifier: Apache-2.0 */
/* Eight doubles side by side, in the registers that a machine has.  Arithmetic on each is that of scalars in the order
 * written, whatever the width of the registers, so the same code for wider ones gives the same bits.
 *
 * Compilers split a vector that is wider than a register where it comes from memory and goes back there, but keep it in
 * memory where it lives on: sums then take four times as long.  So loops are written for a vector of REGISTER doubles,
 * LANES / REGISTER of them side by side, in files that are included once for each kind of register (..._bodies.h). */
#ifndef LA_LANES_H
#define LA_LANES_H

#include <stdint.h>

enum { LANES = 8 };
typedef double lanes_2 __attribute__((vector_size(16), aligned(8), may_alias));
typedef double lanes_4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef double lanes_8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t lanes_2_mask __attribute__((vector_size(16), aligned(8), may_alias));
typedef int64_t lanes_4_mask __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t lanes_8_mask __attribute__((vector_size(64), aligned(8), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LANES_JOINED(a, b) a##_##b
#define LANES_JOIN(a, b) LANES_JOINED(a, b)

/* The vector of a file that was included with REGISTER set, and a name of its own for each. */
#define piece LANES_JOIN(lanes, REGISTER)
#define piece_mask LANES_JOIN(LANES_JOIN(lanes, REGISTER), mask)
#define PIECES (LANES / REGISTER)
#define OF_REGISTER(name) LANES_JOIN(name, REGISTER)
#define LOAD(p) (*(const piece *)(p))
#define STORE(p) (*(piece *)(p))

/* Of tables of the same functions the one for the widest registers that this machine has; only the first is there on others. */
#if defined(__x86_64__)
#define WIDEST(base, avx2, avx512) \
    (__builtin_cpu_supports("avx512f") ? (avx512) : __builtin_cpu_supports("avx2") ? (avx2) : (base))
#else
#define WIDEST(base, avx2, avx512) (base)
#endif

/* Before a loop over pieces: each has registers of its own. */
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 8")
#endif

/* Eight sums, one a lane, in one order. */
ALWAYS_INLINE double sum_of_lanes(const double x[LANES])
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

#endif
