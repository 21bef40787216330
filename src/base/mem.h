/* base/mem.h - allocation that cannot fail softly.
 *
 * Place in the flow: under arena, buf and every _new. On the C side running out of memory ends
 * the process with a line in the log (style 19); sizes from the network are checked against
 * limits before they reach here. Lua's memory is not taken from here: see script/state.
 */
#ifndef QLUA_BASE_MEM_H
#define QLUA_BASE_MEM_H

#include <stddef.h>

/* As malloc, calloc and realloc, but never NULL: out of memory ends the process. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);
/* count * size bytes, zeroed; an overflow of the product ends the process. */
void *mem_array(size_t count, size_t size);
/* A NUL-terminated copy on the heap. The caller frees it with free(). */
char *mem_strdup(const char *cstr);

#endif
