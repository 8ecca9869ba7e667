/* SPDX-License-Identifier: Apache-2.0 */
/* An anchor: the iterates of one solve, kept apart, that any number of later solves of programs with the same matrix may
 * start from, on any core and any thread.  Branch and bound starts its nodes from the root's: what a node's answer is then
 * depends on the root and on its own bounds, not on what was solved before. */
#include "solver/ipm_private.h"

/* Branch and bound on planning programs: 0.3 and 3 take a tenth more iterations than 1. */
#define ANCHOR_PER_MU 1.0

struct mgc__ipm_anchor {
    mgc_ctx *ctx;
    uint32_t n, m;
    double cost_scale, mu[SNAPSHOTS];
    double *scale;    /* n + m */
    double *iterates; /* as mgc__ipm.snapshots */
};

void mgc__ipm_anchor_destroy(mgc__ipm_anchor *anchor)
{
    if (!anchor) return;
    mgc__free(anchor->ctx, anchor->scale);
    mgc__free(anchor->ctx, anchor->iterates);
    mgc__free(anchor->ctx, anchor);
}

/* What the last solve left.  It began cold: snapshots and scale belong together. */
mgc_status mgc__ipm_anchor_create(mgc_ctx *ctx, const mgc__ipm *ipm, mgc__ipm_anchor **out)
{
    size_t size = SNAPSHOTS * mgc__ipm_snapshot_size(ipm->count);
    mgc__ipm_anchor *anchor = mgc__alloc(ctx, 1, sizeof *anchor);

    *out = anchor;
    if (!anchor) return mgc__no_memory(ctx, "an anchor");
    *anchor = (mgc__ipm_anchor){.ctx = ctx, .n = ipm->n, .m = ipm->m, .cost_scale = ipm->cost_scale};
    anchor->scale = mgc__alloc(ctx, ipm->count, sizeof *anchor->scale);
    anchor->iterates = mgc__alloc(ctx, size, sizeof *anchor->iterates);
    if (!anchor->scale || !anchor->iterates) return mgc__no_memory(ctx, "an anchor");
    memcpy(anchor->mu, ipm->snapshot_mu, sizeof anchor->mu);
    memcpy(anchor->scale, ipm->scale, ipm->count * sizeof *anchor->scale);
    memcpy(anchor->iterates, ipm->snapshots, size * sizeof *anchor->iterates);
    return MGC_OK;
}

/* Is the anchor's scale that of this matrix, but for the balance of primal and dual quantities?  Powers of two compare
 * exactly. */
static bool scale_fits(const mgc__ipm *ipm, const double *scale)
{
    double balance = ipm->n > 0 ? scale[0] / ipm->ruiz[0] : ipm->m > 0 ? ipm->ruiz[0] / scale[0] : 1.0;

    for (uint32_t j = 0; j < ipm->n; j++)
        if (scale[j] != ipm->ruiz[j] * balance) return false;
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        if (scale[i] * balance != ipm->ruiz[i]) return false;
    return true;
}

/* Load the program in the anchor's scale and stand on the iterate that the change allows; false: none does. */
bool mgc__ipm_start_anchored(mgc__ipm *ipm, const mgc__ipm_anchor *anchor)
{
    if (!anchor || anchor->n != ipm->n || anchor->m != ipm->m || !scale_fits(ipm, anchor->scale)) return false;
    memcpy(ipm->scale, anchor->scale, ipm->count * sizeof *ipm->scale);
    ipm->cost_scale = anchor->cost_scale;
    ipm->loaded = false;
    mgc__ipm_load(ipm, AS_GIVEN, true);
    double *own = ipm->snapshots;
    ipm->snapshots = anchor->iterates; /* read only */
    memcpy(ipm->snapshot_mu, anchor->mu, sizeof ipm->snapshot_mu);
    bool started = mgc__ipm_start_warm(ipm, ANCHOR_PER_MU, true);
    ipm->snapshots = own;
    mgc__ipm_forget(ipm); /* its own are of another scale */
    return started;
}

/* --- as bytes ---------------------------------------------------------------------------------------------------- */

/* header, scale (n + m), then for each level that was kept: its index and mu, six vectors (n + m).  Numbers as the machine
 * has them: `order` tells whether they can be read here. */
typedef struct anchor_header {
    char magic[8];
    uint32_t version, order, n, m, levels, reserved;
    double cost_scale;
    uint64_t sum; /* of all that follows */
} anchor_header;

enum { ANCHOR_VERSION = 1, ANCHOR_ORDER = 0x01020304, LEVEL_WORDS = 2 };
static const char MAGIC[8] = "MGCSTART";

/* FNV-1a on words of eight bytes: it finds accidents. */
static uint64_t sum_of(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 14695981039346656037u, word;

    for (size_t at = 0; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        sum = (sum ^ word) * 1099511628211u;
    }
    return sum;
}

static size_t bytes_of(uint64_t count, uint32_t levels)
{
    return sizeof(anchor_header) + (count + levels * (LEVEL_WORDS + mgc__ipm_snapshot_size(count))) * sizeof(double);
}

size_t mgc__ipm_start_size(const mgc__ipm *ipm)
{
    uint32_t levels = 0;

    for (uint32_t k = 0; k < SNAPSHOTS; k++) levels += ipm->snapshot_mu[k] > 0.0;
    return levels > 0 ? bytes_of(ipm->count, levels) : 0;
}

