/* SPDX-License-Identifier: Apache-2.0 */
/* Finding an arrow, where the caller tells what belongs together or in the pattern alone.
 *
 * Told blocks are tried first: what joins them is taken out.  It finds all scenarios alike where the pattern misleads, as rows
 * of a scenario that lie at the far end of the program do.
 *
 * Planning programs name their columns and rows scenario by scenario: the neighbours of a vertex inside a scenario
 * lie close together, those of a decision that all scenarios share are spread over the whole program.  Vertices
 * whose neighbours are spread wider than a threshold are taken out as links; what is left falls into components.  A
 * link that touches one component only goes back to it.  Where names follow another rule, links still have by far
 * the most neighbours, so thresholds on the degree are tried next.  Every trial is linear in the entries of K; the
 * first that gives an arrow is taken. */
#include "la/arrow.h"

enum {
    ALIKE_LEAST = 4, /* components that make an arrow, as many as make a group worth its lanes */
    TOLD_LEAST = 3,  /* the same of told ones: with two the general engine is faster (doc/math/solver.md, section 9) */
    GROUPS_MOST = 200
};

static const double spreads[] = {0.5, 0.35, 0.25, 0.12, 0.06, 0.03}; /* of the whole program */
static const double degrees[] = {16.0, 4.0};                   /* times the mean */

mgc_status mgc__arrow_graph(mgc_ctx *ctx, const mgc__csc *k, arrow_graph *g)
{
    size_t n = k->cols, edges = 2 * ((size_t)k->start[n] - n);
    uint32_t *at;

    *g = (arrow_graph){.n = k->cols, .start = mgc__alloc(ctx, 2 * n + 2 + 2 * edges, sizeof *g->start)};
    if (!g->start) return mgc__no_memory(ctx, "an elimination order");
    g->neighbour = g->start + n + 1;
    g->entry = g->neighbour + edges;
    at = g->entry + edges;
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            if (k->row[e] != j) {
                g->start[j + 1]++;
                g->start[k->row[e] + 1]++;
            }
    for (uint32_t j = 0; j < n; j++) g->start[j + 1] += g->start[j];
    memcpy(at, g->start, n * sizeof *at);
    /* By columns in turn: smaller neighbours of j come before any larger one, so all lists ascend. */
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            uint32_t i = k->row[e];

            if (i == j) continue;
            g->neighbour[at[j]] = i;
            g->entry[at[j]++] = e;
            g->neighbour[at[i]] = j;
            g->entry[at[i]++] = e;
        }
    }
    return MGC_OK;
}

void mgc__arrow_graph_free(mgc_ctx *ctx, arrow_graph *g)
{
    mgc__free(ctx, g->start);
    *g = (arrow_graph){0};
}

void mgc__arrow_parts_free(mgc_ctx *ctx, arrow_parts *p)
{
    mgc__free(ctx, p->block);
    mgc__free(ctx, p->border_block);
    *p = (arrow_parts){0};
}

/* Scratch of one search. */
typedef struct hunt {
    const arrow_graph *g;
    const int8_t *sign;
    arrow_parts *p;
    uint32_t *spread;  /* n: distance of a vertex' farthest neighbours of one sign, of 2^16 */
    uint32_t *position; /* n: among the vertices of its sign */
    uint32_t total[2];  /* vertices of each sign */
    uint32_t *root;    /* n: union-find */
    uint32_t *mark, *count;
    uint8_t *out;      /* taken out */
    uint32_t least;    /* components, and members of a group, that make an arrow */
} hunt;

/* Among columns (rows) of the program, how far apart are the outermost neighbours of v, of 2^16?  Of those that are
 * not out where `inside` is set; UINT32_MAX: there is none. */
static uint32_t spread_of(const hunt *h, uint32_t v, bool inside)
{
    const arrow_graph *g = h->g;
    uint32_t first[2] = {0, 0}, last[2] = {0, 0}, widest = UINT32_MAX;
    bool seen[2] = {false, false};

    for (uint32_t e = g->start[v]; e < g->start[v + 1]; e++) {
        uint32_t u = g->neighbour[e], side = h->sign[u] > 0;

        if (inside && h->out[u]) continue;
        if (!seen[side]) first[side] = h->position[u]; /* neighbours ascend, and so do their positions */
        last[side] = h->position[u];
        seen[side] = true;
    }
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t wide = seen[side] ? (uint32_t)(((uint64_t)(last[side] - first[side]) << 16) / h->total[side]) : 0;

        if (seen[side] && (widest == UINT32_MAX || wide > widest)) widest = wide;
    }
    return widest;
}

