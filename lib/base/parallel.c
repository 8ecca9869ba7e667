/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
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
