/* SPDX-License-Identifier: Apache-2.0 */
/* A run on several processes (lib/bargain/share.c), here threads with contexts of their own: every one ends with the bytes that one
 * process alone ends with, on/off decisions, better prices, cases and other plans included. */
#include <pthread.h>
#include <stdio.h>

#include "base/base.h"
#include "towns.h"

enum { MOST = 5 };

/* Where the bytes of all meet. */
typedef struct fair {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    uint32_t n, here;
    uint64_t turn;
    const uint8_t *bytes[MOST];
    size_t len[MOST];
    bool spoil; /* the last process' bytes lose their end */
} fair;

typedef struct process {
    fair *f;
    uint32_t at;
    int stop_after; /* calls of progress; 0: never */
    const mgc_alliance_opts *opts;
    uint8_t *all; /* what it was told last */
    size_t lengths[MOST];
    uint64_t result, exchanges;
    mgc_status status;
    mgc_alliance_info info;
} process;

static int32_t meet(void *user, const uint8_t *bytes, size_t len, const uint8_t **all, const size_t **lengths)
{
    process *p = user;
    fair *f = p->f;
    size_t total = 0;

    pthread_mutex_lock(&f->lock);
    uint64_t turn = f->turn;
    f->bytes[p->at] = bytes;
    f->len[p->at] = f->spoil && p->at == f->n - 1 ? len - 1 : len;
    if (++f->here == f->n) f->here = 0, f->turn++, pthread_cond_broadcast(&f->turned);
    while (f->turn == turn) pthread_cond_wait(&f->turned, &f->lock);
    for (uint32_t i = 0; i < f->n; i++) total += f->len[i];
    p->all = realloc(p->all, total);
    total = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        memcpy(p->all + total, f->bytes[i], f->len[i]);
        total += p->lengths[i] = f->len[i];
    }
    turn = f->turn; /* nobody goes on, and changes its bytes, before all have read them */
    if (++f->here == f->n) f->here = 0, f->turn++, pthread_cond_broadcast(&f->turned);
    while (f->turn == turn) pthread_cond_wait(&f->turned, &f->lock);
    pthread_mutex_unlock(&f->lock);
    p->exchanges++;
    *all = p->all;
    *lengths = p->lengths;
    return MGC_CB_DONE;
}

static int32_t stop_soon(void *user, const mgc_alliance_progress *progress)
{
    process *p = user;

    (void)progress;
    return p->stop_after > 0 && --p->stop_after == 0 ? MGC_CB_STOP : MGC_CB_DONE;
}

/* A unit whose fixed cost makes one unit at full load cheaper than two at half load: prices alone prove little. */
static mgc_status add_unit(mgc_microgrid *site)
{
    mgc_device *device;
    mgc_status st = mgc_microgrid_add_device(site, "chp", "unit", &device);

    if (st == MGC_OK) st = mgc_device_set_number(device, "min_power_kw", 40);
    if (st == MGC_OK) st = mgc_device_set_number(device, "max_power_kw", 120);
    if (st == MGC_OK) st = mgc_device_set_number(device, "electric_efficiency", 0.4);
    if (st == MGC_OK) st = mgc_device_set_number(device, "no_load_fuel_kw", 60);
    return st == MGC_OK ? mgc_device_set_number(device, "startup_cost", 2) : st;
}

/* The towns of towns.h, whose macros report to one context: built one process after the other. */
static mgc_model *build(mgc_ctx *own)
{
    mgc_model *m;
    mgc_link *link;

    ctx = own;
    m = market();
    OK(mgc_model_set_number(m, "gas_price_per_kwh", 0.05));
    for (int i = 0; i < TOWNS; i++) {
        mgc_microgrid *site = town(m, i);
        if (i != 1) OK(add_unit(site));
        OK(mgc_microgrid_set_ambiguity(site, "norm1", "radius", 0.3, 0, NULL));
    }
    for (int i = 0; i < TOWNS; i++) {
        OK(mgc_model_add_link(m, ids[i], ids[(i + 1) % TOWNS], "electricity", &link));
        OK(mgc_link_set_number(link, "capacity_kw", 90));
        OK(mgc_link_set_number(link, "fee_per_kwh", 0.004));
    }
    return m;
}

