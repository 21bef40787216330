/* base/histogram.h - how long things took: counts in steps that grow with the time.
 *
 * Place in the flow: http/figures.h keeps one of all answers; server/status and server/metrics add
 * those of several workers up and read them. Log-linear: each power of two nanoseconds has 16
 * steps of equal width, so that a time is known to 1/16 of itself, from 64 ns (the first steps, of
 * that width) to 137 s (the last step, which takes whatever is longer). The steps are the same
 * everywhere: merging is adding. One writer, any number of readers (base/counter.h).
 */
#ifndef QLUA_BASE_HISTOGRAM_H
#define QLUA_BASE_HISTOGRAM_H

#include <stdint.h>

#include "base/counter.h"

#define HISTOGRAM_UNIT_BITS 6 /* 64 ns */
#define HISTOGRAM_STEP_BITS 4 /* 16 steps */
#define HISTOGRAM_SIZE      448

struct histogram {
    _Atomic uint64_t sum_ns;
    _Atomic uint64_t longest_ns;
    _Atomic uint64_t counts[HISTOGRAM_SIZE];
};

/* A copy to reckon with. */
struct histogram_total {
    uint64_t sum_ns;
    uint64_t longest_ns;
    uint64_t counts[HISTOGRAM_SIZE];
};

/* The step of a time. */
static inline unsigned histogram_step(uint64_t ns)
{
    const uint64_t most = ((uint64_t)1 << (37 - HISTOGRAM_UNIT_BITS)) - 1;
    uint64_t units = ns >> HISTOGRAM_UNIT_BITS;
    if (units > most)
        units = most;
    if (units < 1u << HISTOGRAM_STEP_BITS)
        return (unsigned)units;
    unsigned shift = 63u - (unsigned)__builtin_clzll(units) - HISTOGRAM_STEP_BITS;
    return (shift << HISTOGRAM_STEP_BITS) + (unsigned)(units >> shift);
}

static inline void histogram_record(struct histogram *histogram, uint64_t ns)
{
    counter_add(&histogram->counts[histogram_step(ns)], 1);
    counter_add(&histogram->sum_ns, ns);
    counter_raise(&histogram->longest_ns, ns);
}

/* Where the step ends, in nanoseconds: its times are below. */
uint64_t histogram_step_end(unsigned step);

/* *total is added to; the longest is the longer one. */
void histogram_add(struct histogram_total *total, const struct histogram *histogram);
/* Take away what was there at a former time; the longest stays. */
void histogram_subtract(struct histogram_total *total, const struct histogram_total *former);

/* How many there are; how many are below 2^bits ns (10 <= bits <= 36). */
uint64_t histogram_count(const struct histogram_total *total);
uint64_t histogram_below(const struct histogram_total *total, unsigned bits);

/* The time that this share of them (0 < share <= 1) does not exceed, at most 1/16 too long and
 * never above the longest; 0 when there are none. */
uint64_t histogram_quantile(const struct histogram_total *total, double share);

#endif
