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
    tcase_add_test(tc, power_loss_while_it_asks);
    tcase_add_test(tc, what_cannot_be_mended_is_told);
}

int main(void)
{
    return alliance_run("node-mend", cases);
}
