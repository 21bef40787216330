/* http/multipart.h - multipart/form-data, read as it arrives (RFC 7578, RFC 2046 5.1).
 *
 * Place in the flow: http/body feeds it the bytes of a request body in whatever pieces they
 * come; it calls back with parts and their content and holds back only what may be the start of
 * a delimiter, so that its memory does not grow with the body. Line ends may be CRLF, LF or CR,
 * part headers may be folded, as Quart takes them. Knows no files and no forms.
 */
#ifndef QLUA_HTTP_MULTIPART_H
#define QLUA_HTTP_MULTIPART_H

#include "base/slice.h"

struct fields;
struct multipart;

/* The head of a part. All of it lives until the callback returns. */
struct multipart_part {
    const struct fields *headers; /* as they came */
    struct slice name;            /* of the form's field; valid UTF-8 */
    struct slice filename;        /* valid UTF-8; data NULL: the part is no file */
    struct slice content_type;    /* as it came; data NULL: none */
};

/* Called in the order on_part, on_data any number of times, on_part_end, for each part. Each
 * returns 0, or a negative code that ends the parse and is what multipart_feed returns. */
struct multipart_handler {
    int (*on_part)(void *data, const struct multipart_part *part);
    int (*on_data)(void *data, struct slice bytes); /* never empty; borrowed for the call */
    int (*on_part_end)(void *data);
};

struct multipart_limits {
    size_t max_parts;
    size_t max_header_bytes; /* of one part */
};

/* A parser for this boundary: 1 to 70 printable characters, the last no space (RFC 2046 5.1.1);
 * NULL for another. Copies boundary and limits; handler is borrowed. */
struct multipart *multipart_new(struct slice boundary, const struct multipart_handler *handler,
                                void *data, const struct multipart_limits *limits);
void multipart_free(struct multipart *multipart);

/* The next bytes of the body. Returns 0; QLUA_ESYNTAX: a part whose head is no list of headers
 * or names no field; QLUA_ELIMIT: too many parts or too long a head; or a callback's code. After
 * an error every call returns it again. */
int multipart_feed(struct multipart *multipart, struct slice bytes);

/* The body is complete. Returns 0, QLUA_ESYNTAX when the last delimiter is missing, or an
 * earlier error. */
int multipart_end(struct multipart *multipart);

#endif
