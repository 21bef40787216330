/* route/match.c - method and path to rule and values. See match.h.
 *
 * The walk follows Werkzeug's state machine. A part of the path is consumed a step, and each
 * state is reached by one sequence of steps only: a lookup visits a state once at most, whatever
 * the path, and recurses no deeper than the longest rule has parts.
 */
#include "route/match.h"

#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "route/build_internal.h"
#include "route/table_internal.h"

enum step {
    STEP_NONE,  /* go on elsewhere */
    STEP_FOUND, /* walk.rule fits */
    STEP_SLASH  /* walk.rule would, with a slash at the path's end */
};

struct walk {
    const struct trie *trie;
    const struct route_query *query;
    uint64_t method;   /* a bit; 0: fits no rule */
    struct slice path; /* without the slashes at its start */
    uint64_t allowed;  /* methods of rules that fit but for theirs */
    bool websocket_mismatch;
    const struct trie_rule *rule;
    struct slice *texts;        /* of variables, as far as the walk has come */
    struct route_value *values; /* of the rule last tried */
};

/* ---- rules that end at a state --------------------------------------------------------- */

static bool ask_custom(const struct walk *w, const struct converter *c, struct slice text,
                       size_t slot)
{
    const struct route_custom *custom = w->query->custom;
    return custom == NULL || custom->accept(custom->data, c->custom, text, (int)slot);
}

/* Convert the texts; false when a converter rejects its own. */
static bool take_values(struct walk *w, const struct trie_rule *rule)
{
    for (size_t i = 0; i < rule->nvariables; i++) {
        const struct converter *c = &rule->converters[i];
        if (!converter_read(c, w->texts[i], &w->values[i]))
            return false;
        if (c->custom >= 0 && !ask_custom(w, c, w->texts[i], i))
            return false;
    }
    return true;
}

static bool accepts(struct walk *w, const struct trie_rule *rule)
{
    return (rule->flags & TRIE_REJECTS) == 0 || take_values(w, rule);
}

static bool is_websocket(const struct trie_rule *rule)
{
    return (rule->flags & TRIE_WEBSOCKET) != 0;
}

/* Whether the rule takes the request; if only the method or the protocol is wrong, note it. */
static bool try_rule(struct walk *w, const struct trie_rule *rule)
{
    if ((rule->methods & w->method) == 0) {
        if ((rule->methods & ~w->allowed) != 0 && accepts(w, rule))
            w->allowed |= rule->methods;
        return false;
    }
    if (is_websocket(rule) != w->query->websocket) {
        w->websocket_mismatch = w->websocket_mismatch || accepts(w, rule);
        return false;
    }
    if (!take_values(w, rule))
        return false;
    w->rule = rule;
    return true;
}

/* Whether a rule for "/branch/" fits but for the slash. When its method is wrong as well nothing
 * is noted: that is 404, not 405. */
static bool asks_for_slash(struct walk *w, const struct trie_rule *rule)
{
    return (rule->methods & w->method) != 0 && is_websocket(rule) == w->query->websocket &&
           take_values(w, rule);
}

/* All parts are consumed: the rules that end here, then those that a slash would lead to. */
static enum step try_end(struct walk *w, const struct trie_state *state)
{
    const struct trie_rule *rule = &w->trie->rules[state->rules];
    for (uint32_t i = 0; i < state->nrules; i++)
        if (try_rule(w, &rule[i]))
            return STEP_FOUND;
    if (state->slash == TRIE_NONE)
        return STEP_NONE;
    state = &w->trie->states[state->slash];
    rule = &w->trie->rules[state->rules];
    for (uint32_t i = 0; i < state->nrules; i++) {
        if ((rule[i].flags & TRIE_STRICT) == 0) {
            if (try_rule(w, &rule[i]))
                return STEP_FOUND;
        } else if (asks_for_slash(w, &rule[i])) {
            w->rule = &rule[i];
            return STEP_SLASH;
        }
    }
    return STEP_NONE;
}

/* Only a slash is left: the rules without one that are not strict about it. */
static enum step try_loose(struct walk *w, const struct trie_state *state)
{
    const struct trie_rule *rule = &w->trie->rules[state->rules];
    for (uint32_t i = 0; i < state->nrules; i++)
        if ((rule[i].flags & TRIE_STRICT) == 0 && try_rule(w, &rule[i]))
            return STEP_FOUND;
    return STEP_NONE;
}

/* ---- the walk -------------------------------------------------------------------------- */

/* Go on from state `at`. The next part begins at pos; beyond path.len no part is left. */
static enum step walk(struct walk *w, uint32_t at, size_t pos, size_t ntexts)
{
    const struct trie_state *state = &w->trie->states[at];
    if (pos > w->path.len)
        return try_end(w, state);
    struct slice rest = slice_from(w->path, pos);
    struct slice part = slice_of(rest.data, slice_find(rest, '/'));
    enum step step;

