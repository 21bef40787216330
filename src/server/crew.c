/* server/crew.c - the supervisor's table of workers. See crew.h. */
#include "server/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/control.h"
#include "server/crew_identity.h"
#include "server/crew_reload.h"
#include "server/history.h"
#include "server/listen.h"
#include "server/log_files.h"
#include "server/process.h"
#include "server/reload.h"

/* max_restarts counts within this time. */
#define STORM_MS 60000
/* A worker that has served so long was well: its next replacement comes at once. */
#define WELL_MS 10000
/* Delays between replacements that fail: doubled from the first to the last. */
#define DELAY_FIRST_MS 250
#define DELAY_MOST_MS  2000
/* What a worker gets beyond graceful_timeout, and what one gets that is still loading or must
 * stop at once. */
#define STOP_MARGIN_MS  500
#define STOP_LOADING_MS 1000
#define STOP_NOW_MS     300

void crew_init(struct crew *crew, struct config *config, struct log_files *files,
               const struct listeners *listeners, const struct figures *figures, uint64_t now)
{
    *crew = (struct crew){.config = config,
                          .log = &files->log,
                          .files = files,
                          .listeners = listeners,
                          .figures = figures,
                          .started = now};
    crew->watch_from = now;
    crew->count = 2 * (size_t)config->workers;
    crew->opened = 1;
    crew->members = mem_array(crew->count, sizeof(*crew->members));
    crew->ends = mem_array((size_t)config->max_restarts, sizeof(*crew->ends));
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        *member = (struct member){
            .id = (int)(i / 2) + 1, .control_fd = -1, .figures = &figures->workers[i]};
        counter_set(&member->figures->id, (uint64_t)member->id);
    }
}

void crew_clear(struct crew *crew)
{
    free(crew->members);
    free(crew->ends);
}

static void close_control(struct member *member)
{
    if (member->control_fd >= 0)
        close(member->control_fd);
    member->control_fd = -1;
}

/* In the child: what is the supervisor's. */
static void leave_supervisor(void *data)
{
    struct crew *crew = data;
    for (size_t i = 0; i < crew->count; i++)
        close_control(&crew->members[i]);
    if (crew->in_child != NULL)
        crew->in_child(crew->data);
}

static void wait_before_start(struct member *member, uint64_t now)
{
    uint64_t delay = 0;
    if (member->failures > 0)
        delay = member->failures > 3 ? DELAY_MOST_MS
                                     : (uint64_t)DELAY_FIRST_MS << (member->failures - 1);
    member->failures++;
    member->state = MEMBER_WAITING;
    member->due = now + delay;
}

/* What the place says is the next process's from here on. */
static void begin_figures(const struct crew *crew, struct member *member, uint64_t now)
{
    struct worker_figures *figures = member->figures;
    figures_begin(crew->figures, figures);
    counter_set(&figures->beat_ms, now);
    counter_set(&figures->started_ms, now);
    member->former = (struct figures_total){0};
    figures_add(&member->former, figures);
    member->rate = (struct rate){0};
    rate_note(&member->rate, now, counter_get(&figures->http.requests));
}

/* Fork a process for the member. */
static void start_member(struct crew *crew, struct member *member, uint64_t now)
{
    int fds[2] = {-1, -1};
    int rc = control_pair(fds);
    if (rc == 0) {
        begin_figures(crew, member, now);
        struct worker_start start = {
            .config = crew->config,
            .files = crew->files,
            .generation = crew->reload->last,
            .id = member->id,
            .listeners = crew->listeners->fds,
            .nlisteners = crew->listeners->count,
            .identity = crew->identity,
            .control_fd = fds[1],
            .figures = member->figures,
            .all_figures = crew->figures,
            .hold = crew->held,
            .ask_fd = -1,
        };
        member->control_fd = fds[0];
        rc = process_fork(&start, &crew->privilege, leave_supervisor, crew);
        close(fds[1]);
    }
    if (rc < 0) {
        close_control(member);
        log_write(crew->log, LOG_ERROR, "worker %d cannot be started: %s", member->id,
                  err_text(rc));
        wait_before_start(member, now);
        if (crew->serving)
            return;
        crew->failed = true;
        crew_stop(crew, true, now);
        return;
    }
    member->pid = rc;
    counter_set(&member->figures->pid, (uint64_t)rc);
    member->state = MEMBER_STARTING;
    crew_identity_inherit(crew, member);
    member->started = now;
    member->ready = 0;
}

