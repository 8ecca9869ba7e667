/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for trying out: a CA of one's own, and of each member one that binds its TLS key to its id and signing
 * key by the name "mgchain:member:ID:PUBLICKEY".  A real alliance's CA issues certificates of the same form. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "node.h"

enum { DAYS_CA = 3650, DAYS_MEMBER = 825, SECONDS = 86400 };

static bool complain(const char *what)
{
    char why[200];
    unsigned long error = ERR_get_error();

    if (error != 0) ERR_error_string_n(error, why, sizeof why);
    fprintf(stderr, "mgchain-node: %s: %s\n", what, error != 0 ? why : strerror(errno));
    return false;
}

static EVP_PKEY *new_key(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &key) != 1) key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    bool ok;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static X509 *new_certificate(const char *name, EVP_PKEY *key, long days)
{
    X509 *x = X509_new();
    uint8_t serial[16];
    BIGNUM *number = NULL;
    bool ok = x != NULL && RAND_bytes(serial, sizeof serial) == 1;

    serial[0] &= 0x7f;
    if (ok) number = BN_bin2bn(serial, sizeof serial, NULL);
    ok = ok && number != NULL && X509_set_version(x, 2) == 1 && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL &&
         X509_gmtime_adj(X509_getm_notBefore(x), -300) != NULL && X509_gmtime_adj(X509_getm_notAfter(x), days * SECONDS) != NULL &&
         X509_set_pubkey(x, key) == 1 &&
         X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1;
    BN_free(number);
    if (ok) return x;
    X509_free(x);
    return NULL;
}

static bool write_pem(const char *folder, const char *name, X509 *x, EVP_PKEY *key)
{
    char path[PATH_BYTES + 32];
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool ok = memory != NULL && (x != NULL ? PEM_write_bio_X509(memory, x) == 1
                                           : PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1);

    snprintf(path, sizeof path, "%s/%s", folder, name);
    ok = ok && BIO_write(memory, "", 1) == 1 && BIO_get_mem_data(memory, &text) > 0;
    ok = ok ? write_private(path, text, x == NULL) : complain(path);
    BIO_free(memory);
    return ok;
}

bool pki_ca(const char *folder)
{
    EVP_PKEY *key = new_key();
    X509 *x = key == NULL ? NULL : new_certificate("mgchain development CA", key, DAYS_CA);
    bool ok = x != NULL && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
              extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") && extend(x, x, NID_subject_key_identifier, "hash") &&
              X509_sign(x, key, NULL) > 0;

    ok = ok ? write_pem(folder, "ca.pem", x, NULL) && write_pem(folder, "ca-key.pem", NULL, key) : complain("a CA");
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool read_ca(const char *folder, X509 **x, EVP_PKEY **key)
{
    char path[PATH_BYTES + 32];
    FILE *f;

    *x = NULL;
    *key = NULL;
    snprintf(path, sizeof path, "%s/ca.pem", folder);
    f = fopen(path, "r");
    if (f != NULL) *x = PEM_read_X509(f, NULL, NULL, NULL);
    if (f != NULL) fclose(f);
    if (*x == NULL) return complain(path);
    snprintf(path, sizeof path, "%s/ca-key.pem", folder);
    f = fopen(path, "r");
    if (f != NULL) *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    if (f != NULL) fclose(f);
    return *key != NULL || complain(path);
}

bool pki_member(const char *folder, const char *ca_folder, uint32_t id, const uint8_t *public_key)
{
    char hex[65], name[128], common[40];
    X509 *ca = NULL, *x = NULL;
    EVP_PKEY *ca_key = NULL, *key = NULL;
    bool ok = read_ca(ca_folder, &ca, &ca_key);

    to_hex(public_key, 32, hex);
    snprintf(name, sizeof name, "URI:mgchain:member:%" PRIu32 ":%s", id, hex);
    snprintf(common, sizeof common, "mgchain member %" PRIu32, id);
    if (ok) key = new_key();
    if (key != NULL) x = new_certificate(common, key, DAYS_MEMBER);
    if (ok) {
        ok = x != NULL && X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
             extend(x, ca, NID_basic_constraints, "critical,CA:FALSE") && extend(x, ca, NID_key_usage, "critical,digitalSignature") &&
             extend(x, ca, NID_ext_key_usage, "serverAuth,clientAuth") && extend(x, ca, NID_subject_alt_name, name) &&
             X509_sign(x, ca_key, NULL) > 0;
        ok = ok ? write_pem(folder, "tls.pem", x, NULL) && write_pem(folder, "tls-key.pem", NULL, key) : complain("a certificate");
    }
    X509_free(x);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return ok;
}
