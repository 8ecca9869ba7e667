/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a day that more than one command takes. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim.h"

/* Plan alone, trade and pay, with the case's weights and the command's options, showing progress. */
mgc_status cooperate(sim *s, const mgc_case *kase, uint32_t method, mgc_alliance **out);

/* Say on stderr why a member has no plan. */
void explain_if_infeasible(const mgc_alliance *alliance, uint32_t outcome);

#endif
