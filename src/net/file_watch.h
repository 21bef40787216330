/* net/file_watch.h - tells when files change.
 *
 * Place in the flow: the worker that looks after --reload has one; bind/watch.c names the files
 * which the app's code was made of, and is told their names when they change. Folders are
 * watched, not files (inotify): editors write a file anew and rename it, a file may come to be
 * that is not there yet, and a link on the way to it may be set to another place. What happens
 * within a few milliseconds is one change. Knows nothing of Lua or of reloading.
 */
#ifndef QLUA_NET_FILE_WATCH_H
#define QLUA_NET_FILE_WATCH_H

#include <stdint.h>

struct file_watch;
struct log;
struct loop;

/* Something has changed for good; of `paths` there are `count`, borrowed for the call. */
typedef void file_watch_fn(void *data, const char *const *paths, int count);

/* NULL when the system has no more watches; a line in the log says so. */
struct file_watch *file_watch_new(struct loop *loop, const struct log *log,
                                  file_watch_fn *on_change, void *data);
void file_watch_free(struct file_watch *watch);

/* Watch this file, absolute; it need not be there. `mark` says for whom, and only grows: the
 * state of the file at the first call with a mark is what it is compared with. To be called
 * before the file is read. */
void file_watch_add(struct file_watch *watch, const char *path, uint32_t mark);

/* Forget the files whose latest mark is below this one. */
void file_watch_prune(struct file_watch *watch, uint32_t mark);

#endif
