/* server/access_log.h - one line per answer.
 *
 * Place in the flow: dispatch writes to it when an answer is out. Lines gather for a moment and
 * leave in one write, so that logging costs no system call per request.
 */
#ifndef QLUA_SERVER_ACCESS_LOG_H
#define QLUA_SERVER_ACCESS_LOG_H

struct access_log;
struct loop;
struct request;

/* Write to the descriptor fd, which stays the caller's. */
struct access_log *access_log_new(struct loop *loop, int fd);
void access_log_free(struct access_log *log);

/* "[2026-01-31 12:00:00 +0000] [PID] [INFO] 127.0.0.1:38880 GET /path 1.1 200 13 1001": address,
 * method, path as received, version, status, bytes of the body ("-": none), microseconds. */
void access_log_write(struct access_log *log, struct request *req);
void access_log_flush(struct access_log *log);

#endif
