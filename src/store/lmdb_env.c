/* store/lmdb_env.c - the LMDB file. See lmdb_env.h. */
#include "store/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/lmdb_internal.h"

/* Processes that may read at once, if ours makes the lock file: two slots a worker. */
#define READERS_MAX 1024
#define FORMAT      "qlua 1"
#define SIZE_MIN    (1024 * 1024)

/* ---- writes ---- */

struct lmdb_write *lmdb_write_new(enum lmdb_write_kind kind, struct slice key, struct slice value,
                                  int64_t expiry)
{
    size_t record_len = kind == LMDB_SET ? sizeof(expiry) + value.len : 0;
    struct lmdb_write *write = mem_alloc(sizeof(*write) + key.len + record_len);
    *write = (struct lmdb_write){
        .kind = kind, .expiry = expiry, .key_len = key.len, .record_len = record_len};
    list_init(&write->node);
    list_init(&write->bucket);
    memcpy(write->bytes, key.data, key.len);
    if (kind != LMDB_SET)
        return write;
    memcpy(write->bytes + key.len, &expiry, sizeof(expiry));
    if (value.len > 0)
        memcpy(write->bytes + key.len + sizeof(expiry), value.data, value.len);
    return write;
}

struct slice lmdb_write_key(const struct lmdb_write *write)
{
    return slice_of(write->bytes, write->key_len);
}

struct slice lmdb_write_value(const struct lmdb_write *write)
{
    return slice_from(slice_of(write->bytes + write->key_len, write->record_len), sizeof(int64_t));
}

/* ---- opening ---- */

char *lmdb_env_place(const char *path)
{
    char *whole = realpath(path, NULL);
    const char *slash = strrchr(path, '/');
    if (whole != NULL || slash == NULL)
        return whole != NULL ? whole : mem_strdup(path);
    /* not there yet: its folder must be */
    struct buf place = {0};
    buf_append(&place, path, slash == path ? 1 : (size_t)(slash - path));
    buf_char(&place, '\0');
    whole = realpath(place.data, NULL);
    buf_clear(&place);
    if (whole == NULL)
        return mem_strdup(path);
    buf_cstr(&place, whole);
    free(whole);
    buf_append(&place, slash, strlen(slash) + 1);
    return place.data;
}

static const char *text_of(int code)
{
    switch (code) {
    case MDB_INVALID: return "it is no LMDB file";
    case MDB_VERSION_MISMATCH: return "another version of LMDB made it";
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_PANIC:
        return "it is damaged; stop what uses it, remove it and its -lock file, and start again";
    case MDB_READERS_FULL: return "too many processes use it";
    default: return code <= MDB_KEYEXIST && code >= -30799 ? mdb_strerror(code) : err_text(code);
    }
}

/* A file that lost its end when the machine crashed is made whole with zeroes, which LMDB finds
 * to be no pages, where a read beyond the end would kill the process. Never makes it shorter. */
static int restore_length(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd;
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &stat);
    if (rc == 0)
        rc = mdb_env_get_fd(env, &fd);
    if (rc == 0 && fstat(fd, &file) != 0)
        rc = errno;
    if (rc != 0)
        return rc;
    off_t length = (off_t)(info.me_last_pgno + 1) * (off_t)stat.ms_psize;
    return file.st_size >= length ? 0 : posix_fallocate(fd, length - 1, 1);
}

/* Is the file one of ours? An empty one is made so. */
static int check_format(MDB_txn *txn, MDB_dbi state)
{
    MDB_val key = lmdb_val(SLICE("format")), value;
    int rc = mdb_get(txn, state, &key, &value);
    if (rc == 0)
        return slice_eq(lmdb_slice(value), SLICE(FORMAT)) ? 0 : MDB_VERSION_MISMATCH;
    value = lmdb_val(SLICE(FORMAT));
    return rc == MDB_NOTFOUND ? mdb_put(txn, state, &key, &value, 0) : rc;
}

