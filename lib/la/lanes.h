/* SPDX-License-Identifier: Apache-2.0 */
/* Eight doubles side by side; compilers split them as the machine has it.  Arithmetic on each is that of scalars in
 * the order written, whatever the width of the registers, so the same code for wider ones gives the same bits. */
#ifndef LA_LANES_H
#define LA_LANES_H

#include <stdint.h>

enum { LANES = 8 };
typedef double lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t lane_mask __attribute__((vector_size(64), aligned(8), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LOAD(p) (*(const lanes *)(p))
#define STORE(p) (*(lanes *)(p))

#endif
