/* session/cookie_session.c - signed session cookies, in and out. See cookie_session.h. */
#include "session/cookie_session.h"

#include <stdlib.h>

#include "base/mem.h"
#include "session/codec.h"

/* A payload buffer larger than this is given back at once. */
#define KEEP_MAX 16384

struct cookie_session {
    struct signer *signer;
    struct codec *codec;
    struct buf payload;
};

struct cookie_session *cookie_session_new(const struct signer_options *options, size_t max_text)
{
    struct cookie_session *session = mem_zalloc(sizeof(*session));
    session->signer = signer_new(options);
    session->codec = codec_new(max_text);
    return session;
}

void cookie_session_free(struct cookie_session *session)
{
    if (session == NULL)
        return;
    signer_free(session->signer);
    codec_free(session->codec);
    buf_clear(&session->payload);
    free(session);
}

int cookie_session_open(struct cookie_session *session, struct slice value, int64_t now,
                        int64_t max_age, struct slice *text)
{
    struct slice payload;
    int rc = signer_verify(session->signer, value, now, max_age, &payload);
    return rc != 0 ? rc : codec_unpack(session->codec, payload, text);
}

struct slice cookie_session_seal(struct cookie_session *session, struct arena *arena,
                                 struct slice text, int64_t now)
{
    session->payload.len = 0;
    codec_pack(session->codec, text, &session->payload);
    struct slice value = signer_sign(session->signer, arena, buf_view(&session->payload), now);
    if (session->payload.cap > KEEP_MAX)
        buf_clear(&session->payload);
    return value;
}
