/* server/worker.c - one worker process: loop, listeners, one app, control channel, drain.
 * See worker.h. */
#include "server/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bind/debug_desk.h"
#include "crypto/random.h"
#include "http/coding.h"
#include "http/conn.h"
#include "http/forwarded.h"
#include "http/handler.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/timer.h"
#include "net/tls.h"
#include "server/access_log.h"
#include "server/config.h"
#include "server/config_renew.h"
#include "server/control.h"
#include "server/debug_dispatch.h"
#include "server/dispatch.h"
#include "server/figures.h"
#include "server/identity.h"
#include "server/load_error.h"
#include "server/log_files.h"
#include "server/renewal.h"
#include "store/store.h"

#define TICK_MS 1000
/* How long an idle connection is read on once the server stops, for a request on its way. */
#define DRAIN_IDLE_MS 200
/* The same when others serve on: a client that pauses between requests is told with the answer to
 * the next one, and never sends into a connection that closes. At most half of the time. */
#define LEAVE_IDLE_MS 5000
/* What after_serving has left when draining took all of graceful_timeout. */
#define CLOSING_MS 300
/* What is left to drain when the supervisor has vanished. */
#define ORPHAN_MS 4000

enum worker_state {
    WORKER_LOADING, /* the app file runs; nothing is accepted */
    WORKER_HELD,    /* it could serve; CONTROL_OPEN is awaited */
    WORKER_SERVING,
    WORKER_DRAINING, /* listeners are closed; connections end with their answers */
    WORKER_CLOSING,  /* the last answer is out: the app does what it does after serving */
    WORKER_ENDED     /* the loop has been told to stop */
};

struct worker {
    const struct worker_start *start;
    const struct log *log;
    struct loop *loop;
    struct http_server http;
    struct coding_rules coding; /* which answers are compressed */
    struct dispatcher dispatcher;
    struct renewal renewal; /* the app: its generations */
    struct stores stores;
    struct debug_desk desk; /* debug mode */
    struct listener **listeners;
    struct tls_context *tls; /* of connections to come; NULL: no TLS */
    uint32_t tls_version;    /* the identity's, of which it is made */
    struct watch *control;
    struct watch *ask; /* --workers 0: the control socket */
    struct signal_watch *signals[6];
    struct timer tick;
    struct timer drain;     /* the end of graceful_timeout */
    uint64_t requests_left; /* until max_requests; 0: no limit */
    bool full;              /* listeners pause: max_connections are open */
    uint8_t state;          /* enum worker_state */
    int exit_code;
};

static void worker_end(struct worker *worker, int exit_code)
{
    if (worker->state == WORKER_ENDED)
        return;
    worker->state = WORKER_ENDED;
    worker->exit_code = exit_code;
    loop_stop(worker->loop);
}

/* ---- stopping ---- */

static void close_listeners(struct worker *worker)
{
    for (size_t i = 0; i < worker->start->nlisteners; i++) {
        if (worker->listeners != NULL && worker->listeners[i] != NULL)
            listener_drain(worker->listeners[i]); /* what is queued is ours to answer */
        close(worker->start->listeners[i]);
    }
    free(worker->listeners);
    worker->listeners = NULL;
}

static void on_shut_down(void *data)
{
    worker_end(data, WORKER_EXIT_DRAINED);
}

/* Background tasks and after_serving: they may wait, while the loop turns. */
static void close_app(struct worker *worker)
{
    if (worker->state != WORKER_DRAINING)
        return;
    worker->state = WORKER_CLOSING;
    renewal_shut_down(&worker->renewal);
}

static void on_drain_over(struct timer *timer)
{
    struct worker *worker = LIST_ENTRY(timer, struct worker, drain);
    if (worker->state == WORKER_DRAINING) {
        log_write(worker->log, LOG_WARNING,
                  "%u connections cut: they did not end within graceful_timeout",
                  worker->http.connections);
        timer_start(worker->loop, timer, CLOSING_MS);
        close_app(worker);
        return;
    }
    log_write(worker->log, LOG_WARNING,
              "after_serving and background tasks cut: they did not end within graceful_timeout");
    worker_end(worker, WORKER_EXIT_DRAINED);
}

