/* SPDX-License-Identifier: Apache-2.0 */
/* A member whose ledger rotted: the others give it back what it lost.  faults.md 77, 86. */
#include "alliance.h"

/* A hundred blocks or so on three members. */
static void live(void)
{
    open_all(3, 0, 0);
    for (int i = 0; i < 25; i++) ck_assert(goes_through(1 + (uint32_t)i % 3, 200));
    run(500);
    check_alike();
}

/* Bytes and sectors of its journal, somewhere in the first three quarters, behind the geneses. */
static void rot(uint32_t id, uint32_t bytes, uint32_t sectors)
{
    struct sim_file *f = sim_disk_find(&members[id].disk, "journal-00000000.mgj");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_gt(f->size, 8000);
    for (uint32_t i = 0; i < bytes; i++) sim_disk_flip(f, 2000 + (size_t)mgc__rng_below(&rng, f->size * 3 / 4 - 2000));
    for (uint32_t i = 0; i < sectors; i++) sim_disk_rot(&members[id].disk, f, 2000 + (size_t)mgc__rng_below(&rng, f->size * 3 / 4 - 2000));
}

static bool is_back(uint32_t id)
{
    mgc_node_info info = {.struct_size = sizeof info};

    return members[id].node != NULL && mgc_node_get_info(members[id].node, &info) == MGC_OK;
}

START_TEST(a_damaged_member_comes_back_by_itself) /* faults 77 */
{
    mgc_node_info info = {.struct_size = sizeof info};
    uint64_t number;

    world_seed = 40 + (uint64_t)_i;
    sign_all = (uint32_t)_i % 2;
    live();
    stop(2);
    rot(2, 4, (uint32_t)_i / 2);
    start(2);
    ck_assert_int_eq(mgc_node_get_info(members[2].node, &info), MGC_E_STATE); /* and it says why */
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "damaged at byte"));
    ck_assert_int_eq(mgc_node_submit(members[2].node, (const uint8_t *)"x", 1, &number), MGC_E_STATE);
    ck_assert_int_eq(mgc_node_start(members[2].node), MGC_E_STATE);
    ck_assert_ptr_null(mgc_node_chain(members[2].node, INFO));
    ck_assert(goes_through(1, 800)); /* the others need not wait */
    run(4000);
    ck_assert(is_back(2));
    ck_assert_uint_ge(info_of(2).mended, 2);
    check_alike();
    ck_assert(goes_through(2, 1000));
    stop(2); /* and what was put back stays */
    start(2);
    ck_assert(is_back(2));
    ck_assert_uint_eq(info_of(2).mended, 0);
    run(1000);
    check_alike();
    close_all();
}
END_TEST

/* Of the two that it can ask one breaks what it sends. */
START_TEST(a_liar_costs_time_only) /* faults 77 */
{
    world_seed = 50 + (uint64_t)_i;
    live();
    stop(2);
    rot(2, 5, 1);
    members[_i == 0 ? 1 : 3].flips = true;
    start(2);
    ck_assert(!is_back(2));
    run(20000);
    ck_assert(is_back(2));
    members[_i == 0 ? 1 : 3].flips = false;
    run(3000);
    check_alike();
    ck_assert(goes_through(2, 1000));
    close_all();
}
END_TEST

/* --- what it is told instead of what it asked for --------------------------------------------------------------- */

enum { OTHER_BYTES, OTHER_BLOCK, CUT_SHORT, NOTHING, WITHOUT_END, ALL_AT_ONCE, LIES };

static int told;        /* which of them */
static uint32_t liars;  /* a bit for each member */
static uint32_t n_told;

/* A stored block of the chain of this id, as the liar has it. */
static size_t stored(uint32_t liar, const uint8_t *id, uint64_t height, uint8_t *proof, size_t cap)
{
    size_t len = 0;

    for (uint32_t contract = 1; contract <= 3; contract++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_chain *chain = mgc_node_chain(members[liar].node, contract);

        if (chain == NULL || mgc_chain_get_info(chain, &info) != MGC_OK || memcmp(info.chain_id, id, 32) != 0) continue;
        if (mgc_chain_prove_stored(chain, height, proof, cap, &len) == MGC_OK) return len;
    }
    return 0;
}

