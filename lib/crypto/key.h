/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: it names libcrypto's types. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <openssl/evp.h>

#include "crypto/crypto.h"

mgc_status mgc__evp_sign(EVP_PKEY *key, const uint8_t *message, size_t len, uint8_t signature[64]);

#endif
