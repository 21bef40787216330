/* http/cookie.c - the Cookie header read, Set-Cookie written. See cookie.h. */
#include "http/cookie.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "http/headers.h"

static bool is_octal(char c, char max)
{
    return c >= '0' && c <= max;
}

/* "\ooo" is a byte, "\" and another character that character; a last "\" stays. */
static void unquote(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *p = text.data + i;
        size_t left = text.len - i - 1;
        if (*p != '\\' || left == 0) {
            buf_char(out, *p);
        } else if (left >= 3 && is_octal(p[1], '3') && is_octal(p[2], '7') && is_octal(p[3], '7')) {
            buf_char(out, (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0')));
            i += 3;
        } else {
            buf_char(out, p[1]);
            i++;
        }
    }
}

/* text with U+FFFD for what is not UTF-8: text itself when there is nothing to replace. */
static struct slice clean(struct slice text, struct arena *arena)
{
    if (utf8_is_valid(text))
        return text;
    struct buf fixed = {0};
    utf8_clean(&fixed, text);
    struct slice result = arena_dup(arena, buf_view(&fixed));
    buf_clear(&fixed);
    return result;
}

static struct slice read_value(struct slice raw, struct arena *arena)
{
    if (raw.len < 2 || raw.data[0] != '"' || raw.data[raw.len - 1] != '"')
        return clean(raw, arena);
    struct slice inside = slice_of(raw.data + 1, raw.len - 2);
    if (slice_find(inside, '\\') == inside.len)
        return clean(inside, arena);
    struct buf plain = {0};
    unquote(&plain, inside);
    /* Copied first: what clean gives back may borrow from its argument. */
    struct slice result = clean(arena_dup(arena, buf_view(&plain)), arena);
    buf_clear(&plain);
    return result;
}

void cookie_parse(struct slice header, struct fields *out)
{
    while (header.len > 0) {
        struct slice value = slice_split(&header, ';');
        struct slice name = slice_trim(slice_split(&value, '='));
        if (name.len > 0)
            fields_add(out, clean(name, out->arena), read_value(slice_trim(value), out->arena));
    }
}

/* May stand in a value without quotes: Werkzeug's set, wider than RFC 6265's by a few that
 * every client takes. */
static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static void write_quoted(struct buf *out, struct slice value)
{
    buf_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == ' ' || is_plain((char)c)) {
            buf_char(out, (char)c);
        } else if (c == '"' || c == '\\') {
            buf_char(out, '\\');
            buf_char(out, (char)c);
        } else {
            char octal[4] = {'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                             (char)('0' + (c & 7))};
            buf_append(out, octal, 4);
        }
    }
    buf_char(out, '"');
}

static void write_value(struct buf *out, struct slice value)
{
    size_t i = 0;
    while (i < value.len && is_plain(value.data[i]))
        i++;
    if (i == value.len)
        buf_slice(out, value);
    else
        write_quoted(out, value);
}

/* Without a port and leading dots (RFC 6265 5.2.3 ignores one). */
static struct slice bare_domain(struct slice domain)
{
    domain.len = slice_find(domain, ':');
    while (domain.len > 0 && domain.data[0] == '.')
        domain = slice_from(domain, 1);
    return domain;
}

static int check_domain(struct slice given, struct err *err)
{
    struct slice domain = bare_domain(given);
    if (given.len > 0 && domain.len == 0)
        return err_set(err, QLUA_ESYNTAX, "cookie domain names no host");
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.data[i];
        char lower = ascii_lower((char)c);
        if (c >= 0x80)
            return err_set(err, QLUA_ESYNTAX,
                           "cookie domain is not ASCII: write it in its \"xn--\" form");
        if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' &&
            c != '_')
            return err_set(err, QLUA_ESYNTAX, "cookie domain has a byte 0x%02x at %zu", c, i + 1);
    }
    return 0;
}

/* The attribute's spelling; data NULL when there is no such value. */
static struct slice samesite_spelling(struct slice given)
{
    static const struct slice known[] = {SLICE("Strict"), SLICE("Lax"), SLICE("None")};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_eq_nocase(given, known[i]))
            return known[i];
    return slice_of(NULL, 0);
}

static int check(const struct cookie *cookie, struct err *err)
{
    if (!header_name_is_valid(cookie->name))
        return err_set(err, QLUA_ESYNTAX,
                       "cookie name must be ASCII letters, digits and !#$%%&'*+-.^_`|~");
    if (cookie->samesite.data != NULL && samesite_spelling(cookie->samesite).data == NULL)
        return err_set(err, QLUA_ESYNTAX, "samesite must be \"Strict\", \"Lax\" or \"None\"");
    return check_domain(cookie->domain, err);
}

static void write_expires(struct buf *out, const struct cookie *cookie, int64_t now)
{
    int64_t when = cookie->expires;
    /* Old clients know no Max-Age. */
    if (!cookie->has_expires && __builtin_add_overflow(now, cookie->max_age, &when))
        when = cookie->max_age < 0 ? INT64_MIN : INT64_MAX;
    buf_cstr(out, "; Expires=");
    clock_http_date(when, buf_reserve(out, CLOCK_DATE_LEN));
    out->len += CLOCK_DATE_LEN;
}

int cookie_write(struct buf *out, const struct cookie *cookie, int64_t now, struct err *err)
{
    int rc = check(cookie, err);
    if (rc != 0)
        return rc;
    buf_slice(out, cookie->name);
    buf_char(out, '=');
    write_value(out, cookie->value);
    if (cookie->domain.len > 0) {
        buf_cstr(out, "; Domain=");
        buf_slice(out, bare_domain(cookie->domain));
    }
    if (cookie->has_expires || cookie->has_max_age)
        write_expires(out, cookie, now);
    if (cookie->has_max_age)
        buf_printf(out, "; Max-Age=%lld", (long long)cookie->max_age);
    /* A partitioned cookie that is not Secure is dropped by browsers. */
    if (cookie->secure || cookie->partitioned)
        buf_cstr(out, "; Secure");
    if (cookie->httponly)
        buf_cstr(out, "; HttpOnly");
    if (cookie->path.data != NULL) {
        buf_cstr(out, "; Path=");
        /* "%" is safe: a path may be encoded already. ";" is not: it ends the attribute. */
        escape_url(out, cookie->path, SLICE("%!$&'()*+,/:=@"));
    }
    if (cookie->samesite.data != NULL) {
        buf_cstr(out, "; SameSite=");
        buf_slice(out, samesite_spelling(cookie->samesite));
    }
    if (cookie->partitioned)
        buf_cstr(out, "; Partitioned");
    return 0;
}
