/* server/access_log.h - one line per answer.
 *
 * Place in the flow: dispatch writes to it when an answer is out. Lines gather for a moment and
 * leave in one write, so that logging costs no system call per request. Where they go is
 * server/log_files.h, the form of a line http/access_format.h.
 */
#ifndef QLUA_SERVER_ACCESS_LOG_H
#define QLUA_SERVER_ACCESS_LOG_H

#include <stdbool.h>

struct access_log;
struct log;
struct log_sink;
struct loop;
struct request;

/* Write to the sink, which stays the caller's. `log` is told of lines that were lost, and says
 * whether they are JSON. `format` is the setting access_log_format, checked before; NULL: see
 * access_log_write. */
struct access_log *access_log_new(struct loop *loop, struct log_sink *sink, const struct log *log,
                                  const char *format);
void access_log_free(struct access_log *log);
/* Does it show headers of answers? Then http_server->keep_heads must be set. */
bool access_log_needs_heads(const struct access_log *log);

/* With a format: a line as it says. Without one, as text:
 * "[2026-01-31 12:00:00 +0000] [PID] [INFO] 127.0.0.1:38880 GET /path 1.1 200 13 1001": address,
 * method, path as received, version, status, bytes of the body ("-": none), microseconds; in JSON:
 * {"time","level","logger":"access","message","pid","worker","request_id","remote_addr",
 * "remote_port","method","path","http_version","status","bytes","duration_us","scheme","host",
 * "referer","user_agent"}; what the request lacks is left out. */
void access_log_write(struct access_log *log, struct request *req);
void access_log_flush(struct access_log *log);

/* Once a second: write what waits for a slow reader, tell of lines that were lost. */
void access_log_tick(struct access_log *log);

#endif
