/* server/generations.c - the generations of a worker. See generations.h. */
#include "server/generations.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bind/profile.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/load.h"
#include "http/request.h"
#include "net/file_watch.h"
#include "net/loop.h"
#include "net/timer.h"
#include "script/jit.h"
#include "script/slice.h"
#include "script/state.h"
#include "script/task.h"
#include "script/watchdog.h"
#include "server/config.h"
#include "server/config_renew.h"
#include "server/figures.h"
#include "server/generation.h"
#include "server/testing.h"

/* That serve or still have requests; when there are more, the oldest is closed. */
#define MOST_LIVE 3
/* What cancelled tasks get for their clean-up, and after_serving when it must end. */
#define CUT_MS 1000
/* Until the collector looks whether garbage is all that holds an old generation. */
#define LOOK_MS 1000

enum life_state {
    LIFE_LOADING,  /* the app file, before_serving */
    LIFE_PREPARED, /* waits for commit or drop */
    LIFE_SERVING,  /* new requests go there */
    LIFE_RETIRED,  /* newer code serves: its requests and background tasks end */
    LIFE_SHUTTING, /* its last request is over: after_serving */
    LIFE_ENDING,   /* whatever still runs is cancelled, whoever still waits is cut */
    LIFE_SWEEPING, /* nothing runs: its memory is given back piece by piece */
    LIFE_GONE      /* the worker ends */
};

struct life {
    struct list node;
    struct generations *all;
    struct generation *generation;
    struct config *config; /* the settings as they were when this was loaded; NULL: the worker's */
    uint8_t state;         /* enum life_state */
    bool is_due;           /* RETIRED: nothing of it was asked to end yet by force */
    bool tasks_over;       /* its background tasks have ended, or never began */
    bool begun;            /* its background tasks were begun */
    bool started;          /* before_serving has run */
    bool collecting;       /* RETIRED: a collection is under way */
    struct timer drain;    /* the end of drain_timeout, or of CUT_MS */
    struct timer look;     /* to collect in RETIRED */
    struct later turn;     /* ENDING, SWEEPING: one step a turn of the loop */
};

static const char *const no_args[] = {NULL};

void generations_init(struct generations *all)
{
    list_init(&all->lives);
    all->next = all->serving = NULL;
    all->shutting_down = false;
    all->exit_code = 0;
}

/* ---- the end of a life ---- */

static void life_free(struct life *life)
{
    timer_stop(&life->drain);
    timer_stop(&life->look);
    list_remove(&life->node);
    generation_close(&life->generation);
    if (life->config != NULL) {
        config_clear(life->config);
        free(life->config);
    }
    free(life);
}

static void take_turn(struct life *life)
{
    loop_later(life->all->loop, &life->turn);
}

static void begin_tasks(struct generations *all);

static void end_life(struct life *life)
{
    if (life->state >= LIFE_ENDING)
        return;
    life->state = LIFE_ENDING;
    life->tasks_over = true;
    timer_stop(&life->look);
    timer_start(life->all->loop, &life->drain, CUT_MS);
    take_turn(life);
    begin_tasks(life->all);
}

/* Requests that no task of theirs will answer any more. */
static void cut_requests(struct generation *g)
{
    struct list kept;
    list_init(&kept);
    while (!list_is_empty(&g->exchanges)) {
        struct exchange *x = LIST_ENTRY(g->exchanges.next, struct exchange, node);
        list_remove(&x->node);
        list_append(&kept, &x->node);
        task_context_ref(&x->context);
        struct task_context *held = &x->context;
        if (x->req->answer_state != ANSWER_DONE && !x->req->gone)
            request_abort(x->req);
        task_context_unref(g->script, &held);
    }
    while (!list_is_empty(&kept)) {
        struct list *node = kept.next;
        list_remove(node);
        list_append(&g->exchanges, node);
    }
}

static void sweep(struct life *life)
{
    life->state = LIFE_SWEEPING;
    life->generation->on_idle = NULL;
    timer_stop(&life->drain);
    slice_empty(life->generation->script);
    take_turn(life);
}

static void shut(struct life *life);

static void end_step(struct life *life)
{
    struct generation *g = life->generation;
    tasks_cancel(g->script); /* again: clean-up may have started others */
    testing_abort(g);
    if (g->script->live_count > 0 || !testing_is_over(g)) {
        take_turn(life);
        return;
    }
    cut_requests(g);
    sweep(life);
}

static void sweep_step(struct life *life)
{
    struct generation *g = life->generation;
    if (!slice_collect(g->script)) {
        take_turn(life);
    } else if (g->refs == 1 && testing_is_over(g)) {
        life->generation = NULL;
        generation_free_aside(g);
        life_free(life);
    } else {
        timer_start(life->all->loop, &life->look, LOOK_MS); /* a request still lives */
    }
}

