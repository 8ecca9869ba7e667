/* SPDX-License-Identifier: Apache-2.0 */
/* Where everything of a microgrid stands in its two-stage program.
 *
 * Columns: the first stage, then one block a scenario, all blocks alike; rows the same.  A family of columns or rows
 * holds one entry a period, next to each other; its place is the first entry, counted from the start of its stage. */
#ifndef DISPATCH_BUILD_H
#define DISPATCH_BUILD_H

#include "dispatch/model.h"
#include "dispatch/site.h"

#define PLACE_NONE UINT32_MAX /* a family that the program does without */

/* Families of a device, by its type. */
enum { ON = 0, START = 1, MODE = 0 };                                  /* first stage: chp; storage */
enum { SHIFT_IN = 0, SHIFT_OUT = 1, CURTAILED = 2, UNSERVED = 3 };     /* load */
enum { POWER = 0, HEAT = 1 };                                          /* renewables, chp, electric boiler, heat pump */
enum { BOILER_HEAT = 0 };
enum { CHARGE = 0, DISCHARGE = 1, ENERGY = 2 };
enum { VARIABLES = 0 };                                                /* linear: one family a variable, in order */
enum { ROW_SHIFT = 0 };                                                /* one row */
enum { ROW_MIN = 0, ROW_MAX = 1, ROW_HEAT = 2, ROW_UP = 3, ROW_DOWN = 4 };
enum { ROW_ENERGY = 0, ROW_CHARGE = 1, ROW_DISCHARGE = 2 };
enum { ROW_CONSTRAINTS = 0 };                                          /* one family a constraint; shorter by one with previous */

typedef struct mgc__device_shape {
    uint32_t first[2], scenario[4], rows[5];
} mgc__device_shape;

typedef struct mgc__shape {
    mgc_ctx *ctx;
    mgc_model *model;          /* own copy: this microgrid and its links */
    const mgc_microgrid *site; /* in it */
    bool trade, heat, carbon;  /* has links; a heat balance; a price on emission */
    uint32_t periods, scenarios;
    double hours;
    uint32_t buy, sell, district;                            /* first stage */
    uint32_t realtime_buy, realtime_sell, import, constant, below, tier; /* scenario; constant, below: one column */
    uint32_t row_grid, row_import, row_electricity, row_heat, row_carbon; /* scenario; row_carbon: one row */
    double *import_max, *export_max; /* periods; largest exchange with the grid that limit or devices leave [kW] */
    mgc__device_shape *device; /* one a device */
    mgc__trade *trades;
    uint32_t *trade_columns;
    double *trade_capacity;
    size_t n_trades;
    uint32_t first_columns, scenario_columns, first_rows, scenario_rows;
    uint32_t *integers;
    size_t n_integers;
} mgc__shape;

mgc_status mgc__shape_create(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, mgc__shape **out);
void mgc__shape_destroy(mgc__shape *shape);
bool mgc__link_is_pool(const mgc_model *model, const mgc_link *link); /* alliance.c */

static inline uint32_t mgc__shape_columns(const mgc__shape *s)
{
    return s->first_columns + s->scenarios * s->scenario_columns;
}

static inline uint32_t mgc__shape_rows(const mgc__shape *s)
{
    return s->first_rows + s->scenarios * s->scenario_rows;
}

/* Column of a scenario's family at a period. */
static inline uint32_t mgc__column(const mgc__shape *s, uint32_t scenario, uint32_t place, uint32_t period)
{
    return s->first_columns + scenario * s->scenario_columns + place + period;
}

static inline uint32_t mgc__row(const mgc__shape *s, uint32_t scenario, uint32_t place, uint32_t period)
{
    return s->first_rows + scenario * s->scenario_rows + place + period;
}

/* The program as it is written: columns first, then rows.  Without ts nothing is made, places are recorded. */
typedef struct mgc__builder {
    mgc_ctx *ctx;
    mgc__shape *shape;
    mgc_twostage *ts;
    double *cost, *lower, *upper; /* every column's, filled; given together with ts */
    uint32_t *period;             /* likewise: to which period its cost belongs; PLACE_NONE: to the day */
    bool named;
    uint32_t scenario, stage; /* MGC_FIRST_STAGE or MGC_SCENARIO(scenario) */
    uint32_t columns, rows;   /* made so far */
    uint32_t stage_column, stage_row; /* where the present stage began */
    uint32_t *term_column;    /* the row being written */
    double *term_value;
    size_t terms, column_cap, value_cap;
    mgc_status status; /* the first failure; everything after it does nothing */
} mgc__builder;

void mgc__build_columns(mgc__builder *b);  /* of the present stage */
void mgc__build_rows(mgc__builder *b);     /* of the present stage */

/* Add a column or the row collected in term_*; `what` and `quantity` make its name: "hospital.unit-1.power[3]@k2".
 * period PLACE_NONE: there is one for all. */
uint32_t mgc__build_column(mgc__builder *b, double cost, double lower, double upper, const char *what, const char *quantity,
                           uint32_t period);
void mgc__build_term(mgc__builder *b, uint32_t column, double value);
void mgc__build_row(mgc__builder *b, double lower, double upper, const char *what, const char *quantity, uint32_t period);

/* True where a constraint of a linear device holds from the second period on: it looks at a period before the first. */
bool mgc__constraint_looks_back(const mgc_device *device, size_t constraint);

/* A site's parts, for the files of this room. */
struct mgc__site {
    mgc_ctx *ctx;
    mgc__shape *shape;
    mgc_twostage *ts;
    double *cost; /* as built; bargain changes those of ts */
    uint32_t *period; /* of each column; PLACE_NONE: of the day */
};

/* As mgc__site_create(); named: columns and rows carry names; ambiguity false: nominal probabilities only. */
mgc_status mgc__site_build(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, bool named, bool ambiguity,
                           mgc__site **out);

#endif
