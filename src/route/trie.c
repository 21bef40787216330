/* route/trie.c - all rules of a table, laid out for lookups. See trie.h.
 *
 * The tree is grown rule by rule with linked lists, then the lists are laid flat.
 */
#include "route/trie.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "route/endpoint.h"
#include "route/rule.h"

/* A list's member while the tree grows: a rule, an edge or a child, by the list. */
struct link {
    struct link *next;
    const struct rule *rule;
    const struct segment *segment;
    uint32_t to;
    uint32_t order; /* of registration */
};

struct chain {
    struct link *first;
    struct link **end;
    uint32_t count;
};

struct node {
    struct chain rules;
    struct chain edges;
    struct chain children;
    uint32_t slash;
};

/* Common segments and converters, of which one stands for all that are alike. More kinds than
 * this are not worth the search. */
#define MAX_SHARED 32

struct shared {
    const struct segment *segments[MAX_SHARED];
    size_t nsegments;
    const struct rule *rules[MAX_SHARED]; /* for their converters */
    size_t nrules;
};

struct grower {
    struct trie *trie;
    struct shared shared;
    const struct endpoints *endpoints;
    struct arena scratch;
    struct node *nodes;
    uint32_t nnodes;
    struct buf texts;
};

static struct link *chain_add(struct grower *g, struct chain *chain)
{
    struct link *link = arena_zalloc(&g->scratch, sizeof(*link));
    link->order = chain->count++;
    *(chain->first == NULL ? &chain->first : chain->end) = link;
    chain->end = &link->next;
    return link;
}

static uint32_t add_node(struct grower *g)
{
    g->nodes[g->nnodes] = (struct node){.slash = TRIE_NONE};
    return g->nnodes++;
}

/* ---- sharing --------------------------------------------------------------------------- */

/* One that is the same as `segment`, a variable alone in its segment if it is to be found. */
static const struct segment *share_segment(struct shared *shared, const struct segment *segment)
{
    if (segment->nvariables > 1 || segment->npieces > 0 || segment->final)
        return segment;
    for (size_t i = 0; i < shared->nsegments; i++)
        if (segment_same(shared->segments[i], segment))
            return shared->segments[i];
    if (shared->nsegments < MAX_SHARED)
        shared->segments[shared->nsegments++] = segment;
    return segment;
}

static bool same_converters(const struct rule *a, const struct rule *b)
{
    if (a->info.nvariables != b->info.nvariables)
        return false;
    for (size_t i = 0; i < a->info.nvariables; i++)
        if (!converter_same(&a->converters[i], &b->converters[i]))
            return false;
    return true;
}

static const struct converter *share_converters(struct shared *shared, const struct rule *rule)
{
    for (size_t i = 0; i < shared->nrules; i++)
        if (same_converters(shared->rules[i], rule))
            return shared->rules[i]->converters;
    if (shared->nrules < MAX_SHARED)
        shared->rules[shared->nrules++] = rule;
    return rule->converters;
}

/* ---- growing --------------------------------------------------------------------------- */

static void init_index(struct trie_index *index, struct arena *memory, size_t entries)
{
    size_t size = 8;
    while (size < entries * 2)
        size *= 2;
    index->slots = arena_array(memory, size, sizeof(*index->slots));
    index->mask = (uint32_t)(size - 1);
    for (size_t i = 0; i < size; i++)
        index->slots[i].to = TRIE_NONE;
}

static void put(struct grower *g, struct trie_index *index, uint32_t from, struct slice text,
                uint32_t to)
{
    uint32_t hash = hash_text(text, from);
    uint32_t i = hash & index->mask;
    while (index->slots[i].to != TRIE_NONE)
        i = (i + 1) & index->mask;
    index->slots[i] = (struct trie_slot){.from = from,
                                         .hash = hash,
                                         .text = (uint32_t)g->texts.len,
                                         .length = (uint32_t)text.len,
                                         .to = to};
    buf_slice(&g->texts, text);
}

