/* SPDX-License-Identifier: Apache-2.0 */
#include "solver/solve.h"

mgc_status mgc__solve_integer(mgc__solve *s)
{
    return mgc__fail(s->p->ctx, MGC_E_UNSUPPORTED, "solver: integer columns need branch and bound; solve with relax = 1");
}