/* One step, at the end of a turn of the loop: never within a task. */
static void on_turn(void *data)
{
    struct life *life = data;
    if (life->state == LIFE_RETIRED && life->generation->refs == 1 && life->tasks_over) {
        shut(life);
    } else if (life->state == LIFE_RETIRED && life->collecting) {
        life->collecting = !slice_collect(life->generation->script);
        if (life->collecting)
            take_turn(life);
    } else if (life->state == LIFE_ENDING) {
        end_step(life);
    } else if (life->state == LIFE_SWEEPING) {
        sweep_step(life);
    }
}

static void check_shut_down(struct generations *all)
{
    if (!all->shutting_down)
        return;
    for (struct list *node = all->lives.next; node != &all->lives; node = node->next)
        if (LIST_ENTRY(node, struct life, node)->state < LIFE_ENDING)
            return;
    all->shutting_down = false;
    all->on_shut_down(all->data);
}

static void on_shut(void *data, const char *error)
{
    struct life *life = data;
    if (error != NULL && life->state == LIFE_SHUTTING)
        log_trace(life->all->log, error, "Exception at shutdown");
    if (life->state == LIFE_SHUTTING && life->all->shutting_down)
        life->state = LIFE_GONE; /* the worker cuts what is left, all at once */
    else if (life->state == LIFE_SHUTTING)
        end_life(life);
    check_shut_down(life->all);
}

static void shut(struct life *life)
{
    life->state = LIFE_SHUTTING;
    timer_stop(&life->look);
    generation_run(life->generation, "shutdown", no_args, on_shut, life);
}

/* ---- retired: until the last request is over ---- */

/* Called within a task that ends: what follows must wait for the end of the turn. */
static void on_idle(void *data)
{
    take_turn(data);
}

/* "GET /slow (and 2 more)": what the generation still waits for. */
static void name_requests(const struct generation *g, struct buf *out)
{
    unsigned more = 0;
    for (const struct list *node = g->exchanges.next; node != &g->exchanges; node = node->next) {
        const struct exchange *x = LIST_ENTRY(node, const struct exchange, node);
        if (node != g->exchanges.next) {
            more++;
            continue;
        }
        buf_slice(out, method_name(request_method(x->req)));
        buf_char(out, ' ');
        buf_slice(out, x->req->target.path);
    }
    if (list_is_empty(&g->exchanges))
        buf_cstr(out, "background tasks or after_serving");
    if (more > 0)
        buf_printf(out, " and %u more", more);
}

/* It will not end by itself: cancel what runs; after_serving still comes, within CUT_MS. */
static void cut(struct life *life, const char *why)
{
    struct generation *g = life->generation;
    struct buf names = {0};
    name_requests(g, &names);
    log_write(life->all->log, LOG_WARNING, "generation %u is closed %s: %.*s did not end",
              g->number, why, (int)names.len, names.data);
    buf_clear(&names);
    life->is_due = false;
    timer_start(life->all->loop, &life->drain, CUT_MS);
    tasks_cancel(g->script);
    take_turn(life);
}

static void on_drain_over(struct timer *timer)
{
    struct life *life = LIST_ENTRY(timer, struct life, drain);
    char why[64];
    if (life->state == LIFE_ENDING) {
        /* clean-up that does not end: its tasks are not resumed any more */
        cut_requests(life->generation);
        sweep(life);
    } else if (life->is_due) {
        snprintf(why, sizeof(why), "after %g s (drain_timeout)",
                 (double)life->all->config->drain_timeout / 1000);
        cut(life, why);
    } else if (life->state == LIFE_RETIRED || life->state == LIFE_SHUTTING) {
        cut_requests(life->generation);
        end_life(life);
    }
}

/* Nothing runs, but a closure may hold a request: garbage that no work of its own collects. */
static void on_look(struct timer *timer)
{
    struct life *life = LIST_ENTRY(timer, struct life, look);
    struct script *script = life->generation->script;
    if (life->state == LIFE_SWEEPING || (life->state == LIFE_RETIRED && script->live_count == 0)) {
        life->collecting = true;
        script->cycles = 0;
        take_turn(life);
    }
    if (life->state == LIFE_RETIRED)
        timer_start(life->all->loop, timer, LOOK_MS);
}

static void on_tasks_over(void *data, const char *error)
{
    struct life *life = data;
    (void)error; /* its tasks were cancelled with the generation */
    life->tasks_over = true;
    take_turn(life);
    begin_tasks(life->all);
}

