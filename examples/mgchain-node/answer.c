/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the local socket, one object a line.  "tag", if given, comes back with the answer.
 *
 *   {"do":"status"}
 *   {"do":"query","what":"accounts","arguments":"microgrid=1","caller":0}      caller: a member, whom the asker vouches for
 *   {"do":"chain","contract":2,"sender":"<public key>"}                         what a transaction needs to be made
 *   {"do":"submit","tx":"<hexadecimal>"}                                        answered once it is acknowledged or refused
 *   {"do":"receipt","contract":2,"height":9,"index":0}                           of that block, with proof
 *   {"do":"members"}                                                            who takes part
 *   {"do":"change","to":"voter","id":4,"public_key":"<...>"}                    approve; to: voter, learner, removed
 *
 * Status and change are for who may open the local socket; others are answered as the public. */
#include <inttypes.h>

#include "node.h"

static void begin(line *reply, const char *tag)
{
    line_add(reply, "{");
    if (tag[0] == '\0') return;
    line_add(reply, "\"tag\":");
    line_quoted(reply, tag);
    line_add(reply, ",");
}

static void say_no(line *reply, const char *tag, mgc_status st, const char *text)
{
    begin(reply, tag);
    line_add(reply, "\"error\":");
    line_quoted(reply, text);
    if (st != MGC_OK) line_add(reply, ",\"status\":\"%s\"", mgc_status_name(st));
    line_add(reply, "}");
}

static const char *const standings[] = {"alone", "stranger", "learner", "voter", "removed"};

/* --- status ----------------------------------------------------------------------------------------- */

static void add_peers(const process *p, line *reply)
{
    tcp_peer_info peer;

    line_add(reply, ",\"peers\":[");
    for (size_t i = 0; tcp_peer(p->tcp, i, &peer); i++)
        line_add(reply, "%s{\"id\":%" PRIu32 ",\"sends\":%s,\"receives\":%s,\"sent\":%" PRIu64 ",\"received\":%" PRIu64
                 ",\"dropped\":%" PRIu64 ",\"dials\":%" PRIu64 ",\"queued_bytes\":%zu}",
                 i > 0 ? "," : "", peer.id, peer.sends ? "true" : "false", peer.receives ? "true" : "false", peer.sent,
                 peer.received, peer.dropped, peer.dials, peer.queued);
    line_add(reply, "],\"refused_connections\":%" PRIu64, tcp_refused(p->tcp));
}

static void do_status(process *p, const char *tag, line *reply)
{
    static const char *const roles[] = {"alone", "follower", "candidate", "candidate", "leader", "learner"};
    mgc_node_info i = {.struct_size = sizeof i};
    mgc_status st = mgc_node_get_info(p->node, &i);
    char hex[65];

    if (st != MGC_OK) {
        say_no(reply, tag, st, mgc_ctx_error(p->ctx));
        return;
    }
    begin(reply, tag);
    line_add(reply, "\"id\":%" PRIu32 ",\"role\":\"%s\",\"leader\":%" PRIu32 ",\"term\":%" PRIu64, p->c->id,
             i.role < 6 ? roles[i.role] : "unknown", i.leader, i.term);
    line_add(reply, ",\"standing\":\"%s\",\"voters\":%" PRIu32 ",\"learners\":%" PRIu32 ",\"changing\":%s", standings[i.standing < 5 ? i.standing : 0],
             i.n_voters, i.n_learners, i.changing != 0 ? "true" : "false");
    line_add(reply, ",\"height\":%" PRIu64 ",\"final_height\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"transactions\":%" PRIu64
             ",\"waiting\":%" PRIu32 ",\"refused\":%" PRIu64 ",\"ordered\":%" PRIu64 ",\"mended\":%" PRIu64,
             i.height, i.final_height, i.blocks, i.transactions, i.waiting, i.refused, i.ordered, i.mended);
    to_hex(i.block_hash, 32, hex);
    line_add(reply, ",\"block_hash\":\"%s\"", hex);
    to_hex(p->c->network, 32, hex);
    line_add(reply, ",\"alliance\":\"%s\",\"version\":\"%s\",\"uptime_ms\":%" PRIu64, hex, mgc_version_string(), steady_ms() - p->started_ms);
    add_peers(p, reply);
    line_add(reply, "}");
}

/* --- query ------------------------------------------------------------------------------------------ */

static void add_row(const mgc_rows *rows, const mgc_row *row, line *reply)
{
    const char *column;

    line_add(reply, "{");
    for (uint32_t i = 0; (column = mgc_rows_column(rows, i)) != NULL; i++) {
        const char *text = mgc_row_text(row, column);
        line_add(reply, "%s\"%s\":", i > 0 ? "," : "", column);
        line_quoted(reply, text != NULL ? text : "");
    }
    line_add(reply, "}");
}

