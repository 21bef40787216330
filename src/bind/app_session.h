/* bind/app_session.h - the sessions of an app that keeps them in a signed cookie, without Lua.
 *
 * Place in the flow: lua/qlua/sessions.lua describes the app's sessions to it (core.session_keep)
 * where nobody has changed how they are kept; from then on a request's session is opened here when
 * Lua first touches it, and respond has it saved here. Whatever is not usual is left to Lua's
 * session interface, which knows all of it: these functions say so and have done nothing then.
 */
#ifndef QLUA_BIND_APP_SESSION_H
#define QLUA_BIND_APP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct answer;
struct exchange;
struct fields;
struct generation;
struct lua_State;

/* How far the session of a request is (struct exchange). Only with a struct app_session. */
enum session_stage {
    SESSION_NONE,    /* nobody has touched it, and no cookie has come that may need a refresh */
    SESSION_BROUGHT, /* a cookie of its name has come */
    SESSION_OPEN,    /* its state is in the context's table, as `session` */
    SESSION_SAVED    /* Lua has saved it */
};

/* What is kept of an app's sessions; NULL in a generation whose sessions are Lua's alone. */
struct app_session;

void app_session_free(struct app_session *session);

/* Save the running request's session into the answer's headers, in `fields` (prepared when the
 * answer has none). L: any stack of the state; left as it was. False: Lua must do it. */
bool app_session_save(struct exchange *x, struct lua_State *L, struct answer *answer,
                      struct fields *fields);

#endif
