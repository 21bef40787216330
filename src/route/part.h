/* route/part.h - a rule's pieces gathered into the parts that lookups go by.
 *
 * Place in the flow: the second half of reading a rule; rule.c calls it once the pieces are
 * known. Inside src/route only.
 */
#ifndef QLUA_ROUTE_PART_H
#define QLUA_ROUTE_PART_H

struct arena;
struct err;
struct rule;

/* Fill rule->domain and rule->parts from rule->host and rule->path. A path converter makes one
 * part of all that follows it; a slash at its end then is a part of its own. Returns 0, or a
 * negative code with message and column in err. */
int part_split(struct arena *arena, struct rule *rule, struct err *err);

#endif
