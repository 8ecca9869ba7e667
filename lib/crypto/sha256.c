/* SPDX-License-Identifier: Apache-2.0 */
/* The one-shot and EVP interfaces of OpenSSL 3 allocate and fetch on every call; the older one works in place and
 * cannot fail, at the same speed. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "crypto/crypto.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(mgc__sha256), "mgc__sha256 must hold the library's state");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(mgc__sha256), "and be aligned for it");

void mgc__sha256_init(mgc__sha256 *s)
{
    SHA256_Init((SHA256_CTX *)(void *)s->state);
}

void mgc__sha256_put(mgc__sha256 *s, const void *bytes, size_t len)
{
    if (len > 0) SHA256_Update((SHA256_CTX *)(void *)s->state, bytes, len);
}

void mgc__sha256_end(mgc__sha256 *s, uint8_t hash[32])
{
    SHA256_Final(hash, (SHA256_CTX *)(void *)s->state);
}

mgc_status mgc_sha256(const uint8_t *bytes, size_t len, uint8_t *hash)
{
    mgc__sha256 s;

    if ((bytes == NULL && len > 0) || hash == NULL) return MGC_E_INVALID_ARG;
    mgc__sha256_init(&s);
    mgc__sha256_put(&s, bytes, len);
    mgc__sha256_end(&s, hash);
    return MGC_OK;
}

void mgc__hash_tagged2(const char *tag, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t hash[32])
{
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, tag, strlen(tag) + 1); /* the NUL too: no tag is the beginning of another */
    mgc__sha256_put(&s, a, a_len);
    mgc__sha256_put(&s, b, b_len);
    mgc__sha256_end(&s, hash);
}

void mgc__hash_tagged(const char *tag, const void *bytes, size_t len, uint8_t hash[32])
{
    mgc__hash_tagged2(tag, bytes, len, NULL, 0, hash);
}
