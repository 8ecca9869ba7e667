/* SPDX-License-Identifier: Apache-2.0 */
/* A model as the files of this room share it. */
#ifndef DISPATCH_MODEL_H
#define DISPATCH_MODEL_H

#include "dispatch/params.h"

/* Limits on what comes from outside. */
enum {
    MODEL_PERIODS_MAX = 8784,     /* an hour each in a leap year */
    MODEL_SCENARIOS_MAX = 10000,  /* far above what scenario reduction is asked for */
    MODEL_ID_MAX = 63,            /* bytes of an id: also the ledger's limit */
    MODEL_MICROGRIDS_MAX = 10000, /* keeps sums of columns below 2^31 */
    MODEL_DEVICES_MAX = 10000,    /* of one microgrid */
    MODEL_LINKS_MAX = 100000,
    MODEL_VARIABLES_MAX = 1000,   /* of one linear device */
    MODEL_CONSTRAINTS_MAX = 10000,
    MODEL_TERMS_MAX = 100000
};

enum { CARRIER_ELECTRICITY = 0, CARRIER_HEAT = 1 };

typedef struct mgc__variable {
    char *name;
    mgc__bag bag;
} mgc__variable;

typedef struct mgc__constraint {
    double lower, upper;
} mgc__constraint;

typedef struct mgc__term {
    uint32_t constraint, variable;
    double coefficient;
    bool previous;
} mgc__term;

struct mgc_device {
    mgc_microgrid *site; /* borrowed */
    char *id;
    mgc__type type;
    mgc__bag bag;
    mgc__variable *variables; /* linear */
    mgc__constraint *constraints;
    mgc__term *terms;
    size_t n_variables, n_constraints, n_terms, variables_cap, constraints_cap, terms_cap;
};

/* An ambiguity set: a radius (or level, or flag), or a confidence with samples and rule; NAN where not given. */
typedef struct mgc__ball {
    double radius, confidence;
    uint32_t samples;
    char rule[16];
} mgc__ball;

enum { BALL_NORM1, BALL_NORM_INF, BALL_WASSERSTEIN, BALL_KL, BALL_CHI2, BALL_CVAR, BALL_WORST_CASE, BALL_COUNT };
extern const char *const mgc__ball_names[BALL_COUNT]; /* as in case files */

struct mgc_microgrid {
    mgc_model *model; /* borrowed */
    char *id;
    uint32_t scenarios;
    mgc__bag grid, market, carbon; /* market, carbon: overrides of the model's */
    double *probability;           /* scenarios, or NULL: equal */
    mgc__ball ball[BALL_COUNT];
    mgc_device **devices;
    size_t n_devices, devices_cap;
};

struct mgc_link {
    mgc_model *model; /* borrowed */
    char *first, *second;
    uint32_t carrier;
    mgc__bag bag;
};

struct mgc_model {
    mgc_ctx *ctx;
    uint32_t periods;
    double hours;
    mgc__bag market, carbon;
    mgc_microgrid **sites;
    mgc_link **links;
    size_t n_sites, sites_cap, n_links, links_cap;
};

/* Values as they stand, every default and override resolved. */
double mgc__market_at(const mgc_microgrid *site, uint32_t param, uint32_t scenario, uint32_t period);
double mgc__carbon_at(const mgc_microgrid *site, uint32_t param);
double mgc__grid_at(const mgc_microgrid *site, uint32_t param, uint32_t period);
double mgc__device_at(const mgc_device *device, uint32_t param, uint32_t scenario, uint32_t period);

/* A number of a device that is one for all periods. */
static inline double mgc__device_number(const mgc_device *device, uint32_t param)
{
    return mgc__device_at(device, param, 0, 0);
}

/* True where the parameter is 0 in every period. */
bool mgc__bag_is_zero(const mgc__bag *bag, uint32_t param);

/* A deep copy on ctx: of the whole model (id NULL), or of one microgrid with the links that touch it. */
mgc_status mgc__model_copy(mgc_ctx *ctx, const mgc_model *model, const char *id, mgc_model **out);

/* A deep copy of the members that keep[i] names, by place, and the links among them. */
mgc_status mgc__model_copy_some(mgc_ctx *ctx, const mgc_model *model, const bool keep[], mgc_model **out);

/* Drop all links. */
void mgc__model_drop_links(mgc_model *model);
void mgc__model_swap_links(mgc_model *a, mgc_model *b); /* of the same members and periods */

/* Drop every device of a microgrid but one. */
void mgc__model_keep_device(mgc_microgrid *site, size_t index);

/* True where a device of the site burns gas. */
bool mgc__device_burns_gas(const mgc_device *device);

#endif
