/* SPDX-License-Identifier: Apache-2.0 */
/* Arrows of few scenarios over many periods: where the dense factor of the links would cost more than all components.
 *
 * Each component spans the whole day, so all links meet in what it leaves on them.  Columns of its factor that know
 * many of the links, the last ones of nested dissection in time, are therefore not eliminated in the component but with
 * the links: they become links that this component alone has.  The rest of it falls into pieces that know the links of
 * a few periods each, and the links' matrix is sparse: it goes to the supernodal engine.  PIPS-IPM++ uses that borders
 * are local to the same end (Kempke, Rehfeldt and Koch 2024).  doc/math/solver.md, section 9. */
#include "la/arrow.h"

#include <math.h>

/* A column that knows more links than this, or than this part of those that its component knows, becomes one. */
enum { LINKS_MOST = 96 };
#define LINKS_SHARE 0.3
/* Of components with fewer links all may meet. */
enum { BORDER_LEAST = 24 };
/* The search for links that meet takes a byte for each two of them. */
enum { TOP_MOST = 4096 };

static bool is_promoted(const arrow_group *g, uint32_t j)
{
    double known = g->start[j + 1] - g->split[j];

    return g->border >= BORDER_LEAST && known > fmin(LINKS_MOST, LINKS_SHARE * g->border);
}

mgc_status mgc__arrow_cut(mgc_ctx *ctx, const arrow_graph *graph, const int8_t *sign, const arrow_parts *parts,
                          const arrow_group *group, arrow_parts *out, bool *found)
{
    uint8_t *taken = mgc__alloc(ctx, graph->n, 1);
    mgc_status st;

    *out = (arrow_parts){0};
    *found = false;
    if (!taken) return mgc__no_memory(ctx, "a factorisation");
    for (uint32_t k = 0; k < parts->links; k++) taken[parts->link[k]] = 1;
    for (uint32_t c = 0; c < parts->components; c++) {
        const arrow_group *g = &group[parts->group_of[c]];

        for (uint32_t i = 0; i < g->size; i++)
            if (is_promoted(g, g->column[i])) taken[parts->vertex[parts->start[c] + i]] = 1;
    }
    st = mgc__arrow_take_out(ctx, graph, sign, taken, out, found);
    if (out->links > TOP_MOST) *found = false;
    mgc__free(ctx, taken);
    return st;
}

/* --- the links' matrix ------------------------------------------------------------------------------------------ */

/* Which links meet: in a component, or in an entry of K.  meets: links x links, lower triangle. */
static void find_meetings(const arrow_graph *g, const arrow_parts *p, uint8_t *meets)
{
    size_t n = p->links;

    for (uint32_t c = 0; c < p->components; c++)
        for (uint32_t a = p->border_start[c]; a < p->border_start[c + 1]; a++) {
            uint8_t *column = meets + p->border[a] * n;

            for (uint32_t b = a; b < p->border_start[c + 1]; b++) column[p->border[b]] = 1;
        }
    for (uint32_t r = 0; r < n; r++) {
        uint32_t v = p->link[r];

        meets[r * n + r] = 1;
        for (uint32_t e = g->start[v]; e < g->start[v + 1] && g->neighbour[e] < v; e++)
            if (p->component_of[g->neighbour[e]] == UINT32_MAX) meets[p->rank[g->neighbour[e]] * n + r] = 1;
    }
}

/* Upper triangle of the links' matrix turned about, so that its columns, from their ends, are those of the lower
 * triangle that components add to; and these columns' runs of rows. */
static mgc_status list_pattern(mgc_ctx *ctx, uint32_t n, const uint8_t *meets, mgc__csc *k, arrow_top *top)
{
    size_t entries = 0, runs = 0;
    uint32_t at = 0;
    mgc_status st;

    for (size_t c = 0; c < n; c++)
        for (size_t r = c; r < n; r++) {
            entries += meets[c * n + r];
            runs += meets[c * n + r] && (r == c || !meets[c * n + r - 1]);
        }
    top->entries = entries;
    top->run_start = mgc__alloc(ctx, 2 * (size_t)n + 1 + 2 * runs, sizeof *top->run_start);
    if (!top->run_start) return mgc__no_memory(ctx, "a factorisation");
    top->end = top->run_start + n + 1;
    top->run = top->end + n;
    st = mgc__csc_alloc(ctx, n, n, entries, k);
    if (st != MGC_OK) return st;
    for (size_t c = 0; c < n; c++) {
        for (size_t r = c; r < n; r++) {
            if (!meets[c * n + r]) continue;
            if (r == c || !meets[c * n + r - 1]) top->run[at++] = (uint32_t)r;
            if (r + 1 == n || !meets[c * n + r + 1]) top->run[at++] = (uint32_t)r + 1;
        }
        top->run_start[c + 1] = at;
    }
    for (uint32_t column = 0, e = 0; column < n; column++) {
        const uint8_t *from = meets + (size_t)(n - 1 - column) * n;

        for (uint32_t row = 0; row <= column; row++)
            if (from[n - 1 - row]) k->row[e++] = row;
        k->start[column + 1] = top->end[n - 1 - column] = e;
    }
    return MGC_OK;
}

