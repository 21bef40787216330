/* server/upgrade.c - the running server's side of an upgrade. See upgrade.h. */
#include "server/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "net/inherit.h"
#include "server/control.h"
#include "server/launch.h"
#include "server/notify.h"

/* What the new program has to end by itself when it is told to: it serves nobody yet. */
#define END_MS 3000
/* What the first descriptor is that may have to be closed. */
#define FIRST_FD 3

void upgrade_init(struct upgrade *upgrade, const struct launch *launch, const struct log *log)
{
    *upgrade = (struct upgrade){.launch = launch, .log = log, .channel = -1};
}

/* ---- the processes ---- */

/* The sockets of the list, but for these none of our descriptors is left in the new program. */
static void keep_sockets(char *list)
{
    for (char *at = list; at != NULL; at = strchr(at, ';')) {
        int fd = atoi(at + (*at == ';'));
        fcntl(fd, F_SETFD, 0);
        at += *at == ';';
    }
}

/* The new program, before it is one. */
static _Noreturn void become(const struct launch *launch, int channel, const char *list)
{
    struct buf variable = {0};
    sigset_t none;
    control_send(channel, CONTROL_BORN, (uint32_t)getpid());
    buf_printf(&variable, INHERIT_VARIABLE "=%d%s", channel, list);
    buf_char(&variable, '\0');
    keep_sockets(variable.data + sizeof(INHERIT_VARIABLE));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int rc = launch_again(launch, variable.data);
    control_send_text(channel, CONTROL_FAILED, 0, err_text(rc));
    _exit(127);
}

/* "ended with exit code 1" */
static void describe_end(const siginfo_t *info, char *text, size_t size)
{
    if (info->si_code == CLD_EXITED)
        snprintf(text, size, "it ended with exit code %d", info->si_status);
    else
        snprintf(text, size, "it was ended by signal %d", info->si_status);
}

/* The process between: starts the new one and tells how it ended. */
static _Noreturn void stand_between(const struct launch *launch, int channel, const char *list)
{
    char text[64];
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        become(launch, channel, list);
    close_range(FIRST_FD, (unsigned)channel - 1, 0);
    close_range((unsigned)channel + 1, ~0U, 0);
    if (pid < 0) {
        control_send_text(channel, CONTROL_FAILED, 0, err_text(-errno));
        _exit(1);
    }
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    describe_end(&info, text, sizeof(text));
    control_send_text(channel, CONTROL_FAILED, 0, text);
    _exit(0);
}

static int start(struct upgrade *upgrade, const char *list, int guard)
{
    int fds[2];
    pid_t parent = getpid();
    int rc = control_pair(fds);
    if (rc != 0)
        return rc;
    if (guard >= 0) /* it lies there when the new program looks, which it does once */
        control_send_fd(fds[0], CONTROL_GUARD, 0, guard);
    pid_t pid = fork();
    if (pid == 0) {
        /* when we die the new program is to be on its own */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        close(fds[0]);
        stand_between(upgrade->launch, fds[1], list);
    }
    rc = pid < 0 ? -errno : 0;
    close(fds[1]);
    if (rc != 0) {
        close(fds[0]);
        return rc;
    }
    upgrade->channel = fds[0];
    upgrade->between = pid;
    return 0;
}

int upgrade_begin(struct upgrade *upgrade, const struct buf *list, int guard, uint64_t patience,
                  uint64_t now)
{
    struct buf text = {0};
    const char *program = upgrade->launch->program;
    buf_slice(&text, buf_view(list));
    buf_char(&text, '\0');
    int rc = access(program, X_OK) != 0 ? -errno : start(upgrade, text.data, guard);
    buf_clear(&text);
    if (rc != 0) {
        log_write(upgrade->log, LOG_ERROR, "no upgrade: %s cannot be started: %s", program,
                  err_text(rc));
        return rc;
    }
    upgrade->state = UPGRADE_PREPARING;
    upgrade->due = now + patience;
    log_write(upgrade->log, LOG_INFO, "upgrade: %s is started on the same sockets", program);
    return 0;
}

/* ---- what becomes of it ---- */

static void end_between(struct upgrade *upgrade)
{
    if (upgrade->between == 0)
        return;
    kill(upgrade->between, SIGKILL);
    while (waitpid(upgrade->between, NULL, 0) < 0 && errno == EINTR)
        ;
    upgrade->between = 0;
}

/* Nothing is left of it, or nothing that concerns us. */
static void forget(struct upgrade *upgrade, enum upgrade_state state)
{
    end_between(upgrade);
    if (upgrade->channel >= 0)
        close(upgrade->channel);
    upgrade->channel = -1;
    upgrade->state = state;
    if (state == UPGRADE_NONE)
        upgrade->pid = 0;
}

