/* store/lmdb_key.h - how the name of a record is written in the LMDB file.
 *
 * Place in the flow: store/lmdb makes one of every key it is handed. LMDB takes 1 to 511 bytes; any
 * other name is kept as NUL and its SHA-256, and so is one that begins with NUL: no name can be
 * taken for another's digest.
 */
#ifndef QLUA_STORE_LMDB_KEY_H
#define QLUA_STORE_LMDB_KEY_H

#include "base/slice.h"
#include "crypto/digest.h"

struct lmdb_key {
    struct slice name; /* as the file has it: what was given, or below */
    char digest[1 + DIGEST_MAX];
};

/* Borrows name. The key must not be copied. */
void lmdb_key_init(struct lmdb_key *key, struct slice name);

#endif
