/* value/json_path.c - where in a value the encoder stands. See json_path.h. */
#include "value/json_path.h"

#include <stdbool.h>
#include <stdio.h>

#include "value/number.h"

/* Longest step that is written whole. */
#define STEP_TEXT 80

static bool is_identifier(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

/* One step as Lua would write it: a, .b, [3], ["two words"]. */
static size_t write_step(const struct json_path *step, char *dst)
{
    char number[NUMBER_TEXT_MAX];
    int len = (int)(step->name.len < STEP_TEXT - 8 ? step->name.len : STEP_TEXT - 8);
    int n;
    if (step->name.data == NULL)
        n = snprintf(dst, STEP_TEXT, "[%.*s]", (int)number_write(number, step->number), number);
    else if (is_identifier(step->name))
        n = snprintf(dst, STEP_TEXT, "%s%.*s", step->up == NULL ? "" : ".", len, step->name.data);
    else
        n = snprintf(dst, STEP_TEXT, "[\"%.*s\"]", len, step->name.data);
    return (size_t)n;
}

static size_t depth_of(const struct json_path *path)
{
    size_t depth = 0;
    for (; path != NULL; path = path->up)
        depth++;
    return depth;
}

/* The step `n` levels above path. */
static const struct json_path *above(const struct json_path *path, size_t n)
{
    while (n-- > 0)
        path = path->up;
    return path;
}

void json_path_text(const struct json_path *path, char *dst)
{
    size_t used = 0;
    dst[0] = 0;
    for (size_t depth = depth_of(path); depth > 0; depth--) {
        char text[STEP_TEXT];
        size_t n = write_step(above(path, depth - 1), text);
        if (used + n + sizeof("...") > JSON_PATH_TEXT) {
            memcpy(dst + used, "...", sizeof("..."));
            return;
        }
        memcpy(dst + used, text, n);
        used += n;
        dst[used] = 0;
    }
}

const struct json_path *json_path_cycle(lua_State *L, const struct json_path *path)
{
    size_t depth = depth_of(path);
    for (size_t down = 1; down < depth; down++) {
        const struct json_path *step = above(path, depth - 1 - down);
        for (const struct json_path *outer = step->up; outer != NULL; outer = outer->up)
            if (lua_rawequal(L, step->table, outer->table))
                return step->up;
    }
    return NULL;
}
