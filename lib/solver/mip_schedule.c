/* SPDX-License-Identifier: Apache-2.0 */
/* Layered graphs of schedules.  Deciding integers one after the other, all that later rows ask of the past is the
 * last few decisions: assignments that agree there share a node.  With minimum up and down times these are about as
 * many as the two times together.  Method: doc/math/mixed-integer.md, section "Schedules". */
#include "solver/mip_schedule.h"

enum {
    NODES_MAX = 200,   /* of a layer: minimum times of 100 periods together; what has more is a knapsack */
    WIDEST = ROW_INTS, /* integers from the first to the last of a row */
    NARROWEST = 3
};

/* --- set-up -------------------------------------------------------------------------------------- */

static void chain_free(mgc_ctx *ctx, struct mgc__chain *c)
{
    mgc__free(ctx, c->k);
    mgc__free(ctx, c->nodes);
    mgc__free(ctx, c->arc_start);
    mgc__free(ctx, c->arc);
    mgc__free(ctx, c->group_start);
    mgc__free(ctx, c->group);
    mgc__free(ctx, c->index_start);
    mgc__free(ctx, c->index);
    *c = (struct mgc__chain){0};
}

void mgc__schedules_destroy(mgc__schedules *s)
{
    if (s == NULL) return;
    for (size_t i = 0; i < s->n_logic; i++) mgc__logic_free(s->ctx, &s->logic[i]);
    for (size_t i = 0; i < s->n_chains; i++) chain_free(s->ctx, &s->chain[i]);
    mgc__free(s->ctx, s->logic);
    mgc__free(s->ctx, s->chain);
    mgc__free(s->ctx, s->chain_of);
    mgc__free(s->ctx, s->index_of);
    mgc__free(s->ctx, s->term_of);
    mgc__free(s->ctx, s->term);
    mgc__free(s->ctx, s->tie);
    mgc__free(s->ctx, s->group);
    mgc__free(s->ctx, s->last_group);
    mgc__free(s->ctx, s->kept);
    mgc__free(s->ctx, s);
}

static mgc_status schedules_alloc(mgc__mip *mip, mgc__schedules **out)
{
    mgc_ctx *ctx = mip->ctx;
    mgc__schedules *s = mgc__alloc(ctx, 1, sizeof *s);

    *out = s;
    if (s == NULL) return mgc__no_memory(ctx, "schedules");
    *s = (mgc__schedules){.ctx = ctx, .mip = mip};
    s->index_of = mgc__alloc(ctx, mip->n, sizeof *s->index_of);
    s->term_of = mgc__alloc(ctx, mip->n, sizeof *s->term_of);
    s->last_group = mgc__alloc(ctx, mip->n_int, sizeof *s->last_group);
    s->kept = mgc__alloc(ctx, mip->m, sizeof *s->kept);
    s->chain_of = mgc__alloc(ctx, mip->n_int, sizeof *s->chain_of);
    if (s->index_of == NULL || s->term_of == NULL || s->last_group == NULL || s->kept == NULL || s->chain_of == NULL)
        return mgc__no_memory(ctx, "schedules");
    for (uint32_t j = 0; j < mip->n; j++) s->index_of[j] = s->term_of[j] = UINT32_MAX;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        s->index_of[mip->ints[k]] = k;
        s->last_group[k] = UINT32_MAX;
        s->chain_of[k] = NOWHERE;
    }
    return MGC_OK;
}

/* --- which integers belong together -------------------------------------------------------------- */

/* Work space of building: what every integer and every chain needs. */
struct build {
    mgc__schedules *s;
    uint32_t *parent;   /* n_int: a forest of integers that rows join */
    uint32_t *next;     /* n_int: the next one of the same tree, from the root on, ascending; UINT32_MAX: none */
    uint32_t *last;     /* n_int: of each tree, at its root */
    uint8_t *asked;     /* n_logic: rows that chains of the present width obey */
    uint32_t *place;    /* n_int: position in the chain */
    uint32_t *need;     /* n_int: recent decisions that later positions look at */
    uint64_t *before, *after; /* NODES_MAX: nodes of two layers, as their recent decisions */
    uint32_t *row_first, *row_next; /* n_int, n_logic: rows that end at an integer */
};

static uint32_t root_of(uint32_t *parent, uint32_t k)
{
    while (parent[k] != k) k = parent[k] = parent[parent[k]];
    return k;
}

static void join(struct build *b, const uint32_t *k, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t one = root_of(b->parent, k[0]), other = root_of(b->parent, k[i]);
        b->parent[one > other ? one : other] = one > other ? other : one;
    }
}

