/* net/pool.h - work that would stop the loop, done in a thread of the pool.
 *
 * Place in the flow: store/lmdb commits and syncs its writes there. The pool is libuv's: a few
 * threads a process, shared with name look-ups and net/file. Knows nothing of the work.
 */
#ifndef QLUA_NET_POOL_H
#define QLUA_NET_POOL_H

struct loop;

/* Run work(data) in a thread of the pool and then done(data) in a later turn, on the loop's
 * thread. Until done is called what data points to is the work's. Returns 0, or a negative code
 * when it cannot be queued: then neither is called. */
int pool_run(struct loop *loop, void (*work)(void *data), void (*done)(void *data), void *data);

#endif
