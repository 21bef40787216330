/* server/supervisor_upgrade.c - what the supervisor does in an upgrade, on either side of it.
 *
 * Place in the flow: SIGUSR2 brings supervisor.c here. server/upgrade.h starts and watches the new
 * program, server/successor.h is what that one knows of us; here is what passes from one to the
 * other: listening sockets, the control socket, the pid file, the word to the service manager.
 */
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/inherit.h"
#include "server/config.h"
#include "server/crew_identity.h"
#include "server/debug_guard.h"
#include "server/launch.h"
#include "server/supervisor_internal.h"

/* What a new program gets beyond start_timeout, which each of its workers may take: the first, and
 * then the others together. */
#define UPGRADE_MARGIN_MS 2000

static void reload_now(struct supervisor *supervisor)
{
    supervisor_refresh_identity(supervisor);
    reload_wish(&supervisor->reload, "SIGHUP", RELOAD_ALL, clock_ms());
}

void supervisor_wish_reload(struct supervisor *supervisor)
{
    if (upgrade_is_running(&supervisor->upgrade))
        supervisor->reload_later = true;
    else
        reload_now(supervisor);
}

/* Why there can be no upgrade now, or NULL. */
static const char *upgrade_obstacle(const struct supervisor *supervisor)
{
    if (supervisor->crew.stopping)
        return "the server stops";
    if (!supervisor->announced)
        return "the service has not started yet";
    if (upgrade_is_running(&supervisor->upgrade))
        return "another one is under way";
    if (getpid() == 1)
        return "when process 1 ends all others end with it; start the new one in its place";
    return NULL;
}

void supervisor_upgrade(struct supervisor *supervisor)
{
    const char *obstacle = upgrade_obstacle(supervisor);
    uint64_t patience = 2 * (uint64_t)supervisor->config->start_timeout + UPGRADE_MARGIN_MS;
    struct buf list = {0};
    if (obstacle != NULL) {
        log_write(supervisor->log, LOG_WARNING, "SIGUSR2: no upgrade: %s", obstacle);
        return;
    }
    listen_hand_over(&supervisor->listeners, &list);
    if (supervisor->control.fd >= 0)
        inherit_write(&list, supervisor->control.fd, INHERIT_CONTROL,
                      supervisor->control.file.path);
    const struct debug_guard *debug = supervisor->config->debug_guard;
    int guard = debug != NULL ? debug_guard_pack(debug) : -1;
    if (upgrade_begin(&supervisor->upgrade, &list, guard, patience, clock_ms()) == 0)
        notify_send(&supervisor->notify, "STATUS=Starting the new program");
    if (guard >= 0)
        close(guard);
    buf_clear(&list);
}

static void failed(struct supervisor *supervisor)
{
    notify_send(&supervisor->notify, "STATUS=An upgrade has failed; serving as before");
    if (supervisor->reload_later && !supervisor->crew.stopping)
        reload_now(supervisor);
    supervisor->reload_later = false;
}

/* The new program is ready: all that has a name is its own from now on. */
static void hand_over(struct supervisor *supervisor)
{
    int tickets =
        supervisor->config->cert != NULL ? identity_pack_tickets(&supervisor->identity) : -1;
    int rc = upgrade_commit(&supervisor->upgrade, &supervisor->notify, tickets);
    if (tickets >= 0)
        close(tickets);
    if (rc != 0) {
        failed(supervisor);
        return;
    }
    notify_close(&supervisor->notify);
    listen_disown(&supervisor->listeners);
    supervisor->control.file.path[0] = '\0';
    pid_file_release(&supervisor->pid_file);
    supervisor->crew.succeeded = true;
    supervisor_stop(supervisor, false);
    control_socket_close(&supervisor->control);
    if (supervisor->reload_later)
        kill(supervisor->upgrade.pid, SIGHUP);
}

void supervisor_turn_upgrade(struct supervisor *supervisor)
{
    enum upgrade_event event = upgrade_turn(&supervisor->upgrade, clock_ms());
    if (event == UPGRADE_READY)
        hand_over(supervisor);
    else if (event == UPGRADE_FAILED)
        failed(supervisor);
    successor_turn(&supervisor->successor);
}

/* The control socket of the former server, or one of our own. */
static int adopt_control(struct supervisor *supervisor, struct err *err)
{
    char path[4096];
    int rc =
        control_socket_path(supervisor->config, supervisor->listeners.port, path, sizeof(path));
    int fd = rc == 0 ? inherit_take(&supervisor->launch->from, INHERIT_CONTROL, path) : -1;
    if (fd < 0)
        return supervisor_open_control(supervisor, err);
    rc = control_socket_adopt(&supervisor->control, fd, path);
    return rc == 0 ? 0 : err_set(err, rc, "no control socket for qlua status: %s", err_text(rc));
}

void supervisor_take_over(struct supervisor *supervisor)
{
    struct err err = {0};
    supervisor->notify.silent = false;
    listen_own(&supervisor->listeners);
    const char *pid_file = supervisor->config->pid_file;
    if (adopt_control(supervisor, &err) != 0)
        log_write(supervisor->log, LOG_ERROR, "%s", err.message);
    if (pid_file != NULL && pid_file_write(&supervisor->pid_file, pid_file, true, &err) != 0)
        log_write(supervisor->log, LOG_ERROR, "%s", err.message);
    if (supervisor->config->cert != NULL && supervisor->successor.tickets >= 0 &&
        identity_take_tickets(&supervisor->identity, supervisor->successor.tickets) == 0)
        crew_identity_tick(&supervisor->crew);
    successor_close(&supervisor->successor);
    inherit_unlink_rest(&supervisor->launch->from);
    inherit_clear(&supervisor->launch->from);
    crew_open(&supervisor->crew, clock_ms());
}