static void worker_stop(struct worker *worker, uint64_t left_ms, uint64_t idle_ms)
{
    if (worker->state == WORKER_LOADING) {
        worker_end(worker, WORKER_EXIT_DRAINED);
        return;
    }
    if (worker->state != WORKER_SERVING && worker->state != WORKER_HELD)
        return;
    worker->state = WORKER_DRAINING;
    close_listeners(worker);
    http_server_drain(&worker->http, (uint32_t)idle_ms);
    timer_start(worker->loop, &worker->drain, left_ms);
    if (worker->http.connections == 0)
        close_app(worker);
}

/* ---- what dispatch tells ---- */

static void on_closed(void *data)
{
    struct worker *worker = data;
    if (worker->state == WORKER_DRAINING && worker->http.connections == 0) {
        close_app(worker);
    } else if (worker->full && worker->state == WORKER_SERVING) {
        worker->full = false;
        for (size_t i = 0; i < worker->start->nlisteners; i++)
            listener_resume(worker->listeners[i]);
    }
}

static void on_answered(void *data)
{
    struct worker *worker = data;
    if (worker->requests_left == 0 || --worker->requests_left > 0)
        return;
    /* asked again after as many more: a replacement may fail to load */
    worker->requests_left = (uint64_t)worker->start->config->max_requests;
    if (worker->start->control_fd >= 0)
        control_send(worker->start->control_fd, CONTROL_RETIRE, 0);
}

static void on_accept(void *data, struct stream *stream)
{
    struct worker *worker = data;
    conn_open(&worker->http, stream);
    if (worker->http.connections < (uint32_t)worker->start->config->max_connections)
        return;
    worker->full = true; /* the rest waits in the kernel, or goes to another worker */
    for (size_t i = 0; i < worker->start->nlisteners; i++)
        if (worker->listeners != NULL && worker->listeners[i] != NULL)
            listener_pause(worker->listeners[i]);
}

static void on_accept_secure(void *data, struct stream *stream)
{
    struct worker *worker = data;
    on_accept(worker, tls_stream_new(worker->tls, stream));
}

/* ---- TLS ---- */

/* Connections that are open keep what they began with. False: there is no TLS, though it is
 * wanted. */
static bool renew_tls(struct worker *worker)
{
    const struct identity *identity = worker->start->identity;
    if (identity == NULL || worker->tls_version == identity->version)
        return true;
    struct tls_context *context = identity_context(identity);
    worker->tls_version = identity->version;
    if (context == NULL)
        return false;
    tls_context_unref(&worker->tls);
    worker->tls = context;
    return true;
}

static void take_identity(struct worker *worker, int fd)
{
    int rc = worker->start->identity == NULL ? 0 : identity_take(worker->start->identity, fd);
    if (rc != 0)
        log_write(worker->log, LOG_ERROR, "a new certificate did not arrive: %s", err_text(rc));
    renew_tls(worker);
}

/* With --workers 0 nobody else does what a supervisor does. */
static void tick_identity(struct worker *worker)
{
    struct identity *identity = worker->start->identity;
    if (identity == NULL || worker->start->control_fd >= 0)
        return;
    identity_renew_tickets(identity, clock_ms());
    renew_tls(worker);
}

/* A Unix socket is plain: who can reach it is on this machine, a proxy as a rule. */
static bool is_unix(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    return getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.ss_family == AF_UNIX;
}

/* ---- the second's tick ---- */

/* What the worker says of itself beside what is counted as it happens. */
static void report(struct worker *worker)
{
    struct worker_figures *figures = worker->start->figures;
    uint64_t states[] = {[STORE_LMDB] = STORE_FIGURE_NONE, [STORE_REDIS] = STORE_FIGURE_NONE};
    const struct list *open = &worker->stores.open;
    for (const struct list *node = open->next; node != open; node = node->next) {
        const struct store *store = LIST_ENTRY(node, const struct store, node);
        uint64_t state = store->failing ? STORE_FIGURE_FAILING : STORE_FIGURE_WELL;
        if (states[store->kind] < state)
            states[store->kind] = state;
    }
    counter_set(&figures->lmdb, states[STORE_LMDB]);
    counter_set(&figures->redis, states[STORE_REDIS]);
    generations_report(&worker->renewal.generations);
}