static uint64_t hash(uint64_t h, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t hash_plan(uint64_t h, const mgc_alliance *a, uint32_t together)
{
    static const char *const numbers[] = {"cost", "first_stage_cost", "emission_kg", "renewable_used_kwh"};
    const mgc_plan *plan;
    double p[SCENARIOS], x;

    if (mgc_alliance_get_plan(a, together, &plan) != MGC_OK) return h;
    for (size_t i = 0; i < TOWNS; i++) {
        for (size_t k = 0; k < MGC__COUNT(numbers); k++)
            if (mgc_plan_get_number(plan, ids[i], numbers[k], &x) == MGC_OK) h = hash(h, &x, sizeof x);
        if (mgc_plan_get_probability(plan, ids[i], p, SCENARIOS) == MGC_OK) h = hash(h, p, sizeof p);
    }
    return h;
}

/* Everything in a result but the time. */
static uint64_t hash_result(const mgc_alliance *a)
{
    mgc_alliance_info info = {.struct_size = sizeof info};
    uint64_t h = UINT64_C(14695981039346656037);
    const uint8_t *bytes;
    size_t len;

    if (mgc_alliance_get_info(a, &info) != MGC_OK) return 0;
    info.seconds_alone = info.seconds_trade = info.seconds_pay = info.seconds_bound = 0;
    h = hash(h, &info, sizeof info);
    for (uint32_t i = 0; i < info.members; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(a, i, &m) != MGC_OK) return 0;
        m.id = NULL;
        h = hash(h, &m, sizeof m);
    }
    for (uint32_t i = 0; i < info.trades; i++) {
        mgc_trade t = {.struct_size = sizeof t};
        if (mgc_alliance_get_trade(a, i, &t) != MGC_OK) return 0;
        h = hash(h, t.sent_kw, t.periods * sizeof(double));
        h = hash(h, t.price_per_kwh, t.periods * sizeof(double));
    }
    if (mgc_alliance_get_state(a, &bytes, &len) == MGC_OK) h = hash(h, bytes, len);
    h = hash_plan(h, a, MGC_DISPATCH_ALONE);
    h = hash_plan(h, a, MGC_DISPATCH_ALLIANCE);
    return hash(h, mgc_alliance_reason(a), strlen(mgc_alliance_reason(a)));
}

typedef struct lived {
    process p;
    mgc_ctx *own;
    mgc_model *model;
} lived;

static void *live(void *user)
{
    lived *l = user;
    mgc_alliance_opts o = *l->p.opts;
    mgc_alliance *a = NULL;

    if (l->p.f->n > 1) {
        o.process = l->p.at;
        o.processes = l->p.f->n;
        o.exchange = meet;
        o.exchange_user = &l->p;
    }
    o.progress = stop_soon;
    o.user = &l->p;
    l->p.status = mgc_alliance_solve(l->model, &o, &a);
    if (l->p.status == MGC_OK) {
        l->p.result = hash_result(a);
        l->p.info = (mgc_alliance_info){.struct_size = sizeof l->p.info};
        if (mgc_alliance_get_info(a, &l->p.info) != MGC_OK) l->p.result = 0;
    }
    mgc_alliance_destroy(a);
    return NULL;
}

