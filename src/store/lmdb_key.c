/* store/lmdb_key.c - how the name of a record is written in the LMDB file. See lmdb_key.h. */
#include "store/lmdb_key.h"

#include "store/lmdb_env.h"

void lmdb_key_init(struct lmdb_key *key, struct slice name)
{
    key->name = name;
    if (name.len > 0 && name.len <= LMDB_KEY_MAX && name.data[0] != '\0')
        return;
    key->digest[0] = '\0';
    size_t len = digest_of(DIGEST_SHA256, &name, 1, (unsigned char *)key->digest + 1);
    key->name = slice_of(key->digest, 1 + len);
}
