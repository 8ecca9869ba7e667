/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of one kind of component: its order of elimination, the pattern of its factor, and which column updates
 * which. Made once, whatever the number of members. */
#include "la/arrow.h"

/* The graph of a group's first member with its border: vertices 0..size-1 by rank, then the links. */
static mgc_status local_graph(mgc_ctx *ctx, const arrow_graph *g, const arrow_parts *p, uint32_t c,
                              const uint32_t *border_rank,
                              mgc__csc *out)
{
    uint32_t size = p->start[c + 1] - p->start[c], border = p->border_start[c + 1] - p->border_start[c], at = 0;
    size_t edges = 0;
    mgc__csc lower;
    mgc_status st;

    for (uint32_t i = p->start[c]; i < p->start[c + 1]; i++) edges += g->start[p->vertex[i] + 1] - g->start[p->vertex[i]];
    st = mgc__csc_alloc(ctx, size + border, size + border, edges + size + border, &lower);
    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t v = p->vertex[p->start[c] + i];

        lower.row[at++] = i;
        for (uint32_t pass = 0; pass < 2; pass++) { /* local first: rows ascend */
            for (uint32_t e = g->start[v]; e < g->start[v + 1]; e++) {
                uint32_t u = g->neighbour[e];
                bool local = p->component_of[u] != UINT32_MAX;

                if (pass == 0 && local && p->rank[u] > i) lower.row[at++] = p->rank[u];
                if (pass == 1 && !local) lower.row[at++] = size + border_rank[p->rank[u]];
            }
        }
        lower.start[i + 1] = at;
    }
    for (uint32_t b = 0; b < border; b++) {
        lower.row[at++] = size + b;
        lower.start[size + b + 1] = at;
    }
    st = mgc__csc_transpose(ctx, &lower, out, NULL);
    mgc__csc_free(ctx, &lower);
    return st;
}

/* Scratch of planning: order and its inverse, tree, counts, marks; all of local + border length. */
typedef struct plan {
    mgc_ctx *ctx;
    mgc__csc graph, permuted;
    uint32_t size, total;
    uint32_t *best, *trial, *inverse, *parent, *count, *mark, *place;
    double operations;
} plan;

static double count_operations(uint32_t size, const uint32_t *count)
{
    double operations = 0.0;

    for (uint32_t j = 0; j < size; j++) operations += 0.5 * (double)count[j] * ((double)count[j] + 3.0);
    return operations;
}

static mgc_status analyse_order(plan *p, const uint32_t *order)
{
    mgc_status st;

    for (uint32_t i = 0; i < p->total; i++) p->inverse[order[i]] = i;
    mgc__csc_free(p->ctx, &p->permuted);
    st = mgc__permute_upper(p->ctx, &p->graph, p->inverse, &p->permuted, p->place);
    if (st != MGC_OK) return st;
    mgc__etree(&p->permuted, p->parent, p->mark);
    mgc__column_counts(&p->permuted, p->parent, p->count, p->mark);
    return MGC_OK;
}

static mgc_status try_order(plan *p)
{
    mgc_status st = analyse_order(p, p->trial);
    double operations = st == MGC_OK ? count_operations(p->size, p->count) : 0.0;

    if (st != MGC_OK || operations >= p->operations) return st;
    p->operations = operations;
    memcpy(p->best, p->trial, p->total * sizeof *p->best);
    return MGC_OK;
}

/* Dissection puts dense vertices last as well, among the links: the links alone must be last. */
static void put_links_last(plan *p)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < p->total; i++)
        if (p->trial[i] < p->size) p->trial[at++] = p->trial[i];
    for (uint32_t j = p->size; j < p->total; j++) p->trial[j] = j;
}

/* Minimum degree that knows of the links, and dissection with the links last: what costs less.  Then postordered. */
static mgc_status choose_order(plan *p)
{
    uint32_t *last = p->mark, size = p->size;
    mgc_status st;

    p->operations = 1e300;
    for (uint32_t i = 0; i < p->total; i++) last[i] = i >= size;
    st = mgc__order_constrained(p->ctx, &p->graph, last, p->trial);
    if (st == MGC_OK) st = try_order(p);
    if (st == MGC_OK && p->operations > 1e5) {
        st = mgc__order_dissect(p->ctx, &p->graph, 8.0, size, p->trial);
        if (st == MGC_OK) put_links_last(p);
        if (st == MGC_OK) st = try_order(p);
    }
    if (st == MGC_OK) st = analyse_order(p, p->best);
    if (st != MGC_OK) return st;
    for (uint32_t j = 0; j < p->total; j++) /* the links keep their places: a forest of the others alone */
        if (j >= size || p->parent[j] >= size) p->parent[j] = p->total;
    st = mgc__postorder(p->ctx, p->total, p->parent, p->trial);
    if (st != MGC_OK) return st;
    for (uint32_t j = 0, at = 0; j < p->total; j++)
        if (p->trial[j] < size) p->inverse[at++] = p->best[p->trial[j]];
    for (uint32_t j = size; j < p->total; j++) p->inverse[j] = j;
    memcpy(p->best, p->inverse, p->total * sizeof *p->best);
    return analyse_order(p, p->best);
}

