/* SPDX-License-Identifier: Apache-2.0 */
/* How an honest member stays one that nobody can convict by E4: of a final entry of term t and the certificate of a leader of
 * t' > t whose log lacked it, who signed both is accused, unless an earlier leader t < t'' < t' can be shown that lacked it, too.
 *
 *   1. A leader sends the certificates that it keeps along with its first messages; every member keeps them.
 *   2. An entry that is cut from the log was acknowledged perhaps: its term and index are kept.
 *   3. A vote for a log that is older than what was cut is given only with the certificate in hand of a leader in between whose
 *      log lacked it.  Otherwise none is given, which is always allowed.
 *
 * So each vote that could be held against an acknowledgement has its answer before it leaves.  Who never lost entries to a later
 * leader refuses nothing that Raft does not refuse: its own log is the newer one.
 *
 * What can go wrong
 *   a leader is elected by a lie, and cuts     its certificate comes with its first message, and is the answer
 *   it leads without having been elected       it has no certificate; nobody votes below what it made them cut
 *   it has terms in its log that nobody led    they end what it can show; likewise
 *   too many cuts, or votes to answer for      below the oldest of them nobody is voted for any more */
#include "consensus/witness.h"

static bool older(uint64_t term_a, uint64_t index_a, uint64_t term_b, uint64_t index_b)
{
    return term_a < term_b || (term_a == term_b && index_a < index_b);
}

/* Its place; MGC__LED_MAX: it is not kept. */
static uint32_t place_of(const mgc__witness *w, uint64_t term, uint32_t candidate)
{
    for (uint32_t i = w->n_led; i-- > 0;)
        if (w->led[i].term == term && w->led[i].candidate == candidate) return i;
    return MGC__LED_MAX;
}

bool mgc__witness_knows(const mgc__witness *w, uint64_t term, uint32_t candidate)
{
    return place_of(w, term, candidate) != MGC__LED_MAX;
}

/* Where a further one goes: the oldest on which no vote rests makes room. */
static uint32_t room(mgc__witness *w)
{
    uint32_t oldest = MGC__LED_MAX;

    if (w->n_led < MGC__LED_MAX) return w->n_led++;
    for (uint32_t i = 0; i < MGC__LED_MAX; i++)
        if (w->led[i].used == 0 && (oldest == MGC__LED_MAX || w->led[i].term < w->led[oldest].term)) oldest = i;
    return oldest;
}

uint32_t mgc__witness_led(mgc__witness *w, uint64_t term, uint32_t candidate, uint64_t log_term, uint64_t index, bool *fresh)
{
    uint32_t at = place_of(w, term, candidate);

    *fresh = false;
    if (at != MGC__LED_MAX) return at;
    at = room(w);
    if (at == MGC__LED_MAX) return at;
    *fresh = true;
    w->led[at] = (mgc__led){.term = term, .log_term = log_term, .index = index, .candidate = candidate};
    return at;
}

/* The two oldest become one below which nothing helps. */
static void merge_oldest(mgc__witness *w)
{
    if (older(w->floor.term, w->floor.index, w->cuts[0].term, w->cuts[0].index)) w->floor = w->cuts[0];
    w->n_cuts--;
    memmove(w->cuts, w->cuts + 1, w->n_cuts * sizeof *w->cuts);
}

void mgc__witness_cut(mgc__witness *w, uint64_t term, uint64_t index)
{
    uint32_t at = 0;

    while (at < w->n_cuts && w->cuts[at].term < term) at++;
    if (at < w->n_cuts && w->cuts[at].term == term) {
        if (w->cuts[at].index < index) w->cuts[at].index = index;
        return;
    }
    if (w->n_cuts == MGC__CUTS_MAX) {
        merge_oldest(w);
        if (at > 0) at--;
    }
    memmove(w->cuts + at + 1, w->cuts + at, (w->n_cuts - at) * sizeof *w->cuts);
    w->cuts[at] = (mgc__cut){.term = term, .index = index};
    w->n_cuts++;
}

void mgc__witness_forget(mgc__witness *w, uint64_t base_term)
{
    uint32_t n = 0;

    while (n < w->n_cuts && w->cuts[n].term < base_term) n++;
    w->n_cuts -= n;
    memmove(w->cuts, w->cuts + n, w->n_cuts * sizeof *w->cuts);
}

/* Of the entries that were cut in one term, the log in question lacks those behind its own end; does this leader's lack them all? */
static bool answers(const mgc__led *l, const mgc__cut *cut, uint64_t term, uint64_t log_term, uint64_t index)
{
    if (l->term <= cut->term || l->term >= term) return false;
    return l->log_term < cut->term || (log_term == cut->term && l->log_term == cut->term && l->index <= index);
}

bool mgc__witness_may_vote(mgc__witness *w, uint64_t term, uint64_t log_term, uint64_t index, bool *leans)
{
    mgc__led *with[MGC__CUTS_MAX];
    uint32_t n = 0;

    *leans = false;
    if (older(log_term, index, w->floor.term, w->floor.index)) return false;
    for (uint32_t i = 0; i < w->n_cuts; i++) {
        mgc__led *found = NULL;

        if (w->cuts[i].term >= term || !older(log_term, index, w->cuts[i].term, w->cuts[i].index)) continue;
        for (uint32_t k = 0; k < w->n_led && found == NULL; k++)
            if (answers(&w->led[k], &w->cuts[i], term, log_term, index)) found = &w->led[k];
        if (found == NULL) return false;
        with[n++] = found;
    }
    for (uint32_t i = 0; i < n; i++) {
        *leans = *leans || with[i]->used == 0;
        with[i]->used = 1;
    }
    return true;
}

const mgc__led *mgc__witness_earliest(const mgc__witness *w, uint64_t term, uint64_t index, uint64_t before)
{
    const mgc__led *first = NULL;

    for (uint32_t i = 0; i < w->n_led; i++) {
        const mgc__led *l = &w->led[i];

        if (l->term <= term || l->term >= before || !older(l->log_term, l->index, term, index)) continue;
        if (first == NULL || l->term < first->term) first = l;
    }
    return first;
}
