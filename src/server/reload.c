/* server/reload.c - one reload of the app at a time, in two phases. See reload.h. */
#include "server/reload.h"

#include <string.h>

#include "base/log.h"

void reload_init(struct reload *reload)
{
    reload->last = reload->serving = 1;
    reload->ready = reload->running = reload->committing = reload->again = false;
    reload->awaited = 0;
    reload->now = reload->next = (struct reload_wish){0};
}

void reload_clear(struct reload *reload)
{
    buf_clear(&reload->now.why);
    buf_clear(&reload->next.why);
}

static void take_next(struct reload *reload, uint64_t now);

/* It is over: write its line, tell who asked, go on with what was asked for meanwhile. */
static void over(struct reload *reload, bool ok, struct buf *text, uint64_t now)
{
    reload->running = reload->committing = false;
    buf_clear(&reload->now.why);
    log_text(reload->log, ok ? LOG_INFO : LOG_ERROR, buf_view(text));
    buf_char(text, '\0');
    reload->on_over(reload->over_data, ok, text->data);
    buf_clear(text);
    take_next(reload, now);
}

static void give_up(struct reload *reload, const char *error, uint64_t now)
{
    struct buf text = {0};
    reload->decide(reload->data, reload->last, false);
    buf_printf(&text, "generation %u does not load; generation %u serves on: ", reload->last,
               reload->serving);
    buf_cstr(&text, error);
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    over(reload, false, &text, now);
}

static void succeed(struct reload *reload, uint64_t now)
{
    struct buf text = {0};
    buf_printf(&text, "generation %u serves", reload->last);
    if (reload->now.scope != RELOAD_ALL)
        buf_printf(&text, " in worker %d", reload->now.scope);
    buf_printf(&text, " after %llu ms: ", (unsigned long long)(now - reload->now.since));
    buf_slice(&text, buf_view(&reload->now.why));
    over(reload, true, &text, now);
}

static void commit(struct reload *reload, uint64_t now)
{
    reload->awaited = reload->decide(reload->data, reload->last, true);
    reload->committing = true;
    if (reload->now.scope == RELOAD_ALL)
        reload->serving = reload->last;
    if (reload->awaited == 0)
        succeed(reload, now);
}

static void begin(struct reload *reload, uint64_t now)
{
    reload->running = true;
    reload->last++;
    /* it may fail, or be over, before this returns */
    reload->awaited = UINT32_MAX;
    unsigned asked = reload->ask(reload->data, reload->last, reload->now.scope);
    if (!reload->running || reload->awaited < UINT32_MAX / 2)
        return;
    unsigned answered = UINT32_MAX - reload->awaited;
    reload->awaited = asked > answered ? asked - answered : 0;
    if (reload->awaited == 0)
        commit(reload, now);
}

static void take_next(struct reload *reload, uint64_t now)
{
    if (!reload->ready || reload->running || reload->next.why.len == 0)
        return;
    reload->now = reload->next;
    reload->next = (struct reload_wish){0};
    reload->again = false;
    begin(reload, now);
}

void reload_wish(struct reload *reload, const char *why, int scope, uint64_t now)
{
    struct reload_wish *wish = &reload->next;
    if (wish->why.len == 0) {
        wish->scope = scope;
        wish->since = now;
    } else {
        wish->scope = wish->scope == scope ? scope : RELOAD_ALL;
    }
    /* the same reason twice is told once */
    if (wish->why.len == 0 || memmem(wish->why.data, wish->why.len, why, strlen(why)) == NULL)
        buf_printf(&wish->why, "%s%s", wish->why.len > 0 ? ", " : "", why);
    take_next(reload, now);
}

void reload_start(struct reload *reload, uint64_t now)
{
    if (reload->ready)
        return;
    reload->ready = true;
    take_next(reload, now);
}

void reload_stop(struct reload *reload, uint64_t now)
{
    reload->ready = false;
    if (!reload->running)
        return;
    if (reload->committing) {
        succeed(reload, now);
        return;
    }
    reload->running = false;
    reload->decide(reload->data, reload->last, false);
    reload->on_over(reload->over_data, false, "the server stops");
}

void reload_prepared(struct reload *reload, uint32_t number, uint64_t now)
{
    if (!reload->running || reload->committing || number != reload->last)
        return;
    if (--reload->awaited == 0)
        commit(reload, now);
}

void reload_committed(struct reload *reload, uint32_t number, uint64_t now)
{
    if (reload->committing && number == reload->last && --reload->awaited == 0)
        succeed(reload, now);
}

void reload_failed(struct reload *reload, uint32_t number, const char *error, uint64_t now)
{
    if (reload->running && !reload->committing && number == reload->last)
        give_up(reload, error, now);
}

void reload_lost(struct reload *reload, uint64_t now)
{
    if (!reload->running)
        return;
    if (reload->committing) { /* its replacement has the new code */
        reload_committed(reload, reload->last, now);
        return;
    }
    if (reload->again) {
        give_up(reload, "a worker ended while it loaded", now);
        return;
    }
    /* its replacement loads the new code: the others should have it too */
    reload->again = true;
    reload->decide(reload->data, reload->last, false);
    begin(reload, now);
}

void reload_tick(struct reload *reload, uint64_t now)
{
    if (!reload->running || now - reload->now.since <= reload->timeout)
        return;
    if (reload->committing) /* who is too busy to say so finds it told when it is not */
        succeed(reload, now);
    else
        give_up(reload, "it was not ready in time (start_timeout)", now);
}
