/* crypto/certificate.h - is this a certificate, and does that key belong to it?
 *
 * Place in the flow: server/identity asks before it hands the two to the workers, so that a
 * person reads what is wrong with a file, and not what TLS makes of it. Knows texts in PEM
 * (RFC 7468), neither files nor TLS nor the clock.
 */
#ifndef QLUA_CRYPTO_CERTIFICATE_H
#define QLUA_CRYPTO_CERTIFICATE_H

#include <stdint.h>

#include "base/slice.h"

struct err;

struct certificate {
    void *own;          /* OpenSSL's: the server's own, the first one in the text */
    unsigned count;     /* how many there are: that and those that vouch for it */
    int64_t not_before; /* seconds since 1970, ... */
    int64_t not_after;  /* ... of its own one */
    char name[128];     /* whom it names, for people: "www.example.com" */
};

/* Read all certificates of a text. 0, or err: there is none, or one that is damaged. */
int certificate_read(struct certificate *certificate, struct slice pem, struct err *err);
void certificate_clear(struct certificate *certificate);

/* Whether the text holds a private key, not encrypted, which is the certificate's. 0, or err:
 * -ENOKEY when there is none in it. */
int certificate_check_key(const struct certificate *certificate, struct slice pem, struct err *err);

#endif
