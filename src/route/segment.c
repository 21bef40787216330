/* route/segment.c - the part of a rule that has variables in it. See segment.h.
 *
 * With several variables the text could be shared out in very many ways. Instead of trying them
 * (exponential), the places where a variable may end so that everything behind it fits are found
 * from right to left, one set of bits a variable; then each variable takes, from left to right,
 * the best place of its set. That is the share a backtracking regular expression finds first.
 */
#include "route/segment.h"

#include <stdint.h>

#define MAX_SET_WORDS 1024    /* of all sets together: two variables in 64 KiB of text */
#define MAX_STEPS     4000000 /* bytes looked at: some milliseconds */

struct share {
    const struct segment *segment;
    struct slice text; /* behind the prefix, before the last literal */
    size_t words;      /* of one set */
    size_t steps;
    uint64_t sets[MAX_SET_WORDS]; /* set i: the places where variable i may end */
};

static uint64_t *set_of(struct share *s, size_t variable)
{
    return s->sets + variable * s->words;
}

static bool set_has(const uint64_t *set, size_t at)
{
    return (set[at / 64] >> (at % 64) & 1) != 0;
}

/* The largest member in lo..hi, or SIZE_MAX. */
static size_t set_last(const uint64_t *set, size_t lo, size_t hi)
{
    uint64_t word = set[hi / 64] & (UINT64_MAX >> (63 - hi % 64));
    for (size_t i = hi / 64;; word = set[--i]) {
        if (word != 0) {
            size_t at = i * 64 + 63 - (size_t)__builtin_clzll(word);
            return at >= lo ? at : SIZE_MAX;
        }
        if (i == lo / 64)
            return SIZE_MAX;
    }
}

/* The smallest member in lo..hi, or SIZE_MAX. */
static size_t set_first(const uint64_t *set, size_t lo, size_t hi)
{
    uint64_t word = set[lo / 64] & (UINT64_MAX << (lo % 64));
    for (size_t i = lo / 64;; word = set[++i]) {
        if (word != 0) {
            size_t at = i * 64 + (size_t)__builtin_ctzll(word);
            return at <= hi ? at : SIZE_MAX;
        }
        if (i == hi / 64)
            return SIZE_MAX;
    }
}

/* Where variable i, beginning at `at`, ends in the share tried first; SIZE_MAX: nowhere. */
static size_t choose(struct share *s, size_t i, size_t at)
{
    const struct converter *c = s->segment->variables[i].converter;
    const uint64_t *set = set_of(s, i);
    size_t lo, hi;
    if (c->kind == CONVERTER_ANY) {
        s->steps += c->nitems;
        for (size_t k = 0; k < c->nitems; k++)
            if (slice_starts_with(slice_from(s->text, at), c->items[k]) &&
                set_has(set, at + c->items[k].len))
                return at + c->items[k].len;
        return SIZE_MAX;
    }
    if (!converter_ends(c, s->text, at, &lo, &hi)) {
        s->steps += 1;
        return SIZE_MAX;
    }
    s->steps += hi - at + 1;
    return c->kind == CONVERTER_PATH ? set_first(set, lo, hi) : set_last(set, lo, hi);
}

/* Fill set i from set i + 1: places followed by i's literal and then by a fitting rest. */
static bool fill_set(struct share *s, size_t i)
{
    struct slice literal = s->segment->variables[i].literal;
    uint64_t *set = set_of(s, i);
    bool any = false;
    memset(set, 0, s->words * sizeof(*set));
    for (size_t at = 0; at + literal.len <= s->text.len && s->steps < MAX_STEPS; at++) {
        struct slice rest = slice_from(s->text, at);
        if (!slice_starts_with(rest, literal))
            continue;
        /* never inside a character of UTF-8 */
        if (rest.len > 0 && ((unsigned char)rest.data[0] & 0xC0) == 0x80)
            continue;
        if (choose(s, i + 1, at + literal.len) != SIZE_MAX) {
            set[at / 64] |= (uint64_t)1 << (at % 64);
            any = true;
        }
    }
    return any && s->steps < MAX_STEPS;
}

static bool share_out(const struct segment *segment, struct slice text, struct slice *values)
{
    struct share s; /* not initialised: only the words in use are */
    size_t last = segment->nvariables - 1;
    s.segment = segment;
    s.text = text;
    s.steps = 0;
    s.words = text.len / 64 + 1;
    if (s.words > MAX_SET_WORDS / segment->nvariables)
        return false;
    memset(set_of(&s, last), 0, s.words * sizeof(uint64_t));
    set_of(&s, last)[text.len / 64] = (uint64_t)1 << (text.len % 64);
    for (size_t i = last; i-- > 0;)
        if (!fill_set(&s, i))
            return false;
    size_t at = 0;
    for (size_t i = 0; i <= last; i++) {
        size_t end = choose(&s, i, at);
        if (end == SIZE_MAX)
            return false;
        values[i] = slice_of(text.data + at, end - at);
        at = end + segment->variables[i].literal.len;
    }
    return true;
}

/* A plain string or custom variable that has the segment to itself: the common case. */
static bool is_plain(const struct segment *segment)
{
    const struct converter *c = segment->variables[0].converter;
    return !segment->final && (c->kind == CONVERTER_STRING || c->kind == CONVERTER_CUSTOM) &&
           c->min_length == 1 && c->max_length == SIZE_MAX;
}

bool segment_match(const struct segment *segment, struct slice text, struct slice *values)
{
    struct slice suffix = segment->variables[segment->nvariables - 1].literal;

    if (segment->suffixed && text.len > 0 && text.data[text.len - 1] == '/') {
        text.len--;
        if (text.len > 0 && text.data[text.len - 1] == '/')
            return false;
    }
    if (text.len < segment->prefix.len + suffix.len || !slice_starts_with(text, segment->prefix) ||
        !slice_ends_with(text, suffix))
        return false;
    text = slice_of(text.data + segment->prefix.len, text.len - segment->prefix.len - suffix.len);
    if (segment->nvariables > 1)
        return share_out(segment, text, values);
    values[0] = text;
    return is_plain(segment) ? text.len > 0 : converter_fits(segment->variables[0].converter, text);
}

int segment_compare(const struct segment *a, const struct segment *b)
{
    if (a->npieces != b->npieces)
        return a->npieces > b->npieces ? -1 : 1;
    for (size_t i = 0; i < a->npieces; i++)
        if (a->pieces[i] != b->pieces[i])
            return a->pieces[i] > b->pieces[i] ? -1 : 1;
    if (a->nvariables != b->nvariables)
        return a->nvariables > b->nvariables ? -1 : 1;
    for (size_t i = 0; i < a->nvariables; i++) {
        int wa = converter_weight(a->variables[i].converter);
        int wb = converter_weight(b->variables[i].converter);
        if (wa != wb)
            return wa < wb ? -1 : 1;
    }
    return 0;
}

bool segment_same(const struct segment *a, const struct segment *b)
{
    if (a->nvariables != b->nvariables || a->final != b->final || a->suffixed != b->suffixed ||
        !slice_eq(a->prefix, b->prefix))
        return false;
    for (size_t i = 0; i < a->nvariables; i++)
        if (!converter_same_form(a->variables[i].converter, b->variables[i].converter) ||
            !slice_eq(a->variables[i].literal, b->variables[i].literal))
            return false;
    return true;
}
