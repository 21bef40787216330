/* server/supervisor.c - `qlua run`. See supervisor.h. */
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bind/debug_desk.h"
#include "server/config.h"
#include "server/config_renew.h"
#include "server/crew_reload.h"
#include "server/debug_guard.h"
#include "server/figures.h"
#include "server/launch.h"
#include "server/limits.h"
#include "server/log_files.h"
#include "server/renewal.h"
#include "server/supervisor_internal.h"

/* The loop turns at least so often. */
#define TURN_MS 1000
/* A turn later than this: the supervisor itself was stopped, or the machine was. */
#define LATE_MS 500
/* How long `qlua status` waits for the answer; `qlua reload` waits for two reloads more. */
#define ASK_MS 5000
/* Descriptors that are polled beside those of the workers. */
#define OWN_POLLS 4

/* One line on standard error, as every refusal to start. */
static int refuse(const struct err *err)
{
    fprintf(stderr, "qlua: %s%s%s\n", err->name, err->name[0] != '\0' ? ": " : "", err->message);
    return 1;
}

/* The banner where the log's lines are objects: one of them, in debug mode two. */
static void log_banner(const struct supervisor *supervisor)
{
    const struct config *config = supervisor->config;
    struct buf text = {0};
    buf_printf(&text, "serving %s on", config->app_name);
    for (size_t i = 0; i < supervisor->listeners.count; i++)
        buf_printf(&text, "%s %s", i > 0 ? "," : "", supervisor->listeners.items[i].address);
    buf_printf(&text, ", %lld workers, debug mode %s", (long long)config->workers,
               config->debug ? "on" : "off");
    log_text(supervisor->log, LOG_INFO, buf_view(&text));
    buf_clear(&text);
    if (config->debug_guard != NULL)
        log_write(supervisor->log, LOG_INFO, "debugger at /__qlua__/%s/, PIN %s",
                  config->debug_guard->secret, config->debug_guard->pin);
}

static void print_banner(void *data)
{
    struct supervisor *supervisor = data;
    const struct config *config = supervisor->config;
    supervisor->announced = true;
    supervisor->told = TOLD_READY;
    notify_send(&supervisor->notify, "MAINPID=%d\nREADY=1\nSTATUS=Serving %s on %s", (int)getpid(),
                config->app_name, supervisor->listeners.items[0].address);
    if (supervisor->log->json) {
        log_banner(supervisor);
        return;
    }
    fprintf(stderr, " * Serving qlua app '%s'\n", config->app_name);
    fprintf(stderr, " * Debug mode: %s\n", config->debug ? "on" : "off");
    if (config->debug_guard != NULL)
        fprintf(stderr, " * Debugger: /__qlua__/%s/\n * Debugger PIN: %s\n",
                config->debug_guard->secret, config->debug_guard->pin);
    if (config->workers == 0)
        fprintf(stderr, " * Workers: none, no supervisor (pid %d)\n", (int)getpid());
    else
        fprintf(stderr, " * Workers: %lld (supervisor pid %d)\n", (long long)config->workers,
                (int)getpid());
    for (size_t i = 0; i < supervisor->listeners.count; i++)
        fprintf(stderr, " * Running on %s%s\n", supervisor->listeners.items[i].address,
                i + 1 == supervisor->listeners.count ? " (CTRL + C to quit)" : "");
}

int supervisor_open_control(struct supervisor *supervisor, struct err *err)
{
    char path[4096];
    int rc =
        control_socket_path(supervisor->config, supervisor->listeners.port, path, sizeof(path));
    if (rc != 0)
        return err_set(err, rc, "the path of the control socket is too long");
    rc = control_socket_open(&supervisor->control, path, err);
    if (rc == 0 || supervisor->config->control != NULL)
        return rc;
    log_write(supervisor->log, LOG_WARNING, "no control socket for qlua status: %s", err->message);
    return 0;
}

/* From the first listener on, a signal waits until somebody reads it: here, or in the worker. */
static void hold_signals(sigset_t *set)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        sigaddset(set, wanted[i]);
    sigprocmask(SIG_BLOCK, set, NULL);
}