static void measure_spread(hunt *h)
{
    h->total[0] = h->total[1] = 0;
    for (uint32_t v = 0; v < h->g->n; v++) h->position[v] = h->total[h->sign[v] > 0]++;
    for (uint32_t v = 0; v < h->g->n; v++) {
        uint32_t spread = spread_of(h, v, false);

        h->spread[v] = spread == UINT32_MAX ? 0 : spread;
    }
}

/* Out: links, whose neighbours are spread; not their neighbours, which are spread only because they know a link. */
static void take_spread(hunt *h, double threshold)
{
    uint32_t limit = (uint32_t)(threshold * 65536.0), n = h->g->n;

    for (uint32_t v = 0; v < n; v++) h->out[v] = h->spread[v] > limit;
    for (uint32_t v = 0; v < n; v++) h->root[v] = h->out[v] && spread_of(h, v, true) > limit / 4;
    for (uint32_t v = 0; v < n; v++) h->out[v] = (uint8_t)h->root[v];
}

static uint32_t find(uint32_t *root, uint32_t v)
{
    while (root[v] != v) v = root[v] = root[root[v]];
    return v;
}

/* Components of what is not taken out; numbered by their first vertex.  component_of: UINT32_MAX for what is out. */
static void find_components(hunt *h)
{
    const arrow_graph *g = h->g;
    arrow_parts *p = h->p;

    for (uint32_t v = 0; v < g->n; v++) h->root[v] = v;
    for (uint32_t v = 0; v < g->n; v++) {
        for (uint32_t e = g->start[v]; !h->out[v] && e < g->start[v + 1]; e++) {
            uint32_t u = g->neighbour[e], a, b;

            if (u > v) break;
            if (h->out[u]) continue;
            a = find(h->root, u);
            b = find(h->root, v);
            if (a != b) h->root[a > b ? a : b] = a > b ? b : a;
        }
    }
    p->components = 0;
    for (uint32_t v = 0; v < g->n; v++) {
        uint32_t r = h->out[v] ? v : find(h->root, v);

        p->component_of[v] = h->out[v] ? UINT32_MAX : r == v ? p->components++ : p->component_of[r];
    }
}

/* What was taken out but touches one component only belongs to it. */
static void put_back(hunt *h)
{
    const arrow_graph *g = h->g;
    uint32_t *of = h->p->component_of;

    for (uint32_t v = 0; v < g->n; v++) {
        uint32_t only = UINT32_MAX;
        bool several = false;

        for (uint32_t e = g->start[v]; h->out[v] && !several && e < g->start[v + 1]; e++) {
            uint32_t c = of[g->neighbour[e]];

            if (c == UINT32_MAX) continue;
            several = only != UINT32_MAX && c != only;
            only = c;
        }
        if (h->out[v] && !several && only != UINT32_MAX) {
            of[v] = only;
            h->out[v] = 0;
        }
    }
}

/* Vertices of each component, ascending, and ranks. */
static void list_vertices(hunt *h)
{
    arrow_parts *p = h->p;
    uint32_t n = h->g->n;

    p->links = 0;
    memset(p->start, 0, ((size_t)p->components + 1) * sizeof *p->start);
    for (uint32_t v = 0; v < n; v++) {
        if (h->out[v]) {
            p->rank[v] = p->links;
            p->link[p->links++] = v;
        } else {
            p->rank[v] = p->start[p->component_of[v] + 1]++;
        }
    }
    for (uint32_t c = 0; c < p->components; c++) p->start[c + 1] += p->start[c];
    for (uint32_t v = 0; v < n; v++)
        if (!h->out[v]) p->vertex[p->start[p->component_of[v]] + p->rank[v]] = v;
}

/* The pattern of a component as one number; equal ones are compared entry by entry before they count as alike. */
static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static uint64_t fingerprint(const hunt *h, uint32_t c)
{
    const arrow_parts *p = h->p;
    const arrow_graph *g = h->g;
    uint64_t hash = mix(p->start[c + 1] - p->start[c], p->border_start[c + 1] - p->border_start[c]);

    for (uint32_t b = p->border_start[c]; b < p->border_start[c + 1]; b++) h->mark[p->border[b]] = b - p->border_start[c];
    for (uint32_t i = p->start[c]; i < p->start[c + 1]; i++) {
        uint32_t v = p->vertex[i];

        hash = mix(hash, (uint64_t)(h->sign[v] > 0) << 32 | (g->start[v + 1] - g->start[v]));
        for (uint32_t e = g->start[v]; e < g->start[v + 1]; e++) {
            uint32_t u = g->neighbour[e];

            hash = mix(hash, h->out[u] ? (uint64_t)h->mark[p->rank[u]] << 32 : p->rank[u]);
        }
    }
    return hash;
}

