/* SPDX-License-Identifier: Apache-2.0 */
/* Holds a returned plan against the equations of doc/math/dispatch.md through the public interface alone: nothing here knows how
 * the program is built. */
#ifndef TESTS_VERIFY_PLAN_H
#define TESTS_VERIFY_PLAN_H

#include <stdbool.h>

#include "mgchain/dispatch.h"

/* Fails the test that runs where an equation, a bound or the cost does not hold.  together: links are used; relaxed: on/off
 * decisions may be fractions. */
void verify_plan(const mgc_model *model, const mgc_plan *plan, bool together, bool relaxed);

#endif
