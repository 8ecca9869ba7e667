/* SPDX-License-Identifier: Apache-2.0 */
/* For targets whose mutator knows what values mean: libFuzzer need not be told of every comparison, which takes half of the time
 * where integers are decoded by the thousand.  Covered edges count as before.  The linker puts these in the place of libFuzzer's. */
#include <stdint.h>

#ifdef __clang__
#define UNSEEN __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define UNSEEN
#endif
#define QUIET(name, type)                     \
    void __wrap_##name(type a, type b);       \
    UNSEEN void __wrap_##name(type a, type b) \
    {                                        \
        (void)a, (void)b;                    \
    }

QUIET(__sanitizer_cov_trace_cmp1, uint8_t)
QUIET(__sanitizer_cov_trace_cmp2, uint16_t)
QUIET(__sanitizer_cov_trace_cmp4, uint32_t)
QUIET(__sanitizer_cov_trace_cmp8, uint64_t)
QUIET(__sanitizer_cov_trace_const_cmp1, uint8_t)
QUIET(__sanitizer_cov_trace_const_cmp2, uint16_t)
QUIET(__sanitizer_cov_trace_const_cmp4, uint32_t)
QUIET(__sanitizer_cov_trace_const_cmp8, uint64_t)
