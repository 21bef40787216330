/* server/log_files.h - where the log and the access log go: opened once, and again on SIGUSR1.
 *
 * Place in the flow: main.c opens them before anything else, with the rights of who started qlua;
 * workers inherit them. After a file was moved away (logrotate), the supervisor opens it anew and
 * sends the descriptors to its workers, which may have no right to do it themselves.
 */
#ifndef QLUA_SERVER_LOG_FILES_H
#define QLUA_SERVER_LOG_FILES_H

#include <stdbool.h>

#include "base/log.h"
#include "base/log_sink.h"

struct config;
struct err;

enum log_file { LOG_FILE_LOG, LOG_FILE_ACCESS, LOG_FILES };

struct log_files {
    struct log log; /* what everybody logs to: the first sink */
    struct log_sink sinks[LOG_FILES];
    const char *paths[LOG_FILES]; /* NULL: standard error, or off; the configuration's */
    bool access;                  /* there is an access log */
};

/* Open what the configuration names. 0, or err; then nothing is open. It must stay where it is:
 * the log points into it. */
int log_files_open(struct log_files *files, const struct config *config, struct err *err);
/* Write what still waits, and close. */
void log_files_close(struct log_files *files);

/* Open the files again; one that cannot be opened stays as it is, with a line that says why.
 * tell(data, which, fd) hears of each new descriptor before it is closed; may be NULL. */
void log_files_reopen(struct log_files *files,
                      void (*tell)(void *data, enum log_file which, int fd), void *data);
/* Lines of one of them go to fd from now on, which is taken over. */
void log_files_take(struct log_files *files, enum log_file which, int fd);

/* In a forked worker: its lines carry its id, and what waits is the supervisor's to write. */
void log_files_enter_worker(struct log_files *files, int worker);

#endif
