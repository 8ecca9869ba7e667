/* SPDX-License-Identifier: Apache-2.0 */
/* The stoch file: what is random, and how. */
#include <math.h>
#include <stdio.h>

#include "robust/smps_private.h"

enum { KEY_MAX = 600 };

typedef struct section {
    enum { NONE, INDEP, BLOCKS, SCENARIOS } kind;
    enum { REPLACE, ADD, MULTIPLY } mode;
    uint32_t current; /* realisation that data lines belong to; UINT32_MAX: none */
} section;

/* --- places ------------------------------------------------------------------------------------------------------ */

static mgc_status core_value(const mgc__smps *s, const mgc__smps_lines *l, uint32_t column, uint32_t row,
                             double *value)
{
    const mgc_program *p = s->core;

    if (row == UINT32_MAX) {
        *value = p->cost[column];
    } else if (column != UINT32_MAX) {
        return mgc_program_get_coefficient(p, row, column, value);
    } else {
        if (s->sort[row] == 'E' && p->row_lower[row] != p->row_upper[row])
            return mgc__smps_bad(l, MGC_E_UNSUPPORTED, "random right-hand side of the ranged E row %.60s",
                                 l->field[1]);
        *value = s->sort[row] == 'L' ? p->row_upper[row] : p->row_lower[row];
        if (!isfinite(*value))
            return mgc__smps_bad(l, MGC_E_SYNTAX, "row %.60s has no right-hand side to be random", l->field[1]);
    }
    return MGC_OK;
}

/* Names of a data line to a place; a first name that is no column of the core is that of an RHS set. */
static mgc_status find_place(const mgc__smps *s, const mgc__smps_lines *l, const char *first, const char *second,
                             uint32_t *column, uint32_t *row)
{
    *column = mgc__names_find(&s->columns, first);
    *row = strcmp(second, s->objective) == 0 ? UINT32_MAX : mgc__names_find(&s->rows, second);
    if (*row == UINT32_MAX && strcmp(second, s->objective) != 0)
        return mgc__smps_bad(l, MGC_E_NOT_FOUND, "the core has no row %.60s", second);
    if (*column == UINT32_MAX && *row == UINT32_MAX)
        return mgc__smps_bad(l, MGC_E_UNSUPPORTED, "a random constant of the objective");
    if (*row == UINT32_MAX ? *column < s->cut_column : *row < s->cut_row)
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%.60s %.60s is of the first stage, which is not random", first,
                             second);
    return MGC_OK;
}

static mgc_status find_element(mgc__smps *s, const mgc__smps_lines *l, const char *first, const char *second,
                               uint32_t thing, uint32_t *element)
{
    char key[KEY_MAX];
    uint32_t column, row;
    double value = 0;
    mgc_status st = find_place(s, l, first, second, &column, &row);

    if (st != MGC_OK) return st;
    snprintf(key, sizeof key, "%u %u", column, row);
    *element = mgc__names_find(&s->element_names, key);
    if (*element != UINT32_MAX) {
        if (s->elements[*element].thing == thing) return MGC_OK;
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%.60s %.60s is random in %.60s already", first, second,
                             s->things[s->elements[*element].thing].name);
    }
    st = core_value(s, l, column, row, &value);
    if (st != MGC_OK) return st;
    char *copy = mgc__strdup(s->ctx, key);
    if (copy == NULL ||
        !mgc__grow(s->ctx, (void **)&s->elements, &s->cap_elements, (size_t)s->n_elements + 1, sizeof *s->elements)) {
        mgc__free(s->ctx, copy);
        return mgc__no_memory(s->ctx, "random elements");
    }
    *element = s->n_elements;
    s->elements[s->n_elements++] =
        (mgc__smps_element){.column = column, .row = row, .thing = thing, .core = value, .key = copy};
    return mgc__names_add(&s->element_names, copy, *element) ? MGC_OK : mgc__no_memory(s->ctx, "random elements");
}

/* --- things, realisations, changes ------------------------------------------------------------------------------- */

static mgc_status find_thing(mgc__smps *s, const char *name, uint32_t *thing)
{
    *thing = mgc__names_find(&s->thing_names, name);
    if (*thing != UINT32_MAX) return MGC_OK;
    char *copy = mgc__strdup(s->ctx, name);
    if (copy == NULL ||
        !mgc__grow(s->ctx, (void **)&s->things, &s->cap_things, (size_t)s->n_things + 1, sizeof *s->things)) {
        mgc__free(s->ctx, copy);
        return mgc__no_memory(s->ctx, "random things");
    }
    *thing = s->n_things;
    s->things[s->n_things++] = (mgc__smps_thing){.name = copy};
    return mgc__names_add(&s->thing_names, copy, *thing) ? MGC_OK : mgc__no_memory(s->ctx, "random things");
}

