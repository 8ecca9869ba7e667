/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file crypto.h
 * Hashes, keys and signatures: SHA-256 and Ed25519.
 *
 * Signing keys stay inside mgc_key.  They come from a 32-byte seed, from an encrypted PEM text, or
 * stay in a hardware module behind a callback; they are wiped before their memory is given back.
 */
#ifndef MGCHAIN_CRYPTO_H
#define MGCHAIN_CRYPTO_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MGC_HASH_BYTES = 32,       /**< SHA-256 */
    MGC_SEED_BYTES = 32,       /**< an Ed25519 private key */
    MGC_PUBLIC_KEY_BYTES = 32, /**< an Ed25519 public key */
    MGC_SIGNATURE_BYTES = 64,  /**< an Ed25519 signature */
    MGC_PEM_BYTES_MAX = 4096   /**< longest key text that is read or written */
};

typedef struct mgc_key mgc_key; /* owned by the caller */

/**
 * Signs inside a hardware module.
 *
 * @param user      as given
 * @param message   borrowed until the call returns
 * @param signature 64 bytes, filled
 * @return MGC_CB_DONE or a negative status, which the outer call returns
 * Called on the thread that needs the signature.  What it fills is verified before it is used.
 */
typedef int32_t (*mgc_sign_fn)(void *user, const uint8_t *message, size_t message_len, uint8_t *signature);

/** SHA-256 of len bytes into 32 bytes at hash.  Threads: any.  Since 0.1
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_CRYPTO */
MGC_API MGC_NODISCARD mgc_status mgc_sha256(const uint8_t *bytes, size_t len, uint8_t *hash);

/**
 * A signing key from its seed (RFC 8032, 5.1.5).
 *
 * @param seed 32 bytes, copied; the caller wipes its own
 * @param out  NULL on failure; destroy with mgc_key_destroy()
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY, MGC_E_CRYPTO
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_key_from_seed(mgc_ctx *ctx, const uint8_t *seed, mgc_key **out);

/**
 * A signing key from a PKCS #8 PEM text, encrypted or not.
 *
 * @param pem        borrowed until return; at most MGC_PEM_BYTES_MAX
 * @param passphrase borrowed until return; NULL: only an unencrypted text is read
 * @return MGC_OK; MGC_E_BAD_KEY (not an Ed25519 key, wrong pass phrase); MGC_E_TOO_LARGE, MGC_E_INVALID_ARG,
 *         MGC_E_NO_MEMORY, MGC_E_CRYPTO
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_key_from_pem(mgc_ctx *ctx, const char *pem, size_t len, const char *passphrase,
                                                  mgc_key **out);

/**
 * A key whose private half is elsewhere.
 *
 * @param public_key 32 bytes, copied; must pass mgc_public_key_check()
 * @param sign       called for every signature, with user
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_BAD_KEY, MGC_E_NO_MEMORY
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_key_from_callback(mgc_ctx *ctx, const uint8_t *public_key, mgc_sign_fn sign,
                                                       void *user, mgc_key **out);

/**
 * Write a key as PKCS #8 PEM: PBES2, PBKDF2-HMAC-SHA-256 with 600 000 rounds, AES-256-CBC.
 *
 * @param passphrase at least 8 bytes; a key is never written unencrypted
 * @param pem        filled with at most cap bytes, ending in NUL
 * @param len        filled with the length without the NUL
 * @return MGC_OK; MGC_E_STATE (the private half is elsewhere); MGC_E_TOO_LARGE (cap too small; MGC_PEM_BYTES_MAX is
 *         enough), MGC_E_INVALID_ARG, MGC_E_CRYPTO
 * Cost  a fraction of a second, on purpose.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_key_to_pem(const mgc_key *key, const char *passphrase, char *pem, size_t cap,
                                                size_t *len);

/** Wipe and free; NULL is fine.  Since 0.1 */
MGC_API void mgc_key_destroy(mgc_key *key);

/** Fill 32 bytes with the public half.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_key_public(const mgc_key *key, uint8_t *public_key);

/** Sign len bytes as they are, without a tag; 64 bytes are filled.  Deterministic (RFC 8032).
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_CRYPTO, MGC_E_BAD_SIGNATURE (the module signed wrongly), the
 *          callback's own status.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_key_sign(const mgc_key *key, const uint8_t *message, size_t len,
                                              uint8_t *signature);

/**
 * May this public key be enrolled?  Refused: a length other than 32, y not below 2^255 - 19, a point that
 * is not on the curve, and the small-order points, under which one signature fits many messages.
 * @return MGC_OK, MGC_E_BAD_KEY, MGC_E_INVALID_ARG, MGC_E_CRYPTO
 * Threads any.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_public_key_check(const uint8_t *public_key, size_t len);

/**
 * Verify an Ed25519 signature (RFC 8032, 5.1.7, without the cofactor; S not below the group's order is refused).
 * @return MGC_OK, MGC_E_BAD_SIGNATURE (also for a length other than 64), MGC_E_BAD_KEY, MGC_E_INVALID_ARG,
 * MGC_E_CRYPTO
 * Threads any.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_signature_verify(const uint8_t *public_key, const uint8_t *message,
                                                      size_t message_len, const uint8_t *signature,
                                                      size_t signature_len);

#ifdef __cplusplus
}
#endif
#endif
