/* route/build.c - endpoint and values to URL. See build.h. */
#include "route/build.h"

#include <assert.h>
#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "route/build_error.h"
#include "route/build_internal.h"
#include "route/table_internal.h"

/* The value given for a name, or NULL. */
static const struct route_value *given(const struct route_argument *arguments, size_t n,
                                       struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (arguments[i].value.type != ROUTE_NIL && slice_eq(arguments[i].name, name))
            return &arguments[i].value;
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------- */

static bool number_of(const struct route_value *value, double *number)
{
    switch (value->type) {
    case ROUTE_INT: *number = (double)value->integer; return true;
    case ROUTE_FLOAT: *number = value->number; return true;
    case ROUTE_BOOL: *number = value->boolean; return true;
    default: return false;
    }
}

bool build_same_value(const struct route_value *a, const struct route_value *b)
{
    double x, y;
    if (a->type == ROUTE_INT && b->type == ROUTE_INT)
        return a->integer == b->integer;
    if (number_of(a, &x) && number_of(b, &y))
        return x >= y && x <= y;
    if (a->type == ROUTE_UUID && b->type == ROUTE_UUID)
        return slice_eq_nocase(a->text, b->text);
    switch (a->type) {
    case ROUTE_NIL: return b->type == ROUTE_NIL;
    case ROUTE_OPAQUE: return b->type == ROUTE_OPAQUE && a->integer == b->integer;
    case ROUTE_STRING:
    case ROUTE_UUID:
    case ROUTE_CUSTOM:
        return (b->type == ROUTE_STRING || b->type == ROUTE_CUSTOM || b->type == ROUTE_UUID) &&
               slice_eq(a->text, b->text);
    default: return false;
    }
}

/* ---- writing --------------------------------------------------------------------------- */

static int write_pieces(const struct rule *rule, const struct rule_pieces *pieces,
                        const struct route_argument *arguments, size_t n, bool quoted,
                        struct buf *out, struct err *err)
{
    for (size_t i = 0; i < pieces->count; i++) {
        const struct rule_piece *piece = &pieces->list[i];
        if (piece->kind != RULE_VARIABLE) {
            if (quoted)
                route_quote_path(out, piece->text);
            else
                buf_slice(out, piece->text);
            continue;
        }
        struct slice name = rule->info.variables[piece->variable].name;
        int at = rule_default(rule, name);
        const struct route_value *value =
            at >= 0 ? &rule->info.defaults[at].value : given(arguments, n, name);
        assert(value != NULL); /* the rule suits */
        int rc = converter_write(&rule->converters[piece->variable], value, quoted, out, err);
        if (rc != 0)
            return build_error_in_variable(rule, name, rc, err);
    }
    return 0;
}

int build_write(const struct rule *rule, const struct route_argument *arguments, size_t narguments,
                bool quoted, struct buf *path, struct buf *host, struct err *err)
{
    size_t path_len = path->len, host_len = host->len;
    int rc = write_pieces(rule, &rule->host, arguments, narguments, quoted, host, err);
    if (rc == 0)
        rc = write_pieces(rule, &rule->path, arguments, narguments, quoted, path, err);
    if (rc != 0) {
        path->len = path_len;
        host->len = host_len;
    }
    return rc;
}

/* ---- picking --------------------------------------------------------------------------- */

/* A rule suits when it has the method, when each of its variables is given or has a default, and
 * when what is given for a default is that very default. */
static bool suits(const struct rule *rule, const struct route_build *build, int method)
{
    if (method >= 0 && (rule->info.methods >> method & 1) == 0)
        return false;
    for (size_t i = 0; i < rule->info.nvariables; i++) {
        struct slice name = rule->info.variables[i].name;
        if (rule_default(rule, name) < 0 &&
            given(build->arguments, build->narguments, name) == NULL)
            return false;
    }
    for (size_t i = 0; i < rule->info.ndefaults; i++) {
        const struct route_default *d = &rule->info.defaults[i];
        const struct route_value *value = given(build->arguments, build->narguments, d->name);
        if (value != NULL && !build_same_value(value, &d->value))
            return false;
    }
    return true;
}

/* Whether the rule's host, with these values, is the one of the build. */
static bool is_on_host(const struct rule *rule, const struct route_build *build)
{
    struct buf host = {0};
    int rc =
        write_pieces(rule, &rule->host, build->arguments, build->narguments, false, &host, NULL);
    bool same = rc == 0 && slice_eq(buf_view(&host), build->host);
    buf_clear(&host);
    return same;
}

static const struct rule *pick_for(const struct route_table *table, const struct endpoint *endpoint,
                                   const struct route_build *build, int method)
{
    const struct rule *first = NULL;
    for (size_t i = 0; i < endpoint->nrules; i++) {
        const struct rule *rule = endpoint->rules[i];
        if (!suits(rule, build, method))
            continue;
        if (!table->options.host_matching || is_on_host(rule, build))
            return rule;
        first = first == NULL ? rule : first;
    }
    return first;
}

static const struct rule *pick(const struct route_table *table, const struct image *image,
                               const struct route_build *build)
{
    const struct endpoint *endpoint = endpoints_find(&image->endpoints, build->endpoint);
    const struct rule *rule = NULL;
    if (endpoint == NULL)
        return NULL;
    if (build->method < 0 && build->default_method >= 0)
        rule = pick_for(table, endpoint, build, build->default_method);
    return rule != NULL ? rule : pick_for(table, endpoint, build, build->method);
}

int route_build_rule(struct route_table *table, const struct route_build *build, struct err *err)
{
    struct image *image = image_ref(table);
    const struct rule *rule = pick(table, image, build);
    int rc = rule != NULL ? rule->index : build_error_no_rule(table, image, build, err);
    image_unref(&image);
    return rc;
}

static void mark_used(const struct rule *rule, struct route_build *build)
{
    for (size_t i = 0; i < build->narguments; i++) {
        struct route_argument *argument = &build->arguments[i];
        argument->used =
            rule_variable(rule, argument->name) >= 0 || rule_default(rule, argument->name) >= 0;
    }
}

int route_build(struct route_table *table, struct route_build *build, struct buf *path,
                struct buf *host, struct err *err)
{
    struct err unseen;
    if (err == NULL)
        err = &unseen;
    int index = route_build_rule(table, build, err);
    if (index < 0)
        return index;
    const struct rule *rule = table->rules[index];
    int rc = build_write(rule, build->arguments, build->narguments, true, path, host, err);
    if (rc != 0)
        return rc;
    mark_used(rule, build);
    return index;
}
