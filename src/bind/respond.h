/* bind/respond.h - from what Lua returned to an answer on the wire.
 *
 * Place in the flow: dispatch comes here with a task's results. What needs no Lua code is sent
 * from here: strings, plain tables (JSON) and Responses, with status and headers; the rest goes
 * to dispatch.value (lua/qlua/returned.lua).
 */
#ifndef QLUA_BIND_RESPOND_H
#define QLUA_BIND_RESPOND_H

struct answer;
struct exchange;
struct fields;
struct lua_State;

enum respond_result {
    RESPOND_SENT,   /* the answer is out, or streamed by Lua, or lost with its client */
    RESPOND_RAISED, /* it cannot be sent: the error is on top of the stack */
    RESPOND_FOR_LUA /* Lua has to make something of it */
};

/* Answer with the *nresults values on top of L, of which at most the first four are kept. */
enum respond_result respond(struct exchange *x, struct lua_State *L, int *nresults);

/* Answer with the default page of a status, without Lua; when an answer has begun, cut it. */
void respond_plain(struct exchange *x, int status);

/* Give a 405 without Allow that of the rules which fit the path (RFC 9110 15.5.6): answer's
 * headers are then copied to `headers`, with one more. */
void respond_add_allow(struct exchange *x, struct answer *answer, struct fields *headers);

#endif
