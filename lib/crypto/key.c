/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/key.h"

enum {
    PBKDF2_ROUNDS = 600000, /* what OWASP's password storage sheet asks of PBKDF2-HMAC-SHA-256 (2023) */
    PASSPHRASE_MIN = 8,
    PASSPHRASE_MAX = 1024 /* a bound on what is copied into libcrypto's buffer */
};

struct mgc_key {
    mgc_ctx *ctx;
    EVP_PKEY *pkey; /* NULL: sign is asked; libcrypto wipes it when freed */
    mgc_sign_fn sign;
    void *sign_user;
    uint8_t public_key[MGC_PUBLIC_KEY_BYTES];
};

void mgc__wipe(void *bytes, size_t len)
{
    OPENSSL_cleanse(bytes, len);
}

const uint8_t *mgc__key_public(const mgc_key *key)
{
    return key->public_key;
}

mgc_ctx *mgc__key_ctx(const mgc_key *key)
{
    return key->ctx;
}

void mgc_key_destroy(mgc_key *key)
{
    if (key == NULL) return;
    EVP_PKEY_free(key->pkey);
    mgc__wipe(key->public_key, sizeof key->public_key);
    mgc__free(key->ctx, key);
}

/* Takes pkey, which is not NULL. */
static mgc_status wrap(mgc_ctx *ctx, EVP_PKEY *pkey, mgc_key **out)
{
    size_t len = MGC_PUBLIC_KEY_BYTES;
    mgc_key *key;

    if (EVP_PKEY_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        return mgc__fail(ctx, MGC_E_BAD_KEY, "crypto: the key is not an Ed25519 key");
    }
    key = mgc__alloc(ctx, 1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return mgc__no_memory(ctx, "crypto: a key");
    }
    key->ctx = ctx;
    key->pkey = pkey;
    if (EVP_PKEY_get_raw_public_key(pkey, key->public_key, &len) != 1 || len != MGC_PUBLIC_KEY_BYTES) {
        mgc_key_destroy(key);
        ERR_clear_error();
        return mgc__fail(ctx, MGC_E_CRYPTO, "crypto: libcrypto gave no public key");
    }
    *out = key;
    return MGC_OK;
}

mgc_status mgc_key_from_seed(mgc_ctx *ctx, const uint8_t *seed, mgc_key **out)
{
    EVP_PKEY *pkey;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || seed == NULL) return MGC_E_INVALID_ARG;
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MGC_SEED_BYTES);
    ERR_clear_error();
    if (pkey == NULL) return mgc__fail(ctx, MGC_E_CRYPTO, "crypto: libcrypto made no Ed25519 key");
    return wrap(ctx, pkey, out);
}

mgc_status mgc_key_from_callback(mgc_ctx *ctx, const uint8_t *public_key, mgc_sign_fn sign, void *user, mgc_key **out)
{
    mgc_status status;
    mgc_key *key;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || public_key == NULL || sign == NULL) return MGC_E_INVALID_ARG;
    status = mgc_public_key_check(public_key, MGC_PUBLIC_KEY_BYTES);
    if (status != MGC_OK)
        return mgc__fail(ctx, status, "crypto: the module's public key is not one that may be used");
    key = mgc__alloc(ctx, 1, sizeof *key);
    if (key == NULL) return mgc__no_memory(ctx, "crypto: a key");
    key->ctx = ctx;
    key->sign = sign;
    key->sign_user = user;
    memcpy(key->public_key, public_key, sizeof key->public_key);
    *out = key;
    return MGC_OK;
}

/* Answers libcrypto's question for a pass phrase; without one it must not ask the terminal. */
static int passphrase_callback(char *buffer, int size, int writing, void *user)
{
    const char *passphrase = user;
    size_t len = passphrase == NULL ? 0 : strlen(passphrase);

    (void)writing;
    if (passphrase == NULL || len > (size_t)size) return -1;
    memcpy(buffer, passphrase, len);
    return (int)len;
}

