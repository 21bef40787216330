/* net/tls.h - TLS on another stream.
 *
 * Place in the flow: listener -> socket stream -> tls stream -> http/conn. The worker makes one
 * context of the service's certificate and wraps each accepted stream in it; http/conn sees a
 * stream like any other, and in stream->security what it is worth. The handshake, records and
 * alerts are OpenSSL's, fed from the inner stream's reads; it never touches a socket. Knows
 * neither files nor HTTP.
 *
 * TLS 1.2 and 1.3, forward secrecy only, no compression, no renegotiation, no early data. A
 * session is resumed with a ticket, which any worker that has the same keys can read.
 */
#ifndef QLUA_NET_TLS_H
#define QLUA_NET_TLS_H

#include <stddef.h>

#include "base/slice.h"

struct err;
struct log;
struct stream;
struct tls_context;

/* Keys that are kept: of the newest tickets are made, all of them are read. */
#define TLS_TICKET_KEYS 3
/* Seconds that a session may be resumed. */
#define TLS_SESSION_SECONDS 7200

struct tls_ticket_key {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
};

/* What a server shows of itself. Borrowed for the call of tls_context_new only. */
struct tls_identity {
    struct slice certificates; /* PEM: the server's own first, then those that vouch for it */
    struct slice key;          /* PEM, not encrypted */
    const struct tls_ticket_key *tickets; /* newest first */
    size_t ntickets;                      /* up to TLS_TICKET_KEYS; 0: no resumption */
    const struct log *log;                /* outlives the context */
};

/* Make ready to accept. NULL and err when OpenSSL refuses certificate or key; that they are what
 * they should be is crypto/certificate.h's to say, better. One reference is the caller's, each
 * stream has another: connections keep the context they began with. */
struct tls_context *tls_context_new(const struct tls_identity *identity, struct err *err);
void tls_context_unref(struct tls_context **context);

/* Wrap a stream that was just accepted, and own it. Its security is STREAM_HANDSHAKE at first; a
 * handshake that fails looks like the end of input. */
struct stream *tls_stream_new(struct tls_context *context, struct stream *inner);

/* What was agreed on by ALPN (RFC 7301): "http/1.1"; "" when the peer did not ask. Borrowed until
 * the stream is closed. */
struct slice tls_stream_protocol(const struct stream *stream);

#endif
