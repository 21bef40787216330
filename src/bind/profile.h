/* bind/profile.h - a profile of a generation: begun, limited in time, ended.
 *
 * Place in the flow: server/profiling (`qlua profile`) and lua/qlua/debugger (the page) begin one;
 * script/watchdog fills it. One at a time.
 */
#ifndef QLUA_BIND_PROFILE_H
#define QLUA_BIND_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/timer.h"

struct buf;
struct generation;
struct profile;

/* Seconds that one may take. */
#define PROFILE_MOST_SECONDS 600

struct generation_profile {
    struct generation *generation;
    struct profile *profile;
    struct timer timer;
    bool is_taken;          /* now */
    bool is_watched_for_it; /* nobody else needed the watchdog */
    uint64_t began_ms;      /* monotonic */
    uint64_t seconds_ms;    /* how long it took, once it is over */
    int64_t nanoseconds;    /* of processor time, once it is over */
    void (*on_over)(void *data);
    void *data;
};

/* Take a profile of the generation that serves for so many milliseconds; then, or when the
 * generation ends before, on_over(data) is called (may be NULL). What was taken before is gone.
 * NULL, or why it cannot be. From within a task Lua has to attach lua/qlua/profile/traces.lua
 * itself. */
const char *generation_profile_begin(struct generation *generation, uint64_t milliseconds,
                                     void (*on_over)(void *data), void *data);
/* End it now; on_over is called. */
void generation_profile_end(struct generation *generation);
/* Append what there is as one line of JSON: profile_write's fields and "pid", "worker",
 * "generation", "seconds", "taking", "interval_ms". False: no profile has been taken. */
bool generation_profile_write(const struct generation *generation, struct buf *out);
/* The generation's state ends: on_over is called when one is being taken. */
void generation_profile_free(struct generation *generation);

#endif
