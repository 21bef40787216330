/* http/headers.c - ordered lists of names and values, and how header values are read.
 * See headers.h. */
#include "http/headers.h"

#include "base/arena.h"

#define FIELDS_MIN 8

static const struct slice names[HEADER_ID_COUNT] = {
    [HEADER_TE] = SLICE("TE"),
    [HEADER_AGE] = SLICE("Age"),
    [HEADER_VIA] = SLICE("Via"),
    [HEADER_HOST] = SLICE("Host"),
    [HEADER_DATE] = SLICE("Date"),
    [HEADER_ETAG] = SLICE("ETag"),
    [HEADER_VARY] = SLICE("Vary"),
    [HEADER_FROM] = SLICE("From"),
    [HEADER_LINK] = SLICE("Link"),
    [HEADER_ALLOW] = SLICE("Allow"),
    [HEADER_RANGE] = SLICE("Range"),
    [HEADER_ACCEPT] = SLICE("Accept"),
    [HEADER_COOKIE] = SLICE("Cookie"),
    [HEADER_ORIGIN] = SLICE("Origin"),
    [HEADER_EXPECT] = SLICE("Expect"),
    [HEADER_SERVER] = SLICE("Server"),
    [HEADER_PRAGMA] = SLICE("Pragma"),
    [HEADER_REFERER] = SLICE("Referer"),
    [HEADER_UPGRADE] = SLICE("Upgrade"),
    [HEADER_TRAILER] = SLICE("Trailer"),
    [HEADER_EXPIRES] = SLICE("Expires"),
    [HEADER_IF_MATCH] = SLICE("If-Match"),
    [HEADER_IF_RANGE] = SLICE("If-Range"),
    [HEADER_LOCATION] = SLICE("Location"),
    [HEADER_FORWARDED] = SLICE("Forwarded"),
    [HEADER_CONNECTION] = SLICE("Connection"),
    [HEADER_USER_AGENT] = SLICE("User-Agent"),
    [HEADER_SET_COOKIE] = SLICE("Set-Cookie"),
    [HEADER_KEEP_ALIVE] = SLICE("Keep-Alive"),
    [HEADER_RETRY_AFTER] = SLICE("Retry-After"),
    [HEADER_CONTENT_TYPE] = SLICE("Content-Type"),
    [HEADER_MAX_FORWARDS] = SLICE("Max-Forwards"),
    [HEADER_ACCEPT_RANGES] = SLICE("Accept-Ranges"),
    [HEADER_CACHE_CONTROL] = SLICE("Cache-Control"),
    [HEADER_IF_NONE_MATCH] = SLICE("If-None-Match"),
    [HEADER_LAST_MODIFIED] = SLICE("Last-Modified"),
    [HEADER_AUTHORIZATION] = SLICE("Authorization"),
    [HEADER_CONTENT_RANGE] = SLICE("Content-Range"),
    [HEADER_CONTENT_LENGTH] = SLICE("Content-Length"),
    [HEADER_ACCEPT_CHARSET] = SLICE("Accept-Charset"),
    [HEADER_ACCEPT_ENCODING] = SLICE("Accept-Encoding"),
    [HEADER_ACCEPT_LANGUAGE] = SLICE("Accept-Language"),
    [HEADER_X_FORWARDED_FOR] = SLICE("X-Forwarded-For"),
    [HEADER_CONTENT_ENCODING] = SLICE("Content-Encoding"),
    [HEADER_CONTENT_LANGUAGE] = SLICE("Content-Language"),
    [HEADER_CONTENT_LOCATION] = SLICE("Content-Location"),
    [HEADER_WWW_AUTHENTICATE] = SLICE("WWW-Authenticate"),
    [HEADER_X_FORWARDED_HOST] = SLICE("X-Forwarded-Host"),
    [HEADER_X_FORWARDED_PORT] = SLICE("X-Forwarded-Port"),
    [HEADER_PROXY_CONNECTION] = SLICE("Proxy-Connection"),
    [HEADER_IF_MODIFIED_SINCE] = SLICE("If-Modified-Since"),
    [HEADER_SEC_WEBSOCKET_KEY] = SLICE("Sec-WebSocket-Key"),
    [HEADER_TRANSFER_ENCODING] = SLICE("Transfer-Encoding"),
    [HEADER_X_FORWARDED_PROTO] = SLICE("X-Forwarded-Proto"),
    [HEADER_X_FORWARDED_PREFIX] = SLICE("X-Forwarded-Prefix"),
    [HEADER_IF_UNMODIFIED_SINCE] = SLICE("If-Unmodified-Since"),
    [HEADER_CONTENT_DISPOSITION] = SLICE("Content-Disposition"),
    [HEADER_PROXY_AUTHORIZATION] = SLICE("Proxy-Authorization"),
    [HEADER_SEC_WEBSOCKET_ACCEPT] = SLICE("Sec-WebSocket-Accept"),
    [HEADER_SEC_WEBSOCKET_VERSION] = SLICE("Sec-WebSocket-Version"),
    [HEADER_SEC_WEBSOCKET_PROTOCOL] = SLICE("Sec-WebSocket-Protocol"),
    [HEADER_CONTENT_SECURITY_POLICY] = SLICE("Content-Security-Policy"),
    [HEADER_SEC_WEBSOCKET_EXTENSIONS] = SLICE("Sec-WebSocket-Extensions"),
    [HEADER_STRICT_TRANSPORT_SECURITY] = SLICE("Strict-Transport-Security"),
};

