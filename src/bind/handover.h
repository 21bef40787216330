/* bind/handover.h - hands a request to Lua: the rule's view, or one of dispatch.lua's hooks.
 *
 * Place in the flow: server/dispatch decides which; each function makes a task of the exchange,
 * pushes what it is called with and runs it. When the task has ended x->over(task) is called.
 */
#ifndef QLUA_BIND_HANDOVER_H
#define QLUA_BIND_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct exchange;
struct lua_State;
struct task;

/* The view of the matched rule, with its variables. */
void handover_view(struct exchange *x);

/* dispatch.refused: no view is asked. By status; for 405 and options with x->match.allowed; for
 * a redirect with where to. */
void handover_refused(struct exchange *x, int status);
void handover_options(struct exchange *x);
void handover_redirect(struct exchange *x, struct slice url);

/* dispatch.failed(error, thread, out_of_memory), in a coroutine of its own: the thread of `dead`
 * keeps its frames, its error is on top of its stack. */
void handover_failed(struct exchange *x, struct task *dead);
/* The same for an error that no task raised: a custom converter's. */
void handover_converter_error(struct exchange *x);

/* dispatch.value(rule, results...): what the view returned is not for C to send. */
void handover_value(struct exchange *x, struct task *from);

/* dispatch.debug(path, load_error): a request to the debugger, with what follows its prefix; or,
 * with a path without data, any request while the app does not load. */
void handover_debug(struct exchange *x, struct slice path, const char *load_error);

/* Log the error on top of the task's stack, which Lua cannot answer: it was raised while an
 * error was answered, or the client has gone. */
void handover_log_loss(struct exchange *x, struct task *task);

/* Push the names of a set of methods as a list, sorted. */
void handover_push_methods(struct lua_State *L, uint64_t methods);

/* struct route_custom.accept: asks a custom converter's to_lua(self, text) for the value; nil
 * rejects the text. data is the exchange. An error is kept in x->converter_error. */
bool handover_convert(void *data, int converter, struct slice text, int slot);

#endif
