/* SPDX-License-Identifier: Apache-2.0 */
/* What caution costs: the same day planned by who trusts the past, as the case says, and by who fears the worst. */
#ifndef SIM_CAUTION_H
#define SIM_CAUTION_H

#include <mgchain/report.h>

#include "sim.h"

enum { CAUTIONS = 3, BOUNDS_MAX = 256 };

typedef struct caution {
    mgc_report_caution plan[CAUTIONS];
    size_t n; /* 0: nothing is uncertain, or the alliance is too large to be planned three times more */
    double upper[BOUNDS_MAX], lower[BOUNDS_MAX];
    size_t bounds;
} caution;

/* Each member for itself, on/off decisions relaxed. */
mgc_status caution_measure(sim *s, const mgc_case *kase, caution *out);

#endif
