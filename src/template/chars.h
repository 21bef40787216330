/* template/chars.h - text counted in characters: code points of UTF-8.
 *
 * Place in the flow: lengths, indexes, slices, padding and the methods of texts. Knows no Lua. A
 * byte that does not belong to valid UTF-8 counts as one character, so that every text has a
 * length and every byte a place.
 */
#ifndef QLUA_TEMPLATE_CHARS_H
#define QLUA_TEMPLATE_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

bool chars_is_ascii(struct slice text);

/* The bytes of the first character (0 for an empty text). */
size_t chars_first(struct slice text);
/* The bytes of the last one. */
size_t chars_last(struct slice text);
/* The first character's bytes, and its code; UINT32_MAX for a stray byte. text.len > 0. */
size_t chars_decode(struct slice text, uint32_t *code);

size_t chars_count(struct slice text);
/* The byte where character n (from 0) begins; text.len when there are no more than n. */
size_t chars_offset(struct slice text, size_t n);

#endif
