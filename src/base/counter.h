/* base/counter.h - a number that one process writes and others read while it runs.
 *
 * Place in the flow: the figures of a worker (http/figures.h, server/figures.h) lie in memory that
 * is shared with the supervisor and the other workers. Each has one writer, so that an addition
 * needs no lock: it costs what it would in private memory. Readers see some recent value.
 */
#ifndef QLUA_BASE_COUNTER_H
#define QLUA_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void counter_set(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* By its one writer only, as the next two. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t more)
{
    counter_set(counter, counter_get(counter) + more);
}

static inline void counter_subtract(_Atomic uint64_t *counter, uint64_t less)
{
    counter_set(counter, counter_get(counter) - less);
}

static inline void counter_raise(_Atomic uint64_t *counter, uint64_t least)
{
    if (counter_get(counter) < least)
        counter_set(counter, least);
}

#endif
