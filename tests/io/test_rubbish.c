/* SPDX-License-Identifier: Apache-2.0 */
/* Rubbish in, an answer out: cut and changed cases and series files,
 * billion laughs, every allocation failing once. */
#include "cases.h"

enum { CUTS = 60, FLIPS = 300, FIRST_ROOM = 1 << 20 };

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

/* xorshift64 (Marsaglia 2003): the same rubbish every time. */
static uint64_t rubbish = 88172645463325252u;

static size_t below(size_t n)
{
    rubbish ^= rubbish << 13;
    rubbish ^= rubbish >> 7;
    rubbish ^= rubbish << 17;
    return (size_t)(rubbish % n);
}

/* Whatever the text: it loads, or it is refused with an issue; memory of exactly its length, so that a read past it
 * is seen. */
static void try(const char *text, size_t len, struct disk *disk)
{
    mgc_case_opts opts;
    mgc_case *kase;
    char *exact = malloc(len > 0 ? len : 1);

    memcpy(exact, text, len);
    mgc_case_opts_init(&opts, sizeof opts);
    opts.open = disk_open;
    opts.close = disk_close;
    opts.user = disk;
    mgc_status status = mgc_case_load_text(ctx, exact, len, &opts, &kase);
    free(exact);
    ck_assert_msg(status == MGC_OK || status == MGC_E_CASE, "%s: %s", mgc_status_name(status), mgc_ctx_error(ctx));
    ck_assert_ptr_nonnull(kase);
    ck_assert((status == MGC_OK) == (mgc_case_model(kase) != NULL));
    ck_assert(status == MGC_OK || mgc_case_issues(kase) > 0);
    for (uint32_t i = 0; i < mgc_case_issues(kase); i++) ck_assert_ptr_nonnull(mgc_case_issue_text(kase, i));
    mgc_case_destroy(kase);
}

static void cut_and_flip(const char *text, size_t len, struct disk *disk)
{
    static const char spice[] = "{}[]:,-#&*!|>'\"%@` \t\n\\\x80\xff"
                                "0.e~?";
    char *copy = malloc(len);

    for (size_t i = 0; i < CUTS; i++) try(text, below(len), disk);
    for (size_t i = 0; i < FLIPS; i++) {
        memcpy(copy, text, len);
        size_t at = below(len);
        for (size_t n = 1 + below(3); n > 0; n--) {
            if (i % 2 == 0) copy[at] = (char)(copy[at] ^ (1 << below(8)));
            else copy[at] = spice[below(sizeof spice - 1)];
            at = below(len);
        }
        try(copy, len, disk);
    }
    free(copy);
}

static char small[] = HEAD
    "uncertainty: {csv: h.csv, day: 2019-07-16, window_days: 3, scenarios: 2}\nmicrogrids:\n  - id: a\n    grid: "
    "{buy_limit_kw: null}\n"
    "    ambiguity: {norm1: {confidence: 0.95}, norm_inf: {radius: 0.2}}\n    devices:\n"
    "      - {type: load, id: l, demand_kw: {history: d}}\n      - {type: wind, id: w, available_kw: {history: d, "
    "forecast: f, scale: 2}}\n"
    "      - type: linear\n        id: p2g\n        variables: {p: {upper: 3, electricity: -1}, g: {upper: [1, 2, "
    "3], gas: -1}}\n"
    "        constraints: [{terms: {g: 1, p: -0.6}, lower: 0, upper: 0}]\n  - {id: b, market: {carbon: {tiers: 2}}}\n"
    "links:\n  - {between: [a, b], carrier: heat, capacity_kw: {csv: s.csv, column: \"x y\"}, loss: "
    "0.1}\nbargaining: {weights: {a: 1, b: 2}}\n";
static char series[] = "x y;t\n\"1\";2\n1,5;3\n3;4\n";

static char *history(void)
{
    static char text[8192];
    size_t len = (size_t)sprintf(text, "time_utc,d,f\n");

    for (int h = 0; h < 24 * 4; h++)
        len += (size_t)sprintf(text + len, "2019-07-%02dT%02d:00:00Z,%d.5,%d\n", 13 + h / 24, h % 24,
                               10 + h % 7 * (h / 24), 10 + h % 7);
    return text;
}

START_TEST(rubbish_in_a_small_case)
{
    struct disk disk = {.file = {{"h.csv", history(), 0}, {"s.csv", series, 0}}};

    try(small, strlen(small), &disk);
    for (size_t len = 0; len < strlen(small); len++) try(small, len, &disk);
    cut_and_flip(small, strlen(small), &disk);
    ck_assert_int_eq(disk.opened, disk.closed);
}
END_TEST

START_TEST(rubbish_in_the_reference_cases)
{
    static const char *const names[] = {"nominal", "one_scenario", "robust_both_norms", "robust_norm1_no_units"};
    struct disk disk = {.opened = 0};
    char path[512], *text = malloc(FIRST_ROOM);

    snprintf(path, sizeof path, "%s/reference/%s.json", getenv("MGC_TEST_SHIPPED"), names[_i]);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(text, 1, FIRST_ROOM, file);
    fclose(file);
    cut_and_flip(text, len, &disk);
    free(text);
}
END_TEST

