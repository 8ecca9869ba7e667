/* SPDX-License-Identifier: Apache-2.0 */
/* From core, cut and random things to the two-stage program: all combinations as scenarios. */
#include <stdio.h>

#include "robust/smps_private.h"

/* The core with the values of one scenario laid over it, by rows. */
typedef struct builder {
    mgc__smps *s;
    mgc_twostage *ts;
    uint32_t scenarios;
    size_t *start;             /* m + 1 */
    uint32_t *column;          /* entries; random ones that the core does not have are there with 0 */
    double *value;
    size_t *slot;              /* elements: their entry */
    double *cost, *row_lower, *row_upper;
    uint32_t *number;          /* n: column of ts */
    uint32_t *columns;         /* one row */
} builder;

static void free_builder(builder *b)
{
    mgc_ctx *ctx = b->s->ctx;

    mgc__free(ctx, b->start);
    mgc__free(ctx, b->column);
    mgc__free(ctx, b->value);
    mgc__free(ctx, b->slot);
    mgc__free(ctx, b->cost);
    mgc__free(ctx, b->row_lower);
    mgc__free(ctx, b->row_upper);
    mgc__free(ctx, b->number);
    mgc__free(ctx, b->columns);
}

static bool is_entry(const mgc__smps_element *e)
{
    return e->column != UINT32_MAX && e->row != UINT32_MAX;
}

static size_t find_entry(const builder *b, uint32_t row, uint32_t column)
{
    size_t k = b->start[row];

    while (k < b->start[row + 1] && b->column[k] != column) k++;
    return k;
}

/* Rows of the core, with room for random entries that it leaves out (a value that is 0 in the core). */
static mgc_status make_rows(builder *b)
{
    const mgc__smps *s = b->s;
    const mgc__csc *a = &s->core->a.csc;
    uint32_t m = s->core->m, n = s->core->n;

    for (size_t k = 0; k < a->start[n]; k++) b->start[a->row[k] + 1]++;
    for (uint32_t e = 0; e < s->n_elements; e++)
        if (is_entry(&s->elements[e]) && s->elements[e].core == 0) b->start[s->elements[e].row + 1]++;
    for (uint32_t i = 0; i < m; i++) b->start[i + 1] += b->start[i];
    size_t *at = mgc__alloc(s->ctx, m, sizeof *at);
    if (at == NULL) return mgc__no_memory(s->ctx, "the core by rows");
    memcpy(at, b->start, m * sizeof *at);
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            b->column[at[a->row[k]]] = j;
            b->value[at[a->row[k]]++] = a->value[k];
        }
    for (uint32_t e = 0; e < s->n_elements; e++)
        if (is_entry(&s->elements[e]) && s->elements[e].core == 0)
            b->column[at[s->elements[e].row]++] = s->elements[e].column;
    for (uint32_t e = 0; e < s->n_elements; e++)
        if (is_entry(&s->elements[e])) b->slot[e] = find_entry(b, s->elements[e].row, s->elements[e].column);
    mgc__free(s->ctx, at);
    return MGC_OK;
}

static mgc_status make_builder(builder *b)
{
    const mgc_program *p = b->s->core;
    mgc_ctx *ctx = b->s->ctx;
    size_t entries = (size_t)p->a.csc.start[p->n] + b->s->n_elements;

    b->start = mgc__alloc(ctx, (size_t)p->m + 1, sizeof *b->start);
    b->column = mgc__alloc(ctx, entries, sizeof *b->column);
    b->value = mgc__alloc(ctx, entries, sizeof *b->value);
    b->slot = mgc__alloc(ctx, b->s->n_elements, sizeof *b->slot);
    b->cost = mgc__alloc(ctx, p->n, sizeof *b->cost);
    b->row_lower = mgc__alloc(ctx, p->m, sizeof *b->row_lower);
    b->row_upper = mgc__alloc(ctx, p->m, sizeof *b->row_upper);
    b->number = mgc__alloc(ctx, p->n, sizeof *b->number);
    b->columns = mgc__alloc(ctx, entries, sizeof *b->columns);
    if (b->start == NULL || b->column == NULL || b->value == NULL || b->slot == NULL || b->cost == NULL ||
        b->row_lower == NULL || b->row_upper == NULL || b->number == NULL || b->columns == NULL)
        return mgc__no_memory(ctx, "the core by rows");
    memcpy(b->cost, p->cost, p->n * sizeof *b->cost);
    memcpy(b->row_lower, p->row_lower, p->m * sizeof *b->row_lower);
    memcpy(b->row_upper, p->row_upper, p->m * sizeof *b->row_upper);
    return make_rows(b);
}

