/* net/tls_context.c - what all TLS streams of a worker share: certificate, protocols, ciphers,
 * tickets. See tls.h. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/tls_internal.h"

/* TLS 1.2 with forward secrecy and authenticated encryption, as Mozilla's "intermediate" has it;
 * the client chooses: it knows whether it has AES in hardware. TLS 1.3 has nothing weaker. */
#define CIPHERS                                                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* ALPN: what may be spoken, in the order of our preference (each with its length before it). An
 * HTTP/2 would stand first here, and tls_stream_protocol tells it from the others. */
static const unsigned char protocols[] = "\x08http/1.1\x08http/1.0";

/* RFC 7301 3.2: nothing in common is the end of the handshake (and of cross-protocol attacks). */
static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                        const unsigned char *offered, unsigned offered_len, void *data)
{
    (void)ssl;
    (void)data;
    unsigned char *found;
    if (SSL_select_next_proto(&found, chosen_len, protocols, sizeof(protocols) - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- tickets ---- */

static bool set_mac_key(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's callback. 1: the key is set; 2: it is, and the ticket should be replaced; 0: there is
 * no such key, agree anew. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypt)
{
    struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    size_t at = 0;
    if (encrypt) {
        struct tls_ticket_key *newest = &context->tickets[0];
        memcpy(name, newest->name, sizeof(newest->name));
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, newest->cipher, iv) != 1)
            return -1;
        return set_mac_key(mac, newest) ? 1 : -1;
    }
    while (at < context->ntickets && memcmp(name, context->tickets[at].name, 16) != 0)
        at++;
    if (at == context->ntickets)
        return 0;
    struct tls_ticket_key *key = &context->tickets[at];
    if (!set_mac_key(mac, key) ||
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1)
        return -1;
    /* RFC 8446 C.4: with TLS 1.3 a ticket is used once */
    return at == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

static void set_tickets(struct tls_context *context, const struct tls_identity *identity)
{
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF); /* tickets do it */
    SSL_CTX_set_timeout(context->ssl, TLS_SESSION_SECONDS);
    context->ntickets = identity->ntickets > TLS_TICKET_KEYS ? TLS_TICKET_KEYS : identity->ntickets;
    if (context->ntickets == 0) {
        SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context->ssl, 0);
        return;
    }
    memcpy(context->tickets, identity->tickets, context->ntickets * sizeof(context->tickets[0]));
    SSL_CTX_set_app_data(context->ssl, context);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ssl, on_ticket);
}

/* ---- certificate and key ---- */

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *dst, int size, int writing, void *data)
{
    (void)dst;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static bool use_certificates(SSL_CTX *ssl, struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *own = bio == NULL ? NULL : PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    bool ok = own != NULL && SSL_CTX_use_certificate(ssl, own) == 1;
    X509_free(own);
    X509 *next;
    while (ok && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        ok = SSL_CTX_add0_chain_cert(ssl, next) == 1;
        if (!ok)
            X509_free(next);
    }
    BIO_free(bio);
    if (ok)
        ERR_clear_error(); /* the end of the file was one */
    return ok;
}

static bool use_key(SSL_CTX *ssl, struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

/* ---- the context ---- */

static bool set_up(struct tls_context *context, const struct tls_identity *identity)
{
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    /* an idle connection keeps no record buffers */
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ssl, on_protocols, NULL);
    set_tickets(context, identity);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1 &&
           SSL_CTX_set1_groups_list(ssl, GROUPS) == 1 &&
           use_certificates(ssl, identity->certificates) && use_key(ssl, identity->key);
}

struct tls_context *tls_context_new(const struct tls_identity *identity, struct err *err)
{
    struct tls_context *context = mem_zalloc(sizeof(*context));
    context->refs = 1;
    context->log = identity->log;
    ERR_clear_error();
    context->method = tls_bio_method();
    context->ssl = SSL_CTX_new(TLS_server_method());
    if (context->method != NULL && context->ssl != NULL && set_up(context, identity))
        return context;
    const char *why = ERR_reason_error_string(ERR_peek_error());
    err_set(err, QLUA_ESYNTAX, "OpenSSL does not take it for a server: %s",
            why == NULL ? "no memory" : why);
    ERR_clear_error();
    tls_context_unref(&context);
    return NULL;
}

void tls_context_unref(struct tls_context **slot)
{
    struct tls_context *context = *slot;
    *slot = NULL;
    if (context == NULL || --context->refs > 0)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->method);
    buf_clear(&context->out);
    OPENSSL_cleanse(context->tickets, sizeof(context->tickets));
    free(context);
}