static void retire(struct life *life)
{
    struct generations *all = life->all;
    uint64_t timeout = (uint64_t)all->config->drain_timeout;
    life->state = LIFE_RETIRED;
    life->is_due = true;
    life->generation->on_idle = on_idle;
    life->generation->idle = life;
    timer_start(all->loop, &life->drain, timeout);
    timer_start(all->loop, &life->look, LOOK_MS);
    generation_run(life->generation, "retire", no_args, on_tasks_over, life);
}

/* At most MOST_LIVE: the oldest makes room. */
static void make_room(struct generations *all)
{
    int live = 0;
    struct life *oldest = NULL;
    for (struct list *node = all->lives.next; node != &all->lives; node = node->next) {
        struct life *life = LIST_ENTRY(node, struct life, node);
        if (life->state != LIFE_SERVING && (life->state != LIFE_RETIRED || !life->is_due))
            continue;
        live++;
        if (oldest == NULL && life->state == LIFE_RETIRED)
            oldest = life;
    }
    if (live > MOST_LIVE && oldest != NULL)
        cut(oldest, "because three newer ones live");
}

/* ---- commit and drop ---- */

static void on_step(void *data, const char *error)
{
    struct life *life = data;
    if (error != NULL)
        log_trace(life->all->log, error, "Exception in a new generation");
}

/* Background tasks of the one that serves begin when those of the ones before have ended. */
static void begin_tasks(struct generations *all)
{
    struct life *serving = all->serving;
    if (serving == NULL || serving->begun || serving->state != LIFE_SERVING || all->shutting_down)
        return;
    for (struct list *node = all->lives.next; node != &all->lives; node = node->next) {
        struct life *life = LIST_ENTRY(node, struct life, node);
        if (life->state == LIFE_RETIRED && !life->tasks_over)
            return;
    }
    serving->begun = true;
    generation_run(serving->generation, "begin", no_args, on_step, serving);
}

bool generations_commit(struct generations *all, uint32_t number)
{
    struct life *life = all->next, *old = all->serving;
    if (life == NULL || life->state != LIFE_PREPARED || life->generation->number != number)
        return false;
    all->next = NULL;
    all->serving = life;
    life->state = LIFE_SERVING;
    slice_end(life->generation->script);
    if (old != NULL)
        generation_profile_end(old->generation);
    watchdog_take(life->generation->script);
    generation_run(life->generation, "commit", no_args, on_step, life);
    *all->current = life->generation;
    if (life->config != NULL)
        all->on_settings(all->data, life->config);
    if (all->files != NULL)
        file_watch_prune(all->files, number);
    if (old != NULL)
        retire(old);
    begin_tasks(all);
    make_room(all);
    return true;
}

void generations_drop(struct generations *all)
{
    struct life *life = all->next;
    if (life == NULL)
        return;
    all->next = NULL;
    life->is_due = false;
    timer_start(all->loop, &life->drain, (uint64_t)all->config->graceful_timeout);
    if (life->started)
        shut(life); /* what before_serving opened is closed */
    else
        end_life(life);
}

/* ---- prepare ---- */

static void on_prepared(void *data, const char *error)
{
    struct life *life = data;
    struct generations *all = life->all;
    uint32_t number = life->generation->number;
    if (all->next != life)
        return; /* dropped meanwhile */
    if (error == NULL) {
        life->state = LIFE_PREPARED;
        life->started = true;
        life->generation->loading_cpu_ns = 0;
        all->on_prepared(all->data, number, NULL);
        return;
    }
    all->next = NULL;
    all->exit_code = life->generation->exit_code;
    end_life(life);
    all->on_prepared(all->data, number, error);
}

/* Config file and .env may have changed too: settings and the app's keys are read anew. */
static int read_config(struct life *life, struct err *err)
{
    life->config = mem_zalloc(sizeof(*life->config));
    int rc = config_renew(life->config, life->all->config, err);
    if (rc != -EACCES)
        return rc;
    log_write(life->all->log, LOG_WARNING,
              "%s: %s: settings and app keys stay as they were; let the workers' user read it",
              err->name, err->message);
    config_clear(life->config);
    free(life->config);
    life->config = NULL;
    *err = (struct err){0};
    return 0;
}

static void refuse(struct generations *all, uint32_t number, const struct err *err)
{
    char text[2048];
    if (err->name[0] != '\0' && err->line > 0)
        snprintf(text, sizeof(text), "%s:%d: %s", err->name, err->line, err->message);
    else
        snprintf(text, sizeof(text), "%s%s%s", err->name, err->name[0] != '\0' ? ": " : "",
                 err->message);
    all->on_prepared(all->data, number, text);
}