/* Same pattern in order of index, links by their ranks in the border? */
static bool alike(const hunt *h, uint32_t a, uint32_t b)
{
    const arrow_parts *p = h->p;
    const arrow_graph *g = h->g;
    uint32_t size = p->start[a + 1] - p->start[a], border = p->border_start[a + 1] - p->border_start[a];

    if (p->start[b + 1] - p->start[b] != size || p->border_start[b + 1] - p->border_start[b] != border) return false;
    for (uint32_t i = 0; i < border; i++) {
        h->mark[p->border[p->border_start[a] + i]] = i;
        h->count[p->border[p->border_start[b] + i]] = i;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint32_t v = p->vertex[p->start[a] + i], w = p->vertex[p->start[b] + i];

        if (h->sign[v] != h->sign[w] || g->start[v + 1] - g->start[v] != g->start[w + 1] - g->start[w]) return false;
        for (uint32_t e = 0; e < g->start[v + 1] - g->start[v]; e++) {
            uint32_t s = g->neighbour[g->start[v] + e], t = g->neighbour[g->start[w] + e];

            if (h->out[s] != h->out[t]) return false;
            if (h->out[s] ? h->mark[p->rank[s]] != h->count[p->rank[t]] : p->rank[s] != p->rank[t]) return false;
        }
    }
    return true;
}

/* Links that each component touches: link after link, so that each list ascends.  Counted, then filled. */
static mgc_status list_borders(mgc_ctx *ctx, hunt *h)
{
    arrow_parts *p = h->p;
    const arrow_graph *g = h->g;
    uint32_t *at = h->count;

    memset(p->border_start, 0, ((size_t)p->components + 1) * sizeof *p->border_start);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t c = 0; c < p->components; c++) h->mark[c] = UINT32_MAX;
        for (uint32_t l = 0; l < p->links; l++)
            for (uint32_t e = g->start[p->link[l]]; e < g->start[p->link[l] + 1]; e++) {
                uint32_t c = p->component_of[g->neighbour[e]];

                if (c == UINT32_MAX || h->mark[c] == l) continue;
                h->mark[c] = l;
                if (pass == 0) p->border_start[c + 1]++;
                else p->border[at[c]++] = l;
            }
        for (uint32_t c = 0; pass == 0 && c < p->components; c++) {
            at[c] = p->border_start[c];
            p->border_start[c + 1] += p->border_start[c];
        }
        if (pass == 1) break;
        p->border = p->border_block = mgc__resize(ctx, NULL, p->border_start[p->components], sizeof *p->border);
        if (!p->border) return mgc__no_memory(ctx, "an elimination order");
    }
    return MGC_OK;
}

/* Components into groups; false where they are too many kinds. */
static bool find_groups(hunt *h)
{
    arrow_parts *p = h->p;
    uint64_t hash[GROUPS_MOST];

    p->groups = 0;
    for (uint32_t c = 0; c < p->components; c++) {
        uint32_t last = c > 0 ? p->group_of[c - 1] : 0, k = 0;
        uint64_t own;

        if (c > 0 && alike(h, p->first[last], c)) { /* scenarios follow one another */
            p->group_of[c] = last;
            continue;
        }
        own = fingerprint(h, c);
        while (k < p->groups && (hash[k] != own || !alike(h, p->first[k], c))) k++;
        if (k == GROUPS_MOST) return false;
        if (k == p->groups) {
            hash[k] = own;
            p->first[p->groups++] = c;
        }
        p->group_of[c] = k;
    }
    return true;
}

/* Most of the matrix must lie in components, of sizes that are worth it, and no single one may hold it all. */
static bool promising(const hunt *h)
{
    const arrow_parts *p = h->p;
    uint32_t largest = 0, n = h->g->n;

    if (p->components < h->least || p->links > n / 4) return false;
    for (uint32_t c = 0; c < p->components; c++)
        if (p->start[c + 1] - p->start[c] > largest) largest = p->start[c + 1] - p->start[c];
    return largest <= n / h->least;
}

/* Do groups of a few members hold most of the matrix? */
static bool mostly_alike(const hunt *h)
{
    const arrow_parts *p = h->p;
    uint64_t in_groups = 0;

    memset(h->count, 0, p->groups * sizeof *h->count);
    for (uint32_t c = 0; c < p->components; c++) h->count[p->group_of[c]]++;
    for (uint32_t c = 0; c < p->components; c++)
        if (h->count[p->group_of[c]] >= h->least) in_groups += p->start[c + 1] - p->start[c];
    return 2 * in_groups > h->g->n;
}