/* The first and last id of the names of each length; none where both are HEADER_OTHER. */
static const struct {
    uint8_t first;
    uint8_t last;
} by_length[] = {
    [2] = {HEADER_TE, HEADER_TE},
    [3] = {HEADER_AGE, HEADER_VIA},
    [4] = {HEADER_HOST, HEADER_LINK},
    [5] = {HEADER_ALLOW, HEADER_RANGE},
    [6] = {HEADER_ACCEPT, HEADER_PRAGMA},
    [7] = {HEADER_REFERER, HEADER_EXPIRES},
    [8] = {HEADER_IF_MATCH, HEADER_LOCATION},
    [9] = {HEADER_FORWARDED, HEADER_FORWARDED},
    [10] = {HEADER_CONNECTION, HEADER_KEEP_ALIVE},
    [11] = {HEADER_RETRY_AFTER, HEADER_RETRY_AFTER},
    [12] = {HEADER_CONTENT_TYPE, HEADER_MAX_FORWARDS},
    [13] = {HEADER_ACCEPT_RANGES, HEADER_CONTENT_RANGE},
    [14] = {HEADER_CONTENT_LENGTH, HEADER_ACCEPT_CHARSET},
    [15] = {HEADER_ACCEPT_ENCODING, HEADER_X_FORWARDED_FOR},
    [16] = {HEADER_CONTENT_ENCODING, HEADER_PROXY_CONNECTION},
    [17] = {HEADER_IF_MODIFIED_SINCE, HEADER_X_FORWARDED_PROTO},
    [18] = {HEADER_X_FORWARDED_PREFIX, HEADER_X_FORWARDED_PREFIX},
    [19] = {HEADER_IF_UNMODIFIED_SINCE, HEADER_PROXY_AUTHORIZATION},
    [20] = {HEADER_SEC_WEBSOCKET_ACCEPT, HEADER_SEC_WEBSOCKET_ACCEPT},
    [21] = {HEADER_SEC_WEBSOCKET_VERSION, HEADER_SEC_WEBSOCKET_VERSION},
    [22] = {HEADER_SEC_WEBSOCKET_PROTOCOL, HEADER_SEC_WEBSOCKET_PROTOCOL},
    [23] = {HEADER_CONTENT_SECURITY_POLICY, HEADER_CONTENT_SECURITY_POLICY},
    [24] = {HEADER_SEC_WEBSOCKET_EXTENSIONS, HEADER_SEC_WEBSOCKET_EXTENSIONS},
    [25] = {HEADER_STRICT_TRANSPORT_SECURITY, HEADER_STRICT_TRANSPORT_SECURITY},
};

/* Are the 8 bytes of text those of a known name, but for letter case? In names (letters, digits
 * and "-") bit 0x40 marks the letters, where bit 0x20 is the case: it is set on both sides. */
static bool same_word(const char *text, const char *known)
{
    uint64_t a, b;
    memcpy(&a, text, 8);
    memcpy(&b, known, 8);
    uint64_t letters = (b & UINT64_C(0x4040404040404040)) >> 1;
    return (a | letters) == (b | letters);
}

/* Eight bytes at a time, the last word overlapping the one before; the common case is a
 * difference in the first. */