/* Have it end. Its workers, of which none serves, end with it. */
static void tell_to_end(struct upgrade *upgrade, uint64_t now)
{
    upgrade->state = UPGRADE_ENDING;
    upgrade->due = now + END_MS;
    upgrade->was_killed = false;
    if (upgrade->pid > 0)
        kill(upgrade->pid, SIGTERM);
}

static enum upgrade_event fail(const struct upgrade *upgrade, const char *why)
{
    char who[32] = "the new program";
    if (upgrade->pid > 0)
        snprintf(who, sizeof(who), "pid %d", (int)upgrade->pid);
    log_write(upgrade->log, LOG_ERROR,
              "the upgrade has failed: %s (%s): %s; this server goes on as it was",
              upgrade->launch->program, who, why);
    return UPGRADE_FAILED;
}

static enum upgrade_event on_message(struct upgrade *upgrade, const struct control_message *message)
{
    bool preparing = upgrade->state == UPGRADE_PREPARING;
    switch (message->type) {
    case CONTROL_BORN:
        upgrade->pid = (pid_t)message->value;
        if (upgrade->state == UPGRADE_ENDING)
            kill(upgrade->pid, SIGTERM);
        return UPGRADE_QUIET;
    case CONTROL_READY: return preparing ? UPGRADE_READY : UPGRADE_QUIET;
    case CONTROL_FAILED: {
        enum upgrade_event event = preparing ? fail(upgrade, message->text) : UPGRADE_QUIET;
        forget(upgrade, UPGRADE_NONE);
        return event;
    }
    default: return UPGRADE_QUIET;
    }
}

static enum upgrade_event check_time(struct upgrade *upgrade, uint64_t now)
{
    if (now < upgrade->due)
        return UPGRADE_QUIET;
    if (upgrade->state == UPGRADE_PREPARING) {
        enum upgrade_event event = fail(upgrade, "it was not ready in time (start_timeout)");
        tell_to_end(upgrade, now);
        return event;
    }
    if (upgrade->was_killed || upgrade->pid <= 0) {
        forget(upgrade, UPGRADE_NONE);
    } else {
        kill(upgrade->pid, SIGKILL);
        upgrade->was_killed = true;
        upgrade->due = now + END_MS;
    }
    return UPGRADE_QUIET;
}

enum upgrade_event upgrade_turn(struct upgrade *upgrade, uint64_t now)
{
    struct control_message message;
    int rc = 0;
    while (upgrade->channel >= 0 && (rc = control_receive(upgrade->channel, &message)) > 0) {
        enum upgrade_event event = on_message(upgrade, &message);
        if (message.fd >= 0)
            close(message.fd);
        if (event != UPGRADE_QUIET)
            return event;
    }
    if (!upgrade_is_running(upgrade))
        return UPGRADE_QUIET;
    if (rc < 0) { /* both are gone, and nobody could say how */
        enum upgrade_event event =
            upgrade->state == UPGRADE_PREPARING ? fail(upgrade, "it has ended") : UPGRADE_QUIET;
        forget(upgrade, UPGRADE_NONE);
        return event;
    }
    return check_time(upgrade, now);
}

int upgrade_commit(struct upgrade *upgrade, struct notify *notify, int tickets)
{
    end_between(upgrade); /* from now on it has our parent, or whoever takes orphans */
    notify_send(notify, "MAINPID=%d", (int)upgrade->pid);
    uint32_t own = (uint32_t)getpid();
    int rc = tickets >= 0 ? control_send_fd(upgrade->channel, CONTROL_COMMIT, own, tickets)
                          : control_send(upgrade->channel, CONTROL_COMMIT, own);
    if (rc != 0) {
        notify_send(notify, "MAINPID=%d", (int)getpid());
        fail(upgrade, "it has ended");
    } else {
        log_write(upgrade->log, LOG_INFO,
                  "pid %d serves from now on; this server finishes what it has begun",
                  (int)upgrade->pid);
    }
    forget(upgrade, rc == 0 ? UPGRADE_DONE : UPGRADE_NONE);
    return rc;
}

void upgrade_cancel(struct upgrade *upgrade, bool at_once, uint64_t now)
{
    if (upgrade->state == UPGRADE_PREPARING)
        tell_to_end(upgrade, now);
    if (upgrade->state == UPGRADE_ENDING && at_once)
        upgrade->due = now;
}

bool upgrade_is_running(const struct upgrade *upgrade)
{
    return upgrade->state == UPGRADE_PREPARING || upgrade->state == UPGRADE_ENDING;
}

int upgrade_timeout(const struct upgrade *upgrade, uint64_t now, int most)
{
    if (!upgrade_is_running(upgrade))
        return most;
    if (upgrade->due <= now)
        return 0;
    return upgrade->due - now < (uint64_t)most ? (int)(upgrade->due - now) : most;
}

void upgrade_leave(struct upgrade *upgrade)
{
    if (upgrade->channel >= 0)
        close(upgrade->channel);
    upgrade->channel = -1;
}
