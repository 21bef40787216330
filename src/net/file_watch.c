/* net/file_watch.c - tells when files change. See file_watch.h. */
#include "net/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/timer.h"

/* Quiet for so long: those that are saved together have been. That each is complete is known. */
#define QUIET_MS 10
/* A file that is open for writing, gone or emptied may yet be closed, come back or be written. */
#define PATIENCE_MS 400
/* Links followed on the way to one file. */
#define LINKS_MAX 32
#define BUCKETS   512
/* Changed files that are named to on_change. */
#define NAMED_MAX 8

#define EVENTS                                                                          \
    (IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
     IN_MOVE_SELF | IN_DELETE_SELF)

/* What tells one state of a file from another; all zero: it is not there. */
struct signature {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

struct watched {
    struct watched *next; /* in the bucket of its path */
    uint32_t mark;
    bool dirty;   /* something has happened on the way to it */
    bool writing; /* its writer has not closed it yet */
    struct signature seen;
    char path[];
};

/* A name in a watched folder that matters to a file: its own, or that of a link on the way. */
struct spot {
    struct spot *next; /* in the bucket of folder and name */
    int folder;        /* inotify's number */
    struct watched *watched;
    char name[];
};

struct file_watch {
    struct loop *loop;
    const struct log *log;
    file_watch_fn *on_change;
    void *data;
    int fd;
    struct watch *readable;
    struct timer timer;
    uint64_t since; /* loop milliseconds: when the first of these changes was; 0: none */
    bool failed;    /* said already that a folder cannot be watched */
    struct watched *files[BUCKETS];
    struct spot *spots[BUCKETS];
};

static size_t hash_of(const char *text, uint32_t seed)
{
    uint32_t hash = 2166136261u ^ seed;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash % BUCKETS;
}

static struct signature signature_of(const char *path)
{
    struct stat st;
    struct signature none = {0};
    if (stat(path, &st) != 0)
        return none;
    return (struct signature){
        .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .mtime = st.st_mtim};
}

/* An empty file is none yet, of one that was not: many programs empty it, and write then. */
static bool has_content(const struct signature *signature)
{
    return signature->ino != 0 && signature->size != 0;
}

static bool same_signature(const struct signature *a, const struct signature *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* ---- the places on the way to a file ---- */

static void forget_spots(struct file_watch *watch, const struct watched *of)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct spot **at = &watch->spots[i];
        while (*at != NULL) {
            struct spot *spot = *at;
            if (of != NULL && spot->watched != of) {
                at = &spot->next;
                continue;
            }
            *at = spot->next;
            free(spot);
        }
    }
}

/* `folder` is "" for the root. False: it cannot be watched, because it is not there. */
static bool add_spot(struct file_watch *watch, struct watched *watched, const char *folder,
                     const char *name)
{
    int number = inotify_add_watch(watch->fd, folder[0] == '\0' ? "/" : folder, EVENTS);
    if (number < 0) {
        if (errno != ENOENT && errno != ENOTDIR && !watch->failed) {
            watch->failed = true;
            log_write(watch->log, LOG_WARNING, "%s cannot be watched for changes: %s", folder,
                      err_text(-errno));
        }
        return false;
    }
    size_t bucket = hash_of(name, (uint32_t)number);
    for (struct spot *spot = watch->spots[bucket]; spot != NULL; spot = spot->next)
        if (spot->folder == number && spot->watched == watched && strcmp(spot->name, name) == 0)
            return true;
    size_t len = strlen(name) + 1;
    struct spot *spot = mem_alloc(sizeof(*spot) + len);
    *spot = (struct spot){.next = watch->spots[bucket], .folder = number, .watched = watched};
    memcpy(spot->name, name, len);
    watch->spots[bucket] = spot;
    return true;
}

/* The link at `path` in front of what is still to come: into `rest`. False: too long. */
static bool follow(char *done, size_t parent, const char *path, char *rest)
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    char tail[PATH_MAX];
    int total = snprintf(tail, sizeof(tail), "%s%s%s", target, rest[0] == '\0' ? "" : "/", rest);
    if (total < 0 || (size_t)total >= sizeof(tail))
        return false;
    memcpy(rest, tail, (size_t)total + 1);
    done[target[0] == '/' ? 0 : parent] = '\0';
    return true;
}

/* Walk to the file, and watch each place where the way could change: links, the first name that
 * is not there, and the file itself. */
static void resolve(struct file_watch *watch, struct watched *watched)
{
    char done[PATH_MAX] = "", rest[PATH_MAX];
    int links = 0;
    snprintf(rest, sizeof(rest), "%s", watched->path);
    for (;;) {
        char *name = rest + strspn(rest, "/");
        size_t len = strcspn(name, "/"), parent = strlen(done);
        if (len == 0 || parent + len + 2 > sizeof(done))
            return;
        char part[NAME_MAX + 1];
        if (len > NAME_MAX)
            return;
        memcpy(part, name, len);
        part[len] = '\0';
        char *after = name + len + strspn(name + len, "/");
        bool last = *after == '\0';
        memmove(rest, after, strlen(after) + 1);
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            char *slash = strrchr(done, '/');
            if (slash != NULL)
                *slash = '\0';
            continue;
        }
        char folder[PATH_MAX];
        memcpy(folder, done, parent + 1);
        done[parent] = '/';
        memcpy(done + parent + 1, part, len + 1);
        struct stat st;
        bool there = lstat(done, &st) == 0;
        bool is_link = there && S_ISLNK(st.st_mode);
        if ((last || is_link || !there) && !add_spot(watch, watched, folder, part))
            return;
        if (!there || (last && !is_link))
            return;
        if (is_link && (++links > LINKS_MAX || !follow(done, parent, done, rest)))
            return;
    }
}

