/* template/unicode.c - what Python's str methods know of characters. See unicode.h. */
#include "template/unicode.h"

#include <stddef.h>

#include "base/block.h"
#include "base/utf8.h"
#include "template/chars.h"
#include "template/unicode_table.h"

#define SIGMA       0x3A3
#define SIGMA_SMALL 0x3C3
#define SIGMA_FINAL 0x3C2

/* ---- classes --------------------------------------------------------------------------------- */

static unsigned class_of(uint32_t code)
{
    if (code > 0x10FFFF)
        return 0;
    size_t low = 0, high = unicode_classes.run_count; /* the run is in low .. high - 1 */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (unicode_classes.runs[middle] >> 8 <= code)
            low = middle;
        else
            high = middle;
    }
    return unicode_classes.flags[unicode_classes.runs[low] & 0xFF];
}

static bool in_spans(const struct unicode_span *spans, size_t count, uint32_t code)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct unicode_span *span = &spans[middle];
        if (code < span->first)
            high = middle;
        else if (code > span->last)
            low = middle + 1;
        else
            return (code - span->first) % span->step == 0;
    }
    return false;
}

bool unicode_is_printable(uint32_t code)
{
    return code < 0x7F ? code >= 0x20 : (class_of(code) & UNICODE_PRINTABLE) != 0;
}

bool unicode_is_alpha(uint32_t code)
{
    return (class_of(code) & UNICODE_ALPHA) != 0;
}

bool unicode_is_decimal(uint32_t code)
{
    return (class_of(code) & UNICODE_DECIMAL) != 0;
}

bool unicode_is_digit(uint32_t code)
{
    return (class_of(code) & UNICODE_DIGIT) != 0;
}

bool unicode_is_numeric(uint32_t code)
{
    return (class_of(code) & UNICODE_NUMERIC) != 0;
}

bool unicode_is_alnum(uint32_t code)
{
    return (class_of(code) & (UNICODE_ALPHA | UNICODE_NUMERIC)) != 0;
}

bool unicode_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= 9 && code <= 13) || (code >= 0x1C && code <= 0x1F);
    return (class_of(code) & UNICODE_SPACE) != 0;
}

bool unicode_is_lower(uint32_t code)
{
    return in_spans(unicode_classes.lower, unicode_classes.lower_count, code);
}

bool unicode_is_upper(uint32_t code)
{
    return in_spans(unicode_classes.upper, unicode_classes.upper_count, code);
}

bool unicode_is_title(uint32_t code)
{
    return (class_of(code) & UNICODE_TITLE) != 0;
}

bool unicode_is_name_start(uint32_t code)
{
    return (class_of(code) & UNICODE_NAME_START) != 0;
}

bool unicode_is_name(uint32_t code)
{
    return (class_of(code) & UNICODE_NAME) != 0;
}

/* Has it an upper or lower case? */
static bool is_cased(uint32_t code)
{
    return unicode_is_lower(code) || unicode_is_upper(code) || unicode_is_title(code);
}

/* ---- one character --------------------------------------------------------------------------- */

static const struct unicode_special *find_special(const struct unicode_mapping *mapping,
                                                  uint32_t code)
{
    size_t low = 0, high = mapping->special_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mapping->specials[middle].code == code)
            return &mapping->specials[middle];
        if (code < mapping->specials[middle].code)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const struct unicode_move *find_move(const struct unicode_mapping *mapping, uint32_t code)
{
    size_t low = 0, high = mapping->move_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct unicode_move *move = &mapping->moves[middle];
        if (code < move->first)
            high = middle;
        else if (code > move->last)
            low = middle + 1;
        else
            return (code - move->first) % move->step == 0 ? move : NULL;
    }
    return NULL;
}

/* Append what the mapping makes of code; false (nothing appended): it says nothing of it. */
static bool map_char(const struct unicode_mapping *mapping, uint32_t code, struct buf *out)
{
    const struct unicode_special *special = find_special(mapping, code);
    if (special != NULL) {
        for (int i = 0; i < 3 && special->to[i] != 0; i++)
            utf8_encode(out, special->to[i]);
        return true;
    }
    const struct unicode_move *move = find_move(mapping, code);
    if (move == NULL)
        return false;
    utf8_encode(out, code + (uint32_t)move->delta);
    return true;
}

static void lower_char(uint32_t code, struct buf *out)
{
    if (!map_char(&unicode_to_lower, code, out))
        utf8_encode(out, code);
}

static void upper_char(uint32_t code, struct buf *out)
{
    if (!map_char(&unicode_to_upper, code, out))
        utf8_encode(out, code);
}

