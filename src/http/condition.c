/* http/condition.c - conditional requests (RFC 9110 13): entity tags and dates.
 * See condition.h. */
#include "http/condition.h"

#include "base/clock.h"
#include "http/headers.h"

/* Take W/ off the front. Lower case too: the grammar wants upper, Werkzeug takes both. */
static bool take_weak(struct slice *s)
{
    if (s->len < 2 || ascii_lower(s->data[0]) != 'w' || s->data[1] != '/')
        return false;
    *s = slice_from(*s, 2);
    return true;
}

bool etag_next(struct slice *list, struct etag *tag)
{
    while (list->len > 0 && (is_ows(list->data[0]) || list->data[0] == ','))
        *list = slice_from(*list, 1);
    if (list->len == 0)
        return false;
    tag->weak = take_weak(list);
    size_t quote = 0;
    if (list->len > 0 && list->data[0] == '"')
        quote = slice_find(slice_from(*list, 1), '"') + 1;
    if (quote > 0 && quote < list->len) {
        /* There are no escapes in a tag, and a comma is one of its characters (8.8.3). */
        tag->text = slice_of(list->data + 1, quote - 1);
        *list = slice_from(*list, quote + 1);
        slice_split(list, ',');
    } else {
        tag->text = slice_trim(slice_split(list, ','));
    }
    return true;
}

bool etag_matches(struct slice list, struct slice etag, bool strong)
{
    struct etag own, given;
    if (slice_eq(slice_trim(list), SLICE("*")))
        return true;
    if (!etag_next(&etag, &own) || (strong && own.weak))
        return false;
    while (etag_next(&list, &given))
        if (slice_eq(given.text, own.text) && !(strong && given.weak))
            return true;
    return false;
}

/* Is the tag in any of the header's lines, which together are one list (RFC 9110 5.3)? */
static bool any_line_matches(const struct fields *headers, const struct field *first,
                             struct slice etag, bool strong)
{
    for (const struct field *line = first; line != NULL;
         line = fields_next(headers, line, first->name))
        if (etag_matches(line->value, etag, strong))
            return true;
    return false;
}

/* The date in a header; false when there is none to go by: not sent, more than one, or no HTTP
 * date (RFC 9110 13.1.3 and 13.1.4: such a condition is ignored). */
static bool header_date(const struct fields *headers, enum header_id id, int64_t now,
                        int64_t *seconds)
{
    const struct field *field = fields_get_id(headers, id);
    if (field == NULL || fields_next(headers, field, field->name) != NULL)
        return false;
    return clock_parse_http_date(field->value, now, seconds) == 0;
}

/* Steps 1 and 2 of RFC 9110 13.2.2: is this the representation the client wants to act on? */
static bool is_wanted(const struct fields *headers, struct slice etag, int64_t last_modified,
                      int64_t now)
{
    int64_t since;
    const struct field *if_match = fields_get_id(headers, HEADER_IF_MATCH);
    if (if_match != NULL)
        return any_line_matches(headers, if_match, etag, true);
    if (last_modified == -1 || !header_date(headers, HEADER_IF_UNMODIFIED_SINCE, now, &since))
        return true;
    return last_modified <= since;
}

enum condition_result condition_check(const struct fields *headers, bool is_get_or_head,
                                      struct slice etag, int64_t last_modified, int64_t now)
{
    int64_t since;
    if (!is_wanted(headers, etag, last_modified, now))
        return CONDITION_FAILED;
    /* Steps 3 and 4: has the client got it already? */
    const struct field *if_none_match = fields_get_id(headers, HEADER_IF_NONE_MATCH);
    if (if_none_match != NULL) {
        if (!any_line_matches(headers, if_none_match, etag, false))
            return CONDITION_PASS;
        return is_get_or_head ? CONDITION_NOT_MODIFIED : CONDITION_FAILED;
    }
    if (is_get_or_head && last_modified != -1 &&
        header_date(headers, HEADER_IF_MODIFIED_SINCE, now, &since) && last_modified <= since)
        return CONDITION_NOT_MODIFIED;
    return CONDITION_PASS;
}

bool condition_range_applies(const struct fields *headers, struct slice etag, int64_t last_modified,
                             int64_t now)
{
    const struct field *field = fields_get_id(headers, HEADER_IF_RANGE);
    if (field == NULL)
        return true;
    if (fields_next(headers, field, field->name) != NULL)
        return false;
    struct slice value = slice_trim(field->value);
    int64_t date;
    if (clock_parse_http_date(value, now, &date) == 0)
        return last_modified != -1 && date == last_modified && last_modified < now;
    /* One tag, not a list, and "*" is none. */
    struct etag own, given;
    if (!etag_next(&value, &given) || value.len > 0 || !etag_next(&etag, &own))
        return false;
    return !given.weak && !own.weak && slice_eq(given.text, own.text);
}
