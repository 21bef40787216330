/* spec/fuzz/connection_fuzz.c - whole streams against one connection over the memory stream.
 *
 * The input is what the peer does: byte 0 chooses how much it reads at once and whether answers may
 * be compressed (a peer that sends Accept-Encoding gets them so), the rest is sent,
 * but for 0xff and a byte behind it, which is something else that happens (enum event). The
 * handler does what the path's first letter says (on_request). Checked: the calls upward come in
 * order and end for every request, one request at a time, no answer twice, nothing written after
 * the end, nothing left.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/conn.h"
#include "http/conn_internal.h"
#include "net/loop.h"
#include "net/memory.h"
#include "net/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum event {
    EVENT_SPLIT, /* the next bytes come in another packet */
    EVENT_DRAIN, /* the peer has read */
    EVENT_EOF,
    EVENT_RESET,
    EVENT_WAKE, /* the parked request is answered */
    EVENT_TURN,
    EVENT_LATE, /* the connection's deadline has come */
    EVENT_DRAIN_SERVER,
    EVENT_BYTE, /* 0xff itself */
    EVENT_COUNT
};

/* One request as the handler sees it: its exchange. */
struct seen {
    struct request *req;
    bool requested;
    bool gone;
    bool done;
    char kind;
    unsigned pieces; /* still to be streamed */
};

#define SEEN_MAX   4096
#define PIECE      30000
#define FILE_BYTES 100000

struct story {
    struct http_server server;
    size_t count;
    size_t answers; /* which the handler completed */
    struct request *kept;
    bool closed;
    bool cut; /* reset, aborted or late: what is written may be incomplete */
    struct seen seen[SEEN_MAX];
};

static char filler[4 * FILE_BYTES];

static struct seen *seen_of(struct request *req)
{
    struct seen *seen = req->exchange;
    assert(seen != NULL && seen->req == req && !seen->done);
    return seen;
}

static void answer(struct story *story, struct request *req, int status, size_t length)
{
    struct answer with = {.status = status, .content_type = SLICE("text/plain")};
    if (!req->gone && req->conn != NULL && req->answer_state == ANSWER_NONE)
        story->answers++;
    request_answer(req, &with, slice_of(filler, length));
}

static void stream_on(struct request *req)
{
    struct seen *seen = seen_of(req);
    while (!req->gone && seen->pieces > 0) {
        seen->pieces--;
        if (request_answer_write(req, slice_of(filler, PIECE), NULL))
            return;
    }
    request_answer_end(req);
}

static void start_stream(struct story *story, struct request *req, int64_t length)
{
    struct answer with = {.status = 200, .content_type = SLICE("text/plain"), .length = length};
    story->answers++;
    seen_of(req)->pieces = 20;
    request_answer_start(req, &with);
    stream_on(req);
}

static void send_file(struct story *story, struct request *req, uint64_t length)
{
    struct answer with = {.status = 200, .content_type = SLICE("text/plain")};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, filler, FILE_BYTES) == FILE_BYTES);
    story->answers++;
    story->cut |= length > FILE_BYTES;
    request_answer_file(req, &with, fd, 10, length);
}

/* Answer a reader of the whole body, or take what came and go on. */
static void read_body(struct story *story, struct request *req)
{
    struct seen *seen = seen_of(req);
    request_ref(req); /* taking lets the connection read on, and this be called from within */
    if (seen->kind == 'c' && req->body_state < BODY_TOO_LARGE) {
        struct buf taken;
        request_take_body(req, &taken);
        buf_clear(&taken);
    }
    if (!seen->done && req->body_state == BODY_READING)
        request_want_body(req, seen->kind == 'b');
    else if (!seen->done)
        answer(story, req, req->body_state < BODY_TOO_LARGE ? 200 : 400, 10);
    request_unref(&req);
}

