/* server/crew_reload.c - a reload of the workers. See crew_reload.h. */
#include "server/crew_reload.h"

#include "base/log.h"
#include "server/control.h"
#include "server/crew.h"
#include "server/reload.h"

unsigned crew_reload_ask(void *data, uint32_t number, int scope)
{
    struct crew *crew = data;
    unsigned asked = 0;
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        bool serves = member->state == MEMBER_READY || member->state == MEMBER_RETIRING;
        if (!serves || (scope != RELOAD_ALL && member->id != scope) ||
            control_send(member->control_fd, CONTROL_PREPARE, number) != 0)
            continue;
        member->prepares = member->awaited = true;
        asked++;
    }
    return asked;
}

unsigned crew_reload_decide(void *data, uint32_t number, bool commit)
{
    struct crew *crew = data;
    unsigned told = 0;
    for (size_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        bool sent =
            member->prepares && member->control_fd >= 0 &&
            control_send(member->control_fd, commit ? CONTROL_COMMIT : CONTROL_DROP, number) == 0;
        member->prepares = false;
        member->awaited = commit && sent;
        told += member->awaited;
    }
    return told;
}

/* Not even new generations would do: every worker is replaced, when its replacement is ready. */
static void replace_all(struct crew *crew, const char *why)
{
    log_write(crew->log, LOG_INFO, "%s: the workers are replaced, for a C module is loaded once",
              why);
    for (size_t i = 0; i < crew->count; i++)
        if (crew->members[i].state == MEMBER_READY)
            crew_retire(&crew->members[i], RESTART_MODULE);
}

void crew_reload_message(struct crew *crew, struct member *member,
                         const struct control_message *message, uint64_t now)
{
    struct reload *reload = crew->reload;
    if (reload == NULL)
        return;
    switch (message->type) {
    case CONTROL_PREPARED:
    case CONTROL_COMMITTED:
        if (!member->awaited || message->value != reload->last)
            return;
        member->awaited = false;
        if (message->type == CONTROL_PREPARED)
            reload_prepared(reload, message->value, now);
        else
            reload_committed(reload, message->value, now);
        return;
    case CONTROL_FAILED: reload_failed(reload, message->value, message->text, now); return;
    case CONTROL_CHANGED:
        if (message->value != 0)
            replace_all(crew, message->text);
        else
            reload_wish(reload, message->text, RELOAD_ALL, now);
        return;
    case CONTROL_RENEW: reload_wish(reload, message->text, member->id, now); return;
    default: return;
    }
}

void crew_reload_lose(struct crew *crew, struct member *member, uint64_t now)
{
    bool awaited = member->awaited;
    member->prepares = member->awaited = false;
    if (awaited && crew->reload != NULL)
        reload_lost(crew->reload, now);
}
