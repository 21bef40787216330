/* http/status.h - status codes: their phrases, lines, descriptions and default pages.
 *
 * Place in the flow: the writer takes status lines from here, bind/ and lua/qlua/errors the
 * texts of HTTP errors. The phrases and descriptions are Quart's, not the newest RFC's, because
 * apps compare with them. Knows no request. Every slice is static storage.
 */
#ifndef QLUA_HTTP_STATUS_H
#define QLUA_HTTP_STATUS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* "Not Found"; "UNKNOWN" for a code without one. */
struct slice status_phrase(int code);

/* "HTTP/1.1 404 Not Found\r\n"; empty for a code without a phrase. */
struct slice status_line(int code);

/* What the default page of an error says; empty when the code has none. */
struct slice status_description(int code);

/* Does an answer with this code never have a body (RFC 9110 6.4.1: 1xx, 204, 304)? */
bool status_forbids_body(int code);

/* Append the default error page. description is plain text; an empty one stands for the code's
 * own. */
void status_page(struct buf *out, int code, struct slice description);

#endif
