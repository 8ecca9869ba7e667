/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of a chain of six blocks; the first byte says which kind is asked for, and whether a head is followed already.  Nobody
 * can sign for its member: what is believed is what the chain holds. */
#include "fuzz.h"

#include "../ledger/world.h"
#include "mgchain/verify.h"
#include "proof_world.h"

static struct proof_world *world(void)
{
    static struct proof_world p;

    if (p.w.ctx == NULL) proof_world_open(&p);
    return &p;
}

/* A block that is proved is the chain's own. */
static void on_the_chain(const struct proof_world *p, const mgc_verified *what)
{
    must(what->height >= 1 && what->height <= PROOF_BLOCKS && memcmp(what->block_hash, p->hash[what->height], 32) == 0, "a block that is not on the chain");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mgc_status (*const calls[])(mgc_verifier *, const uint8_t *, size_t, mgc_verified *) = {
        mgc_verify_transaction, mgc_verify_receipt, mgc_verify_ancestor, mgc_verify_record, mgc_verify_absence, mgc_verify_follow, mgc_verify_equivocation};
    enum { CALLS = sizeof calls / sizeof calls[0] };
    struct proof_world *p = world();
    mgc_verified what = {.struct_size = sizeof what};
    mgc_verified_account account = {.struct_size = sizeof account};
    mgc_verifier v;

    if (size == 0) return 0;
    must(mgc_verifier_init(&v, sizeof v, p->w.chain_id) == MGC_OK, "a verifier");
    if (data[0] >= 128) must(mgc_verify_follow(&v, p->head, p->head_len, NULL) == MGC_OK, "a head");
    size_t kind = data[0] % (CALLS + 1);
    if (kind == CALLS) {
        must(mgc_verify_account(&v, data + 1, size - 1, &account) != MGC_OK || (account.height >= 1 && account.height <= PROOF_BLOCKS), "an account of no block");
        return 0;
    }
    if (calls[kind](&v, data + 1, size - 1, &what) != MGC_OK) return 0;
    must(calls[kind] != mgc_verify_equivocation, "the chain has one block a height");
    on_the_chain(p, &what);
    return 0;
}
