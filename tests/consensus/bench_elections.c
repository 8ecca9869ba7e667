/* SPDX-License-Identifier: Apache-2.0 */
/* bench_elections [SEEDS]: time without a leader after one died, with credit and as plain Raft, same seeds.
 * In half of the runs credit is opposed to how fresh the log is.  Times in election timeouts. */
#include <stdio.h>

#include "elections.h"

typedef struct tally {
    uint32_t ticks[ELECTION_LIMIT + 2];
    uint64_t runs, leaderless, credit_sum, two_leaders;
} tally;

static uint32_t percentile(const tally *t, uint64_t hundredths)
{
    uint64_t seen = 0;
    uint32_t i = 0;

    for (; i <= ELECTION_LIMIT; i++) {
        seen += t->ticks[i];
        if (seen * 100 >= t->runs * hundredths) break;
    }
    return i;
}

static void begin_run(election *e, uint32_t n, uint64_t seed, uint32_t credit[])
{
    mgc__rng rng;

    memset(e, 0, sizeof *e);
    e->n = n;
    e->seed = seed;
    mgc__rng_seed(&rng, seed ^ 0x5851f42d4c957f2du);
    for (uint32_t i = 1; i <= n; i++) {
        e->log[i] = (uint32_t)mgc__rng_below(&rng, 4);
        credit[i] = (uint32_t)mgc__rng_below(&rng, 10001);
    }
    for (uint32_t i = 1; seed % 2 == 0 && i < n; i++) /* opposed: the fresher the log, the lower the credit */
        for (uint32_t j = i + 1; j < n; j++)
            if ((e->log[i] > e->log[j]) != (credit[i] < credit[j])) {
                uint32_t swap = credit[i];

                credit[i] = credit[j];
                credit[j] = swap;
            }
    for (uint32_t i = 1; i <= n; i++) {
        e->early[i] = credit[i] >= 3000;
        for (uint32_t j = 1; j <= n; j++) e->rank[i] += credit[j] > credit[i] || (credit[j] == credit[i] && j < i);
    }
}

static void run(tally *t, election *e, bool with_credit, const uint32_t credit[])
{
    e->credit = with_credit;
    run_election(e);
    t->runs++;
    t->two_leaders += e->two_leaders;
    if (e->leader == 0)
        t->leaderless++;
    else
        t->credit_sum += credit[e->leader];
    t->ticks[e->leader == 0 ? ELECTION_LIMIT + 1 : e->ticks]++;
}

static void print(const char *rule, uint32_t n, const tally *t)
{
    uint32_t p50 = percentile(t, 50) * 100 / ELECTION_ET, p99 = percentile(t, 99) * 100 / ELECTION_ET;

    printf("%u  %-7s %9llu  leaderless %llu  p50 %u.%02u  p99 %u.%02u  mean credit %llu  two leaders of a term %llu\n", n,
           rule, (unsigned long long)t->runs, (unsigned long long)t->leaderless, p50 / 100, p50 % 100, p99 / 100,
           p99 % 100, (unsigned long long)(t->credit_sum / (t->runs - t->leaderless + (t->runs == t->leaderless))),
           (unsigned long long)t->two_leaders);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static tally plain, ours;
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 30000, bad = 0;

    for (uint32_t n = 3; n <= 7; n += 2) {
        memset(&plain, 0, sizeof plain);
        memset(&ours, 0, sizeof ours);
        for (uint64_t seed = 1; seed <= seeds / 3 + 1; seed++) {
            uint32_t credit[ELECTION_NODES + 1];
            election e;

            begin_run(&e, n, seed, credit);
            run(&plain, &e, false, credit);
            run(&ours, &e, true, credit);
        }
        print("plain", n, &plain);
        print("credit", n, &ours);
        bad += ours.leaderless + ours.two_leaders + plain.two_leaders;
        bad += percentile(&ours, 50) * 10 > 18 * ELECTION_ET || percentile(&ours, 99) > 4 * ELECTION_ET;
    }
    return bad != 0;
}