/* trie_find while the texts still grow. */
static uint32_t find(struct grower *g, const struct trie_index *index, uint32_t from,
                     struct slice text)
{
    g->trie->texts = g->texts.data;
    return trie_find(g->trie, index, from, text);
}

static uint32_t step_text(struct grower *g, uint32_t from, struct slice text)
{
    uint32_t to = find(g, &g->trie->children, from, text);
    if (to != TRIE_NONE)
        return to;
    to = add_node(g);
    put(g, &g->trie->children, from, text, to);
    chain_add(g, &g->nodes[from].children)->to = to;
    if (text.len == 0)
        g->nodes[from].slash = to;
    return to;
}

static uint32_t step_segment(struct grower *g, uint32_t from, const struct segment *segment)
{
    struct chain *edges = &g->nodes[from].edges;
    for (struct link *edge = edges->first; edge != NULL; edge = edge->next)
        if (segment_same(edge->segment, segment))
            return edge->to;
    struct link *edge = chain_add(g, edges);
    edge->segment = share_segment(&g->shared, segment);
    edge->to = add_node(g);
    return edge->to;
}

static uint32_t step(struct grower *g, uint32_t from, const struct rule_part *part)
{
    return part->segment != NULL ? step_segment(g, from, part->segment)
                                 : step_text(g, from, part->text);
}

static bool is_fixed(const struct rule *rule)
{
    for (size_t i = 0; i < rule->nparts; i++)
        if (rule->parts[i].segment != NULL)
            return false;
    return rule->domain.segment == NULL;
}

/* A path without variables is found at once: nothing comes before it in the walk. */
static void add_path(struct grower *g, const struct rule *rule, uint32_t domain, uint32_t to)
{
    struct buf path = {0};
    for (size_t i = 0; i < rule->nparts; i++) {
        if (i > 0)
            buf_char(&path, '/');
        buf_slice(&path, rule->parts[i].text);
    }
    struct slice text = slice_of(path.data == NULL ? "" : path.data, path.len);
    if (find(g, &g->trie->paths, domain, text) == TRIE_NONE)
        put(g, &g->trie->paths, domain, text, to);
    buf_clear(&path);
}

static void add_rule(struct grower *g, const struct rule *rule)
{
    uint32_t domain = step(g, 0, &rule->domain);
    uint32_t at = domain;
    for (size_t i = 0; i < rule->nparts; i++)
        at = step(g, at, &rule->parts[i]);
    chain_add(g, &g->nodes[at].rules)->rule = rule;
    if (is_fixed(rule))
        add_path(g, rule, domain, at);
}

/* ---- laying flat ----------------------------------------------------------------------- */

static struct trie_rule flat_rule(struct grower *g, const struct rule *rule)
{
    const struct route_rule_info *info = &rule->info;
    unsigned flags = (info->websocket ? TRIE_WEBSOCKET : 0u) |
                     (info->strict_slashes ? TRIE_STRICT : 0u) |
                     (info->merge_slashes ? TRIE_MERGE : 0u);
    if (endpoint_may_redirect(g->endpoints, rule))
        flags |= TRIE_REDIRECTS;
    for (size_t i = 0; i < info->nvariables; i++) {
        if (converter_rejects(&rule->converters[i]))
            flags |= TRIE_REJECTS;
        if (rule_default(rule, info->variables[i].name) >= 0)
            flags |= TRIE_OVERRIDES;
    }
    return (struct trie_rule){.methods = info->methods,
                              .converters = share_converters(&g->shared, rule),
                              .index = rule->index,
                              .id = info->id,
                              .nvariables = (uint8_t)info->nvariables,
                              .flags = (uint8_t)flags};
}

