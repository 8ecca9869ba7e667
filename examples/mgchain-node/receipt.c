/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a transaction, with proof: asked of a member, checked here without believing it.  All that is trusted is the chain's
 * id, which is the hash of its genesis. */
#include <errno.h>
#include <inttypes.h>
#include <mgchain/verify.h>

#include "node.h"

static bool save(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(bytes, 1, len, f) == len;

    ok = f != NULL && fclose(f) == 0 && ok;
    if (!ok) fprintf(stderr, "mgchain-node: %s: %s\n", path, strerror(errno));
    return ok;
}

/* Is the proof one of this transaction, in the block that the member named? */
static int check(const uint8_t chain_id[32], const uint8_t *proof, size_t len, const uint8_t tx_id[32], uint64_t height)
{
    mgc_verifier v;
    mgc_verified what = {.struct_size = sizeof what};
    mgc_status st = mgc_verifier_init(&v, sizeof v, chain_id);

    if (st == MGC_OK) st = mgc_verify_receipt(&v, proof, len, &what);
    if (st != MGC_OK || memcmp(what.item_hash, tx_id, 32) != 0 || what.height != height) {
        fprintf(stderr, "mgchain-node: what the member says does not verify: %s\n",
                st != MGC_OK ? mgc_status_name(st) : "the receipt is another transaction's");
        return EXIT_VERIFY;
    }
    printf("{\"proved\":true,\"height\":%" PRIu64 ",\"time_ms\":%" PRIu64 ",\"signatures\":%" PRIu32 ",\"status\":\"%s\",\"proof_bytes\":%zu}\n",
           what.height, what.time_ms, what.n_votes, mgc_status_name(what.receipt_status), len);
    return what.receipt_status == MGC_OK ? EXIT_DONE : EXIT_INPUT;
}

int receipt_fetch(caller *c, const char *contract, const char *told, const char *trust, const char *file)
{
    char request[200], hex[65], *reply, *text;
    uint8_t chain_id[32], tx_id[32], *proof;
    uint64_t height = 0, index = 0;
    uint32_t number = contract_of(contract);
    int code = EXIT_VERIFY;
    size_t n;

    if (!line_uint(told, "height", &height) || !line_uint(told, "index", &index) || !line_get(told, "tx_id", hex, sizeof hex) ||
        !from_hex(hex, tx_id, 32) || height == 0)
        return EXIT_INPUT; /* refused outside of any block: there is nothing to prove */
    snprintf(request, sizeof request, "{\"do\":\"receipt\",\"contract\":%" PRIu32 ",\"height\":%" PRIu64 ",\"index\":%" PRIu64 "}", number, height, index);
    if (!caller_ask(c, request, &reply)) return EXIT_PEER;
    text = malloc(strlen(reply) + 1);
    proof = malloc(strlen(reply) / 2 + 1);
    if (text == NULL || proof == NULL) code = EXIT_INTERNAL;
    else if (!line_get(reply, "proof", text, strlen(reply) + 1) || (n = strlen(text) / 2) == 0 || !from_hex(text, proof, n)) {
        fprintf(stderr, "mgchain-node: the member gives no proof: %s\n", reply);
        code = EXIT_PEER;
    } else if (!from_hex(trust, chain_id, 32)) fputs("mgchain-node: --trust is not a chain's id, 64 hexadecimal digits\n", stderr), code = EXIT_USAGE;
    else {
        code = check(chain_id, proof, n, tx_id, height);
        if (code != EXIT_VERIFY && file != NULL && !save(file, proof, n)) code = EXIT_IO;
    }
    free(text);
    free(proof);
    return code;
}