    if (state->nchildren > 0) {
        uint32_t to = trie_find(w->trie, &w->trie->children, at, part);
        if (to != TRIE_NONE && (step = walk(w, to, pos + part.len + 1, ntexts)) != STEP_NONE)
            return step;
    }
    for (uint32_t i = 0; i < state->nedges; i++) {
        const struct trie_edge *edge = &w->trie->edges[state->edges + i];
        const struct segment *segment = edge->segment;
        if (!segment_match(segment, segment->final ? rest : part, w->texts + ntexts))
            continue;
        size_t next = pos + part.len + 1;
        if (segment->final) {
            bool slash = segment->suffixed && w->path.data[w->path.len - 1] == '/';
            next = w->path.len + (slash ? 0 : 1);
        }
        step = walk(w, edge->to, next, ntexts + segment->nvariables);
        if (step != STEP_NONE)
            return step;
    }
    return pos == w->path.len ? try_loose(w, state) : STEP_NONE;
}

/* From the domain on. */
static enum step walk_domain(struct walk *w, struct slice domain)
{
    const struct trie_state *state = &w->trie->states[0];
    uint32_t at =
        domain.len == 0 ? w->trie->plain : trie_find(w->trie, &w->trie->children, 0, domain);
    enum step step;
    if (at != TRIE_NONE) {
        /* A whole path of fixed text is what the walk would come to first. */
        uint32_t end = trie_find(w->trie, &w->trie->paths, at, w->path);
        if (end != TRIE_NONE && try_end(w, &w->trie->states[end]) == STEP_FOUND)
            return STEP_FOUND;
        if ((step = walk(w, at, 0, 0)) != STEP_NONE)
            return step;
    }
    for (uint32_t i = 0; i < state->nedges; i++) {
        const struct trie_edge *edge = &w->trie->edges[state->edges + i];
        if (!segment_match(edge->segment, domain, w->texts))
            continue;
        if ((step = walk(w, edge->to, 0, edge->segment->nvariables)) != STEP_NONE)
            return step;
    }
    return STEP_NONE;
}

/* What rules' hosts are compared with; false when the host lies outside of server_name. */
static bool domain_of(const struct route_table *table, struct slice host, struct slice *domain)
{
    struct slice name = table->options.server_name;
    *domain = host;
    if (table->options.host_matching)
        return true;
    domain->len = 0;
    if (name.len == 0 || slice_eq(host, name))
        return true;
    if (host.len <= name.len || !slice_ends_with(host, name) ||
        host.data[host.len - name.len - 1] != '.')
        return false;
    *domain = slice_of(host.data, host.len - name.len - 1);
    return true;
}

static struct slice skip_slashes(struct slice path)
{
    while (path.len > 0 && path.data[0] == '/')
        path = slice_from(path, 1);
    return path;
}

/* ---- redirects ------------------------------------------------------------------------- */

static bool has_double_slash(struct slice path)
{
    return path.len > 1 && memmem(path.data, path.len, "//", 2) != NULL;
}

static struct slice merge_slashes(struct arena *arena, struct slice path)
{
    char *merged = arena_alloc(arena, path.len);
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] != '/' || n == 0 || merged[n - 1] != '/')
            merged[n++] = path.data[i];
    return slice_of(merged, n);
}

/* To "/" and the walk's path, and another slash if asked for. */
static enum route_outcome redirect(const struct walk *w, bool slash, struct route_match *match)
{
    size_t len = w->path.len;
    char *path = arena_alloc(w->query->arena, len + 2);
    path[0] = '/';
    if (len > 0)
        memcpy(path + 1, w->path.data, len);
    path[len + 1] = '/';
    match->redirect_path = slice_of(path, len + 1 + (slash ? 1 : 0));
    match->redirect_host = SLICE("");
    return ROUTE_REDIRECT;
}

/* The value that the request gives to a name: of a variable, or a default of the rule's. */
static const struct route_value *value_of(const struct rule *rule, const struct route_match *match,
                                          struct slice name)
{
    int at = rule_default(rule, name);
    if (at >= 0)
        return &rule->info.defaults[at].value;
    at = rule_variable(rule, name);
    return at >= 0 ? &match->values[at] : NULL;
}

/* Whether `canonical` stands for these values by its defaults. */
static bool stands_for(const struct rule *canonical, const struct rule *rule, const struct walk *w,
                       const struct route_match *match)
{
    if (!endpoint_provides_defaults(canonical, rule) || (canonical->info.methods & w->method) == 0)
        return false;
    for (size_t i = 0; i < canonical->info.ndefaults; i++) {
        const struct route_default *d = &canonical->info.defaults[i];
        const struct route_value *value = value_of(rule, match, d->name);
        if (value == NULL || !build_same_value(value, &d->value))
            return false;
    }
    return true;
}

