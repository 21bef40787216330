/* template/entity.h - HTML text back into what it says: character references, and tags.
 *
 * Place in the flow: Markup.unescape() and striptags(). Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_ENTITY_H
#define QLUA_TEMPLATE_ENTITY_H

#include "base/buf.h"
#include "base/slice.h"

/* Append html with its character references replaced, as Python's html.unescape(). */
void entity_unescape(struct slice html, struct buf *out);

/* Append html without comments and tags, white space as single spaces (markupsafe's striptags,
 * before it unescapes). */
void entity_strip_tags(struct slice html, struct buf *out);

#endif
