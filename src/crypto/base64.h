/* crypto/base64.h - base64 (RFC 4648), plain and url-safe.
 *
 * Place in the flow: Authorization: Basic is read through the strict decoder; signatures, tokens
 * and the session codec write and read through the rest. Knows neither HTTP nor Lua.
 */
#ifndef QLUA_CRYPTO_BASE64_H
#define QLUA_CRYPTO_BASE64_H

#include <stddef.h>

#include "base/slice.h"

/* Bytes that decoding may write for a text of len characters. */
#define BASE64_DECODED_MAX(len) (((len) / 4 + 1) * 3)
/* Characters that encoding may write for len bytes. */
#define BASE64_ENCODED_MAX(len) (((len) + 2) / 3 * 4)

enum base64_form {
    BASE64_PLAIN, /* "+/", padded with "=" */
    BASE64_URL    /* "-_", without padding */
};

/* Encode bytes into dst, which has BASE64_ENCODED_MAX bytes and may not overlap them. Returns the
 * length; no NUL. */
size_t base64_encode(enum base64_form form, struct slice bytes, char *dst);

/* Decode padded base64 of the plain alphabet into dst, which has BASE64_DECODED_MAX bytes: no
 * characters outside of the alphabet, padding as it must be. dst may be text's own bytes.
 * Returns 0 and *len, or QLUA_ESYNTAX. */
int base64_decode(struct slice text, char *dst, size_t *len);

/* Decode as Python does (b64decode, and for BASE64_URL itsdangerous' base64_decode), which tokens
 * made elsewhere count on: characters outside of the alphabet are passed over, bits left over at
 * the end too, complete padding ends the text. BASE64_URL takes "+/" as well and needs no padding.
 * dst as above. Returns 0 and *len, or QLUA_ESYNTAX where Python raises. */
int base64_decode_loose(enum base64_form form, struct slice text, char *dst, size_t *len);

#endif
