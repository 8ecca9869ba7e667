/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of the three SMPS files share. */
#ifndef ROBUST_SMPS_PRIVATE_H
#define ROBUST_SMPS_PRIVATE_H

#include "robust/robust.h"
#include "solver/names.h"
#include "solver/program_impl.h"

enum {
    SMPS_LINE_MAX = 2048, /* five names of 255 bytes with their blanks; longer is not SMPS */
    SMPS_FIELDS_MAX = 6
};

/* A text, line by line; comments and empty lines are passed over. */
typedef struct mgc__smps_lines {
    mgc_ctx *ctx;
    const char *text, *file;
    size_t len, at;
    uint32_t number;
    char *line;                    /* SMPS_LINE_MAX */
    char *field[SMPS_FIELDS_MAX];
    uint32_t n;                    /* of fields */
    bool header;                   /* it begins in the first column */
} mgc__smps_lines;

/* A place of the core that is random. */
typedef struct mgc__smps_element {
    uint32_t column; /* UINT32_MAX: a right-hand side */
    uint32_t row;    /* UINT32_MAX: a cost */
    uint32_t thing;  /* to which it belongs */
    double core;
    char *key;       /* "column row", its name among the elements */
} mgc__smps_element;

/* Something random by itself: an entry of INDEP, a block, the tree of scenarios. */
typedef struct mgc__smps_thing {
    char *name;
    uint32_t first, n; /* realisations, in a list sorted by thing */
    double probability; /* sum */
} mgc__smps_thing;

typedef struct mgc__smps_realisation {
    uint32_t thing;
    double probability;
    uint32_t first, n; /* changes; a later one of the same element wins */
    char *name;        /* of a scenario, else NULL */
} mgc__smps_realisation;

typedef struct mgc__smps_change {
    uint32_t element;
    double value;
} mgc__smps_change;

typedef struct mgc__smps {
    mgc_ctx *ctx;
    mgc_program *core;
    mgc__names columns, rows; /* of the core */
    char *sort;               /* m: L, G, E */
    char objective[256];
    uint32_t cut_column, cut_row; /* first of the second stage */
    mgc__smps_element *elements;
    mgc__smps_thing *things;
    mgc__smps_realisation *realisations;
    mgc__smps_change *changes;
    uint32_t n_elements, n_things, n_realisations, n_changes;
    size_t cap_elements, cap_things, cap_realisations, cap_changes;
    mgc__names element_names, thing_names;
} mgc__smps;

mgc_status mgc__smps_next(mgc__smps_lines *l, bool *there);
mgc_status mgc__smps_number(const mgc__smps_lines *l, const char *text, double *value);
mgc_status mgc__smps_bad(const mgc__smps_lines *l, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);

/* smps_stoch.c: fill elements, things, realisations sorted by thing, changes. */
mgc_status mgc__smps_read_stoch(mgc__smps *s, mgc__smps_lines *l);
/* smps_build.c */
mgc_status mgc__smps_build(mgc__smps *s, mgc_twostage **out);

#endif
