/* store/lmdb.h - the store on this machine: an LMDB file that all workers share.
 *
 * Place in the flow: store.c opens one per path; behind it are lmdb_env (the file) and lmdb_sweep.
 * Reads are done at once, from the mapped file. Writes are queued and committed together by a
 * thread of the pool; done is called after the commit, when every process sees them. A read sees
 * its own worker's queued writes. Commits reach the disk within a second: a process that is killed
 * loses nothing that was told done, a machine that crashes may lose that second.
 *
 * Keys longer than LMDB's 511 bytes are kept as their SHA-256.
 */
#ifndef QLUA_STORE_LMDB_H
#define QLUA_STORE_LMDB_H

struct err;
struct log;
struct loop;
struct store;
struct store_options;

/* As store_open says. */
struct store *lmdb_store_open(struct loop *loop, const struct log *log,
                              const struct store_options *options, struct err *err);

#endif