/* Join what groups and rows of at most `width` join, among the integers that are in no chain yet. */
static void join_all(struct build *b, uint32_t width)
{
    mgc__schedules *s = b->s;

    for (uint32_t k = 0; k < s->mip->n_int; k++) b->parent[k] = k;
    for (size_t g = 0; g < s->n_groups; g++) join(b, s->group[g].k, s->group[g].ints);
    for (size_t i = 0; i < s->n_logic; i++) {
        const struct mgc__logic *l = &s->logic[i];
        bool free = !l->implied;
        for (uint32_t e = 0; e < l->ints; e++) free &= s->chain_of[l->k[e]] == NOWHERE;
        b->asked[i] = free && l->k[l->ints - 1] - l->k[0] < width;
        if (b->asked[i]) join(b, l->k, l->ints);
    }
    for (uint32_t k = 0; k < s->mip->n_int; k++) { /* a root is the smallest of its tree */
        uint32_t root = root_of(b->parent, k);
        if (root != k) b->next[b->last[root]] = k;
        b->last[root] = k;
        b->next[k] = UINT32_MAX;
    }
}

/* --- one graph ----------------------------------------------------------------------------------- */

/* The integers of a chain, their groups, and how far back each position has to remember. */
static mgc_status begin_chain(struct build *b, uint32_t root, struct mgc__chain *c)
{
    mgc__schedules *s = b->s;
    mgc_ctx *ctx = s->ctx;
    uint32_t groups = 0;

    for (uint32_t k = root; k != UINT32_MAX; k = b->next[k]) c->n++;
    c->k = mgc__alloc(ctx, c->n, sizeof *c->k);
    c->nodes = mgc__alloc(ctx, (size_t)c->n + 1, sizeof *c->nodes);
    c->arc_start = mgc__alloc(ctx, (size_t)c->n + 1, sizeof *c->arc_start);
    c->group_start = mgc__alloc(ctx, (size_t)c->n + 1, sizeof *c->group_start);
    c->index_start = mgc__alloc(ctx, c->n, sizeof *c->index_start);
    if (c->k == NULL || c->nodes == NULL || c->arc_start == NULL || c->group_start == NULL || c->index_start == NULL)
        return mgc__no_memory(ctx, "a chain of integers");
    for (uint32_t k = root, p = 0; k != UINT32_MAX; k = b->next[k]) {
        b->place[k] = p;
        c->k[p++] = k;
        for (uint32_t g = s->last_group[k]; g != UINT32_MAX; g = s->group[g].next) groups++;
    }
    c->group = mgc__alloc(ctx, groups, sizeof *c->group);
    if (c->group == NULL) return mgc__no_memory(ctx, "a chain of integers");
    groups = 0;
    for (uint32_t p = 0; p < c->n; p++) {
        for (uint32_t g = s->last_group[c->k[p]]; g != UINT32_MAX; g = s->group[g].next) c->group[groups++] = g;
        c->group_start[p + 1] = groups;
    }
    return MGC_OK;
}

/* need[p]: decisions up to p, the latest first, that rows or groups behind p look at. */
static void remember(struct build *b, const struct mgc__chain *c)
{
    mgc__schedules *s = b->s;

    for (uint32_t p = 0; p < c->n; p++) b->need[p] = 0;
    for (uint32_t p = 0; p < c->n; p++) {
        uint32_t first = p;
        for (uint32_t g = c->group_start[p]; g < c->group_start[p + 1]; g++) {
            uint32_t begin = b->place[s->group[c->group[g]].k[0]];
            first = begin < first ? begin : first;
        }
        for (uint32_t i = b->row_first[c->k[p]]; i != UINT32_MAX; i = b->row_next[i]) {
            uint32_t begin = b->place[s->logic[i].k[0]];
            first = begin < first ? begin : first;
        }
        for (uint32_t at = first; at < p; at++)
            if (b->need[at] < at - first + 1) b->need[at] = at - first + 1;
    }
}

/* The bits of some integers, out of recent decisions, the latest (at p) being bit 0. */
static uint64_t pick_bits(const struct build *b, uint64_t recent, uint32_t p, const uint32_t *k, uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++) bits |= (recent >> (p - b->place[k[i]]) & 1u) << i;
    return bits;
}

static bool allowed(const struct build *b, const struct mgc__chain *c, uint32_t p, uint64_t recent)
{
    const mgc__schedules *s = b->s;

    for (uint32_t i = b->row_first[c->k[p]]; i != UINT32_MAX; i = b->row_next[i]) {
        const struct mgc__logic *l = &s->logic[i];
        if (!mgc__logic_allows(s, l, pick_bits(b, recent, p, l->k, l->ints))) return false;
    }
    return true;
}

