/* net/file.h - files that are not in memory must not stop the loop.
 *
 * Place in the flow: before http/answer sends a piece of a file, it asks whether the piece is in
 * the page cache; if not, a thread of the pool reads it there first. Knows no HTTP.
 */
#ifndef QLUA_NET_FILE_H
#define QLUA_NET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_fetch;
struct loop;

/* Can these bytes be read without waiting for a disk? Looks at the first and the last of them
 * only: what lies between came with them, mostly. True where the system cannot say. */
bool file_is_warm(int fd, int64_t offset, size_t length);

/* Read these bytes into the page cache in a thread of the pool, then call fn(data) in a later
 * turn. The descriptor may be closed meanwhile. NULL when that cannot be done. */
struct file_fetch *file_fetch_new(struct loop *loop, int fd, int64_t offset, size_t length,
                                  void (*fn)(void *data), void *data);
/* fn is not called any more; fetch is freed when its thread is done. */
void file_fetch_cancel(struct file_fetch *fetch);

#endif
