/* server/debug_dispatch.h - the way of a request in debug mode.
 *
 * Place in the flow: fills http/handler.h in place of dispatch_handler when the server's switch
 * `debug` is on, and calls that for the app's own requests; so the usual way knows nothing of it.
 * URLs of the debugger, and all of them while the app does not load, go to lua/qlua/debugger; of
 * the others the body is kept, so that they can be run again.
 */
#ifndef QLUA_SERVER_DEBUG_DISPATCH_H
#define QLUA_SERVER_DEBUG_DISPATCH_H

struct http_handler;

/* http_server.data points to a struct dispatcher that has a desk. */
extern const struct http_handler debug_dispatch_handler;

#endif
