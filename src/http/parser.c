/* http/parser.c - bytes to requests: the one door to llhttp. See parser.h. */
#include "http/parser.h"

#include <assert.h>
#include <llhttp.h>

#include "http/request.h"

#define METHOD_ASSERT(number, name, string) \
    static_assert(number < METHOD_COUNT, "a method beyond METHOD_COUNT");
HTTP_METHOD_MAP(METHOD_ASSERT)
static_assert(HTTP_GET == (int)METHOD_GET && HTTP_HEAD == (int)METHOD_HEAD &&
                  HTTP_DELETE == (int)METHOD_DELETE && HTTP_POST == (int)METHOD_POST &&
                  HTTP_PUT == (int)METHOD_PUT && HTTP_CONNECT == (int)METHOD_CONNECT &&
                  HTTP_OPTIONS == (int)METHOD_OPTIONS && HTTP_TRACE == (int)METHOD_TRACE &&
                  HTTP_PATCH == (int)METHOD_PATCH,
              "llhttp numbers methods otherwise");
static_assert(sizeof(llhttp_t) <= sizeof(((struct parser *)0)->machine), "llhttp_t has grown");

enum parser_part { PART_NONE, PART_TARGET, PART_NAME, PART_VALUE };

/* A first piece of arena: a plain request's head needs no second one. */
#define HEAD_PIECE 512
/* Framing that a body may have beyond max_header, per byte of content: one-byte chunks with a
 * short extension are odd, but legal. */
#define OVERHEAD_PER_BYTE 16

struct slice method_name(unsigned method)
{
#define METHOD_NAME(number, name, string) \
    case number: return SLICE(#string);
    switch (method) {
        HTTP_METHOD_MAP(METHOD_NAME)
    default: return SLICE("");
    }
}

int method_of(struct slice name)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        if (slice_eq(name, method_name(i)) && name.len > 0)
            return (int)i;
    return -1;
}

static llhttp_t *machine_of(struct parser *parser)
{
    return (llhttp_t *)(void *)parser->machine;
}

/* ---- tokens: spans gathered into the request's arena, so that they outlive the read buffer ----
 */

/* A new piece for `more` further bytes; the token moves along, so that it stays in one piece. */
static void grow_token(struct parser *parser, size_t more)
{
    size_t len = (size_t)(parser->at - parser->token);
    size_t size = (len + more) * 2 < HEAD_PIECE ? HEAD_PIECE : (len + more) * 2;
    char *piece = arena_alloc(&parser->req->arena, size);
    if (len > 0)
        memcpy(piece, parser->token, len);
    parser->token = piece;
    parser->at = piece + len;
    parser->end = piece + size;
}

static void append(struct parser *parser, const char *data, size_t len)
{
    if ((size_t)(parser->end - parser->at) < len)
        grow_token(parser, len);
    if (len > 0)
        memcpy(parser->at, data, len);
    parser->at += len;
}

static void start_token(struct parser *parser, enum parser_part part)
{
    parser->part = (uint8_t)part;
    parser->token = parser->at;
}

static struct slice take_token(struct parser *parser)
{
    return slice_of(parser->token, (size_t)(parser->at - parser->token));
}

/* ---- llhttp's callbacks: record, check a limit, pause ---- */

static struct parser *parser_of(llhttp_t *machine)
{
    return machine->data;
}

static int refuse(struct parser *parser, int status)
{
    parser->status = status;
    return -1;
}

/* Where in all that was ever fed a byte of the current input stands. */
static uint64_t place_of(const struct parser *parser, const char *at)
{
    return parser->fed + (uint64_t)(at - parser->input);
}

static int on_method(llhttp_t *machine, const char *data, size_t len)
{
    struct parser *parser = parser_of(machine);
    parser->method_end = place_of(parser, data + len);
    return 0;
}

static int on_url(llhttp_t *machine, const char *data, size_t len)
{
    struct parser *parser = parser_of(machine);
    if (parser->part != PART_TARGET) {
        /* RFC 9112 3: a single space; llhttp takes any number. */
        if (place_of(parser, data) != parser->method_end + 1)
            return refuse(parser, 400);
        start_token(parser, PART_TARGET);
    }
    if ((size_t)(parser->at - parser->token) + len > parser->max_target)
        return refuse(parser, 414);
    append(parser, data, len);
    return 0;
}

static int on_version(llhttp_t *machine, const char *data, size_t len)
{
    struct parser *parser = parser_of(machine);
    parser->line_end = place_of(parser, data + len);
    return 0;
}

