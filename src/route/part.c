/* route/part.c - a rule's pieces gathered into parts. See part.h. */
#include "route/part.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "route/rule.h"

/* One text between any two variables or slashes. */
#define MAX_PIECES (RULE_MAX_PARTS + ROUTE_MAX_VARS)

/* A part being gathered. */
struct gather {
    struct arena *arena;
    const struct rule *rule;
    struct buf literal; /* fixed text since the last variable */
    struct slice prefix;
    struct segment_variable variables[ROUTE_MAX_VARS];
    size_t nvariables;
    size_t pieces[MAX_PIECES];
    size_t npieces;
    bool final;
    bool overflow;
};

static size_t count_characters(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return n;
}

/* What was gathered of fixed text belongs behind the last variable, or is the prefix. */
static void end_literal(struct gather *g)
{
    struct slice text = arena_dup(g->arena, buf_view(&g->literal));
    if (g->nvariables == 0)
        g->prefix = text;
    else
        g->variables[g->nvariables - 1].literal = text;
    g->literal.len = 0;
}

static void begin(struct gather *g)
{
    g->prefix = SLICE("");
    g->nvariables = g->npieces = 0;
    g->final = false;
}

static void add(struct gather *g, const struct rule_piece *piece)
{
    if (piece->kind == RULE_VARIABLE) {
        end_literal(g);
        const struct converter *c = &g->rule->converters[piece->variable];
        g->variables[g->nvariables++].converter = c;
        g->final = g->final || c->kind == CONVERTER_PATH;
        return;
    }
    buf_slice(&g->literal, piece->text);
    if (piece->kind != RULE_TEXT)
        return;
    if (g->npieces < MAX_PIECES)
        g->pieces[g->npieces++] = count_characters(piece->text);
    else
        g->overflow = true;
}

/* A copy of a list in the arena. */
static void *copy_list(struct arena *arena, const void *list, size_t count, size_t size)
{
    void *copy = arena_array(arena, count, size);
    if (count > 0)
        memcpy(copy, list, count * size);
    return copy;
}

static struct rule_part end(struct gather *g)
{
    end_literal(g);
    if (g->nvariables == 0)
        return (struct rule_part){.text = g->prefix};
    struct segment_variable *variables =
        copy_list(g->arena, g->variables, g->nvariables, sizeof(*variables));
    struct segment *segment = arena_zalloc(g->arena, sizeof(*segment));
    *segment =
        (struct segment){.prefix = g->prefix,
                         .variables = variables,
                         .nvariables = g->nvariables,
                         .pieces = copy_list(g->arena, g->pieces, g->npieces, sizeof(*g->pieces)),
                         .npieces = g->npieces,
                         .final = g->final};
    struct slice *last = &variables[g->nvariables - 1].literal;
    if (segment->final && last->len > 0 && last->data[last->len - 1] == '/') {
        last->len--;
        segment->suffixed = true;
    }
    return (struct rule_part){.segment = segment};
}

static void add_part(struct gather *g, struct rule *rule, struct rule_part part)
{
    if (rule->nparts < RULE_MAX_PARTS)
        rule->parts[rule->nparts++] = part;
    else
        g->overflow = true;
}

static size_t count_parts(const struct rule_pieces *path)
{
    size_t n = 2; /* the last one, and the slash at the end of a path converter's */
    for (size_t i = 0; i < path->count; i++)
        n += path->list[i].kind == RULE_SLASH;
    return n < RULE_MAX_PARTS ? n : RULE_MAX_PARTS;
}

int part_split(struct arena *arena, struct rule *rule, struct err *err)
{
    struct gather g; /* its lists are filled as far as they are counted */
    g.arena = arena;
    g.rule = rule;
    g.literal = (struct buf){0};
    g.overflow = false;

    begin(&g);
    for (size_t i = 0; i < rule->host.count; i++)
        add(&g, &rule->host.list[i]);
    rule->domain = end(&g);

    rule->parts = arena_array(arena, count_parts(&rule->path), sizeof(*rule->parts));
    begin(&g);
    for (size_t i = 1; i < rule->path.count; i++) { /* 0 is the slash at the start */
        if (rule->path.list[i].kind == RULE_SLASH && !g.final) {
            add_part(&g, rule, end(&g));
            begin(&g);
        } else {
            add(&g, &rule->path.list[i]);
        }
    }
    struct rule_part last = end(&g);
    add_part(&g, rule, last);
    if (last.segment != NULL && last.segment->suffixed)
        add_part(&g, rule, (struct rule_part){.text = SLICE("")});
    buf_clear(&g.literal);
    if (!g.overflow)
        return 0;
    err->column = 1;
    return err_set(err, QLUA_ELIMIT, "a rule has at most 64 parts between slashes");
}
