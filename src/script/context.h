/* script/context.h - contexts within a task: entered, and left again.
 *
 * Place in the flow: app contexts outside of requests (before_serving, background tasks, the
 * test client) and copied request contexts: the task's own context steps back while another is
 * entered. What is entered is counted, so that a task spawned meanwhile keeps it.
 */
#ifndef QLUA_SCRIPT_CONTEXT_H
#define QLUA_SCRIPT_CONTEXT_H

struct lua_State;
struct task;
struct task_context;

/* Make the Lua table at index of L (the running task's) its context. What the table stands for
 * otherwise (the request) stays that of the context before. */
void context_enter_table(struct lua_State *L, int index);
/* Make a context that was held somewhere the running task's. */
void context_enter(struct task *task, struct task_context *context);
/* Back to the one before. Nothing when none was entered. */
void context_leave(struct task *task);
/* The task has ended: let go of all it entered. */
void context_leave_all(struct task *task);

#endif