static mgc_status add_change(mgc__smps *s, uint32_t element, double value)
{
    if (s->n_changes == UINT32_MAX ||
        !mgc__grow(s->ctx, (void **)&s->changes, &s->cap_changes, (size_t)s->n_changes + 1, sizeof *s->changes))
        return mgc__no_memory(s->ctx, "random values");
    s->changes[s->n_changes++] = (mgc__smps_change){.element = element, .value = value};
    s->realisations[s->n_realisations - 1].n++;
    return MGC_OK;
}

/* A new realisation of a thing, with what it takes over from another (UINT32_MAX: nothing). */
static mgc_status add_realisation(mgc__smps *s, const mgc__smps_lines *l, uint32_t thing, const char *probability,
                                  const char *name, uint32_t heir_of)
{
    double p = 0;
    mgc_status st = mgc__smps_number(l, probability, &p);
    char *copy = NULL;

    if (st != MGC_OK) return st;
    if (p < 0 || p > 1 + 1e-9) return mgc__smps_bad(l, MGC_E_PROBABILITY, "probability %g; must be 0..1", p);
    if (name != NULL && (copy = mgc__strdup(s->ctx, name)) == NULL) return mgc__no_memory(s->ctx, "scenario names");
    if (!mgc__grow(s->ctx, (void **)&s->realisations, &s->cap_realisations, (size_t)s->n_realisations + 1,
                   sizeof *s->realisations)) {
        mgc__free(s->ctx, copy);
        return mgc__no_memory(s->ctx, "realisations");
    }
    s->realisations[s->n_realisations++] =
        (mgc__smps_realisation){.thing = thing, .probability = p, .first = s->n_changes, .name = copy};
    s->things[thing].probability += p;
    s->things[thing].n++;
    for (uint32_t c = 0; heir_of != UINT32_MAX && c < s->realisations[heir_of].n && st == MGC_OK; c++) {
        mgc__smps_change change = s->changes[s->realisations[heir_of].first + c];
        st = add_change(s, change.element, change.value);
    }
    return st;
}

static uint32_t first_of(const mgc__smps *s, uint32_t thing)
{
    for (uint32_t r = 0; r < s->n_realisations; r++)
        if (s->realisations[r].thing == thing) return r;
    return UINT32_MAX;
}

static mgc_status read_value(mgc__smps *s, const mgc__smps_lines *l, const section *at, uint32_t thing,
                             const char *first, const char *second, const char *text)
{
    uint32_t element = 0;
    double value = 0;
    mgc_status st = find_element(s, l, first, second, thing, &element);

    if (st == MGC_OK) st = mgc__smps_number(l, text, &value);
    if (st != MGC_OK) return st;
    if (at->mode == ADD) value += s->elements[element].core;
    if (at->mode == MULTIPLY) value *= s->elements[element].core;
    return add_change(s, element, value);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* "column row value [period] probability" */
static mgc_status read_indep(mgc__smps *s, const mgc__smps_lines *l, const section *at)
{
    char name[KEY_MAX];
    uint32_t thing = 0;

    if (l->n != 4 && l->n != 5)
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; an entry is \"column row value [period] probability\"",
                             l->n);
    snprintf(name, sizeof name, "%.255s %.255s", l->field[0], l->field[1]);
    mgc_status st = find_thing(s, name, &thing);
    if (st == MGC_OK) st = add_realisation(s, l, thing, l->field[l->n - 1], NULL, UINT32_MAX);
    return st == MGC_OK ? read_value(s, l, at, thing, l->field[0], l->field[1], l->field[2]) : st;
}

/* "BL name period probability" */
static mgc_status read_block(mgc__smps *s, const mgc__smps_lines *l, section *at)
{
    uint32_t thing = 0;

    if (l->n != 3 && l->n != 4)
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; a block is \"BL name [period] probability\"", l->n);
    mgc_status st = find_thing(s, l->field[1], &thing);
    if (st == MGC_OK) st = add_realisation(s, l, thing, l->field[l->n - 1], NULL, first_of(s, thing));
    at->current = s->n_realisations - 1;
    return st;
}

/* "SC name parent probability [period]" */
static mgc_status read_scenario(mgc__smps *s, const mgc__smps_lines *l, section *at)
{
    uint32_t thing = 0, parent = UINT32_MAX;

    if (l->n != 4 && l->n != 5)
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; a scenario is \"SC name parent probability [period]\"",
                             l->n);
    for (uint32_t r = 0; r < s->n_realisations; r++) {
        if (s->realisations[r].name == NULL) continue;
        if (strcmp(s->realisations[r].name, l->field[1]) == 0)
            return mgc__smps_bad(l, MGC_E_SYNTAX, "scenario %.60s is named twice", l->field[1]);
        if (strcmp(s->realisations[r].name, l->field[2]) == 0) parent = r;
    }
    if (parent == UINT32_MAX && strcmp(l->field[2], "ROOT") != 0 && strcmp(l->field[2], "'ROOT'") != 0)
        return mgc__smps_bad(l, MGC_E_NOT_FOUND, "parent %.60s is no earlier scenario and not ROOT", l->field[2]);
    mgc_status st = find_thing(s, "SCENARIOS", &thing);
    if (st == MGC_OK) st = add_realisation(s, l, thing, l->field[3], l->field[1], parent);
    at->current = s->n_realisations - 1;
    return st;
}

