/* server/status_internal.h - what the two forms of `qlua status` share.
 *
 * Place in the flow: status.c judges and writes the text, status_json.c the JSON.
 */
#ifndef QLUA_SERVER_STATUS_INTERNAL_H
#define QLUA_SERVER_STATUS_INTERNAL_H

#include "server/status.h"

/* A field of `total`, or of the worker's `figures`, as printf takes it. */
#define PLAIN(field)  ((unsigned long long)total->field)
#define FIGURE(field) ((unsigned long long)counter_get(&figures->field))

int status_pid(void);
/* "serving", "degraded", "starting" or "stopping" */
const char *status_word(const struct status *status);
/* That the certificate is valid yet; without TLS more than 0. */
double status_days(const struct service_figures *service);
/* Why it is not "serving", a line each. */
void status_problems(const struct status *status, struct buf *out);
/* Ids of which a worker serves. */
unsigned status_ready(const struct status *status);
uint64_t status_restarts(const struct service_figures *service);
/* Seconds from then (monotonic milliseconds) until now. */
double status_age(const struct status *status, uint64_t then);
/* What this process of the worker has done. */
void status_total_of(const struct status_worker *worker, struct figures_total *total);
/* Open connections without a request. */
uint64_t status_idle(const struct figures_total *total);
/* enum store_figure: the worst of all workers. */
void status_stores(const struct status *status, uint64_t *lmdb, uint64_t *redis);
const char *status_store_word(uint64_t state);

void status_write_json(const struct status *status, struct buf *out);

#endif
