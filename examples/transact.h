/* SPDX-License-Identifier: Apache-2.0 */
/* From words to a signed transaction that a node has taken: what every host needs, on a page to copy. */
#ifndef EXAMPLES_TRANSACT_H
#define EXAMPLES_TRANSACT_H

#include <mgchain/mgchain.h>

/* Leave the function with the status where a call fails. */
#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

typedef struct signer {
    const mgc_key *key;
    uint32_t role; /* MGC_ROLE_... */
} signer;

/* Sign a call of a contract with bytes as arguments and hand it in.  The first signer sends; his nonce is counted. */
mgc_status transact_bytes(mgc_node *node, uint32_t contract, const char *method, const uint8_t *arguments, size_t len,
                          const signer *signers, size_t n, uint64_t *ticket);

/* The same for a method of a built-in contract, its arguments in words: "id=5 name=ada key=8f3a..": numbers in
 * decimal, bytes as hexadecimal digits, rows as 1,2,3;4,5,6. */
mgc_status transact(mgc_ctx *ctx, mgc_node *node, uint32_t contract, const char *method, const char *words,
                    const signer *signers, size_t n, uint64_t *ticket);

/* A key of which everybody can know: from its number.  Real members make theirs once, keep it in a file
 * (mgc_key_to_pem()) or in a module (mgc_key_from_callback()), and never show it. */
mgc_status toy_key(mgc_ctx *ctx, uint32_t number, mgc_key **key);

/* A public key as 64 digits, for words. */
mgc_status public_words(const mgc_key *key, char text[65]);

#endif
