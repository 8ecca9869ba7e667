/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch/plan.h"

mgc_status mgc__explain(mgc_plan *plan, bool relax)
{
    (void)plan;
    (void)relax;
    return MGC_OK;
}
