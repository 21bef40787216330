/* template/program.c - what may be asked of a compiled template. See program.h. */
#include "template/program.h"

#include <stdlib.h>

void program_free(struct program *program)
{
    if (program == NULL)
        return;
    struct arena arena = program->arena; /* the program lies in it */
    arena_clear(&arena);
}

int program_line_of(const struct program_unit *unit, int pc)
{
    int low = 0, high = unit->nlines;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (unit->lines[middle].pc <= pc)
            low = middle;
        else
            high = middle;
    }
    return unit->nlines == 0 ? unit->line : unit->lines[low].line;
}

struct slice program_source_line(const struct program *program, int line)
{
    struct slice rest = program->source;
    struct slice text = {"", 0};
    for (int i = 0; i < line; i++) {
        if (rest.len == 0)
            return (struct slice){"", 0};
        text = slice_split(&rest, '\n');
    }
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    return text;
}

const struct program_block *program_block(const struct program *program, struct slice name)
{
    for (int i = 0; i < program->nblocks; i++)
        if (slice_eq(program->consts[program->blocks[i].name].text, name))
            return &program->blocks[i];
    return NULL;
}

enum program_loop_attr program_loop_attr(struct slice name)
{
    static const char *const names[LOOP_NONE] = {
        [LOOP_INDEX] = "index",         [LOOP_INDEX0] = "index0",     [LOOP_REVINDEX] = "revindex",
        [LOOP_REVINDEX0] = "revindex0", [LOOP_FIRST] = "first",       [LOOP_LAST] = "last",
        [LOOP_LENGTH] = "length",       [LOOP_DEPTH] = "depth",       [LOOP_DEPTH0] = "depth0",
        [LOOP_PREVITEM] = "previtem",   [LOOP_NEXTITEM] = "nextitem", [LOOP_CYCLE] = "cycle",
        [LOOP_CHANGED] = "changed",
    };
    for (int i = 0; i < LOOP_NONE; i++)
        if (slice_eq(name, slice_cstr(names[i])))
            return (enum program_loop_attr)i;
    return LOOP_NONE;
}
