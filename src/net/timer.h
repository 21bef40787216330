/* net/timer.h - deadlines: one timer wheel a loop.
 *
 * Place in the flow: sleeping tasks, idle connections, slow clients. Starting and stopping are
 * a few instructions; a timer is embedded in what waits and costs no allocation. Granularity
 * is a millisecond; a timer never fires early.
 */
#ifndef QLUA_NET_TIMER_H
#define QLUA_NET_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop;

struct timer {
    struct list node;
    uint64_t due; /* loop milliseconds; 0: not started */
    void (*fn)(struct timer *timer);
};

/* Call fn once, delay_ms from the loop's now. A started timer is moved. */
void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms);
void timer_stop(struct timer *timer);

static inline bool timer_is_started(const struct timer *timer)
{
    return timer->due != 0;
}

#endif