START_TEST(rubbish_in_series_files)
{
    static const char spice[] = ";,\t\"\n\r.- e\xef\xbb\xbf\x1f\x8bnT:Z0";
    char *good = history(), bad[8192], half[64];
    size_t len = strlen(good);
    struct disk disk = {.file = {{"h.csv", bad, 0}, {"s.csv", half, 0}}};

    for (int i = 0; i < FLIPS; i++) {
        strcpy(bad, good);
        strcpy(half, series);
        for (size_t n = 1 + below(4); n > 0; n--) bad[below(len)] = spice[below(sizeof spice - 1)];
        half[below(strlen(series))] = spice[below(sizeof spice - 1)];
        if (i % 5 == 0) bad[1 + below(len - 1)] = '\0';
        try(small, strlen(small), &disk);
    }
}
END_TEST

START_TEST(laughs_and_towers_end_early)
{
    static const char laughs[] =
        "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";
    struct disk disk = {.opened = 0};
    enum { TOWER = 100000 };
    char *tower = malloc(TOWER);

    try(laughs, strlen(laughs), &disk);
    memset(tower, '[', TOWER);
    try(tower, TOWER, &disk);
    memset(tower, '{', TOWER);
    try(tower, TOWER, &disk);
    for (int i = 0; i < TOWER; i++) tower[i] = i % 2 ? ' ' : '-';
    try(tower, TOWER, &disk);
    memset(tower, 'x', TOWER);
    try(tower, TOWER, &disk);
    memset(tower, 0, TOWER);
    try(tower, TOWER, &disk);
    free(tower);
}
END_TEST

/* --- every allocation fails once -------------------------------------------------------------------------------- */

struct heap {
    long until_fault, faults, live;
};

static bool strikes(struct heap *heap)
{
    if (heap->until_fault-- > 0) return false;
    heap->faults++;
    return true;
}

static void *heap_alloc(void *user, size_t size)
{
    struct heap *heap = user;

    if (strikes(heap)) return NULL;
    heap->live++;
    return malloc(size);
}

static void *heap_resize(void *user, void *block, size_t size)
{
    struct heap *heap = user;

    if (strikes(heap)) return NULL;
    heap->live += block == NULL;
    return realloc(block, size);
}

static void heap_release(void *user, void *block)
{
    struct heap *heap = user;

    heap->live--;
    free(block);
}

START_TEST(every_allocation_fails_once) /* faults O8 */
{
    struct disk disk = {.file = {{"h.csv", history(), 0}, {"s.csv", series, 0}}};
    const char *text = _i == 0 ? small
                               : HEAD SITE
                           "{type: lod, id: x, demand_kw: [1]}, {type: load, id: y, demand_kw: [1, a, 2]}" END;

    for (long k = 0;; k++) {
        struct heap heap = {.until_fault = k};
        mgc_allocator memory = {heap_alloc, heap_resize, heap_release, &heap};
        mgc_ctx_opts opts;
        mgc_ctx *own;
        mgc_case *kase = NULL;

        mgc_ctx_opts_init(&opts, sizeof opts);
        opts.allocator = &memory;
        mgc_status status = mgc_ctx_create(&opts, &own);
        if (status == MGC_OK) status = load_with(own, text, &disk, &kase);
        ck_assert_msg(heap.faults > 0 ? status == MGC_E_NO_MEMORY && kase == NULL : true, "fault %ld: %s", k,
                      mgc_status_name(status));
        mgc_case_destroy(kase);
        mgc_ctx_destroy(own);
        ck_assert_msg(heap.live == 0, "fault %ld: %ld blocks leaked", k, heap.live);
        if (heap.faults > 0) continue;
        ck_assert_int_eq(status, _i == 0 ? MGC_OK : MGC_E_CASE);
        ck_assert_msg(k > 20, "only %ld fault points: is the hook installed?", k);
        break;
    }
    ck_assert_int_eq(disk.opened, disk.closed);
}
END_TEST

START_TEST(options_of_every_size)
{
    unsigned char raw[2 * sizeof(mgc_case_opts)] = {0};
    size_t size = (size_t)_i;
    mgc_case *kase;

    memcpy(raw, &size, sizeof size);
    mgc_status got = mgc_case_load_text(ctx, HEAD "microgrids: [{id: a}]\n", strlen(HEAD "microgrids: [{id: a}]\n"),
                                        (const mgc_case_opts *)raw, &kase);
    ck_assert_msg(got == (size < sizeof(mgc_case_opts) ? MGC_E_ABI_SIZE : MGC_OK), "struct_size %d: %s", _i,
                  mgc_status_name(got));
    mgc_case_destroy(kase);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io rubbish");
    TCase *tc = tcase_create("rubbish");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, rubbish_in_a_small_case);
    tcase_add_loop_test(tc, rubbish_in_the_reference_cases, 0, 4);
    tcase_add_test(tc, rubbish_in_series_files);
    tcase_add_test(tc, laughs_and_towers_end_early);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2);
    tcase_add_loop_test(tc, options_of_every_size, 0, 2 * (int)sizeof(mgc_case_opts));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