static void beat(struct worker *worker)
{
    counter_set(&worker->start->figures->beat_ms, clock_ms());
    report(worker);
}

static void on_tick(struct timer *timer)
{
    struct worker *worker = LIST_ENTRY(timer, struct worker, tick);
    http_server_tick(&worker->http, clock_seconds());
    beat(worker);
    renewal_tick(&worker->renewal);
    tick_identity(worker);
    log_sink_flush(&worker->start->files->sinks[LOG_FILE_LOG]);
    if (worker->dispatcher.access_log != NULL)
        access_log_tick(worker->dispatcher.access_log);
    if (worker->start->on_ask != NULL)
        worker->start->on_ask(worker->start->data);
    timer_start(worker->loop, timer, TICK_MS);
}

/* --workers 0: somebody asks. */
static void on_ask(void *data)
{
    struct worker *worker = data;
    if (worker->state == WORKER_SERVING)
        report(worker);
    worker->start->on_ask(worker->start->data);
}

/* ---- from loading to serving ---- */

static void start_serving(struct worker *worker)
{
    const struct worker_start *start = worker->start;
    worker->listeners = mem_array(start->nlisteners + 1, sizeof(*worker->listeners));
    for (size_t i = 0; i < start->nlisteners; i++)
        worker->listeners[i] = listener_new(
            worker->loop, worker->log, start->listeners[i],
            worker->tls != NULL && !is_unix(start->listeners[i]) ? on_accept_secure : on_accept,
            worker);
    worker->state = WORKER_SERVING;
    beat(worker);
}

/* What a former server left is ours now. */
static void open_held(struct worker *worker)
{
    renewal_open(&worker->renewal);
    if (worker->state == WORKER_HELD)
        start_serving(worker);
}

static void on_loaded(void *data, const char *error)
{
    struct worker *worker = data;
    const struct worker_start *start = worker->start;
    if (worker->state != WORKER_LOADING)
        return;
    if (error != NULL) {
        load_error_tell(worker->start->files, error);
        bool usage = worker->renewal.generations.exit_code != 0;
        worker_end(worker, usage ? WORKER_EXIT_USAGE : WORKER_EXIT_NO_START);
        return;
    }
    if (worker->renewal.hold)
        worker->state = WORKER_HELD;
    else
        start_serving(worker);
    if (start->control_fd >= 0)
        control_send(start->control_fd, CONTROL_READY, 0);
    if (start->on_ready != NULL)
        start->on_ready(start->data);
}

/* ---- control channel and signals ---- */

/* A log's file was opened again; what has gathered still belongs to the one before. */
static void take_log(struct worker *worker, struct control_message *message)
{
    if (message->fd < 0 || message->value >= LOG_FILES)
        return;
    if (message->value == LOG_FILE_ACCESS && worker->dispatcher.access_log != NULL)
        access_log_flush(worker->dispatcher.access_log);
    log_files_take(worker->start->files, (enum log_file)message->value, message->fd);
    message->fd = -1;
}

static uint64_t leave_idle_ms(uint64_t left_ms)
{
    return left_ms / 2 < LEAVE_IDLE_MS ? left_ms / 2 : LEAVE_IDLE_MS;
}

static void on_control(void *data)
{
    struct worker *worker = data;
    struct control_message message;
    int rc;
    while ((rc = control_receive(worker->start->control_fd, &message)) > 0) {
        if (message.type == CONTROL_STOP)
            worker_stop(worker, message.value, DRAIN_IDLE_MS);
        else if (message.type == CONTROL_LEAVE)
            worker_stop(worker, message.value, leave_idle_ms(message.value));
        else if (message.type == CONTROL_STOP_NOW)
            worker_end(worker, WORKER_EXIT_DRAINED);
        else if (message.type == CONTROL_IDENTITY)
            take_identity(worker, message.fd);
        else if (message.type == CONTROL_OPEN)
            open_held(worker);
        else if (message.type == CONTROL_LOG)
            take_log(worker, &message);
        else if (worker->state == WORKER_SERVING)
            renewal_take(&worker->renewal, &message);
        if (message.fd >= 0)
            close(message.fd);
    }
    if (worker->state == WORKER_SERVING)
        report(worker); /* a generation may have come or gone */
    if (rc == 0)
        return;
    loop_unwatch(worker->control);
    worker->control = NULL;
    worker_stop(worker, ORPHAN_MS,
                DRAIN_IDLE_MS); /* the supervisor is gone: nobody would ever stop us */
}