static mgc_status allocate(mgc_ctx *ctx, const plan *p, arrow_group *g)
{
    size_t l = 0, k = p->permuted.start[p->total] - p->total, updates, words;
    uint32_t *at;

    for (uint32_t j = 0; j < p->size; j++) l += p->count[j];
    updates = l;
    words = 8 * (size_t)p->total + 8 + l + 2 * k + 3 * updates + (size_t)g->members * g->border + p->size;
    if (l > MGC__CSC_MAX || words > MGC__CSC_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "la: the factor would have more than 2^31 - 1 entries");
    g->block = at = mgc__alloc(ctx, words, sizeof *at);
    if (!at) return mgc__no_memory(ctx, "a factorisation");
    g->l_entries = (uint32_t)l;
    g->k_entries = (uint32_t)k;
    g->column = at;
    g->start = (at += p->size);
    g->split = (at += p->size + 1);
    g->row = (at += p->size);
    g->k_start = (at += l);
    g->k_row = (at += p->size + 1);
    g->slot = (at += k);
    g->update_start = (at += k);
    g->link = (at += p->total + 1);
    g->sign = (int8_t *)(at += (size_t)g->members * g->border);
    g->update = (arrow_update *)(at += p->size / 4 + 1);
    return MGC_OK;
}

/* L by columns: row i of L is the union of the paths from the entries of row i of K up the tree (Davis 2006, 4.1). */
static void fill_pattern(plan *p, arrow_group *g)
{
    uint32_t *at = p->trial;

    for (uint32_t j = 0; j < p->size; j++) {
        g->start[j + 1] = g->start[j] + p->count[j];
        at[j] = g->start[j];
        p->mark[j] = j;
    }
    for (uint32_t i = 0; i < p->total; i++) {
        p->mark[i] = i;
        if (i == p->size)
            for (uint32_t j = 0; j < p->size; j++) g->split[j] = at[j];
        for (uint32_t e = p->permuted.start[i]; e < p->permuted.start[i + 1]; e++)
            for (uint32_t j = p->permuted.row[e]; j < i && j < p->size && p->mark[j] != i; j = p->parent[j]) {
                p->mark[j] = i;
                g->row[at[j]++] = i;
            }
    }
    if (p->total == p->size)
        for (uint32_t j = 0; j < p->size; j++) g->split[j] = at[j];
}

/* Do columns a (from entry i) and b (from entry j) have the same rows? */
static bool same_tail(const arrow_group *g, uint32_t a, uint32_t i, uint32_t b, uint32_t j)
{
    uint32_t length = g->start[a + 1] - i;

    return g->start[b + 1] - j == length && memcmp(g->row + i, g->row + j, length * sizeof *g->row) == 0;
}

/* Rows of L, and runs of columns in them that share their pattern from there on. */
static void list_updates(plan *p, arrow_group *g)
{
    uint32_t *at = p->trial;

    memset(g->update_start, 0, ((size_t)p->total + 1) * sizeof *g->update_start);
    for (uint32_t e = 0; e < g->l_entries; e++) g->update_start[g->row[e] + 1]++;
    for (uint32_t i = 0; i < p->total; i++) g->update_start[i + 1] += g->update_start[i];
    memcpy(at, g->update_start, p->total * sizeof *at);
    for (uint32_t j = 0; j < p->size; j++)
        for (uint32_t e = g->start[j]; e < g->start[j + 1]; e++)
            g->update[at[g->row[e]]++] = (arrow_update){.from = j, .at = e, .width = 1};
    for (uint32_t i = 0; i < p->total; i++) {
        uint32_t first = g->update_start[i];

        for (uint32_t u = first + 1; u < g->update_start[i + 1]; u++) {
            const arrow_update *a = &g->update[first], *b = &g->update[u];

            if (u - first < 4 && same_tail(g, a->from, a->at, b->from, b->at)) g->update[first].width++;
            else first = u;
        }
    }
}