/* The first and the last record can be reached: a look for damage that costs nothing. */
static int check_ends(MDB_txn *txn, MDB_dbi dbi)
{
    static const MDB_cursor_op ends[] = {MDB_FIRST, MDB_LAST};
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0)
        return rc;
    for (int i = 0; i < 2 && rc == 0; i++) {
        MDB_val key, value;
        rc = mdb_cursor_get(cursor, &key, &value, ends[i]);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int open_databases(struct lmdb_env *env)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, "records", MDB_CREATE, &env->records);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "state", MDB_CREATE, &env->state);
    if (rc == 0)
        rc = check_format(txn, env->state);
    if (rc == 0)
        rc = check_ends(txn, env->records);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int open_all(struct lmdb_env *env)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    int rc = mdb_env_create(&env->env);
    if (rc != 0)
        return rc;
    mdb_env_set_maxdbs(env->env, 2);
    mdb_env_set_maxreaders(env->env, READERS_MAX);
    rc = mdb_env_set_mapsize(env->env, (size_t)((env->size + page - 1) / page * page));
    /* NOTLS: a snapshot belongs to env->reader, not to a thread */
    if (rc == 0)
        rc = mdb_env_open(env->env, env->path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOTLS, 0600);
    if (rc == 0)
        rc = restore_length(env->env);
    int dead;
    if (rc == 0)
        rc = mdb_reader_check(env->env, &dead); /* snapshots of processes that were killed */
    if (rc == 0)
        rc = open_databases(env);
    if (rc == 0)
        rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &env->reader);
    if (rc == 0)
        mdb_txn_reset(env->reader);
    return rc;
}

struct lmdb_env *lmdb_env_open(const char *path, uint64_t size, struct err *err)
{
    if (size < SIZE_MIN || size > (uint64_t)1 << 46) {
        err_set(err, QLUA_ELIMIT,
                "%s cannot be opened: SESSION_LMDB_SIZE must be from 1 MiB (1048576 bytes) to 64 "
                "TiB; got %llu",
                path, (unsigned long long)size);
        return NULL;
    }
    struct lmdb_env *env = mem_zalloc(sizeof(*env));
    env->size = size;
    env->path = mem_strdup(path);
    int rc = lmdb_code(open_all(env));
    if (rc == 0)
        return env;
    err_set(err, rc, "%s cannot be opened: %s", path, text_of(rc));
    lmdb_env_close(env);
    return NULL;
}

void lmdb_env_close(struct lmdb_env *env)
{
    if (env->reader != NULL)
        mdb_txn_abort(env->reader);
    if (env->env != NULL) {
        if (env->reader != NULL)
            mdb_env_sync(env->env, 1);
        mdb_env_close(env->env);
    }
    free(env->path);
    free(env);
}

void lmdb_env_explain(const struct lmdb_env *env, int code, char *dst, size_t size)
{
    if (code == MDB_MAP_FULL)
        snprintf(dst, size,
                 "%s is full: it may grow to %llu bytes; raise SESSION_LMDB_SIZE, or let sessions "
                 "expire sooner",
                 env->path, (unsigned long long)env->size);
    else if (code == MDB_MAP_RESIZED)
        snprintf(dst, size, "%s was made larger by another process; try again", env->path);
    else if (code == -ETIMEDOUT)
        snprintf(dst, size, "%s cannot be written: a process holds its lock, or the disk hangs",
                 env->path);
    else if (code == QLUA_ELIMIT)
        snprintf(dst, size, "%s takes no more: too many bytes wait to be written", env->path);
    else
        snprintf(dst, size, "%s cannot be used: %s", env->path, text_of(code));
}

/* ---- reading ---- */

int lmdb_env_read_begin(struct lmdb_env *env)
{
    if (env->reading++ > 0)
        return 0; /* within another read: the same snapshot does */
    return lmdb_code(mdb_txn_renew(env->reader));
}

