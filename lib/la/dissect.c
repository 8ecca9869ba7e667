/* SPDX-License-Identifier: Apache-2.0 */
/* Nested dissection (George 1973) of a sparse symmetric pattern: level sets of a breadth-first search give a first
 * vertex separator, moves of single vertices with hill climbing make it small (Fiduccia and Mattheyses 1982, for
 * vertices Ashcraft and Liu 1997).  Planning programs are long in time: their levels are its periods.
 *
 * Vertices of high degree (a day's carbon account, a decision that all scenarios share) would join everything to
 * everything; they are taken out first and eliminated last. */
#include "la/ldl_private.h"

#include <math.h>

enum {
    LEAF = 120,     /* smaller parts are left to minimum degree; chosen, not critical from 60 to 250 */
    CLIMB = 60,     /* moves without a better separator before a pass ends */
    PASSES = 4,
    LAST = 0        /* group of vertices not yet placed */
};

enum { SIDE_A, SIDE_B, CUT };

typedef struct dissection {
    uint32_t n;
    uint32_t *start, *neighbour; /* both triangles, no diagonal */
    uint32_t *group;             /* elimination group of each vertex, from 1; LAST: not placed */
    uint32_t groups;
    uint32_t *part;              /* which part under way a vertex belongs to */
    uint8_t *side, *locked;
    uint32_t *queue, *level, *list, *stack;
    uint32_t *undo;              /* vertex, old side */
} dissection;

static void count_sides(const dissection *d, const uint32_t *v, uint32_t n, uint32_t size[3])
{
    size[0] = size[1] = size[2] = 0;
    for (uint32_t i = 0; i < n; i++) size[d->side[v[i]]]++;
}

/* Breadth-first levels of a part from `root`; queue is filled, returns how many were reached. */
static uint32_t levels(dissection *d, uint32_t part, uint32_t root, uint32_t *depth)
{
    uint32_t head = 0, tail = 0;

    d->queue[tail++] = root;
    d->level[root] = 0;
    d->locked[root] = 1;
    while (head < tail) {
        uint32_t v = d->queue[head++];

        for (uint32_t e = d->start[v]; e < d->start[v + 1]; e++) {
            uint32_t u = d->neighbour[e];

            if (d->part[u] != part || d->locked[u]) continue;
            d->locked[u] = 1;
            d->level[u] = d->level[v] + 1;
            d->queue[tail++] = u;
        }
    }
    *depth = d->level[d->queue[tail - 1]] + 1;
    for (uint32_t i = 0; i < tail; i++) d->locked[d->queue[i]] = 0;
    return tail;
}

/* From a vertex far out (George and Liu 1979): a few searches, each from the end of the last. */
static uint32_t peripheral_levels(dissection *d, uint32_t part, uint32_t root, uint32_t *depth)
{
    uint32_t reached = levels(d, part, root, depth);

    for (uint32_t again = 0; again < 4; again++) {
        uint32_t deeper, last = d->queue[reached - 1];

        levels(d, part, last, &deeper);
        if (deeper <= *depth) break;
        *depth = deeper;
    }
    return reached;
}

/* The thinnest level in the middle third becomes the cut.  queue is sorted by level. */
static void cut_by_level(dissection *d, uint32_t n)
{
    uint32_t best = n, cut = d->level[d->queue[n / 2]];

    for (uint32_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && d->level[d->queue[j]] == d->level[d->queue[i]]; j++) continue;
        if (i < n / 3 || j > n - n / 3 || j - i >= best) continue;
        best = j - i;
        cut = d->level[d->queue[i]];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = d->queue[i];

        d->side[v] = d->level[v] < cut ? SIDE_A : d->level[v] > cut ? SIDE_B : CUT;
    }
}

/* Vertices that would enter the cut if v left it for `to`. */
static uint32_t pulled(const dissection *d, uint32_t part, uint32_t v, uint8_t to)
{
    uint32_t count = 0;

    for (uint32_t e = d->start[v]; e < d->start[v + 1]; e++)
        count += d->part[d->neighbour[e]] == part && d->side[d->neighbour[e]] == (to == SIDE_A ? SIDE_B : SIDE_A);
    return count;
}