static void title_char(uint32_t code, struct buf *out)
{
    if (!map_char(&unicode_to_title, code, out))
        upper_char(code, out);
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* Is the sigma at text[at] the last letter of a word: behind a letter and before none, looking
 * through accents and the like? (Unicode 3.13, Final_Sigma) */
static bool is_final_sigma(struct slice text, size_t at)
{
    uint32_t code = UINT32_MAX;
    struct slice before = {text.data, at};
    do {
        size_t n = chars_last(before);
        if (n == 0)
            return false;
        before.len -= n;
        chars_decode(slice_of(before.data + before.len, n), &code);
    } while ((class_of(code) & UNICODE_IGNORABLE) != 0);
    if (!is_cased(code))
        return false;
    struct slice after = slice_from(text, at + 2);
    do {
        if (after.len == 0)
            return true;
        after = slice_from(after, chars_decode(after, &code));
    } while ((class_of(code) & UNICODE_IGNORABLE) != 0);
    return !is_cased(code);
}

/* Lower the character at text[at]. */
static void lower_at(struct slice text, size_t at, uint32_t code, struct buf *out)
{
    if (code == SIGMA)
        utf8_encode(out, is_final_sigma(text, at) ? SIGMA_FINAL : SIGMA_SMALL);
    else
        lower_char(code, out);
}

static bool is_ascii_letter(uint32_t code, char first)
{
    return code >= (uint32_t)first && code < (uint32_t)first + 26;
}

/* One ASCII character; behind says that a letter is before it. */
static char convert_ascii(char c, enum unicode_case to, bool behind)
{
    bool lower = is_ascii_letter((unsigned char)c, 'a');
    if (!lower && !is_ascii_letter((unsigned char)c, 'A'))
        return c;
    switch (to) {
    case UNICODE_LOWER:
    case UNICODE_FOLD: return (char)(c | 0x20);
    case UNICODE_UPPER: return (char)(c & ~0x20);
    case UNICODE_SWAP: return (char)(c ^ 0x20);
    default: return behind ? (char)(c | 0x20) : (char)(c & ~0x20);
    }
}

static void convert_char(struct slice text, size_t at, uint32_t code, enum unicode_case to,
                         bool behind, struct buf *out)
{
    switch (to) {
    case UNICODE_LOWER: lower_at(text, at, code, out); return;
    case UNICODE_UPPER: upper_char(code, out); return;
    case UNICODE_FOLD:
        if (!map_char(&unicode_to_fold, code, out))
            lower_char(code, out);
        return;
    case UNICODE_SWAP:
        if (unicode_is_upper(code))
            lower_at(text, at, code, out);
        else if (unicode_is_lower(code))
            upper_char(code, out);
        else
            utf8_encode(out, code);
        return;
    default:
        if (behind)
            lower_at(text, at, code, out);
        else
            title_char(code, out);
    }
}

/* Eight ASCII characters with the other case of each from `first` to the 25th behind it. */
static inline uint64_t convert_block(uint64_t block, unsigned char first)
{
    uint64_t from = block + BLOCK_EACH(0x80 - first); /* the high bit: not before it */
    uint64_t behind = block + BLOCK_EACH(0x80 - first - 26);
    return block ^ ((from ^ behind) & BLOCK_EACH(0x80)) >> 2;
}

/* Append the ASCII that text begins with in lower or upper case; gives how much that was. */
static size_t convert_ascii_run(struct slice text, bool to_lower, struct buf *out)
{
    unsigned char first = to_lower ? 'A' : 'a';
    char *dst = buf_reserve(out, text.len + 8);
    size_t n = 0;
    while (n < text.len) {
        size_t left = text.len - n, len = left < 8 ? left : 8;
        uint64_t block = block_load_some(text.data + n, len);
        uint64_t high = block & BLOCK_EACH(0x80);
        if (high != 0) {
            len = (size_t)__builtin_ctzll(high) / 8;
            block &= ((uint64_t)1 << 8 * len) - 1;
        }
        block_store(dst + n, convert_block(block, first));
        n += len;
        if (high != 0)
            break;
    }
    out->len += n;
    return n;
}

/* Append the text from byte `at` on. */
static void convert_rest(struct slice text, size_t at, enum unicode_case to, struct buf *out)
{
    bool behind = false; /* a letter, for title(); any character, for capitalize() */
    bool by_runs = to == UNICODE_LOWER || to == UNICODE_UPPER || to == UNICODE_FOLD;
    while (at < text.len) {
        uint32_t code;
        size_t n = chars_decode(slice_from(text, at), &code);
        if (code < 0x80)
            buf_char(out, convert_ascii((char)code, to, behind));
        else if (code == UINT32_MAX)
            buf_char(out, text.data[at]);
        else
            convert_char(text, at, code, to, behind, out);
        behind = to == UNICODE_CAPITALIZE ||
                 (code < 0x80 ? is_ascii_letter(code | 0x20, 'a') : is_cased(code));
        at += n;
        if (by_runs)
            at += convert_ascii_run(slice_from(text, at), to != UNICODE_UPPER, out);
    }
}

void unicode_convert(struct slice text, enum unicode_case to, struct buf *out)
{
    size_t at = 0;
    if (to == UNICODE_LOWER || to == UNICODE_UPPER || to == UNICODE_FOLD)
        at = convert_ascii_run(text, to != UNICODE_UPPER, out);
    if (at < text.len)
        convert_rest(text, at, to, out);
}
