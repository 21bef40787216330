/* template/entity.h - HTML text back into what it says: character references.
 *
 * Place in the flow: Markup.unescape() and strip_tags. Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_ENTITY_H
#define QLUA_TEMPLATE_ENTITY_H

#include "base/buf.h"
#include "base/slice.h"

/* Append html with its character references replaced, as Python's html.unescape(). */
void entity_unescape(struct slice html, struct buf *out);

/* Of the text behind a "&": is it one of the references that escape() makes, and most people? Its
 * bytes, and in *meant what it stands for; or 0. */
size_t entity_usual(struct slice rest, char *meant);

#endif