bool mgc__ipm_start_fits(const mgc__ipm *ipm, uint32_t n, uint32_t m)
{
    return ipm->analysed && ipm->n == n && ipm->m == m;
}

void mgc__ipm_start_write(const mgc__ipm *ipm, uint8_t *bytes)
{
    size_t level = mgc__ipm_snapshot_size(ipm->count), at = sizeof(anchor_header), size = mgc__ipm_start_size(ipm);
    anchor_header h = {.version = ANCHOR_VERSION, .order = ANCHOR_ORDER, .n = ipm->n, .m = ipm->m,
                       .cost_scale = ipm->cost_scale};

    memcpy(h.magic, MAGIC, sizeof h.magic);
    memcpy(bytes + at, ipm->scale, ipm->count * sizeof(double));
    at += ipm->count * sizeof(double);
    for (uint32_t k = 0; k < SNAPSHOTS; k++) {
        double head[LEVEL_WORDS] = {(double)k, ipm->snapshot_mu[k]};

        if (!(head[1] > 0.0)) continue;
        h.levels++;
        memcpy(bytes + at, head, sizeof head);
        memcpy(bytes + at + sizeof head, ipm->snapshots + k * level, level * sizeof(double));
        at += sizeof head + level * sizeof(double);
    }
    h.sum = sum_of(bytes + sizeof h, size - sizeof h);
    memcpy(bytes, &h, sizeof h);
}

/* Every number is one, and slacks and multipliers have the sign that the method needs. */
static bool level_is_sane(const double *v, size_t count)
{
    for (size_t i = 0; i < mgc__ipm_snapshot_size(count); i++) {
        bool slack = i >= 2 * count && i < 4 * count, multiplier = i >= 4 * count;

        if (!(fabs(v[i]) < 1e100) || (slack && !(v[i] > 0.0)) || (multiplier && !(v[i] >= 0.0))) return false;
    }
    return true;
}

static bool read_levels(mgc__ipm_anchor *anchor, const anchor_header *h, const uint8_t *bytes)
{
    size_t count = (size_t)h->n + h->m, level = mgc__ipm_snapshot_size(count);

    memcpy(anchor->scale, bytes, count * sizeof(double));
    bytes += count * sizeof(double);
    for (size_t i = 0; i < count; i++)
        if (!(anchor->scale[i] > 1e-60 && anchor->scale[i] < 1e60)) return false;
    for (uint32_t k = 0; k < h->levels; k++, bytes += level * sizeof(double)) {
        double head[LEVEL_WORDS];

        memcpy(head, bytes, sizeof head);
        bytes += sizeof head;
        if (!(head[0] >= 0.0 && head[0] < SNAPSHOTS) || !(head[1] > 0.0 && head[1] < 1e100)) return false;
        anchor->mu[(uint32_t)head[0]] = head[1];
        memcpy(anchor->iterates + (uint32_t)head[0] * level, bytes, level * sizeof(double));
        if (!level_is_sane(anchor->iterates + (uint32_t)head[0] * level, count)) return false;
    }
    return true;
}

mgc_status mgc__ipm_anchor_read(mgc_ctx *ctx, uint32_t n, uint32_t m, const uint8_t *bytes, size_t size, mgc__ipm_anchor **out)
{
    size_t count = (size_t)n + m;
    anchor_header h;
    mgc__ipm_anchor *anchor;

    *out = NULL;
    if (size < sizeof h) return mgc__fail(ctx, MGC_E_TRUNCATED, "solver: a start has %zu bytes; its head alone has %zu", size, sizeof h);
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof h.magic) != 0 || h.order != ANCHOR_ORDER || h.version != ANCHOR_VERSION)
        return mgc__fail(ctx, MGC_E_VERSION, "solver: these bytes are no start that this library and machine can read");
    if (h.n != n || h.m != m)
        return mgc__fail(ctx, MGC_E_WRONG_LENGTH, "solver: a start for %u columns and %u rows; the program has %u and %u", h.n, h.m,
                         n, m);
    if (h.levels == 0 || h.levels > SNAPSHOTS || size != bytes_of(count, h.levels) ||
        h.sum != sum_of(bytes + sizeof h, size - sizeof h) || !(h.cost_scale > 1e-100 && h.cost_scale < 1e100))
        return mgc__fail(ctx, MGC_E_CORRUPT, "solver: the bytes of a start are damaged");
    *out = anchor = mgc__alloc(ctx, 1, sizeof *anchor);
    if (!anchor) return mgc__no_memory(ctx, "a start");
    *anchor = (mgc__ipm_anchor){.ctx = ctx, .n = n, .m = m, .cost_scale = h.cost_scale};
    anchor->scale = mgc__alloc(ctx, count, sizeof *anchor->scale);
    anchor->iterates = mgc__alloc(ctx, SNAPSHOTS * mgc__ipm_snapshot_size(count), sizeof *anchor->iterates);
    if (!anchor->scale || !anchor->iterates) return mgc__no_memory(ctx, "a start");
    if (!read_levels(anchor, &h, bytes + sizeof h))
        return mgc__fail(ctx, MGC_E_CORRUPT, "solver: a start holds numbers that no solve leaves");
    return MGC_OK;
}