static bool write_canonical(const struct route_table *table, const struct rule *canonical,
                            const struct rule *rule, const struct walk *w,
                            struct route_match *match)
{
    size_t n = canonical->info.nvariables;
    struct route_argument arguments[ROUTE_MAX_VARS];
    struct slice domain;
    struct buf path = {0}, host = {0};
    for (size_t i = 0; i < n; i++) {
        struct slice name = canonical->info.variables[i].name;
        arguments[i] = (struct route_argument){.name = name, .value = *value_of(rule, match, name)};
    }
    bool written = build_write(canonical, arguments, n, false, &path, &host, NULL) == 0;
    if (written) {
        domain_of(table, w->query->host, &domain);
        bool other = !slice_eq(buf_view(&host), domain);
        if (other && !table->options.host_matching) {
            if (host.len > 0)
                buf_char(&host, '.');
            buf_slice(&host, table->options.server_name);
        }
        match->redirect_path = arena_dup(w->query->arena, buf_view(&path));
        match->redirect_host = other ? arena_dup(w->query->arena, buf_view(&host)) : SLICE("");
    }
    buf_clear(&path);
    buf_clear(&host);
    return written;
}

/* /page/1 to /page/, where page 1 is the default. */
static bool redirect_to_defaults(const struct route_table *table, const struct image *image,
                                 const struct walk *w, struct route_match *match)
{
    const struct rule *rule = table->rules[w->rule->index];
    const struct endpoint *endpoint = endpoints_find(&image->endpoints, rule->info.endpoint);
    for (size_t i = 0; i < endpoint->nrules && endpoint->rules[i] != rule; i++)
        if (stands_for(endpoint->rules[i], rule, w, match))
            return write_canonical(table, endpoint->rules[i], rule, w, match);
    return false;
}

/* ---- lookups --------------------------------------------------------------------------- */

/* A default of a variable's name is the value, whatever the path says. */
static void override_values(const struct rule *rule, struct route_match *match)
{
    for (size_t i = 0; i < rule->info.nvariables; i++)
        match->values[i] = *value_of(rule, match, rule->info.variables[i].name);
}

static enum route_outcome found(const struct route_table *table, const struct image *image,
                                const struct walk *w, struct route_match *match)
{
    const struct trie_rule *rule = w->rule;
    match->rule = rule->index;
    match->id = rule->id;
    match->nvalues = rule->nvariables;
    if ((rule->flags & TRIE_REDIRECTS) != 0 && table->options.redirect_defaults &&
        redirect_to_defaults(table, image, w, match))
        return ROUTE_REDIRECT;
    if ((rule->flags & TRIE_OVERRIDES) != 0)
        override_values(table->rules[rule->index], match);
    return ROUTE_FOUND;
}

/* The walk found nothing: try the path with its slashes merged, else say why not. */
static enum route_outcome missed(struct walk *w, struct slice domain, bool merge,
                                 struct route_match *match)
{
    if (merge && has_double_slash(w->path)) {
        w->path = merge_slashes(w->query->arena, w->path);
        enum step step = walk_domain(w, domain);
        if (step != STEP_NONE && (w->rule->flags & TRIE_MERGE) != 0)
            return redirect(w, step == STEP_SLASH, match);
    }
    if (w->allowed != 0) {
        match->allowed = w->allowed;
        return ROUTE_METHOD_NOT_ALLOWED;
    }
    return w->websocket_mismatch ? ROUTE_WEBSOCKET_MISMATCH : ROUTE_NOT_FOUND;
}

static enum route_outcome look_up(const struct route_table *table, const struct image *image,
                                  const struct route_query *query, uint64_t method,
                                  struct route_match *match)
{
    struct slice texts[ROUTE_MAX_VARS];
    struct slice domain;
    struct walk w = {.trie = &image->trie,
                     .query = query,
                     .method = method,
                     .path = skip_slashes(query->path),
                     .texts = texts,
                     .values = match->values};
    if (!domain_of(table, query->host, &domain))
        return ROUTE_NOT_FOUND;
    switch (walk_domain(&w, domain)) {
    case STEP_FOUND: return found(table, image, &w, match);
    case STEP_SLASH: return redirect(&w, true, match);
    case STEP_NONE: break;
    }
    return missed(&w, domain, table->options.merge_slashes && method != 0, match);
}

enum route_outcome route_match(struct route_table *table, const struct route_query *query,
                               struct route_match *match)
{
    assert(query->method >= 0 && query->method < 64);
    struct image *image = image_ref(table);
    enum route_outcome outcome = look_up(table, image, query, (uint64_t)1 << query->method, match);
    image_unref(&image);
    return outcome;
}

uint64_t route_allowed(struct route_table *table, const struct route_query *query)
{
    struct route_match match;
    struct image *image = image_ref(table);
    enum route_outcome outcome = look_up(table, image, query, 0, &match);
    image_unref(&image);
    return outcome == ROUTE_METHOD_NOT_ALLOWED ? match.allowed : 0;
}
