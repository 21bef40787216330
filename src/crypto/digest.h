/* crypto/digest.h - checksums of bodies.
 *
 * Place in the flow: response:add_etag names a body by one. MD5, because Quart's entity tags are
 * that; nothing is to be trusted to it. Knows neither HTTP nor Lua.
 */
#ifndef QLUA_CRYPTO_DIGEST_H
#define QLUA_CRYPTO_DIGEST_H

#include "base/slice.h"

#define DIGEST_MD5_HEX 32

/* MD5 of the text in lower-case hex, DIGEST_MD5_HEX bytes without NUL. Returns 0, or a negative
 * code where the system's OpenSSL does not allow MD5. */
int digest_md5_hex(struct slice text, char *hex);

#endif
