/* template/filter_wordwrap.c - wordwrap: lines filled up to a width.
 *
 * Place in the flow: listed in filter.c. Does what Python's textwrap does for each line of the
 * text: cut it into chunks (white space, words, parts of words behind hyphens), fill lines with
 * them, drop white space at their ends, break words that are longer than a line. Widths count
 * code points; positions are bytes.
 */
#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/unicode.h"

struct wrapper {
    struct vm *vm;
    struct slice text; /* the line being wrapped */
    size_t width;
    bool break_long;
    bool break_hyphens;
    struct slice between; /* what stands between lines */
    bool escape;          /* lines are escaped: between is Markup */
};

/* A chunk, or a part of one: bytes [from, to). */
struct chunk {
    size_t from, to;
    size_t count; /* code points */
};

/* ---- chunks ---------------------------------------------------------------------------------- */

/* textwrap knows ASCII's white space only. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static uint32_t code_at(struct slice text, size_t at)
{
    uint32_t code = 0;
    if (at < text.len)
        chars_decode(slice_from(text, at), &code);
    return code;
}

/* Where the code point before `at` begins; 0 at the beginning. */
static size_t before(struct slice text, size_t at)
{
    return at - chars_last(slice_of(text.data, at));
}

static bool is_letter_at(struct slice text, size_t at)
{
    uint32_t code = code_at(text, at);
    return at < text.len && filter_is_word(code) && !unicode_is_decimal(code);
}

/* May a word end with this before a dash: a word character, or ! " ' & . , ? */
static bool is_word_end(struct slice text, size_t at)
{
    uint32_t code = code_at(text, before(text, at));
    if (at == 0)
        return false;
    return filter_is_word(code) || (code < 0x80 && code != 0 && strchr("!\"'&.,?", (int)code));
}

/* The end of a dash (two or more hyphens, a word behind them) that begins at `at`; 0: none. */
static size_t dash_end(struct slice text, size_t at)
{
    size_t end = at;
    while (end < text.len && text.data[end] == '-')
        end++;
    bool is_dash = end - at >= 2 && end < text.len && filter_is_word(code_at(text, end));
    return is_dash ? end : 0;
}

/* Is the hyphen at `at` one that a word may be broken behind: two letters, or a letter, a hyphen
 * and a letter, before it, and two letters, perhaps a hyphen between, behind it? */
static bool is_break(struct slice text, size_t at)
{
    size_t one = before(text, at), two = before(text, one);
    if (at == 0 || one == 0 || !is_letter_at(text, one))
        return false;
    bool is_behind = is_letter_at(text, two);
    if (!is_behind && text.data[two] == '-' && two > 0)
        is_behind = is_letter_at(text, before(text, two));
    size_t next = at + 1;
    if (!is_behind || !is_letter_at(text, next))
        return false;
    next += chars_first(slice_from(text, next));
    if (next < text.len && text.data[next] == '-')
        next++;
    return is_letter_at(text, next);
}

/* The end of the chunk that begins at `at`, which is a word. */
static size_t word_end(struct slice text, size_t at, bool hyphens)
{
    if (hyphens && is_word_end(text, at)) {
        size_t end = dash_end(text, at);
        if (end != 0)
            return end;
    }
    for (at++; at < text.len && !is_space(text.data[at]); at++) {
        if (!hyphens || text.data[at] != '-')
            continue;
        if (is_break(text, at))
            return at + 1;
        if (is_word_end(text, at) && dash_end(text, at) != 0)
            return at;
    }
    return at;
}

static size_t chunk_end(const struct wrapper *w, size_t at)
{
    size_t end = at;
    while (end < w->text.len && is_space(w->text.data[end]))
        end++;
    return end > at ? end : word_end(w->text, at, w->break_hyphens);
}

static struct chunk next_chunk(const struct wrapper *w, size_t at)
{
    struct chunk chunk = {at, at, 0};
    if (at < w->text.len) {
        chunk.to = chunk_end(w, at);
        chunk.count = chars_count(slice_of(w->text.data + at, chunk.to - at));
    }
    return chunk;
}

