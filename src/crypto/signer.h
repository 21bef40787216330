/* crypto/signer.h - signatures for cookies and tokens, with a time or without.
 *
 * Place in the flow: session/ signs on the way out and checks on the way in; bind/signer.c offers
 * the same to Lua. The bytes are those of Python's itsdangerous, so that Flask reads them. Knows
 * neither HTTP nor Lua nor the clock. A token: payload "." mac, or payload "." time "." mac; time
 * (seconds since 1970, big-endian, no leading zero bytes) and mac are url-safe base64 without
 * padding. The mac covers all that stands before its separator.
 */
#ifndef QLUA_CRYPTO_SIGNER_H
#define QLUA_CRYPTO_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "crypto/digest.h"

struct arena;
struct signer;

/* How the key of the mac is made of a secret and the salt. */
enum signer_derivation {
    SIGNER_HMAC,          /* HMAC(secret, salt): what sessions use */
    SIGNER_CONCAT,        /* digest(salt secret) */
    SIGNER_DJANGO_CONCAT, /* digest(salt "signer" secret): itsdangerous' default */
    SIGNER_NONE           /* the secret itself */
};

struct signer_options {
    const struct slice *keys; /* secrets, oldest first; the last signs, all verify */
    size_t nkeys;             /* at least 1 */
    struct slice salt;
    struct slice separator; /* empty: "."; no byte of it may be one of base64's */
    enum signer_derivation derivation;
    enum digest_kind digest; /* 0: SHA-1 */
};

/* For signer_verify: a token of any age, also from the future. */
#define SIGNER_ANY_AGE (-1)

/* A signer with its keys derived; copies all it needs. For one thread: signing and verifying
 * use scratch state inside. */
struct signer *signer_new(const struct signer_options *options);
void signer_free(struct signer *signer);

/* Sign payload as of now (seconds since 1970, not negative). The token lives in arena. */
struct slice signer_sign(const struct signer *signer, struct arena *arena, struct slice payload,
                         int64_t now);

/* Verify a token of signer_sign, keys newest first, in constant time. On 0, *payload borrows from
 * token. An age of max_age is accepted; with a max_age that is not negative a token from the
 * future is refused. Returns 0, QLUA_EBADSIG (also for a time that is missing or none) or
 * QLUA_EEXPIRED (too old, or from the future). */
int signer_verify(const struct signer *signer, struct slice token, int64_t now, int64_t max_age,
                  struct slice *payload);

/* Sign text without a time. The token lives in arena. */
struct slice signer_seal(const struct signer *signer, struct arena *arena, struct slice text);

/* Verify the mac alone. Returns 0 or QLUA_EBADSIG; *text and *mac (which may be NULL) borrow from
 * token and are what stands before and after the last separator, in either case; their data is
 * NULL when token has no separator. */
int signer_open(const struct signer *signer, struct slice token, struct slice *text,
                struct slice *mac);

/* Part text (of signer_open) into payload and time. Returns 0, -ENOENT (no separator; the outputs
 * are unchanged) or QLUA_ESYNTAX (no time stands there; *payload is set). A time beyond int64_t is
 * INT64_MAX. */
int signer_part(const struct signer *signer, struct slice text, struct slice *payload,
                int64_t *time);

#endif
