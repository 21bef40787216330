/* http/condition.h - conditional requests (RFC 9110 13): entity tags and dates.
 *
 * Place in the flow: static files and Response:make_conditional ask, before they send, whether
 * the client has it already or wanted another. Called only for a representation that exists.
 * Entity tags are given as they stand in ETag: quoted, W/ before a weak one.
 */
#ifndef QLUA_HTTP_CONDITION_H
#define QLUA_HTTP_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct fields;

/* What a request's conditions come to. */
enum condition_result {
    CONDITION_PASS,         /* answer as if there were none */
    CONDITION_NOT_MODIFIED, /* 304 */
    CONDITION_FAILED        /* 412 */
};

struct etag {
    struct slice text; /* between the quotes; borrowed */
    bool weak;
};

/* Cut the next tag off the list of an If-Match or If-None-Match. A tag without quotes is taken
 * up to the next comma, as Werkzeug takes it. False at the end. "*" is not for here. */
bool etag_next(struct slice *list, struct etag *tag);

/* Is etag (as in ETag; empty for none) in the list? strong: a weak tag on either side matches
 * nothing (RFC 9110 8.8.3.2). "*" matches always. */
bool etag_matches(struct slice list, struct slice etag, bool strong);

/* Evaluate If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of
 * RFC 9110 13.2.2. etag is empty and last_modified (seconds since 1970) -1 when there is none;
 * now resolves two-digit years. */
enum condition_result condition_check(const struct fields *headers, bool is_get_or_head,
                                      struct slice etag, int64_t last_modified, int64_t now);

/* May a Range count: is there no If-Range, or does it name exactly this representation? A date
 * does only if that is a strong validator: older than this second (RFC 9110 8.8.2.2). */
bool condition_range_applies(const struct fields *headers, struct slice etag, int64_t last_modified,
                             int64_t now);

#endif
