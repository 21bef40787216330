/* http/request_id.h - the name of a request in logs.
 *
 * Place in the flow: the log, the access log and `request.id` ask for it; a request that nobody
 * asks about has none. Behind a trusted proxy it is what the proxy calls the request
 * (X-Request-Id), so that its log and ours tell of the same one.
 */
#ifndef QLUA_HTTP_REQUEST_ID_H
#define QLUA_HTTP_REQUEST_ID_H

#include "base/slice.h"

struct request;

/* Longest X-Request-Id that is taken. */
#define REQUEST_ID_MAX 128

/* The request's id: the X-Request-Id which a trusted proxy gave, when it is one line of letters,
 * digits and -_.:/+=@ and at most REQUEST_ID_MAX bytes; else 32 random hex digits. The same at each
 * call; lives as long as the request. */
struct slice request_id(struct request *req);
/* The same, but "" when it was not asked for before and no proxy gave one. */
struct slice request_id_known(struct request *req);

#endif
