/* crypto/base64.h - base64 (RFC 4648), plain and url-safe.
 *
 * Place in the flow: Authorization: Basic is read through here. Strict: no characters outside the
 * alphabet, padding as it must be. Knows neither HTTP nor Lua.
 */
#ifndef QLUA_CRYPTO_BASE64_H
#define QLUA_CRYPTO_BASE64_H

#include <stddef.h>

#include "base/slice.h"

/* Bytes that base64_decode may write for a text of len characters. */
#define BASE64_DECODED_MAX(len) (((len) / 4 + 1) * 3)

/* Decode padded base64 of the plain alphabet into dst, which has BASE64_DECODED_MAX bytes.
 * Returns 0 and *len, or QLUA_ESYNTAX. */
int base64_decode(struct slice text, char *dst, size_t *len);

#endif
