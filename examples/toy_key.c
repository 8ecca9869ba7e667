/* SPDX-License-Identifier: Apache-2.0 */
#include "toy_key.h"

#include <stdio.h>

mgc_status toy_key(mgc_ctx *ctx, uint32_t number, mgc_key **key)
{
    uint8_t seed[32] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

    return mgc_key_from_seed(ctx, seed, key);
}

mgc_status public_digits(const mgc_key *key, char digits[65])
{
    uint8_t bytes[32];

    TRY(mgc_key_public(key, bytes));
    for (size_t i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    return MGC_OK;
}
