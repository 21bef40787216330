/* route/build_error.c - why url_for cannot. See build_error.h. */
#include "route/build_error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "route/build.h"
#include "route/table_internal.h"

/* Names being gathered for a list; too many for anyone to read are left out. */
#define MAX_NAMES 64

struct names {
    struct slice list[MAX_NAMES];
    size_t count;
};

static void names_add(struct names *names, struct slice name)
{
    for (size_t i = 0; i < names->count; i++)
        if (slice_eq(names->list[i], name))
            return;
    if (names->count < MAX_NAMES)
        names->list[names->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* "['a', 'b']", sorted. */
static void names_write(struct names *names, struct buf *out)
{
    qsort(names->list, names->count, sizeof(names->list[0]), compare_names);
    buf_char(out, '[');
    for (size_t i = 0; i < names->count; i++) {
        buf_cstr(out, i == 0 ? "'" : ", '");
        buf_slice(out, names->list[i]);
        buf_char(out, '\'');
    }
    buf_char(out, ']');
}

static bool is_given(const struct route_build *build, struct slice name)
{
    for (size_t i = 0; i < build->narguments; i++)
        if (build->arguments[i].value.type != ROUTE_NIL && slice_eq(build->arguments[i].name, name))
            return true;
    return false;
}

static bool takes_all(const struct rule *rule, const struct route_build *build)
{
    for (size_t i = 0; i < build->narguments; i++)
        if (build->arguments[i].value.type != ROUTE_NIL &&
            rule_variable(rule, build->arguments[i].name) < 0 &&
            rule_default(rule, build->arguments[i].name) < 0)
            return false;
    return true;
}

/* Of the endpoint's rules the one that was probably meant; among equals the first registered. */
static const struct rule *closest(const struct endpoint *endpoint, const struct route_build *build)
{
    const struct rule *best = NULL;
    int best_score = -1;
    for (size_t i = 0; i < endpoint->nrules; i++) {
        const struct rule *rule = endpoint->rules[i];
        int score = takes_all(rule, build);
        score += build->method >= 0 && (rule->info.methods >> build->method & 1) != 0;
        if (score > best_score || (score == best_score && rule->index < best->index)) {
            best_score = score;
            best = rule;
        }
    }
    return best;
}

static void write_methods(const struct route_table *table, const struct rule *rule, struct buf *out)
{
    struct names names = {.count = 0};
    for (int method = 0; method < 64; method++)
        if ((rule->info.methods >> method & 1) != 0)
            names_add(&names, slice_cstr(table->options.method_name(method)));
    buf_cstr(out, " Did you mean to use methods ");
    names_write(&names, out);
    buf_char(out, '?');
}

static void write_missing(const struct rule *rule, const struct route_build *build, struct buf *out)
{
    struct names names = {.count = 0};
    for (size_t i = 0; i < rule->info.nvariables; i++)
        if (!is_given(build, rule->info.variables[i].name))
            names_add(&names, rule->info.variables[i].name);
    for (size_t i = 0; i < rule->info.ndefaults; i++)
        if (!is_given(build, rule->info.defaults[i].name))
            names_add(&names, rule->info.defaults[i].name);
    if (names.count == 0)
        return;
    buf_cstr(out, " Did you forget to specify values ");
    names_write(&names, out);
    buf_char(out, '?');
}

static void write_other_endpoint(const struct endpoints *endpoints, struct slice name,
                                 struct buf *out)
{
    const char **names = mem_array(endpoints->count, sizeof(*names));
    for (size_t i = 0; i < endpoints->count; i++)
        names[i] = endpoints->list[i].name.data; /* NUL-terminated by rule.c */
    const char *nearest = nearest_name(name, names, endpoints->count);
    if (nearest != NULL)
        buf_printf(out, " Did you mean '%s' instead?", nearest);
    free(names);
}

static void write_suggestion(const struct route_table *table, const struct image *image,
                             const struct route_build *build, struct buf *out)
{
    const struct endpoint *endpoint = endpoints_find(&image->endpoints, build->endpoint);
    if (endpoint == NULL) {
        write_other_endpoint(&image->endpoints, build->endpoint, out);
        return;
    }
    const struct rule *rule = closest(endpoint, build);
    if (build->method >= 0 && table->options.method_name != NULL &&
        (rule->info.methods >> build->method & 1) == 0)
        write_methods(table, rule, out);
    write_missing(rule, build, out);
}

int build_error_no_rule(const struct route_table *table, const struct image *image,
                        const struct route_build *build, struct err *err)
{
    struct buf text = {0};
    struct names names = {.count = 0};
    buf_cstr(&text, "Could not build url for endpoint '");
    buf_slice(&text, build->endpoint);
    buf_char(&text, '\'');
    if (build->method >= 0 && table->options.method_name != NULL)
        buf_printf(&text, " ('%s')", table->options.method_name(build->method));
    for (size_t i = 0; i < build->narguments; i++)
        if (build->arguments[i].value.type != ROUTE_NIL)
            names_add(&names, build->arguments[i].name);
    if (names.count > 0) {
        buf_cstr(&text, " with values ");
        names_write(&names, &text);
    }
    buf_char(&text, '.');
    write_suggestion(table, image, build, &text);
    int rc = err_set(err, -ENOENT, "%.*s", (int)(text.len < 500 ? text.len : 500), text.data);
    buf_clear(&text);
    return rc;
}

int build_error_in_variable(const struct rule *rule, struct slice name, int rc, struct err *err)
{
    char message[256];
    struct slice endpoint = rule->info.endpoint;
    if (err == NULL)
        return rc;
    snprintf(message, sizeof(message), "%.255s", err->message);
    return err_set(err, rc, "Could not build url for endpoint '%.*s': value '%.*s': %s",
                   (int)(endpoint.len < 100 ? endpoint.len : 100), endpoint.data,
                   (int)(name.len < 100 ? name.len : 100), name.data, message);
}
