/* script/context.c - contexts within a task. See context.h. */
#include "script/context.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/mem.h"
#include "script/state.h"
#include "script/task.h"

/* The context that stepped back, and the frame of the one before it. */
struct context_frame {
    struct task_context *outer; /* may be NULL */
    struct context_frame *next;
};

/* A context made for a Lua table. It keeps the one it was made in: its data is that one's. */
struct table_context {
    struct task_context base;
    struct script *script;
    struct task_context *within; /* may be NULL */
};

static void release_table_context(struct task_context *context)
{
    struct table_context *own = (struct table_context *)context;
    if (own->within != NULL)
        task_context_unref(own->script, &own->within);
    free(own);
}

void context_enter(struct task *task, struct task_context *context)
{
    struct context_frame *frame = mem_alloc(sizeof(*frame));
    *frame = (struct context_frame){.outer = task->context, .next = task->frames};
    task->frames = frame;
    task->context = task_context_ref(context);
    task_show_context(task->script, context);
}

void context_enter_table(lua_State *L, int index)
{
    struct task *task = task_current(L);
    lua_pushvalue(L, index);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct table_context *own = mem_zalloc(sizeof(*own));
    struct task_context *within = task->context;
    task_context_init(&own->base, within == NULL ? NULL : within->data, release_table_context);
    own->base.ref = ref;
    own->script = task->script;
    own->within = within == NULL ? NULL : task_context_ref(within);
    own->base.budget = within == NULL ? NULL : within->budget;
    struct task_context *context = &own->base;
    context_enter(task, context);
    task_context_unref(task->script, &context); /* the task holds it now */
}

void context_leave(struct task *task)
{
    struct context_frame *frame = task->frames;
    if (frame == NULL)
        return;
    task->frames = frame->next;
    struct task_context *left = task->context;
    task->context = frame->outer;
    free(frame);
    task_show_context(task->script, task->context);
    task_context_unref(task->script, &left);
}

void context_leave_all(struct task *task)
{
    while (task->frames != NULL) {
        struct context_frame *frame = task->frames;
        task->frames = frame->next;
        struct task_context *left = task->context;
        task->context = frame->outer;
        free(frame);
        task_context_unref(task->script, &left);
    }
}
