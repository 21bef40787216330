/* http/coding.c - is an answer sent compressed, and what does its head say then? See coding.h. */
#include "http/coding.h"

#include <string.h>

#include "base/buf.h"
#include "http/headers.h"
#include "http/request.h"
#include "http/status.h"

/* ---- media types ---- */

static bool is_type_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"[]?=", c) == NULL;
}

bool coding_type_is_valid(const char *pattern)
{
    size_t slashes = 0, stars = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        if (!is_type_char(*at))
            return false;
        slashes += *at == '/';
        stars += *at == '*';
    }
    return stars <= 1 && (slashes == 1 || strcmp(pattern, "*") == 0);
}

static bool matches(struct slice type, const char *pattern)
{
    struct slice text = slice_cstr(pattern);
    size_t star = slice_find(text, '*');
    if (star >= text.len)
        return slice_eq_nocase(type, text);
    struct slice end = slice_from(text, star + 1);
    return type.len >= star + end.len &&
           slice_eq_nocase(slice_of(type.data, star), slice_of(text.data, star)) &&
           slice_eq_nocase(slice_from(type, type.len - end.len), end);
}

static bool is_wanted_type(const struct coding_rules *rules, struct slice content_type)
{
    struct slice type = slice_trim(slice_split(&content_type, ';'));
    for (size_t i = 0; i < rules->ntypes && type.len > 0; i++)
        if (matches(type, rules->types[i]))
            return true;
    return false;
}

/* ---- Accept-Encoding ---- */

#define WEIGHT_MAX 1000

/* The thousandths of a qvalue (RFC 9110 12.4.2); 0 for what is none. */
static int qvalue(struct slice text)
{
    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.'))
        return 0;
    int value = 0, digit = WEIGHT_MAX;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue;
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        value += (text.data[i] - '0') * digit;
        digit /= 10;
    }
    return value <= WEIGHT_MAX ? value : 0;
}

/* Cut an element's weight off; the coding is left. */
static int take_weight(struct slice *element)
{
    struct slice rest = *element;
    *element = slice_trim(slice_split(&rest, ';'));
    rest = slice_trim(rest);
    if (rest.len == 0)
        return WEIGHT_MAX;
    struct slice name = slice_trim(slice_split(&rest, '='));
    return slice_eq_nocase(name, SLICE("q")) ? qvalue(slice_trim(rest)) : 0;
}

/* -1: not named. */
struct weights {
    int gzip;
    int identity;
    int others; /* "*" */
};

static void weigh(struct weights *weights, struct slice list)
{
    struct slice element;
    while (header_list_next(&list, &element)) {
        int weight = take_weight(&element);
        if (slice_eq_nocase(element, SLICE("gzip")) || slice_eq_nocase(element, SLICE("x-gzip")))
            weights->gzip = weight > weights->gzip ? weight : weights->gzip;
        else if (slice_eq_nocase(element, SLICE("identity")))
            weights->identity = weight;
        else if (slice_eq(element, SLICE("*")))
            weights->others = weight;
    }
}

bool coding_accepts_gzip(const struct fields *headers)
{
    struct weights weights = {-1, -1, -1};
    const struct field *first = fields_get_id(headers, HEADER_ACCEPT_ENCODING);
    for (const struct field *line = first; line != NULL;
         line = fields_next(headers, line, first->name))
        weigh(&weights, line->value);
    int gzip = weights.gzip >= 0 ? weights.gzip : weights.others;
    /* Not named, identity is acceptable but nothing that was asked for. */
    int identity = weights.identity >= 0 ? weights.identity : weights.others;
    return gzip > 0 && gzip >= identity;
}

/* ---- the decision ---- */

/* Fields that tell of the very bytes of the body: of a compressed one they would be wrong. */
static bool describes_bytes(struct slice name)
{
    return slice_eq_nocase(name, SLICE("Content-MD5")) || slice_eq_nocase(name, SLICE("Digest")) ||
           slice_eq_nocase(name, SLICE("Content-Digest")) ||
           slice_eq_nocase(name, SLICE("Repr-Digest"));
}

