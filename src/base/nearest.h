/* base/nearest.h - the name somebody probably meant.
 *
 * Place in the flow: messages about an unknown option, command or setting end with "did you mean
 * ...?". Pure; knows nothing of where the names come from.
 */
#ifndef QLUA_BASE_NEAREST_H
#define QLUA_BASE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/* The one of `count` names that the fewest edits (a letter more, less, other, or two swapped; case
 * does not count) turn `word` into; NULL when even that one is too far off to be a slip. NULL
 * entries are skipped. Borrowed from names. */
const char *nearest_name(struct slice word, const char *const *names, size_t count);

#endif
