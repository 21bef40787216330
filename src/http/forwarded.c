/* http/forwarded.c - proxies that are trusted. See forwarded.h. */
#include "http/forwarded.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/request.h"

#define ADDRESS_MAX 64
#define V4_PREFIX   96 /* bits of ::ffff:0:0/96, below which IPv4 addresses lie */

/* IPv4 as its mapped IPv6 address. */
struct network {
    unsigned char bytes[16];
    int bits;
};

struct trust {
    bool has_unix;
    size_t count;
    struct network networks[];
};

/* ---- addresses ---- */

/* Read an address; bits says how many of it there are. */
static bool read_address(struct slice text, struct network *out, int *bits)
{
    char buffer[ADDRESS_MAX];
    if (text.len == 0 || text.len >= sizeof(buffer))
        return false;
    memcpy(buffer, text.data, text.len);
    buffer[text.len] = '\0';
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(out->bytes, mapped, sizeof(mapped));
    out->bits = 128;
    *bits = 32;
    if (inet_pton(AF_INET, buffer, out->bytes + 12) == 1)
        return true;
    *bits = 128;
    return inet_pton(AF_INET6, buffer, out->bytes) == 1;
}

static bool read_network(struct slice text, struct network *out)
{
    struct slice address = slice_split(&text, '/');
    int bits;
    if (!read_address(address, out, &bits))
        return false;
    if (text.len == 0)
        return address.data[address.len] != '/';
    int given = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || given > bits)
            return false;
        given = given * 10 + (text.data[i] - '0');
    }
    out->bits = given + (bits == 32 ? V4_PREFIX : 0);
    return given <= bits;
}

static bool is_within(const struct network *address, const struct network *network)
{
    size_t whole = (size_t)network->bits / 8;
    int rest = network->bits % 8;
    if (memcmp(address->bytes, network->bytes, whole) != 0)
        return false;
    int differing = rest == 0 ? 0 : address->bytes[whole] ^ network->bytes[whole];
    return differing >> (8 - rest) == 0;
}

/* ---- the set ---- */

bool trust_is_valid(const char *text)
{
    struct network network;
    return strcmp(text, "unix") == 0 || read_network(slice_cstr(text), &network);
}

struct trust *trust_new(const char *const *texts, size_t count)
{
    if (count == 0)
        return NULL;
    struct trust *trust = mem_alloc(sizeof(*trust) + count * sizeof(trust->networks[0]));
    trust->has_unix = false;
    trust->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], "unix") == 0)
            trust->has_unix = true;
        else if (read_network(slice_cstr(texts[i]), &trust->networks[trust->count]))
            trust->count++;
        else
            assert(!"a trusted proxy that was not checked");
    }
    return trust;
}

void trust_free(struct trust *trust)
{
    free(trust);
}

bool trust_has(const struct trust *trust, struct slice text)
{
    struct network address;
    int bits;
    if (text.len == 0)
        return trust->has_unix;
    if (!read_address(text, &address, &bits))
        return false;
    for (size_t i = 0; i < trust->count; i++)
        if (is_within(&address, &trust->networks[i]))
            return true;
    return false;
}

/* ---- what proxies say ---- */

/* The elements of all lines of a header, in the request's arena. */
struct elements {
    struct slice *items;
    size_t count;
};

static bool closes_its_quotes(struct slice value)
{
    bool quoted = false;
    for (size_t i = 0; i < value.len; i++) {
        if (quoted && value.data[i] == '\\')
            i++;
        else if (value.data[i] == '"')
            quoted = !quoted;
    }
    return !quoted;
}

/* A quote which the client opened must not swallow what proxies wrote behind it: X-Forwarded-*
 * has no quoted strings, and a Forwarded that leaves one open is divided at every comma. */
static bool next_element(struct slice *list, bool by_quotes, struct slice *element)
{
    if (by_quotes)
        return header_list_next(list, element);
    while (list->len > 0) {
        *element = slice_trim(slice_split(list, ','));
        if (element->len > 0)
            return true;
    }
    return false;
}

static struct elements elements_of(struct request *req, enum header_id id)
{
    struct elements list = {NULL, 0};
    size_t room = 0;
    for (uint32_t i = 0; i < req->headers.count; i++)
        if (req->headers.items[i].id == id)
            room += req->headers.items[i].value.len / 2 + 1; /* each has a comma behind it */
    if (room == 0)
        return list;
    list.items = arena_array(&req->arena, room + 1, sizeof(*list.items));
    for (uint32_t i = 0; i < req->headers.count; i++) {
        if (req->headers.items[i].id != id)
            continue;
        struct slice value = req->headers.items[i].value;
        bool by_quotes = id == HEADER_FORWARDED && closes_its_quotes(value);
        while (next_element(&value, by_quotes, &list.items[list.count]))
            list.count++;
    }
    return list;
}

/* The value which the hops-th proxy from the right wrote; the outermost, when fewer did. */
static struct slice value_at(struct request *req, enum header_id id, size_t hops)
{
    struct elements list = elements_of(req, id);
    if (list.count == 0)
        return SLICE("");
    return list.items[list.count - (hops < list.count ? hops : list.count)];
}

/* A number of at most 65535; else 0. */
static int port_of(struct slice digits)
{
    int port = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return 0;
        port = port * 10 + (digits.data[i] - '0');
        if (port > 65535)
            return 0;
    }
    return port;
}