mgc_status mgc_key_from_pem(mgc_ctx *ctx, const char *pem, size_t len, const char *passphrase, mgc_key **out)
{
    EVP_PKEY *pkey = NULL;
    BIO *bio;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || pem == NULL) return MGC_E_INVALID_ARG;
    if (len > MGC_PEM_BYTES_MAX)
        return mgc__fail(ctx, MGC_E_TOO_LARGE, "crypto: a key text of %zu bytes; at most %d", len, MGC_PEM_BYTES_MAX);
    bio = BIO_new_mem_buf(pem, (int)len);
    if (bio == NULL) return mgc__fail(ctx, MGC_E_CRYPTO, "crypto: libcrypto has no memory for a key");
    /* libcrypto reads the pass phrase only; its prototype lacks the const */
    union {
        const char *in;
        void *out;
    } phrase = {.in = passphrase};
    pkey = PEM_read_bio_PrivateKey(bio, NULL, passphrase_callback, phrase.out);
    BIO_free(bio);
    ERR_clear_error();
    if (pkey == NULL)
        return mgc__fail(ctx, MGC_E_BAD_KEY, "crypto: the text is not a private key in PEM, or the pass phrase is %s",
                         passphrase == NULL ? "missing" : "wrong");
    return wrap(ctx, pkey, out);
}

/* PKCS #8 inside PBES2 (RFC 8018), with our own number of rounds; salt and IV are drawn by libcrypto. */
static X509_SIG *encrypt_key(EVP_PKEY *pkey, const char *passphrase)
{
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
    X509_ALGOR *scheme = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, 0, NULL, NID_hmacWithSHA256);
    X509_SIG *sealed = NULL;

    if (plain != NULL && scheme != NULL) sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, scheme);
    if (sealed == NULL) X509_ALGOR_free(scheme); /* else taken */
    PKCS8_PRIV_KEY_INFO_free(plain);
    return sealed;
}

mgc_status mgc_key_to_pem(const mgc_key *key, const char *passphrase, char *pem, size_t cap, size_t *len)
{
    mgc_status status = MGC_E_CRYPTO;
    X509_SIG *sealed;
    BIO *bio = NULL;
    char *text;
    long text_len;

    if (key == NULL || passphrase == NULL || pem == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *len = 0;
    if (key->pkey == NULL)
        return mgc__fail(key->ctx, MGC_E_STATE, "crypto: the private half of the key is in a module");
    if (strlen(passphrase) < PASSPHRASE_MIN || strlen(passphrase) > PASSPHRASE_MAX)
        return mgc__fail(key->ctx, MGC_E_INVALID_ARG, "crypto: the pass phrase has %zu bytes; %d..%d are allowed",
                         strlen(passphrase), PASSPHRASE_MIN, PASSPHRASE_MAX);
    sealed = encrypt_key(key->pkey, passphrase);
    if (sealed != NULL) bio = BIO_new(BIO_s_mem());
    if (bio != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1) {
        text_len = BIO_get_mem_data(bio, &text);
        status = text_len > 0 && (size_t)text_len < cap ? MGC_OK : MGC_E_TOO_LARGE;
        if (status == MGC_OK) {
            memcpy(pem, text, (size_t)text_len);
            pem[text_len] = '\0';
            *len = (size_t)text_len;
        }
    }
    BIO_free(bio);
    X509_SIG_free(sealed);
    ERR_clear_error();
    return status == MGC_OK ? MGC_OK : mgc__fail(key->ctx, status, "crypto: the key could not be written");
}

mgc_status mgc_key_public(const mgc_key *key, uint8_t *public_key)
{
    if (key == NULL || public_key == NULL) return MGC_E_INVALID_ARG;
    memcpy(public_key, key->public_key, sizeof key->public_key);
    return MGC_OK;
}

mgc_status mgc_key_sign(const mgc_key *key, const uint8_t *message, size_t len, uint8_t *signature)
{
    static const uint8_t nothing[1] = {0};
    mgc_status status;

    if (key == NULL || signature == NULL || (message == NULL && len > 0)) return MGC_E_INVALID_ARG;
    if (message == NULL) message = nothing;
    memset(signature, 0, MGC_SIGNATURE_BYTES);
    if (key->pkey != NULL) {
        status = mgc__evp_sign(key->pkey, message, len, signature);
        return status == MGC_OK ? MGC_OK : mgc__fail(key->ctx, status, "crypto: libcrypto could not sign");
    }
    status = mgc__verdict(key->sign(key->sign_user, message, len, signature));
    if (status != MGC_OK)
        return mgc__fail(key->ctx, status, "crypto: the module did not sign: %s", mgc_status_text(status));
    status = mgc_signature_verify(key->public_key, message, len, signature, MGC_SIGNATURE_BYTES);
    if (status != MGC_OK) return mgc__fail(key->ctx, status, "crypto: the module signed wrongly");
    return MGC_OK;
}
