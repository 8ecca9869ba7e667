/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a run for all members, on one process or several (tape.h). */
#include "bargain/alliance.h"

enum { LATE = 1, STOP = 2 };

typedef struct part {
    mgc__run *run;
    size_t n;
    void (*task)(void *user, size_t i);
    void *user;
} part;

bool mgc__run_shared(const mgc__run *run)
{
    return run->opts.processes > 1;
}

bool mgc__run_owns(const mgc__run *run, size_t member)
{
    return !mgc__run_shared(run) || member % run->opts.processes == run->opts.process;
}

mgc_status mgc__run_make_tapes(mgc__run *run, size_t n)
{
    if (!mgc__run_shared(run)) return MGC_OK;
    run->tape = mgc__alloc(run->ctx, n, sizeof *run->tape);
    if (run->tape == NULL) return mgc__no_memory(run->ctx, "bargain: what processes tell each other");
    run->tapes = n;
    mgc__buf_init(&run->told, run->ctx, SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        run->tape[i].plays = !mgc__run_owns(run, i);
        mgc__buf_init(&run->tape[i].buf, run->ctx, SIZE_MAX);
    }
    return MGC_OK;
}

void mgc__run_free_tapes(mgc__run *run)
{
    for (size_t i = 0; i < run->tapes; i++) mgc__buf_free(&run->tape[i].buf);
    if (run->tapes > 0) mgc__buf_free(&run->told);
    mgc__free(run->ctx, run->tape);
    run->tape = NULL;
    run->tapes = 0;
}

/* With several processes all must be late, or stopped, at the same step: what one sees is told with its answers. */
bool mgc__run_late(mgc__run *run)
{
    bool late = run->deadline_ms != 0 && mgc__now_ms(run->ctx) >= run->deadline_ms;

    if (mgc__run_shared(run)) run->sees_late |= late;
    else run->late |= late;
    return run->late;
}

static void own_task(void *user, size_t k)
{
    const part *p = user;

    p->task(p->user, k * p->run->opts.processes + p->run->opts.process);
}

static void other_task(void *user, size_t i)
{
    const part *p = user;

    if (!mgc__run_owns(p->run, i)) p->task(p->user, i);
}

static mgc_status write_own(mgc__run *run, size_t n)
{
    uint8_t flags;

    mgc__run_late(run);
    flags = (uint8_t)((run->sees_late ? LATE : 0) | (run->wants_stop ? STOP : 0));
    run->told.len = 0;
    mgc__buf_put(&run->told, &flags, 1);
    for (size_t i = run->opts.process; i < n; i += run->opts.processes) {
        uint64_t len = run->tape[i].buf.len;
        mgc__buf_put(&run->told, &len, sizeof len);
        if (len > 0) mgc__buf_put(&run->told, run->tape[i].buf.bytes, (size_t)len);
    }
    return run->told.status == MGC_OK ? MGC_OK : mgc__no_memory(run->ctx, "bargain: what processes tell each other");
}

static bool read_process(mgc__run *run, size_t n, uint32_t process, const uint8_t *at, size_t left)
{
    if (left < 1) return false;
    run->late |= (*at & LATE) != 0;
    run->stopped |= (*at & STOP) != 0;
    at++, left--;
    for (size_t i = process; i < n; i += run->opts.processes) {
        uint64_t len;
        if (left < sizeof len) return false;
        memcpy(&len, at, sizeof len);
        at += sizeof len, left -= sizeof len;
        if (len > left) return false;
        run->tape[i].at = at;
        run->tape[i].left = (size_t)len;
        at += len, left -= (size_t)len;
    }
    return left == 0;
}

static mgc_status exchange(mgc__run *run, size_t n)
{
    const uint8_t *all = NULL;
    const size_t *len = NULL;
    mgc_status st = write_own(run, n);

    if (st != MGC_OK) return st;
    st = mgc__verdict(run->opts.exchange(run->opts.exchange_user, run->told.bytes, run->told.len, &all, &len));
    if (st == MGC_OK && (all == NULL || len == NULL)) st = MGC_E_CALLBACK;
    if (st != MGC_OK)
        return mgc__fail(run->ctx, st, "bargain: the exchange between processes answered %s", mgc_status_name(st));
    for (uint32_t p = 0; p < run->opts.processes; p++) {
        if (!read_process(run, n, p, all, len[p]))
            return mgc__fail(run->ctx, MGC_E_MESSAGE, "bargain: process %u told %zu bytes that are not of this step; the same model, "
                             "options and library must be at all", p, len[p]);
        all += len[p];
    }
    return MGC_OK;
}

mgc_status mgc__run_everyone(mgc__run *run, size_t n, void (*task)(void *user, size_t i), void *user)
{
    part p = {run, n, task, user};
    size_t own;
    mgc_status st;

    if (!mgc__run_shared(run)) {
        mgc__parallel(run->opts.threads, n, task, user);
        return MGC_OK;
    }
    for (size_t i = 0; i < n; i++) run->tape[i].buf.len = 0;
    own = n > run->opts.process ? (n - run->opts.process + run->opts.processes - 1) / run->opts.processes : 0;
    mgc__parallel(run->opts.threads, own, own_task, &p);
    st = exchange(run, n);
    if (st == MGC_OK) mgc__parallel(run->opts.threads, n, other_task, &p);
    return st;
}
