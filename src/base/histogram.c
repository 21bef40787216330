/* base/histogram.c - how long things took. See histogram.h. */
#include "base/histogram.h"

#include <assert.h>

#define STEPS (1u << HISTOGRAM_STEP_BITS)

uint64_t histogram_step_end(unsigned step)
{
    if (step < STEPS)
        return (uint64_t)(step + 1) << HISTOGRAM_UNIT_BITS;
    unsigned shift = step / STEPS - 1;
    return (uint64_t)(STEPS + step % STEPS + 1) << (shift + HISTOGRAM_UNIT_BITS);
}

void histogram_add(struct histogram_total *total, const struct histogram *histogram)
{
    uint64_t longest = counter_get(&histogram->longest_ns);
    total->sum_ns += counter_get(&histogram->sum_ns);
    if (total->longest_ns < longest)
        total->longest_ns = longest;
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
        total->counts[i] += counter_get(&histogram->counts[i]);
}

void histogram_subtract(struct histogram_total *total, const struct histogram_total *former)
{
    total->sum_ns -= former->sum_ns;
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
        total->counts[i] -= former->counts[i];
}

static uint64_t count_steps(const struct histogram_total *total, unsigned steps)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < steps; i++)
        count += total->counts[i];
    return count;
}

uint64_t histogram_count(const struct histogram_total *total)
{
    return count_steps(total, HISTOGRAM_SIZE);
}

uint64_t histogram_below(const struct histogram_total *total, unsigned bits)
{
    const unsigned least = HISTOGRAM_UNIT_BITS + HISTOGRAM_STEP_BITS;
    assert(bits >= least && bits <= 36 && "a power of two at which a step ends");
    return count_steps(total, (bits - least + 1) * STEPS);
}

uint64_t histogram_quantile(const struct histogram_total *total, double share)
{
    uint64_t count = histogram_count(total), seen = 0;
    double wanted = share * (double)count;
    for (unsigned i = 0; i < HISTOGRAM_SIZE && count > 0; i++) {
        seen += total->counts[i];
        if (total->counts[i] == 0 || (double)seen < wanted)
            continue;
        uint64_t end = histogram_step_end(i);
        return end < total->longest_ns && i + 1 < HISTOGRAM_SIZE ? end : total->longest_ns;
    }
    return total->longest_ns;
}