/* Move v out of the cut; its neighbours on the far side enter it.  Every change goes to undo, from `at` on. */
static uint32_t move(dissection *d, uint32_t part, uint32_t v, uint8_t to, uint32_t size[3], uint32_t at)
{
    uint8_t far = to == SIDE_A ? SIDE_B : SIDE_A;

    d->undo[at++] = v;
    d->undo[at++] = CUT;
    d->side[v] = to;
    size[CUT]--;
    size[to]++;
    for (uint32_t e = d->start[v]; e < d->start[v + 1]; e++) {
        uint32_t u = d->neighbour[e];

        if (d->part[u] != part || d->side[u] != far) continue;
        d->undo[at++] = u;
        d->undo[at++] = far;
        d->side[u] = CUT;
        size[far]--;
        size[CUT]++;
    }
    return at;
}

/* The unlocked cut vertex whose move leaves the smallest cut without unbalancing the sides; n: none. */
static uint32_t best_move(const dissection *d, uint32_t part, const uint32_t *v, uint32_t n, const uint32_t size[3],
                          uint8_t *to)
{
    uint32_t best = UINT32_MAX, chosen = UINT32_MAX, least = (size[0] + size[1] + size[2]) / 4;

    for (uint32_t i = 0; i < n; i++) {
        if (d->side[v[i]] != CUT || d->locked[v[i]]) continue;
        for (uint8_t side = SIDE_A; side <= SIDE_B; side++) {
            uint32_t far = size[side == SIDE_A ? SIDE_B : SIDE_A], in = pulled(d, part, v[i], side), rank;

            if (far < in + least) continue;
            rank = 2 * in + (size[side] > far); /* of equal ones, the move to the smaller side */
            if (rank >= best) continue;
            best = rank;
            chosen = v[i];
            *to = side;
        }
    }
    return chosen;
}

/* Hill climbing: always the best move, also a bad one, each vertex once; back to the best cut seen. */
static bool improve(dissection *d, uint32_t part, uint32_t *v, uint32_t n)
{
    uint32_t size[3], best, at = 0, keep = 0, since = 0, candidates = 0, before;

    count_sides(d, v, n, size);
    before = best = size[CUT];
    for (uint32_t i = 0; i < n; i++)
        if (d->side[v[i]] == CUT) d->list[candidates++] = v[i];
    while (since++ < CLIMB) {
        uint8_t to = SIDE_A;
        uint32_t u = best_move(d, part, d->list, candidates, size, &to), from = at;

        if (u == UINT32_MAX || at + 2 * (d->start[u + 1] - d->start[u]) + 2 > 8 * d->n) break;
        d->locked[u] = 1;
        at = move(d, part, u, to, size, at);
        for (uint32_t k = from + 2; k < at; k += 2)
            if (!d->locked[d->undo[k]]) d->list[candidates++] = d->undo[k];
        if (candidates + 64 > 2 * d->n) break;
        if (size[CUT] >= best) continue;
        best = size[CUT];
        keep = at;
        since = 0;
    }
    while (at > keep) {
        at -= 2;
        d->side[d->undo[at]] = (uint8_t)d->undo[at + 1];
    }
    for (uint32_t i = 0; i < n; i++) d->locked[v[i]] = 0;
    return best < before;
}

/* One connected part, its vertices in queue[0..n): to a group of its own if small, else cut in two.  Groups are
 * numbered from the end of the elimination backwards: a cut is eliminated after what it separates. */
static void place(dissection *d, uint32_t part, uint32_t n, uint32_t depth, uint32_t *parts, uint32_t *v)
{
    uint32_t size[3], a, b, cut;

    memcpy(v, d->queue, n * sizeof *v);
    if (n > LEAF && depth > 4) {
        cut_by_level(d, n);
        for (uint32_t pass = 0; pass < PASSES; pass++)
            if (!improve(d, part, v, n)) break;
        count_sides(d, v, n, size);
        if (size[SIDE_A] > 0 && size[SIDE_B] > 0 && size[CUT] < n / 3) {
            a = ++*parts;
            b = ++*parts;
            cut = ++d->groups;
            for (uint32_t i = 0; i < n; i++) {
                if (d->side[v[i]] == CUT) {
                    d->group[v[i]] = cut;
                    d->part[v[i]] = 0;
                } else {
                    d->part[v[i]] = d->side[v[i]] == SIDE_A ? a : b;
                }
            }
            return;
        }
    }
    cut = ++d->groups;
    for (uint32_t i = 0; i < n; i++) {
        d->group[v[i]] = cut;
        d->part[v[i]] = 0;
    }
}

