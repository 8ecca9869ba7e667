/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of on/off columns: layered graphs whose paths are the assignments that rows among integers allow.
 * Method: doc/math/mixed-integer.md, section "Schedules". */
#ifndef SOLVER_MIP_SCHEDULE_H
#define SOLVER_MIP_SCHEDULE_H

#include "solver/mip.h"

enum {
    TERM_INTS = 3,   /* integers that a follower may depend on */
    TERM_TABLE = 8,  /* their assignments */
    ROW_INTS = 62,   /* integers of a row, its followers' included: bits of a word, and room to shift */
    NOWHERE = -1
};

/* A continuous column whose bounds follow from few integers. */
struct mgc__term {
    uint32_t column, group;
    uint32_t first_tie, ties;             /* rows that its bounds were taken from */
    double low[TERM_TABLE], high[TERM_TABLE]; /* bit i of the index: integer i of the group */
};

/* Terms that depend on the same integers. */
struct mgc__group {
    uint32_t ints, k[TERM_INTS]; /* indices into mip->ints, ascending */
    uint32_t next;               /* another one with the same last integer, or UINT32_MAX */
};

/* A row over integers and terms, to be asked of assignments. */
struct mgc__logic {
    uint32_t row;
    uint32_t ints, *k;     /* ascending: its own and its terms' */
    double *value;         /* of its own integers; 0 for others */
    uint32_t terms, *term; /* indices */
    double *factor;        /* of the terms */
    uint8_t (*bit)[TERM_INTS]; /* of each term's integers: places in k */
    double fixed;          /* what integers with one value add */
    bool implied;          /* no assignment breaks it: nothing needs to be asked */
    bool exact;            /* the terms are determined by the integers: what is asked is all that the row says */
};

struct mgc__arc {
    uint16_t from, to; /* nodes of the layers before and after */
    uint8_t bit;
};

/* Integers in the order in which they are decided, and all assignments as paths. */
struct mgc__chain {
    uint32_t n, *k;               /* n */
    uint32_t *nodes;              /* n + 1: of each layer */
    uint32_t *arc_start;          /* n + 1 */
    struct mgc__arc *arc;
    size_t arc_cap;
    uint32_t *group_start, *group; /* n + 1: groups whose last integer is there */
    size_t *index_start;          /* n: where the arcs' places in the groups' tables are */
    uint8_t *index;
    size_t n_index, index_cap;
};

struct mgc__schedules {
    mgc_ctx *ctx;
    const mgc__mip *mip;
    uint32_t *index_of;           /* n: index into mip->ints, UINT32_MAX for continuous columns */
    uint32_t *term_of;            /* n: UINT32_MAX for columns without */
    struct mgc__term *term;
    size_t n_terms, term_cap;
    uint32_t *tie;                /* rows */
    size_t n_ties, tie_cap;
    struct mgc__group *group;
    size_t n_groups, group_cap;
    uint32_t *last_group;         /* n_int: the first of those that end there */
    struct mgc__logic *logic;
    size_t n_logic, logic_cap;
    uint8_t *kept;                /* m: rows that paths obey by themselves */
    struct mgc__chain *chain;
    size_t n_chains, chain_cap;
    int32_t *chain_of;            /* n_int, or NOWHERE */
    size_t most_nodes, most_arcs; /* of a chain */
};

/* --- mip_logic.c: what rows say about integers --------------------------------------------------- */

/* Terms, groups and logic rows. */
mgc_status mgc__logic_find(mgc__schedules *s);
void mgc__logic_free(mgc_ctx *ctx, struct mgc__logic *row);
/* Whether the row leaves its terms any values where its integers are as in bits. */
bool mgc__logic_allows(const mgc__schedules *s, const struct mgc__logic *row, uint64_t bits);

#endif
