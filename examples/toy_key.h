/* SPDX-License-Identifier: Apache-2.0 */
/* Keys to try things with. */
#ifndef EXAMPLES_TOY_KEY_H
#define EXAMPLES_TOY_KEY_H

#include <mgchain/mgchain.h>

/* Leave the function with the status where a call fails. */
#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

/* A key of which everybody can know: from its number.  Real members make theirs once, keep it in a file
 * (mgc_key_to_pem()) or in a module (mgc_key_from_callback()), and never show it. */
mgc_status toy_key(mgc_ctx *ctx, uint32_t number, mgc_key **key);

/* A public key as 64 digits, for the words of mgc_node_call(). */
mgc_status public_digits(const mgc_key *key, char digits[65]);

#endif
