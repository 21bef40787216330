/* http/conn.h - the life of one connection: read, parse, hand over, write, keep or close.
 *
 * Place in the flow: net/listener's streams arrive here; the parser is fed, requests go up
 * through http/handler.h, answers come back through request.h's functions and leave as one
 * write per read batch. An idle connection holds no buffers. Knows no Lua and no routes.
 */
#ifndef QLUA_HTTP_CONN_H
#define QLUA_HTTP_CONN_H

struct http_server;
struct stream;

/* Serve this stream until it closes; takes it over. */
void conn_open(struct http_server *server, struct stream *stream);

#endif