/* --- scenarios --------------------------------------------------------------------------------------------------- */

static mgc_status count_scenarios(builder *b)
{
    uint64_t n = 1;

    for (uint32_t u = 0; u < b->s->n_things && n <= MGC__SCENARIOS_MAX; u++) n *= b->s->things[u].n;
    if (n > MGC__SCENARIOS_MAX)
        return mgc__fail(b->s->ctx, MGC_E_LIMIT,
                         "robust: the stoch file has more than %u combinations of its %u random things",
                         MGC__SCENARIOS_MAX, b->s->n_things);
    b->scenarios = (uint32_t)n;
    return MGC_OK;
}

/* Realisation of thing u in scenario k: digits of k, the last thing the fastest. */
static const mgc__smps_realisation *realisation(const mgc__smps *s, uint32_t u, uint32_t k)
{
    for (uint32_t v = s->n_things - 1; v > u; v--) k /= s->things[v].n;
    return &s->realisations[s->things[u].first + k % s->things[u].n];
}

static void lay(builder *b, uint32_t element, double value)
{
    const mgc__smps_element *e = &b->s->elements[element];
    const mgc_program *p = b->s->core;

    if (e->row == UINT32_MAX) {
        b->cost[e->column] = value;
    } else if (e->column != UINT32_MAX) {
        b->value[b->slot[element]] = value;
    } else { /* adding to a side that is no bound leaves it so */
        b->row_lower[e->row] = p->row_lower[e->row] == e->core ? value : p->row_lower[e->row] + (value - e->core);
        b->row_upper[e->row] = p->row_upper[e->row] == e->core ? value : p->row_upper[e->row] + (value - e->core);
    }
}

static void lay_scenario(builder *b, uint32_t k)
{
    const mgc__smps *s = b->s;

    for (uint32_t e = 0; e < s->n_elements; e++) lay(b, e, s->elements[e].core);
    for (uint32_t u = 0; u < s->n_things; u++) {
        const mgc__smps_realisation *r = realisation(s, u, k);
        for (uint32_t c = 0; c < r->n; c++) lay(b, s->changes[r->first + c].element, s->changes[r->first + c].value);
    }
}

static mgc_status make_twostage(builder *b)
{
    const mgc__smps *s = b->s;
    double *p = mgc__alloc(s->ctx, b->scenarios, sizeof *p), sum = 0;

    if (p == NULL) return mgc__no_memory(s->ctx, "the scenarios' probabilities");
    for (uint32_t k = 0; k < b->scenarios; k++) {
        p[k] = 1;
        for (uint32_t u = 0; u < s->n_things; u++) p[k] *= realisation(s, u, k)->probability;
        sum += p[k];
    }
    for (uint32_t k = 0; k < b->scenarios; k++) p[k] /= sum; /* checked by thing */
    mgc_status st = mgc_twostage_create(s->ctx, b->scenarios, p, &b->ts);
    mgc__free(s->ctx, p);
    return st;
}

/* --- columns and rows -------------------------------------------------------------------------------------------- */

/* Second-stage names get their scenario's number, so that an exported program names each once. */
static void stage_name(char text[256], const char *name, uint32_t stage)
{
    if (stage == MGC_FIRST_STAGE)
        snprintf(text, 256, "%s", name);
    else
        snprintf(text, 256, "%.240s.%u", name, stage - 1);
}

static mgc_status add_columns(builder *b, uint32_t stage, uint32_t from, uint32_t to)
{
    const mgc_program *p = b->s->core;
    char name[256];
    mgc_status st = MGC_OK;

    for (uint32_t j = from; j < to && st == MGC_OK; j++) {
        if (p->integer[j] && stage != MGC_FIRST_STAGE)
            return mgc__fail(b->s->ctx, MGC_E_UNSUPPORTED,
                             "robust: column %s of the second stage is integer; recourse is continuous",
                             mgc_program_column_name(p, j));
        st = mgc_twostage_add_column(b->ts, stage, b->cost[j], p->lower[j], p->upper[j], &b->number[j]);
        if (st == MGC_OK && p->integer[j]) st = mgc_twostage_set_integer(b->ts, b->number[j], 1);
        stage_name(name, mgc_program_column_name(p, j), stage);
        if (st == MGC_OK) st = mgc_twostage_set_column_name(b->ts, b->number[j], name);
    }
    return st;
}