/* The answer of whoever lies to a question for a stored block. */
static bool lie_to(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    static uint8_t proof[1 << 16];
    cluster_reader r = {.at = bytes + 1, .end = bytes + len};
    const uint8_t *id;
    uint8_t kind = ENVELOPE_FOUND;
    uint64_t height, offset;
    size_t total, piece;
    mgc__buf answer;

    if (bytes[0] != ENVELOPE_LOST || (liars >> to & 1) == 0) return false;
    n_told++;
    id = cluster_get(&r, 32);
    height = cluster_uint(&r, 8);
    offset = cluster_uint(&r, 4);
    total = stored(to, id, told == OTHER_BLOCK ? (height > 1 ? height - 1 : height + 1) : height, proof, sizeof proof);
    ck_assert_uint_gt(total, 200);
    if (told == OTHER_BYTES) proof[mgc__rng_below(&rng, total)] ^= 1;
    if (told == CUT_SHORT) total /= 2;
    if (told == WITHOUT_END) total = 1 << 26;
    if (told == NOTHING || offset >= total) return true;
    piece = told == WITHOUT_END ? 1 : total - (size_t)offset;
    mgc__buf_init(&answer, ctx, 1 << 17);
    mgc__buf_put(&answer, &kind, 1);
    mgc__buf_put(&answer, id, 32);
    cluster_put64(&answer, height);
    cluster_put32(&answer, (uint32_t)(told == ALL_AT_ONCE ? 1 : total)); /* more than it says there is */
    cluster_put32(&answer, (uint32_t)offset);
    mgc__buf_put(&answer, proof + offset % sizeof proof, piece);
    ck_assert_int_eq(answer.status, MGC_OK);
    say(to, from, answer.bytes, answer.len);
    mgc__buf_free(&answer);
    return true;
}

START_TEST(whoever_lies_is_passed_over) /* faults 77 */
{
    told = _i;
    liars = 1 << 1;
    n_told = 0;
    world_seed = 80 + (uint64_t)_i;
    live();
    stop(2);
    rot(2, 5, 0); /* more than one block */
    members[2].instead = lie_to;
    start(2);
    ck_assert(!is_back(2));
    run(6000);
    ck_assert(is_back(2));
    ck_assert_uint_gt(n_told, 0);
    check_alike();
    stop(2);
    rot(2, 3, 0);
    liars = 1 << 1 | 1 << 3; /* nobody says anything else, until one of them does */
    start(2);
    ck_assert(!is_back(2));
    run(4000);
    ck_assert(!is_back(2));
    ck_assert_ptr_nonnull(members[2].node);
    liars = 1 << 1;
    run(6000);
    ck_assert(is_back(2));
    members[2].instead = NULL;
    run(1000);
    check_alike();
    ck_assert(goes_through(2, 1000));
    close_all();
}
END_TEST

/* --- other damage --------------------------------------------------------------------------------------------- */

/* Of the last blocks, behind which little or nothing says that they were durable. */
START_TEST(the_newest_blocks_come_back) /* faults 77, 87 */
{
    world_seed = 90 + (uint64_t)_i;
    live();
    stop(2);
    struct sim_file *f = sim_disk_find(&members[2].disk, "journal-00000000.mgj");
    sim_disk_flip(f, f->size - 10 - 150 * (size_t)_i);
    start(2);
    run(4000);
    ck_assert(is_back(2));
    check_alike();
    ck_assert(goes_through(2, 1000));
    close_all();
}
END_TEST

/* The medium does not give them back at all. */
START_TEST(sectors_that_cannot_be_read_are_put_back) /* faults 77, 81 */
{
    world_seed = 100 + (uint64_t)_i;
    live();
    stop(2);
    struct sim_file *f = sim_disk_find(&members[2].disk, "journal-00000000.mgj");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i <= _i; i++) sim_disk_lose(f, 2000 + (size_t)mgc__rng_below(&rng, f->size * 3 / 4 - 2000));
    start(2);
    ck_assert(!is_back(2));
    run(6000);
    ck_assert(is_back(2));
    ck_assert_uint_ge(info_of(2).mended, 1);
    check_alike();
    ck_assert(goes_through(2, 1000));
    close_all();
}
END_TEST