static int on_url_complete(llhttp_t *machine)
{
    struct parser *parser = parser_of(machine);
    parser->req->raw_target = take_token(parser);
    parser->part = PART_NONE;
    return 0;
}

static int on_name(llhttp_t *machine, const char *data, size_t len)
{
    struct parser *parser = parser_of(machine);
    if (parser->in_body)
        return 0; /* a trailer: dropped (RFC 9110 6.5.1), its size counts as overhead */
    parser->head_bytes += len + 4; /* ": " and CRLF */
    if (parser->head_bytes > parser->max_header)
        return refuse(parser, 431);
    if (parser->part != PART_NAME) {
        /* RFC 9112 2.2: llhttp, even strict, takes a bare LF behind the request line. */
        if (parser->req->headers.count == 0 && place_of(parser, data) != parser->line_end + 2)
            return refuse(parser, 400);
        start_token(parser, PART_NAME);
    }
    append(parser, data, len);
    parser->head_bytes -= 4;
    return 0;
}

static int on_name_complete(llhttp_t *machine)
{
    struct parser *parser = parser_of(machine);
    if (parser->in_body)
        return 0;
    if (parser->part != PART_NAME || parser->at == parser->token)
        return refuse(parser, 400); /* ": value": llhttp lets an empty name pass */
    parser->head_bytes += 4;
    fields_add(&parser->req->headers, take_token(parser), SLICE(""));
    start_token(parser, PART_VALUE);
    parser->value_end = 0;
    parser->folded = false;
    return 0;
}

