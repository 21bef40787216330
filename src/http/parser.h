/* http/parser.h - bytes to requests: the one door to llhttp.
 *
 * Place in the flow: http/conn feeds it what was read; it fills a struct request and stops where
 * the connection must decide. Nothing is called from inside llhttp: its callbacks only record
 * and pause. Runs llhttp's strict machine (bare CR and LF are errors). Limits are checked while
 * bytes come, so that no head and no trailer grows without bound.
 */
#ifndef QLUA_HTTP_PARSER_H
#define QLUA_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct request;

enum parser_event {
    PARSER_MORE, /* all input is consumed; the message goes on */
    PARSER_HEAD, /* the head is complete and a body follows */
    PARSER_DONE, /* the message is complete */
    PARSER_ERROR /* it cannot be read on: parser->status says with what to answer */
};

struct parser {
    _Alignas(16) char machine[128]; /* llhttp_t */
    struct request *req;
    const char *input;   /* what is being fed, ... */
    uint64_t fed;        /* ... and how much was before it */
    uint64_t start;      /* of the message and ... */
    uint64_t method_end; /* ... the end of its method, in the same count */
    uint64_t line_end;   /* of the version in the request line */
    uint64_t value_end;  /* of the current header value so far; 0: nothing of it has come */
    char *token;         /* where the current token begins, in the request's arena */
    char *at;            /* where it ends */
    char *end;           /* of the piece of arena it may grow into */
    uint8_t part;        /* enum parser_part: what the token is */
    char last;           /* the byte before the next input */
    bool folded;         /* the current header's value did not begin in its line */
    bool in_body;        /* the head is complete: what comes is content, framing and trailers */
    int status;          /* PARSER_ERROR: 400, 414, 431, 501 or 505 */
    size_t max_target;
    size_t max_header;
    size_t head_bytes; /* of the header block so far */
    uint64_t overhead; /* bytes of a body's framing, extensions and trailers */
};

void parser_init(struct parser *parser, size_t max_target, size_t max_header);

/* What comes next fills req, which is fresh. */
void parser_begin(struct parser *parser, struct request *req);

/* Read from *input on, until something is to be decided; what was read is cut off *input. */
enum parser_event parser_feed(struct parser *parser, struct slice *input);

#endif
