/* server/process.h - forking a worker.
 *
 * Place in the flow: crew.c asks for a process; what the child must be rid of before it is a
 * worker (mask, descriptors, privileges) is done here, so that worker.c starts clean.
 */
#ifndef QLUA_SERVER_PROCESS_H
#define QLUA_SERVER_PROCESS_H

#include <sys/types.h>

struct privilege;
struct worker_start;

/* Fork a worker. In the child `in_child(data)` closes what is the supervisor's, then worker_run
 * runs and its result is the exit code; the child never comes back here. Returns the child's pid
 * or a negative errno. */
pid_t process_fork(const struct worker_start *start, const struct privilege *privilege,
                   void (*in_child)(void *data), void *data);

#endif