/* SIGCHLD and the requests to stop come as bytes on a descriptor, never as handlers. */
static int open_signals(struct supervisor *supervisor, struct err *err)
{
    supervisor->signals = signalfd(-1, &supervisor->held, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals >= 0 ? 0 : err_set(err, -errno, "signalfd: %s", err_text(-errno));
}

/* In a child: what only the supervisor may hold. */
static void leave(void *data)
{
    struct supervisor *supervisor = data;
    close(supervisor->signals);
    supervisor_drop_profiles(supervisor);
    control_socket_close(&supervisor->control);
    notify_close(&supervisor->notify);
    upgrade_leave(&supervisor->upgrade);
    successor_close(&supervisor->successor);
    inherit_clear(&supervisor->launch->from);
    pid_file_release(&supervisor->pid_file);
}

void supervisor_stop(struct supervisor *supervisor, bool at_once)
{
    listen_close(&supervisor->listeners);
    upgrade_cancel(&supervisor->upgrade, at_once, clock_ms());
    crew_stop(&supervisor->crew, at_once, clock_ms());
}

/* What the files `cert` and `key` hold now is shown to connections from now on. */
void supervisor_refresh_identity(struct supervisor *supervisor)
{
    if (supervisor->config->cert == NULL)
        return;
    identity_refresh(&supervisor->identity);
    supervisor_show_identity(supervisor);
}

static void send_log(void *data, enum log_file which, int fd)
{
    struct supervisor *supervisor = data;
    crew_send_log(&supervisor->crew, which, fd);
}

static void take_signal(struct supervisor *supervisor, uint32_t number)
{
    bool impatient = number == SIGQUIT || (number == SIGINT && supervisor->stop_asked);
    if (number == SIGHUP) {
        supervisor_wish_reload(supervisor);
    } else if (number == SIGUSR2) {
        supervisor_upgrade(supervisor);
    } else if (number == SIGUSR1) {
        log_files_reopen(supervisor->files, send_log, supervisor);
    } else if (number != SIGCHLD && (impatient || !supervisor->stop_asked)) {
        log_write(supervisor->log, LOG_INFO, "stopping%s", impatient ? " at once" : "");
        supervisor->stop_asked = true;
        supervisor_stop(supervisor, impatient);
    }
}

static void read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        take_signal(supervisor, info.ssi_signo);
    /* one SIGCHLD may stand for several ends: look at all of them, whatever came */
    crew_reap(&supervisor->crew, clock_ms());
}

/* The workers serve with settings that were read anew: ours, too. */
static void renew_settings(struct supervisor *supervisor)
{
    struct config renewed;
    struct err err = {0};
    struct buf fixed = {0};
    if (config_renew(&renewed, supervisor->config, &err) == 0) {
        config_adopt(supervisor->config, &renewed, &fixed);
        supervisor->reload.timeout = (uint64_t)supervisor->config->start_timeout;
        supervisor->files->log.level =
            (enum log_level)log_level_of(slice_cstr(supervisor->config->log_level));
    }
    if (fixed.len > 0)
        log_write(supervisor->log, LOG_WARNING,
                  "settings that have changed and count from the next start on: %.*s",
                  (int)fixed.len, fixed.data);
    buf_clear(&fixed);
    config_clear(&renewed);
}

/* A reload is over: those who asked for it are told. One that was asked for while another ran
 * comes after it. */
static void on_reloaded(void *data, bool ok, const char *text)
{
    struct supervisor *supervisor = data;
    struct buf out = {0};
    const struct reload *reload =
        supervisor->lone != NULL ? &supervisor->lone->reload : &supervisor->reload;
    if (ok)
        renew_settings(supervisor);
    if (reload->ready) { /* else it was dropped, because the server stops */
        history_reload(&supervisor->history, ok, text, clock_ms());
        counter_set(&supervisor->figures.service->generation, reload->serving);
    }
    buf_printf(&out, "%s%s\n", ok ? "ok\n" : "error: ", text);
    /* those that asked while this one ran wait for the next */
    if (!reload->ready || reload->next.why.len == 0)
        control_socket_reply(&supervisor->control, buf_view(&out));
    buf_clear(&out);
}