static bool same_name(const char *text, const char *known, size_t len)
{
    if (len < 8)
        return slice_eq_nocase(slice_of(text, len), slice_of(known, len));
    for (size_t at = 0; at + 8 < len; at += 8)
        if (!same_word(text + at, known + at))
            return false;
    return same_word(text + len - 8, known + len - 8);
}

enum header_id header_id_of(struct slice name)
{
    if (name.len >= sizeof(by_length) / sizeof(by_length[0]))
        return HEADER_OTHER;
    unsigned last = by_length[name.len].last;
    for (unsigned id = by_length[name.len].first; id <= last && id != HEADER_OTHER; id++)
        if (same_name(name.data, names[id].data, name.len))
            return (enum header_id)id;
    return HEADER_OTHER;
}

struct slice header_name(enum header_id id)
{
    return (unsigned)id < HEADER_ID_COUNT ? names[id] : SLICE("");
}

void fields_init(struct fields *fields, struct arena *arena, bool nocase)
{
    *fields = (struct fields){.nocase = nocase, .arena = arena};
}

/* Room for one more. The old items stay in the arena: together less than the new ones. */
static struct field *fields_push(struct fields *fields)
{
    if (fields->count == fields->cap) {
        size_t cap = fields->cap == 0 ? FIELDS_MIN : (size_t)fields->cap * 2;
        struct field *items = arena_alloc(fields->arena, cap * sizeof(*items));
        if (fields->count > 0)
            memcpy(items, fields->items, fields->count * sizeof(*items));
        fields->items = items;
        fields->cap = (uint32_t)cap; /* 2^32 items would be 160 GiB: the arena ends it before */
    }
    return &fields->items[fields->count++];
}

static enum header_id id_in(const struct fields *fields, struct slice name)
{
    return fields->nocase ? header_id_of(name) : HEADER_OTHER;
}

void fields_add(struct fields *fields, struct slice name, struct slice value)
{
    *fields_push(fields) =
        (struct field){.name = name, .value = value, .id = (uint16_t)id_in(fields, name)};
}

void fields_add_id(struct fields *fields, enum header_id id, struct slice value)
{
    *fields_push(fields) =
        (struct field){.name = header_name(id), .value = value, .id = (uint16_t)id};
}

void fields_add_copy(struct fields *fields, struct slice name, struct slice value)
{
    fields_add(fields, arena_dup(fields->arena, name), arena_dup(fields->arena, value));
}

/* Has this item that name? id is the name's own, as id_in gives it. */
static bool is_named(const struct fields *fields, const struct field *item, struct slice name,
                     enum header_id id)
{
    if (item->id != id)
        return false;
    if (id != HEADER_OTHER)
        return true;
    return fields->nocase ? slice_eq_nocase(item->name, name) : slice_eq(item->name, name);
}

static struct field *find_from(const struct fields *fields, size_t from, struct slice name,
                               enum header_id id)
{
    for (size_t i = from; i < fields->count; i++)
        if (is_named(fields, &fields->items[i], name, id))
            return &fields->items[i];
    return NULL;
}

const struct field *fields_get(const struct fields *fields, struct slice name)
{
    return find_from(fields, 0, name, id_in(fields, name));
}

const struct field *fields_get_id(const struct fields *fields, enum header_id id)
{
    for (size_t i = 0; i < fields->count; i++)
        if (fields->items[i].id == id)
            return &fields->items[i];
    return NULL;
}

const struct field *fields_next(const struct fields *fields, const struct field *after,
                                struct slice name)
{
    size_t from = after == NULL ? 0 : (size_t)(after - fields->items) + 1;
    return find_from(fields, from, name, id_in(fields, name));
}

int64_t fields_content_length(const struct fields *fields)
{
    const struct field *field = fields_get_id(fields, HEADER_CONTENT_LENGTH);
    if (field == NULL || field->value.len == 0 || field->value.len > 18)
        return -1;
    int64_t length = 0;
    for (size_t i = 0; i < field->value.len; i++) {
        char c = field->value.data[i];
        if (c < '0' || c > '9')
            return -1;
        length = length * 10 + (c - '0');
    }
    return length;
}

/* Take out every field of that name from index `from` on. */
static size_t remove_from(struct fields *fields, size_t from, struct slice name, enum header_id id)
{
    size_t kept = from;
    for (size_t i = from; i < fields->count; i++)
        if (!is_named(fields, &fields->items[i], name, id))
            fields->items[kept++] = fields->items[i];
    size_t removed = fields->count - kept;
    fields->count = (uint32_t)kept;
    return removed;
}