static mgc_status try_links(mgc_ctx *ctx, hunt *h, bool *found)
{
    uint32_t taken = 0;
    mgc_status st;

    for (uint32_t v = 0; v < h->g->n; v++) taken += h->out[v];
    *found = false;
    if (taken > h->g->n / 2) return MGC_OK;
    find_components(h);
    put_back(h);
    list_vertices(h);
    if (!promising(h)) return MGC_OK;
    mgc__free(ctx, h->p->border_block);
    h->p->border_block = NULL;
    st = list_borders(ctx, h);
    if (st == MGC_OK) *found = find_groups(h) && mostly_alike(h);
    return st;
}

/* Out: what is of no block and touches one. */
static void take_told(hunt *h, const uint32_t *block)
{
    const arrow_graph *g = h->g;

    for (uint32_t v = 0; v < g->n; v++) {
        h->out[v] = 0;
        for (uint32_t e = g->start[v]; block[v] == 0 && !h->out[v] && e < g->start[v + 1]; e++) h->out[v] = block[g->neighbour[e]] != 0;
    }
}

static mgc_status search(mgc_ctx *ctx, hunt *h, const uint32_t *block, bool by_pattern, bool *found)
{
    const arrow_graph *g = h->g;
    double mean = (double)g->start[g->n] / g->n;
    mgc_status st = MGC_OK;

    if (block) {
        h->least = by_pattern ? TOLD_LEAST : ALIKE_LEAST; /* a small matrix gains less */
        take_told(h, block);
        st = try_links(ctx, h, found);
    }
    if (st != MGC_OK || *found || !by_pattern) return st;
    h->least = ALIKE_LEAST;
    measure_spread(h);
    for (size_t t = 0; t < MGC__COUNT(spreads) && st == MGC_OK && !*found; t++) {
        take_spread(h, spreads[t]);
        st = try_links(ctx, h, found);
    }
    for (size_t t = 0; t < MGC__COUNT(degrees) && st == MGC_OK && !*found; t++) {
        for (uint32_t v = 0; v < g->n; v++) h->out[v] = g->start[v + 1] - g->start[v] > degrees[t] * mean;
        st = try_links(ctx, h, found);
    }
    return st;
}

/* Room for parts and for a search. */
static mgc_status begin(mgc_ctx *ctx, hunt *h)
{
    size_t n = h->g->n;
    arrow_parts *p = h->p;

    *p = (arrow_parts){0};
    p->block = mgc__alloc(ctx, 8 * n + 2, sizeof *p->block);
    h->spread = mgc__alloc(ctx, 5 * n, sizeof *h->spread);
    h->out = mgc__alloc(ctx, n, 1);
    if (!p->block || !h->spread || !h->out) return mgc__no_memory(ctx, "an elimination order");
    p->link = p->block;
    p->component_of = p->link + n;
    p->rank = p->component_of + n;
    p->vertex = p->rank + n;
    p->group_of = p->vertex + n;
    p->first = p->group_of + n;
    p->start = p->first + n;
    p->border_start = p->start + n + 1;
    h->position = h->spread + n;
    h->root = h->position + n;
    h->mark = h->root + n;
    h->count = h->mark + n;
    return MGC_OK;
}

static void end(mgc_ctx *ctx, hunt *h)
{
    mgc__free(ctx, h->spread);
    mgc__free(ctx, h->out);
}

mgc_status mgc__arrow_detect(mgc_ctx *ctx, const arrow_graph *g, const int8_t *sign, const uint32_t *block, bool by_pattern,
                             arrow_parts *p, bool *found)
{
    hunt h = {.g = g, .sign = sign, .p = p};
    mgc_status st;

    *found = false;
    *p = (arrow_parts){0};
    if (g->n == 0) return MGC_OK;
    st = begin(ctx, &h);
    if (st == MGC_OK) st = search(ctx, &h, block, by_pattern, found);
    end(ctx, &h);
    return st;
}

mgc_status mgc__arrow_take_out(mgc_ctx *ctx, const arrow_graph *g, const int8_t *sign, const uint8_t *taken, arrow_parts *p,
                               bool *found)
{
    hunt h = {.g = g, .sign = sign, .p = p};
    mgc_status st = begin(ctx, &h);

    *found = false;
    if (st == MGC_OK) {
        memcpy(h.out, taken, g->n);
        find_components(&h);
        list_vertices(&h);
        st = list_borders(ctx, &h);
    }
    if (st == MGC_OK) *found = find_groups(&h);
    end(ctx, &h);
    return st;
}