static int compare_edges(const void *a, const void *b)
{
    const struct link *x = *(struct link *const *)a, *y = *(struct link *const *)b;
    int order = segment_compare(x->segment, y->segment);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Relink a chain of edges in the order they are tried. */
static void sort_edges(struct grower *g, struct chain *edges)
{
    size_t n = 0;
    if (edges->count < 2)
        return;
    struct link **list = arena_array(&g->scratch, edges->count, sizeof(*list));
    for (struct link *edge = edges->first; edge != NULL; edge = edge->next)
        list[n++] = edge;
    qsort(list, n, sizeof(*list), compare_edges);
    for (size_t i = 0; i < n; i++)
        list[i]->next = i + 1 < n ? list[i + 1] : NULL;
    edges->first = list[0];
}

/* Write the rules below a state in the order lookups try them; recursion by parts of a rule. */
static size_t write_order(const struct grower *g, uint32_t at, int *order, size_t n)
{
    const struct node *node = &g->nodes[at];
    for (struct link *link = node->rules.first; link != NULL; link = link->next)
        order[n++] = link->rule->index;
    for (struct link *link = node->children.first; link != NULL; link = link->next)
        n = write_order(g, link->to, order, n);
    for (struct link *link = node->edges.first; link != NULL; link = link->next)
        n = write_order(g, link->to, order, n);
    return n;
}

static void lay_flat(struct grower *g, struct arena *memory, size_t nrules)
{
    size_t nedges = 0;
    for (uint32_t i = 0; i < g->nnodes; i++)
        nedges += g->nodes[i].edges.count;
    struct trie_state *states = arena_array(memory, g->nnodes, sizeof(*states));
    struct trie_edge *edges = arena_array(memory, nedges, sizeof(*edges));
    struct trie_rule *rules = arena_array(memory, nrules, sizeof(*rules));
    uint32_t edge = 0, rule = 0;

    for (uint32_t i = 0; i < g->nnodes; i++) {
        struct node *node = &g->nodes[i];
        states[i] = (struct trie_state){.edges = edge,
                                        .nedges = node->edges.count,
                                        .rules = rule,
                                        .nrules = node->rules.count,
                                        .nchildren = node->children.count,
                                        .slash = node->slash};
        sort_edges(g, &node->edges);
        for (struct link *link = node->edges.first; link != NULL; link = link->next)
            edges[edge++] = (struct trie_edge){.segment = link->segment, .to = link->to};
        for (struct link *link = node->rules.first; link != NULL; link = link->next)
            rules[rule++] = flat_rule(g, link->rule);
    }
    int *order = arena_array(memory, nrules, sizeof(*order));
    size_t written = write_order(g, 0, order, 0);
    assert(written == nrules);
    (void)written;
    g->trie->states = states;
    g->trie->edges = edges;
    g->trie->rules = rules;
    g->trie->order = order;
}

void trie_init(struct trie *trie, struct arena *memory, const struct endpoints *endpoints,
               struct rule *const *rules, size_t nrules)
{
    struct grower g = {.trie = trie, .endpoints = endpoints};
    size_t most = 1;
    size_t fixed = 0;
    for (size_t i = 0; i < nrules; i++) {
        most += rules[i]->nparts + 1;
        fixed += is_fixed(rules[i]);
    }
    arena_init(&g.scratch);
    g.nodes = mem_array(most, sizeof(*g.nodes));
    buf_reserve(&g.texts, 1); /* so that there is an address to compare nothing with */
    init_index(&trie->children, memory, most);
    init_index(&trie->paths, memory, fixed);
    add_node(&g);
    for (size_t i = 0; i < nrules; i++)
        add_rule(&g, rules[i]);
    lay_flat(&g, memory, nrules);
    trie->texts = arena_dup(memory, buf_view(&g.texts)).data;
    trie->plain = trie_find(trie, &trie->children, 0, SLICE(""));
    buf_clear(&g.texts);
    free(g.nodes);
    arena_clear(&g.scratch);
}
