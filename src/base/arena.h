/* base/arena.h - bump memory with a list of things to undo.
 *
 * Place in the flow: a request, a template and the configuration each own one; what is made for
 * them is taken from it and nobody frees pieces. Clearing runs the defer list, last first, then
 * gives all memory back. An arena may start in memory of its owner's (arena_init_in), so that a
 * small request never calls malloc.
 */
#ifndef QLUA_BASE_ARENA_H
#define QLUA_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;
struct arena_defer;

struct arena {
    char *at;
    char *end;
    struct arena_block *blocks;
    struct arena_defer *defers;
    char *first; /* owner's memory, or NULL */
    size_t first_size;
};

/* An empty arena; blocks come from the heap when needed. */
void arena_init(struct arena *arena);
/* The same, using `size` bytes at `memory` (owned by the caller, 16-byte aligned) first. */
void arena_init_in(struct arena *arena, void *memory, size_t size);
/* Run what was deferred (last first), free every block; the arena is empty and usable again. */
void arena_clear(struct arena *arena);

/* `size` bytes, 16-byte aligned, not zeroed; they live until arena_clear. Never NULL. */
void *arena_alloc_slow(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
/* count * size bytes, zeroed; an overflow of the product ends the process. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* Call fn(data) when the arena is cleared; register at the moment the thing is acquired. */
void arena_defer(struct arena *arena, void (*fn)(void *data), void *data);

/* Copies that live as long as the arena; the _cstr form is NUL-terminated. */
struct slice arena_dup(struct arena *arena, struct slice s);
char *arena_cstr(struct arena *arena, struct slice s);

static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + (size == 0) + 15) & ~(size_t)15; /* not NULL, whatever the size */
    if (rounded >= size && (size_t)(arena->end - arena->at) >= rounded) {
        void *p = arena->at;
        arena->at += rounded;
        return p;
    }
    return arena_alloc_slow(arena, size);
}

#endif
