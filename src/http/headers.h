/* http/headers.h - ordered lists of names and values, and how header values are read.
 *
 * Place in the flow: the parser fills one with a request's header fields, the writer sends one;
 * query, cookie and multipart fill them too (there names are case-sensitive). Known names carry
 * an id, so that the hot path compares a number. A list lives in an arena and borrows what it is
 * given. Knows no single header's meaning; of the grammar only what RFC 9110 5.6 shares.
 */
#ifndef QLUA_HTTP_HEADERS_H
#define QLUA_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct arena;

/* The known names, by length; header_id_of relies on the order. */
enum header_id {
    HEADER_OTHER = 0,
    HEADER_TE,
    HEADER_AGE,
    HEADER_VIA,
    HEADER_HOST,
    HEADER_DATE,
    HEADER_ETAG,
    HEADER_VARY,
    HEADER_FROM,
    HEADER_LINK,
    HEADER_ALLOW,
    HEADER_RANGE,
    HEADER_ACCEPT,
    HEADER_COOKIE,
    HEADER_ORIGIN,
    HEADER_EXPECT,
    HEADER_SERVER,
    HEADER_PRAGMA,
    HEADER_REFERER,
    HEADER_UPGRADE,
    HEADER_TRAILER,
    HEADER_EXPIRES,
    HEADER_IF_MATCH,
    HEADER_IF_RANGE,
    HEADER_LOCATION,
    HEADER_FORWARDED,
    HEADER_CONNECTION,
    HEADER_USER_AGENT,
    HEADER_SET_COOKIE,
    HEADER_KEEP_ALIVE,
    HEADER_RETRY_AFTER,
    HEADER_CONTENT_TYPE,
    HEADER_MAX_FORWARDS,
    HEADER_ACCEPT_RANGES,
    HEADER_CACHE_CONTROL,
    HEADER_IF_NONE_MATCH,
    HEADER_LAST_MODIFIED,
    HEADER_AUTHORIZATION,
    HEADER_CONTENT_RANGE,
    HEADER_CONTENT_LENGTH,
    HEADER_ACCEPT_CHARSET,
    HEADER_ACCEPT_ENCODING,
    HEADER_ACCEPT_LANGUAGE,
    HEADER_X_FORWARDED_FOR,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LANGUAGE,
    HEADER_CONTENT_LOCATION,
    HEADER_WWW_AUTHENTICATE,
    HEADER_X_FORWARDED_HOST,
    HEADER_X_FORWARDED_PORT,
    HEADER_PROXY_CONNECTION,
    HEADER_IF_MODIFIED_SINCE,
    HEADER_SEC_WEBSOCKET_KEY,
    HEADER_TRANSFER_ENCODING,
    HEADER_X_FORWARDED_PROTO,
    HEADER_X_FORWARDED_PREFIX,
    HEADER_IF_UNMODIFIED_SINCE,
    HEADER_CONTENT_DISPOSITION,
    HEADER_PROXY_AUTHORIZATION,
    HEADER_SEC_WEBSOCKET_ACCEPT,
    HEADER_SEC_WEBSOCKET_VERSION,
    HEADER_SEC_WEBSOCKET_PROTOCOL,
    HEADER_CONTENT_SECURITY_POLICY,
    HEADER_SEC_WEBSOCKET_EXTENSIONS,
    HEADER_STRICT_TRANSPORT_SECURITY,
    HEADER_ID_COUNT
};

/* The id of a name in any letter case; HEADER_OTHER when it is not a known one. */
enum header_id header_id_of(struct slice name);

/* The usual spelling ("Content-Type"): static storage. Empty for HEADER_OTHER. */
struct slice header_name(enum header_id id);

struct field {
    struct slice name;
    struct slice value;
    uint16_t id; /* enum header_id; HEADER_OTHER in a case-sensitive list */
};

struct fields {
    struct field *items;
    uint32_t count;
    uint32_t cap;
    bool nocase;
    struct arena *arena;
};

/* An empty list whose items live in arena. nocase: names are compared without regard to case,
 * as header names are. Nothing is allocated before the first field. */
void fields_init(struct fields *fields, struct arena *arena, bool nocase);

/* Append a field. Borrows name and value: they must live as long as the list. */
void fields_add(struct fields *fields, struct slice name, struct slice value);
/* The same for a known name: no look-up, the usual spelling. Only for case-blind lists. */
void fields_add_id(struct fields *fields, enum header_id id, struct slice value);
/* Append a field; name and value are copied into the list's arena. */
void fields_add_copy(struct fields *fields, struct slice name, struct slice value);

/* The first field of that name, or NULL. Valid until the list next changes. */
const struct field *fields_get(const struct fields *fields, struct slice name);
const struct field *fields_get_id(const struct fields *fields, enum header_id id);
/* The next field of that name behind `after`; from the start when `after` is NULL. */
const struct field *fields_next(const struct fields *fields, const struct field *after,
                                struct slice name);

/* The number of a Content-Length; -1 when there is none, or it is no number. */
int64_t fields_content_length(const struct fields *fields);

/* One field of that name, in the place of the first there was, else at the end. Copies both. */
void fields_set(struct fields *fields, struct slice name, struct slice value);
/* Take out every field of that name, keeping the others' order. Returns how many there were. */
size_t fields_remove(struct fields *fields, struct slice name);

/* May this stand as a header's name on the wire (RFC 9110 5.1: a token)? */
bool header_name_is_valid(struct slice name);
/* May this stand as its value (RFC 9110 5.5)? No CR, LF, NUL nor other control but HTAB. */
bool header_value_is_valid(struct slice value);

/* Cut the next element off a comma-separated list (RFC 9110 5.6.1): trimmed, never empty; a
 * comma in a quoted string does not divide. False at the end of the list. */
bool header_list_next(struct slice *list, struct slice *element);

/* The parameter `name` (any letter case) of a value such as "text/html; charset=utf-8", as it is
 * written: a token, or a quoted string with its quotes. data is NULL when there is none. */
struct slice header_param_raw(struct slice value, struct slice name);
/* The same, unquoted (RFC 9110 5.6.4): borrows from value, or lives in arena when it had
 * escapes. data is NULL when there is none. */
struct slice header_param(struct slice value, struct slice name, struct arena *arena);

/* The media type of a Content-Type in lower case, without parameters: borrows when it is in
 * lower case already, else lives in arena. */
struct slice header_mimetype(struct slice content_type, struct arena *arena);

#endif
