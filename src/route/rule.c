/* route/rule.c - one rule, read from its text. See rule.h. */
#include "route/rule.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/nearest.h"
#include "route/argument.h"
#include "route/part.h"

struct reader {
    struct arena *arena;
    const struct rule_converters *custom;
    struct rule *rule;
    struct slice text;
    size_t at;
    bool in_host;
    struct err *err;
};

/* A fault at byte `at` of the text. */
static int fault(struct reader *r, size_t at, const char *message)
{
    r->err->column = (int)at + 1;
    return err_set(r->err, QLUA_ESYNTAX, "%s", message);
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The name that begins here; empty when none does. */
static struct slice read_name(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->text.len &&
           (is_name_start(r->text.data[r->at]) ||
            (r->at > start && r->text.data[r->at] >= '0' && r->text.data[r->at] <= '9')))
        r->at++;
    return slice_of(r->text.data + start, r->at - start);
}

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : '\0';
}

/* The bytes up to the parenthesis that closes the arguments; quotes may hide one. */
static int read_parentheses(struct reader *r, struct slice *inside)
{
    size_t start = r->at++;
    char quote = '\0';
    for (; r->at < r->text.len; r->at++) {
        char c = r->text.data[r->at];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == ')') {
            *inside = slice_of(r->text.data + start + 1, r->at - start - 1);
            r->at++;
            return 0;
        }
    }
    return fault(r, start, "the parenthesis is not closed");
}

/* ---- converters ------------------------------------------------------------------------ */

static int unknown_converter(struct reader *r, struct slice name, size_t at)
{
    int len = (int)(name.len < 64 ? name.len : 64);
    const char *nearest = nearest_name(name, converter_names, CONVERTER_NAMES);
    if (nearest == NULL)
        nearest = nearest_name(name, r->custom->names, r->custom->count);
    r->err->column = (int)at + 1;
    if (nearest != NULL)
        return err_set(r->err, -ENOENT, "there is no converter '%.*s'; did you mean '%.64s'?", len,
                       name.data, nearest);
    return err_set(r->err, -ENOENT,
                   "there is no converter '%.*s'; there are string, int, float, path, any, uuid "
                   "and those of app.url_map.converters",
                   len, name.data);
}

static int make_converter(struct reader *r, struct slice name, size_t at, struct slice inside,
                          size_t inside_at, struct converter *c)
{
    struct arguments arguments;
    int kind = converter_kind_of(name);
    int custom = -1;
    for (size_t i = 0; i < r->custom->count; i++)
        if (slice_eq(name, slice_cstr(r->custom->names[i])))
            custom = (int)i;
    if (custom >= 0)
        kind = CONVERTER_CUSTOM;
    if (kind < 0)
        return unknown_converter(r, name, at);
    if (kind == CONVERTER_PATH && r->in_host)
        return fault(r, at, "a path converter has no place in a host: it has no slashes");
    int rc = argument_parse(r->arena, inside, (int)inside_at + 1, &arguments, r->err);
    if (rc == 0)
        rc =
            converter_init(c, (enum converter_kind)kind, r->arena, &arguments, (int)at + 1, r->err);
    c->custom = custom;
    return rc;
}

/* ---- variables ------------------------------------------------------------------------- */

static int add_variable(struct reader *r, struct slice name, size_t at, struct slice converter,
                        const struct converter *c)
{
    struct rule *rule = r->rule;
    size_t n = rule->info.nvariables;
    if (rule_variable(rule, name) >= 0)
        return fault(r, at, "this variable stands in the rule twice; give each its own name");
    if (n == ROUTE_MAX_VARS)
        return fault(r, at, "a rule has at most 16 variables");
    rule->converters[n] = *c;
    rule->variables[n] = (struct route_variable){.name = arena_dup(r->arena, name),
                                                 .converter = arena_dup(r->arena, converter),
                                                 .custom = c->custom};
    rule->info.nvariables = n + 1;
    return 0;
}

/* "<converter(arguments):name>" or "<name>". */
static int read_variable(struct reader *r)
{
    size_t start = r->at++;
    size_t at = r->at;
    size_t inside_at = at;
    struct slice inside = {"", 0};
    struct slice converter = SLICE("string");
    struct converter c;
    struct slice name = read_name(r);
    int rc;

    if (name.len == 0)
        return fault(r, r->at, "expected a name here, as in <name> or <converter:name>");
    if (peek(r) == '(') {
        inside_at = r->at + 1;
        if ((rc = read_parentheses(r, &inside)) != 0)
            return rc;
        if (peek(r) != ':')
            return fault(r, r->at, "expected ':' and the variable's name behind the arguments");
    }
    size_t converter_at = at;
    if (peek(r) == ':') {
        converter = name;
        at = ++r->at;
        name = read_name(r);
        if (name.len == 0)
            return fault(r, r->at, "expected the variable's name here");
    }
    if (peek(r) != '>')
        return fault(r, r->at < r->text.len ? r->at : start,
                     r->at < r->text.len ? "expected '>' here" : "this '<' is not closed");
    r->at++;
    if ((rc = make_converter(r, converter, converter_at, inside, inside_at, &c)) != 0)
        return rc;
    return add_variable(r, name, at, converter, &c);
}

/* ---- pieces ---------------------------------------------------------------------------- */

static struct slice read_text(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->text.len && r->text.data[r->at] != '<' && r->text.data[r->at] != '/')
        r->at++;
    char *copy = arena_cstr(r->arena, slice_of(r->text.data + start, r->at - start));
    for (size_t i = 0; r->in_host && i < r->at - start; i++)
        copy[i] = ascii_lower(copy[i]);
    return slice_of(copy, r->at - start);
}

