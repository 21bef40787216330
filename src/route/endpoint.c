/* route/endpoint.c - the rules of each endpoint. See endpoint.h. */
#include "route/endpoint.h"

#include <stdlib.h>

#include "base/arena.h"
#include "route/rule.h"

size_t endpoint_arguments(const struct rule *rule)
{
    size_t n = rule->info.nvariables;
    for (size_t i = 0; i < rule->info.ndefaults; i++)
        n += rule_variable(rule, rule->info.defaults[i].name) < 0;
    return n;
}

static bool takes(const struct rule *rule, struct slice name)
{
    return rule_variable(rule, name) >= 0 || rule_default(rule, name) >= 0;
}

static bool same_arguments(const struct rule *a, const struct rule *b)
{
    if (endpoint_arguments(a) != endpoint_arguments(b))
        return false;
    for (size_t i = 0; i < a->info.nvariables; i++)
        if (!takes(b, a->info.variables[i].name))
            return false;
    for (size_t i = 0; i < a->info.ndefaults; i++)
        if (!takes(b, a->info.defaults[i].name))
            return false;
    return true;
}

static bool same_pieces(const struct rule *a, const struct rule_pieces *x, const struct rule *b,
                        const struct rule_pieces *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++) {
        const struct rule_piece *p = &x->list[i], *q = &y->list[i];
        if (p->kind != q->kind || !slice_eq(p->text, q->text))
            return false;
        if (p->kind == RULE_VARIABLE &&
            !slice_eq(a->info.variables[p->variable].name, b->info.variables[q->variable].name))
            return false;
    }
    return true;
}

bool endpoint_provides_defaults(const struct rule *rule, const struct rule *other)
{
    return rule->info.ndefaults > 0 && same_arguments(rule, other) &&
           !(same_pieces(rule, &rule->path, other, &other->path) &&
             same_pieces(rule, &rule->host, other, &other->host));
}

static int descending(size_t a, size_t b)
{
    return (a < b) - (a > b);
}

static int compare_rules(const void *a, const void *b)
{
    const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
    int order = slice_cmp(x->info.endpoint, y->info.endpoint);
    if (order == 0)
        order = descending(endpoint_arguments(x), endpoint_arguments(y));
    if (order == 0)
        order = descending(x->info.ndefaults, y->info.ndefaults);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void endpoints_init(struct endpoints *endpoints, struct arena *memory, struct rule *const *rules,
                    size_t nrules)
{
    *endpoints = (struct endpoints){0};
    if (nrules == 0)
        return;
    struct rule **sorted = arena_array(memory, nrules, sizeof(struct rule *));
    struct endpoint *list = arena_array(memory, nrules, sizeof(*list));
    size_t n = 0;
    memcpy(sorted, rules, nrules * sizeof(struct rule *));
    qsort(sorted, nrules, sizeof(struct rule *), compare_rules);
    for (size_t i = 0; i < nrules; i++) {
        if (n == 0 || !slice_eq(list[n - 1].name, sorted[i]->info.endpoint))
            list[n++] = (struct endpoint){.name = sorted[i]->info.endpoint, .rules = sorted + i};
        list[n - 1].nrules++;
    }
    endpoints->list = list;
    endpoints->count = n;
}

const struct endpoint *endpoints_find(const struct endpoints *endpoints, struct slice name)
{
    size_t lo = 0, hi = endpoints->count;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        int order = slice_cmp(endpoints->list[middle].name, name);
        if (order == 0)
            return &endpoints->list[middle];
        if (order < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return NULL;
}

bool endpoint_may_redirect(const struct endpoints *endpoints, const struct rule *rule)
{
    const struct endpoint *endpoint = endpoints_find(endpoints, rule->info.endpoint);
    for (size_t i = 0; i < endpoint->nrules && endpoint->rules[i] != rule; i++)
        if (endpoint_provides_defaults(endpoint->rules[i], rule))
            return true;
    return false;
}