/* One that could not be read for a moment, at the end: nothing is cut off for it. */
START_TEST(an_end_that_cannot_be_read_is_left_alone) /* faults 81 */
{
    world_seed = 110;
    live();
    stop(2);
    struct sim_file *f = sim_disk_find(&members[2].disk, "journal-00000000.mgj");
    size_t size = f->size;
    sim_disk_lose(f, size - 1);
    members[2].may_fail = true;
    start(2);
    ck_assert_ptr_null(members[2].node);
    ck_assert_uint_eq(sim_disk_find(&members[2].disk, "journal-00000000.mgj")->size, size);
    sim_disk_find(&members[2].disk, "journal-00000000.mgj")->n_bad = 0;
    start(2);
    ck_assert(is_back(2));
    run(1000);
    check_alike();
    close_all();
}
END_TEST

/* The power goes at every storage call of a start that mends, and of what it is given then. */
START_TEST(power_loss_at_every_call_of_mending) /* faults 84, 86 */
{
    uint32_t cuts = 0;
    bool done = false;

    world_seed = 120;
    live();
    members[2].may_fail = true;
    for (long k = 0; !done; k++) {
        stop(2);
        rot(2, 3, 0);
        members[2].disk.calls = 0;
        members[2].disk.fault_at = k;
        members[2].disk.die = true;
        for (start(2); members[2].node != NULL && !is_back(2) && !members[2].disk.dead;) run(40);
        done = is_back(2) && !members[2].disk.dead; /* there were fewer calls */
        cuts += members[2].disk.dead;
        members[2].disk.fault_at = -1;
        members[2].disk.die = false;
        if (done) break;
        stop(2);
        start(2);
        for (int i = 0; i < 200 && !is_back(2); i++) run(40);
        ck_assert_msg(is_back(2), "cut at call %ld", k);
        run(500);
        check_alike();
    }
    ck_assert_uint_gt(cuts, 8);
    close_all();
}
END_TEST

START_TEST(power_loss_while_it_asks) /* faults 86 */
{
    uint32_t cuts = 0;

    world_seed = 60;
    live();
    stop(2);
    rot(2, 12, 2);
    for (start(2); !is_back(2) && cuts < 200; start(2)) {
        run(4 + 4 * mgc__rng_below(&rng, 3));
        if (is_back(2)) break;
        stop(2);
        cuts++;
    }
    ck_assert(is_back(2));
    ck_assert_uint_gt(cuts, 1);
    run(3000);
    check_alike();
    close_all();
}
END_TEST

/* Nobody can be asked: alone, reading only, or what is lost is its own. */
START_TEST(what_cannot_be_mended_is_told) /* faults 77 */
{
    world_seed = 70;
    live();
    stop(2);
    sim_disk_flip(sim_disk_find(&members[2].disk, "journal-00000000.mgj"), 88 + 48 + 20); /* in a genesis */
    members[2].may_fail = true;
    start(2);
    ck_assert_ptr_null(members[2].node);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "cannot be mended"));
    close_all();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_damaged_member_comes_back_by_itself, 0, 4);
    tcase_add_loop_test(tc, a_liar_costs_time_only, 0, 2);
    tcase_add_loop_test(tc, whoever_lies_is_passed_over, 0, LIES);
    tcase_add_loop_test(tc, the_newest_blocks_come_back, 0, 3);
    tcase_add_loop_test(tc, sectors_that_cannot_be_read_are_put_back, 0, 3);
    tcase_add_test(tc, an_end_that_cannot_be_read_is_left_alone);
    tcase_add_test(tc, power_loss_at_every_call_of_mending);
    tcase_add_test(tc, power_loss_while_it_asks);
    tcase_add_test(tc, what_cannot_be_mended_is_told);
}

int main(void)
{
    return alliance_run("node-mend", cases);
}
