/* server/crew_status.c - the table of workers as `qlua status` shows it. See crew.h. */
#include "server/crew.h"
#include "server/status.h"

static const char *state_word(enum member_state state)
{
    static const char *const words[] = {
        [MEMBER_UNUSED] = "unused", [MEMBER_WAITING] = "waiting",   [MEMBER_STARTING] = "starting",
        [MEMBER_READY] = "ready",   [MEMBER_RETIRING] = "retiring", [MEMBER_STOPPING] = "stopping",
        [MEMBER_KILLED] = "killed",
    };
    return words[state];
}

size_t crew_status(const struct crew *crew, uint64_t now, struct status_worker *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < crew->count; i++) {
        const struct member *member = &crew->members[i];
        if (member->state == MEMBER_UNUSED)
            continue;
        uint64_t age = member->pid != 0 && now > member->started ? now - member->started : 0;
        rows[count++] = (struct status_worker){
            .id = member->id,
            .pid = (int)member->pid,
            .state = state_word(member->state),
            .uptime = (double)age / 1000,
            .restarts = member->restarts + crew->members[i ^ 1].restarts,
            .rate = rate_of(&member->rate, now, counter_get(&member->figures->http.requests)),
            .figures = member->figures,
            .former = &member->former,
        };
    }
    return count;
}
