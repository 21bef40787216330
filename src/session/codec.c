/* session/codec.c - a session's values as the payload of its cookie. See codec.h. */
#include "session/codec.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypto/base64.h"
#include "value/json.h"
#include "value/marker.h"

#define HTTP_DATE_YEARS 50 /* two-digit years count from then: up to 2070 */

/* The first and the last second that a datetime of Python's can be. */
#define YEAR_1    (-62135596800LL)
#define YEAR_9999 253402300799LL

/* Texts up to this length are looked at before they are deflated: that they are worth it is not
 * likely, and zlib begins with clearing 64 KiB. */
#define QUICK_MAX 64

/* What is kept of a buffer between two sessions. */
#define KEEP_MAX 16384

struct codec {
    size_t max_text;
    bool has_deflate;
    bool has_inflate;
    z_stream deflate;
    z_stream inflate;
    struct buf packed; /* what goes into base64, or came out of it */
    struct buf text;
};

struct codec *codec_new(size_t max_text)
{
    struct codec *codec = mem_zalloc(sizeof(*codec));
    codec->max_text = max_text;
    return codec;
}

void codec_free(struct codec *codec)
{
    if (codec == NULL)
        return;
    if (codec->has_deflate)
        deflateEnd(&codec->deflate);
    if (codec->has_inflate)
        inflateEnd(&codec->inflate);
    buf_clear(&codec->packed);
    buf_clear(&codec->text);
    free(codec);
}

/* ---- values that JSON has no form for ---------------------------------------------------- */

static int refused(struct err *err, const char *what)
{
    return err_set(err, QLUA_ESYNTAX, "a tag that holds no %s", what);
}

/* Put a marked table { text } in the place of the value on top; the text is above it. */
static void mark_text(lua_State *L, enum marker kind)
{
    lua_createtable(L, 1, kind == MARKER_DATETIME);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    marker_push(L, kind);
    lua_setmetatable(L, -2);
    lua_replace(L, -2);
}

static int read_tuple(lua_State *L, struct err *err)
{
    marker_push_array(L);
    const void *array = lua_topointer(L, -1);
    lua_pop(L, 1);
    if (!lua_istable(L, -1) || marker_of(L, -1, array) != MARKER_ARRAY)
        return refused(err, "list");
    marker_push(L, MARKER_TUPLE);
    lua_setmetatable(L, -2);
    return 0;
}

static int read_bytes(lua_State *L, struct slice text, struct err *err)
{
    size_t len;
    char *bytes = lua_newuserdata(L, BASE64_DECODED_MAX(text.len));
    if (base64_decode_loose(BASE64_PLAIN, text, bytes, &len) != 0)
        return refused(err, "base64");
    lua_pushlstring(L, bytes, len);
    lua_remove(L, -2);
    mark_text(L, MARKER_BYTES);
    return 0;
}

/* Python's UUID() passes over dashes. */
static int read_uuid(lua_State *L, struct slice text, struct err *err)
{
    char uuid[36];
    size_t digits = 0, at = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);
        if (c == '-')
            continue;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || digits == 32)
            return refused(err, "UUID");
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            uuid[at++] = '-';
        uuid[at++] = c;
        digits++;
    }
    if (digits != 32)
        return refused(err, "UUID");
    lua_pushlstring(L, uuid, at);
    mark_text(L, MARKER_UUID);
    return 0;
}

