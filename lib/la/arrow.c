/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow-shaped matrices (a two-stage program's Newton system): components in batches of eight, one in each lane,
 * then a dense factor of what they leave on the links.  doc/math/solver.md, section 9.  Here: where everything lies.
 *
 *     K = [ K_1           B_1' ]     S = K_0 - sum_s B_s K_s^-1 B_s'
 *         [      ...      ...  ]
 *         [ B_1  ...      K_0  ]
 *
 * What is left over, up to four, is a batch of half the width: of ten components it would otherwise be half of the time. */
#include "la/compress.h"
#include "la/lanes.h"

#include <math.h>

/* Runs of batches that add up by themselves: enough to keep threads busy, few enough to add up. */
enum { CHUNKS_MOST = 8 };
/* Chunks that there may be for each time that the operations of all batches, side by side, fill the Schur complement. */
#define CHUNK_WORTH 0.1
/* A smaller matrix is factored in less time than looking for an arrow in its pattern takes, or one that is told. */
enum { ORDER_LEAST = 2000, ORDER_TOLD_LEAST = 500 };
/* A dense factor of the links may take this many times the operations of all components; else the general engine is
 * better. */
#define DENSE_SHARE 4.0
/* Components are cut where that leaves less than this part of the operations: smaller matrices take longer for each. */
#define CUT_WORTH 0.6

void mgc__arrow_destroy(mgc__ldl *ldl)
{
    arrow *a = ldl->state;
    mgc_ctx *ctx = ldl->ctx;

    if (!a) return;
    for (uint32_t k = 0; a->group && k < a->groups; k++) mgc__arrow_group_free(ctx, &a->group[k]);
    for (uint32_t k = 0; a->chunk && k < a->chunks; k++) {
        mgc__free(ctx, a->chunk[k].block);
        mgc__free(ctx, a->chunk[k].link);
        mgc__free(ctx, a->chunk[k].schur);
    }
    mgc__arrow_top_destroy(ctx, &a->top);
    mgc__free(ctx, a->group);
    mgc__free(ctx, a->batch);
    mgc__free(ctx, a->chunk);
    mgc__free(ctx, a->link_row);
    mgc__free(ctx, a->source);
    mgc__free(ctx, a->origin);
    mgc__free(ctx, a->l_block);
    mgc__free(ctx, a->value_block);
    mgc__free(ctx, a->schur);
    mgc__free(ctx, a->right);
    mgc__free(ctx, a->touched);
    mgc__compress_destroy(ctx, a->compression);
    mgc__free(ctx, a);
    ldl->state = NULL;
}

/* --- analysis -------------------------------------------------------------------------------------------------- */

/* Doubles that begin at a cache line: a vector that straddles two costs twice. */
static double *at_line(void *block)
{
    return block ? (double *)(((uintptr_t)block + 63) / 64 * 64) : NULL;
}

/* n zeroed ones. */
static double *aligned(mgc_ctx *ctx, size_t n, void **block)
{
    *block = mgc__alloc(ctx, n + LANES, sizeof(double));
    return at_line(*block);
}

/* What planning came to, before it is decided whether it stands. */
typedef struct outline {
    arrow_group *group;
    uint32_t groups, batches;
    double operations; /* of components */
    uint64_t nonzeros;
} outline;

static void outline_free(mgc_ctx *ctx, outline *o)
{
    for (uint32_t k = 0; o->group && k < o->groups; k++) mgc__arrow_group_free(ctx, &o->group[k]);
    mgc__free(ctx, o->group);
    *o = (outline){0};
}

static mgc_status plan_groups(mgc_ctx *ctx, const arrow_graph *g, const arrow_parts *parts, const int8_t *sign,
                              outline *o)
{
    mgc_status st = MGC_OK;

    *o = (outline){.group = mgc__alloc(ctx, parts->groups, sizeof *o->group)};
    if (!o->group) return mgc__no_memory(ctx, "a factorisation");
    for (; o->groups < parts->groups && st == MGC_OK; o->groups++) {
        arrow_group *group = &o->group[o->groups];

        st = mgc__arrow_plan(ctx, g, parts, sign, o->groups, group);
        o->operations += group->operations * group->members;
        o->nonzeros += (uint64_t)group->l_entries * group->members;
        o->batches += (group->members + LANES - 1) / LANES;
    }
    return st;
}

static double dense_operations(double links)
{
    return links * links * links / 6.0;
}

/* Components cut into pieces, and a sparse matrix on the links: in place of the plan and of the parts where that takes
 * so few operations that all the smaller matrices are worth it. */
static mgc_status try_cut(mgc_ctx *ctx, arrow *a, const arrow_graph *g, const int8_t *sign, arrow_parts *parts, outline *o)
{
    double before = o->operations + dense_operations(parts->links);
    arrow_parts pieces = {0};
    outline finer = {0};
    arrow_top top = {0};
    bool found = false;
    mgc_status st = mgc__arrow_cut(ctx, g, sign, parts, o->group, &pieces, &found);

    if (st == MGC_OK && found) st = plan_groups(ctx, g, &pieces, sign, &finer);
    if (st == MGC_OK && found && finer.operations < CUT_WORTH * before)
        st = mgc__arrow_top_create(ctx, g, &pieces, sign, &top);
    if (st == MGC_OK && top.ldl && finer.operations + top.ldl->info.operations < CUT_WORTH * before) {
        arrow_parts whole = *parts;
        outline coarser = *o;

        *parts = pieces;
        pieces = whole;
        *o = finer;
        finer = coarser;
        a->top = top;
        top = (arrow_top){0};
    }
    mgc__arrow_top_destroy(ctx, &top);
    outline_free(ctx, &finer);
    mgc__arrow_parts_free(ctx, &pieces);
    return st;
}

static mgc_status plan(mgc__ldl *ldl, arrow *a, const arrow_graph *g, arrow_parts *parts, const int8_t *sign)
{
    outline o;
    mgc_status st = plan_groups(ldl->ctx, g, parts, sign, &o);
    double dense = dense_operations(parts->links);

    if (st == MGC_OK && dense > o.operations) st = try_cut(ldl->ctx, a, g, sign, parts, &o);
    a->links = parts->links;
    a->group = o.group;
    a->groups = o.groups;
    a->batches = o.batches;
    a->worth = a->forced || a->top.ldl || dense <= DENSE_SHARE * o.operations;
    ldl->info.operations = o.operations + (a->top.ldl ? a->top.ldl->info.operations : dense);
    ldl->info.factor_nonzeros = o.nonzeros + (a->top.ldl ? a->top.ldl->info.factor_nonzeros
                                                         : (uint64_t)(0.5 * a->links * (a->links - 1.0)));
    return st;
}

static size_t whole_lanes(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* Batches in order of groups; places of values, factors and vectors one after the other. */
static mgc_status lay_out(mgc__ldl *ldl, arrow *a)
{
    size_t value = 0, l = 0, x = 0;
    uint32_t at = 0;

    a->batch = mgc__alloc(ldl->ctx, a->batches, sizeof *a->batch);
    if (!a->batch) return mgc__no_memory(ldl->ctx, "a factorisation");
    for (uint32_t k = 0; k < a->groups; k++) {
        arrow_group *g = &a->group[k];

        g->batch = at;
        for (uint32_t first = 0; first < g->members; first += LANES) {
            uint32_t left = g->members - first, width = left <= ARROW_NARROW ? ARROW_NARROW : LANES;

            a->batch[at++] = (arrow_batch){.group = k, .first = first, .lanes = left < LANES ? left : LANES,
                                           .width = width, .value = value, .l = l, .x = x};
            value += whole_lanes(((size_t)g->size + g->k_entries) * width);
            l += whole_lanes((size_t)g->l_entries * width);
            x += whole_lanes((size_t)g->size * width);
        }
    }
    assert(at == a->batches);
    a->link_value = value;
    a->link_x = x;
    if (value + l + x > MGC__CSC_MAX)
        return mgc__fail(ldl->ctx, MGC_E_LIMIT, "la: the factor would have more than 2^31 - 1 entries");
    a->l_block = mgc__resize(ldl->ctx, NULL, l + 2 * x + LANES, sizeof *a->l); /* a factor is written before it is read: not cleared */
    a->l = at_line(a->l_block);
    if (!a->l) return mgc__no_memory(ldl->ctx, "a factorisation");
    a->d = a->l + l;
    a->d_inverse = a->d + x;
    return MGC_OK;
}

/* A narrow batch takes a little more than half as long. */
static double effort(const arrow *a, const arrow_batch *batch)
{
    return (a->group[batch->group].operations + 1.0) * (batch->width == ARROW_LANES ? 1.0 : 0.6);
}

/* Chunks of about the same work.  Each costs a Schur complement of its own, so none is made for less than a part of that. */
static mgc_status cut_chunks(mgc__ldl *ldl, arrow *a)
{
    double total = 0.0, done = 0.0, most = CHUNKS_MOST;
    size_t widest = 0, panel = 0, border = 0, packed = (size_t)a->links * (a->links + 1) / 2;
    uint32_t at = 0;

    for (uint32_t b = 0; b < a->batches; b++) total += effort(a, &a->batch[b]);
    if (packed > 0) most = fmin(most, ceil(CHUNK_WORTH * total / (double)(a->top.ldl ? a->top.entries : packed)));
    a->chunks = a->batches < most ? a->batches : (uint32_t)most;
    a->chunk = mgc__alloc(ldl->ctx, a->chunks, sizeof *a->chunk);
    if (!a->chunk) return mgc__no_memory(ldl->ctx, "a factorisation");
    for (uint32_t k = 0; k < a->groups; k++) {
        size_t width = a->group[k].size + 2 * (size_t)a->group[k].border;

        widest = width > widest ? width : widest;
        panel = a->group[k].panel_work > panel ? a->group[k].panel_work : panel;
        border = a->group[k].border > border ? a->group[k].border : border;
    }
    for (uint32_t c = 0; c < a->chunks; c++) {
        arrow_chunk *chunk = &a->chunk[c];

        chunk->begin = at;
        do {
            done += effort(a, &a->batch[at++]);
        } while (a->batches - at > a->chunks - c - 1 && (c + 1 == a->chunks || done < total * (c + 1) / a->chunks));
        chunk->end = at;
        chunk->work = aligned(ldl->ctx, widest * LANES + panel, &chunk->block);
        chunk->link = mgc__alloc(ldl->ctx, 2 * border, sizeof *chunk->link);
        chunk->schur = mgc__alloc(ldl->ctx, packed + 2 * (size_t)a->links, sizeof *chunk->schur);
        if (!chunk->work || !chunk->link || !chunk->schur) return mgc__no_memory(ldl->ctx, "a factorisation");
        chunk->panel = chunk->work + widest * LANES;
        chunk->size = chunk->schur + packed;
        chunk->rhs = chunk->size + a->links;
    }
    assert(at == a->batches);
    return MGC_OK;
}

/* Lanes without a component are rows of the identity that no entry of the caller's goes to. */
static void fill_lanes(mgc__ldl *ldl, const arrow *a, const arrow_batch *batch)
{
    const arrow_group *g = &a->group[batch->group];
    size_t rows = (size_t)g->size * batch->width, values = rows + (size_t)g->k_entries * batch->width;

    memset(a->source + batch->value, 0xff, whole_lanes(values) * sizeof *a->source);
    memset(a->origin + batch->x, 0xff, whole_lanes(rows) * sizeof *a->origin);
    for (size_t at = 0; at < rows; at++) {
        ldl->value[batch->value + at] = g->sign[at / batch->width];
        ldl->sign[batch->x + at] = at % batch->width < batch->lanes ? g->sign[at / batch->width] : 0;
    }
}

enum { SHARES_MOST = 64 };

/* Where everything comes from, while it is laid out. */
typedef struct placing {
    mgc__ldl *ldl;
    const arrow *a;
    const arrow_graph *g;
    const arrow_parts *parts;
    const mgc__csc *k;
    uint32_t *component; /* of each lane of each batch */
    uint32_t shares;     /* runs of batches */
} placing;

/* Where the caller's entries and rows go, and the other way. */
static void place_component(const placing *p, const arrow_batch *batch, uint32_t lane, uint32_t c)
{
    const arrow_graph *g = p->g;
    const arrow_group *group = &p->a->group[batch->group];
    uint32_t t = 0;

    for (uint32_t i = 0; i < group->size; i++) {
        uint32_t v = p->parts->vertex[p->parts->start[c] + i];
        size_t at = (size_t)group->column[i] * batch->width + lane;

        p->ldl->where[v] = (uint32_t)(batch->x + at);
        p->a->origin[batch->x + at] = v;
        p->a->source[batch->value + at] = p->k->start[v + 1] - 1;
        for (uint32_t e = g->start[v]; e < g->start[v + 1]; e++) {
            uint32_t u = g->neighbour[e];

            if (p->parts->component_of[u] != UINT32_MAX && u < v) continue;
            p->a->source[batch->value + ((size_t)group->size + group->slot[t++]) * batch->width + lane] = g->entry[e];
        }
    }
    assert(t == group->k_entries);
}

static void place_batch(const placing *p, uint32_t index)
{
    const arrow_batch *batch = &p->a->batch[index];
    const compression *c = p->a->compression;
    size_t values = ((size_t)p->a->group[batch->group].size + p->a->group[batch->group].k_entries) * batch->width;

    fill_lanes(p->ldl, p->a, batch);
    for (uint32_t lane = 0; lane < batch->lanes; lane++) place_component(p, batch, lane, p->component[(size_t)index * LANES + lane]);
    for (size_t at = batch->value; c && at < batch->value + values; at++)
        if (p->a->source[at] != UINT32_MAX) p->a->source[at] = c->from[p->a->source[at]];
}

static void place_share(void *user, size_t share)
{
    const placing *p = user;
    uint64_t batches = p->a->batches;

    for (uint32_t b = (uint32_t)(batches * share / p->shares); b < batches * (share + 1) / p->shares; b++) place_batch(p, b);
}

/* Batch by batch, by all threads. */
static mgc_status place_components(placing *p)
{
    const arrow *a = p->a;
    uint32_t *member = mgc__alloc(p->ldl->ctx, a->groups + (size_t)a->batches * LANES, sizeof *member);

    if (!member) return mgc__no_memory(p->ldl->ctx, "a factorisation");
    p->component = member + a->groups;
    for (uint32_t c = 0; c < p->parts->components; c++) {
        uint32_t group = p->parts->group_of[c], m = member[group]++;

        p->component[(size_t)(a->group[group].batch + m / LANES) * LANES + m % LANES] = c;
    }
    p->shares = a->batches < SHARES_MOST ? a->batches : SHARES_MOST;
    mgc__pool_run(p->ldl->pool, p->shares, place_share, p);
    mgc__free(p->ldl->ctx, member);
    return MGC_OK;
}

static mgc_status place_links(mgc__ldl *ldl, arrow *a, const arrow_graph *g, const arrow_parts *parts,
                              const mgc__csc *k,
                              const int8_t *sign)
{
    size_t square = a->top.ldl ? 0 : (size_t)a->links * a->links;

    for (uint32_t pass = 0; pass < 2; pass++) {
        uint32_t edges = 0;

        for (uint32_t r = 0; r < a->links; r++) {
            uint32_t v = parts->link[r];

            for (uint32_t e = g->start[v]; e < g->start[v + 1] && g->neighbour[e] < v; e++) {
                if (parts->component_of[g->neighbour[e]] != UINT32_MAX) continue;
                if (pass == 1) {
                    a->link_row[edges] = r;
                    a->link_column[edges] = parts->rank[g->neighbour[e]];
                    a->source[a->link_value + a->links + edges] = g->entry[e];
                }
                edges++;
            }
        }
        if (pass == 1) break;
        a->link_edges = edges;
        a->link_row = mgc__alloc(ldl->ctx, 2 * (size_t)edges, sizeof *a->link_row);
        ldl->value = aligned(ldl->ctx, a->link_value + a->links + edges, &a->value_block);
        ldl->sign = mgc__alloc(ldl->ctx, a->link_x + a->links, 1);
        a->source = mgc__alloc(ldl->ctx, a->link_value + a->links + edges, sizeof *a->source);
        a->origin = mgc__alloc(ldl->ctx, a->link_x + a->links, sizeof *a->origin);
        a->schur = mgc__alloc(ldl->ctx, square + 3 * (size_t)a->links + MGC__DENSE_WORK(a->links), sizeof *a->schur);
        if (!a->link_row || !ldl->value || !ldl->sign || !a->source || !a->origin || !a->schur)
            return mgc__no_memory(ldl->ctx, "a factorisation");
        a->link_column = a->link_row + edges;
        a->size = a->schur + square;
        a->link_d = a->size + a->links;
        a->link_d_inverse = a->link_d + a->links;
        a->work = a->link_d_inverse + a->links;
    }
    for (uint32_t r = 0; r < a->links; r++) {
        uint32_t v = parts->link[r];

        ldl->where[v] = (uint32_t)(a->link_x + r);
        a->origin[a->link_x + r] = v;
        a->source[a->link_value + r] = k->start[v + 1] - 1;
        ldl->sign[a->link_x + r] = sign[v];
    }
    return MGC_OK;
}

/* What lies in the variables of the compression: its sets' members, and whatever shares a batch with one. */
static mgc_status list_touched(mgc__ldl *ldl, arrow *a)
{
    const compression *c = a->compression;
    uint32_t at = 0;
    size_t most = a->links;

    for (uint32_t index = 0; index < c->sets; index++) {
        const compress_set *s = &c->set[index];

        for (uint32_t k = 0; k < s->k; k++)
            for (uint32_t b = a->batches; ldl->where[s->member[k]] < a->link_x && b-- > 0;) {
                if (a->batch[b].x > ldl->where[s->member[k]]) continue;
                a->batch[b].touched = true;
                break;
            }
    }
    for (uint32_t b = 0; b < a->batches; b++)
        if (a->batch[b].touched) most += (size_t)a->group[a->batch[b].group].size * a->batch[b].width;
    a->touched = mgc__alloc(ldl->ctx, most, sizeof *a->touched);
    if (!a->touched) return mgc__no_memory(ldl->ctx, "a factorisation");
    for (uint32_t b = 0; b < a->batches; b++) {
        size_t size = a->batch[b].touched ? a->group[a->batch[b].group].size : 0;

        for (size_t i = 0; i < size * a->batch[b].width; i++)
            if (a->origin[a->batch[b].x + i] != UINT32_MAX) a->touched[at++] = a->origin[a->batch[b].x + i];
    }
    for (uint32_t k = 0; k < a->links; k++) a->touched[at++] = a->origin[a->link_x + k];
    a->touches = at;
    return MGC_OK;
}

static mgc_status build(mgc__ldl *ldl, arrow *a, const arrow_graph *g, arrow_parts *parts, const mgc__csc *k,
                        const int8_t *sign)
{
    placing p = {.ldl = ldl, .a = a, .g = g, .parts = parts, .k = k};
    mgc_status st = plan(ldl, a, g, parts, sign);

    if (st != MGC_OK || !a->worth) return st;
    st = lay_out(ldl, a);
    if (st == MGC_OK) st = cut_chunks(ldl, a);
    if (st == MGC_OK) st = place_links(ldl, a, g, parts, k, sign);
    if (st == MGC_OK && a->top.ldl) st = mgc__arrow_top_edges(ldl->ctx, a);
    if (st == MGC_OK) st = place_components(&p);
    if (st != MGC_OK) return st;
    a->right = mgc__alloc(ldl->ctx, ldl->n, sizeof *a->right);
    if (!a->right) return mgc__no_memory(ldl->ctx, "a factorisation");
    if (a->compression) {
        for (size_t at = a->link_value; at < a->link_value + a->links + a->link_edges; at++)
            a->source[at] = a->compression->from[a->source[at]];
        st = list_touched(ldl, a);
    }
    ldl->length = (uint32_t)(a->link_x + a->links);
    return st;
}

/* Components of less are rows between links, not scenarios. */
enum { SCENARIO_LEAST = 8 };

static mgc_status mark_scenarios(mgc__ldl *ldl, const arrow_parts *parts)
{
    ldl->scenario = mgc__alloc(ldl->ctx, ldl->n, sizeof *ldl->scenario);
    if (!ldl->scenario) return mgc__no_memory(ldl->ctx, "a factorisation");
    for (uint32_t c = 0; c < parts->components; c++) {
        if (parts->start[c + 1] - parts->start[c] < SCENARIO_LEAST) continue;
        ldl->scenarios++;
        for (uint32_t p = parts->start[c]; p < parts->start[c + 1]; p++) ldl->scenario[parts->vertex[p]] = 1;
    }
    return MGC_OK;
}

/* Graph and parts of k, and whether they make an arrow. */
static mgc_status look(const mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, bool by_pattern, arrow_graph *g,
                       arrow_parts *parts, bool *found)
{
    mgc_status st = mgc__arrow_graph(ldl->ctx, k, g);

    *found = false;
    return st == MGC_OK ? mgc__arrow_detect(ldl->ctx, g, sign, ldl->told ? ldl->block : NULL, by_pattern, parts, found) : st;
}

/* Where links go in fixed proportions, the arrow of fewer links takes the place of the first. */
static mgc_status compress(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, bool by_pattern, arrow_graph *g,
                           arrow_parts *parts, compression **c)
{
    arrow_graph fewer_g = {0};
    arrow_parts fewer = {0};
    bool found = false;
    mgc_status st = mgc__compress_create(ldl->ctx, k, g, parts, sign, c);

    if (st != MGC_OK || !*c) return st;
    st = look(ldl, &(*c)->k, sign, by_pattern, &fewer_g, &fewer, &found);
    if (st == MGC_OK && found && fewer.links < parts->links) {
        arrow_graph old_g = *g;
        arrow_parts old = *parts;

        *g = fewer_g;
        *parts = fewer;
        fewer_g = old_g;
        fewer = old;
    } else {
        mgc__compress_destroy(ldl->ctx, *c);
        *c = NULL;
    }
    mgc__arrow_parts_free(ldl->ctx, &fewer);
    mgc__arrow_graph_free(ldl->ctx, &fewer_g);
    return st;
}

mgc_status mgc__arrow_create(mgc__ldl *ldl, const mgc__csc *k, const int8_t *sign, bool forced, bool compressed,
                             bool *found)
{
    arrow_graph g = {0};
    arrow_parts parts = {0};
    compression *c = NULL;
    arrow *a = NULL;
    bool by_pattern = forced || k->cols >= ORDER_LEAST;
    mgc_status st;

    *found = false;
    if (!by_pattern && (!ldl->told || k->cols < ORDER_TOLD_LEAST)) return MGC_OK;
    st = look(ldl, k, sign, by_pattern, &g, &parts, found);
    if (st == MGC_OK && *found) st = mark_scenarios(ldl, &parts);
    if (st == MGC_OK && *found && compressed) st = compress(ldl, k, sign, by_pattern, &g, &parts, &c);
    if (st == MGC_OK && *found) {
        ldl->state = a = mgc__alloc(ldl->ctx, 1, sizeof *a);
        if (!a) st = mgc__no_memory(ldl->ctx, "a factorisation");
    }
    if (st == MGC_OK && *found) {
        *a = (arrow){.kernel = mgc__arrow_kernels(), .loops = mgc__ldl_loops(), .forced = forced, .compression = c};
        c = NULL;
        st = build(ldl, a, &g, &parts, a->compression ? &a->compression->k : k, sign);
        *found = a->worth;
    }
    if (a && (st != MGC_OK || !*found)) mgc__arrow_destroy(ldl);
    mgc__compress_destroy(ldl->ctx, c);
    mgc__arrow_parts_free(ldl->ctx, &parts);
    mgc__arrow_graph_free(ldl->ctx, &g);
    return st;
}

bool mgc__arrow_compressed(const mgc__ldl *ldl)
{
    return ((const arrow *)ldl->state)->compression != NULL;
}
