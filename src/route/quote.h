/* route/quote.h - percent-encoding of the parts of a URL, as Werkzeug 3 does it.
 *
 * Place in the flow: url_for's path, query and anchor; the Location of a redirect. UTF-8 in,
 * upper-case hex out; letters, digits and -._~ always stay.
 */
#ifndef QLUA_ROUTE_QUOTE_H
#define QLUA_ROUTE_QUOTE_H

#include "base/slice.h"

struct buf;

/* Append text as part of a path; !$&'()*+,/:;=@ stay too. */
void route_quote_path(struct buf *out, struct slice text);

/* As a name or value of a query; !$'()*,/:;?@ stay too, space becomes "+". */
void route_quote_query(struct buf *out, struct slice text);

/* As what follows "#"; %!#$&'()*+,/:;=?@ stay too. */
void route_quote_anchor(struct buf *out, struct slice text);

#endif
