/* SPDX-License-Identifier: Apache-2.0 */
/* Trades that cost the same: of these the ones of least sum of squares, by whatever way they were found (lib/bargain/ties.c). */
#include "mgchain/program.h"
#include "toy.h"

static const uint32_t triangle[2][3] = {{0, 1, 0}, {1, 2, 2}};
static const uint32_t ring[2][6] = {{0, 1, 2, 3, 4, 0}, {1, 2, 3, 4, 5, 5}};
static const uint32_t wheel[2][10] = {{0, 1, 2, 3, 4, 5, 5, 5, 5, 5}, {1, 2, 3, 4, 0, 0, 1, 2, 3, 4}}; /* spokes to member 5 */
static const uint32_t house[2][7] = {{0, 1, 2, 3, 0, 3, 4}, {1, 2, 3, 0, 2, 4, 5}};                    /* a square, a chord, a tail */
static const uint32_t twins[2][4] = {{0, 0, 1, 2}, {1, 1, 2, 0}};

static const struct {
    const char *name;
    size_t n, links;
    const uint32_t *first, *second;
} graphs[] = {
    {"triangle", 3, 3, triangle[0], triangle[1]}, {"ring", 6, 6, ring[0], ring[1]},    {"wheel", 6, 10, wheel[0], wheel[1]},
    {"house", 6, 7, house[0], house[1]},          {"twins", 3, 4, twins[0], twins[1]},
};

/* What went over link l in period t, in its own orientation [kW]. */
static double flow(const world *w, size_t l, size_t t)
{
    const mgc_agent *a = w->agent[w->first[l]];

    for (size_t e = 0; e < a->n_ends; e++)
        if (a->ends[e].terms.link == l) return (double)a->ends[e].agreed[t] / MGC__KW;
    ck_abort_msg("no link %zu", l);
    return 0;
}

/* The same by another method: least fee as a linear program, least squares among what costs no more as a quadratic one, both by the
 * interior-point solver.  Columns: sent ahead, then sent back. */
static void reference(const world *w, size_t t, double *q)
{
    mgc_program *p;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    double x[2 * TOY_LINKS], fee[2 * TOY_LINKS];
    uint32_t at[2 * TOY_LINKS];
    size_t columns = 2 * w->links;

    ck_assert_int_eq(mgc_program_create(w->ctx, &p), MGC_OK);
    for (size_t j = 0; j < columns; j++) {
        size_t l = j % w->links;
        fee[j] = w->fee[l];
        ck_assert_int_eq(mgc_program_add_column(p, fee[j], 0, w->capacity[l] > 0 ? w->capacity[l] : 5000, &at[j]), MGC_OK);
    }
    for (size_t i = 0; i < w->n; i++) {
        double gain[2 * TOY_LINKS], net = 0;
        for (size_t l = 0; l < w->links; l++) {
            gain[l] = (w->second[l] == i) - (w->first[l] == i);
            gain[w->links + l] = -gain[l];
            net += gain[l] * flow(w, l, t);
        }
        ck_assert_int_eq(mgc_program_add_row(p, net, net, at, gain, columns, NULL), MGC_OK);
    }
    mgc_program_opts_init(&o, sizeof o);
    o.tolerance = 1e-10;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, info.objective + 1e-7, at, fee, columns, NULL), MGC_OK);
    for (size_t j = 0; j < columns; j++) {
        ck_assert_int_eq(mgc_program_set_cost(p, at[j], 0), MGC_OK);
        ck_assert_int_eq(mgc_program_set_quadratic(p, at[j], at[j], 1e-4), MGC_OK);
    }
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_int_eq(mgc_program_get_x(p, x, columns), MGC_OK);
    for (size_t l = 0; l < w->links; l++) q[l] = x[l] - x[w->links + l];
    mgc_program_destroy(p);
}

static void run(world *w, uint64_t seed)
{
    bus b;

    w->opts.weights = MGC_WEIGHTS_CONTRIBUTION;
    world_agents(w);
    bus_init(&b, seed);
    ck_assert(bus_run(&b, w, 1000000));
    for (size_t i = 0; i < w->n; i++) ck_assert_msg(w->last[i].state == MGC_AGENT_AGREED, "%s", w->last[i].reason);
    bus_free(&b);
}

/* Fees: none, all alike, a few different ones. */
static void set_fees(world *w, int kind)
{
    for (size_t l = 0; l < w->links; l++) w->fee[l] = kind == 0 ? 0 : kind == 1 ? 0.006 : 0.004 + 0.002 * (double)(l % 3);
}

START_TEST(agents_find_what_two_programs_find)
{
    for (int kind = 0; kind < 3; kind++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            world w;
            double worst = 0;

            world_init(&w, graphs[_i].n, graphs[_i].links, graphs[_i].first, graphs[_i].second, seed);
            set_fees(&w, kind);
            run(&w, seed);
            for (size_t t = 0; t < TOY_PERIODS; t++) {
                double q[TOY_LINKS];
                reference(&w, t, q);
                for (size_t l = 0; l < w.links; l++) worst = fmax(worst, fabs(q[l] - flow(&w, l, t)));
            }
            ck_assert_msg(worst < 0.02, "%s, fees %d, seed %d: %g kW off", graphs[_i].name, kind, (int)seed, worst);
            world_free(&w);
        }
}
END_TEST

