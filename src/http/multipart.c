/* http/multipart.c - multipart/form-data, read as it arrives. See multipart.h.
 *
 * A delimiter is a line break, "--", the boundary, and then either "--" or padding and a line
 * break. The line break before it belongs to it, not to the content. */
#include "http/multipart.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "http/headers.h"

#define BOUNDARY_MAX 70
#define PADDING_MAX  128 /* a line with more behind its boundary is content */
#define HELD_MAX     (2 + 2 + BOUNDARY_MAX + PADDING_MAX + 2)

enum state {
    STATE_PREAMBLE, /* before the first delimiter */
    STATE_HEAD,     /* in the headers of a part */
    STATE_CONTENT,  /* in a part's content */
    STATE_EPILOGUE  /* behind the last delimiter */
};

struct multipart {
    const struct multipart_handler *handler;
    void *data;
    struct multipart_limits limits;
    enum state state;
    int error;
    size_t parts;
    bool at_start;     /* nothing of the preamble or content so far: no line break needed */
    bool skip_lf;      /* the line ended with CR: an LF still belongs to it */
    size_t line_bytes; /* of the header line so far */
    struct buf head;   /* header lines so far, each with an LF */
    struct arena arena;
    char delimiter[2 + BOUNDARY_MAX];
    size_t delimiter_len;
    char held[HELD_MAX]; /* the start of what may be a delimiter, when the input ended in it */
    size_t held_len;
};