/* n processes; stop: the last one's progress asks for an end after so many calls. */
static void run(uint32_t n, const mgc_alliance_opts *opts, int stop, bool spoil, lived *l)
{
    fair f = {.n = n, .spoil = spoil};
    pthread_t thread[MOST];

    pthread_mutex_init(&f.lock, NULL);
    pthread_cond_init(&f.turned, NULL);
    for (uint32_t i = 0; i < n; i++) {
        l[i] = (lived){.p = {.f = &f, .at = i, .opts = opts, .stop_after = i == n - 1 ? stop : 0}};
        ck_assert_int_eq(mgc_ctx_create(NULL, &l[i].own), MGC_OK);
        l[i].model = build(l[i].own);
    }
    for (uint32_t i = 0; i < n; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, live, &l[i]), 0);
    for (uint32_t i = 0; i < n; i++) pthread_join(thread[i], NULL);
    for (uint32_t i = 0; i < n; i++) {
        mgc_model_destroy(l[i].model);
        mgc_ctx_destroy(l[i].own);
        free(l[i].p.all);
    }
    pthread_cond_destroy(&f.turned);
    pthread_mutex_destroy(&f.lock);
}

static const struct {
    const char *name;
    uint32_t relax, pool, weights;
    double gap;
} kinds[] = {{"relaxation", 1, 0, MGC_WEIGHTS_CONTRIBUTION, 1e-4}, {"on/off decisions", 0, 0, MGC_WEIGHTS_EQUAL, 1e-3}, {"a pool", 0, 1, MGC_WEIGHTS_EQUAL, 1e-4}};

static mgc_alliance_opts opts_of(int kind)
{
    mgc_alliance_opts o;

    mgc_alliance_opts_init(&o, sizeof o);
    o.relax = kinds[kind].relax;
    o.pool = kinds[kind].pool;
    o.weights = kinds[kind].weights;
    o.gap = kinds[kind].gap;
    o.round_limit = 30;
    return o;
}

START_TEST(processes_find_what_one_finds)
{
    mgc_alliance_opts o = opts_of(_i);
    lived l[MOST];
    uint64_t want;

    run(1, &o, 0, false, l);
    ck_assert_int_eq(l[0].p.status, MGC_OK);
    ck_assert_uint_gt(l[0].p.info.trades, 0);
    want = l[0].p.result;
    for (uint32_t n = 2; n <= (kinds[_i].pool ? MOST : 3); n += n == 3 ? 2 : 1) { /* 5: more than members */
        o.threads = n - 1;
        run(n, &o, 0, false, l);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_int_eq(l[i].p.status, MGC_OK);
            ck_assert_msg(l[i].p.result == want, "%s: process %u of %u ends with something else", kinds[_i].name, i, n);
            ck_assert_uint_eq(l[i].p.exchanges, l[0].p.exchanges);
        }
    }
}
END_TEST

/* What one is told by its host, all hear at the same step. */
START_TEST(one_stops_all)
{
    mgc_alliance_opts o = opts_of(0);
    lived l[MOST];

    run(3, &o, 12, false, l);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(l[i].p.status, MGC_OK);
        ck_assert_uint_eq(l[i].p.info.outcome, MGC_OUTCOME_CANCELLED);
        ck_assert(l[i].p.result == l[0].p.result);
    }
}
END_TEST

START_TEST(spoilt_words_are_refused)
{
    mgc_alliance_opts o = opts_of(0);
    lived l[MOST];
    mgc_alliance *a = NULL;

    run(2, &o, 0, true, l);
    for (uint32_t i = 0; i < 2; i++) ck_assert_int_eq(l[i].p.status, MGC_E_MESSAGE);
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc_model *m = build(ctx);
    o.processes = 2;
    ck_assert_int_eq(mgc_alliance_solve(m, &o, &a), MGC_E_INVALID_ARG); /* no exchange */
    o.exchange = meet;
    o.process = 2;
    ck_assert_int_eq(mgc_alliance_solve(m, &o, &a), MGC_E_INVALID_ARG);
    mgc_model_destroy(m);
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_share");
    TCase *tc = tcase_create("share");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, processes_find_what_one_finds, 0, (int)MGC__COUNT(kinds));
    tcase_add_test(tc, one_stops_all);
    tcase_add_test(tc, spoilt_words_are_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