/* "column row value [row value]" of a block or scenario */
static mgc_status read_entries(mgc__smps *s, const mgc__smps_lines *l, const section *at)
{
    if (at->current == UINT32_MAX) return mgc__smps_bad(l, MGC_E_SYNTAX, "an entry before the first BL or SC");
    if (l->n != 3 && l->n != 5)
        return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; an entry is \"column row value [row value]\"", l->n);
    uint32_t thing = s->realisations[at->current].thing;
    mgc_status st = read_value(s, l, at, thing, l->field[0], l->field[1], l->field[2]);
    if (st == MGC_OK && l->n == 5) st = read_value(s, l, at, thing, l->field[0], l->field[3], l->field[4]);
    return st;
}

static mgc_status read_header(const mgc__smps_lines *l, section *at)
{
    static const struct { const char *word; int kind; } sections[] = {
        {"STOCH", NONE}, {"NAME", NONE}, {"INDEP", INDEP}, {"BLOCKS", BLOCKS}, {"SCENARIOS", SCENARIOS}, {"SCEN", SCENARIOS}};
    size_t i = 0;

    while (i < MGC__COUNT(sections) && strcmp(l->field[0], sections[i].word) != 0) i++;
    if (i == MGC__COUNT(sections))
        return mgc__smps_bad(l, MGC_E_UNSUPPORTED, "section %.60s; read are INDEP, BLOCKS and SCENARIOS",
                             l->field[0]);
    *at = (section){.current = UINT32_MAX, .mode = REPLACE};
    at->kind = sections[i].kind == INDEP       ? INDEP
               : sections[i].kind == BLOCKS    ? BLOCKS
               : sections[i].kind == SCENARIOS ? SCENARIOS
                                               : NONE;
    for (uint32_t f = 1; f < l->n && f < SMPS_FIELDS_MAX && at->kind != NONE; f++) {
        if (strcmp(l->field[f], "ADD") == 0)
            at->mode = ADD;
        else if (strcmp(l->field[f], "MULTIPLY") == 0)
            at->mode = MULTIPLY;
        else if (strcmp(l->field[f], "DISCRETE") != 0 && strcmp(l->field[f], "REPLACE") != 0)
            return mgc__smps_bad(l, MGC_E_UNSUPPORTED, "%.60s %.60s; read are DISCRETE with REPLACE, ADD or MULTIPLY",
                                 l->field[0], l->field[f]);
    }
    return MGC_OK;
}

static mgc_status read_line(mgc__smps *s, const mgc__smps_lines *l, section *at)
{
    if (l->header) return read_header(l, at);
    if (at->kind == NONE) return mgc__smps_bad(l, MGC_E_SYNTAX, "data before INDEP, BLOCKS or SCENARIOS");
    if (at->kind == INDEP) return read_indep(s, l, at);
    if (at->kind == BLOCKS && strcmp(l->field[0], "BL") == 0) return read_block(s, l, at);
    if (at->kind == SCENARIOS && strcmp(l->field[0], "SC") == 0) return read_scenario(s, l, at);
    return read_entries(s, l, at);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

/* By thing, within one in the order of the file. */
static mgc_status sort_realisations(mgc__smps *s)
{
    mgc__smps_realisation *sorted = mgc__alloc(s->ctx, s->n_realisations, sizeof *sorted);
    uint32_t at = 0;

    if (sorted == NULL) return mgc__no_memory(s->ctx, "realisations");
    for (uint32_t u = 0; u < s->n_things; u++) {
        s->things[u].first = at;
        at += s->things[u].n;
        s->things[u].n = 0;
    }
    for (uint32_t r = 0; r < s->n_realisations; r++) {
        mgc__smps_thing *thing = &s->things[s->realisations[r].thing];
        sorted[thing->first + thing->n++] = s->realisations[r];
    }
    mgc__free(s->ctx, s->realisations);
    s->realisations = sorted;
    return MGC_OK;
}

mgc_status mgc__smps_read_stoch(mgc__smps *s, mgc__smps_lines *l)
{
    section at = {.kind = NONE, .current = UINT32_MAX};
    bool there = true;
    mgc_status st = MGC_OK;

    while (st == MGC_OK) {
        st = mgc__smps_next(l, &there);
        if (st != MGC_OK || !there || (l->header && strcmp(l->field[0], "ENDATA") == 0)) break;
        st = read_line(s, l, &at);
    }
    if (st != MGC_OK) return st;
    if (s->n_things == 0) return mgc__smps_bad(l, MGC_E_SYNTAX, "nothing is random");
    for (uint32_t u = 0; u < s->n_things; u++)
        if (!(fabs(s->things[u].probability - 1) <= 1e-3)) /* six digits of many thirds do not sum to 1 */
            return mgc__smps_bad(l, MGC_E_PROBABILITY, "probabilities of %.60s sum to %.9g; must be 1",
                                 s->things[u].name, s->things[u].probability);
    return sort_realisations(s);
}
