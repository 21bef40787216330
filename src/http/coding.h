/* http/coding.h - is an answer sent compressed, and what does its head say then?
 *
 * Place in the flow: the answer functions ask before they write a head. An answer may be coded
 * when the settings want its type and size; it is when the client prefers it so (RFC 9110
 * 12.5.3). The coding is gzip. Knows no zlib: see compress.h.
 */
#ifndef QLUA_HTTP_CODING_H
#define QLUA_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct answer;
struct buf;
struct field;
struct fields;
struct request;

enum coding {
    CODING_NONE,   /* the answer has one form only */
    CODING_VARIES, /* plain, but another client would get it compressed: Vary says so */
    CODING_GZIP
};

/* Which answers may be coded. All is borrowed. */
struct coding_rules {
    const char *const *types; /* patterns as coding_type_is_valid knows them */
    size_t ntypes;
    uint64_t min_size; /* bytes of a body whose length is known */
};

/* Is this a media type or a pattern of some: lower or upper case, at most one "*", which stands
 * for any text ("text/" and a star, "application/" a star "+json", or the star alone)? */
bool coding_type_is_valid(const char *pattern);

/* Does a client that sends these headers take gzip, and like it no less than no coding at all?
 * (RFC 9110 12.5.3: without Accept-Encoding it has said nothing, and gets none.) */
bool coding_accepts_gzip(const struct fields *headers);

/* What becomes of this answer, whose body has answer->length bytes (-1: not known). */
enum coding coding_of(const struct coding_rules *rules, const struct request *req,
                      const struct answer *answer);

/* What is left to say of the coding while a head is written. */
struct coding_head {
    enum coding coding;
    bool vary; /* Vary is to name Accept-Encoding, and does not yet */
};

/* Begin: headers may be NULL. */
struct coding_head coding_head_begin(enum coding coding, const struct fields *headers);
/* Write the field as this coding wants it, or leave it out. False: it stays as it is, and is for
 * the caller to write. */
bool coding_head_field(struct coding_head *head, const struct field *field, struct buf *out);
/* Write what no field said. */
void coding_head_end(const struct coding_head *head, int status, struct buf *out);

#endif
