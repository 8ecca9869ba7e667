/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of a leader: the signed votes that made it one.  It is the payload of the no-op of its term, so that
 * every member keeps the certificate of every leader that it has followed. */
#include "consensus/cert.h"
#include "consensus/raft.h"

void mgc__certificate_build(mgc_raft *r)
{
    mgc__cert cert = {.kind = MGC__CERT_LEADER, .term = r->term, .candidate = r->opts.id, .index = r->last};

    r->certificate_len = 0;
    if (r->opts.sign == 0) return;
    cert.cfg = mgc__config_now(r)->index;
    cert.log_term = mgc__log_term(r, r->last);
    memcpy(cert.hash, mgc__log_hash(r, r->last), 32);
    for (uint32_t i = 0; i < r->n_peers; i++)
        if (r->votes[i] == MGC__VOTE_YES) mgc__cert_add(&cert, r->peers[i].id, r->peers[i].signature);
    r->certificate_len = (uint32_t)mgc__cert_encode(&cert, r->certificate);
}
