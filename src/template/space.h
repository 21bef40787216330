/* template/space.h - white space at the ends of texts, as Python sees it (str.isspace).
 *
 * Place in the flow: the lexer and {% trans %} strip with it. Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_SPACE_H
#define QLUA_TEMPLATE_SPACE_H

#include "base/slice.h"

/* Bytes of the white space that text begins with, and that it ends in. */
size_t space_before(struct slice text);
size_t space_behind(struct slice text);

/* Is the last character of text (not empty) white space? */
bool space_is_last(struct slice text);

#endif
