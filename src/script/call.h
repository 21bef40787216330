/* script/call.h - protected calls from C, and what is told of an error.
 *
 * Place in the flow: what runs Lua outside of a task (making a state, custom converters) goes
 * through script_call; dispatch makes tracebacks of dead coroutines here.
 */
#ifndef QLUA_SCRIPT_CALL_H
#define QLUA_SCRIPT_CALL_H

#include <stddef.h>

struct err;
struct lua_State;
struct script;

/* Call the function below nargs arguments on script->L, outside of any task. 0 with nresults
 * values on the stack, or a negative code with *err filled (message, and name and line when the
 * error names its place) and nothing on the stack. */
int script_call(struct script *script, int nargs, int nresults, struct err *err);
/* The same on L, the coroutine that is running: for C functions which call back. */
int script_call_on(struct lua_State *L, int nargs, int nresults, struct err *err);

/* Push onto L what is told of the error on top of co, which died of it: its text, the frames of
 * the coroutines that died of it before, and those of co. Runs lua/qlua/coroutine.lua's traceback
 * (core.set_traceback) once that is loaded; never raises. */
void push_traceback(struct lua_State *L, struct lua_State *co);
/* The same of an error that nobody but the log will hear of. */
void push_unseen_traceback(struct lua_State *L, struct lua_State *co);

/* Push a text for any error value at index: strings as they are, else what tostring gives;
 * never raises. */
void push_error_text(struct lua_State *L, int index);

/* Fill err from the error text on top of the stack ("file:line: message") and pop it. */
int err_from_lua(struct lua_State *L, struct err *err);

#endif
