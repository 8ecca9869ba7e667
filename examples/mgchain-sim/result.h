/* SPDX-License-Identifier: Apache-2.0 */
/* What an alliance found, in the shape that result files have. */
#ifndef SIM_RESULT_H
#define SIM_RESULT_H

#include "sim.h"

typedef struct result {
    mgc_result file;   /* points into the rest */
    const char **id;
    double *number;    /* 9 arrays of members */
    double **probability;
    uint32_t *scenarios;
    mgc_result_trade *trade;
} result;

/* timings: 0 leaves seconds out, so that two runs write the same bytes. */
mgc_status result_from_alliance(const mgc_case *kase, const mgc_alliance *alliance, bool timings, result *r);
/* Stand-alone plans only. */
mgc_status result_from_alone(const mgc_case *kase, const mgc_plan *alone, result *r);
void result_free(result *r);

/* The gap that was asked for, where one was: a key of its own in the JSON text; and on stderr where it was not shown. */
void write_gap_asked(const sim *s, mgc_json *json);
void say_gap_missed(const sim *s, double gap);

/* The result as one JSON text, borrowed from *json, which the caller destroys. */
mgc_status result_json(const sim *s, const result *r, mgc_json **json, const char **text, size_t *len);

/* The table on stdout: a row a member. */
void print_members(const mgc_case *kase, const mgc_alliance *alliance);

#endif