/* A node apart: 1.2.3.4:5, [::1]:5, ::1. */
static struct slice address_of(struct slice node, int *port)
{
    struct slice rest = SLICE("");
    if (node.len > 0 && node.data[0] == '[') {
        rest = slice_from(node, 1);
        node = slice_split(&rest, ']');
        rest = slice_from(rest, 1);
    } else {
        size_t colon = slice_find(node, ':');
        struct slice behind = slice_from(node, colon + 1);
        if (slice_find(behind, ':') == behind.len) { /* not the second of many: IPv6 */
            rest = behind;
            node.len = colon;
        }
    }
    *port = port_of(rest);
    return node;
}

struct claim {
    struct slice client, scheme, host, prefix;
    int port;
};

/* How many proxies the request came through, whose last one is our peer: as far as the addresses
 * they saw are trusted. */
static size_t walk(const struct trust *trust, struct request *req, struct elements list,
                   bool is_forwarded, struct claim *claim)
{
    size_t hops = 0;
    while (hops < list.count) {
        struct slice node = list.items[list.count - ++hops];
        if (is_forwarded)
            node = header_param(node, SLICE("for"), &req->arena);
        claim->client = address_of(node.data == NULL ? SLICE("") : node, &claim->port);
        if (claim->client.len == 0 || !trust_has(trust, claim->client))
            break;
    }
    return hops;
}

/* header_param wants a value before its parameters. */
static void lead_with_semicolons(struct request *req, struct elements *list)
{
    for (size_t i = 0; i < list->count; i++) {
        char *text = arena_alloc(&req->arena, list->items[i].len + 1);
        text[0] = ';';
        memcpy(text + 1, list->items[i].data, list->items[i].len);
        list->items[i] = slice_of(text, list->items[i].len + 1);
    }
}

static void read_claim(const struct trust *trust, struct request *req, struct claim *claim)
{
    struct elements list = elements_of(req, HEADER_FORWARDED);
    if (list.count > 0 && fields_get_id(&req->headers, HEADER_X_FORWARDED_FOR) == NULL) {
        lead_with_semicolons(req, &list);
        struct slice said = list.items[list.count - walk(trust, req, list, true, claim)];
        claim->scheme = header_param(said, SLICE("proto"), &req->arena);
        claim->host = header_param(said, SLICE("host"), &req->arena);
        return;
    }
    size_t hops = walk(trust, req, elements_of(req, HEADER_X_FORWARDED_FOR), false, claim);
    hops = hops == 0 ? 1 : hops; /* a proxy may say the scheme and not the client */
    claim->scheme = value_at(req, HEADER_X_FORWARDED_PROTO, hops);
    claim->host = value_at(req, HEADER_X_FORWARDED_HOST, hops);
    claim->prefix = value_at(req, HEADER_X_FORWARDED_PREFIX, hops);
}

/* Are all of these? Forwarded: in its parameter "for". */
static bool has_each(const struct trust *trust, struct request *req, struct elements list,
                     bool is_forwarded)
{
    int port;
    for (size_t i = 0; i < list.count; i++) {
        struct slice node = list.items[i];
        if (is_forwarded)
            node = header_param(node, SLICE("for"), &req->arena);
        if (node.data == NULL)
            continue; /* it says something else */
        node = address_of(node, &port);
        if (node.len == 0 || !trust_has(trust, node))
            return false;
    }
    return true;
}

bool trust_has_all(const struct trust *trust, struct request *req)
{
    int port;
    if (!trust_has(trust, request_peer(req, &port)))
        return false;
    struct elements forwarded = elements_of(req, HEADER_FORWARDED);
    lead_with_semicolons(req, &forwarded);
    if (!has_each(trust, req, forwarded, true) ||
        !has_each(trust, req, elements_of(req, HEADER_X_FORWARDED_FOR), false))
        return false;
    for (uint32_t i = 0; i < req->headers.count; i++) {
        const struct field *field = &req->headers.items[i];
        if (slice_eq_nocase(field->name, SLICE("X-Real-IP")) &&
            !trust_has(trust, slice_trim(field->value)))
            return false;
    }
    return true;
}

void trust_apply(const struct trust *trust, struct request *req)
{
    int port;
    struct claim claim = {0};
    if (!trust_has(trust, request_peer(req, &port)))
        return;
    req->trusted_peer = true;
    read_claim(trust, req, &claim);
    if (claim.client.len > 0) {
        req->peer = arena_dup(&req->arena, claim.client);
        req->peer_port = claim.port;
    }
    if (slice_eq_nocase(claim.scheme, SLICE("https")))
        req->scheme = SLICE("https");
    else if (slice_eq_nocase(claim.scheme, SLICE("http")))
        req->scheme = SLICE("http");
    if (host_is_valid(claim.host)) {
        fields_set(&req->headers, SLICE("Host"), claim.host);
        req->host = arena_dup(&req->arena, claim.host);
    }
    while (claim.prefix.len > 0 && claim.prefix.data[claim.prefix.len - 1] == '/')
        claim.prefix.len--;
    /* "//x/path" would be another host's in a link */
    if (claim.prefix.len > 1 && claim.prefix.data[0] == '/' && claim.prefix.data[1] != '/')
        req->root_path = arena_dup(&req->arena, claim.prefix);
}