mgc_status mgc__arrow_top_create(mgc_ctx *ctx, const arrow_graph *graph, const arrow_parts *parts, const int8_t *sign,
                                 arrow_top *top)
{
    size_t n = parts->links;
    uint8_t *meets = mgc__alloc(ctx, n * n + n, 1);
    mgc__csc k = {0};
    mgc_status st;
    int8_t *signs;

    *top = (arrow_top){0};
    if (!meets) return mgc__no_memory(ctx, "a factorisation");
    signs = (int8_t *)(meets + n * n);
    find_meetings(graph, parts, meets);
    for (uint32_t r = 0; r < n; r++) signs[n - 1 - r] = sign[parts->link[r]];
    st = list_pattern(ctx, parts->links, meets, &k, top);
    if (st == MGC_OK) st = mgc__ldl_create_inner(ctx, &k, signs, &top->ldl);
    if (st == MGC_OK && !(top->x = mgc__alloc(ctx, 2 * n, sizeof *top->x))) st = mgc__no_memory(ctx, "a factorisation");
    if (st == MGC_OK) top->ldl->lost = top->x + n;
    mgc__csc_free(ctx, &k);
    mgc__free(ctx, meets);
    return st;
}

void mgc__arrow_top_destroy(mgc_ctx *ctx, arrow_top *top)
{
    mgc__ldl_destroy(top->ldl);
    mgc__free(ctx, top->run_start);
    mgc__free(ctx, top->edge);
    mgc__free(ctx, top->x);
    *top = (arrow_top){0};
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

void mgc__arrow_top_clear(const arrow_top *top, uint32_t links, double *schur)
{
    for (uint32_t c = 0; c < links; c++) {
        double *column = schur + arrow_packed(links, c);

        for (uint32_t q = top->run_start[c]; q < top->run_start[c + 1]; q += 2)
            memset(column + top->run[q], 0, (top->run[q + 1] - top->run[q]) * sizeof *column);
    }
}

/* Place of the links' entry (r, c), r >= c, among the values that the engine is given. */
static uint32_t entry_of(const arrow_top *top, uint32_t r, uint32_t c)
{
    uint32_t at = top->end[c], q = top->run_start[c];

    for (; r >= top->run[q + 1]; q += 2) at -= top->run[q + 1] - top->run[q];
    assert(r >= top->run[q]);
    return at - 1 - (r - top->run[q]);
}

mgc_status mgc__arrow_top_edges(mgc_ctx *ctx, arrow *a)
{
    arrow_top *top = &a->top;

    top->edge = mgc__alloc(ctx, a->link_edges, sizeof *top->edge);
    if (!top->edge) return mgc__no_memory(ctx, "a factorisation");
    for (uint32_t e = 0; e < a->link_edges; e++)
        top->edge[e] = top->ldl->place[entry_of(top, a->link_row[e], a->link_column[e])];
    return MGC_OK;
}

/* The chunks' sums, in their order, and K's entries between links. */
static void assemble(arrow *a, const double *value)
{
    mgc__ldl *inner = a->top.ldl;
    const arrow_top *top = &a->top;
    uint32_t n = a->links;

    for (uint32_t c = 0; c < n; c++) {
        size_t packed = arrow_packed(n, c);
        const uint32_t *place = inner->place + top->end[c];
        double size = fabs(value[c]);

        for (uint32_t k = 0; k < a->chunks; k++) size += a->chunk[k].size[c];
        inner->lost[inner->where[n - 1 - c]] = size;
        for (uint32_t q = top->run_start[c]; q < top->run_start[c + 1]; q += 2)
            for (uint32_t r = top->run[q]; r < top->run[q + 1]; r++) {
                double sum = r == c ? value[c] : 0.0;

                for (uint32_t k = 0; k < a->chunks; k++) sum += a->chunk[k].schur[packed + r];
                inner->value[*--place] = sum;
            }
    }
    for (uint32_t e = 0; e < a->link_edges; e++) inner->value[top->edge[e]] += value[n + e];
}

mgc_status mgc__arrow_top_factorise(mgc__ldl *ldl, arrow *a)
{
    mgc__ldl *inner = a->top.ldl;
    mgc_status st;

    assemble(a, ldl->value + a->link_value);
    for (uint32_t r = 0; r < a->links; r++) inner->shift[inner->where[a->links - 1 - r]] = ldl->shift[a->link_x + r];
    inner->info.corrected = 0;
    st = inner->engine->factorise(inner);
    ldl->info.corrected += inner->info.corrected;
    return st;
}

void mgc__arrow_top_solve(const arrow *a, double *link_x)
{
    mgc__ldl *inner = a->top.ldl;
    double *x = a->top.x;

    for (uint32_t r = 0; r < a->links; r++) x[inner->where[a->links - 1 - r]] = link_x[r];
    inner->engine->solve(inner, x);
    for (uint32_t r = 0; r < a->links; r++) link_x[r] = x[inner->where[a->links - 1 - r]];
}