static struct member *partner_of(struct crew *crew, struct member *member)
{
    return &crew->members[(size_t)(member - crew->members) ^ 1];
}

/* Whether this place serves its id, or will: one that was killed is replaced at its end. */
static bool is_filled(const struct member *member)
{
    return member->state == MEMBER_WAITING || member->state == MEMBER_STARTING ||
           member->state == MEMBER_READY || member->state == MEMBER_KILLED;
}

static void fill_ids(struct crew *crew, uint64_t now)
{
    for (size_t i = 0; i < 2 * crew->opened && !crew->stopping; i += 2) {
        struct member *pair = &crew->members[i];
        if (is_filled(&pair[0]) || is_filled(&pair[1]))
            continue;
        if (pair[0].state == MEMBER_UNUSED)
            start_member(crew, &pair[0], now);
        else if (pair[1].state == MEMBER_UNUSED)
            start_member(crew, &pair[1], now);
    }
}

static void kill_member(struct member *member)
{
    kill(member->pid, SIGKILL);
    member->state = MEMBER_KILLED;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Since when the member has given no sign, in milliseconds before now. */
static uint64_t silence_of(const struct crew *crew, const struct member *member, uint64_t now)
{
    uint64_t last = latest(crew->watch_from, member->started);
    if (member->state == MEMBER_READY || member->state == MEMBER_RETIRING)
        last = latest(last, latest(member->ready, counter_get(&member->figures->beat_ms)));
    return now > last ? now - last : 0;
}

static void check_loading(struct crew *crew, struct member *member, uint64_t now)
{
    if (silence_of(crew, member, now) <= (uint64_t)crew->config->start_timeout)
        return;
    log_write(crew->log, LOG_ERROR,
              "worker %d (pid %d) was not ready within %g s (start_timeout); %s", member->id,
              (int)member->pid, (double)crew->config->start_timeout / 1000,
              crew->serving ? "killed" : "the start ends");
    member->doom = RESTART_LOADING;
    kill_member(member);
    if (crew->serving)
        return;
    crew->failed = true;
    crew_stop(crew, true, now);
}

static void check_beat(struct crew *crew, struct member *member, uint64_t now)
{
    uint64_t silence = silence_of(crew, member, now);
    if (crew->config->worker_timeout == 0 || silence <= (uint64_t)crew->config->worker_timeout)
        return;
    log_write(crew->log, LOG_ERROR, "worker %d (pid %d) gave no sign of life for %.1f s; killed",
              member->id, (int)member->pid, (double)silence / 1000);
    member->doom = RESTART_SILENT;
    kill_member(member);
}

/* For the metrics, which any worker tells. */
static void show_member(struct member *member, uint64_t now)
{
    bool serves = member->state == MEMBER_READY || member->state == MEMBER_RETIRING;
    counter_set(&member->figures->serves, serves);
    rate_note(&member->rate, now, counter_get(&member->figures->http.requests));
}

void crew_tick(struct crew *crew, uint64_t now)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        show_member(member, now);
        switch (member->state) {
        case MEMBER_WAITING:
            if (now >= member->due)
                start_member(crew, member, now);
            break;
        case MEMBER_STARTING: check_loading(crew, member, now); break;
        case MEMBER_READY:
        case MEMBER_RETIRING: check_beat(crew, member, now); break;
        case MEMBER_STOPPING:
            if (now < member->due)
                break;
            log_write(crew->log, LOG_WARNING, "worker %d (pid %d) did not stop in time; killed",
                      member->id, (int)member->pid);
            kill_member(member);
            break;
        case MEMBER_UNUSED:
        case MEMBER_KILLED: break;
        }
    }
    fill_ids(crew, now);
    crew_identity_tick(crew);
    reload_tick(crew->reload, now);
}

int crew_timeout(const struct crew *crew, uint64_t now, int most)
{
    for (size_t i = 0; i < crew->count; i++) {
        const struct member *member = &crew->members[i];
        if (member->state != MEMBER_WAITING && member->state != MEMBER_STOPPING)
            continue;
        if (member->due <= now)
            return 0;
        if (member->due - now < (uint64_t)most)
            most = (int)(member->due - now);
    }
    return most;
}

void crew_forgive(struct crew *crew, uint64_t now)
{
    crew->watch_from = now;
}

