/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/base.h"

enum { THREADS_MAX = 256 };

struct work {
    void (*task)(void *user, size_t i);
    void *user;
    size_t n;
    _Atomic size_t next;
};

static void *worker(void *arg)
{
    struct work *work = arg;

    for (;;) {
        size_t i = atomic_fetch_add(&work->next, 1);
        if (i >= work->n) return NULL;
        work->task(work->user, i);
    }
}

void mgc__parallel(uint32_t threads, size_t n, void (*task)(void *user, size_t i), void *user)
{
    struct work work = {.task = task, .user = user, .n = n};
    pthread_t thread[THREADS_MAX];
    size_t started = 0;

    if (threads > THREADS_MAX) threads = THREADS_MAX;
    atomic_init(&work.next, 0);
    while (started + 1 < threads && started + 1 < n) {
        if (pthread_create(&thread[started], NULL, worker, &work) != 0) break; /* fewer threads do the same work */
        started++;
    }
    worker(&work);
    for (size_t i = 0; i < started; i++) pthread_join(thread[i], NULL);
}

/* --- a kept pool --------------------------------------------------------------------------------------------------
 *
 * Items are dealt out in runs, one for each thread, so that a thread meets the same items again in the next call and finds
 * them in its cache; who is done helps the others.  A run is one word, claimed by compare-and-swap: the number of the call,
 * the next item, the end.  Whoever claims an item knows that its call is not over, so the task may be read. */

/* Looks at a word before a thread lies down: some 25 microseconds of looking, then some 200 between which whoever else wants the
 * core gets it.  To wake a thread takes 50, and work that is shared out in pieces of 100 has it wait for others as long. */
enum { LOOKS = 1000, PATIENT_LOOKS = 400, ITEMS_MAX = 65535 };

typedef struct run {
    _Alignas(64) _Atomic uint64_t word; /* call << 32 | next << 16 | end */
} run;

typedef struct seat {
    struct mgc__pool *pool;
    uint32_t index;
    pthread_t thread;
} seat;

struct mgc__pool {
    mgc_ctx *ctx;
    uint32_t threads; /* that there are, the caller's among them */
    seat *seat;
    run *runs;
    void *block;
    void (*task)(void *user, size_t i);
    void *user;
    _Alignas(64) _Atomic uint32_t call; /* counts up with each call; the last one ends the threads */
    _Atomic bool ending;
    _Atomic uint32_t asleep, caller_waits;
    _Alignas(64) _Atomic uint32_t left; /* items of this call that are not done */
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool claim(run *r, size_t *i)
{
    uint64_t word = atomic_load_explicit(&r->word, memory_order_acquire);

    while ((word >> 16 & 0xffff) < (word & 0xffff)) {
        if (!atomic_compare_exchange_weak_explicit(&r->word, &word, word + 0x10000, memory_order_acq_rel,
                                                   memory_order_acquire)) continue;
        *i = word >> 16 & 0xffff;
        return true;
    }
    return false;
}

/* All items that are left: of the thread's own run first. */
static void work_off(mgc__pool *pool, uint32_t index)
{
    size_t i;

    for (uint32_t k = 0; k < pool->threads; k++) {
        run *r = &pool->runs[(index + k) % pool->threads];

        while (claim(r, &i)) {
            pool->task(pool->user, i);
            if (atomic_fetch_sub(&pool->left, 1) != 1 || atomic_load(&pool->caller_waits) == 0) continue;
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->end);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

/* Until the word is the value, or is not; false: not yet. */
static bool look_for(const _Atomic uint32_t *word, uint32_t value, bool equal)
{
    for (uint32_t look = 0; look < LOOKS + PATIENT_LOOKS; look++) {
        if ((atomic_load(word) == value) == equal) return true;
        if (look < LOOKS) relax();
        else sched_yield();
    }
    return false;
}

static void wait_for_call(mgc__pool *pool, uint32_t seen)
{
    if (look_for(&pool->call, seen, false)) return;
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->asleep, 1); /* before the look that decides: who calls looks at it afterwards */
    while (atomic_load(&pool->call) == seen) pthread_cond_wait(&pool->begin, &pool->lock);
    atomic_fetch_sub(&pool->asleep, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *serve(void *arg)
{
    seat *own = arg;
    mgc__pool *pool = own->pool;
    uint32_t seen = 0;

    for (;;) {
        wait_for_call(pool, seen);
        seen = atomic_load(&pool->call);
        if (atomic_load(&pool->ending)) return NULL;
        work_off(pool, own->index);
    }
}

static void announce(mgc__pool *pool)
{
    atomic_fetch_add(&pool->call, 1);
    if (atomic_load(&pool->asleep) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
}

static void wait_for_end(mgc__pool *pool)
{
    if (look_for(&pool->left, 0, true)) return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_waits, 1);
    while (atomic_load(&pool->left) != 0) pthread_cond_wait(&pool->end, &pool->lock);
    atomic_store(&pool->caller_waits, 0);
    pthread_mutex_unlock(&pool->lock);
}

mgc_status mgc__pool_create(mgc_ctx *ctx, uint32_t threads, mgc__pool **out)
{
    mgc__pool *pool;
    void *block;

    *out = NULL;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads < 2) return MGC_OK;
    block = mgc__alloc(ctx, 1, sizeof *pool + threads * (sizeof(run) + sizeof(seat)) + 64);
    if (!block) return mgc__no_memory(ctx, "threads");
    pool = (mgc__pool *)(((uintptr_t)block + 63) / 64 * 64);
    pool->block = block;
    pool->ctx = ctx;
    pool->runs = (run *)(pool + 1);
    pool->seat = (seat *)(pool->runs + threads);
    pool->threads = 1;
    if (pthread_mutex_init(&pool->lock, NULL) != 0) return mgc__free(ctx, block), MGC_OK; /* one thread does the same */
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    for (uint32_t k = 1; k < threads; k++) {
        seat *own = &pool->seat[k];

        *own = (seat){.pool = pool, .index = k};
        if (pthread_create(&own->thread, NULL, serve, own) != 0) break; /* fewer threads do the same work */
        pool->threads = k + 1; /* read by others only once there is a call */
    }
    *out = pool;
    return MGC_OK;
}

void mgc__pool_destroy(mgc__pool *pool)
{
    if (!pool) return;
    atomic_store(&pool->ending, true);
    announce(pool);
    for (uint32_t k = 1; k < pool->threads; k++) pthread_join(pool->seat[k].thread, NULL);
    pthread_cond_destroy(&pool->begin);
    pthread_cond_destroy(&pool->end);
    pthread_mutex_destroy(&pool->lock);
    mgc__free(pool->ctx, pool->block);
}

void mgc__pool_run(mgc__pool *pool, size_t n, void (*task)(void *user, size_t i), void *user)
{
    uint64_t call;

    assert(n <= ITEMS_MAX);
    if (!pool || pool->threads < 2 || n < 2) {
        for (size_t i = 0; i < n; i++) task(user, i);
        return;
    }
    pool->task = task;
    pool->user = user;
    atomic_store(&pool->left, (uint32_t)n);
    call = atomic_load(&pool->call) + 1;
    for (uint32_t k = 0; k < pool->threads; k++) {
        uint64_t first = n * k / pool->threads, end = n * (k + 1) / pool->threads;

        atomic_store_explicit(&pool->runs[k].word, call << 32 | first << 16 | end, memory_order_release);
    }
    announce(pool);
    work_off(pool, 0);
    wait_for_end(pool);
}
