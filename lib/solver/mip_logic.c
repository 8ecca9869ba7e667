/* SPDX-License-Identifier: Apache-2.0 */
/* What rows say about on/off columns alone: bounds of continuous columns that few of them determine, and rows that
 * forbid assignments.  Method: doc/math/mixed-integer.md, section "Schedules". */
#include "solver/mip_schedule.h"

enum {
    ENTRIES_MAX = 64,     /* longer rows are not looked at */
    ENUMERATE_MAX = 6     /* integers of a row that is asked about all assignments at once */
};
#define MET 1e-6 /* a row that is violated by less, relative to its size, is met */

static bool is_fixed(const mgc__mip *mip, uint32_t j)
{
    return mip->box_lower[j] == mip->box_upper[j];
}

static bool is_binary(const mgc__mip *mip, uint32_t j)
{
    return mip->integer[j] && mip->box_lower[j] == 0.0 && mip->box_upper[j] == 1.0;
}

/* Put k into an ascending list without repetition; false where it is full. */
static bool insert(uint32_t *list, uint32_t *n, uint32_t most, uint32_t k)
{
    uint32_t at = *n;

    while (at > 0 && list[at - 1] > k) at--;
    if (at > 0 && list[at - 1] == k) return true;
    if (*n == most) return false;
    memmove(list + at + 1, list + at, (*n - at) * sizeof *list);
    list[at] = k;
    ++*n;
    return true;
}

static uint32_t place_in(const uint32_t *list, uint32_t n, uint32_t k)
{
    uint32_t at = 0;

    while (at < n && list[at] != k) at++;
    return at;
}

/* --- terms --------------------------------------------------------------------------------------- */

/* Integers of a row that are still free go into the list, which is left as it is where they do not fit. */
static bool add_integers(const mgc__schedules *s, uint32_t row, uint32_t list[TERM_INTS], uint32_t *n)
{
    const mgc__mip *mip = s->mip;
    uint32_t wider[TERM_INTS], count = *n;

    memcpy(wider, list, sizeof wider);
    for (uint32_t e = mip->row_start[row]; e < mip->row_start[row + 1]; e++) {
        uint32_t j = mip->row_col[e];
        if (!mip->integer[j] || is_fixed(mip, j) || mip->row_val[e] == 0.0) continue;
        if (!is_binary(mip, j) || !insert(wider, &count, TERM_INTS, s->index_of[j])) return false;
    }
    if (count > 0 && wider[count - 1] - wider[0] >= ROW_INTS) return false;
    memcpy(list, wider, sizeof wider);
    *n = count;
    return true;
}

/* What a row leaves to a term where others contribute `rest` at least and `most` at most. */
static void narrow(const mgc__mip *mip, uint32_t row, double own, double rest, double most, double *low, double *high)
{
    double upper = (mip->row_upper[row] - rest) / own, lower = (mip->row_lower[row] - most) / own;

    if (isfinite(upper)) own > 0.0 ? (*high = fmin(*high, upper)) : (*low = fmax(*low, upper));
    if (isfinite(lower)) own > 0.0 ? (*low = fmax(*low, lower)) : (*high = fmin(*high, lower));
}

/* One row's say about a term, for every assignment of the group's integers.  Other continuous columns of the row
 * stand at whichever end of their range leaves the most. */
static void take_row(const mgc__schedules *s, struct mgc__term *t, uint32_t row)
{
    const mgc__mip *mip = s->mip;
    const struct mgc__group *g = &s->group[t->group];

    for (uint32_t bits = 0; bits < 1u << g->ints; bits++) {
        double rest = 0.0, most = 0.0, own = 0.0;
        for (uint32_t e = mip->row_start[row]; e < mip->row_start[row + 1]; e++) {
            uint32_t j = mip->row_col[e];
            double v = mip->row_val[e], low = mip->box_lower[j], high = mip->box_upper[j];
            if (j == t->column) {
                own = v;
                continue;
            }
            if (v == 0.0) continue;
            if (mip->integer[j] && low < high)
                low = high = (double)(bits >> place_in(g->k, g->ints, s->index_of[j]) & 1u);
            rest += v > 0.0 ? v * low : v * high;
            most += v > 0.0 ? v * high : v * low;
        }
        narrow(mip, row, own, rest, most, &t->low[bits], &t->high[bits]);
    }
}

static mgc_status group_of(mgc__schedules *s, const uint32_t k[TERM_INTS], uint32_t n, uint32_t *out)
{
    void *list = s->group;
    uint32_t *first = &s->last_group[k[n - 1]];

    for (uint32_t g = *first; g != UINT32_MAX; g = s->group[g].next)
        if (s->group[g].ints == n && memcmp(s->group[g].k, k, n * sizeof *k) == 0) {
            *out = g;
            return MGC_OK;
        }
    bool ok = mgc__grow(s->ctx, &list, &s->group_cap, s->n_groups + 1, sizeof *s->group);
    s->group = list;
    if (!ok) return mgc__no_memory(s->ctx, "groups of columns that follow integers");
    s->group[s->n_groups] = (struct mgc__group){.ints = n, .next = *first};
    memcpy(s->group[s->n_groups].k, k, n * sizeof *k);
    *first = *out = (uint32_t)s->n_groups++;
    return MGC_OK;
}