/* Vertices from `free` on, and those of degree above `limit`, last, as group 1; then parts until every vertex has
 * its group.  Depth first: stack holds one vertex of each part to do, so that later groups lie inside earlier ones.
 * */
static void dissect(dissection *d, uint32_t limit, uint32_t free)
{
    uint32_t parts = 1, *v = d->list + 2 * (size_t)d->n;

    d->groups = 1;
    for (uint32_t i = 0; i < d->n; i++) {
        bool dense = i >= free || d->start[i + 1] - d->start[i] > limit;

        d->group[i] = dense ? 1 : LAST;
        d->part[i] = dense ? 0 : 1;
        d->locked[i] = 0;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t top = 0;

        if (d->group[i] != LAST) continue;
        d->stack[top++] = i;
        while (top > 0) {
            uint32_t root = d->stack[top - 1], depth, reached;

            if (d->group[root] != LAST) {
                top--;
                continue;
            }
            reached = peripheral_levels(d, d->part[root], root, &depth);
            place(d, d->part[root], reached, depth, &parts, v);
            for (uint32_t k = 0; k < reached; k++) /* one root a side is enough; further pieces are found later */
                if (d->group[v[k]] == LAST && (top < 2 || d->part[v[k]] != d->part[d->stack[top - 1]]) &&
                    top + 1 < d->n)
                    d->stack[top++] = v[k];
        }
    }
}

static mgc_status build(mgc_ctx *ctx, const mgc__csc *k, dissection *d)
{
    size_t n = k->cols, edges = 2 * ((size_t)k->start[n] - n);
    uint32_t *block = mgc__alloc(ctx, 18 * n + 2 + edges, sizeof *block);
    uint8_t *bytes = mgc__alloc(ctx, 2 * n, sizeof *bytes);

    *d = (dissection){.n = k->cols, .start = block, .side = bytes};
    if (!block || !bytes) return mgc__no_memory(ctx, "an elimination order");
    d->locked = bytes + n;
    d->group = d->start + n + 2;
    d->part = d->group + n;
    d->queue = d->part + n;
    d->level = d->queue + n;
    d->stack = d->level + n;
    d->list = d->stack + n;  /* 3 n */
    d->undo = d->list + 3 * n; /* 8 n + room for one vertex' neighbours */
    d->neighbour = d->undo + 9 * n;
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            if (k->row[e] != j) {
                d->start[j + 2]++;
                d->start[k->row[e] + 2]++;
            }
    for (uint32_t j = 0; j < n; j++) d->start[j + 2] += d->start[j + 1];
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            if (k->row[e] != j) {
                d->neighbour[d->start[j + 1]++] = k->row[e];
                d->neighbour[d->start[k->row[e] + 1]++] = j;
            }
    return MGC_OK;
}

mgc_status mgc__order_dissect(mgc_ctx *ctx, const mgc__csc *k, double dense, uint32_t free, uint32_t *perm)
{
    dissection d;
    mgc_status st = build(ctx, k, &d);

    if (st == MGC_OK) {
        double mean = k->cols > 0 ? 2.0 * ((double)k->start[k->cols] / k->cols - 1.0) : 0.0;

        dissect(&d, (uint32_t)fmin(dense * mean, 2e9), free);
        for (uint32_t i = 0; i < d.n; i++) d.group[i] = d.groups - d.group[i]; /* the last found goes first */
        st = mgc__order_constrained(ctx, k, d.group, perm);
    }
    mgc__free(ctx, d.start);
    mgc__free(ctx, d.side);
    return st;
}
