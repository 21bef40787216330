/* http/url.h - the text of request.url: a URL that people read.
 *
 * Place in the flow: bind/request joins scheme, host and these parts. As Werkzeug makes it: an
 * IRI, in which what can stand as a character does so and what would change the URL's meaning
 * stays percent-encoded.
 */
#ifndef QLUA_HTTP_URL_H
#define QLUA_HTTP_URL_H

#include "base/slice.h"

struct arena;

enum url_part { URL_PATH, URL_QUERY };

/* A path (decoded, as target.path) or a query (as received) as a part of an IRI. Lives in
 * arena. */
struct slice url_iri(struct arena *arena, struct slice text, enum url_part part);

#endif
