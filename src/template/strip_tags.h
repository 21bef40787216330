/* template/strip_tags.h - the text of HTML, without its tags.
 *
 * Place in the flow: the filter striptags and Markup.striptags(). Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_STRIP_TAGS_H
#define QLUA_TEMPLATE_STRIP_TAGS_H

#include "base/buf.h"
#include "base/slice.h"

/* Append html without comments and tags, white space as single spaces, and then with its character
 * references replaced (markupsafe's striptags). */
void strip_tags(struct slice html, struct buf *out);

#endif
