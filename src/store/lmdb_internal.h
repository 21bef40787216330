/* store/lmdb_internal.h - what lmdb_env.c and lmdb_sweep.c share.
 *
 * Place in the flow: included by these two only, beside lmdb.h.
 */
#ifndef QLUA_STORE_LMDB_INTERNAL_H
#define QLUA_STORE_LMDB_INTERNAL_H

#include <lmdb.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct lmdb_env {
    MDB_env *env;
    MDB_dbi records;  /* key -> expiry, value */
    MDB_dbi state;    /* "format", "sweep" */
    MDB_txn *reader;  /* of the loop's thread: renewed for each read */
    uint32_t reading; /* reads begun and not ended */
    uint64_t size;
    char *path;
};

static inline int lmdb_code(int rc)
{
    return rc > 0 ? -rc : rc;
}

static inline MDB_val lmdb_val(struct slice s)
{
    return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.data};
}

static inline struct slice lmdb_slice(MDB_val val)
{
    return slice_of(val.mv_data, val.mv_size);
}

/* The expiry of a record; one too short to have any has expired. */
static inline int64_t lmdb_expiry(MDB_val record)
{
    int64_t expiry = 0;
    if (record.mv_size >= sizeof(expiry))
        memcpy(&expiry, record.mv_data, sizeof(expiry));
    return expiry;
}

/* A snapshot for the loop's thread: env->reader, until lmdb_env_read_end. */
int lmdb_env_read_begin(struct lmdb_env *env);

#endif
