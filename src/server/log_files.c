/* server/log_files.c - where the log and the access log go. See log_files.h. */
#include "server/log_files.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/config.h"

/* What a slow reader may cost at the end. */
#define CLOSE_MS 300

static const char *const names[LOG_FILES] = {"log", "access log"};

static int open_one(struct log_files *files, enum log_file which, const char *path, struct err *err)
{
    struct log_sink *sink = &files->sinks[which];
    if (strcmp(path, "-") == 0) {
        log_sink_init(sink, STDERR_FILENO, false);
        return 0;
    }
    int fd = log_sink_open_file(path);
    if (fd < 0)
        return err_set(err, fd, "the %s %s cannot be opened: %s", names[which], path, err_text(fd));
    log_sink_init(sink, fd, true);
    files->paths[which] = path;
    return 0;
}

int log_files_open(struct log_files *files, const struct config *config, struct err *err)
{
    *files = (struct log_files){0};
    for (int i = 0; i < LOG_FILES; i++)
        files->sinks[i].fd = -1;
    files->log = (struct log){
        .fd = -1,
        .level = (enum log_level)log_level_of(slice_cstr(config->log_level)),
        .json = strcmp(config->log_format, "json") == 0,
        .sink = &files->sinks[LOG_FILE_LOG],
    };
    int rc = open_one(files, LOG_FILE_LOG, config->log, err);
    files->access = config->access_log != NULL && strcmp(config->access_log, "off") != 0;
    if (rc == 0 && files->access)
        rc = open_one(files, LOG_FILE_ACCESS, config->access_log, err);
    if (rc != 0)
        log_files_close(files);
    return rc;
}

void log_files_close(struct log_files *files)
{
    for (int i = LOG_FILES - 1; i >= 0; i--)
        log_sink_close(&files->sinks[i], CLOSE_MS);
}

void log_files_take(struct log_files *files, enum log_file which, int fd)
{
    log_sink_replace(&files->sinks[which], fd);
}

void log_files_reopen(struct log_files *files,
                      void (*tell)(void *data, enum log_file which, int fd), void *data)
{
    for (int i = 0; i < LOG_FILES; i++) {
        if (files->paths[i] == NULL)
            continue;
        int fd = log_sink_open_file(files->paths[i]);
        if (fd < 0) {
            log_write(&files->log, LOG_ERROR,
                      "the %s %s cannot be opened again: %s; its lines go where they went before",
                      names[i], files->paths[i], err_text(fd));
            continue;
        }
        if (tell != NULL)
            tell(data, (enum log_file)i, fd);
        log_files_take(files, (enum log_file)i, fd);
        log_write(&files->log, LOG_INFO, "the %s %s was opened again", names[i], files->paths[i]);
    }
}

void log_files_enter_worker(struct log_files *files, int worker)
{
    files->log.worker = worker;
    for (int i = 0; i < LOG_FILES; i++)
        log_sink_forget(&files->sinks[i]);
}
