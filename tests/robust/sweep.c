/* SPDX-License-Identifier: Apache-2.0 */
/* Run something with the first allocation failing, then with the second, and so on until none fails. */
#include "suites.h"

typedef struct meter {
    uint64_t calls, fail_at, live;
} meter;

static void *metered_alloc(void *user, size_t size)
{
    meter *m = user;

    if (++m->calls == m->fail_at) return NULL;
    m->live++;
    return malloc(size);
}

static void *metered_resize(void *user, void *block, size_t size)
{
    meter *m = user;

    if (++m->calls == m->fail_at) return NULL;
    m->live += block == NULL;
    return realloc(block, size);
}

static void metered_release(void *user, void *block)
{
    ((meter *)user)->live--;
    free(block);
}

void sweep_allocations(mgc_status (*run)(mgc_ctx *ctx, uint32_t variant), uint32_t variant)
{
    for (uint64_t at = 1;; at++) {
        meter m = {.fail_at = at};
        mgc_allocator mem = {metered_alloc, metered_resize, metered_release, &m};
        mgc_ctx_opts o;
        mgc_ctx *ctx = NULL;
        mgc_ctx_opts_init(&o, sizeof o);
        o.allocator = &mem;
        mgc_status st = mgc_ctx_create(&o, &ctx);
        if (st == MGC_OK) st = run(ctx, variant);
        mgc_ctx_destroy(ctx);
        ck_assert_msg(m.live == 0, "variant %u, allocation %d: %d blocks left", variant, (int)at, (int)m.live);
        if (m.calls < at) {
            ck_assert_int_eq(st, MGC_OK);
            break;
        }
        ck_assert_msg(st == MGC_E_NO_MEMORY, "variant %u, allocation %d: %s", variant, (int)at, mgc_status_name(st));
    }
}
