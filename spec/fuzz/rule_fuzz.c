/* spec/fuzz/rule_fuzz.c - rules of any bytes, and paths looked up among them.
 *
 * Lines up to an empty one are rules (marks in front: '*' not strict about slashes, '=' slashes
 * not merged, '!' with a default n=1, '^' on a host, '+' for POST, '&' websocket); the others are
 * paths. What is found is built again; what is redirected is followed.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "route/build.h"
#include "route/match.h"
#include "route/table.h"

#define GET       1
#define POST      3
#define MAX_RULES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A custom converter that takes what does not begin with an x. */
static bool accept(void *data, int converter, struct slice text, int slot)
{
    (void)data;
    assert(converter == 0 && slot >= 0 && slot < ROUTE_MAX_VARS);
    return text.len > 0 && text.data[0] != 'x';
}

static void add(struct route_table *table, struct slice line)
{
    struct route_default one = {.name = SLICE("n"), .value = {ROUTE_INT, {.integer = 1}}};
    struct route_spec spec = {.methods = 1u << GET, .endpoint = SLICE("endpoint")};
    struct err err = {0};
    for (; line.len > 0 && line.data[0] != '/'; line = slice_from(line, 1)) {
        switch (line.data[0]) {
        case '*': spec.strict_slashes = ROUTE_OFF; continue;
        case '=': spec.merge_slashes = ROUTE_OFF; continue;
        case '!': spec.defaults = &one, spec.ndefaults = 1; continue;
        case '^': spec.subdomain = SLICE("<string(length=1):h>.Sub"); continue;
        case '+': spec.methods = 1u << POST; continue;
        case '&': spec.websocket = true; continue;
        default: break;
        }
        break;
    }
    spec.rule = line;
    int rc = route_table_add(table, &spec, &err);
    assert(rc >= 0 || (rc == err.code && err.message[0] != '\0' && err.column > 0));
}

static bool is_within(struct slice part, struct slice whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* What a lookup gave can be written again. */
static void build(struct route_table *table, const struct route_query *query,
                  const struct route_match *match)
{
    const struct route_rule_info *info = route_rule_at(table, match->rule);
    struct route_argument arguments[ROUTE_MAX_VARS];
    struct route_build b = {.endpoint = info->endpoint,
                            .method = query->method,
                            .arguments = arguments,
                            .narguments = match->nvalues};
    struct buf path = {0}, host = {0};
    struct err err;
    assert(match->nvalues == info->nvariables);
    for (size_t i = 0; i < match->nvalues; i++) {
        const struct route_value *value = &match->values[i];
        if (value->type == ROUTE_STRING || value->type == ROUTE_UUID || value->type == ROUTE_CUSTOM)
            assert(is_within(value->text, query->path) || is_within(value->text, query->host));
        arguments[i] = (struct route_argument){info->variables[i].name, *value, false};
    }
    int rc = route_build(table, &b, &path, &host, &err);
    assert(rc >= 0 || rc == -EINVAL); /* another rule may want other values */
    assert(rc < 0 || path.data[0] == '/');
    for (size_t i = 0; i < path.len; i++)
        assert(path.data[i] > ' ' && path.data[i] < 0x7f && path.data[i] != '?');
    buf_clear(&path);
    buf_clear(&host);
}

static void look_up(struct route_table *table, struct arena *arena, struct slice path,
                    struct slice host)
{
    const struct route_custom custom = {.accept = accept};
    struct route_query query = {
        .method = GET, .path = path, .host = host, .custom = &custom, .arena = arena};
    struct route_match match;
    uint64_t allowed = route_allowed(table, &query);
    for (int hops = 0;; hops++) {
        switch (route_match(table, &query, &match)) {
        case ROUTE_FOUND:
            assert((route_allowed(table, &query) & 1u << GET) != 0);
            build(table, &query, &match);
            return;
        case ROUTE_REDIRECT:
            assert(match.redirect_path.len > 0 && match.redirect_path.data[0] == '/');
            assert(match.redirect_path.len == 1 || match.redirect_path.data[1] != '/');
            assert(hops < 4);
            query.path = match.redirect_path;
            continue;
        case ROUTE_METHOD_NOT_ALLOWED:
            assert(match.allowed != 0);
            /* route_allowed merges no slashes */
            assert((match.allowed & ~allowed) == 0 || hops > 0 ||
                   memmem(path.data, path.len, "//", 2) != NULL);
            return;
        case ROUTE_WEBSOCKET_MISMATCH:
        case ROUTE_NOT_FOUND: return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct route_options options = ROUTE_OPTIONS_DEFAULT;
    options.server_name = SLICE("server.test");
    struct route_table *table = route_table_new(&options);
    struct arena arena;
    arena_init(&arena);
    route_table_converter(table, SLICE("list"));
    for (int i = 0; rest.len > 0 && i < MAX_RULES; i++) {
        struct slice line = slice_split(&rest, '\n');
        if (line.len == 0)
            break;
        add(table, line);
    }
    while (rest.len > 0) {
        struct slice path = slice_split(&rest, '\n');
        look_up(table, &arena, path, SLICE("server.test"));
        look_up(table, &arena, path, SLICE("a.sub.server.test"));
    }
    arena_clear(&arena);
    route_table_free(table);
    return 0;
}
