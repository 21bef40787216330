/* http/figures.h - what the connections of a worker count.
 *
 * Place in the flow: struct http_server points to one; a worker's lies in memory that the
 * supervisor and the other workers read (server/figures.h). Counters never go down; the two that
 * do say so.
 */
#ifndef QLUA_HTTP_FIGURES_H
#define QLUA_HTTP_FIGURES_H

#include "base/histogram.h"

struct http_figures {
    _Atomic uint64_t accepted;   /* connections */
    _Atomic uint64_t open;       /* connections now; goes down too, as the next */
    _Atomic uint64_t active;     /* of them: those with a request that is read or answered */
    _Atomic uint64_t requests;   /* that have been handed up, or refused by the connection */
    _Atomic uint64_t answers[6]; /* by the status's hundreds; [0]: given up before there was one;
                                  * [1]: interim ones, beside the request's own */
    _Atomic uint64_t bytes_in;   /* of HTTP, as read from the streams */
    _Atomic uint64_t bytes_out;  /* as given to them */
    /* from the first byte of a request to the last of its answer, as we read and wrote them */
    struct histogram latency;
};

#endif
