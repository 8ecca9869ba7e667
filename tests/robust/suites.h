/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ROBUST_SUITES_H
#define TESTS_ROBUST_SUITES_H

#include <check.h>
#include <math.h>

#include "robust/robust.h"

#define OK(call)                                                                                                     \
    do {                                                                                                             \
        mgc_status ok_status = (call);                                                                               \
        ck_assert_msg(ok_status == MGC_OK, "%s: %s: %s", #call, mgc_status_name(ok_status),                          \
                      mgc_ctx_error(test_ctx));                                                                      \
    } while (0)

extern mgc_ctx *test_ctx; /* one for every test, made by the fixture */

/* Runs until no allocation fails; each failure must be answered by MGC_E_NO_MEMORY and leave no block. */
void sweep_allocations(mgc_status (*run)(mgc_ctx *ctx, uint32_t variant), uint32_t variant);

TCase *sets_case(void);
TCase *ambiguity_case(void);
TCase *reduce_case(void);
TCase *solve_case(void);
TCase *smps_case(void);
TCase *budget_case(void);

#endif
