/* http/request_id.c - the name of a request in logs. See request_id.h. */
#include "http/request_id.h"

#include "crypto/random.h"
#include "http/request.h"

#define RANDOM_BYTES 16

/* An id goes into log lines and into what the app sends on: no quotes, no spaces, no controls. */
static bool is_sane(struct slice text)
{
    static const char marks[] = "-_.:/+=@";
    if (text.len == 0 || text.len > REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && memchr(marks, c, sizeof(marks) - 1) == NULL)
            return false;
    }
    return true;
}

/* Two lines of it name two requests, or none. */
static bool is_only(const struct fields *fields, const struct field *found)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (&fields->items[i] != found && slice_eq_nocase(fields->items[i].name, found->name))
            return false;
    return true;
}

struct slice request_id_known(struct request *req)
{
    if (req->id.data != NULL || !req->trusted_peer)
        return req->id;
    const struct field *given = fields_get(&req->headers, SLICE("X-Request-Id"));
    if (given != NULL && is_sane(given->value) && is_only(&req->headers, given))
        req->id = arena_dup(&req->arena, given->value);
    return req->id;
}

struct slice request_id(struct request *req)
{
    struct slice known = request_id_known(req);
    if (known.data != NULL)
        return known;
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[RANDOM_BYTES];
    char *text = arena_alloc(&req->arena, 2 * sizeof(bytes));
    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    req->id = slice_of(text, 2 * sizeof(bytes));
    return req->id;
}
