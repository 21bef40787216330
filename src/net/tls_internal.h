/* net/tls_internal.h - the context of TLS streams, as net/tls.c and net/tls_context.c share it.
 *
 * Place in the flow: included by these two only, beside OpenSSL.
 */
#ifndef QLUA_NET_TLS_INTERNAL_H
#define QLUA_NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"
#include "net/tls.h"

/* Plain bytes of a full record. */
#define TLS_RECORD SSL3_RT_MAX_PLAIN_LENGTH
/* What one read of a socket may hold, with the record that an earlier one began. */
#define TLS_PLAIN (LOOP_READ_SIZE + TLS_RECORD)

struct tls_context {
    uint32_t refs;
    SSL_CTX *ssl;
    BIO_METHOD *method;
    const struct log *log;
    struct tls_ticket_key tickets[TLS_TICKET_KEYS];
    size_t ntickets;
    /* Room that all streams share, each for the time of one call. */
    struct buf out; /* records for the inner stream */
    char stage[TLS_RECORD];
    char plain[TLS_PLAIN];
};

/* Where OpenSSL reads and writes: net/tls.c's. NULL when there is no memory. */
BIO_METHOD *tls_bio_method(void);

#endif