/* The answer comes when the reload is over. */
static void answer_reload(struct supervisor *supervisor, struct buf *out)
{
    if (supervisor->stop_asked || supervisor->crew.stopping) {
        buf_cstr(out, "error: the server stops\n");
        return;
    }
    if (upgrade_is_running(&supervisor->upgrade)) {
        buf_cstr(out, "error: an upgrade is under way; try again when it is over\n");
        return;
    }
    supervisor_refresh_identity(supervisor);
    if (supervisor->config->workers > 0)
        reload_wish(&supervisor->reload, "qlua reload", RELOAD_ALL, clock_ms());
    else if (supervisor->lone != NULL)
        renewal_wish(supervisor->lone, "qlua reload");
}

static void answer(void *data, struct slice command, struct buf *out)
{
    struct supervisor *supervisor = data;
    bool json = slice_eq(command, SLICE("status json"));
    if (json || slice_eq(command, SLICE("status"))) {
        supervisor_status(supervisor, json, out);
    } else if (slice_eq(command, SLICE("reload"))) {
        answer_reload(supervisor, out);
    } else if (slice_starts_with(command, SLICE("profile "))) {
        supervisor_profile(supervisor, command, out);
    } else {
        buf_cstr(out, "error: the server does not know this command\n");
    }
}