void fields_set(struct fields *fields, struct slice name, struct slice value)
{
    enum header_id id = id_in(fields, name);
    struct field *first = find_from(fields, 0, name, id);
    if (first == NULL) {
        fields_add_copy(fields, name, value);
        return;
    }
    /* The copies come first: name and value may be the ones that stand in the list. */
    first->name = arena_dup(fields->arena, name);
    first->value = arena_dup(fields->arena, value);
    remove_from(fields, (size_t)(first - fields->items) + 1, first->name, id);
}

size_t fields_remove(struct fields *fields, struct slice name)
{
    return remove_from(fields, 0, name, id_in(fields, name));
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
        return true;
    return c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL;
}

bool header_name_is_valid(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_token_char(name.data[i]))
            return false;
    return name.len > 0;
}

/* Is any of the eight bytes below 0x20, or 0x7f? HTAB counts as one here. */
static bool has_control(uint64_t word)
{
    const uint64_t each = ~(uint64_t)0 / 255;
    uint64_t low = (word - each * 0x20) & ~word;
    uint64_t del = word ^ (each * 0x7f);
    return ((low | ((del - each) & ~del)) & (each * 0x80)) != 0;
}

bool header_value_is_valid(struct slice value)
{
    size_t i = 0;
    for (; value.len - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, value.data + i, 8);
        if (has_control(word))
            break; /* looked at more closely below */
    }
    for (; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* The length of the quoted string at the start of s, both quotes counted; 0 when it has no
 * end. */
static size_t quoted_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] == '\\')
            i++;
        else if (s.data[i] == '"')
            return i + 1;
    }
    return 0;
}

/* The place of the first c outside quoted strings; s.len when there is none. A quoted string
 * without an end reaches to s.len: looking behind its quote again for every c would take
 * quadratic time. */
static size_t find_unquoted(struct slice s, char c)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == c)
            return i;
        if (s.data[i] == '"') {
            size_t quoted = quoted_length(slice_from(s, i));
            if (quoted == 0)
                return s.len;
            i += quoted - 1;
        }
    }
    return s.len;
}

bool header_list_next(struct slice *list, struct slice *element)
{
    while (list->len > 0) {
        size_t end = find_unquoted(*list, ',');
        *element = slice_trim(slice_of(list->data, end));
        *list = slice_from(*list, end + 1);
        if (element->len > 0)
            return true;
    }
    return false;
}

struct slice header_param_raw(struct slice value, struct slice name)
{
    struct slice rest = slice_from(value, find_unquoted(value, ';') + 1);
    while (rest.len > 0) {
        struct slice part = slice_of(rest.data, find_unquoted(rest, ';'));
        rest = slice_from(rest, part.len + 1);
        size_t equals = slice_find(part, '=');
        if (equals == part.len || !slice_eq_nocase(slice_trim(slice_of(part.data, equals)), name))
            continue;
        struct slice raw = slice_trim(slice_from(part, equals + 1));
        if (raw.len == 0 || raw.data[0] != '"')
            return raw;
        size_t quoted = quoted_length(raw);
        if (quoted > 0)
            return slice_of(raw.data, quoted);
    }
    return slice_of(NULL, 0);
}

struct slice header_param(struct slice value, struct slice name, struct arena *arena)
{
    struct slice raw = header_param_raw(value, name);
    if (raw.len < 2 || raw.data[0] != '"')
        return raw;
    struct slice text = slice_of(raw.data + 1, raw.len - 2);
    if (slice_find(text, '\\') == text.len)
        return text;
    char *plain = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++; /* quoted_length has seen that one follows */
        plain[len++] = text.data[i];
    }
    return slice_of(plain, len);
}

struct slice header_mimetype(struct slice content_type, struct arena *arena)
{
    struct slice type = slice_trim(slice_of(content_type.data, slice_find(content_type, ';')));
    size_t i = 0;
    while (i < type.len && type.data[i] == ascii_lower(type.data[i]))
        i++;
    if (i == type.len)
        return type;
    char *lower = arena_alloc(arena, type.len);
    for (i = 0; i < type.len; i++)
        lower[i] = ascii_lower(type.data[i]);
    return slice_of(lower, type.len);
}
