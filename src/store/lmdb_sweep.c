/* store/lmdb_sweep.c - records that have expired are removed, a few at a time. See lmdb_env.h.
 *
 * A pass walks the whole file in steps. Where it stands and when the next step is due is a record
 * of the file, "sweep": whoever finds it due takes the step and moves it on, in one transaction,
 * so that the processes together do no more than one would.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/lmdb_env.h"
#include "store/lmdb_internal.h"

/* Records that a step looks at. */
#define STEP_RECORDS 2000
/* From a step to the next of its pass, and from the end of a pass to the next. */
#define STEP_MS 100
#define PASS_MS 60000
/* A due time farther off than that was written while the clock was wrong. */
#define DUE_MAX_MS 600000

/* The record: when the next step is due, and the key it begins with (none: the first). */
struct sweep {
    int64_t due;
    size_t key_len;
    char key[LMDB_KEY_MAX];
};

static int load(const struct lmdb_env *env, MDB_txn *txn, struct sweep *sweep)
{
    *sweep = (struct sweep){0};
    MDB_val key = lmdb_val(SLICE("sweep")), value;
    int rc = mdb_get(txn, env->state, &key, &value);
    if (rc != 0 || value.mv_size < sizeof(sweep->due))
        return rc == MDB_NOTFOUND ? 0 : rc;
    struct slice at = slice_from(lmdb_slice(value), sizeof(sweep->due));
    memcpy(&sweep->due, value.mv_data, sizeof(sweep->due));
    sweep->key_len = at.len <= sizeof(sweep->key) ? at.len : 0;
    if (sweep->key_len > 0)
        memcpy(sweep->key, at.data, sweep->key_len);
    return 0;
}

static int save(const struct lmdb_env *env, MDB_txn *txn, const struct sweep *sweep)
{
    char bytes[sizeof(sweep->due) + sizeof(sweep->key)];
    memcpy(bytes, &sweep->due, sizeof(sweep->due));
    memcpy(bytes + sizeof(sweep->due), sweep->key, sweep->key_len);
    MDB_val key = lmdb_val(SLICE("sweep"));
    MDB_val value = {.mv_size = sizeof(sweep->due) + sweep->key_len, .mv_data = bytes};
    return mdb_put(txn, env->state, &key, &value, 0);
}

static bool is_due(const struct sweep *sweep, int64_t now)
{
    return sweep->due <= now || sweep->due - now > DUE_MAX_MS;
}

bool lmdb_sweep_is_due(struct lmdb_env *env, int64_t now)
{
    struct sweep sweep;
    int rc = lmdb_env_read_begin(env);
    if (rc == 0)
        rc = load(env, env->reader, &sweep);
    lmdb_env_read_end(env);
    return rc == 0 && is_due(&sweep, now);
}

/* What a step has found. */
struct found {
    struct buf keys; /* each behind its length */
    int count;
    bool is_due;
    struct sweep from; /* as the file says */
    struct sweep next; /* where the next step goes on */
};

static void note(struct found *found, MDB_val key)
{
    uint16_t len = (uint16_t)key.mv_size;
    buf_append(&found->keys, &len, sizeof(len));
    buf_append(&found->keys, key.mv_data, len);
    found->count++;
}

/* The i-th key, whose place *at moves on. */
static struct slice next_key(const struct found *found, size_t *at)
{
    uint16_t len;
    memcpy(&len, found->keys.data + *at, sizeof(len));
    struct slice key = slice_of(found->keys.data + *at + sizeof(len), len);
    *at += sizeof(len) + len;
    return key;
}

static int walk(MDB_cursor *cursor, struct found *found, int64_t now)
{
    MDB_val key = {.mv_size = found->from.key_len, .mv_data = found->from.key}, record;
    MDB_cursor_op op = key.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE;
    int rc = 0;
    for (int i = 0; i <= STEP_RECORDS; i++, op = MDB_NEXT) {
        rc = mdb_cursor_get(cursor, &key, &record, op);
        if (rc != 0)
            break;
        if (i == STEP_RECORDS && key.mv_size <= sizeof(found->next.key)) {
            found->next.key_len = key.mv_size;
            memcpy(found->next.key, key.mv_data, key.mv_size);
        } else if (lmdb_expiry(record) <= now) {
            note(found, key);
        }
    }
    found->next.due = now + (found->next.key_len > 0 ? STEP_MS : PASS_MS);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Look, without holding the others up. */
static int look(const struct lmdb_env *env, struct found *found, int64_t now, bool force)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = load(env, txn, &found->from);
    found->is_due = rc == 0 && (force || is_due(&found->from, now));
    if (found->is_due && (rc = mdb_cursor_open(txn, env->records, &cursor)) == 0) {
        rc = walk(cursor, found, now);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

/* Remove the first `limit` of what was found, unless it was written meanwhile. */
static int remove_some(const struct lmdb_env *env, MDB_txn *txn, const struct found *found,
                       int limit, int64_t now)
{
    size_t at = 0;
    for (int i = 0; i < limit; i++) {
        MDB_val key = lmdb_val(next_key(found, &at)), record;
        int rc = mdb_get(txn, env->records, &key, &record);
        if (rc == 0 && lmdb_expiry(record) <= now)
            rc = mdb_del(txn, env->records, &key, NULL);
        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
    }
    return 0;
}

static int write_step(const struct lmdb_env *env, const struct found *found, int limit, int64_t now)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    struct sweep present;
    rc = load(env, txn, &present);
    if (rc == 0 && present.due != found->from.due) {
        mdb_txn_abort(txn); /* another process has taken this step */
        return 0;
    }
    if (rc == 0)
        rc = remove_some(env, txn, found, limit, now);
    if (rc == 0) {
        struct sweep next = found->next;
        if (limit < found->count) { /* the rest comes with the next step, from the same place */
            next = found->from;
            next.due = now + STEP_MS;
        }
        rc = save(env, txn, &next);
    }
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

int lmdb_sweep_step(struct lmdb_env *env, int64_t now, bool force)
{
    struct found found = {.count = 0};
    int rc = look(env, &found, now, force);
    int limit = found.count;
    if (rc == 0 && found.is_due)
        rc = write_step(env, &found, limit, now);
    /* In a full file even removing needs pages, of which a small transaction finds enough. */
    while (rc == MDB_MAP_FULL && limit > 1) {
        limit = limit / 16 + 1 < limit ? limit / 16 + 1 : 1;
        rc = write_step(env, &found, limit, now);
    }
    buf_clear(&found.keys);
    return rc == 0 ? limit : lmdb_code(rc);
}
