/* net/net_internal.h - what the files of net/ share: the loop's struct and its wheel.
 *
 * Place in the flow: included inside this folder only, beside uv.h.
 */
#ifndef QLUA_NET_INTERNAL_H
#define QLUA_NET_INTERNAL_H

#include <uv.h>

#include "base/list.h"
#include "net/loop.h"
#include "net/timer.h"

#define WHEEL_BITS   6
#define WHEEL_SLOTS  64
#define WHEEL_LEVELS 4

/* Timers by due time: level n has slots of 64^n milliseconds; what is further away moves down
 * as its time comes near. `occupied` has a bit for each slot that may hold timers. */
struct wheel {
    uint64_t now; /* everything due up to here has fired */
    uint64_t occupied[WHEEL_LEVELS];
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now);
/* Put a timer, which is in no list, where its due time belongs. */
void wheel_place(struct wheel *wheel, struct timer *timer);
/* Fire what is due up to `now`. */
void wheel_advance(struct wheel *wheel, uint64_t now);
/* When to look again: no later than the next timer is due; UINT64_MAX when there is none. */
uint64_t wheel_next(const struct wheel *wheel);

struct loop {
    uv_loop_t uv;
    uv_timer_t alarm;     /* armed for alarm_due, runs the wheel */
    uv_prepare_t prepare; /* runs what was put off to the end of the turn */
    uv_idle_t idle;       /* keeps the loop from sleeping while something is put off */
    uint64_t alarm_due;   /* 0: not armed */
    bool in_turn;         /* loop_turn runs, not loop_run */
    uint64_t give_way_at; /* clock_ns: not before then does a loop that goes on let others run */
    uint64_t turn_ns;     /* loop_now_ns of this turn; 0: not asked for yet */
    struct wheel wheel;
    struct later *later;
    struct later **later_end;
    void *free_sockets; /* net/socket.c's spare streams */
    char read_buffer[LOOP_READ_SIZE];
};

#endif
