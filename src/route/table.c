/* route/table.c - the URL rules of one app. See table.h. */
#include "route/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "route/table_internal.h"

struct route_table *route_table_new(const struct route_options *options)
{
    struct route_table *table = mem_zalloc(sizeof(*table));
    arena_init(&table->memory);
    table->options = *options;
    char *name = arena_cstr(&table->memory, options->server_name);
    for (size_t i = 0; i < options->server_name.len; i++)
        name[i] = ascii_lower(name[i]);
    table->options.server_name = slice_of(name, options->server_name.len);
    return table;
}

void route_table_free(struct route_table *table)
{
    if (table == NULL)
        return;
    image_unref(&table->image);
    free(table->converters.names);
    free(table->rules);
    arena_clear(&table->memory);
    free(table);
}

int route_table_converter(struct route_table *table, struct slice name)
{
    struct rule_converters *converters = &table->converters;
    for (size_t i = 0; i < converters->count; i++)
        if (slice_eq(slice_cstr(converters->names[i]), name))
            return (int)i;
    const char **names = mem_array(converters->count + 1, sizeof(*names));
    if (converters->count > 0)
        memcpy(names, converters->names, converters->count * sizeof(*names));
    names[converters->count] = arena_cstr(&table->memory, name);
    free(converters->names);
    converters->names = names;
    return (int)converters->count++;
}

static void make_room(struct route_table *table)
{
    if (table->nrules < table->capacity)
        return;
    size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    struct rule **rules = mem_array(capacity, sizeof(struct rule *));
    if (table->nrules > 0)
        memcpy(rules, table->rules, table->nrules * sizeof(struct rule *));
    free(table->rules);
    table->rules = rules;
    table->capacity = capacity;
}

int route_table_add(struct route_table *table, const struct route_spec *spec, struct err *err)
{
    struct err unseen;
    if (err == NULL)
        err = &unseen;
    struct rule *rule = rule_new(&table->memory, &table->options, &table->converters, spec, err);
    if (rule == NULL)
        return err->code;
    make_room(table);
    rule->index = (int)table->nrules;
    table->rules[table->nrules++] = rule;
    image_unref(&table->image);
    return rule->index;
}

/* ---- images ---------------------------------------------------------------------------- */

static struct image *image_new(const struct route_table *table)
{
    struct image *image = mem_zalloc(sizeof(*image));
    image->references = 1;
    arena_init(&image->memory);
    endpoints_init(&image->endpoints, &image->memory, table->rules, table->nrules);
    trie_init(&image->trie, &image->memory, &image->endpoints, table->rules, table->nrules);
    return image;
}

struct image *image_ref(struct route_table *table)
{
    if (table->image == NULL)
        table->image = image_new(table);
    table->image->references++;
    return table->image;
}

void image_unref(struct image **image)
{
    struct image *old = *image;
    *image = NULL;
    if (old == NULL || --old->references > 0)
        return;
    arena_clear(&old->memory);
    free(old);
}

void route_table_build(struct route_table *table)
{
    struct image *image = image_ref(table);
    image_unref(&image);
}

/* ---- looking at rules ------------------------------------------------------------------ */

bool route_table_uses_host(const struct route_table *table)
{
    return table->options.host_matching || table->options.server_name.len > 0;
}

int route_table_count(const struct route_table *table)
{
    return (int)table->nrules;
}

const struct route_rule_info *route_rule_at(const struct route_table *table, int index)
{
    assert(index >= 0 && (size_t)index < table->nrules);
    return &table->rules[index]->info;
}

void route_table_order(struct route_table *table, int *indices)
{
    struct image *image = image_ref(table);
    if (table->nrules > 0)
        memcpy(indices, image->trie.order, table->nrules * sizeof(*indices));
    image_unref(&image);
}