/* --workers 0 */
static void reopen_logs(struct worker *worker)
{
    if (worker->dispatcher.access_log != NULL)
        access_log_flush(worker->dispatcher.access_log);
    log_files_reopen(worker->start->files, NULL, NULL);
}

static void on_signal(void *data, int number)
{
    struct worker *worker = data;
    if (number == SIGQUIT || (number == SIGINT && worker->state >= WORKER_DRAINING))
        worker_end(worker, WORKER_EXIT_DRAINED);
    else if (number == SIGHUP) {
        if (worker->start->identity != NULL)
            identity_refresh(worker->start->identity);
        renew_tls(worker);
        renewal_wish(&worker->renewal, "SIGHUP");
    } else if (number == SIGUSR2)
        log_write(worker->log, LOG_WARNING,
                  "SIGUSR2: no upgrade: without a supervisor (workers is 0) there is nobody to "
                  "hand over; restart the server");
    else if (number == SIGUSR1)
        reopen_logs(worker);
    else
        worker_stop(worker, (uint64_t)worker->start->config->graceful_timeout, DRAIN_IDLE_MS);
}

/* Under a supervisor only SIGTERM is ours: the others go to the whole group of a terminal, and
 * the supervisor decides. What was sent to us while we started comes now. */
static void watch_signals(struct worker *worker)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    size_t count = worker->start->control_fd >= 0 ? 1 : sizeof(numbers) / sizeof(numbers[0]);
    for (size_t i = 0; i < count; i++)
        worker->signals[i] = signal_watch_new(worker->loop, numbers[i], on_signal, worker);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- starting ---- */

static void open_access_log(struct worker *worker)
{
    struct log_files *files = worker->start->files;
    if (!files->access)
        return;
    worker->dispatcher.access_log =
        access_log_new(worker->loop, &files->sinks[LOG_FILE_ACCESS], &files->log,
                       worker->start->config->access_log_format);
    worker->http.keep_heads = access_log_needs_heads(worker->dispatcher.access_log);
}

static uint64_t chance(void)
{
    uint64_t number;
    random_bytes(&number, sizeof(number));
    return number >> 1; /* so that a limit of any size may be added to 1 */
}

static void take_max_requests(struct worker *worker)
{
    const struct config *config = worker->start->config;
    worker->requests_left = (uint64_t)config->max_requests;
    if (config->max_requests > 0 && config->max_requests_jitter > 0)
        worker->requests_left += chance() % ((uint64_t)config->max_requests_jitter + 1);
}

/* The settings that connections and requests go by, as they are now. */
static void take_settings(struct worker *worker)
{
    const struct config *config = worker->start->config;
    worker->http.settings = (struct http_settings){
        .max_header_size = (size_t)config->max_header_size,
        .max_target_size = (size_t)config->max_target_size,
        .header_timeout_ms = (uint32_t)config->header_timeout,
        .keep_alive_timeout_ms = (uint32_t)config->keep_alive_timeout,
        .server_header =
            config->server_header == NULL ? SLICE("") : slice_cstr(config->server_header),
    };
    worker->coding = (struct coding_rules){
        .types = config->gzip_types.items,
        .ntypes = config->gzip_types.count,
        .min_size = (uint64_t)config->gzip_min_size,
    };
    if (config->gzip)
        worker->http.settings.coding = &worker->coding;
    worker->dispatcher.metrics.path =
        config->metrics_path == NULL ? SLICE("") : slice_cstr(config->metrics_path);
    trust_free(worker->dispatcher.trusted);
    worker->dispatcher.trusted =
        trust_new(config->trusted_proxies.items, config->trusted_proxies.count);
    worker->start->files->log.level = (enum log_level)log_level_of(slice_cstr(config->log_level));
}

/* New code serves: what its settings say counts for all from now on. */
static void on_settings(void *data, const struct config *renewed)
{
    struct worker *worker = data;
    struct config *config = worker->start->config;
    int64_t most = config->max_requests, jitter = config->max_requests_jitter;
    config_adopt(config, renewed, NULL);
    take_settings(worker);
    if (config->max_requests != most || config->max_requests_jitter != jitter)
        take_max_requests(worker);
}

