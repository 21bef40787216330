/* server/renewal.c - how a worker comes to newer code. See renewal.h. */
#include "server/renewal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/file_watch.h"
#include "server/config.h"
#include "server/control.h"
#include "server/dispatch.h"
#include "server/load_error.h"

/* A worker that was out of memory gets a new generation at most so often; one whose memory stays
 * full, in which hardly a request can be answered, after FULL_MS, then twice that, up to as much.
 */
#define RENEWAL_MS 60000
#define FULL_MS    1000

static bool is_lone(const struct renewal *renewal)
{
    return renewal->control_fd < 0;
}

/* ---- files ---- */

/* "views/page.lua" of a file below the app's folder. */
static const char *short_name(const struct config *config, const char *path)
{
    size_t len = strlen(config->app_root);
    return strncmp(path, config->app_root, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

/* The code of a C module is loaded once a process. */
static bool is_c_module(const char *path)
{
    size_t len = strlen(path);
    return len > 3 && strcmp(path + len - 3, ".so") == 0;
}

static void on_files(void *data, const char *const *paths, int count)
{
    struct renewal *renewal = data;
    struct buf text = {0};
    bool replace = false;
    for (int i = 0; i < count; i++) {
        buf_printf(&text, "%s%s", i == 0 ? "" : ", ",
                   short_name(renewal->generations.config, paths[i]));
        replace = replace || is_c_module(paths[i]);
    }
    buf_append(&text, " changed", sizeof(" changed"));
    if (!is_lone(renewal)) {
        control_send_text(renewal->control_fd, CONTROL_CHANGED, replace, text.data);
    } else {
        if (replace)
            log_write(renewal->generations.log, LOG_WARNING,
                      "%s: the code of a C module stays as it was loaded; restart the server",
                      text.data);
        renewal_wish(renewal, text.data);
    }
    buf_clear(&text);
}

/* ---- phases ---- */

static void show_error(struct renewal *renewal, const char *text)
{
    free(renewal->load_error);
    renewal->load_error = text == NULL ? NULL : mem_strdup(text);
    renewal->dispatcher->load_error = renewal->load_error;
}

static void commit(struct renewal *renewal, uint32_t number)
{
    if (generations_commit(&renewal->generations, number))
        show_error(renewal, NULL);
    generations_report(&renewal->generations);
}

static void on_prepared(void *data, uint32_t number, const char *error)
{
    struct renewal *renewal = data;
    if (renewal->dispatcher->current == NULL) {
        if (error == NULL && !renewal->hold)
            commit(renewal, number);
        renewal->on_first(renewal->data, error);
    } else if (error == NULL) {
        if (is_lone(renewal))
            reload_prepared(&renewal->reload, number, clock_ms());
        else
            control_send(renewal->control_fd, CONTROL_PREPARED, number);
    } else {
        struct buf text = {0};
        load_error_text(&text, error);
        buf_char(&text, '\0');
        if (renewal->generations.config->debug)
            show_error(renewal, text.data);
        if (is_lone(renewal))
            reload_failed(&renewal->reload, number, text.data, clock_ms());
        else
            control_send_text(renewal->control_fd, CONTROL_FAILED, number, text.data);
        buf_clear(&text);
    }
}

void renewal_open(struct renewal *renewal)
{
    renewal->hold = false;
    if (renewal->dispatcher->current == NULL)
        commit(renewal, renewal->first); /* nothing, while it still loads */
}

bool renewal_take(struct renewal *renewal, const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_PREPARE: generations_prepare(&renewal->generations, message->value); return true;
    case CONTROL_COMMIT:
        commit(renewal, message->value);
        control_send(renewal->control_fd, CONTROL_COMMITTED, message->value);
        return true;
    case CONTROL_DROP: generations_drop(&renewal->generations); return true;
    case CONTROL_PROFILE:
        profiling_begin(&renewal->profiling, renewal->dispatcher->current, message);
        return true;
    default: return false;
    }
}

/* ---- --workers 0: both sides are here ---- */

static unsigned ask_self(void *data, uint32_t number, int scope)
{
    struct renewal *renewal = data;
    (void)scope;
    generations_prepare(&renewal->generations, number);
    return 1;
}

static unsigned decide_self(void *data, uint32_t number, bool wanted)
{
    struct renewal *renewal = data;
    if (wanted)
        commit(renewal, number);
    else
        generations_drop(&renewal->generations);
    return 0; /* it has been done */
}

static void on_generations_shut_down(void *data)
{
    struct renewal *renewal = data;
    renewal->on_shut_down(renewal->data);
}

static void on_settings(void *data, const struct config *renewed)
{
    struct renewal *renewal = data;
    renewal->on_settings(renewal->data, renewed);
    renewal->reload.timeout = (uint64_t)renewal->generations.config->start_timeout;
}

static void on_over(void *data, bool ok, const char *text)
{
    struct renewal *renewal = data;
    if (renewal->on_over != NULL)
        renewal->on_over(renewal->over_data, ok, text);
}

void renewal_wish(struct renewal *renewal, const char *why)
{
    reload_wish(&renewal->reload, why, RELOAD_ALL, clock_ms());
    if (renewal->dispatcher->current != NULL)
        reload_start(&renewal->reload, clock_ms());
}

/* ---- from start to end ---- */

void renewal_start(struct renewal *renewal, uint32_t number)
{
    struct generations *all = &renewal->generations;
    generations_init(all);
    all->current = &renewal->dispatcher->current;
    all->on_prepared = on_prepared;
    all->on_shut_down = on_generations_shut_down;
    all->on_settings = on_settings;
    all->data = renewal;
    if (all->config->reload && all->worker_id == 1)
        all->files = file_watch_new(all->loop, all->log, on_files, renewal);
    renewal->reload.log = all->log;
    renewal->reload.timeout = (uint64_t)all->config->start_timeout;
    renewal->reload.ask = ask_self;
    renewal->reload.decide = decide_self;
    renewal->reload.on_over = on_over;
    renewal->reload.data = renewal->reload.over_data = renewal;
    reload_init(&renewal->reload);
    renewal->first = number;
    generations_prepare(all, number);
}

/* Should the generation be replaced now for this reason? Then it is noted as asked for. */
static bool is_time(struct renewal *renewal, const struct renewal_reason *reason, uint64_t now)
{
    uint64_t since = renewal->last_renewal == 0 ? UINT64_MAX : now - renewal->last_renewal;
    bool asked = reason->number == renewal->renewed; /* and the next one is not ready yet */
    if (reason->text == NULL ||
        since < (reason->is_full && !asked ? renewal->full_pause : RENEWAL_MS))
        return false;
    if (since >= 2 * RENEWAL_MS)
        renewal->full_pause = FULL_MS;
    else if (reason->is_full)
        renewal->full_pause =
            renewal->full_pause < RENEWAL_MS / 2 ? 2 * renewal->full_pause : RENEWAL_MS;
    renewal->last_renewal = now;
    renewal->renewed = reason->number;
    return true;
}

void renewal_tick(struct renewal *renewal)
{
    struct renewal_reason reason = generations_renewal(&renewal->generations);
    uint64_t now = clock_ms();
    if (is_lone(renewal) && renewal->dispatcher->current != NULL)
        reload_start(&renewal->reload, now);
    reload_tick(&renewal->reload, now);
    if (!is_time(renewal, &reason, now))
        return;
    if (is_lone(renewal))
        renewal_wish(renewal, reason.text);
    else
        control_send_text(renewal->control_fd, CONTROL_RENEW, 0, reason.text);
}

void renewal_shut_down(struct renewal *renewal)
{
    reload_stop(&renewal->reload, clock_ms());
    generations_shut_down(&renewal->generations);
}

void renewal_clear(struct renewal *renewal)
{
    struct generations *all = &renewal->generations;
    generations_clear(all);
    file_watch_free(all->files);
    all->files = NULL;
    show_error(renewal, NULL);
    reload_clear(&renewal->reload);
}
