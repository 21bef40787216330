/* spec/bench/session_micro.c - a session loaded and saved, against the bare calls underneath.
 *
 * qlua: a cookie verified, unpacked and decoded into Lua values; those encoded, packed and signed.
 * Bare: the calls of OpenSSL and zlib alone which that takes, on the same bytes: two HMACs with
 * prepared contexts, inflate where the payload is deflated, the attempt to deflate. In turns;
 * prints CPU per load and save of either.
 *
 *   session_micro TEXT [TIMES]    TEXT: the session as JSON
 */
#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "session/codec.h"
#include "session/cookie_session.h"
#include "value/marker.h"

#define NOW      1700000000
#define MAX_TEXT 65536
#define TURNS    20

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- qlua -------------------------------------------------------------------------------- */

struct qlua {
    lua_State *L;
    struct cookie_session *session;
    struct arena arena;
    struct buf text;
    struct slice cookie;
};

/* The table on top as a cookie, in the arena. */
static struct slice save(struct qlua *q)
{
    q->text.len = 0;
    int rc = codec_encode(q->L, -1, &q->text, NULL);
    assert(rc == 0);
    return cookie_session_seal(q->session, &q->arena, buf_view(&q->text), NOW);
}

static void load(struct qlua *q)
{
    struct slice text;
    int rc = cookie_session_open(q->session, q->cookie, NOW, 60, &text);
    assert(rc == 0);
    lua_pushlstring(q->L, text.data, text.len);
    text.data = lua_tolstring(q->L, -1, &text.len);
    rc = codec_decode(q->L, text, NULL);
    assert(rc == 0);
}

static void qlua_open(struct qlua *q, const char *text)
{
    static const struct slice key = SLICE("dev-secret");
    struct signer_options options = {.keys = &key, .nkeys = 1, .salt = SLICE("cookie-session")};
    q->L = luaL_newstate();
    marker_open(q->L);
    q->session = cookie_session_new(&options, MAX_TEXT);
    arena_init(&q->arena);
    if (codec_decode(q->L, slice_cstr(text), NULL) != 0) {
        fprintf(stderr, "session_micro: the text is no session\n");
        exit(1);
    }
    struct slice cookie = save(q);
    q->cookie = slice_of(strndup(cookie.data, cookie.len), cookie.len);
    lua_settop(q->L, 0);
}

static void qlua_turn(struct qlua *q)
{
    load(q);
    struct slice cookie = save(q);
    assert(cookie.len == q->cookie.len);
    lua_settop(q->L, 0);
    arena_clear(&q->arena);
}

/* ---- bare -------------------------------------------------------------------------------- */

struct bare {
    EVP_MD_CTX *inner, *outer, *work;
    z_stream deflate, inflate;
    const char *text; /* what is deflated */
    size_t len;
    unsigned char packed[4096]; /* what is inflated, when deflating pays */
    size_t packed_len;
    const char *token; /* what is signed */
    size_t token_len;
    unsigned char room[4096];
};

static bool deflate_all(struct bare *b)
{
    deflateReset(&b->deflate);
    b->deflate.next_in = (unsigned char *)b->text;
    b->deflate.avail_in = (unsigned)b->len;
    b->deflate.next_out = b->room;
    b->deflate.avail_out = (unsigned)b->len - 2;
    return deflate(&b->deflate, Z_FINISH) == Z_STREAM_END;
}

static void bare_open(struct bare *b, const char *text, struct slice cookie)
{
    unsigned char key[64] = "any key: the time is the same";
    b->inner = EVP_MD_CTX_new();
    b->outer = EVP_MD_CTX_new();
    b->work = EVP_MD_CTX_new();
    EVP_DigestInit_ex(b->inner, EVP_sha1(), NULL);
    EVP_DigestUpdate(b->inner, key, sizeof(key));
    EVP_DigestInit_ex(b->outer, EVP_sha1(), NULL);
    EVP_DigestUpdate(b->outer, key, sizeof(key));
    b->text = text;
    b->len = strlen(text);
    assert(b->len > 2 && b->len < sizeof(b->room));
    deflateInit(&b->deflate, Z_DEFAULT_COMPRESSION);
    inflateInit(&b->inflate);
    if (deflate_all(b)) {
        b->packed_len = b->len - 2 - b->deflate.avail_out;
        memcpy(b->packed, b->room, b->packed_len);
    }
    b->token = cookie.data;
    b->token_len = cookie.len - 28; /* the mac's text and its dot */
}

static void bare_hmac(struct bare *b)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;
    EVP_MD_CTX_copy_ex(b->work, b->inner);
    EVP_DigestUpdate(b->work, b->token, b->token_len);
    EVP_DigestFinal_ex(b->work, digest, &len);
    EVP_MD_CTX_copy_ex(b->work, b->outer);
    EVP_DigestUpdate(b->work, digest, len);
    EVP_DigestFinal_ex(b->work, digest, &len);
}

static void bare_turn(struct bare *b)
{
    bare_hmac(b);
    if (b->packed_len > 0) {
        inflateReset(&b->inflate);
        b->inflate.next_in = b->packed;
        b->inflate.avail_in = (unsigned)b->packed_len;
        b->inflate.next_out = b->room;
        b->inflate.avail_out = sizeof(b->room);
        int rc = inflate(&b->inflate, Z_NO_FLUSH);
        assert(rc == Z_STREAM_END);
    }
    deflate_all(b);
    bare_hmac(b);
}

int main(int argc, char **argv)
{
    static struct qlua qlua;
    static struct bare bare;
    if (argc < 2) {
        fprintf(stderr, "usage: session_micro TEXT [TIMES]\n");
        return 1;
    }
    long times = (argc > 2 ? atol(argv[2]) : 20000) / TURNS;
    double qlua_us = 0, bare_us = 0;
    qlua_open(&qlua, argv[1]);
    bare_open(&bare, argv[1], qlua.cookie);
    for (int turn = 0; turn < TURNS; turn++) {
        double before = cpu_us();
        for (long i = 0; i < times; i++)
            qlua_turn(&qlua);
        double between = cpu_us();
        for (long i = 0; i < times; i++)
            bare_turn(&bare);
        qlua_us += between - before;
        bare_us += cpu_us() - between;
    }
    double all = (double)times * TURNS;
    printf("RESULT qlua=%.3f bare=%.3f deflated=%d\n", qlua_us / all, bare_us / all,
           bare.packed_len > 0);
    return 0;
}
