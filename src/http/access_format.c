/* http/access_format.c - the form of the access log's lines. See access_format.h. */
#include "http/access_format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/request.h"
#include "http/request_id.h"
#include "http/status.h"

enum field_kind {
    FIELD_LITERAL, /* text */
    FIELD_NONE,    /* always "-": the server identifies nobody */
    FIELD_CLIENT,  /* address:port, as Hypercorn shows it */
    FIELD_ADDRESS,
    FIELD_TIME,
    FIELD_LINE_WITHOUT_QUERY, /* GET /path 1.1 */
    FIELD_LINE,               /* GET /path?query 1.1 */
    FIELD_APACHE_LINE,        /* GET /path?query HTTP/1.1 */
    FIELD_STATUS,
    FIELD_PHRASE,
    FIELD_SCHEME,
    FIELD_METHOD,
    FIELD_PATH,
    FIELD_PATH_AND_QUERY,
    FIELD_QUERY,
    FIELD_QUESTION_QUERY, /* with its question mark */
    FIELD_VERSION,
    FIELD_PROTOCOL, /* HTTP/1.1 */
    FIELD_BYTES_OR_DASH,
    FIELD_BYTES,
    FIELD_REFERER,
    FIELD_AGENT,
    FIELD_SECONDS,
    FIELD_MICROSECONDS,
    FIELD_DECIMAL_SECONDS,
    FIELD_PID,
    FIELD_BRACKETED_PID, /* <123> */
    FIELD_HOST,
    FIELD_REQUEST_ID,
    FIELD_WORKER,
    FIELD_HEADER,       /* of the request; text is its name */
    FIELD_ANSWER_HEADER /* of the answer, the same */
};

struct name {
    const char *text;
    enum field_kind kind;
};

/* %(NAME)s, Hypercorn's and Quart's; the last three are qlua's own */
static const struct name long_names[] = {
    {"h", FIELD_CLIENT},
    {"l", FIELD_NONE},
    {"u", FIELD_NONE},
    {"t", FIELD_TIME},
    {"r", FIELD_LINE_WITHOUT_QUERY},
    {"R", FIELD_LINE},
    {"s", FIELD_STATUS},
    {"st", FIELD_PHRASE},
    {"S", FIELD_SCHEME},
    {"m", FIELD_METHOD},
    {"U", FIELD_PATH},
    {"Uq", FIELD_PATH_AND_QUERY},
    {"q", FIELD_QUERY},
    {"H", FIELD_VERSION},
    {"b", FIELD_BYTES_OR_DASH},
    {"B", FIELD_BYTES},
    {"f", FIELD_REFERER},
    {"a", FIELD_AGENT},
    {"T", FIELD_SECONDS},
    {"D", FIELD_MICROSECONDS},
    {"L", FIELD_DECIMAL_SECONDS},
    {"p", FIELD_BRACKETED_PID},
    {"host", FIELD_HOST},
    {"id", FIELD_REQUEST_ID},
    {"worker", FIELD_WORKER},
};