static bool is_blank(const struct wrapper *w, const struct chunk *chunk)
{
    return filter_strip(slice_of(w->text.data + chunk->from, chunk->to - chunk->from)).len == 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* How many code points of a chunk too long for any line go onto this one, which has room for so
 * many: all that fit, or up to the last hyphen among them if not all before it are hyphens. */
static size_t long_part(const struct wrapper *w, const struct chunk *chunk, size_t room)
{
    struct slice text = slice_of(w->text.data + chunk->from, chunk->to - chunk->from);
    text.len = chars_offset(text, room);
    const char *hyphen =
        w->break_hyphens && text.len > 0 ? memrchr(text.data, '-', text.len) : NULL;
    if (hyphen == NULL)
        return room;
    struct slice head = slice_of(text.data, (size_t)(hyphen - text.data));
    for (size_t i = 0; i < head.len; i++)
        if (head.data[i] != '-')
            return chars_count(head) + 1;
    return room;
}

/* Cut `count` code points off the chunk. */
static struct chunk cut(const struct wrapper *w, struct chunk *chunk, size_t count)
{
    struct slice text = slice_of(w->text.data + chunk->from, chunk->to - chunk->from);
    struct chunk part = {chunk->from, chunk->from + chars_offset(text, count), count};
    chunk->from = part.to;
    chunk->count -= count;
    return part;
}

static void add_line(const struct wrapper *w, size_t from, size_t to, bool is_first)
{
    struct vm *vm = w->vm;
    if (!is_first)
        buf_slice(&vm->text, w->between);
    if (w->escape) {
        lua_pushlstring(vm->L, w->text.data + from, to - from);
        filter_add_escaped(vm, lua_gettop(vm->L));
        lua_pop(vm->L, 1);
    } else {
        buf_append(&vm->text, w->text.data + from, to - from);
    }
    value_check_text(vm, (double)vm->text.len);
}

/* Fill one line from *next on. False: nothing was left of it but white space. */
static bool fill_line(const struct wrapper *w, struct chunk *next, struct chunk *line)
{
    struct chunk last = {next->from, next->from, 0}; /* the last part that was put on it */
    bool is_empty = true;
    *line = last;
    while (next->from < w->text.len && line->count + next->count <= w->width) {
        last = *next;
        line->count += next->count;
        *next = next_chunk(w, next->to);
        is_empty = false;
    }
    if (next->from < w->text.len && next->count > w->width) {
        if (w->break_long) {
            last = cut(w, next, long_part(w, next, w->width - line->count));
            is_empty = false;
        } else if (is_empty) {
            last = *next;
            *next = next_chunk(w, next->to);
            is_empty = false;
        }
    }
    line->to = last.to;
    if (is_empty || !is_blank(w, &last))
        return !is_empty;
    line->to = last.from;
    return last.from > line->from;
}

static void wrap_line(struct wrapper *w, struct slice text)
{
    w->text = text;
    bool is_first = true;
    struct chunk next = next_chunk(w, 0), line;
    while (next.from < text.len) {
        if (!is_first && is_blank(w, &next))
            next = next_chunk(w, next.to);
        if (fill_line(w, &next, &line)) {
            add_line(w, line.from, line.to, is_first);
            is_first = false;
        }
    }
}

/* wordwrap(s, width, break_long_words, wrapstring, break_on_hyphens) */
enum vm_status filter_wordwrap(struct vm *vm, struct vm_frame *frame)
{
    int between = frame->base + 3;
    struct slice rest = filter_text(vm, frame->base, "splitlines");
    value_spend_text(vm, 16 * rest.len);
    double width = filter_whole(vm, frame->base + 1);
    struct wrapper w = {.vm = vm, .between = vm_newline(vm)};
    if (!filter_is_absent(vm, between)) {
        w.between = filter_text(vm, between, "join");
        w.escape = value_kind(vm, between) == VALUE_MARKUP;
    }
    if (width <= 0 && rest.len > 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "invalid width %.0f (must be > 0)", width);
    /* a line never has more code points than the text has bytes */
    w.width = width < (double)rest.len ? (size_t)width : rest.len;
    w.break_long = filter_flag(vm, frame->base + 2);
    w.break_hyphens = filter_flag(vm, frame->base + 4);
    size_t start = vm->text.len;
    for (bool is_first = true; rest.len > 0; is_first = false) {
        if (!is_first)
            buf_slice(&vm->text, w.between);
        wrap_line(&w, filter_next_line(&rest));
    }
    filter_push_text(vm, start, w.escape);
    return VM_DONE;
}
