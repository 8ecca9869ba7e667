/* SPDX-License-Identifier: Apache-2.0 */
/* Self-checks of a day: what a sceptical reader would recompute, by code that shares nothing with the planner. */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include <mgchain/report.h>

#include "sim.h"

enum { CHECKS_MAX = 24, CHECK_TEXT = 160 };

typedef struct checks {
    mgc_report_check list[CHECKS_MAX];
    char text[CHECKS_MAX][CHECK_TEXT];
    size_t n, broken;
} checks;

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void check_add(checks *c, const char *name, bool ok, const char *format, ...);

/* Balances, storage, connection limits of a plan, in every scenario. */
void check_plan(checks *c, const mgc_model *model, const mgc_plan *plan, const char *which);
/* Money, individual rationality, the bound, the certificate. */
void check_bargain(checks *c, const mgc_alliance *alliance);
/* The whole alliance as one program with the same on/off decisions: trades and all else found anew, without agents. */
mgc_status check_yardstick(checks *c, sim *s, const mgc_case *kase, const mgc_alliance *alliance);

#endif