static void enter(struct story *story, struct request *req)
{
    assert(!story->closed && req->exchange == NULL && "one exchange a request");
    if (story->count > 0)
        assert(story->seen[story->count - 1].done && "one request at a time");
    assert(story->count < SEEN_MAX);
    struct seen *seen = &story->seen[story->count++];
    *seen = (struct seen){.req = req, .kind = 'a'};
    if (req->target.path.len > 1)
        seen->kind = req->target.path.data[1];
    req->exchange = seen;
    req->max_body = 200000;
    req->body_timeout_ms = req->body_stall_ms = req->stall_ms = 5000;
}

static void on_head(void *data, struct request *req)
{
    enter(data, req);
    assert(req->body_state == BODY_READING);
}

static void on_request(void *data, struct request *req)
{
    struct story *story = data;
    if (req->exchange == NULL)
        enter(story, req);
    struct seen *seen = seen_of(req);
    assert(!seen->requested);
    seen->requested = true;
    if (req->body_state == BODY_TOO_LARGE) {
        answer(story, req, 413, 5);
        return;
    }
    switch (seen->kind) {
    case 'p': break; /* until EVENT_WAKE */
    case 'b':
    case 'c': read_body(story, req); break;
    case 's': start_stream(story, req, -1); break;
    case 'l': start_stream(story, req, 100); break;
    case 'm':
        story->cut = true;
        start_stream(story, req, 10000000);
        break;
    case 'f': send_file(story, req, FILE_BYTES - 10); break;
    case 'g': send_file(story, req, FILE_BYTES + 10); break;
    case 'x':
        story->cut = true;
        request_abort(req);
        break;
    case 'k':
        if (story->kept == NULL)
            story->kept = request_ref(req);
        answer(story, req, 304, 0);
        break;
    case 'C': answer(story, req, 200, sizeof(filler)); break;
    default: answer(story, req, 200, seen->kind == 'B' ? 20000 : seen->kind == 'A' ? 9000 : 3);
    }
}

static void on_body(void *data, struct request *req)
{
    struct seen *seen = seen_of(req);
    assert(seen->requested && !seen->gone && req->answer_state != ANSWER_DONE);
    if (seen->kind == 'b' || seen->kind == 'c')
        read_body(data, req);
    else if (seen->kind == 'p' && req->body_state == BODY_TOO_LARGE)
        answer(data, req, 413, 5);
}

static void on_drain(void *data, struct request *req)
{
    (void)data;
    assert(seen_of(req)->requested && req->answer_state == ANSWER_STREAMING);
    stream_on(req);
}

static void on_gone(void *data, struct request *req)
{
    struct story *story = data;
    struct seen *seen = seen_of(req);
    assert(seen->requested && !seen->gone && req->gone);
    seen->gone = true;
    story->cut = true;
    request_want_body(req, true);
    struct buf taken;
    request_take_body(req, &taken);
    buf_clear(&taken);
    answer(story, req, 500, 5);
    request_abort(req);
}

static void on_done(void *data, struct request *req)
{
    (void)data;
    seen_of(req)->done = true;
}

static void on_closed(void *data)
{
    ((struct story *)data)->closed = true;
}

static const struct http_handler handler = {on_head, on_request, on_body,  on_drain,
                                            on_gone, on_done,    on_closed};

static void wake(struct story *story)
{
    struct seen *last = story->count == 0 ? NULL : &story->seen[story->count - 1];
    if (last != NULL && !last->done && last->kind == 'p')
        answer(story, last->req, 200, 7);
}

static void be_late(struct story *story)
{
    struct conn *conn = LIST_ENTRY(story->server.conns.next, struct conn, node);
    if (conn->state == CONN_CLOSED || conn->deadline == 0)
        return;
    story->cut |= conn->backlog > 0;
    conn->deadline = 1;
    conn->last_progress = 0;
    conn->backlog = conn->backlog == 0 ? 0 : 1;
    conn_on_timer(&conn->timer);
}