static void set_up_http(struct worker *worker)
{
    http_server_init(&worker->http, worker->loop, worker->log);
    worker->http.figures = &worker->start->figures->http;
    worker->http.handler = &dispatch_handler;
    worker->http.data = &worker->dispatcher;
    worker->dispatcher =
        (struct dispatcher){.on_closed = on_closed, .on_done = on_answered, .data = worker};
    worker->dispatcher.figures = worker->start->figures;
    worker->dispatcher.metrics.figures = worker->start->all_figures;
    take_settings(worker);
    const struct config *config = worker->start->config;
    if (config->debug_guard != NULL) {
        debug_desk_init(&worker->desk, config->debug_guard,
                        trust_new(config->debug_allow.items, config->debug_allow.count));
        worker->dispatcher.desk = &worker->desk;
        worker->http.handler = &debug_dispatch_handler;
    }
    take_max_requests(worker);
}

static void load(struct worker *worker)
{
    const struct worker_start *start = worker->start;
    worker->renewal.dispatcher = &worker->dispatcher;
    worker->renewal.control_fd = start->control_fd;
    worker->renewal.hold = start->hold;
    worker->renewal.on_first = on_loaded;
    worker->renewal.on_shut_down = on_shut_down;
    worker->renewal.on_settings = on_settings;
    worker->renewal.data = worker;
    worker->renewal.generations = (struct generations){
        .loop = worker->loop,
        .log = &start->files->log,
        .config = start->config,
        .stores = &worker->stores,
        .desk = worker->dispatcher.desk,
        .worker_id = start->id,
        .is_lone = start->control_fd < 0,
        .figures = start->figures,
    };
    if (start->on_renewal != NULL)
        start->on_renewal(start->data, &worker->renewal);
    renewal_start(&worker->renewal, start->generation);
}

static void tear_down(struct worker *worker)
{
    close_listeners(worker);
    loop_unwatch(worker->control);
    loop_unwatch(worker->ask);
    timer_stop(&worker->tick);
    timer_stop(&worker->drain);
    worker->dispatcher.on_closed = NULL;
    http_server_abort(&worker->http);
    while (worker->http.connections > 0)
        loop_turn(worker->loop, true);
    if (worker->renewal.dispatcher != NULL) /* else it never came to load */
        renewal_clear(&worker->renewal);
    stores_close(&worker->stores); /* what is queued is written */
    access_log_free(worker->dispatcher.access_log);
    trust_free(worker->dispatcher.trusted);
    debug_desk_clear(&worker->desk);
    http_server_clear(&worker->http);
    tls_context_unref(&worker->tls);
    /* not before: a signal that comes twice would kill us where clean-up runs */
    for (size_t i = 0; i < sizeof(worker->signals) / sizeof(worker->signals[0]); i++)
        signal_watch_free(worker->signals[i]);
    signal(SIGTERM, SIG_IGN); /* the exit code is that of the first one */
    loop_free(worker->loop);
}

int worker_run(const struct worker_start *start)
{
    struct worker worker = {.start = start, .log = &start->files->log};
    setvbuf(stdout, NULL, _IOLBF, 0);
    worker.loop = loop_new();
    if (worker.loop == NULL)
        return WORKER_EXIT_FAILED;
    stores_init(&worker.stores, worker.loop, worker.log);
    timer_init(&worker.tick, on_tick);
    timer_init(&worker.drain, on_drain_over);
    set_up_http(&worker);
    watch_signals(&worker);
    if (start->control_fd >= 0)
        worker.control = loop_watch(worker.loop, start->control_fd, on_control, &worker);
    else if (start->ask_fd >= 0)
        worker.ask = loop_watch(worker.loop, start->ask_fd, on_ask, &worker);
    worker.exit_code = WORKER_EXIT_NO_START;
    open_access_log(&worker);
    if (renew_tls(&worker)) {
        load(&worker);
        timer_start(worker.loop, &worker.tick, TICK_MS);
        if (worker.state != WORKER_ENDED)
            loop_run(worker.loop);
    }
    tear_down(&worker);
    return worker.exit_code;
}