/* "2023-11-14T22:13:20.000000+00:00": the fraction and the offset may be missing. */
static bool parse_iso(const char *text, int64_t *seconds, int *micro)
{
    struct tm tm = {0};
    int year, month, used = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &year, &month, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &used) != 6 ||
        used != 19 || month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
        return false;
    text += used;
    *micro = 0;
    if (*text == '.') {
        int scale = 100000;
        for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
            *micro += (*text - '0') * scale;
    }
    char sign = *text == '\0' ? '+' : *text;
    int hours = 0, minutes = 0, end = 0;
    if (*text != '\0' && sign != 'Z' &&
        (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || text[1 + end] != '\0'))
        return false;
    if (sign != '+' && sign != '-' && (sign != 'Z' || text[1] != '\0'))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    *seconds = timegm(&tm) - (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static int read_datetime(lua_State *L, struct slice text, struct err *err)
{
    int64_t seconds;
    int micro = 0;
    char date[64];
    if (clock_parse_http_date(text, HTTP_DATE_YEARS * 31556952LL, &seconds) != 0 &&
        !parse_iso(text.data, &seconds, &micro))
        return refused(err, "date");
    if (seconds < YEAR_1 || seconds > YEAR_9999)
        return refused(err, "date of Python's years");
    size_t len = CLOCK_DATE_LEN;
    if (micro == 0) {
        clock_http_date(seconds, date);
    } else {
        struct tm tm;
        time_t whole = seconds;
        gmtime_r(&whole, &tm);
        len = (size_t)snprintf(date, sizeof(date), "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00",
                               tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                               tm.tm_sec, micro);
    }
    lua_pushlstring(L, date, len);
    mark_text(L, MARKER_DATETIME);
    lua_pushnumber(L, (double)seconds + micro / 1e6);
    lua_setfield(L, -2, "seconds");
    return 0;
}

/* { "<key>__": value }: the same without the underscores. */
static int read_escaped(lua_State *L, struct err *err)
{
    if (!lua_istable(L, -1))
        return refused(err, "object");
    lua_pushnil(L);
    if (!lua_next(L, -2))
        return refused(err, "key");
    struct slice key;
    key.data = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &key.len) : NULL;
    if (key.data == NULL || !slice_ends_with(key, SLICE("__")))
        return refused(err, "key that ends with two underscores");
    lua_createtable(L, 0, 1);
    lua_pushlstring(L, key.data, key.len - 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_replace(L, -4);
    lua_pop(L, 2);
    return 0;
}

static int read_tag(lua_State *L, enum marker kind, struct err *err)
{
    luaL_checkstack(L, 8, "session");
    if (kind == MARKER_NONE)
        return read_escaped(L, err);
    if (kind == MARKER_TUPLE)
        return read_tuple(L, err);
    if (lua_type(L, -1) != LUA_TSTRING)
        return refused(err, "text");
    struct slice text;
    text.data = lua_tolstring(L, -1, &text.len);
    switch (kind) {
    case MARKER_BYTES: return read_bytes(L, text, err);
    case MARKER_UUID: return read_uuid(L, text, err);
    case MARKER_DATETIME: return read_datetime(L, text, err);
    default:
        lua_pushvalue(L, -1);
        mark_text(L, kind);
        return 0;
    }
}

/* What is written of a marked table: its text, bytes in base64, a UUID without dashes. */
static void push_text(lua_State *L, int index, enum marker kind)
{
    lua_rawgeti(L, index, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
        return; /* json_encode says so */
    struct slice text;
    text.data = lua_tolstring(L, -1, &text.len);
    if (kind == MARKER_UUID) {
        luaL_gsub(L, text.data, "-", "");
        lua_remove(L, -2);
    } else if (kind == MARKER_BYTES) {
        char *encoded = lua_newuserdata(L, BASE64_ENCODED_MAX(text.len) + 1);
        lua_pushlstring(L, encoded, base64_encode(BASE64_PLAIN, text, encoded));
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
}

static const struct json_tags tags = {
    .keys = {[MARKER_NONE] = " di",
             [MARKER_TUPLE] = " t",
             [MARKER_BYTES] = " b",
             [MARKER_MARKUP] = " m",
             [MARKER_UUID] = " u",
             [MARKER_DATETIME] = " d"},
    .push_text = push_text,
    .read = read_tag,
};

int codec_encode(lua_State *L, int index, struct buf *out, struct err *err)
{
    static const struct json_options options = {
        .compact = true, .sort_keys = true, .ensure_ascii = true, .tags = &tags};
    return json_encode(L, index, &options, out, err);
}

int codec_decode(lua_State *L, struct slice text, struct err *err)
{
    int rc = json_decode_tagged(L, text, &tags, err);
    if (rc != 0)
        return rc;
    int top = lua_gettop(L);
    if (lua_istable(L, top) && !lua_getmetatable(L, top))
        return 0;
    lua_settop(L, top - 1);
    return err_set(err, QLUA_ESYNTAX, "the JSON is no object");
}

/* ---- the payload ------------------------------------------------------------------------- */

/* A number that the zlib stream (RFC 1950, 1951) of text cannot have fewer bytes than; quick, for
 * short texts. Each of the text's kinds of byte must come as a literal once, which takes 8 bits and
 * more with the fixed codes; codes of the block's own must be told first, and n of them have this
 * many bits together at the least (Kraft). */
static size_t deflated_min(struct slice text)
{
    uint64_t seen[4] = {0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        seen[byte / 64] |= (uint64_t)1 << byte % 64;
    }
    unsigned kinds = 0;
    for (size_t i = 0; i < 4; i++)
        kinds += (unsigned)__builtin_popcountll(seen[i]);
    unsigned codes = kinds + 1; /* and the end of the block */
    unsigned log = 31u - (unsigned)__builtin_clz(codes);
    unsigned own = 3 + 14 + 12 + codes * log + 2 * (codes - (1u << log));
    unsigned fixed = 3 + 8 * kinds + 7;
    return 2 + (own < fixed ? own + 7 : fixed + 7) / 8 + 4;
}

/* Deflate text into packed, as long as that saves more than a byte: the end of the room is the
 * end of the attempt. False: it does not. */
static bool deflated(struct codec *codec, struct slice text)
{
    z_stream *z = &codec->deflate;
    if (text.len < 3 || (text.len <= QUICK_MAX && deflated_min(text) > text.len - 2))
        return false;
    if (!codec->has_deflate) {
        int rc = deflateInit(z, Z_DEFAULT_COMPRESSION);
        assert(rc == Z_OK && "zlib is out of memory");
        (void)rc;
        codec->has_deflate = true;
    } else {
        deflateReset(z);
    }
    size_t room = text.len - 2;
    codec->packed.len = 0;
    z->next_in = (unsigned char *)text.data;
    z->avail_in = (unsigned)text.len;
    z->next_out = (unsigned char *)buf_reserve(&codec->packed, room);
    z->avail_out = (unsigned)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return false;
    codec->packed.len = room - z->avail_out;
    return true;
}

void codec_pack(struct codec *codec, struct slice text, struct buf *out)
{
    if (deflated(codec, text)) {
        buf_char(out, '.');
        text = buf_view(&codec->packed);
    }
    char *dst = buf_reserve(out, BASE64_ENCODED_MAX(text.len) + 1);
    out->len += base64_encode(BASE64_URL, text, dst);
    if (codec->packed.cap > KEEP_MAX)
        buf_clear(&codec->packed);
}

static int inflated(struct codec *codec, struct slice bytes)
{
    z_stream *z = &codec->inflate;
    if (!codec->has_inflate) {
        if (inflateInit(z) != Z_OK)
            return QLUA_ELIMIT;
        codec->has_inflate = true;
    } else {
        inflateReset(z);
    }
    z->next_in = (unsigned char *)bytes.data;
    z->avail_in = (unsigned)bytes.len;
    codec->text.len = 0;
    for (;;) {
        /* one byte more than is allowed tells what is too large */
        size_t room = codec->max_text + 1 - codec->text.len;
        size_t step = bytes.len * 4 + 256;
        room = room < step ? room : step;
        z->next_out = (unsigned char *)buf_reserve(&codec->text, room);
        z->avail_out = (unsigned)room;
        int rc = inflate(z, Z_NO_FLUSH);
        codec->text.len += room - z->avail_out;
        if (codec->text.len > codec->max_text)
            return QLUA_ELIMIT;
        if (rc == Z_STREAM_END) /* what follows the stream does not count, as in Python */
            return 0;
        if (rc != Z_OK || z->avail_out > 0)
            return QLUA_ESYNTAX;
    }
}

int codec_unpack(struct codec *codec, struct slice payload, struct slice *text)
{
    bool is_packed = payload.len > 0 && payload.data[0] == '.';
    struct slice encoded = slice_from(payload, is_packed);
    if (encoded.len / 4 * 3 > codec->max_text)
        return QLUA_ELIMIT;
    if (codec->packed.cap > KEEP_MAX)
        buf_clear(&codec->packed);
    if (codec->text.cap > KEEP_MAX)
        buf_clear(&codec->text);
    codec->packed.len = 0;
    char *dst = buf_reserve(&codec->packed, BASE64_DECODED_MAX(encoded.len));
    if (base64_decode_loose(BASE64_URL, encoded, dst, &codec->packed.len) != 0)
        return QLUA_ESYNTAX;
    *text = buf_view(&codec->packed);
    if (!is_packed)
        return 0;
    int rc = inflated(codec, *text);
    *text = buf_view(&codec->text);
    return rc;
}
