/* server/generation.h - making one generation: a Lua state with the app loaded in it.
 *
 * Place in the flow: the worker loads one at its start (and one per reload), script_run one for
 * a script; dispatch sends requests into the worker's current one. All that an app's Lua code
 * made lives in it and ends with it.
 */
#ifndef QLUA_SERVER_GENERATION_H
#define QLUA_SERVER_GENERATION_H

#include <stdint.h>

#include "bind/generation.h"

struct config;
struct err;
struct log;
struct loop;

/* A generation with an empty Lua state, ready for generation_run. NULL and *err on failure. */
struct generation *generation_new(struct loop *loop, const struct log *log,
                                  const struct config *config, int worker_id, uint32_t number,
                                  struct err *err);

/* Watch what its tasks use of the processor, as the config says: for one that serves. */
void generation_watch(struct generation *generation, const struct config *config);

struct generation *generation_ref(struct generation *generation);
/* Drop a reference and set the pointer NULL; the last one closes the Lua state. */
void generation_unref(struct generation **generation);
/* The same for who owns it, when no connection is left: the state is closed first, and with it go
 * the requests which only it still holds (copied contexts), each a reference of its own. */
void generation_close(struct generation **generation);
/* Free one whose Lua state is empty (script/slice.h) and to which nobody refers any more. */
void generation_free_aside(struct generation *generation);

#endif