/* %X, Apache's */
static const struct name short_names[] = {
    {"h", FIELD_ADDRESS},
    {"a", FIELD_ADDRESS},
    {"l", FIELD_NONE},
    {"u", FIELD_NONE},
    {"t", FIELD_TIME},
    {"r", FIELD_APACHE_LINE},
    {"s", FIELD_STATUS},
    {">s", FIELD_STATUS},
    {"m", FIELD_METHOD},
    {"U", FIELD_PATH},
    {"q", FIELD_QUESTION_QUERY},
    {"H", FIELD_PROTOCOL},
    {"b", FIELD_BYTES_OR_DASH},
    {"B", FIELD_BYTES},
    {"T", FIELD_SECONDS},
    {"D", FIELD_MICROSECONDS},
    {"P", FIELD_PID},
    {"V", FIELD_HOST},
    {"L", FIELD_REQUEST_ID},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define COMMON "%h %l %u %t \"%r\" %>s %b"
struct piece {
    enum field_kind kind;
    struct slice text; /* FIELD_LITERAL, FIELD_HEADER */
};

struct access_format {
    struct arena arena;
    struct piece *pieces;
    size_t count;
    size_t capacity;
};

/* ---- compiling ---- */

static void add(struct access_format *format, enum field_kind kind, struct slice text)
{
    if (kind == FIELD_LITERAL && text.len == 0)
        return;
    if (format->count == format->capacity) {
        format->capacity = format->capacity == 0 ? 16 : 2 * format->capacity;
        format->pieces = mem_realloc(format->pieces, format->capacity * sizeof(*format->pieces));
    }
    format->pieces[format->count++] = (struct piece){kind, arena_dup(&format->arena, text)};
}

/* "{Name}i", "{Name}o", "{NAME}e": a header of the request, of the answer, a variable of the
 * environment. */
static bool add_braced(struct access_format *format, struct slice text)
{
    if (text.len < 4 || text.data[0] != '{' || text.data[text.len - 2] != '}')
        return false;
    struct slice name = slice_of(text.data + 1, text.len - 3);
    char kind = text.data[text.len - 1];
    if (kind == 'i' || kind == 'o') {
        add(format, kind == 'i' ? FIELD_HEADER : FIELD_ANSWER_HEADER, name);
        return true;
    }
    if (kind != 'e')
        return false;
    const char *value = getenv(arena_cstr(&format->arena, name));
    struct buf clean = {0};
    access_format_clean(&clean, value == NULL ? SLICE("") : slice_cstr(value));
    add(format, FIELD_LITERAL, buf_view(&clean));
    buf_clear(&clean);
    return true;
}

static bool add_named(struct access_format *format, const struct name *names, size_t count,
                      struct slice text)
{
    for (size_t i = 0; i < count; i++) {
        if (!slice_eq(text, slice_cstr(names[i].text)))
            continue;
        add(format, names[i].kind, SLICE(""));
        return true;
    }
    return add_braced(format, text);
}

/* The length of what follows a % in Apache's form. */
static size_t short_length(struct slice rest)
{
    if (rest.len > 0 && rest.data[0] == '{') {
        size_t close = slice_find(rest, '}');
        return close + 2 <= rest.len ? close + 2 : rest.len;
    }
    return rest.len > 1 && rest.data[0] == '>' ? 2 : (rest.len > 0 ? 1 : 0);
}

/* What follows a %: add its field. Returns its length, or 0 and err. */
static size_t add_field(struct access_format *format, struct slice rest, struct err *err)
{
    bool known = false;
    size_t len;
    if (rest.len > 0 && rest.data[0] == '(') {
        size_t close = slice_find(rest, ')');
        bool whole = close + 1 < rest.len && rest.data[close + 1] == 's';
        len = whole ? close + 2 : (close < rest.len ? close + 1 : rest.len);
        if (whole)
            known = add_named(format, long_names, COUNT(long_names),
                              slice_of(rest.data + 1, close - 1));
    } else {
        len = short_length(rest);
        if (len == 1 && rest.data[0] == '%') {
            add(format, FIELD_LITERAL, SLICE("%"));
            return 1;
        }
        known = add_named(format, short_names, COUNT(short_names), slice_of(rest.data, len));
    }
    if (known)
        return len;
    int shown = len > 60 ? 60 : (int)len;
    err_set(
        err, -EINVAL,
        "access_log_format has the unknown field %%%.*s; known are %%(X)s with X one of h l u t "
        "r R s st S m U Uq q H b B f a T D L p host id worker {HEADER}i {HEADER}o {VARIABLE}e, and "
        "Apache's %%X with X one of h a l u t r s >s m U q H b B T D P V L {HEADER}i {HEADER}o "
        "{VARIABLE}e; %%%% is a percent sign",
        shown, rest.data);
    return 0;
}

struct access_format *access_format_new(const char *text, struct err *err)
{
    if (strcmp(text, "common") == 0)
        text = COMMON;
    else if (strcmp(text, "combined") == 0)
        text = COMMON " \"%{Referer}i\" \"%{User-Agent}i\"";
    struct access_format *format = mem_zalloc(sizeof(*format));
    arena_init(&format->arena);
    struct slice rest = slice_cstr(text);
    while (rest.len > 0) {
        size_t percent = slice_find(rest, '%');
        add(format, FIELD_LITERAL, slice_of(rest.data, percent));
        if (percent == rest.len)
            break;
        rest = slice_from(rest, percent + 1);
        size_t len = add_field(format, rest, err);
        if (len == 0) {
            access_format_free(format);
            return NULL;
        }
        rest = slice_from(rest, len);
    }
    return format;
}

void access_format_free(struct access_format *format)
{
    if (format == NULL)
        return;
    arena_clear(&format->arena);
    free(format->pieces);
    free(format);
}

bool access_format_needs_heads(const struct access_format *format)
{
    for (size_t i = 0; i < format->count; i++)
        if (format->pieces[i].kind == FIELD_ANSWER_HEADER)
            return true;
    return false;
}

/* ---- writing a line ---- */

void access_format_clean(struct buf *out, struct slice text)
{
    if (text.len == 0)
        buf_char(out, '-');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
}

static void append_client(struct buf *out, struct request *req, bool with_port)
{
    int port;
    struct slice peer = request_peer(req, &port);
    if (peer.len == 0) {
        buf_cstr(out, "<local>");
        return;
    }
    buf_slice(out, peer);
    if (with_port)
        buf_printf(out, ":%d", port);
}

static void append_target(struct buf *out, const struct request *req, bool query)
{
    access_format_clean(out, req->target.raw_path);
    if (query && req->target.query.len > 0) {
        buf_char(out, '?');
        access_format_clean(out, req->target.query);
    }
}

static void append_line(struct buf *out, const struct request *req, bool query, const char *version)
{
    buf_slice(out, method_name(req->method));
    buf_char(out, ' ');
    append_target(out, req, query);
    buf_printf(out, " %s%d", version, req->http_minor);
}

static void append_header(struct buf *out, const struct request *req, struct slice name)
{
    const struct field *field = fields_get(&req->headers, name);
    access_format_clean(out, field == NULL ? SLICE("") : field->value);
}

/* The first line of the answer's head with this name. */
static void append_answer_header(struct buf *out, const struct request *req, struct slice name)
{
    struct slice rest = req->answer_head;
    slice_split(&rest, '\n'); /* the status line */
    while (rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');
        struct slice value = slice_split(&line, '\r');
        struct slice field = slice_split(&value, ':');
        if (!slice_eq_nocase(field, name))
            continue;
        access_format_clean(out, slice_trim(value));
        return;
    }
    buf_char(out, '-');
}

/* The client may have left before there was a status. */
static void append_status(struct buf *out, const struct request *req, bool phrase)
{
    struct slice line = phrase && req->status != 0 ? status_phrase(req->status) : SLICE("");
    if (phrase || req->status == 0)
        access_format_clean(out, line);
    else
        buf_uint(out, req->status);
}

static void append_bytes(struct buf *out, const struct request *req, bool dash)
{
    if (dash && req->bytes_sent == 0)
        buf_char(out, '-');
    else
        buf_uint(out, req->bytes_sent);
}

static void append_query(struct buf *out, const struct request *req, bool mark)
{
    if (req->target.query.len == 0)
        return;
    if (mark)
        buf_char(out, '?');
    access_format_clean(out, req->target.query);
}

/* A list of cases: longer than a screen, and nothing but that. */
static void append_piece(const struct piece *piece, struct buf *out, struct request *req,
                         const struct access_moment *moment)
{
    switch (piece->kind) {
    case FIELD_LITERAL: buf_slice(out, piece->text); break;
    case FIELD_NONE: buf_char(out, '-'); break;
    case FIELD_CLIENT: append_client(out, req, true); break;
    case FIELD_ADDRESS: append_client(out, req, false); break;
    case FIELD_TIME: buf_printf(out, "[%.*s]", (int)moment->date.len, moment->date.data); break;
    case FIELD_LINE_WITHOUT_QUERY: append_line(out, req, false, "1."); break;
    case FIELD_LINE: append_line(out, req, true, "1."); break;
    case FIELD_APACHE_LINE: append_line(out, req, true, "HTTP/1."); break;
    case FIELD_STATUS: append_status(out, req, false); break;
    case FIELD_PHRASE: append_status(out, req, true); break;
    case FIELD_SCHEME: buf_slice(out, request_scheme(req)); break;
    case FIELD_METHOD: buf_slice(out, method_name(req->method)); break;
    case FIELD_PATH: append_target(out, req, false); break;
    case FIELD_PATH_AND_QUERY: append_target(out, req, true); break;
    case FIELD_QUERY: append_query(out, req, false); break;
    case FIELD_QUESTION_QUERY: append_query(out, req, true); break;
    case FIELD_VERSION: buf_printf(out, "1.%d", req->http_minor); break;
    case FIELD_PROTOCOL: buf_printf(out, "HTTP/1.%d", req->http_minor); break;
    case FIELD_BYTES_OR_DASH: append_bytes(out, req, true); break;
    case FIELD_BYTES: append_bytes(out, req, false); break;
    case FIELD_REFERER: append_header(out, req, SLICE("Referer")); break;
    case FIELD_AGENT: append_header(out, req, SLICE("User-Agent")); break;
    case FIELD_SECONDS: buf_uint(out, moment->took_us / 1000000); break;
    case FIELD_MICROSECONDS: buf_uint(out, moment->took_us); break;
    case FIELD_DECIMAL_SECONDS:
        buf_printf(out, "%llu.%06llu", (unsigned long long)(moment->took_us / 1000000),
                   (unsigned long long)(moment->took_us % 1000000));
        break;
    case FIELD_PID: buf_printf(out, "%d", (int)getpid()); break;
    case FIELD_BRACKETED_PID: buf_printf(out, "<%d>", (int)getpid()); break;
    case FIELD_HOST: access_format_clean(out, req->host); break;
    case FIELD_REQUEST_ID: access_format_clean(out, request_id(req)); break;
    case FIELD_WORKER: buf_printf(out, "%d", moment->worker); break;
    case FIELD_HEADER: append_header(out, req, piece->text); break;
    case FIELD_ANSWER_HEADER: append_answer_header(out, req, piece->text); break;
    }
}

void access_format_append(const struct access_format *format, struct buf *out, struct request *req,
                          const struct access_moment *moment)
{
    for (size_t i = 0; i < format->count; i++)
        append_piece(&format->pieces[i], out, req, moment);
}
