/* SPDX-License-Identifier: Apache-2.0 */
/* What came to pass among the members: who led in which term, how long nobody did, how credit went. */
#include <string.h>

#include "day.h"

/* Who leads in the highest term, by his own word; 0: nobody. */
static uint32_t leader_now(const book *b, uint64_t *term)
{
    uint32_t leader = 0;

    *term = 0;
    for (uint32_t i = 0; i < b->peers.n; i++) {
        mgc_node_info info = {.struct_size = sizeof info};
        if (b->peers.list[i].node == NULL || mgc_node_get_info(b->peers.list[i].node, &info) != MGC_OK) continue;
        if (info.role != MGC_RAFT_LEADER || info.term < *term) continue;
        *term = info.term;
        leader = b->peers.list[i].id;
    }
    return leader;
}

static void note_leader(book *b)
{
    peers *p = &b->peers;
    const term_line *last = p->n_terms > 0 ? &p->term[(p->n_terms - 1) % TERMS_MAX] : NULL;
    uint64_t term;
    uint32_t leader = leader_now(b, &term);

    if (leader == 0) {
        if (last != NULL && p->lost_ms == 0) p->lost_ms = b->now_ms;
        return;
    }
    if (last != NULL && last->term == term && last->leader == leader) {
        if (p->why == NULL) p->lost_ms = 0; /* nobody was lost */
        return;
    }
    if (last != NULL) {
        failover *f = &p->over[p->n_over++ % FAILOVERS_MAX];
        *f = (failover){p->lost_ms == 0 ? b->now_ms : p->lost_ms, b->now_ms, term, last->leader, leader, p->why != NULL ? p->why : "hand-over"};
    }
    p->term[p->n_terms++ % TERMS_MAX] = (term_line){term, b->now_ms, leader};
    p->lost_ms = 0;
    p->why = NULL;
}

static void note_credit(book *b)
{
    peers *p = &b->peers;
    credit_sample s = {.time_ms = b->now_ms};

    for (uint32_t i = 0; i < NODES_MAX; i++) {
        mgc_node_member_info info = {.struct_size = sizeof info};
        if (mgc_node_get_member(b->node, i, &info) != MGC_OK) break;
        s.node[i] = info.node_credit;
        s.trade[i] = info.trade_credit;
        s.rank[i] = info.rank;
        s.convicted[i] = info.convicted;
        s.standing[i] = info.standing;
    }
    if (p->n_samples > 0) {
        credit_sample *before = &p->sample[p->n_samples - 1];
        uint64_t time_ms = before->time_ms;
        before->time_ms = s.time_ms;
        bool same = memcmp(before, &s, sizeof s) == 0;
        before->time_ms = time_ms;
        if (same) return;
    }
    if (p->n_samples < SAMPLES_MAX) p->sample[p->n_samples++] = s;
}

void history_watch(book *b)
{
    mgc_node_member_info info = {.struct_size = sizeof info};

    note_leader(b);
    if (mgc_node_get_member(b->node, 0, &info) == MGC_OK && info.rank != UINT32_MAX) note_credit(b);
}

/* --- results.json --------------------------------------------------------------------------------------- */

static void write_terms(mgc_json *json, const peers *p)
{
    mgc_json_array(json, "terms");
    for (size_t i = p->n_terms > TERMS_MAX ? p->n_terms - TERMS_MAX : 0; i < p->n_terms; i++) {
        const term_line *t = &p->term[i % TERMS_MAX];
        mgc_json_object(json, NULL);
        mgc_json_integer(json, "term", t->term);
        mgc_json_integer(json, "leader", t->leader);
        mgc_json_integer(json, "from_ms", t->from_ms);
        mgc_json_end(json);
    }
    mgc_json_end(json);
    mgc_json_array(json, "failovers");
    for (size_t i = p->n_over > FAILOVERS_MAX ? p->n_over - FAILOVERS_MAX : 0; i < p->n_over; i++) {
        const failover *f = &p->over[i % FAILOVERS_MAX];
        mgc_json_object(json, NULL);
        mgc_json_string(json, "why", f->why);
        mgc_json_integer(json, "lost_ms", f->lost_ms);
        mgc_json_integer(json, "found_ms", f->found_ms);
        mgc_json_integer(json, "took_ms", f->found_ms - f->lost_ms);
        mgc_json_integer(json, "old_leader", f->old);
        mgc_json_integer(json, "new_leader", f->now);
        mgc_json_integer(json, "term", f->term);
        mgc_json_end(json);
    }
    mgc_json_end(json);
}

static void write_series(mgc_json *json, const char *name, const peers *p, size_t offset)
{
    mgc_json_array(json, name);
    for (size_t i = 0; i < p->n_samples; i++) {
        uint32_t value;
        memcpy(&value, (const char *)&p->sample[i] + offset, sizeof value);
        mgc_json_integer(json, NULL, value);
    }
    mgc_json_end(json);
}

static void write_credit(mgc_json *json, const book *b)
{
    const peers *p = &b->peers;

    mgc_json_object(json, "credit");
    mgc_json_array(json, "time_ms");
    for (size_t i = 0; i < p->n_samples; i++) mgc_json_integer(json, NULL, p->sample[i].time_ms);
    mgc_json_end(json);
    mgc_json_array(json, "members");
    for (uint32_t i = 0; i < p->n; i++) {
        mgc_json_object(json, NULL);
        mgc_json_integer(json, "member", p->list[i].id);
        write_series(json, "node", p, offsetof(credit_sample, node) + i * sizeof(uint32_t));
        write_series(json, "trade", p, offsetof(credit_sample, trade) + i * sizeof(uint32_t));
        write_series(json, "rank", p, offsetof(credit_sample, rank) + i * sizeof(uint32_t));
        write_series(json, "convicted", p, offsetof(credit_sample, convicted) + i * sizeof(uint32_t));
        write_series(json, "standing", p, offsetof(credit_sample, standing) + i * sizeof(uint32_t));
        mgc_json_end(json);
    }
    mgc_json_end(json);
    mgc_json_end(json);
}

void history_write(mgc_json *json, const book *b)
{
    const peers *p = &b->peers;

    if (p->n == 0) return;
    mgc_json_object(json, "consensus");
    mgc_json_integer(json, "members", p->n);
    mgc_json_integer(json, "tick_ms", PEER_TICK_MS);
    mgc_json_integer(json, "election_ms", PEER_TICK_MS * PEER_ELECTION_TICKS);
    mgc_json_integer(json, "messages", p->messages);
    write_terms(json, p);
    write_credit(json, b);
    mgc_json_end(json);
}
