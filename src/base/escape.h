/* base/escape.h - text made safe for HTML, URLs and JSON strings.
 *
 * Place in the flow: error pages, redirects, url_for, JSON and the log append through these.
 */
#ifndef QLUA_BASE_ESCAPE_H
#define QLUA_BASE_ESCAPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* & < > ' " as &amp; &lt; &gt; &#39; &#34; (MarkupSafe's forms). */
void escape_html(struct buf *out, struct slice text);

/* Percent-encode every byte but letters, digits, "-._~" and those in `safe` (upper-case hex). */
void escape_url(struct buf *out, struct slice text, struct slice safe);

/* Decode %XX; "+" becomes a space when plus_is_space. A "%" without two hex digits stays. */
void unescape_url(struct buf *out, struct slice text, bool plus_is_space);

/* The inside of a JSON string (no quotes). ascii: everything from 0x7f on as \uXXXX (surrogate
 * pairs above U+FFFF), lower-case hex as Python's json does; else valid UTF-8 is copied. A byte
 * that is not valid UTF-8 becomes U+FFFD. */
void escape_json(struct buf *out, struct slice text, bool ascii);

#endif
