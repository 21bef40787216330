/* server/metrics.h - the figures of the service for Prometheus, at metrics_path.
 *
 * Place in the flow: dispatch asks of each request whether it is for this path, before any route
 * is looked up; any worker answers with the figures of all (server/figures.h), in C: Lua is not
 * woken. Prometheus' text format 0.0.4.
 */
#ifndef QLUA_SERVER_METRICS_H
#define QLUA_SERVER_METRICS_H

#include <stdbool.h>

#include "base/slice.h"
#include "http/request.h"

struct buf;
struct figures;

struct metrics {
    struct slice path; /* empty: off */
    const struct figures *figures;
};

static inline bool metrics_is_asked(const struct metrics *metrics, const struct request *req)
{
    return metrics->path.len > 0 && slice_eq(metrics->path, req->target.path);
}

/* Answer a request for which metrics_is_asked: GET and HEAD, else 405. */
void metrics_answer(const struct metrics *metrics, struct request *req);

/* Append all figures. */
void metrics_write(const struct figures *figures, struct buf *out);

#endif
