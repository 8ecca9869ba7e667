/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_OUTPUT_H
#define SIM_OUTPUT_H

#include "day.h"
#include "result.h"

/* results.json, *.csv, report.html, manifest.json of a day.  Nothing that differs from run to run but the manifest's timings. */
mgc_status write_day(sim *s, const char *folder, const mgc_case *kase, const mgc_alliance *alliance, const mgc_plan *realised, book *b,
                     const checks *c);

#endif
