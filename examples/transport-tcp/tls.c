/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 with certificates on both sides, of one CA; no session is resumed, so a certificate is looked at each time. */
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tcp_private.h"

const char *tls_why(char *text, size_t cap, const char *otherwise)
{
    unsigned long first = ERR_get_error(), last = first;

    while (first != 0 && (first = ERR_get_error()) != 0) last = first;
    if (last == 0) snprintf(text, cap, "%s", otherwise);
    else ERR_error_string_n(last, text, cap);
    return text;
}

static bool refuse(char *error, const char *what, const char *file)
{
    char why[200];

    snprintf(error, TCP_ERROR_MAX, "%s %s: %s", what, file, tls_why(why, sizeof why, "it cannot be used"));
    return false;
}

static bool load_revoked(tcp *t, char *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(t->tls);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (lookup == NULL || X509_load_crl_file(lookup, t->opts.revoked, X509_FILETYPE_PEM) < 1)
        return refuse(error, "list of revoked certificates", t->opts.revoked);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return true;
}

bool tls_open(tcp *t, char *error)
{
    const tcp_opts *o = &t->opts;

    ERR_clear_error();
    t->tls = SSL_CTX_new(TLS_method());
    if (t->tls == NULL || SSL_CTX_set_min_proto_version(t->tls, TLS1_3_VERSION) != 1)
        return refuse(error, "TLS", "1.3");
    SSL_CTX_set_verify(t->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_cache_mode(t->tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(t->tls, 0);
    SSL_CTX_set_mode(t->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_load_verify_locations(t->tls, o->ca, NULL) != 1) return refuse(error, "CA certificate", o->ca);
    if (SSL_CTX_use_certificate_chain_file(t->tls, o->certificate) != 1) return refuse(error, "certificate", o->certificate);
    if (SSL_CTX_use_PrivateKey_file(t->tls, o->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(t->tls) != 1)
        return refuse(error, "key of the certificate", o->key);
    return o->revoked == NULL || load_revoked(t, error);
}

/* --- whose certificate ------------------------------------------------------------------------------ */

static void name_of(uint32_t id, const uint8_t public_key[32], char *name, size_t cap)
{
    int at = snprintf(name, cap, "mgchain:member:%" PRIu32 ":", id);

    for (int i = 0; i < 32; i++) at += snprintf(name + at, cap - (size_t)at, "%02x", public_key[i]);
}

static bool has_name(GENERAL_NAMES *names, const char *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        const ASN1_IA5STRING *uri = n->type == GEN_URI ? n->d.uniformResourceIdentifier : NULL;
        if (uri != NULL && (size_t)ASN1_STRING_length(uri) == strlen(name) &&
            memcmp(ASN1_STRING_get0_data(uri), name, strlen(name)) == 0)
            return true;
    }
    return false;
}

/* Chain, dates and CA were checked in the handshake; here: is it the member that we know by this signing key? */
bool tls_who(conn *c, uint32_t *id, char *why, size_t cap)
{
    X509 *certificate = SSL_get_peer_certificate(c->ssl);
    GENERAL_NAMES *names = certificate == NULL ? NULL : X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char name[128], subject[200] = "";

    *id = 0;
    for (size_t i = 0; i < TCP_PEERS_MAX && names != NULL && *id == 0; i++) {
        const peer *p = &c->t->peers[i];
        if (p->id == 0 || (c->dialled && p->id != c->peer)) continue;
        name_of(p->id, p->public_key, name, sizeof name);
        if (has_name(names, name)) *id = p->id;
    }
    if (certificate != NULL) X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    if (*id == 0)
        snprintf(why, cap, "its certificate %s names no member of the list with its key%s", subject,
                 c->dialled ? ", at this address" : "");
    GENERAL_NAMES_free(names);
    X509_free(certificate);
    return *id != 0;
}

/* --- the own one, as the others will see it ------------------------------------------------------------ */

static int verify(const tcp *t, X509 *certificate)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = NULL;
    int code = X509_V_ERR_OUT_OF_MEM;

    SSL_CTX_get0_chain_certs(t->tls, &chain);
    if (store != NULL && X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(t->tls), certificate, chain) == 1)
        code = X509_verify_cert(store) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(store);
    X509_STORE_CTX_free(store);
    return code;
}

bool tcp_certificate_fits(const tcp *t, uint32_t id, const uint8_t *public_key, char *error)
{
    X509 *certificate = SSL_CTX_get0_certificate(t->tls);
    GENERAL_NAMES *names = certificate == NULL ? NULL : X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int code = certificate == NULL ? X509_V_ERR_INVALID_CALL : verify(t, certificate);
    char name[128];
    bool named;

    name_of(id, public_key, name, sizeof name);
    named = names != NULL && has_name(names, name);
    GENERAL_NAMES_free(names);
    if (!named)
        snprintf(error, TCP_ERROR_MAX, "the certificate %s does not name this member with its signing key; it must carry the URI %s",
                 t->opts.certificate, name);
    else if (code != X509_V_OK)
        snprintf(error, TCP_ERROR_MAX, "the certificate %s is none of the CA %s: %s", t->opts.certificate, t->opts.ca,
                 X509_verify_cert_error_string(code));
    return named && code == X509_V_OK;
}