/* What is read whatever the code requires. */
static void watch_sources(struct generations *all, uint32_t number)
{
    const char *file = all->config->file;
    char path[PATH_MAX];
    if (all->files == NULL)
        return;
    file_watch_add(all->files, all->config->app_path, number);
    snprintf(path, sizeof(path), "%s/.env", all->config->app_root);
    file_watch_add(all->files, path, number);
    if (file == NULL)
        return;
    if (file[0] != '/' && getcwd(path, sizeof(path)) != NULL) {
        size_t len = strlen(path);
        snprintf(path + len, sizeof(path) - len, "/%s", file);
        file = path;
    }
    file_watch_add(all->files, file, number);
}

void generations_prepare(struct generations *all, uint32_t number)
{
    const struct config *config = all->config;
    struct err err = {0};
    generations_drop(all);
    struct life *life = mem_zalloc(sizeof(*life));
    life->all = all;
    list_append(&all->lives, &life->node);
    timer_init(&life->drain, on_drain_over);
    timer_init(&life->look, on_look);
    life->turn = (struct later){.fn = on_turn, .data = life};
    watch_sources(all, number);
    if ((all->serving == NULL || read_config(life, &err) == 0)) {
        config = life->config != NULL ? life->config : config;
        life->generation =
            generation_new(all->loop, all->log, config, all->worker_id, number, &err);
    }
    if (life->generation == NULL) {
        life_free(life);
        refuse(all, number, &err);
        return;
    }
    struct generation *g = life->generation;
    g->stores = all->stores;
    g->errors = &all->figures->errors;
    g->desk = all->desk;
    generation_watch(g, config);
    g->files = all->files;
    all->next = life;
    if (all->serving != NULL || all->is_lone)
        slice_begin(g->script);
    const char *args[] = {config->app_path, config->app_name, NULL};
    generation_run(g, "prepare", args, on_prepared, life);
}

/* ---- the end of the worker ---- */

void generations_shut_down(struct generations *all)
{
    all->shutting_down = true;
    generations_drop(all);
    struct list *node = all->lives.next;
    while (node != &all->lives) {
        struct life *life = LIST_ENTRY(node, struct life, node);
        node = node->next;
        if (life->state == LIFE_SERVING || life->state == LIFE_RETIRED)
            shut(life);
    }
    check_shut_down(all);
}

/* Its number and its requests: each holds a reference, beside ours. */
static void report_life(struct generation_figures *figures, const struct life *life)
{
    const struct generation *g = life->generation;
    counter_set(&figures->requests, g->refs > 1 ? g->refs - 1 : 0);
    counter_set(&figures->number, g->number);
}

void generations_report(const struct generations *all)
{
    struct worker_figures *figures = all->figures;
    size_t count = 0, bytes = 0;
    if (all->serving != NULL) {
        bool on;
        unsigned traces;
        script_jit(all->serving->generation->script, &on, &traces);
        counter_set(&figures->jit, on);
        counter_set(&figures->traces, traces);
        report_life(&figures->generations[count++], all->serving);
    }
    for (const struct list *node = all->lives.next; node != &all->lives; node = node->next) {
        const struct life *life = LIST_ENTRY(node, const struct life, node);
        if (life->generation == NULL)
            continue;
        bytes += life->generation->script->used;
        bool ends = life->state >= LIFE_RETIRED && life->state <= LIFE_ENDING;
        if (ends && count < FIGURES_GENERATIONS)
            report_life(&figures->generations[count++], life);
    }
    for (; count < FIGURES_GENERATIONS; count++)
        counter_set(&figures->generations[count].number, 0);
    counter_set(&figures->lua_bytes, bytes);
}

struct renewal_reason generations_renewal(const struct generations *all)
{
    struct renewal_reason reason = {0};
    if (all->serving == NULL)
        return reason;
    const struct script *script = all->serving->generation->script;
    reason.number = all->serving->generation->number;
    reason.is_full = script->wants_replacement;
    if (script->wants_replacement)
        reason.text = "the Lua memory of the one before was nearly used up";
    else if (script->ran_out)
        reason.text = "the one before ran out of Lua memory";
    return reason;
}

void generations_clear(struct generations *all)
{
    all->shutting_down = false;
    all->next = all->serving = NULL;
    *all->current = NULL;
    for (struct list *node = all->lives.next; node != &all->lives; node = node->next) {
        struct life *life = LIST_ENTRY(node, struct life, node);
        if (life->state != LIFE_SWEEPING)
            tasks_end(life->generation->script); /* those that outlived their requests */
        testing_end(life->generation);
        life->state = LIFE_GONE;
        while (life->turn.queued)
            loop_turn(all->loop, false);
    }
    while (!list_is_empty(&all->lives)) {
        struct life *life = LIST_ENTRY(all->lives.next, struct life, node);
        life->generation->on_idle = NULL;
        life_free(life);
    }
}
