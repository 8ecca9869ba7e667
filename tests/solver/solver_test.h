/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share. */
#ifndef SOLVER_TEST_H
#define SOLVER_TEST_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/base.h"
#include "mgchain/program.h"

static mgc_ctx *ctx;

static inline uint64_t test_clock(void *user)
{
    struct timespec t;

    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline void test_setup(void)
{
    mgc_ctx_opts o;

    mgc_ctx_opts_init(&o, sizeof o);
    o.now_ms = test_clock;
    ck_assert_int_eq(mgc_ctx_create(&o, &ctx), MGC_OK);
}

static inline void test_teardown(void)
{
    mgc_ctx_destroy(ctx);
}

struct text {
    char *s;
    size_t n;
};

static inline int32_t text_keep(void *user, const char *s, size_t n)
{
    struct text *t = user;

    t->s = realloc(t->s, t->n + n + 1);
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
    return MGC_CB_DONE;
}

/* What a command prints; NULL s where it prints nothing. */
static inline struct text text_of_command(const char *command)
{
    struct text t = {0};
    char piece[65536];
    size_t n;
    FILE *f = popen(command, "r");

    ck_assert_ptr_nonnull(f);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0) text_keep(&t, piece, n);
    pclose(f);
    return t;
}

/* A program of the published collection, unpacked; NULL s where it is not there. */
static inline struct text text_published(const char *kind, const char *name, const char *suffix)
{
    const char *root = getenv("MGC_TEST_PUBLISHED");
    char command[600];

    if (root == NULL) return (struct text){0};
    snprintf(command, sizeof command, "gzip -dc '%s/problems/%s/%s.%s.gz' 2>/dev/null", root, kind, name, suffix);
    return text_of_command(command);
}

/* A number that follows "name": in a flat JSON file of the collection; NAN where there is none. */
static inline double published_optimum(const char *kind, const char *name)
{
    const char *root = getenv("MGC_TEST_PUBLISHED");
    char path[600], key[100];
    double value = NAN;

    if (root == NULL) return NAN;
    snprintf(path, sizeof path, "cat '%s/problems/%s/expected.json'", root, kind);
    snprintf(key, sizeof key, "\"%s\":", name);
    struct text t = text_of_command(path);
    const char *at = t.s != NULL ? strstr(t.s, key) : NULL;
    if (at != NULL && sscanf(at + strlen(key), "%lf", &value) != 1) value = NAN;
    free(t.s);
    return value;
}

/* --- memory: a heap on which one allocation and all after it fail -------------------------------------------- */

struct heap {
    long until_fault, live, faults;
};

static inline bool heap_fails(struct heap *h)
{
    if (h->until_fault-- > 0) return false;
    h->faults++;
    return true;
}

static inline void *heap_alloc(void *user, size_t size)
{
    struct heap *h = user;

    if (heap_fails(h)) return NULL;
    h->live++;
    return malloc(size);
}

static inline void *heap_resize(void *user, void *block, size_t size)
{
    struct heap *h = user;

    if (heap_fails(h)) return NULL;
    h->live += block == NULL;
    return realloc(block, size);
}

static inline void heap_release(void *user, void *block)
{
    ((struct heap *)user)->live--;
    free(block);
}

/* Repeat work with the first fault one allocation later, until none is met: each time a clean status, nothing
 * leaked.  It must have met more than `least`, or the heap is not the one that work uses. */
static inline void check_every_allocation(mgc_status (*work)(mgc_allocator mem), long least)
{
    for (long k = 0;; k++) {
        struct heap heap = {.until_fault = k};
        mgc_allocator mem = {.alloc = heap_alloc, .resize = heap_resize, .release = heap_release, .user = &heap};
        mgc_status st = work(mem);

        ck_assert_msg(heap.live == 0, "fault %ld: %ld blocks leaked", k, heap.live);
        if (heap.faults == 0) {
            ck_assert_int_eq(st, MGC_OK);
            ck_assert_msg(k > least, "only %ld fault points: is the hook installed?", k);
            return;
        }
        ck_assert_msg(st == MGC_E_NO_MEMORY, "fault %ld: status %s", k, mgc_status_name(st));
    }
}

static inline int run_suite(const char *name, TCase *c)
{
    Suite *suite = suite_create(name);

    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
