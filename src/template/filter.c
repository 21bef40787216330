/* template/filter.c - the builtin filters and tests by name, with their signatures.
 *
 * Place in the flow: the table of contents of what a template may put behind `|` and `is`. Names
 * and parameters are those of jinja2/filters.py and tests.py, so that arguments may be given by
 * keyword; the code is in the filter_*.c files.
 */
#include "template/filter.h"

#include <stdlib.h>

#include "template/filter_internal.h"

/* In the order of strcmp. */
static const struct vm_native filters[] = {
    {"abs", "x", filter_abs},
    {"attr", "obj, name", filter_attr},
    {"batch", "i:value, linecount, fill_with=none", filter_batch},
    {"capitalize", "s:s", filter_capitalize},
    {"center", "s:value, width=80", filter_center},
    {"count", "obj", filter_length},
    {"d", "value, default_value='', boolean=false", filter_default},
    {"default", "value, default_value='', boolean=false", filter_default},
    {"dictsort", "value, case_sensitive=false, by='key', reverse=false", filter_dictsort},
    {"e", "s", filter_escape},
    {"escape", "s", filter_escape},
    {"filesizeformat", "value, binary=false", filter_filesizeformat},
    {"first", "i:seq", filter_first},
    {"float", "value, default=0", filter_float},
    {"forceescape", "value", filter_forceescape},
    {"format", "s:value, *, **", filter_format},
    {"groupby", "i:value, attribute, default=none, case_sensitive=false", filter_groupby},
    {"indent", "s, width=4, first=false, blank=false", filter_indent},
    {"int", "value, default=0, base=10", filter_int},
    {"items", "value", filter_items_of},
    {"join", "i:value, s:d='', attribute=none", filter_join},
    {"last", "i:seq", filter_last},
    {"length", "obj", filter_length},
    {"list", "i:value", filter_list},
    {"lower", "s:s", filter_lower},
    {"map", "i:value, *..., **", filter_map},
    {"max", "i:value, case_sensitive=false, attribute=none", filter_max},
    {"min", "i:value, case_sensitive=false, attribute=none", filter_min},
    {"pprint", "value", filter_pprint},
    {"random", "i:seq", filter_random},
    {"reject", "i:value, *..., **", filter_reject},
    {"rejectattr", "i:value, *..., **", filter_rejectattr},
    {"replace", "s:s, s:old, s:new, count=none", filter_replace},
    {"reverse", "i:value", filter_reverse},
    {"round", "value, precision=0, method='common'", filter_round},
    {"safe", "value", filter_safe},
    {"select", "i:value, *..., **", filter_select},
    {"selectattr", "i:value, *..., **", filter_selectattr},
    {"slice", "i:value, slices, fill_with=none", filter_slice},
    {"sort", "i:value, reverse=false, case_sensitive=false, attribute=none", filter_sort},
    {"string", "s:s", filter_string},
    {"striptags", "value", filter_striptags},
    {"sum", "i:iterable, attribute=none, start=0", filter_sum},
    {"title", "s:s", filter_title},
    {"tojson", "value, indent=none", filter_tojson},
    {"trim", "s:value, chars=none", filter_trim},
    {"truncate", "s, length=255, killwords=false, end='...', leeway=none", filter_truncate},
    {"unique", "i:value, case_sensitive=false, attribute=none", filter_unique},
    {"upper", "s:s", filter_upper},
    {"urlencode", "value", filter_urlencode},
    {"urlize",
     "s:value, trim_url_limit=none, nofollow=false, target=none, rel=none, extra_schemes=none",
     filter_urlize},
    {"wordcount", "s:s", filter_wordcount},
    {"wordwrap", "s, width=79, break_long_words=true, wrapstring=none, break_on_hyphens=true",
     filter_wordwrap},
    {"xmlattr", "d, autospace=true", filter_xmlattr},
};

/* In the order of strcmp. */
static const struct vm_native tests[] = {
    {"!=", "a, b", test_ne},
    {"<", "a, b", test_lt},
    {"<=", "a, b", test_le},
    {"==", "a, b", test_eq},
    {">", "a, b", test_gt},
    {">=", "a, b", test_ge},
    {"boolean", "value", test_boolean},
    {"callable", "obj", test_callable},
    {"defined", "value", test_defined},
    {"divisibleby", "value, num", test_divisibleby},
    {"eq", "a, b", test_eq},
    {"equalto", "a, b", test_eq},
    {"escaped", "value", test_escaped},
    {"even", "value", test_even},
    {"false", "value", test_false},
    {"filter", "value", test_filter},
    {"float", "value", test_float},
    {"ge", "a, b", test_ge},
    {"greaterthan", "a, b", test_gt},
    {"gt", "a, b", test_gt},
    {"in", "value, seq", test_in},
    {"integer", "value", test_integer},
    {"iterable", "value", test_iterable},
    {"le", "a, b", test_le},
    {"lessthan", "a, b", test_lt},
    {"lower", "s:value", test_lower},
    {"lt", "a, b", test_lt},
    {"mapping", "value", test_mapping},
    {"ne", "a, b", test_ne},
    {"none", "value", test_none},
    {"number", "value", test_number},
    {"odd", "value", test_odd},
    {"sameas", "value, other", test_sameas},
    {"sequence", "value", test_sequence},
    {"string", "value", test_string},
    {"test", "value", test_test},
    {"true", "value", test_true},
    {"undefined", "value", test_undefined},
    {"upper", "s:value", test_upper},
};

static int compare(const void *key, const void *member)
{
    const struct slice *name = key;
    const struct vm_native *native = member;
    return slice_cmp(*name, slice_cstr(native->name));
}

const struct vm_native *filter_builtin(struct slice name)
{
    return bsearch(&name, filters, sizeof(filters) / sizeof(*filters), sizeof(*filters), compare);
}

const struct vm_native *test_builtin(struct slice name)
{
    return bsearch(&name, tests, sizeof(tests) / sizeof(*tests), sizeof(*tests), compare);
}