static mgc_status add_tie(mgc__schedules *s, uint32_t row)
{
    void *list = s->tie;
    bool ok = mgc__grow(s->ctx, &list, &s->tie_cap, s->n_ties + 1, sizeof *s->tie);

    s->tie = list;
    if (!ok) return mgc__no_memory(s->ctx, "rows that tie columns to integers");
    s->tie[s->n_ties++] = row;
    s->kept[row] = 1;
    return MGC_OK;
}

/* A follower with as many of its ties as have few integers together. */
static mgc_status make_term(mgc__schedules *s, const mgc__followers *f, uint32_t follower)
{
    uint32_t k[TERM_INTS] = {0}, n = 0, j = f->column[follower];
    void *list = s->term;
    struct mgc__term t = {.column = j, .first_tie = (uint32_t)s->n_ties};
    mgc_status st = MGC_OK;

    for (uint32_t e = f->start[follower]; st == MGC_OK && e < f->start[follower + 1]; e++)
        if (add_integers(s, mgc__followers_row(f, e), k, &n)) st = add_tie(s, mgc__followers_row(f, e));
    t.ties = (uint32_t)s->n_ties - t.first_tie;
    if (st == MGC_OK && n == 0)
        while (s->n_ties > t.first_tie) s->kept[s->tie[--s->n_ties]] = 0;
    if (st != MGC_OK || n == 0) return st;
    st = group_of(s, k, n, &t.group);
    if (st != MGC_OK) return st;
    for (uint32_t bits = 0; bits < TERM_TABLE; bits++) {
        t.low[bits] = s->mip->box_lower[j];
        t.high[bits] = s->mip->box_upper[j];
    }
    for (uint32_t e = 0; e < t.ties; e++) take_row(s, &t, s->tie[t.first_tie + e]);
    bool ok = mgc__grow(s->ctx, &list, &s->term_cap, s->n_terms + 1, sizeof *s->term);
    s->term = list;
    if (!ok) return mgc__no_memory(s->ctx, "columns that follow integers");
    s->term_of[j] = (uint32_t)s->n_terms;
    s->term[s->n_terms++] = t;
    return MGC_OK;
}

/* --- rows ---------------------------------------------------------------------------------------- */

void mgc__logic_free(mgc_ctx *ctx, struct mgc__logic *row)
{
    mgc__free(ctx, row->k);
    mgc__free(ctx, row->value);
    mgc__free(ctx, row->term);
    mgc__free(ctx, row->factor);
    mgc__free(ctx, row->bit);
    *row = (struct mgc__logic){0};
}

/* Whether a row is one over binaries and terms; its integers then, those of the terms included. */
static bool integers_of(const mgc__schedules *s, uint32_t row, uint32_t k[ROW_INTS], uint32_t *n, uint32_t *terms)
{
    const mgc__mip *mip = s->mip;
    uint32_t begin = mip->row_start[row], end = mip->row_start[row + 1];

    *n = *terms = 0;
    if (end - begin > ENTRIES_MAX || end == begin) return false;
    for (uint32_t e = begin; e < end; e++) {
        uint32_t j = mip->row_col[e];
        if (mip->integer[j]) {
            if (is_fixed(mip, j)) continue;
            if (!is_binary(mip, j) || !insert(k, n, ROW_INTS, s->index_of[j])) return false;
        } else {
            if (s->term_of[j] == UINT32_MAX) return false;
            const struct mgc__group *g = &s->group[s->term[s->term_of[j]].group];
            for (uint32_t i = 0; i < g->ints; i++)
                if (!insert(k, n, ROW_INTS, g->k[i])) return false;
            ++*terms;
        }
    }
    return *n > 0 && k[*n - 1] - k[0] < ROW_INTS;
}

/* Rows of several terms say something about each one, the others at their best; where all integers are the term's. */
static void take_shared_rows(mgc__schedules *s, uint32_t row)
{
    const mgc__mip *mip = s->mip;
    uint32_t k[ROW_INTS], n, terms, own[TERM_INTS], n_own = 0;

    if (!integers_of(s, row, k, &n, &terms) || terms < 2) return;
    if (!add_integers(s, row, own, &n_own)) return;
    for (uint32_t e = mip->row_start[row]; e < mip->row_start[row + 1]; e++) {
        uint32_t at = s->term_of[mip->row_col[e]];
        if (mip->integer[mip->row_col[e]] || at == UINT32_MAX || mip->row_val[e] == 0.0) continue;
        const struct mgc__group *g = &s->group[s->term[at].group];
        bool all = true;
        for (uint32_t i = 0; i < n_own; i++) all &= place_in(g->k, g->ints, own[i]) < g->ints;
        if (all) take_row(s, &s->term[at], row);
    }
}