static void send_stop(struct crew *crew, struct member *member, uint64_t now)
{
    uint64_t grace = (uint64_t)crew->config->graceful_timeout;
    bool loading = member->state == MEMBER_STARTING;
    bool last = crew->stopping && !crew->succeeded;
    control_send(member->control_fd, last ? CONTROL_STOP : CONTROL_LEAVE, (uint32_t)grace);
    crew_reload_lose(crew, member, now);
    member->state = MEMBER_STOPPING;
    member->due =
        now + (loading && grace > STOP_LOADING_MS ? STOP_LOADING_MS : grace + STOP_MARGIN_MS);
}

static void member_is_ready(struct crew *crew, struct member *member, uint64_t now)
{
    if (member->state != MEMBER_STARTING)
        return;
    member->state = MEMBER_READY;
    member->ready = now;
    struct member *partner = partner_of(crew, member);
    if (partner->state == MEMBER_RETIRING) {
        member->restarts++;
        history_restart(crew->history, partner->doom, now, "worker %d (pid %d) %s", member->id,
                        (int)partner->pid,
                        partner->doom == RESTART_MODULE ? "had an old C module"
                                                        : "had answered max_requests");
        send_stop(crew, partner, now);
    }
    counter_set(&member->figures->serves, 1);
    crew->opened = (size_t)crew->config->workers;
    bool all = true;
    for (size_t i = 0; i < crew->count; i += 2)
        all = all && (crew->members[i].ready != 0 || crew->members[i + 1].ready != 0);
    crew->serving = crew->serving || all;
    if (crew->serving && !crew->held)
        reload_start(crew->reload, now);
}

void crew_open(struct crew *crew, uint64_t now)
{
    crew->held = false;
    for (size_t i = 0; i < crew->count; i++)
        if (crew->members[i].control_fd >= 0)
            control_send(crew->members[i].control_fd, CONTROL_OPEN, 0);
    if (crew->serving)
        reload_start(crew->reload, now);
}

void crew_retire(struct member *member, enum restart_reason why)
{
    member->state = MEMBER_RETIRING;
    member->doom = why;
}

void crew_messages(struct crew *crew, struct member *member, uint64_t now)
{
    struct control_message message;
    int rc = 0;
    while (member->control_fd >= 0 && (rc = control_receive(member->control_fd, &message)) > 0) {
        if (message.type == CONTROL_READY)
            member_is_ready(crew, member, now);
        else if (message.type == CONTROL_RETIRE && member->state == MEMBER_READY)
            crew_retire(member, RESTART_RECYCLED);
        else
            crew_reload_message(crew, member, &message, now);
    }
    if (rc < 0) /* its end is reported by waitpid */
        close_control(member);
}

/* Whether this replacement is one too many within STORM_MS. */
static bool is_storm(struct crew *crew, uint64_t now)
{
    size_t most = (size_t)crew->config->max_restarts;
    if (most == 0)
        return true;
    uint64_t *oldest = &crew->ends[crew->nends % most];
    bool storm = crew->nends >= most && now - *oldest < STORM_MS;
    *oldest = now;
    crew->nends++;
    return storm;
}

/* Whether the worker itself has ended with this: an app may call os.exit with any number. */
static bool is_end(const struct member *member, int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code &&
           counter_get(&member->figures->over) != 0;
}

/* "ended by signal 9" and the like. */
static void describe_end(const struct member *member, int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "ended by signal %d%s", WTERMSIG(status),
                 WCOREDUMP(status) ? " (core dumped)" : "");
    else if (is_end(member, status, WORKER_EXIT_NO_START))
        snprintf(text, size, "could not start to serve");
    else
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
}

/* Why a worker has ended that should be running. */
static enum restart_reason end_reason(const struct member *member, enum member_state former,
                                      int status)
{
    if (former == MEMBER_KILLED)
        return member->doom;
    return WIFSIGNALED(status) ? RESTART_SIGNAL : RESTART_EXIT;
}

/* A worker ended that should be running: have it replaced, or give the service up. */
static void replace(struct crew *crew, struct member *member, pid_t pid, const char *how,
                    enum restart_reason reason, uint64_t now)
{
    if (is_storm(crew, now)) {
        log_write(crew->log, LOG_CRITICAL,
                  "worker %d (pid %d) %s; more than %lld replacements within 60 s (max_restarts): "
                  "the service ends",
                  member->id, (int)pid, how, (long long)crew->config->max_restarts);
        crew->failed = true;
        crew_stop(crew, false, now);
        return;
    }
    if (member->ready != 0 && now - member->ready >= WELL_MS)
        member->failures = 0;
    member->restarts++;
    history_restart(crew->history, reason, now, "worker %d (pid %d) %s", member->id, (int)pid, how);
    wait_before_start(member, now);
    if (member->due > now)
        log_write(crew->log, LOG_ERROR, "worker %d (pid %d) %s; replaced in %g s", member->id,
                  (int)pid, how, (double)(member->due - now) / 1000);
    else
        log_write(crew->log, LOG_ERROR, "worker %d (pid %d) %s; replaced", member->id, (int)pid,
                  how);
}