static mgc_status add_rows(builder *b, uint32_t stage, uint32_t from, uint32_t to)
{
    const mgc_program *p = b->s->core;
    char name[256];
    uint32_t row = 0;
    mgc_status st = MGC_OK;

    for (uint32_t i = from; i < to && st == MGC_OK; i++) {
        size_t n = b->start[i + 1] - b->start[i];
        for (size_t k = 0; k < n; k++) {
            uint32_t column = b->column[b->start[i] + k];
            if (stage == MGC_FIRST_STAGE && column >= b->s->cut_column)
                return mgc__fail(b->s->ctx, MGC_E_SYNTAX,
                                 "robust: row %s of the first stage holds column %s of the second",
                                 mgc_program_row_name(p, i), mgc_program_column_name(p, column));
            b->columns[k] = b->number[column];
        }
        st = mgc_twostage_add_row(b->ts, stage, b->row_lower[i], b->row_upper[i], b->columns, b->value + b->start[i],
                                  n, &row);
        stage_name(name, mgc_program_row_name(p, i), stage);
        if (st == MGC_OK) st = mgc_twostage_set_row_name(b->ts, row, name);
    }
    return st;
}

static mgc_status add_quadratic(builder *b)
{
    const mgc__csc *q = &b->s->core->q.csc;
    mgc_status st = MGC_OK;

    if (q->start == NULL) return MGC_OK;
    for (uint32_t j = 0; j < q->cols; j++)
        for (uint32_t k = q->start[j]; k < q->start[j + 1] && st == MGC_OK; k++) {
            if (j >= b->s->cut_column || q->row[k] >= b->s->cut_column)
                return mgc__fail(b->s->ctx, MGC_E_UNSUPPORTED,
                                 "robust: column %s of the second stage has a quadratic cost",
                                 mgc_program_column_name(b->s->core, j));
            st = mgc_twostage_set_quadratic(b->ts, b->number[q->row[k]], b->number[j], q->value[k]);
        }
    return st;
}

/* The random entries of each scenario, which make its distance from others; not for more scenarios than a Wasserstein ball
 * is offered for. */
static mgc_status keep_vectors(builder *b)
{
    const mgc__smps *s = b->s;

    if (b->scenarios > MGC__WASSERSTEIN_MAX) return MGC_OK;
    double *vectors = mgc__alloc(s->ctx, (size_t)b->scenarios * s->n_elements, sizeof *vectors);
    if (vectors == NULL) return mgc__no_memory(s->ctx, "the random entries of scenarios");
    for (uint32_t k = 0; k < b->scenarios; k++) {
        double *mine = vectors + (size_t)k * s->n_elements;
        for (uint32_t e = 0; e < s->n_elements; e++) mine[e] = s->elements[e].core;
        for (uint32_t u = 0; u < s->n_things; u++) {
            const mgc__smps_realisation *r = realisation(s, u, k);
            for (uint32_t c = 0; c < r->n; c++) mine[s->changes[r->first + c].element] = s->changes[r->first + c].value;
        }
    }
    mgc_status st = mgc_twostage_set_vectors(b->ts, vectors, s->n_elements, NULL);
    mgc__free(s->ctx, vectors);
    return st;
}

static mgc_status add_stages(builder *b)
{
    const mgc__smps *s = b->s;
    mgc_status st = add_columns(b, MGC_FIRST_STAGE, 0, s->cut_column);

    if (st == MGC_OK) st = add_rows(b, MGC_FIRST_STAGE, 0, s->cut_row);
    if (st == MGC_OK) st = add_quadratic(b);
    if (st == MGC_OK) st = mgc_twostage_set_offset(b->ts, s->core->offset);
    for (uint32_t k = 0; k < b->scenarios && st == MGC_OK; k++) {
        lay_scenario(b, k);
        st = add_columns(b, MGC_SCENARIO(k), s->cut_column, s->core->n);
        if (st == MGC_OK) st = add_rows(b, MGC_SCENARIO(k), s->cut_row, s->core->m);
    }
    return st;
}

mgc_status mgc__smps_build(mgc__smps *s, mgc_twostage **out)
{
    builder b = {.s = s};
    mgc_status st = count_scenarios(&b);

    if (st == MGC_OK) st = make_builder(&b);
    if (st == MGC_OK) st = make_twostage(&b);
    if (st == MGC_OK) st = add_stages(&b);
    if (st == MGC_OK) st = keep_vectors(&b);
    free_builder(&b);
    if (st != MGC_OK) {
        mgc_twostage_destroy(b.ts);
        return st;
    }
    *out = b.ts;
    return MGC_OK;
}