/* Fill the poll set: signals, control socket, channels of an upgrade, one channel a worker. */
static nfds_t gather(struct supervisor *supervisor)
{
    size_t count = 0;
    supervisor->fds[count++] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
    if (supervisor->control.poll_fd >= 0)
        supervisor->fds[count++] =
            (struct pollfd){.fd = supervisor->control.poll_fd, .events = POLLIN};
    if (supervisor->upgrade.channel >= 0)
        supervisor->fds[count++] =
            (struct pollfd){.fd = supervisor->upgrade.channel, .events = POLLIN};
    if (supervisor->successor.channel >= 0)
        supervisor->fds[count++] =
            (struct pollfd){.fd = supervisor->successor.channel, .events = POLLIN};
    for (size_t i = 0; i < supervisor->crew.count; i++) {
        int fd = supervisor->crew.members[i].control_fd;
        if (fd >= 0)
            supervisor->fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return (nfds_t)count;
}

/* Milliseconds that nothing has to be done. */
static int patience(const struct supervisor *supervisor, uint64_t now)
{
    int most = crew_timeout(&supervisor->crew, now, TURN_MS);
    most = upgrade_timeout(&supervisor->upgrade, now, most);
    return notify_timeout(&supervisor->notify, now, most);
}

/* The service manager hears of reloads and of the end. */
static void tell_manager(struct supervisor *supervisor)
{
    const struct reload *reload = &supervisor->reload;
    bool reloading = reload->running && reload->now.scope == RELOAD_ALL;
    notify_tick(&supervisor->notify, clock_ms());
    if (supervisor->crew.stopping && supervisor->told != TOLD_STOPPING) {
        supervisor->told = TOLD_STOPPING;
        notify_send(&supervisor->notify, "STOPPING=1\nSTATUS=Finishing what has begun");
    } else if (reloading && supervisor->told == TOLD_READY) {
        supervisor->told = TOLD_RELOADING;
        notify_reloading(&supervisor->notify, "Loading the app anew");
    } else if (!reloading && supervisor->told == TOLD_RELOADING) {
        supervisor->told = TOLD_READY;
        notify_send(&supervisor->notify, "READY=1\nSTATUS=Serving generation %u", reload->serving);
    }
}

/* One turn: wait, hear everybody, act. */
static void turn(struct supervisor *supervisor)
{
    struct crew *crew = &supervisor->crew;
    uint64_t before = clock_ms();
    int timeout = patience(supervisor, before);
    poll(supervisor->fds, gather(supervisor), timeout);
    uint64_t now = clock_ms();
    if (now - before > (uint64_t)timeout + LATE_MS)
        crew_forgive(crew, now);
    for (size_t i = 0; i < crew->count; i++)
        crew_messages(crew, &crew->members[i], now);
    read_signals(supervisor);
    control_socket_turn(&supervisor->control, now, answer, supervisor);
    supervisor_turn_upgrade(supervisor);
    if (crew->identity != NULL)
        identity_renew_tickets(crew->identity, now);
    crew_tick(crew, clock_ms());
    log_sink_flush(&supervisor->files->sinks[LOG_FILE_LOG]);
    supervisor_note_rate(supervisor, now);
    if (crew->stopping)
        listen_close(&supervisor->listeners);
    if (crew->serving && !crew->stopping && !supervisor->announced &&
        successor_may_serve(&supervisor->successor)) {
        if (crew->held)
            supervisor_take_over(supervisor);
        print_banner(supervisor);
    }
    tell_manager(supervisor);
}

static void open_reload(struct supervisor *supervisor)
{
    supervisor->reload = (struct reload){
        .log = supervisor->log,
        .timeout = (uint64_t)supervisor->config->start_timeout,
        .ask = crew_reload_ask,
        .decide = crew_reload_decide,
        .on_over = on_reloaded,
        .data = &supervisor->crew,
        .over_data = supervisor,
    };
    reload_init(&supervisor->reload);
    supervisor->crew.reload = &supervisor->reload;
}

static int run_crew(struct supervisor *supervisor, struct err *err)
{
    struct crew *crew = &supervisor->crew;
    crew_init(crew, supervisor->config, supervisor->files, &supervisor->listeners,
              &supervisor->figures, clock_ms());
    crew->history = &supervisor->history;
    crew->in_child = leave;
    crew->identity = supervisor->config->cert != NULL ? &supervisor->identity : NULL;
    crew->data = supervisor;
    open_reload(supervisor);
    crew->held = supervisor->successor.waits;
    int rc = privilege_resolve(&crew->privilege, supervisor->config, err);
    if (rc == 0 && !crew->held)
        rc = supervisor_open_control(supervisor, err);
    if (rc == 0)
        rc = open_signals(supervisor, err);
    if (rc != 0) {
        crew_clear(crew);
        return refuse(err);
    }
    supervisor->fds = mem_array(crew->count + OWN_POLLS, sizeof(*supervisor->fds));
    crew_tick(crew, clock_ms());
    while (!crew->stopping || !crew_is_gone(crew) || upgrade_is_running(&supervisor->upgrade))
        turn(supervisor);
    int code = crew->misused ? 2 : crew->failed ? 1 : 0;
    free(supervisor->fds);
    close(supervisor->signals);
    crew_clear(crew);
    reload_clear(&supervisor->reload);
    return code;
}

static void on_ask(void *data)
{
    struct supervisor *supervisor = data;
    supervisor_note_rate(supervisor, clock_ms());
    notify_tick(&supervisor->notify, clock_ms());
    control_socket_turn(&supervisor->control, clock_ms(), answer, supervisor);
}

static void on_renewal(void *data, struct renewal *renewal)
{
    struct supervisor *supervisor = data;
    supervisor->lone = renewal;
    renewal->on_over = on_reloaded;
    renewal->over_data = supervisor;
}

static void on_ready_alone(void *data)
{
    struct supervisor *supervisor = data;
    counter_set(&supervisor->figures.workers->serves, 1);
    print_banner(supervisor);
}

/* --workers 0: this process is the worker. */
static int run_alone(struct supervisor *supervisor, struct err *err)
{
    struct privilege privilege;
    if (supervisor->successor.waits) {
        err_set(err, -EINVAL,
                "no upgrade to a server without a supervisor (workers is 0); restart the server");
        return refuse(err);
    }
    int rc = privilege_resolve(&privilege, supervisor->config, err);
    if (rc == 0 && (rc = privilege_drop(&privilege)) != 0)
        err_set(err, rc, "cannot become the configured user: %s", err_text(rc));
    if (rc == 0)
        rc = supervisor_open_control(supervisor, err);
    if (rc != 0)
        return refuse(err);
    supervisor->files->log.worker = 1; /* what it calls itself */
    struct worker_start start = {
        .config = supervisor->config,
        .files = supervisor->files,
        .generation = 1,
        .id = 1,
        .listeners = supervisor->listeners.fds,
        .nlisteners = supervisor->listeners.count,
        .identity = supervisor->config->cert != NULL ? &supervisor->identity : NULL,
        .control_fd = -1,
        .figures = supervisor->figures.workers,
        .all_figures = &supervisor->figures,
        .on_ready = on_ready_alone,
        .on_ask = on_ask,
        .on_renewal = on_renewal,
        .ask_fd = supervisor->control.poll_fd,
        .data = supervisor,
    };
    rc = worker_run(&start);
    /* the worker has closed them; their numbers may be somebody else's now */
    for (size_t i = 0; i < supervisor->listeners.count; i++)
        supervisor->listeners.fds[i] = -1;
    return rc == WORKER_EXIT_DRAINED ? 0 : rc == WORKER_EXIT_USAGE ? 2 : 1;
}

static void on_failed_write(int number)
{
    (void)number;
}

/* A write to a peer that is gone fails with EPIPE and does no more, one to a file that has reached
 * its limit with EFBIG. Caught, not ignored: an ignored signal stays ignored in the programs that
 * an app starts. */
static void survive_failed_writes(void)
{
    struct sigaction action = {.sa_handler = on_failed_write, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

static int run(struct supervisor *supervisor)
{
    struct err err = {0};
    struct config *config = supervisor->config;
    int rc = limits_set(config, &err);
    if (rc == 0 && config->cert != NULL)
        rc = identity_open(&supervisor->identity, config, supervisor->log, supervisor->started,
                           &err);
    if (rc == 0)
        rc = supervisor_open_figures(supervisor, &err);
    if (rc == 0)
        rc = listen_open(&supervisor->listeners, config, &supervisor->launch->from, &err);
    if (rc != 0) {
        figures_unmap(&supervisor->figures);
        identity_clear(&supervisor->identity);
        return refuse(&err);
    }
    limits_fit(config, supervisor->log, supervisor->listeners.count);
    config->debug_guard = config->debug ? debug_guard_new(supervisor->successor.guard) : NULL;
    if (supervisor->listeners.managed &&
        (config_is_given(config, SLICE("bind")) || config_is_given(config, SLICE("host")) ||
         config_is_given(config, SLICE("port"))))
        log_write(
            supervisor->log, LOG_INFO,
            "the service manager's sockets (LISTEN_FDS) are used; bind, host and port are not");
    if (!supervisor->successor.waits && config->pid_file != NULL)
        rc = pid_file_write(&supervisor->pid_file, config->pid_file, false, &err);
    if (rc != 0)
        rc = refuse(&err);
    else
        rc = config->workers == 0 ? run_alone(supervisor, &err) : run_crew(supervisor, &err);
    control_socket_close(&supervisor->control);
    listen_unlink(&supervisor->control.file);
    listen_close(&supervisor->listeners);
    listen_clear(&supervisor->listeners);
    debug_guard_free(config->debug_guard);
    figures_unmap(&supervisor->figures);
    identity_clear(&supervisor->identity);
    supervisor_drop_profiles(supervisor);
    pid_file_remove(&supervisor->pid_file);
    return rc;
}

int supervisor_run(struct config *config, struct log_files *files, struct launch *launch)
{
    struct supervisor supervisor = {
        .config = config, .log = &files->log, .files = files, .launch = launch, .signals = -1};
    control_socket_init(&supervisor.control);
    upgrade_init(&supervisor.upgrade, launch, supervisor.log);
    successor_init(&supervisor.successor, &launch->from);
    survive_failed_writes();
    hold_signals(&supervisor.held);
    notify_open(&supervisor.notify, supervisor.log);
    supervisor.notify.silent = supervisor.successor.waits;
    supervisor.started = clock_ms();
    int rc = run(&supervisor);
    notify_close(&supervisor.notify);
    successor_close(&supervisor.successor);
    return rc;
}

int supervisor_ask(const struct config *config, const char *command)
{
    char path[4096];
    if (control_socket_path(config, listen_port(config), path, sizeof(path)) != 0) {
        fprintf(stderr, "qlua: the path of the control socket is too long\n");
        return 1;
    }
    bool reload = strcmp(command, "reload") == 0;
    enum control_answer answer = control_socket_ask(
        path, command, ASK_MS + (reload ? 2 * (uint64_t)config->start_timeout : 0));
    /* of `qlua status`: as LSB has it for services, but for 2, a wrong command line */
    static const int codes[] = {[CONTROL_OK] = 0,
                                [CONTROL_DEGRADED] = 1,
                                [CONTROL_ERROR] = 4,
                                [CONTROL_NOBODY] = 3,
                                [CONTROL_BROKEN] = 4};
    return reload && answer != CONTROL_OK ? 1 : codes[answer];
}
