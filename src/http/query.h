/* http/query.h - application/x-www-form-urlencoded, read.
 *
 * Place in the flow: request.args and urlencoded bodies come from here; url_for's query is
 * written by route/quote. By WHATWG's rules where Quart follows them: "+" is a space, ";" divides
 * nothing.
 */
#ifndef QLUA_HTTP_QUERY_H
#define QLUA_HTTP_QUERY_H

#include <stddef.h>

#include "base/slice.h"

struct fields;

/* Append the pairs of text to *out (a case-sensitive list), in order. A name without "=" has the
 * value "". Escapes that do not decode to UTF-8 stay as "%XX", so that names and values are
 * always valid UTF-8. Borrows from text what needs no decoding; the rest lives in out's arena.
 * Returns 0, or QLUA_ELIMIT as soon as there are more than max_pairs: *out then holds those. */
int query_parse(struct slice text, struct fields *out, size_t max_pairs);

#endif
