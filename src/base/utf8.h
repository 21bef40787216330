/* base/utf8.h - UTF-8: decode, encode, check (RFC 3629).
 *
 * Place in the flow: JSON, query decoding, log and template text. Overlong forms, surrogates
 * and what lies above U+10FFFF are invalid.
 */
#ifndef QLUA_BASE_UTF8_H
#define QLUA_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* Decode the first code point of text (text.len > 0). Returns the bytes it takes, 1..4, and
 * *code; on invalid input the length of the maximal invalid prefix (at least 1) and
 * *code = UINT32_MAX, as Python's and the WHATWG's decoders replace it. */
size_t utf8_decode(struct slice text, uint32_t *code);

/* Append code (0..0x10FFFF) as UTF-8. */
void utf8_encode(struct buf *out, uint32_t code);

bool utf8_is_valid(struct slice text);

/* Append text with each invalid sequence replaced by U+FFFD. */
void utf8_clean(struct buf *out, struct slice text);

#endif
