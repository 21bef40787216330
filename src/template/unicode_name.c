/* template/unicode_name.c - characters by their names. See unicode_name.h. */
#include "template/unicode_name.h"

uint32_t unicode_named(struct slice name)
{
    for (const struct unicode_names *run = unicode_names; run->names != NULL; run++) {
        struct slice names = slice_cstr(run->names);
        for (uint32_t code = run->first; names.len > 0; code++)
            if (slice_eq_nocase(slice_split(&names, ';'), name))
                return code;
    }
    return UINT32_MAX;
}