static void do_query(process *p, const char *request, const char *tag, bool is_public, line *reply)
{
    char what[64] = "", arguments[1024] = "";
    uint64_t as = 0;
    mgc_rows *rows = NULL;
    const mgc_row *row;
    mgc_status st;
    bool first = true;

    (void)line_get(request, "what", what, sizeof what);
    (void)line_get(request, "arguments", arguments, sizeof arguments);
    (void)line_uint(request, "caller", &as);
    if (is_public) as = 0; /* nobody vouches for it */
    st = as > UINT32_MAX ? MGC_E_RANGE : mgc_node_query(p->node, (uint32_t)as, what, arguments, &rows);
    if (st != MGC_OK) {
        say_no(reply, tag, st, mgc_ctx_error(p->ctx));
        return;
    }
    begin(reply, tag);
    line_add(reply, "\"rows\":[");
    for (; mgc_rows_next(rows, &row) == MGC_ROW; first = false) {
        if (!first) line_add(reply, ",");
        add_row(rows, row, reply);
    }
    line_add(reply, "],\"cursor\":");
    line_quoted(reply, mgc_rows_cursor(rows));
    line_add(reply, "}");
    mgc_rows_destroy(rows);
}

/* --- transactions ----------------------------------------------------------------------------------- */

static void do_chain(process *p, const char *request, const char *tag, line *reply)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    char sender[65] = "", hex[65];
    uint8_t key[32];
    uint64_t contract = 0, nonce = 0;
    mgc_status st = MGC_E_INVALID_ARG;

    (void)line_uint(request, "contract", &contract);
    if (line_get(request, "sender", sender, sizeof sender) && from_hex(sender, key, 32) && contract <= UINT32_MAX)
        st = mgc_chain_get_info(mgc_node_chain(p->node, (uint32_t)contract), &chain);
    if (st == MGC_OK) st = mgc_node_next_nonce(p->node, key, (uint32_t)contract, &nonce);
    if (st != MGC_OK) {
        say_no(reply, tag, st, "a contract and the public key of a sender are needed");
        return;
    }
    to_hex(chain.chain_id, 32, hex);
    begin(reply, tag);
    line_add(reply, "\"chain_id\":\"%s\",\"height\":%" PRIu64 ",\"nonce\":%" PRIu64 "}", hex, chain.height, nonce);
}

static void do_submit(process *p, const char *request, const char *tag, line *reply, uint64_t *ticket)
{
    size_t cap = 2 * (size_t)MGC_TX_BYTES_MAX + 1;
    char *hex = malloc(cap);
    uint8_t *bytes = malloc(MGC_TX_BYTES_MAX);
    mgc_status st = MGC_E_NO_MEMORY;
    size_t n;

    *ticket = 0;
    if (hex != NULL && bytes != NULL) st = MGC_E_INVALID_ARG;
    if (st == MGC_E_INVALID_ARG && line_get(request, "tx", hex, cap) && (n = strlen(hex)) % 2 == 0 && n > 0 && from_hex(hex, bytes, n / 2))
        st = mgc_node_submit(p->node, bytes, n / 2, ticket);
    if (st != MGC_OK) say_no(reply, tag, st, st == MGC_E_INVALID_ARG ? "tx is no transaction in hexadecimal digits" : mgc_ctx_error(p->ctx));
    free(hex);
    free(bytes);
}

void answer_ticket(process *p, uint64_t ticket, const char *tag, line *reply)
{
    mgc_ticket_info t = {.struct_size = sizeof t};
    mgc_status st = mgc_ticket_state(p->node, ticket, &t);
    char hex[65];

    if (st == MGC_OK && t.state == MGC_TICKET_OPEN) return;
    if (st != MGC_OK) {
        say_no(reply, tag, st, "it is not known any more what became of it");
        line_add(reply, "\n");
        return;
    }
    begin(reply, tag);
    to_hex(t.tx_id, 32, hex);
    line_add(reply, "\"state\":\"%s\",\"tx_id\":\"%s\",\"height\":%" PRIu64 ",\"index\":%" PRIu32, t.state == MGC_TICKET_COMMITTED ? "committed" : "refused",
             hex, t.height, t.index);
    if (t.state == MGC_TICKET_REFUSED) {
        line_add(reply, ",\"status\":\"%s\",\"rule\":", mgc_status_name(t.status));
        line_quoted(reply, t.rule);
    }
    line_add(reply, "}\n");
}

/* --- receipts --------------------------------------------------------------------------------------- */

