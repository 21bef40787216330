/* template/filter_internal.h - what the builtin filters, tests and globals share.
 *
 * Place in the flow: filter.c lists them all by name with their signatures; the other filter files
 * hold the code. A native that meets an object asks Lua and goes on when it is called again
 * (struct vm_frame); the helpers here keep to the same rule, and the plain-data paths never ask.
 */
#ifndef QLUA_TEMPLATE_FILTER_INTERNAL_H
#define QLUA_TEMPLATE_FILTER_INTERNAL_H

#include "template/vm_sort.h"
#include "template/vm_value.h"

/* native filter_abs, filter_attr; declares functions of this type. */
typedef enum vm_status filter_native(struct vm *vm, struct vm_frame *frame);

/* ---- arguments: filter_argument.c ------------------------------------------------------------ */

/* Is the argument none, or not given? */
bool filter_is_absent(struct vm *vm, int index);
/* Its truth; an object counts as true. */
bool filter_flag(struct vm *vm, int index);
/* A whole number, true and false being 1 and 0; fails as Python where it wants an int, and where it
 * is undefined says so. */
double filter_whole(struct vm *vm, int index);
/* The text of a string or Markup; fails with "'int' object has no attribute 'NAME'" for others. */
struct slice filter_text(struct vm *vm, int index, const char *attribute);
/* The table at index as one whose items 1..n can be read by number: what it iterates over. */
int filter_items(struct vm *vm, int index);
/* How many arguments the list of a `*` parameter holds. */
int filter_rest(struct vm *vm, int index);
/* Has the dict of a `**` parameter anything in it? */
bool filter_has_keywords(struct vm *vm, int index);
/* Fail as Python does for a type: the name of the type between the two texts. */
_Noreturn void filter_fail_type(struct vm *vm, int index, const char *before, const char *after);
/* Fail as Python does for a method of dicts on what is none: "'list' object has no attribute
 * 'items'". */
_Noreturn void filter_fail_attribute(struct vm *vm, int index, const char *attribute);

/* ---- text ------------------------------------------------------------------------------------ */

/* The text without white space around it (Unicode's). */
struct slice filter_strip(struct slice text);
/* \w of Python's re. */
bool filter_is_word(uint32_t code);
/* The bytes of the line break that the text (len > 0) begins with, as str.splitlines() has them;
 * 0: none. */
size_t filter_line_break(struct slice text);
/* Cut off and give the first line; *rest is what stands behind its break. */
struct slice filter_next_line(struct slice *rest);

/* ---- results --------------------------------------------------------------------------------- */

/* Push the text appended to vm->text since start, as Markup or as a string. */
void filter_push_text(struct vm *vm, size_t start, bool is_markup);
/* Append `unit` this many times (below 1: not at all), within the limit of a text. */
void filter_repeat(struct vm *vm, struct slice unit, double times);
/* Append the text at index, escaped unless it is Markup. */
void filter_add_escaped(struct vm *vm, int index);

/* Push a list of the (key, value) tuples of the dict. */
void filter_dict_pairs(struct vm *vm, int dict);
/* A seed from the system, for one call's random numbers. */
uint64_t filter_random_seed(void);
/* The next random whole number from 0 to n - 1. */
double filter_random_below(uint64_t *state, double n);

/* ---- a frame's state: a phase of the native's own, and where a path stands in it --------------
 */

/* Bits of frame->state: the phase, a flag that Lua was asked, and the rest a counter of the keys
 * of a path. */
enum { FRAME_PHASE = 0x0f, FRAME_ASKED = 0x10, FRAME_PART_SHIFT = 5, FRAME_PARTS_MAX = 1000 };

static inline int frame_phase(const struct vm_frame *frame)
{
    return frame->state & FRAME_PHASE;
}

static inline bool frame_was_asked(const struct vm_frame *frame)
{
    return (frame->state & FRAME_ASKED) != 0;
}

/* Begin a phase: its counter is 0, nothing is asked. */
static inline void frame_begin(struct vm_frame *frame, int phase)
{
    frame->state = phase;
    frame->i = 0;
}

