/* server/usage.h - what a process uses of the machine, as the kernel says.
 *
 * Place in the flow: server/status and server/metrics ask for each worker; knows only the pid.
 */
#ifndef QLUA_SERVER_USAGE_H
#define QLUA_SERVER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct worker_figures;

struct usage {
    uint64_t cpu_us;    /* of the processor, by its threads: user and system */
    uint64_t rss_bytes; /* in memory */
};

/* False: there is no such process, or it may not be looked at. */
bool usage_of(int pid, struct usage *usage);

/* Of all that were in this place: cpu_us never goes backwards when one is replaced. */
void usage_of_place(const struct worker_figures *place, struct usage *usage);

#endif
