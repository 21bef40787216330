/* session/cookie_session.h - signed session cookies, in and out.
 *
 * Place in the flow: bind/session opens what a request brings and seals what an answer sets; the
 * text in between is session/codec's. Bytes are Flask's: payload "." time "." mac. Knows neither
 * Lua nor the clock; the cookie's attributes are http/cookie's.
 */
#ifndef QLUA_SESSION_COOKIE_SESSION_H
#define QLUA_SESSION_COOKIE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "crypto/signer.h"

struct arena;
struct cookie_session;

/* What it takes to sign and read sessions: copies the keys, which it derives once. max_text
 * bounds the text that a cookie may hold. For one thread. */
struct cookie_session *cookie_session_new(const struct signer_options *options, size_t max_text);
void cookie_session_free(struct cookie_session *session);

/* Verify a cookie's value and give its text: borrowed from session until its next use. An age of
 * max_age seconds is accepted. Returns 0, QLUA_EBADSIG, QLUA_EEXPIRED, or, for a good signature
 * over what is no payload, QLUA_ESYNTAX or QLUA_ELIMIT. */
int cookie_session_open(struct cookie_session *session, struct slice value, int64_t now,
                        int64_t max_age, struct slice *text);

/* The value of the cookie for a text. It lives in arena. */
struct slice cookie_session_seal(struct cookie_session *session, struct arena *arena,
                                 struct slice text, int64_t now);

#endif
