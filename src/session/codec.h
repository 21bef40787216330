/* session/codec.h - a session's values as the payload of its cookie, and back.
 *
 * Place in the flow: bind/session and the stores turn Lua tables into text and back here;
 * cookie_session signs the payload. The wire is Flask's: tagged JSON (compact, ASCII, keys sorted),
 * deflated when that saves more than a byte, url-safe base64. Knows no cookie and no key.
 *
 * Tags: tuples, bytes, Markup, UUID, datetime (value/marker.h); both forms of datetime are read,
 * the HTTP date is written unless there are fractions of a second to keep.
 */
#ifndef QLUA_SESSION_CODEC_H
#define QLUA_SESSION_CODEC_H

#include <lua.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct codec;
struct err;

/* A codec keeps its zlib streams, which are as large as 256 KiB, and makes them when first needed.
 * max_text bounds what a payload may be inflated to. For one thread. */
struct codec *codec_new(size_t max_text);
void codec_free(struct codec *codec);

/* Append the JSON text of the table at index to out: as json_encode returns. */
int codec_encode(lua_State *L, int index, struct buf *out, struct err *err);

/* Push the table of a JSON text and return 0; or push nothing and return QLUA_ESYNTAX, QLUA_ELIMIT
 * or another code of json_decode's: also for JSON that is no object. */
int codec_decode(lua_State *L, struct slice text, struct err *err);

/* Append the payload of a text to out, which must not hold the text. */
void codec_pack(struct codec *codec, struct slice text, struct buf *out);

/* The text of a payload: borrowed from codec until its next call. Returns 0, QLUA_ESYNTAX (no
 * base64, no zlib) or QLUA_ELIMIT (larger than max_text). */
int codec_unpack(struct codec *codec, struct slice payload, struct slice *text);

#endif