/* An arc, with the places of its decisions in the tables of the groups that end at p. */
static mgc_status add_arc(struct build *b, struct mgc__chain *c, uint32_t p, struct mgc__arc arc, uint64_t recent)
{
    const mgc__schedules *s = b->s;
    uint32_t groups = c->group_start[p + 1] - c->group_start[p];
    void *arcs = c->arc, *index = c->index;
    bool ok = mgc__grow(s->ctx, &arcs, &c->arc_cap, (size_t)c->arc_start[p + 1] + 1, sizeof *c->arc) &&
              mgc__grow(s->ctx, &index, &c->index_cap, c->n_index + groups, sizeof *c->index);

    c->arc = arcs;
    c->index = index;
    if (!ok) return mgc__no_memory(s->ctx, "a chain of integers");
    c->arc[c->arc_start[p + 1]++] = arc;
    for (uint32_t g = c->group_start[p]; g < c->group_start[p + 1]; g++) {
        const struct mgc__group *one = &s->group[c->group[g]];
        c->index[c->n_index++] = (uint8_t)pick_bits(b, recent, p, one->k, one->ints);
    }
    return MGC_OK;
}

/* Layer p + 1 from layer p.  *fits: it has not become too large. */
static mgc_status extend(struct build *b, struct mgc__chain *c, uint32_t p, bool *fits)
{
    uint64_t mask = (UINT64_C(1) << b->need[p]) - 1u, *swap = b->before;
    uint32_t n = 0;
    mgc_status st = MGC_OK;

    c->arc_start[p + 1] = c->arc_start[p];
    c->index_start[p] = c->n_index;
    for (uint32_t from = 0; from < c->nodes[p]; from++)
        for (uint8_t bit = 0; st == MGC_OK && bit < 2; bit++) {
            uint64_t recent = b->before[from] << 1 | bit;
            uint32_t to = 0;
            if (!allowed(b, c, p, recent)) continue;
            while (to < n && b->after[to] != (recent & mask)) to++;
            *fits = to < NODES_MAX;
            if (!*fits) return MGC_OK;
            if (to == n) b->after[n++] = recent & mask;
            st = add_arc(b, c, p, (struct mgc__arc){.from = (uint16_t)from, .to = (uint16_t)to, .bit = bit}, recent);
        }
    c->nodes[p + 1] = n;
    b->before = b->after;
    b->after = swap;
    return st;
}

/* All that hangs together with integer `root`; kept where it is small enough to be one. */
static mgc_status make_chain(struct build *b, uint32_t root)
{
    mgc__schedules *s = b->s;
    struct mgc__chain c = {0};
    void *list = s->chain;
    bool fits = true;
    mgc_status st = begin_chain(b, root, &c);

    if (st == MGC_OK) {
        remember(b, &c);
        c.nodes[0] = 1;
        b->before[0] = 0;
    }
    for (uint32_t p = 0; st == MGC_OK && fits && p < c.n; p++) {
        fits = b->need[p] < ROW_INTS;
        if (fits) st = extend(b, &c, p, &fits);
    }
    if (st == MGC_OK && fits && !mgc__grow(s->ctx, &list, &s->chain_cap, s->n_chains + 1, sizeof *s->chain))
        st = mgc__no_memory(s->ctx, "chains of integers");
    s->chain = list;
    if (st != MGC_OK || !fits) {
        chain_free(s->ctx, &c);
        return st;
    }
    size_t nodes = 0;
    for (uint32_t p = 0; p <= c.n; p++) nodes += c.nodes[p];
    if (nodes > s->most_nodes) s->most_nodes = nodes;
    if (c.arc_start[c.n] > s->most_arcs) s->most_arcs = c.arc_start[c.n];
    for (uint32_t p = 0; p < c.n; p++) s->chain_of[c.k[p]] = (int32_t)s->n_chains;
    s->chain[s->n_chains++] = c;
    return MGC_OK;
}

/* --- all ----------------------------------------------------------------------------------------- */

/* Lists of the rows that end at each integer. */
static void list_rows(struct build *b)
{
    const mgc__schedules *s = b->s;

    for (uint32_t k = 0; k < s->mip->n_int; k++) b->row_first[k] = UINT32_MAX;
    for (size_t i = 0; i < s->n_logic; i++) {
        if (!b->asked[i]) continue;
        uint32_t last = s->logic[i].k[s->logic[i].ints - 1];
        b->row_next[i] = b->row_first[last];
        b->row_first[last] = (uint32_t)i;
    }
}