static bool logic_alloc(mgc_ctx *ctx, struct mgc__logic *l)
{
    l->k = mgc__alloc(ctx, l->ints, sizeof *l->k);
    l->value = mgc__alloc(ctx, l->ints, sizeof *l->value);
    l->term = mgc__alloc(ctx, l->terms, sizeof *l->term);
    l->factor = mgc__alloc(ctx, l->terms, sizeof *l->factor);
    l->bit = mgc__alloc(ctx, l->terms, sizeof *l->bit);
    return l->k != NULL && l->value != NULL && l->term != NULL && l->factor != NULL && l->bit != NULL;
}

static void fill_logic(const mgc__schedules *s, struct mgc__logic *l)
{
    const mgc__mip *mip = s->mip;
    uint32_t t = 0;

    l->exact = true;
    for (uint32_t e = mip->row_start[l->row]; e < mip->row_start[l->row + 1]; e++) {
        uint32_t j = mip->row_col[e];
        double v = mip->row_val[e];
        if (mip->integer[j] && is_fixed(mip, j)) {
            l->fixed += v * mip->box_lower[j];
        } else if (mip->integer[j]) {
            l->value[place_in(l->k, l->ints, s->index_of[j])] += v;
        } else {
            const struct mgc__term *term = &s->term[s->term_of[j]];
            const struct mgc__group *g = &s->group[term->group];
            l->term[t] = s->term_of[j];
            l->factor[t] = v;
            for (uint32_t i = 0; i < g->ints; i++) l->bit[t][i] = (uint8_t)place_in(l->k, l->ints, g->k[i]);
            for (uint32_t bits = 0; bits < 1u << g->ints; bits++) l->exact &= term->low[bits] >= term->high[bits];
            t++;
        }
    }
}

bool mgc__logic_allows(const mgc__schedules *s, const struct mgc__logic *l, uint64_t bits)
{
    double least = l->fixed, most = l->fixed, size = fabs(l->fixed), lower = s->mip->row_lower[l->row],
           upper = s->mip->row_upper[l->row];

    for (uint32_t i = 0; i < l->ints; i++) {
        double v = bits >> i & 1u ? l->value[i] : 0.0;
        least += v;
        most += v;
        size += fabs(v);
    }
    for (uint32_t i = 0; i < l->terms; i++) {
        const struct mgc__term *t = &s->term[l->term[i]];
        uint32_t at = 0, n = s->group[t->group].ints;
        for (uint32_t b = 0; b < n; b++) at |= (uint32_t)(bits >> l->bit[i][b] & 1u) << b;
        double low = l->factor[i] * t->low[at], high = l->factor[i] * t->high[at];
        least += fmin(low, high);
        most += fmax(low, high);
        size += isfinite(low + high) ? fabs(low) + fabs(high) : 0.0;
    }
    double margin = MET * (1.0 + size);
    return !(least > upper + margin) && !(most < lower - margin);
}

/* Whether any assignment might break the row; rows of many integers are not asked. */
static bool may_forbid(const mgc__schedules *s, const struct mgc__logic *l)
{
    if (l->ints > ENUMERATE_MAX) return true;
    for (uint64_t bits = 0; bits < UINT64_C(1) << l->ints; bits++)
        if (!mgc__logic_allows(s, l, bits)) return true;
    return false;
}

static mgc_status make_logic(mgc__schedules *s, uint32_t row)
{
    uint32_t k[ROW_INTS];
    void *list = s->logic;
    struct mgc__logic l = {.row = row};

    if (!integers_of(s, row, k, &l.ints, &l.terms)) return MGC_OK;
    bool ok = mgc__grow(s->ctx, &list, &s->logic_cap, s->n_logic + 1, sizeof *s->logic);
    s->logic = list;
    if (!ok || !logic_alloc(s->ctx, &l)) {
        mgc__logic_free(s->ctx, &l);
        return mgc__no_memory(s->ctx, "rows of integers");
    }
    memcpy(l.k, k, l.ints * sizeof *k);
    fill_logic(s, &l);
    l.implied = !may_forbid(s, &l);
    if (!l.implied || l.exact) s->logic[s->n_logic++] = l;
    else mgc__logic_free(s->ctx, &l);
    return MGC_OK;
}

mgc_status mgc__logic_find(mgc__schedules *s)
{
    const mgc__mip *mip = s->mip;
    mgc__followers f = {0};
    mgc_status st = mgc__followers_init(&f, mip);

    for (uint32_t i = 0; st == MGC_OK && i < f.n; i++) st = make_term(s, &f, i);
    mgc__followers_free(s->ctx, &f);
    for (uint32_t i = 0; st == MGC_OK && i < mip->m; i++) take_shared_rows(s, i);
    for (uint32_t i = 0; st == MGC_OK && i < mip->m; i++)
        if (!s->kept[i]) st = make_logic(s, i);
    return st;
}