/* Is there a line end before `at` in the current input, with only blanks in between? */
static bool follows_line_end(const struct parser *parser, const char *at)
{
    while (at > parser->input && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return at > parser->input && (at[-1] == '\n' || at[-1] == '\r');
}

/* RFC 9112 5.2: a value that goes on in the next line is refused; llhttp would join the lines. */
static bool is_folded(const struct parser *parser, const char *data)
{
    if (parser->value_end != 0)
        return place_of(parser, data) != parser->value_end;
    return parser->folded || follows_line_end(parser, data);
}

static int on_value(llhttp_t *machine, const char *data, size_t len)
{
    struct parser *parser = parser_of(machine);
    if (parser->in_body || len == 0) /* an empty value is told at the next line */
        return 0;
    if (parser->part != PART_VALUE || is_folded(parser, data))
        return refuse(parser, 400);
    parser->value_end = place_of(parser, data + len);
    parser->head_bytes += len;
    if (parser->head_bytes > parser->max_header)
        return refuse(parser, 431);
    append(parser, data, len);
    return 0;
}

static int on_value_complete(llhttp_t *machine)
{
    struct parser *parser = parser_of(machine);
    if (parser->in_body)
        return 0;
    struct fields *headers = &parser->req->headers;
    /* llhttp leaves trailing white space to us (RFC 9112 5.1). */
    headers->items[headers->count - 1].value = slice_trim(take_token(parser));
    parser->part = PART_NONE;
    return 0;
}

static int on_headers_complete(llhttp_t *machine)
{
    struct parser *parser = parser_of(machine);
    struct request *req = parser->req;
    parser->in_body = true;
    if (machine->http_major != 1)
        return refuse(parser, 505);
    req->method = machine->method;
    req->http_minor = machine->http_minor;
    req->keep_alive = llhttp_should_keep_alive(machine) != 0;
    bool chunked = (machine->flags & F_CHUNKED) != 0;
    bool counted = (machine->flags & F_CONTENT_LENGTH) != 0;
    req->content_length =
        counted && machine->content_length <= INT64_MAX ? (int64_t)machine->content_length : -1;
    if (!chunked && (!counted || machine->content_length == 0))
        return 0;
    req->body_state = BODY_READING;
    return HPE_PAUSED;
}

static int on_body(llhttp_t *machine, const char *data, size_t len)
{
    struct request *req = parser_of(machine)->req;
    req->body_received += len;
    if (req->body_state == BODY_READING && req->body_received <= req->max_body &&
        req->answer_state != ANSWER_DONE)
        buf_append(&req->body, data, len);
    return 0;
}

static int on_message_complete(llhttp_t *machine)
{
    (void)machine;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_method = on_method,
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_version = on_version,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- the parser ---- */

void parser_init(struct parser *parser, size_t max_target, size_t max_header)
{
    *parser = (struct parser){.max_target = max_target, .max_header = max_header};
    llhttp_init(machine_of(parser), HTTP_REQUEST, &settings);
    machine_of(parser)->data = parser;
}

void parser_begin(struct parser *parser, struct request *req)
{
    parser->req = req;
    parser->start = parser->fed;
    parser->token = parser->at = arena_alloc(&req->arena, HEAD_PIECE);
    parser->end = parser->at + HEAD_PIECE;
    parser->part = PART_NONE;
    parser->in_body = false;
    parser->head_bytes = 0;
    parser->overhead = 0;
}

static bool is_token_char(char c)
{
    return c == ' ' || header_name_is_valid(slice_of(&c, 1));
}

/* With what to answer a message that llhttp refused. */
static int status_of_error(struct parser *parser, llhttp_errno_t error, struct slice input)
{
    llhttp_t *machine = machine_of(parser);
    const char *at = llhttp_get_error_pos(machine);
    const char *reason = llhttp_get_error_reason(machine);
    bool inside = at >= input.data && at < input.data + input.len;
    switch (error) {
    case HPE_INVALID_METHOD:
        /* A method outside the closed list (RFC 9110 9.1: 501), or no method at all. */
        if (!inside || (*at == ' ' && place_of(parser, at) == parser->start))
            return 400;
        return is_token_char(*at) ? 501 : 400;
    case HPE_INVALID_VERSION:
        return reason != NULL && strcmp(reason, "Invalid HTTP version") == 0 ? 505 : 400;
    default: return 400;
    }
}

/* Bytes outside the head that are not content: bounded, or a client could send chunk extensions
 * and trailers for ever. */
static bool overhead_is_sane(struct parser *parser, size_t consumed, uint64_t content)
{
    parser->overhead += consumed - content;
    return parser->overhead <= parser->max_header + parser->req->body_received * OVERHEAD_PER_BYTE;
}

/* Run the machine over *input and cut off what it read. An upgrade that the head asked for is
 * not followed: the bytes behind are ordinary HTTP, so the machine is told to go on. */
static llhttp_errno_t run_machine(llhttp_t *machine, struct slice *input)
{
    for (;;) {
        llhttp_errno_t error = llhttp_execute(machine, input->data, input->len);
        if (error == HPE_OK) {
            *input = slice_from(*input, input->len);
            return error;
        }
        if (error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE)
            return error;
        size_t consumed = (size_t)(llhttp_get_error_pos(machine) - input->data);
        *input = slice_from(*input, consumed);
        if (error == HPE_PAUSED) {
            llhttp_resume(machine);
            return error;
        }
        llhttp_resume_after_upgrade(machine);
    }
}

/* Head and trailers end with CRLF; llhttp, even strict, takes a bare LF there. */
static bool ends_with_crlf(const struct parser *parser, struct slice given, size_t consumed)
{
    char before = consumed >= 2 ? given.data[consumed - 2] : parser->last;
    return consumed >= 1 && given.data[consumed - 1] == '\n' && before == '\r';
}

/* What the next feed must know of this one's end. */
static void keep_end(struct parser *parser, struct slice given, size_t consumed)
{
    if (consumed == 0)
        return;
    parser->last = given.data[consumed - 1];
    if (parser->part == PART_VALUE && parser->value_end == 0)
        parser->folded |= follows_line_end(parser, given.data + consumed);
}

static enum parser_event stop(struct parser *parser, int status)
{
    if (parser->status == 0)
        parser->status = status;
    return PARSER_ERROR;
}

enum parser_event parser_feed(struct parser *parser, struct slice *input)
{
    struct request *req = parser->req;
    bool was_in_body = parser->in_body;
    uint64_t content = req->body_received;
    struct slice given = *input;
    parser->status = 0;
    parser->input = given.data;
    llhttp_errno_t error = run_machine(machine_of(parser), input);
    if (error != HPE_OK && error != HPE_PAUSED)
        return stop(parser, status_of_error(parser, error, given));
    size_t consumed = given.len - input->len;
    if (was_in_body && !overhead_is_sane(parser, consumed, req->body_received - content))
        return stop(parser, 400);
    bool at_lines = !was_in_body || req->content_length < 0;
    if (error == HPE_PAUSED && at_lines && !ends_with_crlf(parser, given, consumed))
        return stop(parser, 400);
    parser->fed += consumed;
    keep_end(parser, given, consumed);
    if (error == HPE_OK)
        return PARSER_MORE;
    return req->body_state == BODY_READING && !was_in_body ? PARSER_HEAD : PARSER_DONE;
}