static bool boundary_is_valid(struct slice boundary)
{
    if (boundary.len < 1 || boundary.len > BOUNDARY_MAX || boundary.data[boundary.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.len; i++)
        if (boundary.data[i] < 0x20 || boundary.data[i] > 0x7e)
            return false;
    return true;
}

struct multipart *multipart_new(struct slice boundary, const struct multipart_handler *handler,
                                void *data, const struct multipart_limits *limits)
{
    if (!boundary_is_valid(boundary))
        return NULL;
    struct multipart *m = mem_zalloc(sizeof(*m));
    m->handler = handler;
    m->data = data;
    m->limits = *limits;
    m->at_start = true;
    memcpy(m->delimiter, "--", 2);
    memcpy(m->delimiter + 2, boundary.data, boundary.len);
    m->delimiter_len = 2 + boundary.len;
    arena_init(&m->arena);
    return m;
}

void multipart_free(struct multipart *m)
{
    if (m == NULL)
        return;
    buf_clear(&m->head);
    arena_clear(&m->arena);
    free(m);
}

/* ---- delimiters ---- */

enum match {
    MATCH_NONE,    /* content */
    MATCH_PARTIAL, /* more bytes must tell */
    MATCH_NEXT,    /* another part follows */
    MATCH_LAST
};

/* What stands behind the boundary: text from `at` on. *used is the delimiter's length. */
static enum match match_line_end(struct slice text, size_t at, size_t *used)
{
    size_t start = at;
    if (at < text.len && text.data[at] == '-') {
        if (at + 1 == text.len)
            return MATCH_PARTIAL;
        *used = at + 2;
        return text.data[at + 1] == '-' ? MATCH_LAST : MATCH_NONE;
    }
    while (at < text.len && at - start <= PADDING_MAX && is_ows(text.data[at]))
        at++;
    if (at - start > PADDING_MAX)
        return MATCH_NONE;
    if (at == text.len)
        return MATCH_PARTIAL;
    *used = at + 1; /* of CRLF the CR: skip_lf sees to the rest */
    return text.data[at] == '\r' || text.data[at] == '\n' ? MATCH_NEXT : MATCH_NONE;
}

/* Does text (not empty) begin with a delimiter? at_start: it needs no line break. */
static enum match match_delimiter(const struct multipart *m, struct slice text, bool at_start,
                                  size_t *used)
{
    size_t at = 0;
    if (text.data[0] == '\r')
        at = text.len > 1 && text.data[1] == '\n' ? 2 : 1;
    else if (text.data[0] == '\n')
        at = 1;
    else if (!at_start)
        return MATCH_NONE;
    size_t there = text.len - at < m->delimiter_len ? text.len - at : m->delimiter_len;
    if (memcmp(text.data + at, m->delimiter, there) != 0)
        return MATCH_NONE;
    if (there < m->delimiter_len)
        return MATCH_PARTIAL;
    return match_line_end(text, at + there, used);
}

/* ---- content ---- */

static int emit(struct multipart *m, const char *data, size_t len)
{
    if (len == 0)
        return 0;
    m->at_start = false;
    if (m->state == STATE_PREAMBLE)
        return 0;
    return m->handler->on_data(m->data, slice_of(data, len));
}

/* A whole delimiter was read, last_byte its last. */
static int leave_content(struct multipart *m, enum match match, char last_byte)
{
    bool was_part = m->state == STATE_CONTENT;
    m->state = match == MATCH_LAST ? STATE_EPILOGUE : STATE_HEAD;
    m->skip_lf = last_byte == '\r';
    m->head.len = 0;
    m->line_bytes = 0;
    return was_part ? m->handler->on_part_end(m->data) : 0;
}

static void hold(struct multipart *m, struct slice rest)
{
    assert(rest.len <= sizeof(m->held));
    memcpy(m->held, rest.data, rest.len);
    m->held_len = rest.len;
}

/* The place from which text, beginning at `from`, may be the start of a delimiter whose boundary
 * is not complete; text.len when there is none. */
static size_t find_partial(const struct multipart *m, struct slice text, size_t from)
{
    size_t used;
    for (size_t i = from; i < text.len; i++)
        if ((text.data[i] == '\r' || text.data[i] == '\n') &&
            match_delimiter(m, slice_from(text, i), false, &used) != MATCH_NONE)
            return i;
    return text.len;
}

/* One more byte for what is held. */
static int scan_held(struct multipart *m, struct slice *in)
{
    size_t used;
    assert(m->held_len < sizeof(m->held));
    m->held[m->held_len++] = in->data[0];
    *in = slice_from(*in, 1);
    struct slice held = slice_of(m->held, m->held_len);
    enum match match = match_delimiter(m, held, m->at_start, &used);
    if (match == MATCH_PARTIAL)
        return 0;
    if (match != MATCH_NONE) {
        m->held_len = 0;
        return leave_content(m, match, held.data[held.len - 1]);
    }
    /* It was content after all, but perhaps for a new start at its end ("\r" and "\r\n--"). */
    size_t start = find_partial(m, held, 1);
    int rc = emit(m, held.data, start);
    m->held_len = held.len - start;
    memmove(m->held, m->held + start, m->held_len);
    return rc;
}

/* The start of the next delimiter in text, seen from `from` on, whose boundary is complete:
 * its line break, or text.len. */
static size_t find_delimiter(const struct multipart *m, struct slice text, enum match *match,
                             size_t *used)
{
    size_t from = 0;
    *match = MATCH_NONE;
    if (m->at_start)
        *match = match_delimiter(m, text, true, used);
    if (*match != MATCH_NONE)
        return 0;
    while (from < text.len) {
        const char *found =
            memmem(text.data + from, text.len - from, m->delimiter, m->delimiter_len);
        if (found == NULL)
            break;
        size_t start = (size_t)(found - text.data);
        /* No delimiter begins inside this text: it has no line break. So linear time. */
        from = start + m->delimiter_len;
        if (start > 0 && text.data[start - 1] == '\n')
            start -= start > 1 && text.data[start - 2] == '\r' ? 2 : 1;
        else if (start > 0 && text.data[start - 1] == '\r')
            start--;
        else
            continue;
        *match = match_delimiter(m, slice_from(text, start), false, used);
        if (*match != MATCH_NONE)
            return start;
    }
    return text.len;
}

/* Content up to the next delimiter or the end of the input, straight from the input. */
static int scan_content(struct multipart *m, struct slice *in)
{
    struct slice text = *in;
    enum match match;
    size_t used = 0;
    size_t start = find_delimiter(m, text, &match, &used);
    if (match == MATCH_NONE) {
        /* At most a line break and all of the boundary but its last byte can stand here. */
        size_t most = m->delimiter_len + 1;
        start = find_partial(m, text, text.len > most ? text.len - most : 0);
    }
    if (match == MATCH_NONE || match == MATCH_PARTIAL) {
        *in = slice_from(text, text.len);
        hold(m, slice_from(text, start));
        return emit(m, text.data, start);
    }
    *in = slice_from(text, start + used);
    int rc = emit(m, text.data, start);
    return rc != 0 ? rc : leave_content(m, match, text.data[start + used - 1]);
}

/* ---- heads ---- */

/* Inside a quoted string of Content-Disposition: \" and \\ are escapes, another backslash is
 * itself (paths of old browsers), and %22 is the quote of the new ones (HTML 4.10.21.8). */
static struct slice unquote(struct slice text, struct arena *arena)
{
    if (text.len == 0)
        return SLICE(""); /* there, though empty: a file field without a file */
    char *plain = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        struct slice rest = slice_from(text, i);
        char c = text.data[i];
        if (slice_starts_with(rest, SLICE("\\\"")) || slice_starts_with(rest, SLICE("\\\\"))) {
            c = text.data[++i];
        } else if (slice_starts_with(rest, SLICE("%22"))) {
            c = '"';
            i += 2;
        }
        plain[len++] = c;
    }
    return slice_of(plain, len);
}