/* Lua was asked in this phase: the answer will be on top at the next call. */
static inline enum vm_status frame_asked(struct vm_frame *frame, int part)
{
    frame->state = frame_phase(frame) | FRAME_ASKED | part << FRAME_PART_SHIFT;
    return VM_AGAIN;
}

/* Take note of the answer: the flag is cleared. Gives whether there was one. */
static inline bool frame_answered(struct vm_frame *frame, int *part)
{
    bool was_asked = frame_was_asked(frame);
    *part = was_asked ? frame->state >> FRAME_PART_SHIFT : 0;
    frame->state = frame_phase(frame);
    return was_asked;
}

/* ---- paths: filter_path.c -------------------------------------------------------------------- */

/* Make the attribute at index ("a", "a.b.0", 0, none) what path_follow reads: nil for the item
 * itself, a single key, or an unmarked list of keys. */
void path_prepare(struct vm *vm, int index);
/* The same of the text "a,b": a list of such paths. */
void path_prepare_list(struct vm *vm, int index);
/* Replace the value on top by what the path leads to from it. fallback: stack index of the value
 * to use for an undefined, 0 for none. *part: the key to begin with; asked: the answer for that
 * key is on top. VM_AGAIN: Lua is asked for key *part. */
enum vm_status path_follow(struct vm *vm, int path, int fallback, int *part, bool asked);
/* A phase: keys[1..n] = what the path leads to from each of items[1..n]; with fold, texts in lower
 * case. frame->n is n. */
enum vm_status path_project(struct vm *vm, struct vm_frame *frame, int items, int path,
                            int fallback, int keys, bool fold);
/* Bring the text on top into lower case (a Markup stays one); other values stay. */
void path_fold(struct vm *vm);
/* Does it leave the value on top as it is? */
bool path_is_folded(struct vm *vm);

/* A phase: objects in list[1..frame->n] are replaced by their texts, with `html` by their HTML
 * (Markup) if they have any; then the list becomes a copy. */
enum vm_status filter_texts(struct vm *vm, struct vm_frame *frame, int list, bool html);

/* Append text to out with up to `left` of the places of `from`, which is not empty, replaced. */
void filter_replace_all(struct vm *vm, struct slice text, struct slice from, struct slice to,
                        double left, struct buf *out);
/* Append text to out as title has it. */
void filter_add_title(struct vm *vm, struct slice text, struct buf *out);

/* ---- the natives ----------------------------------------------------------------------------- */

/* filter_text.c */
filter_native filter_capitalize, filter_format, filter_lower, filter_replace, filter_string;
filter_native filter_title, filter_trim, filter_upper, filter_wordcount;
/* filter_html.c */
filter_native filter_escape, filter_forceescape, filter_safe, filter_striptags, filter_urlencode;
filter_native filter_xmlattr;
filter_native filter_tojson; /* filter_json.c */
filter_native filter_urlize; /* filter_urlize.c */
filter_native filter_pprint; /* filter_pprint.c */
/* filter_wrap.c */
filter_native filter_center, filter_indent, filter_truncate;
filter_native filter_wordwrap; /* filter_wordwrap.c */
/* filter_number.c */
filter_native filter_abs, filter_filesizeformat, filter_float, filter_int, filter_round;
/* filter_list.c */
filter_native filter_attr, filter_batch, filter_default, filter_first, filter_items_of;
filter_native filter_join, filter_last, filter_length, filter_list, filter_random, filter_reverse;
filter_native filter_slice, filter_sum;
/* filter_project.c */
filter_native filter_map, filter_map_named, filter_reject, filter_rejectattr, filter_select,
    filter_selectattr;
/* filter_sort.c */
filter_native filter_dictsort, filter_groupby, filter_max, filter_min, filter_sort, filter_unique;

/* filter_is.c */
filter_native test_boolean, test_callable, test_defined, test_escaped;
filter_native test_false, test_filter, test_float, test_integer, test_iterable;
filter_native test_lower, test_mapping, test_none, test_number, test_sameas;
filter_native test_sequence, test_string, test_test, test_true, test_undefined, test_upper;
/* filter_is_compare.c */
filter_native test_divisibleby, test_eq, test_even, test_ge, test_gt, test_in, test_le, test_lt;
filter_native test_ne, test_odd;

filter_native global_lipsum; /* filter_lipsum.c */

#endif