/* Chains of rows up to `width`.  An integer without group or row stays alone: its reduced cost says as much. */
static mgc_status make_chains(struct build *b, uint32_t width)
{
    mgc__schedules *s = b->s;
    mgc_status st = MGC_OK;

    join_all(b, width);
    list_rows(b);
    for (uint32_t k = 0; st == MGC_OK && k < s->mip->n_int; k++) {
        bool alone = s->last_group[k] == UINT32_MAX && b->row_first[k] == UINT32_MAX && b->next[k] == UINT32_MAX;
        if (s->chain_of[k] == NOWHERE && b->parent[k] == k && !alone) st = make_chain(b, k);
    }
    for (size_t i = 0; st == MGC_OK && i < s->n_logic; i++)
        if (b->asked[i] && s->logic[i].exact && s->chain_of[s->logic[i].k[0]] != NOWHERE)
            s->kept[s->logic[i].row] = 1;
    return st;
}

/* Rows that the terms of chains obey by themselves. */
static void keep_implied(mgc__schedules *s)
{
    for (size_t i = 0; i < s->n_logic; i++) {
        const struct mgc__logic *l = &s->logic[i];
        bool all = l->implied;
        for (uint32_t e = 0; all && e < l->ints; e++) all = s->chain_of[l->k[e]] != NOWHERE;
        if (all) s->kept[l->row] = 1;
    }
}

static mgc_status build_alloc(struct build *b, mgc__schedules *s)
{
    mgc_ctx *ctx = s->ctx;
    uint32_t n = s->mip->n_int;

    *b = (struct build){.s = s};
    b->parent = mgc__alloc(ctx, n, sizeof *b->parent);
    b->next = mgc__alloc(ctx, n, sizeof *b->next);
    b->last = mgc__alloc(ctx, n, sizeof *b->last);
    b->asked = mgc__alloc(ctx, s->n_logic, sizeof *b->asked);
    b->place = mgc__alloc(ctx, n, sizeof *b->place);
    b->need = mgc__alloc(ctx, n, sizeof *b->need);
    b->before = mgc__alloc(ctx, NODES_MAX, sizeof *b->before);
    b->after = mgc__alloc(ctx, NODES_MAX, sizeof *b->after);
    b->row_first = mgc__alloc(ctx, n, sizeof *b->row_first);
    b->row_next = mgc__alloc(ctx, s->n_logic, sizeof *b->row_next);
    bool ok = b->parent != NULL && b->next != NULL && b->last != NULL && b->asked != NULL && b->place != NULL &&
              b->need != NULL && b->before != NULL &&
              b->after != NULL && b->row_first != NULL && b->row_next != NULL;
    return ok ? MGC_OK : mgc__no_memory(ctx, "schedules");
}

static void build_free(struct build *b)
{
    mgc_ctx *ctx = b->s->ctx;

    mgc__free(ctx, b->parent);
    mgc__free(ctx, b->next);
    mgc__free(ctx, b->last);
    mgc__free(ctx, b->asked);
    mgc__free(ctx, b->place);
    mgc__free(ctx, b->need);
    mgc__free(ctx, b->before);
    mgc__free(ctx, b->after);
    mgc__free(ctx, b->row_first);
    mgc__free(ctx, b->row_next);
}

/* Ties of integers that ended up in no chain are rows like any other. */
static void release_ties(mgc__schedules *s)
{
    for (size_t t = 0; t < s->n_terms; t++) {
        struct mgc__term *one = &s->term[t];
        if (s->chain_of[s->group[one->group].k[0]] != NOWHERE) continue;
        for (uint32_t e = 0; e < one->ties; e++) s->kept[s->tie[one->first_tie + e]] = 0;
        s->term_of[one->column] = UINT32_MAX;
    }
}

mgc_status mgc__schedules_create(mgc__mip *mip, mgc__schedules **out)
{
    struct build b = {0};
    mgc_status st = schedules_alloc(mip, out);

    if (st == MGC_OK) st = mgc__logic_find(*out);
    if (st != MGC_OK) return st;
    st = build_alloc(&b, *out);
    for (uint32_t width = WIDEST; st == MGC_OK && width >= NARROWEST; width /= 2) st = make_chains(&b, width);
    build_free(&b);
    if (st != MGC_OK) return st;
    release_ties(*out);
    keep_implied(*out);
    return st;
}
