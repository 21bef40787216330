/* route/trie.h - all rules of a table, laid out for lookups.
 *
 * Place in the flow: table.c compiles the rules to one, match.c walks it. It never changes: a
 * later registration makes another one. State 0 is where the domain (host or subdomain) is
 * looked at; each step further consumes one part of the path. Everything lies in a few flat
 * arrays, and what many rules have in common (a lone <int:id>) is there once, so that thousands
 * of rules stay in the processor's cache. Inside src/route only.
 */
#ifndef QLUA_ROUTE_TRIE_H
#define QLUA_ROUTE_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "route/hash.h"

struct arena;
struct converter;
struct endpoints;
struct rule;
struct segment;

#define TRIE_NONE UINT32_MAX

enum trie_rule_flag {
    TRIE_WEBSOCKET = 1,
    TRIE_STRICT = 2,
    TRIE_MERGE = 4,
    TRIE_REJECTS = 8,    /* a converter may reject a text of the right form */
    TRIE_OVERRIDES = 16, /* a default has the name of a variable */
    TRIE_REDIRECTS = 32  /* another rule's defaults may stand for the values */
};

/* What a lookup needs of a rule. */
struct trie_rule {
    uint64_t methods;
    const struct converter *converters; /* one a variable */
    int index;                          /* of the rule, in registration */
    int id;
    uint8_t nvariables;
    uint8_t flags;
};

struct trie_state {
    uint32_t edges; /* the segments with variables, in the order they are tried */
    uint32_t nedges;
    uint32_t rules; /* those that end here, by registration */
    uint32_t nrules;
    uint32_t nchildren; /* by fixed text */
    uint32_t slash;     /* the child of an empty part, where "/branch/" ends; or TRIE_NONE */
};

struct trie_edge {
    const struct segment *segment;
    uint32_t to;
};

/* An open-addressing table from (state, text) to state. */
struct trie_slot {
    uint32_t from;
    uint32_t hash;
    uint32_t text; /* offset in trie.texts */
    uint32_t length;
    uint32_t to; /* TRIE_NONE: the slot is free */
};

struct trie_index {
    struct trie_slot *slots;
    uint32_t mask;
};

struct trie {
    const struct trie_state *states;
    const struct trie_edge *edges;
    const struct trie_rule *rules;
    struct trie_index children; /* one part of fixed text */
    struct trie_index paths;    /* from a domain's state: whole paths of fixed text */
    const char *texts;
    uint32_t plain;   /* the domain of rules without host and subdomain, or TRIE_NONE */
    const int *order; /* the rules' indices in the order lookups try them */
};

/* Compile rules (in order of registration) into memory, which the trie lives as long as. */
void trie_init(struct trie *trie, struct arena *memory, const struct endpoints *endpoints,
               struct rule *const *rules, size_t nrules);

/* The state that text leads to from `from`, or TRIE_NONE. */
static inline uint32_t trie_find(const struct trie *trie, const struct trie_index *index,
                                 uint32_t from, struct slice text)
{
    uint32_t hash = hash_text(text, from);
    for (uint32_t i = hash & index->mask;; i = (i + 1) & index->mask) {
        const struct trie_slot *slot = &index->slots[i];
        if (slot->to == TRIE_NONE)
            return TRIE_NONE;
        if (slot->hash == hash && slot->from == from && slot->length == text.len &&
            memcmp(trie->texts + slot->text, text.data, text.len) == 0)
            return slot->to;
    }
}

#endif
