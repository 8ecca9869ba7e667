/* SPDX-License-Identifier: Apache-2.0 */
#include "bargain/tape.h"

#include "robust/robust.h"

/* Of one answer.  In the machine's own form: the processes of one run are alike. */
typedef struct head {
    uint32_t status, has_y;
    uint64_t n, m; /* numbers that follow: x, y */
    mgc_twostage_info info;
} head;

mgc_status mgc__tape_record(mgc__tape *tape, mgc_twostage *ts, mgc_status solved, const mgc_twostage_info *info, bool complete,
                            size_t some)
{
    const mgc__ts_result *r = &ts->result;
    head h;

    memset(&h, 0, sizeof h);
    h.status = (uint32_t)-solved;
    if (solved == MGC_OK) h.info = *info;
    if (solved == MGC_OK && r->has_x) h.n = complete ? r->n : some;
    if (solved == MGC_OK && r->has_y && complete) h.m = r->m;
    mgc__buf_put(&tape->buf, &h, sizeof h);
    if (h.n > 0) mgc__buf_put(&tape->buf, r->x, (size_t)h.n * sizeof *r->x);
    if (h.m > 0) mgc__buf_put(&tape->buf, r->y, (size_t)h.m * sizeof *r->y);
    return solved == MGC_OK ? tape->buf.status : solved;
}

static bool take(mgc__tape *tape, void *into, size_t len)
{
    if (tape->left < len) return false;
    if (len > 0) memcpy(into, tape->at, len);
    tape->at += len;
    tape->left -= len;
    return true;
}

mgc_status mgc__tape_play(mgc_ctx *ctx, mgc__tape *tape, mgc_twostage *ts, mgc_twostage_info *info)
{
    head h;
    mgc_status st;
    bool good = take(tape, &h, sizeof h) && h.n <= ts->n && h.m <= ts->m;

    if (good && h.status != 0)
        return mgc__fail(ctx, -(mgc_status)h.status, "bargain: another process could not solve a member's program");
    if (good && (st = mgc__ts_answer(ts, &h.info)) != MGC_OK) return st;
    if (good)
        good = take(tape, ts->result.x, (size_t)h.n * sizeof(double)) && take(tape, ts->result.y, (size_t)h.m * sizeof(double));
    if (!good)
        return mgc__fail(ctx, MGC_E_MESSAGE, "bargain: the processes of a run are not at the same point; the same model, options and "
                         "library must be at all");
    ts->result.has_x = h.n > 0;
    ts->result.has_y = h.m > 0;
    *info = h.info;
    return MGC_OK;
}