static void member_ended(struct crew *crew, struct member *member, int status, uint64_t now)
{
    char how[64];
    pid_t pid = member->pid;
    enum member_state former = member->state;
    bool well = is_end(member, status, WORKER_EXIT_DRAINED);
    describe_end(member, status, how, sizeof(how));
    close_control(member);
    crew_reload_lose(crew, member, now);
    member->pid = 0;
    member->state = MEMBER_UNUSED;
    if (crew->stopping || former == MEMBER_STOPPING) {
        bool silent = well || former == MEMBER_KILLED || crew->failed;
        if (!silent)
            log_write(crew->log, LOG_WARNING, "worker %d (pid %d) %s while it stopped", member->id,
                      (int)pid, how);
    } else if (!crew->serving) {
        /* the worker has said itself why it does not start */
        crew->misused = is_end(member, status, WORKER_EXIT_USAGE);
        if (!crew->misused && !is_end(member, status, WORKER_EXIT_NO_START))
            log_write(crew->log, LOG_CRITICAL,
                      "worker %d (pid %d) %s before it was ready; the start ends", member->id,
                      (int)pid, how);
        crew->failed = true;
        crew_stop(crew, true, now);
    } else if (former == MEMBER_RETIRING) {
        log_write(crew->log, LOG_WARNING, "worker %d (pid %d) %s before its replacement was ready",
                  member->id, (int)pid, how);
        member->restarts++;
        history_restart(crew->history, end_reason(member, former, status), now,
                        "worker %d (pid %d) %s", member->id, (int)pid, how);
    } else if (former == MEMBER_STARTING && partner_of(crew, member)->state == MEMBER_RETIRING) {
        log_write(crew->log, LOG_ERROR,
                  "the replacement of worker %d (pid %d) %s; the worker serves on", member->id,
                  (int)pid, how);
        partner_of(crew, member)->state = MEMBER_READY;
    } else if (!is_filled(partner_of(crew, member))) {
        replace(crew, member, pid, how, end_reason(member, former, status), now);
    }
}

void crew_send_log(struct crew *crew, uint32_t which, int fd)
{
    for (size_t i = 0; i < crew->count; i++) {
        const struct member *member = &crew->members[i];
        int rc = member->control_fd < 0
                     ? 0
                     : control_send_fd(member->control_fd, CONTROL_LOG, which, fd);
        if (rc != 0 && rc != -EPIPE)
            log_write(crew->log, LOG_ERROR,
                      "worker %d (pid %d) cannot be told of a log's new file: %s", member->id,
                      (int)member->pid, err_text(rc));
    }
}

static uint64_t microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void crew_reap(struct crew *crew, uint64_t now)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        struct rusage used;
        int status;
        if (member->pid <= 0 || wait4(member->pid, &status, WNOHANG, &used) != member->pid)
            continue;
        figures_ended(member->figures, microseconds(&used.ru_utime) + microseconds(&used.ru_stime));
        crew_messages(crew, member, now); /* what it said before it ended */
        figures_end(member->figures);
        member_ended(crew, member, status, now);
    }
}

void crew_stop(struct crew *crew, bool at_once, uint64_t now)
{
    bool first = !crew->stopping;
    crew->stopping = true;
    reload_stop(crew->reload, now);
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        if (member->state == MEMBER_WAITING)
            member->state = MEMBER_UNUSED;
        if (member->state == MEMBER_UNUSED || member->state == MEMBER_KILLED)
            continue;
        if (first && !at_once && member->state != MEMBER_STOPPING) {
            send_stop(crew, member, now);
        } else if (at_once) {
            control_send(member->control_fd, CONTROL_STOP_NOW, 0);
            member->state = MEMBER_STOPPING;
            member->due = now + STOP_NOW_MS;
        }
    }
}

bool crew_is_gone(const struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        if (crew->members[i].pid != 0)
            return false;
    return true;
}
