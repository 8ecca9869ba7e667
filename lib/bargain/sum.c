/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over all members, along the tree that HELLO found: its root is the member of least label, everyone's parent the neighbour that
 * told of it first, so a member is as deep in it as it is far from the root, at most span.
 *
 * In the first span rounds a member tells its parent the sums of its subtree, once all its children have told theirs; in span more rounds
 * the totals come down.  Sums of integers do not depend on the tree.  Whoever does not know says REFUSED, and so is every sum with it. */
#include "bargain/agent.h"

enum { SILENCE = 0, SUBTREE = 1, TOTAL = 2 }; /* first value: what the others are */

static int64_t add(const mgc__sum *s, int64_t a, int64_t b)
{
    int64_t c;

    if (a == MGC__REFUSED || b == MGC__REFUSED || b < s->least) return MGC__REFUSED;
    c = a + (b > MGC__SUM_MAX ? MGC__SUM_MAX : b);
    return c > MGC__SUM_MAX ? MGC__SUM_MAX : c < s->least ? s->least : c;
}

void mgc__sum_begin(mgc_agent *agent, size_t n, int64_t least)
{
    agent->sum = (mgc__sum){.begin = agent->round, .n = n, .least = least};
    for (size_t i = 0; i < n; i++) agent->sum.part[i] = MGC__REFUSED;
    for (size_t e = 0; e < agent->n_ends; e++) agent->ends[e].waited_for = agent->ends[e].child;
}

static bool complete(const mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        if (agent->ends[e].waited_for) return false;
    return true;
}

/* The same words however often they are asked for within a round. */
void mgc__sum_speak(const mgc_agent *agent, const mgc__end *end, int64_t *values)
{
    const mgc__sum *s = &agent->sum;
    bool up = agent->round - s->begin < agent->span;

    memset(values, 0, (1 + s->n) * sizeof *values);
    if (up && agent->parent == (size_t)(end - agent->ends) && complete(agent)) {
        values[0] = SUBTREE;
        memcpy(values + 1, s->part, s->n * sizeof *values);
    } else if (!up && s->known && end->child) {
        values[0] = TOTAL;
        memcpy(values + 1, s->total, s->n * sizeof *values);
    }
}

static void hear(mgc_agent *agent, size_t e, const int64_t *values)
{
    mgc__sum *s = &agent->sum;
    mgc__end *end = &agent->ends[e];

    if (values[0] == SUBTREE && end->waited_for) {
        for (size_t i = 0; i < s->n; i++) s->part[i] = add(s, s->part[i], values[1 + i]);
        end->waited_for = false;
    } else if (values[0] == TOTAL && e == agent->parent && !s->known) {
        memcpy(s->total, values + 1, s->n * sizeof *s->total);
        s->known = true;
    }
}

bool mgc__sum_listen(mgc_agent *agent)
{
    mgc__sum *s = &agent->sum;
    uint64_t rounds;

    for (size_t e = 0; e < agent->n_ends; e++) hear(agent, e, agent->ends[e].inbox[agent->step & 1].values);
    rounds = ++agent->round - s->begin;
    if (rounds == agent->span && agent->parent == SIZE_MAX) {
        memcpy(s->total, s->part, s->n * sizeof *s->total);
        s->known = complete(agent);
    }
    if (rounds < 2 * agent->span) return false;
    for (size_t i = 0; i < s->n; i++)
        if (!s->known || s->total[i] < s->least || s->total[i] > MGC__SUM_MAX) s->total[i] = MGC__REFUSED;
    return true;
}