static void look_anew(struct file_watch *watch, struct watched *watched)
{
    resolve(watch, watched);
    watched->seen = signature_of(watched->path);
}

/* ---- what has happened ---- */

/* Those that differ from what was seen of them; how many. */
static int collect_changes(struct file_watch *watch, const char **paths)
{
    int count = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct watched *file = watch->files[i]; file != NULL; file = file->next) {
            if (!file->dirty)
                continue;
            struct signature before = file->seen;
            file->dirty = file->writing = false;
            forget_spots(watch, file); /* the way to it may be another one */
            look_anew(watch, file);
            if (!same_signature(&before, &file->seen) && count < NAMED_MAX)
                paths[count++] = file->path;
        }
    }
    return count;
}

/* All of them are told together: a file that is not settled yet keeps the others waiting. */
static bool is_settled(const struct file_watch *watch)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct watched *file = watch->files[i]; file != NULL; file = file->next) {
            if (!file->dirty)
                continue;
            struct signature now = signature_of(file->path);
            if (file->writing || (has_content(&file->seen) && !has_content(&now)))
                return false;
        }
    return true;
}

static void on_quiet(struct timer *timer)
{
    struct file_watch *watch = LIST_ENTRY(timer, struct file_watch, timer);
    const char *names[NAMED_MAX];
    if (loop_now(watch->loop) - watch->since < PATIENCE_MS && !is_settled(watch)) {
        timer_start(watch->loop, timer, QUIET_MS);
        return;
    }
    watch->since = 0;
    int count = collect_changes(watch, names);
    if (count > 0)
        watch->on_change(watch->data, names, count);
}

static void touch(struct file_watch *watch, struct watched *file, uint32_t mask)
{
    file->dirty = true;
    if (mask & IN_MODIFY)
        file->writing = true;
    if (mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO))
        file->writing = false;
    if (watch->since == 0)
        watch->since = loop_now(watch->loop);
    if (loop_now(watch->loop) - watch->since < PATIENCE_MS || !timer_is_started(&watch->timer))
        timer_start(watch->loop, &watch->timer, QUIET_MS);
}

/* The folder itself was moved or removed: the way to all that lie in it. */
static void lose_folder(struct file_watch *watch, int folder)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct spot *spot = watch->spots[i]; spot != NULL; spot = spot->next)
            if (spot->folder == folder || folder < 0)
                touch(watch, spot->watched, IN_MOVED_FROM);
}

static void take_event(struct file_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        lose_folder(watch, -1);
    } else if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF)) {
        lose_folder(watch, event->wd);
    } else if (event->len > 0) {
        size_t bucket = hash_of(event->name, (uint32_t)event->wd);
        for (struct spot *spot = watch->spots[bucket]; spot != NULL; spot = spot->next)
            if (spot->folder == event->wd && strcmp(spot->name, event->name) == 0)
                touch(watch, spot->watched, event->mask);
    }
}

static void on_readable(void *data)
{
    struct file_watch *watch = data;
    _Alignas(struct inotify_event) char room[8192];
    ssize_t n;
    while ((n = read(watch->fd, room, sizeof(room))) > 0) {
        const char *at = room;
        while (at < room + n) {
            const struct inotify_event *event = (const void *)at;
            take_event(watch, event);
            at += sizeof(*event) + event->len;
        }
    }
}

/* ---- what is watched ---- */

struct file_watch *file_watch_new(struct loop *loop, const struct log *log,
                                  file_watch_fn *on_change, void *data)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        log_write(log, LOG_WARNING, "files are not watched for changes: inotify: %s",
                  err_text(-errno));
        return NULL;
    }
    struct file_watch *watch = mem_zalloc(sizeof(*watch));
    watch->loop = loop;
    watch->log = log;
    watch->on_change = on_change;
    watch->data = data;
    watch->fd = fd;
    timer_init(&watch->timer, on_quiet);
    watch->readable = loop_watch(loop, fd, on_readable, watch);
    return watch;
}

void file_watch_free(struct file_watch *watch)
{
    if (watch == NULL)
        return;
    timer_stop(&watch->timer);
    loop_unwatch(watch->readable);
    close(watch->fd);
    forget_spots(watch, NULL);
    file_watch_prune(watch, UINT32_MAX);
    free(watch);
}

void file_watch_add(struct file_watch *watch, const char *path, uint32_t mark)
{
    struct watched **bucket = &watch->files[hash_of(path, 0)];
    struct watched *file = *bucket;
    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    size_t len = strlen(path) + 1;
    if (file == NULL && len <= PATH_MAX) {
        file = mem_zalloc(sizeof(*file) + len);
        memcpy(file->path, path, len);
        file->next = *bucket;
        *bucket = file;
    } else if (file == NULL || file->mark >= mark) {
        return;
    }
    file->mark = mark;
    look_anew(watch, file);
}

void file_watch_prune(struct file_watch *watch, uint32_t mark)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct watched **at = &watch->files[i];
        while (*at != NULL) {
            struct watched *file = *at;
            if (file->mark >= mark) {
                at = &file->next;
                continue;
            }
            *at = file->next;
            if (mark != UINT32_MAX)
                forget_spots(watch, file);
            free(file);
        }
    }
}
