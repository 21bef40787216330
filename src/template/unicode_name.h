/* template/unicode_name.h - characters by their names: "DEGREE SIGN".
 *
 * Place in the flow: "\N{...}" in string literals. Knows the names people write: Latin, Greek,
 * punctuation, currencies, arrows, mathematics, shapes, symbols, faces. Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_UNICODE_NAME_H
#define QLUA_TEMPLATE_UNICODE_NAME_H

#include <stdint.h>

#include "base/slice.h"

/* The character of that name, in any letter case; UINT32_MAX when there is none. */
uint32_t unicode_named(struct slice name);

/* Characters that follow each other, their names between semicolons; the last has names NULL. */
struct unicode_names {
    uint32_t first;
    const char *names;
};
extern const struct unicode_names unicode_names[];

#endif