static void happen(struct story *story, struct loop *loop, struct stream *stream, uint8_t what)
{
    switch (what % EVENT_COUNT) {
    case EVENT_DRAIN: memory_stream_drain(stream); break;
    case EVENT_EOF: memory_stream_eof(stream); break;
    case EVENT_RESET:
        story->cut = true;
        memory_stream_reset(stream);
        break;
    case EVENT_WAKE: wake(story); break;
    case EVENT_TURN: loop_turn(loop, false); break;
    case EVENT_LATE: be_late(story); break;
    case EVENT_DRAIN_SERVER: http_server_drain(&story->server, 200); break;
    case EVENT_BYTE: memory_stream_feed(stream, SLICE("\xff")); break;
    default: break;
    }
}

static void act(struct story *story, struct loop *loop, struct stream *stream, struct slice input)
{
    while (input.len > 0 && !story->closed) {
        const char *mark = memchr(input.data, 0xff, input.len);
        size_t n = mark == NULL ? input.len : (size_t)(mark - input.data);
        if (n > 0)
            memory_stream_feed(stream, slice_of(input.data, n));
        input = slice_from(input, n);
        if (input.len >= 2)
            happen(story, loop, stream, (uint8_t)input.data[1]);
        input = slice_from(input, input.len < 2 ? input.len : 2);
    }
}

/* Final status lines; a body of ours never holds one. */
static size_t count_answers(struct slice output)
{
    static const char mark[] = "HTTP/1.1 ";
    size_t count = 0;
    if (output.len == 0)
        return 0;
    const char *at = output.data, *end = output.data + output.len;
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
        at += sizeof(mark) - 1;
        count += end - at < 3 || memcmp(at, "100", 3) != 0;
    }
    return count;
}

/* Nothing is open or under way any more, and each request has come to one end. */
static void check_figures(const struct http_figures *figures)
{
    uint64_t ends = counter_get(&figures->answers[0]), times = 0;
    for (int i = 2; i < 6; i++)
        ends += counter_get(&figures->answers[i]);
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
        times += counter_get(&figures->latency.counts[i]);
    assert(counter_get(&figures->open) == 0 && counter_get(&figures->active) == 0);
    assert(ends == counter_get(&figures->requests) && times == ends);
}

static void finish(struct story *story, struct loop *loop, struct stream *stream)
{
    if (!story->closed)
        memory_stream_reset(stream);
    for (int i = 0; i < 5 && !story->closed; i++)
        loop_turn(loop, false);
    assert(story->closed && "a connection does not close");
    for (size_t i = 0; i < story->count; i++)
        assert(story->seen[i].done && "a request without an end");
    check_figures(story->server.figures);
    request_unref(&story->kept);
    http_server_clear(&story->server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {0, 100, 20000, 200000};
    static const char *const types[] = {"text/*"};
    static const struct coding_rules coding = {.types = types, .ntypes = 1, .min_size = 100};
    static const struct log log = {.fd = -1, .level = LOG_ERROR};
    static struct loop *loop;
    static struct story story;
    struct buf output = {0};
    if (size == 0 || size > 65536)
        return 0;
    if (loop == NULL) {
        loop = loop_new();
        memset(filler, 'x', sizeof(filler));
    }
    memset(&story, 0, offsetof(struct story, seen));
    http_server_init(&story.server, loop, &log);
    story.server.handler = &handler;
    story.server.data = &story;
    story.server.settings =
        (struct http_settings){1000, 300, 20000, 30000, SLICE(""), data[0] & 4 ? &coding : NULL};
    struct stream *stream = memory_stream_new(loop, &output, windows[data[0] % 4]);
    conn_open(&story.server, stream);
    act(&story, loop, stream, slice_of((const char *)data + 1, size - 1));
    /* At most one is refused by the connection itself. */
    size_t written = count_answers(buf_view(&output));
    assert(written <= story.answers + 1 && "an answer too many");
    if (windows[data[0] % 4] == 0 && !story.cut)
        assert(written >= story.answers && "an answer was lost");
    finish(&story, loop, stream);
    buf_clear(&output);
    return 0;
}
