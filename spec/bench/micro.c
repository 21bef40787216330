/* spec/bench/micro.c - the plain request a million times through the memory stream.
 *
 * No socket, no kernel: what is left is the parser, the connection, the router, a task and the
 * writer. Prints user CPU per request; run under `perf stat -e instructions:u` by the Makefile's
 * driver where the machine counts them.
 *
 * Server settings come from the environment: QLUA_SERVER__HANDLER_CPU_LIMIT=0 measures without
 * the watchdog.
 *
 *   micro [APP.lua [REQUESTS [DEPTH [TARGET [COOKIE]]]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "bind/load.h"
#include "http/conn.h"
#include "http/handler.h"
#include "net/loop.h"
#include "net/memory.h"
#include "server/config.h"
#include "server/dispatch.h"
#include "server/generation.h"

static double user_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
}

static void on_loaded(void *data, const char *error)
{
    if (error != NULL) {
        fprintf(stderr, "micro: %s\n", error);
        exit(1);
    }
    *(bool *)data = true;
}

int main(int argc, char **argv)
{
    const char *app = argc > 1 ? argv[1] : "apps/hello/app.lua";
    long requests = argc > 2 ? atol(argv[2]) : 1000000;
    long depth = argc > 3 ? atol(argv[3]) : 1;
    const char *target = argc > 4 ? argv[4] : "/";
    const char *cookie = argc > 5 ? argv[5] : NULL;
    char path[4096];
    struct log log = {.fd = 2, .level = LOG_INFO};
    struct config config;
    struct err err = {0};
    config_init(&config);
    if (realpath(app, path) == NULL) {
        perror(app);
        return 1;
    }
    config_set_app(&config, path);
    if (config_read_environment(&config, environ, &err) != 0 || config_finish(&config, &err) != 0) {
        fprintf(stderr, "micro: %s\n", err.message);
        return 1;
    }
    struct loop *loop = loop_new();
    struct generation *generation = generation_new(loop, &log, &config, 1, 1, &err);
    if (generation == NULL)
        return 1;
    generation_watch(generation, &config);
    bool loaded = false;
    const char *args[] = {config.app_path, config.app_name, NULL};
    generation_run(generation, "prepare", args, on_loaded, &loaded);
    while (!loaded)
        loop_turn(loop, true);
    generation_run(generation, "commit", args + 2, on_loaded, &loaded);

    struct dispatcher dispatcher = {.current = generation};
    struct http_server server;
    http_server_init(&server, loop, &log);
    server.settings = (struct http_settings){.max_header_size = 16384,
                                             .max_target_size = 8192,
                                             .header_timeout_ms = 20000,
                                             .keep_alive_timeout_ms = 30000};
    server.handler = &dispatch_handler;
    server.data = &dispatcher;
    struct buf output = {0}, batch = {0};
    struct stream *stream = memory_stream_new(loop, &output, 0);
    conn_open(&server, stream);
    for (long i = 0; i < depth; i++)
        buf_printf(&batch, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:5000%s%s\r\n\r\n", target,
                   cookie != NULL ? "\r\nCookie: " : "", cookie != NULL ? cookie : "");
    size_t answered = 0;
    double before = user_seconds();
    for (long i = 0; i < requests; i += depth) {
        output.len = 0;
        memory_stream_feed(stream, buf_view(&batch));
        answered += output.len;
    }
    double used = user_seconds() - before;
    printf("micro: %ld requests, %zu bytes answered: %.3f us of user CPU a request\n", requests,
           answered, used * 1e6 / (double)requests);
    fflush(stdout);
    _exit(0); /* tearing down is not what is measured */
}
