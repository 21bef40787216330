/* route/rule.h - one rule, read from its text.
 *
 * Place in the flow: table.c makes one a registration; trie.c builds the tree of lookups from
 * its parts, build.c writes URLs from its pieces. Inside src/route only.
 *
 *     rule  = "/" *( "/" / text / "<" [ name [ "(" arguments ")" ] ":" ] name ">" )
 */
#ifndef QLUA_ROUTE_RULE_H
#define QLUA_ROUTE_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "route/converter.h"
#include "route/segment.h"
#include "route/table.h"

struct arena;
struct err;

/* The longest rule: more parts than this one has no use for, and lookups recurse by parts. */
#define RULE_MAX_PARTS 64

enum rule_piece_kind { RULE_TEXT, RULE_SLASH, RULE_VARIABLE };

struct rule_piece {
    enum rule_piece_kind kind;
    struct slice text; /* RULE_TEXT; "/" of RULE_SLASH */
    size_t variable;   /* RULE_VARIABLE: index in info.variables */
};

struct rule_pieces {
    struct rule_piece *list;
    size_t count;
};

/* What stands between two slashes: fixed text, or a segment with variables. */
struct rule_part {
    struct slice text;
    const struct segment *segment; /* NULL: fixed text */
};

struct rule {
    struct route_rule_info info; /* the endpoint is NUL-terminated */
    int index;
    struct route_variable *variables; /* info.variables */
    struct converter *converters;     /* one a variable */
    struct rule_pieces host;          /* or of the subdomain */
    struct rule_pieces path;
    struct rule_part domain;
    struct rule_part *parts; /* of the path, behind its first slash */
    size_t nparts;
};

/* The custom converters of a table. */
struct rule_converters {
    const char **names;
    size_t count;
};

/* Make a rule from what was registered; all of it is copied into arena. NULL with err filled
 * (err is not NULL here) when its text is wrong. */
struct rule *rule_new(struct arena *arena, const struct route_options *options,
                      const struct rule_converters *custom, const struct route_spec *spec,
                      struct err *err);

/* Index of a variable or a default by its name, or -1. */
int rule_variable(const struct rule *rule, struct slice name);
int rule_default(const struct rule *rule, struct slice name);

#endif