static void do_receipt(process *p, const char *request, const char *tag, line *reply)
{
    uint64_t contract = UINT64_MAX, height = 0, index = 0;
    mgc_chain *chain = NULL;
    uint8_t *proof = NULL;
    char *hex = NULL;
    size_t len = 0;
    mgc_status st = MGC_E_INVALID_ARG;

    if (line_uint(request, "contract", &contract) && contract <= UINT32_MAX && line_uint(request, "height", &height) &&
        line_uint(request, "index", &index) && index <= UINT32_MAX)
        chain = mgc_node_chain(p->node, (uint32_t)contract);
    if (chain != NULL) st = mgc_chain_prove_receipt(chain, height, (uint32_t)index, NULL, 0, &len);
    if (st == MGC_E_TOO_LARGE) {
        proof = malloc(len);
        hex = malloc(2 * len + 1);
        st = proof == NULL || hex == NULL ? MGC_E_NO_MEMORY : mgc_chain_prove_receipt(chain, height, (uint32_t)index, proof, len, &len);
    }
    if (st != MGC_OK) say_no(reply, tag, st, chain == NULL ? "contract, height and index are needed" : mgc_ctx_error(p->ctx));
    else {
        to_hex(proof, len, hex);
        begin(reply, tag);
        line_add(reply, "\"height\":%" PRIu64 ",\"index\":%" PRIu64 ",\"proof\":\"%s\"}", height, index, hex);
    }
    free(proof);
    free(hex);
}

/* --- members ---------------------------------------------------------------------------------------- */

static void do_members(process *p, const char *tag, line *reply)
{
    mgc_node_member_info m;
    char hex[65];

    begin(reply, tag);
    line_add(reply, "\"members\":[");
    for (uint32_t i = 0;; i++) {
        m = (mgc_node_member_info){.struct_size = sizeof m};
        if (mgc_node_get_member(p->node, i, &m) != MGC_OK) break;
        to_hex(m.public_key, 32, hex);
        line_add(reply, "%s{\"id\":%" PRIu32 ",\"standing\":\"%s\",\"aim\":\"%s\",\"public_key\":\"%s\",\"node_credit\":%" PRIu32 ",\"trade_credit\":%" PRIu32
                 ",\"convicted\":%s,\"acknowledged\":%" PRIu64 "}", i > 0 ? "," : "", m.id, standings[m.standing < 5 ? m.standing : 0],
                 standings[m.aim < 5 ? m.aim : 0], hex, m.node_credit, m.trade_credit, m.convicted != 0 ? "true" : "false", m.acknowledged);
    }
    line_add(reply, "]}");
}

static void do_change(process *p, const char *request, const char *tag, line *reply)
{
    char to[16] = "", hex[65] = "";
    uint64_t id = 0;
    mgc_member member = {.id = 0};
    uint32_t change = 0;
    mgc_status st = MGC_E_INVALID_ARG;

    if (line_get(request, "to", to, sizeof to))
        change = strcmp(to, "voter") == 0 ? MGC_CHANGE_VOTER : strcmp(to, "learner") == 0 ? MGC_CHANGE_LEARNER : strcmp(to, "removed") == 0 ? MGC_CHANGE_REMOVE : 0;
    if (change != 0 && line_uint(request, "id", &id) && id > 0 && id <= UINT32_MAX && line_get(request, "public_key", hex, sizeof hex) &&
        from_hex(hex, member.public_key, 32)) {
        member.id = (uint32_t)id;
        st = mgc_node_change_member(p->node, change, &member);
    }
    if (st != MGC_OK) {
        say_no(reply, tag, st, st == MGC_E_INVALID_ARG ? "to (voter, learner or removed), id and public_key are needed" : mgc_ctx_error(p->ctx));
        return;
    }
    say(SAY_INFO, "approved: member %" PRIu32 " to be %s", member.id, to);
    begin(reply, tag);
    line_add(reply, "\"approved\":true}");
}

void answer(process *p, const char *request, bool is_public, line *reply, uint64_t *ticket)
{
    char what[16] = "", tag[40] = "";

    (void)line_get(request, "tag", tag, sizeof tag);
    if (!line_get(request, "do", what, sizeof what)) say_no(reply, tag, MGC_OK, "no object with \"do\"");
    else if (is_public && (strcmp(what, "status") == 0 || strcmp(what, "change") == 0)) say_no(reply, tag, MGC_E_FORBIDDEN, "only at the member's own socket");
    else if (strcmp(what, "status") == 0) do_status(p, tag, reply);
    else if (strcmp(what, "query") == 0) do_query(p, request, tag, is_public, reply);
    else if (strcmp(what, "receipt") == 0) do_receipt(p, request, tag, reply);
    else if (strcmp(what, "chain") == 0) do_chain(p, request, tag, reply);
    else if (strcmp(what, "submit") == 0) do_submit(p, request, tag, reply, ticket);
    else if (strcmp(what, "members") == 0) do_members(p, tag, reply);
    else if (strcmp(what, "change") == 0) do_change(p, request, tag, reply);
    else say_no(reply, tag, MGC_OK, "\"do\" is one of status, members, change, query, chain, submit, receipt");
}
