/* bind/keep.h - bodies that Lua made, kept while they are being sent.
 *
 * Place in the flow: the answer functions copy or send a body within their call; one that takes
 * several turns of the loop they keep through a struct keeper (http/request.h), filled here.
 */
#ifndef QLUA_BIND_KEEP_H
#define QLUA_BIND_KEEP_H

#include "http/request.h"

struct exchange;
struct generation;
struct lua_State;

/* A keeper of the Lua string at `index`; to live as long as the call it is for. */
struct string_keeper {
    struct keeper keeper;
    struct exchange *x;
    struct lua_State *L;
    int index;
};

void string_keeper_init(struct string_keeper *keeper, struct exchange *x, struct lua_State *L,
                        int index);

/* A keeper of the generation's scratch buffer, which is then another one. */
void scratch_keeper_init(struct keeper *keeper, struct generation *generation);

#endif
