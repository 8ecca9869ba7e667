/* SPDX-License-Identifier: Apache-2.0 */
/* Names and defaults. */
#include "base/base.h"
#include "bargain/local.h"

const char *mgc_phase_name(uint32_t phase)
{
    static const char *const names[] = {"?", "alone", "hello", "relaxed", "commit", "fixed", "settle", "pay", "bound", "done"};

    return phase < MGC__COUNT(names) ? names[phase] : names[0];
}

const char *mgc_pool_id(void)
{
    return MGC__POOL_ID;
}
