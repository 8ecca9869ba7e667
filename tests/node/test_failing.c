/* SPDX-License-Identifier: Apache-2.0 */
/* Storage calls and allocations that fail, losses of power, snapshots by the day. */
#include "../ledger/world.h"
#include "alliance.h"

/* --- failing hosts -------------------------------------------------------------------------------- */

/* A storage call fails: the call on the node in which it does says so, or, where it was only the note that a sync had ended, the
 * next one that writes; the host takes the node down, and started again it has everything that it acknowledged. */
START_TEST(a_storage_call_that_fails_is_told)
{
    uint32_t hit = 0;

    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    for (long k = 0; k < 24; k++) {
        uint32_t victim = 1 + (uint32_t)k % 3, before = n_down;

        members[victim].may_fail = true;
        members[victim].disk.calls = 0;
        members[victim].disk.fault_at = k / 3;
        members[victim].disk.die = true;
        for (int i = 0; i < 800 && members[victim].node != NULL; i++) {
            if (i % 25 == 0) submit(victim == 1 ? 2 : 1, ++nonce);
            run(4);
        }
        ck_assert_msg(members[victim].disk.dead == (members[victim].node == NULL), "call %ld: the disk is %s, the node is %s", k / 3,
                      members[victim].disk.dead ? "dead" : "well", members[victim].node == NULL ? "down" : "up");
        hit += members[victim].disk.dead;
        ck_assert_uint_eq(n_down, before + (members[victim].node == NULL));
        members[victim].may_fail = false;
        if (members[victim].node != NULL) {
            members[victim].disk.fault_at = -1;
            continue;
        }
        sim_disk_crash(&members[victim].disk);
        start(victim);
        run(2500);
    }
    ck_assert_uint_gt(hit, 15);
    nonce = 0;
    run(4000);
    check_alike();
    close_all();
}
END_TEST

/* One member orders alone: the same, and what a step that answered OK acknowledged is there after the loss of power. */
START_TEST(alone_a_storage_call_that_fails_is_told)
{
    uint32_t hit = 0, late = 0;

    for (long k = 0; k < 12; k++) {
        mgc_status st = MGC_OK;

        open_all(1, 0, 0);
        nonce = 0;
        submit(1, ++nonce);
        members[1].disk.calls = 0;
        members[1].disk.fault_at = k;
        members[1].disk.die = true;
        for (int i = 0; i < 300 && st == MGC_OK && !members[1].disk.dead; i++) st = mgc_node_step(members[1].node, now += 4, NULL);
        hit += members[1].disk.dead;
        ck_assert_msg((st != MGC_OK) == members[1].disk.dead, "call %ld: %s", k, mgc_status_name(st)); /* in the step itself */
        if (members[1].disk.dead) {
            mgc_chain_info chain = {.struct_size = sizeof chain};
            uint64_t acknowledged;

            OK(mgc_chain_get_info(mgc_node_chain(members[1].node, INFO), &chain));
            acknowledged = chain.acked_height;
            late += st == MGC_E_FAILED && acknowledged > 0; /* only the note of the sync */
            ck_assert_int_ne(mgc_node_step(members[1].node, now += 4, NULL), MGC_OK);
            stop(1);
            start(1);
            ck_assert_uint_ge(info_of(1).height, acknowledged);
        }
        close_all();
    }
    ck_assert_uint_gt(hit, late);
    ck_assert_uint_gt(late, 0);
}
END_TEST

/* One member's every allocation fails once, at its start and under load: the call says so or the thing is dropped as a lost
 * message would be; started again it has what the others have, and nothing leaked. */
START_TEST(allocations_of_a_member_fail)
{
    struct heap heap = {.until_fault = -1};
    mgc_allocator allocator = heap_allocator(&heap);
    mgc_ctx_opts o;
    uint32_t down = 0;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &allocator;
    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    stop(3);
    for (long k = 0; k < 1400; k += 1 + k / 12) {
        uint32_t before = n_down;

        OK(mgc_ctx_create(&o, &members[3].own_ctx));
        members[3].may_fail = true;
        heap.until_fault = k;
        start(3);
        submit(1, ++nonce);
        run(600);
        heap.until_fault = -1;
        down += n_down > before || members[3].node == NULL;
        if (members[3].node == NULL) {
            sim_disk_crash(&members[3].disk);
            start(3);
        }
        members[3].may_fail = false;
        ck_assert_ptr_nonnull(members[3].node);
        run(1500);
        mgc_node_destroy(members[3].node);
        members[3].node = NULL;
        mgc_ctx_destroy(members[3].own_ctx);
        members[3].own_ctx = NULL;
        ck_assert_msg(heap.live == 0, "allocation %ld: %ld blocks leaked", k, heap.live);
    }
    ck_assert_int_gt(heap.faults, 30);
    ck_assert_uint_gt(down, 10);
    start(3);
    run(5000);
    check_alike();
    close_all();
}
END_TEST

/* Snapshots of the state at each day's close, with and without pruning: after a restart and a loss of power the members are alike. */
START_TEST(members_with_daily_snapshots)
{
    for (uint32_t way = 1; way <= 2; way++) {
        open_all(3, 0, 0);
        for (uint32_t i = 1; i <= 3; i++) {
            stop(i);
            members[i].snapshots = i == 1 ? 0 : way; /* one keeps everything */
            start(i);
        }
        run(2500);
        found_market();
        for (int d = 0; d < 4; d++) {
            now += 86400000;
            for (int i = 0; i < 3; i++) ck_assert(goes_through(leader(), 700));
            stop(2 + (uint32_t)d % 2);
            start(2 + (uint32_t)d % 2);
            run(2500);
        }
        run(2000);
        check_alike();
        for (uint32_t i = 1; i <= 3; i++) stop(i);
        for (uint32_t i = 1; i <= 3; i++) start(i);
        run(3000);
        ck_assert(goes_through(leader(), 1500));
        check_alike();
        close_all();
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_storage_call_that_fails_is_told);
    tcase_add_test(tc, alone_a_storage_call_that_fails_is_told);
    tcase_add_test(tc, allocations_of_a_member_fail);
    tcase_add_test(tc, members_with_daily_snapshots);
}

int main(void)
{
    return alliance_run("node-failing", cases);
}