static void append_latin1(struct buf *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        utf8_encode(out, (unsigned char)bytes.data[i]);
}

/* RFC 8187 3.2: charset, language and text, as in UTF-8'en'a%20b. data NULL when it is not that
 * or has a NUL in it. */
static struct slice decode_extended(struct slice raw, struct arena *arena)
{
    struct slice result = {NULL, 0};
    struct slice charset = slice_of(raw.data, slice_find(raw, '\''));
    struct slice text = slice_from(raw, charset.len + 1);
    size_t quote = slice_find(text, '\'');
    bool latin1 = slice_eq_nocase(charset, SLICE("iso-8859-1"));
    if (quote == text.len || (!latin1 && !slice_eq_nocase(charset, SLICE("utf-8")) &&
                              !slice_eq_nocase(charset, SLICE("us-ascii"))))
        return result;
    struct slice encoded = slice_from(text, quote + 1);
    if (encoded.len == 0)
        return SLICE("");
    struct buf bytes = {0};
    struct buf decoded = {0};
    unescape_url(&bytes, encoded, false);
    if (latin1)
        append_latin1(&decoded, buf_view(&bytes));
    else
        utf8_clean(&decoded, buf_view(&bytes));
    if (slice_find(buf_view(&decoded), '\0') == decoded.len)
        result = arena_dup(arena, buf_view(&decoded));
    buf_clear(&bytes);
    buf_clear(&decoded);
    return result;
}

static bool is_quoted(struct slice raw)
{
    return raw.len >= 2 && raw.data[0] == '"';
}

/* A parameter of Content-Disposition as text, its extended form first; data NULL: not there. */
static struct slice disposition_param(struct slice value, struct slice name,
                                      struct slice extended_name, struct arena *arena)
{
    struct slice extended = header_param(value, extended_name, arena);
    if (extended.data != NULL) {
        struct slice text = decode_extended(extended, arena);
        if (text.data != NULL)
            return text;
    }
    struct slice text = header_param_raw(value, name);
    if (is_quoted(text))
        text = unquote(slice_of(text.data + 1, text.len - 2), arena);
    if (utf8_is_valid(text))
        return text;
    struct buf clean = {0};
    utf8_clean(&clean, text);
    text = arena_dup(arena, buf_view(&clean));
    buf_clear(&clean);
    return text;
}

