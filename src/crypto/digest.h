/* crypto/digest.h - digests and message authentication (HMAC).
 *
 * Place in the flow: the door to OpenSSL's digests. crypto/signer signs with a struct hmac;
 * response:add_etag names a body by its MD5, because Quart's entity tags are that; nothing is to
 * be trusted to it. Knows neither HTTP nor Lua.
 */
#ifndef QLUA_CRYPTO_DIGEST_H
#define QLUA_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define DIGEST_MD5_HEX 32
/* Bytes of the longest digest. */
#define DIGEST_MAX 64

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

struct hmac;

/* MD5 of the text in lower-case hex, DIGEST_MD5_HEX bytes without NUL. Returns 0, or a negative
 * code where the system's OpenSSL does not allow MD5. */
int digest_md5_hex(struct slice text, char *hex);

/* The kind called name ("sha1", "sha256", "sha384", "sha512"). Returns 0 or -EINVAL. */
int digest_by_name(struct slice name, enum digest_kind *kind);

/* The digest of the parts, one after the other, into dst (DIGEST_MAX bytes). Returns its length. */
size_t digest_of(enum digest_kind kind, const struct slice *parts, size_t count,
                 unsigned char *dst);

/* Equal, found in a time that depends on the lengths only. */
bool digest_eq(struct slice a, struct slice b);

/* A key made ready: both halves of the HMAC (RFC 2104) have taken in their block of key, so that
 * a message costs no more than its own bytes. Copies key. For one thread. */
struct hmac *hmac_new(enum digest_kind kind, struct slice key);
void hmac_free(struct hmac *hmac);

/* The mac of the parts, one after the other, into dst (DIGEST_MAX bytes). Returns its length. */
size_t hmac_of(struct hmac *hmac, const struct slice *parts, size_t count, unsigned char *dst);

#endif
