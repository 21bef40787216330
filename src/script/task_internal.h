/* script/task_internal.h - what state.c needs of task.c. */
#ifndef QLUA_SCRIPT_TASK_INTERNAL_H
#define QLUA_SCRIPT_TASK_INTERNAL_H

struct script;

void tasks_init(struct script *script);
/* Forget every task without running it again: the state is about to be closed. */
void tasks_clear(struct script *script);

#endif