static size_t count(struct slice text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == c;
    return n;
}

static int read_pieces(struct reader *r, bool merge_slashes, struct rule_pieces *pieces)
{
    /* each '<' and '/' is a piece and begins at most one text; one text may come first */
    size_t most = 2 * (count(r->text, '<') + count(r->text, '/')) + 1;
    pieces->list = arena_array(r->arena, most, sizeof(*pieces->list));
    pieces->count = 0;
    while (r->at < r->text.len) {
        struct rule_piece *piece = &pieces->list[pieces->count];
        int rc = 0;
        if (peek(r) == '/') {
            if (r->in_host)
                return fault(r, r->at, "a host has no slashes");
            r->at++;
            if (merge_slashes && pieces->count > 0 && piece[-1].kind == RULE_SLASH)
                continue;
            *piece = (struct rule_piece){.kind = RULE_SLASH, .text = SLICE("/")};
        } else if (peek(r) == '<') {
            *piece =
                (struct rule_piece){.kind = RULE_VARIABLE, .variable = r->rule->info.nvariables};
            rc = read_variable(r);
        } else {
            *piece = (struct rule_piece){.kind = RULE_TEXT, .text = read_text(r)};
        }
        if (rc != 0)
            return rc;
        pieces->count++;
    }
    return 0;
}

/* ---- the rule -------------------------------------------------------------------------- */

static void copy_defaults(struct arena *arena, const struct route_spec *spec,
                          struct route_rule_info *info)
{
    struct route_default *defaults = arena_array(arena, spec->ndefaults, sizeof(*defaults));
    for (size_t i = 0; i < spec->ndefaults; i++) {
        struct route_value value = spec->defaults[i].value;
        if (value.type == ROUTE_STRING || value.type == ROUTE_UUID || value.type == ROUTE_CUSTOM)
            value.text = arena_dup(arena, value.text);
        defaults[i] = (struct route_default){arena_dup(arena, spec->defaults[i].name), value};
    }
    info->defaults = defaults;
    info->ndefaults = spec->ndefaults;
}

static bool is_on(enum route_switch wanted, bool otherwise)
{
    return wanted == ROUTE_AS_TABLE ? otherwise : wanted == ROUTE_ON;
}

static struct rule *rule_init(struct arena *arena, const struct route_options *options,
                              const struct route_spec *spec)
{
    struct rule *rule = arena_zalloc(arena, sizeof(*rule));
    size_t most = count(spec->rule, '<') + count(spec->host, '<') + count(spec->subdomain, '<');
    most = most < ROUTE_MAX_VARS ? most : ROUTE_MAX_VARS;
    struct route_variable *variables = arena_array(arena, most, sizeof(*variables));
    rule->info = (struct route_rule_info){
        .rule = arena_dup(arena, spec->rule),
        .endpoint = slice_of(arena_cstr(arena, spec->endpoint), spec->endpoint.len),
        .host = arena_dup(arena, spec->host),
        .subdomain = arena_dup(arena, spec->subdomain),
        .methods = spec->methods,
        .strict_slashes = is_on(spec->strict_slashes, options->strict_slashes),
        .merge_slashes = is_on(spec->merge_slashes, options->merge_slashes),
        .websocket = spec->websocket,
        .variables = variables,
        .id = spec->id,
    };
    rule->variables = variables;
    rule->converters = arena_array(arena, most, sizeof(struct converter));
    copy_defaults(arena, spec, &rule->info);
    return rule;
}

/* Name the rule and the place in front of the message. */
static void describe(struct err *err, struct slice text)
{
    char message[sizeof(err->message)];
    int len = (int)(text.len < 200 ? text.len : 200);
    snprintf(message, sizeof(message), "%s", err->message);
    snprintf(err->name, sizeof(err->name), "%.*s", len, text.data);
    snprintf(err->message, sizeof(err->message), "rule '%.*s', column %d: %.250s", len, text.data,
             err->column, message);
}

struct rule *rule_new(struct arena *arena, const struct route_options *options,
                      const struct rule_converters *custom, const struct route_spec *spec,
                      struct err *err)
{
    struct rule *rule = rule_init(arena, options, spec);
    struct slice domain = options->host_matching ? spec->host : spec->subdomain;
    struct reader host = {.arena = arena,
                          .custom = custom,
                          .rule = rule,
                          .text = domain,
                          .in_host = true,
                          .err = err};
    struct reader path = {
        .arena = arena, .custom = custom, .rule = rule, .text = spec->rule, .err = err};

    if (read_pieces(&host, false, &rule->host) != 0) {
        describe(err, domain);
        return NULL;
    }
    int rc = 0;
    if (spec->rule.len == 0 || spec->rule.data[0] != '/')
        rc = fault(&path, 0, "a rule begins with '/'");
    else if (spec->rule.len > 1 && spec->rule.data[1] == '/' && !rule->info.merge_slashes)
        rc = fault(&path, 1, "this matches nothing: slashes at a path's start count as one");
    if (rc == 0)
        rc = read_pieces(&path, rule->info.merge_slashes, &rule->path);
    if (rc == 0)
        rc = part_split(arena, rule, err);
    if (rc != 0) {
        describe(err, spec->rule);
        return NULL;
    }
    return rule;
}

int rule_variable(const struct rule *rule, struct slice name)
{
    for (size_t i = 0; i < rule->info.nvariables; i++)
        if (slice_eq(rule->info.variables[i].name, name))
            return (int)i;
    return -1;
}

int rule_default(const struct rule *rule, struct slice name)
{
    for (size_t i = 0; i < rule->info.ndefaults; i++)
        if (slice_eq(rule->info.defaults[i].name, name))
            return (int)i;
    return -1;
}
