/* spec/fuzz/forwarded_fuzz.c - what proxies say, in any bytes: the input's lines are the headers'
 * values, Forwarded or (bit 0 of byte 0 is clear) X-Forwarded-For first. Whatever a client sends,
 * the address that a trusted proxy appends to it is the client's.
 */
#include <assert.h>
#include <stdint.h>

#include "http/conn_internal.h"
#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const trusted[] = {"unix", "10.0.0.0/8", "fd00::/7"};

/* A request that came by a Unix socket, which is trusted. */
static struct request *request_from_proxy(struct http_server *server)
{
    struct request *req = request_new(server, NULL);
    req->peer = SLICE("");
    req->host = SLICE("inside");
    return req;
}

static void check_any(const struct trust *trust, struct http_server *server, struct slice input)
{
    static const enum header_id ids[] = {HEADER_X_FORWARDED_FOR, HEADER_X_FORWARDED_PROTO,
                                         HEADER_X_FORWARDED_HOST, HEADER_X_FORWARDED_PREFIX,
                                         HEADER_FORWARDED};
    struct request *req = request_from_proxy(server);
    size_t id = input.len > 0 && (input.data[0] & 1) ? 4 : 0;
    for (input = slice_from(input, 1); input.len > 0; id = (id + 1) % 5)
        fields_add_id(&req->headers, ids[id], slice_split(&input, '\n'));
    trust_apply(trust, req);
    assert(req->peer_port >= 0 && req->peer_port <= 65535);
    assert(req->scheme.len == 0 || slice_eq(req->scheme, SLICE("http")) ||
           slice_eq(req->scheme, SLICE("https")));
    assert(host_is_valid(req->host));
    if (req->root_path.len > 0)
        assert(req->root_path.len > 1 && req->root_path.data[0] == '/' &&
               req->root_path.data[1] != '/');
    request_unref(&req);
}

/* The client sent `input`; a trusted proxy appended what it saw. */
static void check_appended(const struct trust *trust, struct http_server *server, enum header_id id,
                           struct slice input, struct slice appended)
{
    struct request *req = request_from_proxy(server);
    struct buf value = {0};
    buf_slice(&value, input);
    buf_slice(&value, appended);
    fields_add_id(&req->headers, id, buf_view(&value));
    trust_apply(trust, req);
    assert(slice_eq(req->peer, SLICE("2001:db8::1")) && req->peer_port == 80);
    request_unref(&req);
    buf_clear(&value);
}

static void check_setting(struct slice input)
{
    struct buf text = {0};
    buf_slice(&text, input);
    buf_slice(&text, slice_of("", 1));
    const char *const texts[] = {text.data};
    if (trust_is_valid(text.data))
        trust_free(trust_new(texts, 1));
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct http_server server;
    struct trust *trust = trust_new(trusted, sizeof(trusted) / sizeof(trusted[0]));
    http_server_init(&server, NULL, NULL);
    check_any(trust, &server, input);
    check_appended(trust, &server, HEADER_X_FORWARDED_FOR, input, SLICE(", [2001:db8::1]:80"));
    check_appended(trust, &server, HEADER_FORWARDED, input,
                   SLICE(", for=\"[2001:db8::1]:80\", for=10.0.0.1"));
    (void)trust_has(trust, input);
    trust_free(trust);
    http_server_clear(&server);
    check_setting(input);
    return 0;
}
