/* http/spool.h - content of unknown size: in memory while small, then in a file without a name.
 *
 * Place in the flow: bind/form writes uploaded files into one as they arrive. The file is
 * unlinked from the start, so that nothing is left behind when the process dies. Knows no forms
 * and no Lua.
 */
#ifndef QLUA_HTTP_SPOOL_H
#define QLUA_HTTP_SPOOL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct spool {
    struct buf memory; /* all of it while fd is -1 */
    int fd;            /* -1, or the file that holds all of it */
    uint64_t size;
    uint64_t threshold; /* more than so many bytes go to the file */
    const char *folder; /* borrowed; where the file is made */
};

/* folder must outlive the spool. */
void spool_init(struct spool *spool, uint64_t threshold, const char *folder);
/* Gives memory back and closes the file, unless it was stolen. */
void spool_clear(struct spool *spool);

/* Append bytes. Returns 0 or negative errno: the file could not be made or written. */
int spool_write(struct spool *spool, struct slice bytes);

/* Hand out the file's descriptor (the caller closes it); -1 when the content is in memory. */
int spool_steal_fd(struct spool *spool);

#endif
