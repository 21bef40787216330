/* spec/bench/floor.c - the least a server on libuv and llhttp can do: a constant answer.
 *
 * The benchmark's floor: what qlua costs above it is qlua's own. Keep-alive and pipelining; the
 * answers to one read go out in one uv_try_write; the date is made once a second. It knows no
 * routes, no limits, no timeouts. Usage: build/bench/floor PORT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <llhttp.h>
#include <uv.h>

#define READ_SIZE   65536
#define BATCH_SIZE  65536
#define ANSWER_SIZE 256

struct floor {
    uv_tcp_t listener;
    uv_timer_t second;
    llhttp_settings_t settings;
    char answer[ANSWER_SIZE];
    size_t answer_len;
    size_t batch_len;
    char read[READ_SIZE];
    char batch[BATCH_SIZE]; /* the answers to the read at hand */
};

struct conn {
    uv_tcp_t tcp;
    llhttp_t parser;
    struct floor *floor;
};

/* What the kernel did not take at once. */
struct rest {
    uv_write_t request;
    char data[];
};

static void on_second(uv_timer_t *timer)
{
    struct floor *floor = timer->data;
    time_t now = time(NULL);
    struct tm utc;
    char date[40];

    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    floor->answer_len = (size_t)snprintf(floor->answer, ANSWER_SIZE,
                                         "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/plain\r\n"
                                         "Content-Length: 13\r\n"
                                         "Date: %s\r\n\r\nHello, World!",
                                         date);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void conn_close(struct conn *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

/* Send data: at once as far as the kernel takes it, the rest when it can. */
static void conn_send(struct conn *c, const char *data, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)data, (unsigned)len);
    int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;

    if (sent < 0 && sent != UV_EAGAIN) {
        conn_close(c);
        return;
    }
    if (done == len)
        return;
    struct rest *rest = malloc(sizeof(*rest) + len - done);
    if (rest == NULL)
        abort();
    memcpy(rest->data, data + done, len - done);
    rest->request.data = rest;
    buf = uv_buf_init(rest->data, (unsigned)(len - done));
    if (uv_write(&rest->request, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
        free(rest);
        conn_close(c);
    }
}

static int on_message_complete(llhttp_t *parser)
{
    struct conn *c = parser->data;
    struct floor *floor = c->floor;

    if (BATCH_SIZE - floor->batch_len < floor->answer_len) {
        conn_send(c, floor->batch, floor->batch_len);
        floor->batch_len = 0;
    }
    memcpy(floor->batch + floor->batch_len, floor->answer, floor->answer_len);
    floor->batch_len += floor->answer_len;
    return 0;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct conn *c = handle->data;
    (void)size;
    *buf = uv_buf_init(c->floor->read, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;
    struct floor *floor = c->floor;

    if (n < 0) {
        conn_close(c);
        return;
    }
    floor->batch_len = 0;
    int code = (int)llhttp_execute(&c->parser, buf->base, (size_t)n);
    if (floor->batch_len > 0)
        conn_send(c, floor->batch, floor->batch_len);
    if (code != HPE_OK)
        conn_close(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct floor *floor = listener->data;
    struct conn *c = calloc(1, sizeof(*c));

    if (status != 0 || c == NULL) {
        free(c);
        return;
    }
    c->floor = floor;
    c->tcp.data = c;
    uv_tcp_init(listener->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        conn_close(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    llhttp_init(&c->parser, HTTP_REQUEST, &floor->settings);
    c->parser.data = c;
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    struct floor *floor = calloc(1, sizeof(*floor));
    uv_loop_t *loop = uv_default_loop();

    if (argc != 2 || floor == NULL) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    llhttp_settings_init(&floor->settings);
    floor->settings.on_message_complete = on_message_complete;
    uv_timer_init(loop, &floor->second);
    floor->second.data = floor;
    on_second(&floor->second);
    uv_timer_start(&floor->second, on_second, 1000, 1000);

    uv_tcp_init(loop, &floor->listener);
    floor->listener.data = floor;
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
    int code = uv_tcp_bind(&floor->listener, (struct sockaddr *)&address, 0);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&floor->listener, 1024, on_connection);
    if (code != 0) {
        fprintf(stderr, "floor: %s\n", uv_strerror(code));
        return 1;
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
