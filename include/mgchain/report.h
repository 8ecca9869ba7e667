/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file report.h
 * The day, drawn: one HTML file that needs no network and no script, for screen, phone and paper.  Library mgchain-io.
 */
#ifndef MGCHAIN_REPORT_H
#define MGCHAIN_REPORT_H

#include "mgchain/bargain.h"
#include "mgchain/io.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A table of texts.  Everything stays the caller's. */
typedef struct mgc_report_table {
    const char *title; /**< heading */
    const char *note;          /**< one line below the title; may be NULL */
    const char *const *header; /**< length columns; a name that ends in ">" is aligned right, the ">" left out */
    const char *const *cell;   /**< rows x columns */
    size_t columns, rows; /**< its size */
} mgc_report_table;

/** One line of the list of self-checks. */
typedef struct mgc_report_check {
    const char *name; /**< what was looked at */
    const char *found; /**< what was measured, with its unit */
    uint32_t ok;       /**< 1: held; 0: did not */
    uint32_t reserved0;
} mgc_report_check;

enum {
    MGC_FIGURE_LINES = 1,   /**< lines over the points */
    MGC_FIGURE_COLUMNS = 2, /**< upright bars side by side at each point */
    MGC_FIGURE_STACKS = 3,  /**< the same, one upon the other */
    MGC_FIGURE_STATES = 4   /**< a row of cells a series; value: index of the word that holds then, negative: none */
};

/** A figure of the host's own: the ledger's state, credit over time.  Everything stays the caller's. */
typedef struct mgc_report_figure {
    const char *title, *unit;  /**< unit: small, beside the title; "" for none */
    const char *const *name;   /**< length series: what the legend says (STATES: what stands before the row) */
    const char *const *label;  /**< length points, below the axis; NULL: their numbers */
    const char *const *word;   /**< STATES: length words, at most 8; otherwise NULL */
    const double *value;       /**< series x points; NAN: nothing there */
    size_t series, points, words; /**< series 1..8 (STATES: 1..60), points 1..4096 */
    uint32_t kind;             /**< MGC_FIGURE_... */
    uint32_t reserved0;
} mgc_report_figure;

/** What caution costs: one plan of the day, all members together, each for itself. */
typedef struct mgc_report_caution {
    const char *name;      /**< "trusts the past", "as planned", "fears the worst" */
    double nominal;        /**< [currency] expected cost under the nominal probabilities */
    double promised;       /**< [currency] the same under the probabilities that the plan fears: its own objective */
    double worst_scenario; /**< [currency] sum of each member's worst scenario */
} mgc_report_caution;

/** What the report draws.  Everything stays the caller's. */
typedef struct mgc_report {
    size_t struct_size;
    const mgc_case *kase;           /**< must be given */
    const mgc_alliance *alliance;   /**< must be given */
    const mgc_plan *realised;       /**< the day as it was, or NULL */
    const mgc_report_check *check;  /**< length checks */
    size_t checks; /**< length of check */
    const mgc_report_table *table;  /**< contracts, blocks, ...; length tables, in this order after the pictures */
    size_t tables; /**< length of table */
    const char *made_by;            /**< "mgchain-sim 0.1.0, seed 1"; may be NULL */
    const mgc_report_figure *figure; /**< length figures, before the tables */
    size_t figures; /**< length of figure */
    const mgc_report_caution *caution; /**< length cautions; at most 8 */
    size_t cautions; /**< length of caution */
    const double *upper, *lower;    /**< [currency] bounds of column-and-constraint generation, length bounds;
                                         may be NULL */
    size_t bounds; /**< length of upper and lower */
} mgc_report;

/**
 * Write the report so that it is there whole or not at all.
 * @return MGC_OK; MGC_E_INVALID_ARG; MGC_E_STATE where the alliance has no plans; MGC_E_IO, MGC_E_NOT_FOUND,
 *         MGC_E_NO_MEMORY.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_report_write(mgc_ctx *ctx, const char *path, const mgc_report *report);

/** Several kinds of plan, day after day, and what the days then cost.  Arrays of kind and day: [kind * days + day].
 *  Everything stays the caller's. */
typedef struct mgc_evaluation {
    size_t struct_size;
    const char *name, *currency;    /**< of the case */
    size_t kinds, days, rules;      /**< kinds 1..8, days >= 1 */
    const char *const *kind;        /**< "deterministic", ... */
    const char *const *day;         /**< "2019-07-16" */
    const double *cost;             /**< [currency] of the realised day */
    const double *promise;          /**< [currency] the cost that the plan expected, in its worst case */
    const double *unserved_kwh;     /**< of the realised day, as the next one */
    const double *emission_kg; /**< of the realised day */
    const double *hindsight;        /**< [days] [currency] the best that could have been done, knowing the day */
    const char *const *rule;        /**< [rules] "norm1 weissman", ... */
    const double *radius, *nominal, *covered; /**< [rules] coverage promised and measured */
    const char *made_by;            /**< may be NULL */
} mgc_evaluation;

/**
 * Draw an evaluation as one self-contained HTML file, there whole or not at all.
 * @return MGC_OK; MGC_E_INVALID_ARG; MGC_E_ABI_SIZE; MGC_E_IO, MGC_E_NOT_FOUND, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_evaluation_write(mgc_ctx *ctx, const char *path, const mgc_evaluation *evaluation);

#ifdef __cplusplus
}
#endif
#endif
