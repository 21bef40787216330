/* base/arena.c - bump memory with a list of things to undo. See arena.h. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define ARENA_BLOCK 4096
#define ARENA_HEAD  16 /* room of struct arena_block, keeps what follows aligned */

struct arena_block {
    struct arena_block *next;
};

struct arena_defer {
    struct arena_defer *next;
    void (*fn)(void *data);
    void *data;
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_init_in(struct arena *arena, void *memory, size_t size)
{
    *arena = (struct arena){
        .at = memory, .end = (char *)memory + size, .first = memory, .first_size = size};
}

void arena_clear(struct arena *arena)
{
    while (arena->defers != NULL) {
        struct arena_defer *defer = arena->defers;
        arena->defers = defer->next; /* first, so that fn may defer again */
        defer->fn(defer->data);
    }
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->at = arena->first;
    arena->end = arena->first == NULL ? NULL : arena->first + arena->first_size;
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        mem_array(SIZE_MAX, 2); /* ends the process */
    size_t rounded = (size + (size == 0) + 15) & ~(size_t)15;
    /* A large piece gets a block of its own and leaves the current one in use. */
    size_t block_size = rounded > ARENA_BLOCK / 4 ? rounded : ARENA_BLOCK - ARENA_HEAD;
    struct arena_block *block = mem_alloc(ARENA_HEAD + block_size);
    block->next = arena->blocks;
    arena->blocks = block;
    char *data = (char *)block + ARENA_HEAD;
    if (block_size != rounded) {
        arena->at = data + rounded;
        arena->end = data + block_size;
    }
    return data;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        mem_array(SIZE_MAX, 2); /* ends the process */
    return arena_zalloc(arena, count * size);
}

void arena_defer(struct arena *arena, void (*fn)(void *data), void *data)
{
    struct arena_defer *defer = arena_alloc(arena, sizeof(*defer));
    *defer = (struct arena_defer){.next = arena->defers, .fn = fn, .data = data};
    arena->defers = defer;
}

struct slice arena_dup(struct arena *arena, struct slice s)
{
    if (s.len == 0)
        return (struct slice){"", 0};
    return (struct slice){memcpy(arena_alloc(arena, s.len), s.data, s.len), s.len};
}

char *arena_cstr(struct arena *arena, struct slice s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len != 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}