static bool list_names(struct slice list, struct slice name)
{
    struct slice element;
    while (header_list_next(&list, &element))
        if (slice_eq_nocase(element, name))
            return true;
    return false;
}

/* Has the app coded the body itself, or forbidden to (RFC 9111 5.2.2.6)? */
static bool is_settled(const struct fields *headers)
{
    for (uint32_t i = 0; headers != NULL && i < headers->count; i++) {
        const struct field *field = &headers->items[i];
        if (field->id == HEADER_CONTENT_ENCODING ||
            (field->id == HEADER_CACHE_CONTROL &&
             list_names(field->value, SLICE("no-transform"))) ||
            (field->id == HEADER_OTHER && describes_bytes(field->name)))
            return true;
    }
    return false;
}

enum coding coding_of(const struct coding_rules *rules, const struct request *req,
                      const struct answer *answer)
{
    /* RFC 9110 15.4.5: a 304 says of caching what the 200 would have said. */
    bool unsent = answer->status == 304;
    struct slice type = unsent ? answer->unsent_type : answer->content_type;
    int64_t length = unsent ? answer->unsent_length : answer->length;
    if (type.len == 0 && !unsent) {
        const struct field *field =
            answer->headers == NULL ? NULL : fields_get_id(answer->headers, HEADER_CONTENT_TYPE);
        type = field == NULL ? SLICE("") : field->value;
    }
    if ((status_forbids_body(answer->status) && !unsent) || !is_wanted_type(rules, type) ||
        is_settled(answer->headers))
        return CODING_NONE;
    if (answer->status == 206) /* bytes of the plain form; the whole might have come coded */
        return CODING_VARIES;
    if (length == 0 || (length > 0 && (uint64_t)length < rules->min_size))
        return CODING_NONE;
    return coding_accepts_gzip(&req->headers) ? CODING_GZIP : CODING_VARIES;
}

/* ---- the head ---- */

struct coding_head coding_head_begin(enum coding coding, const struct fields *headers)
{
    struct coding_head head = {.coding = coding, .vary = coding != CODING_NONE};
    for (uint32_t i = 0; head.vary && headers != NULL && i < headers->count; i++) {
        const struct field *field = &headers->items[i];
        head.vary =
            field->id != HEADER_VARY || !(list_names(field->value, SLICE("*")) ||
                                          list_names(field->value, SLICE("Accept-Encoding")));
    }
    return head;
}

/* Compressed by us it is not the same byte by byte: a strong tag would promise that (RFC 9110
 * 8.8.1). nginx does the same. */
static bool write_weak_etag(struct slice etag, struct buf *out)
{
    if (etag.len == 0 || etag.data[0] != '"')
        return false;
    buf_slice(out, SLICE("ETag: W/"));
    buf_slice(out, etag);
    buf_slice(out, SLICE("\r\n"));
    return true;
}

bool coding_head_field(struct coding_head *head, const struct field *field, struct buf *out)
{
    bool packed = head->coding == CODING_GZIP;
    switch (field->id) {
    case HEADER_VARY:
        if (!head->vary || field->value.len == 0)
            return false;
        head->vary = false;
        buf_slice(out, SLICE("Vary: "));
        buf_slice(out, field->value);
        buf_slice(out, SLICE(", Accept-Encoding\r\n"));
        return true;
    case HEADER_ETAG: return packed && write_weak_etag(field->value, out);
    case HEADER_ACCEPT_RANGES: return packed; /* there are no ranges of what is made on the way */
    default: return false;
    }
}

void coding_head_end(const struct coding_head *head, int status, struct buf *out)
{
    if (head->coding == CODING_GZIP && status != 304)
        buf_slice(out, SLICE("Content-Encoding: gzip\r\n"));
    if (head->vary)
        buf_slice(out, SLICE("Vary: Accept-Encoding\r\n"));
}
