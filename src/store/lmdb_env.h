/* store/lmdb_env.h - the LMDB file: records that expire, read and written by several processes.
 *
 * Place in the flow: store/lmdb queues writes and gives them to lmdb_env_apply in a thread of the
 * pool; it reads on the loop's thread, from the mapped file. The only door to lmdb.h beside
 * lmdb_sweep.c. Knows no loop and no queue; the time is handed in.
 *
 * A record is its expiry (milliseconds since 1970) and the value. Commits do not wait for the disk
 * (MDB_NOSYNC): lmdb_env_sync does. So a process that is killed loses nothing that was committed;
 * a machine that crashes loses what was not synced.
 *
 * Codes: 0, negative errno, or LMDB's own (which lie from -30799 to -30780).
 */
#ifndef QLUA_STORE_LMDB_ENV_H
#define QLUA_STORE_LMDB_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"

struct err;
struct lmdb_env;
struct store_call;

/* Longest key, in bytes; none is empty. LMDB's own limit, which is a constant of its build. */
#define LMDB_KEY_MAX 511

enum lmdb_write_kind { LMDB_SET, LMDB_TOUCH, LMDB_REMOVE };

/* One write, on its way. bytes: the key, then (set) the record. */
struct lmdb_write {
    struct list node;
    struct list bucket;      /* store/lmdb: its newest write of each key */
    struct store_call *call; /* who waits, or NULL */
    enum lmdb_write_kind kind;
    int code;   /* what it came to */
    bool found; /* touch: there was such a record */
    int64_t expiry;
    size_t key_len;
    size_t record_len;
    char bytes[];
};

/* A write of `key`, and for LMDB_SET of `value`, on the heap: free() it. */
struct lmdb_write *lmdb_write_new(enum lmdb_write_kind kind, struct slice key, struct slice value,
                                  int64_t expiry);
struct slice lmdb_write_key(const struct lmdb_write *write);
struct slice lmdb_write_value(const struct lmdb_write *write);

/* The path by which a file is known: links followed, as far as there is something. On the heap. */
char *lmdb_env_place(const char *path);

/* Open or make the file at the absolute path, and path-lock beside it; it may grow to `size`
 * bytes. Never twice in a process, never before a fork. NULL and *err on failure. */
struct lmdb_env *lmdb_env_open(const char *path, uint64_t size, struct err *err);
/* Writes what is not on the disk yet. Nothing else may run. */
void lmdb_env_close(struct lmdb_env *env);

/* On the loop's thread: the value of a record that has not expired at `now`, borrowed until
 * lmdb_env_read_end, which must follow whatever was returned. Absent is 0 and *found false. */
int lmdb_env_read(struct lmdb_env *env, struct slice key, int64_t now, bool *found,
                  struct slice *value);
void lmdb_env_read_end(struct lmdb_env *env);

/* In any one thread: commit the writes of the list in their order, in one transaction if all can
 * be; each has its code afterwards. MDB_MAP_RESIZED on all: call lmdb_env_resize and try again. */
void lmdb_env_apply(struct lmdb_env *env, const struct list *writes, int64_t now);

/* Take over the size that another process gave the file. On the loop's thread, while nothing is
 * read and no thread is inside lmdb_env_apply or lmdb_env_sweep. */
int lmdb_env_resize(struct lmdb_env *env);
bool lmdb_env_is_resized(int code);
bool lmdb_env_is_full(int code);

/* Wait until all that was committed is on the disk. In any thread, beside apply. */
int lmdb_env_sync(struct lmdb_env *env);

/* Write what the code means, as part of a sentence that the path begins, to dst. */
void lmdb_env_explain(const struct lmdb_env *env, int code, char *dst, size_t size);

/* ---- lmdb_sweep.c: records that have expired are removed ---- */

/* Is it time for a step? Steps are scheduled in the file, so that one process does each. On the
 * loop's thread. */
bool lmdb_sweep_is_due(struct lmdb_env *env, int64_t now);
/* One step in a thread of the pool (beside no apply): look at so many records, remove those that
 * have expired, and say in the file when the next is due. With force also when it is not. The
 * count of what was removed, or a negative code. */
int lmdb_sweep_step(struct lmdb_env *env, int64_t now, bool force);

#endif