void lmdb_env_read_end(struct lmdb_env *env)
{
    if (--env->reading == 0)
        mdb_txn_reset(env->reader); /* a snapshot that is kept keeps old pages from reuse */
}

int lmdb_env_read(struct lmdb_env *env, struct slice key, int64_t now, bool *found,
                  struct slice *value)
{
    *found = false;
    *value = slice_of(NULL, 0);
    MDB_val name = lmdb_val(key), record;
    int rc = lmdb_env_read_begin(env);
    if (rc == 0)
        rc = mdb_get(env->reader, env->records, &name, &record);
    if (rc == 0 && lmdb_expiry(record) > now) {
        *found = true;
        *value = slice_from(lmdb_slice(record), sizeof(int64_t));
    }
    return rc == MDB_NOTFOUND ? 0 : lmdb_code(rc);
}

/* ---- writing ---- */

/* The record with another expiry. It is copied first: LMDB moves what it is about to change. */
static int touch(const struct lmdb_env *env, MDB_txn *txn, struct lmdb_write *write, int64_t now)
{
    MDB_val key = lmdb_val(lmdb_write_key(write)), record;
    int rc = mdb_get(txn, env->records, &key, &record);
    write->found = rc == 0 && lmdb_expiry(record) > now;
    if (!write->found)
        return rc == MDB_NOTFOUND ? 0 : rc;
    char *copy = mem_alloc(record.mv_size);
    memcpy(copy, record.mv_data, record.mv_size);
    memcpy(copy, &write->expiry, sizeof(write->expiry));
    record.mv_data = copy;
    rc = mdb_put(txn, env->records, &key, &record, 0);
    free(copy);
    return rc;
}

static int apply_one(const struct lmdb_env *env, MDB_txn *txn, struct lmdb_write *write,
                     int64_t now)
{
    MDB_val key = lmdb_val(lmdb_write_key(write));
    MDB_val record = {.mv_size = write->record_len, .mv_data = write->bytes + write->key_len};
    int rc = 0;
    switch (write->kind) {
    case LMDB_SET: return mdb_put(txn, env->records, &key, &record, 0);
    case LMDB_TOUCH: return touch(env, txn, write, now);
    case LMDB_REMOVE: rc = mdb_del(txn, env->records, &key, NULL); break;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The writes from `first` to the one before `end` in one transaction: all of them or none. */
static int apply_range(const struct lmdb_env *env, const struct list *first, const struct list *end,
                       int64_t now)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    for (const struct list *node = first; node != end && rc == 0; node = node->next)
        rc = apply_one(env, txn,
                       LIST_ENTRY((struct list *)(uintptr_t)node, struct lmdb_write, node), now);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

void lmdb_env_apply(struct lmdb_env *env, const struct list *writes, int64_t now)
{
    int rc = lmdb_code(apply_range(env, writes->next, writes, now));
    for (struct list *node = writes->next; node != writes; node = node->next) {
        struct lmdb_write *write = LIST_ENTRY(node, struct lmdb_write, node);
        /* One that cannot be written must not take the others with it. */
        write->code = rc == 0 || lmdb_env_is_resized(rc) || writes->next->next == writes
                          ? rc
                          : lmdb_code(apply_range(env, node, node->next, now));
    }
}

int lmdb_env_resize(struct lmdb_env *env)
{
    MDB_envinfo info;
    int rc = mdb_env_set_mapsize(env->env, 0);
    if (rc == 0 && mdb_env_info(env->env, &info) == 0)
        env->size = info.me_mapsize;
    return lmdb_code(rc);
}

bool lmdb_env_is_resized(int code)
{
    return code == MDB_MAP_RESIZED;
}

bool lmdb_env_is_full(int code)
{
    return code == MDB_MAP_FULL;
}

int lmdb_env_sync(struct lmdb_env *env)
{
    return lmdb_code(mdb_env_sync(env->env, 1));
}