/* K's entries by columns of the plan, and which is the t-th edge that detection's order comes to. */
static void place_entries(plan *p, const arrow_graph *graph, const arrow_parts *parts, uint32_t c,
                          const uint32_t *border_rank,
                          arrow_group *g)
{
    uint32_t *at = p->trial, size = p->size, t = 0;

    for (uint32_t pass = 0; pass < 2; pass++) {
        t = 0;
        for (uint32_t i = 0; i < size; i++) {
            uint32_t v = parts->vertex[parts->start[c] + i];

            for (uint32_t e = graph->start[v]; e < graph->start[v + 1]; e++) {
                uint32_t u = graph->neighbour[e], a, b;
                bool local = parts->component_of[u] != UINT32_MAX;

                if (local && parts->rank[u] < i) continue;
                a = p->inverse[i];
                b = local ? p->inverse[parts->rank[u]] : size + border_rank[parts->rank[u]];
                if (pass == 0) {
                    g->k_start[(a < b ? a : b) + 1]++;
                } else {
                    g->slot[t] = at[a < b ? a : b];
                    g->k_row[at[a < b ? a : b]++] = a < b ? b : a;
                }
                t++;
            }
        }
        for (uint32_t j = 0; pass == 0 && j < size; j++) {
            g->k_start[j + 1] += g->k_start[j];
            at[j] = g->k_start[j];
        }
    }
    assert(t == g->k_entries);
}

static void list_links(const arrow_parts *parts, uint32_t group, arrow_group *g)
{
    uint32_t member = 0;

    g->uniform = true;
    for (uint32_t c = 0; c < parts->components; c++) {
        if (parts->group_of[c] != group) continue;
        for (uint32_t b = 0; b < g->border; b++) {
            g->link[(size_t)member * g->border + b] = parts->border[parts->border_start[c] + b];
            if (g->link[(size_t)member * g->border + b] != g->link[b]) g->uniform = false;
        }
        member++;
    }
    assert(member == g->members);
}

mgc_status mgc__arrow_plan(mgc_ctx *ctx, const arrow_graph *graph, const arrow_parts *parts, const int8_t *sign,
                           uint32_t group,
                           arrow_group *g)
{
    uint32_t c = parts->first[group], *border_rank = mgc__alloc(ctx, parts->links,
                                                                sizeof *border_rank), *block = NULL;
    plan p = {.ctx = ctx, .size = parts->start[c + 1] - parts->start[c]};
    mgc_status st = border_rank ? MGC_OK : mgc__no_memory(ctx, "a factorisation");
    size_t edges;

    *g = (arrow_group){.size = p.size, .border = parts->border_start[c + 1] - parts->border_start[c]};
    for (uint32_t i = 0; i < parts->components; i++) g->members += parts->group_of[i] == group;
    p.total = g->size + g->border;
    for (uint32_t b = 0; st == MGC_OK &&
         b < g->border; b++) border_rank[parts->border[parts->border_start[c] + b]] = b;
    if (st == MGC_OK) st = local_graph(ctx, graph, parts, c, border_rank, &p.graph);
    edges = st == MGC_OK ? p.graph.start[p.total] : 0;
    if (st == MGC_OK && !(block = mgc__alloc(ctx, 6 * (size_t)p.total + edges + 1, sizeof *block)))
        st = mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK) {
        p.best = block;
        p.trial = p.best + p.total;
        p.inverse = p.trial + p.total;
        p.parent = p.inverse + p.total;
        p.count = p.parent + p.total;
        p.mark = p.count + p.total;
        p.place = p.mark + p.total;
        st = choose_order(&p);
    }
    if (st == MGC_OK) st = allocate(ctx, &p, g);
    if (st == MGC_OK) {
        g->operations = count_operations(p.size, p.count);
        memcpy(g->column, p.inverse, g->size * sizeof *g->column);
        for (uint32_t j = 0; j < g->size; j++) g->sign[j] = sign[parts->vertex[parts->start[c] + p.best[j]]];
        fill_pattern(&p, g);
        list_updates(&p, g);
        place_entries(&p, graph, parts, c, border_rank, g);
        list_links(parts, group, g);
        st = mgc__arrow_panels(ctx, g);
    }
    mgc__csc_free(ctx, &p.graph);
    mgc__csc_free(ctx, &p.permuted);
    mgc__free(ctx, block);
    mgc__free(ctx, border_rank);
    return st;
}

void mgc__arrow_group_free(mgc_ctx *ctx, arrow_group *g)
{
    mgc__free(ctx, g->panel);
    mgc__free(ctx, g->panel_column);
    mgc__free(ctx, g->block);
    *g = (arrow_group){0};
}