/* By hand: members of one cost and price, of whom the first has 100 kW more than the others and the one opposite 100 less.  Half goes
 * either way; with fees less is sent, by halves all the same.  capacity: of the link 0-1, where it binds the rest takes the other. */
START_TEST(a_square_by_hand)
{
    static const struct {
        double fee, capacity;
    } kinds[] = {{0, 0}, {0.006, 0}, {0, 20}};
    world w;

    world_init(&w, 4, 4, house[0], house[1], 1);
    for (size_t i = 0; i < 4; i++)
        for (size_t t = 0; t < TOY_PERIODS; t++) {
            w.member[i].a[t] = 2e-4;
            w.member[i].b[t] = 0.1;
            w.member[i].demand[t] = 300 + (i == 0 ? -100 : i == 2 ? 100 : 0);
        }
    for (size_t l = 0; l < 4; l++) w.fee[l] = kinds[_i].fee;
    w.capacity[0] = kinds[_i].capacity;
    run(&w, 1);
    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double ahead = flow(&w, 0, t), around = -flow(&w, 3, t);
        ck_assert_double_eq_tol(flow(&w, 1, t), ahead, 0.05); /* the second member passes it on */
        if (kinds[_i].capacity > 0) {
            ck_assert_double_eq_tol(ahead, kinds[_i].capacity, 2e-3);
            ck_assert_double_eq_tol(around, 100 - kinds[_i].capacity, 0.05);
        } else {
            ck_assert_double_eq_tol(ahead, around, 2e-3);
            if (kinds[_i].fee > 0) ck_assert(ahead > 1 && ahead < 49);
            else ck_assert_double_eq_tol(ahead, 50, 0.05);
        }
    }
    world_free(&w);
}
END_TEST

/* A start with other trades, and with trades in a circle, which without fees P1 has no reason to undo: the same powers and payments. */
START_TEST(the_start_does_not_matter)
{
    static uint8_t state[TOY_MEMBERS][8000];
    size_t len[TOY_MEMBERS] = {0};
    double weight[TOY_MEMBERS] = {0}, last[TOY_MEMBERS] = {0};

    for (int k = 1; k < 4; k++) {
        world w;

        world_init(&w, graphs[2].n, graphs[2].links, graphs[2].first, graphs[2].second, k == 1 ? 11 : 4);
        w.opts.tolerance = 1e-8;
        set_fees(&w, _i);
        for (size_t i = 0; k == 3 && i < w.n; i++) {
            w.start[i] = state[i];
            w.start_len[i] = len[i];
        }
        run(&w, 1);
        for (size_t i = 0; k == 1 && i < w.n; i++) {
            const uint8_t *bytes;
            ck_assert_int_eq(mgc_agent_get_state(w.agent[i], &bytes, &len[i]), MGC_OK);
            ck_assert_uint_le(len[i], sizeof state[i]);
            memcpy(state[i], bytes, len[i]);
        }
        for (size_t i = 0; k >= 2 && i < w.n; i++) {
            mgc_agreement a = {.struct_size = sizeof a};
            ck_assert_int_eq(mgc_agent_agreement(w.agent[i], &a), MGC_OK);
            if (k == 3) ck_assert_msg(fabs(w.agent[i]->weight - weight[i]) < 1e-5, "member %zu weighs %.8f, not %.8f", i, w.agent[i]->weight, weight[i]);
            if (k == 3) ck_assert_msg(fabs(a.final_cost - last[i]) < 1e-3, "member %zu ends at %.6f, not %.6f", i, a.final_cost, last[i]);
            weight[i] = w.agent[i]->weight;
            last[i] = a.final_cost;
        }
        world_free(&w);
    }
}
END_TEST

/* Where no link lies on a circle nothing can change: no rounds, and the very bytes that other powers lead to. */
START_TEST(a_tree_has_no_ties)
{
    static const uint32_t tree[2][5] = {{0, 1, 1, 3, 3}, {1, 2, 3, 4, 5}};
    int64_t sent[5][TOY_PERIODS] = {{0}};

    for (int k = 0; k < 2; k++) {
        world w;
        bus b;

        world_init(&w, 6, 5, tree[0], tree[1], 3);
        w.opts.weights = k == 0 ? MGC_WEIGHTS_EQUAL : MGC_WEIGHTS_CONTRIBUTION;
        world_agents(&w);
        bus_init(&b, 3);
        ck_assert(bus_run(&b, &w, 1000000));
        for (size_t i = 0; i < 6; i++) {
            ck_assert_uint_eq(w.agent[i]->ties.rounds, 0);
            for (size_t e = 0; e < w.agent[i]->n_ends; e++)
                for (size_t t = 0; t < TOY_PERIODS; t++) {
                    const mgc__end *end = &w.agent[i]->ends[e];
                    if (k == 1) ck_assert_int_eq(end->agreed[t], sent[end->terms.link][t]);
                    sent[end->terms.link][t] = end->agreed[t];
                }
        }
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_ties");
    TCase *tc = tcase_create("ties");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, agents_find_what_two_programs_find, 0, (int)MGC__COUNT(graphs));
    tcase_add_loop_test(tc, a_square_by_hand, 0, 3);
    tcase_add_loop_test(tc, the_start_does_not_matter, 0, 3);
    tcase_add_test(tc, a_tree_has_no_ties);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
