/* bind/response.h - a Lua Response as the writer needs it.
 *
 * Place in the flow: server/respond reads a view's Response through this; bind/response.c starts
 * streamed answers with it. The array slots of lua/qlua/response.lua are the contract: [1] status,
 * [2] body, [3] Headers, [4] content type, [5] headers as a view's table, [6] timeout;
 * of a 304 that stands for a 200 (lua/qlua/conditional.lua) [7] content type and [8] length of
 * that.
 */
#ifndef QLUA_BIND_RESPONSE_H
#define QLUA_BIND_RESPONSE_H

#include <stdbool.h>

#include "base/slice.h"
#include "http/request.h"

struct lua_file;
struct generation;
struct lua_State;

struct response_view {
    struct answer answer;
    struct slice body;     /* a string body; "" for none */
    struct lua_file *file; /* an open file as the body, or NULL */
    bool has_table;        /* [5]: headers as a view's table, to be read by respond */
    bool streamed;         /* the body is an iterator: not for C to send */
    int timeout_ms;        /* RESPONSE_TIMEOUT of its own; -1: the app's */
};

/* Is the value at index a Response? */
bool response_is(struct lua_State *L, int index, const struct generation *generation);

/* Is it core.ANSWERED: Lua has sent the answer itself? */
bool response_is_answered(struct lua_State *L, int index);

/* Read the Response at index. Slices borrow from the table: keep it on the stack. */
void response_read(struct lua_State *L, int index, struct response_view *view);

/* Give the answer's stall limit to the request. */
void response_set_timeout(struct request *req, const struct response_view *view,
                          const struct generation *generation, int rule);

#endif