/* Divide the head into fields, which borrow from it. */
static int read_fields(struct multipart *m, struct fields *fields)
{
    struct slice rest = buf_view(&m->head);
    if (slice_find(rest, '\0') < rest.len)
        return QLUA_ESYNTAX;
    for (size_t i = 0; i + 1 < m->head.len; i++)
        if (m->head.data[i] == '\n' && is_ows(m->head.data[i + 1]))
            m->head.data[i] = ' '; /* RFC 5322 2.2.3: a folded line goes on */
    while (rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');
        size_t colon = slice_find(line, ':');
        struct slice name = slice_of(line.data, colon);
        if (colon == line.len || !header_name_is_valid(name))
            return QLUA_ESYNTAX;
        fields_add(fields, name, slice_trim(slice_from(line, colon + 1)));
    }
    return 0;
}

/* The head is complete: tell it upward. */
static int begin_part(struct multipart *m)
{
    struct fields fields;
    m->state = STATE_CONTENT;
    m->at_start = true;
    if (m->parts++ >= m->limits.max_parts)
        return QLUA_ELIMIT;
    arena_clear(&m->arena);
    fields_init(&fields, &m->arena, true);
    int rc = read_fields(m, &fields);
    if (rc != 0)
        return rc;
    const struct field *disposition = fields_get_id(&fields, HEADER_CONTENT_DISPOSITION);
    const struct field *type = fields_get_id(&fields, HEADER_CONTENT_TYPE);
    struct multipart_part part = {.headers = &fields};
    if (type != NULL)
        part.content_type = type->value;
    if (disposition == NULL)
        return QLUA_ESYNTAX;
    part.name = disposition_param(disposition->value, SLICE("name"), SLICE("name*"), &m->arena);
    part.filename =
        disposition_param(disposition->value, SLICE("filename"), SLICE("filename*"), &m->arena);
    if (part.name.data == NULL)
        return QLUA_ESYNTAX;
    return m->handler->on_part(m->data, &part);
}

/* Header lines up to the blank one, each kept with an LF for whatever ended it. */
static int scan_head(struct multipart *m, struct slice *in)
{
    while (in->len > 0) {
        char c = in->data[0];
        bool is_end = c == '\n' || c == '\r';
        *in = slice_from(*in, 1);
        if (m->skip_lf && c == '\n') {
            m->skip_lf = false;
            continue;
        }
        m->skip_lf = c == '\r';
        if (is_end && m->line_bytes == 0)
            return begin_part(m);
        if (m->head.len >= m->limits.max_header_bytes)
            return QLUA_ELIMIT;
        buf_char(&m->head, is_end ? '\n' : c);
        m->line_bytes = is_end ? 0 : m->line_bytes + 1;
    }
    return 0;
}

/* Content behind a head whose last line ended with CR: an LF is not content. */
static void skip_lf(struct multipart *m, struct slice *in)
{
    if (m->skip_lf && in->data[0] == '\n')
        *in = slice_from(*in, 1);
    m->skip_lf = false;
}

int multipart_feed(struct multipart *m, struct slice bytes)
{
    while (bytes.len > 0 && m->error == 0 && m->state != STATE_EPILOGUE) {
        if (m->state == STATE_HEAD) {
            m->error = scan_head(m, &bytes);
        } else if (m->skip_lf) {
            skip_lf(m, &bytes);
        } else {
            m->error = m->held_len > 0 ? scan_held(m, &bytes) : scan_content(m, &bytes);
        }
    }
    return m->error;
}

int multipart_end(struct multipart *m)
{
    if (m->error == 0 && m->state != STATE_EPILOGUE)
        m->error = QLUA_ESYNTAX;
    return m->error;
}
