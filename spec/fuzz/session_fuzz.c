/* spec/fuzz/session_fuzz.c - payloads of session cookies: any bytes unpacked and decoded; what was
 * read, written again, says the same; any bytes as the JSON text too; any bytes packed, deflated
 * when zlib saves more than a byte, and only then. */
#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "session/codec.h"
#include "value/marker.h"

#define MAX_TEXT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The table on top, encoded, packed, unpacked and decoded: the same text again. */
static void check_round_trip(lua_State *L, struct codec *codec)
{
    struct buf text = {0};
    struct buf payload = {0};
    struct buf again = {0};
    struct slice unpacked;
    if (codec_encode(L, -1, &text, NULL) == 0 && text.len <= MAX_TEXT) {
        codec_pack(codec, buf_view(&text), &payload);
        int rc = codec_unpack(codec, buf_view(&payload), &unpacked);
        assert(rc == 0 && slice_eq(unpacked, buf_view(&text)));
        rc = codec_decode(L, unpacked, NULL);
        assert(rc == 0);
        rc = codec_encode(L, -1, &again, NULL);
        assert(rc == 0 && slice_eq(buf_view(&again), buf_view(&text)));
        lua_pop(L, 1);
    }
    buf_clear(&text);
    buf_clear(&payload);
    buf_clear(&again);
}

/* Python's rule, by zlib's one-call function. */
static void check_packing(struct codec *codec, struct slice text)
{
    struct buf payload = {0};
    uLongf len = compressBound(text.len);
    unsigned char *packed = malloc(len);
    int rc = compress(packed, &len, (const unsigned char *)text.data, text.len);
    assert(rc == Z_OK);
    codec_pack(codec, text, &payload);
    assert((payload.len > 0 && payload.data[0] == '.') == (len + 1 < text.len));
    free(packed);
    buf_clear(&payload);
}

static void check_text(lua_State *L, struct codec *codec, struct slice text)
{
    int top = lua_gettop(L);
    if (codec_decode(L, text, NULL) == 0) {
        assert(lua_gettop(L) == top + 1 && lua_istable(L, -1));
        check_round_trip(L, codec);
        lua_pop(L, 1);
    }
    assert(lua_gettop(L) == top);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct slice text;
    lua_State *L = luaL_newstate();
    struct codec *codec = codec_new(MAX_TEXT);
    marker_open(L);
    check_packing(codec, input);
    check_text(L, codec, input);
    if (codec_unpack(codec, input, &text) == 0) {
        assert(text.len <= MAX_TEXT + 3);
        lua_pushlstring(L, text.data, text.len); /* the codec's next use takes its memory */
        text.data = lua_tolstring(L, -1, &text.len);
        check_text(L, codec, text);
    }
    codec_free(codec);
    lua_close(L);
    return 0;
}
