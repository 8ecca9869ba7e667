/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a day that more than one command takes. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim.h"

/* Plan alone, trade and pay, with the case's weights and the command's options, showing progress.  yesterday: where trades and
 * prices start, or NULL. */
mgc_status cooperate(sim *s, const mgc_case *kase, uint32_t method, const mgc_alliance *yesterday, mgc_alliance **out);

/* Neither infeasible nor unbounded: there are figures to show. */
bool has_plan(uint32_t outcome, double cost);

/* Say on stderr why a member has no plan. */
void explain_if_infeasible(const mgc_alliance *alliance, uint32_t outcome);

#endif
