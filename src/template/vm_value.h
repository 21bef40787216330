/* template/vm_value.h - Python's view of Lua values: kinds, text, comparison, arithmetic, access,
 * iteration.
 *
 * Place in the flow: the VM's instructions, filters, tests and methods all go through these. They
 * work on plain data; where an operand itself is an object (vm.h) they do nothing and give
 * VALUE_ASK, and the caller asks Lua (vm_ask) in whatever way it can go on afterwards. Objects
 * nested inside containers are never asked: they print as <name>, equal only themselves. Indexes
 * are absolute stack indexes on vm->L (or negative ones where a function says so).
 */
#ifndef QLUA_TEMPLATE_VM_VALUE_H
#define QLUA_TEMPLATE_VM_VALUE_H

#include <stdint.h>

#include "template/vm.h"

enum value_result {
    VALUE_OK = 0,
    VALUE_ASK = 1 /* an operand is an object: nothing was pushed or written */
};

/* The payload of a VALUE_RANGE userdata: whole numbers, step is not 0. */
struct value_range {
    double start, stop, step;
};

/* Containers may nest this deep in repr(), == and <; beyond: TEMPLATE_LIMIT. */
#define VALUE_MAX_DEPTH 150

/* Bytes of a text or a page where no option says how many: 64 MiB. */
#define VALUE_TEXT_LIMIT 67108864

/* Bytes that a text may still get, items that a list may get: fail with TEMPLATE_LIMIT beyond
 * vm->max_text (0: VALUE_TEXT_LIMIT) and vm->max_range (0: 10 million). */
void value_check_text(struct vm *vm, double bytes);
void value_check_items(struct vm *vm, double items);

/* Count the work on so many items, on so many bytes of text, against the limit of instructions. */
static inline void value_spend(struct vm *vm, double items)
{
    if (items > 16)
        vm_spend(vm, items / 4);
}

static inline void value_spend_text(struct vm *vm, size_t bytes)
{
    if (bytes > 512)
        vm_spend(vm, (double)bytes / 128);
}

/* A nil counts as undefined. */
enum value_kind value_kind(struct vm *vm, int index);
/* The metatable of a table or userdata of ours; VM_META_COUNT for any other value. */
enum vm_meta value_meta(struct vm *vm, int index);
/* Python's name of its type, for messages: "str", "int", "float", "dict", "list", "NoneType",
 * "Undefined", "builtin function" ... (int for a whole number). */
const char *value_type_name(struct vm *vm, int index);

/* ---- text: vm_text.c ---- */
/* str(): append to out; undefined as its kind says (strict fails). */
enum value_result value_write(struct vm *vm, int index, struct buf *out);
/* What {{ }} appends: escape() when vm->autoescape, else str(). */
enum value_result value_write_escaped(struct vm *vm, int index, struct buf *out);
/* repr(): quotes, escapes and containers as Python's; nesting is bounded. */
void value_repr(struct vm *vm, int index, struct buf *out);
/* repr() of a string. */
void text_repr(struct slice text, struct buf *out);
/* Push str() as a string; a Markup gives its text. */
enum value_result value_push_str(struct vm *vm, int index);
/* The bytes of a string or Markup, borrowed while the value lives; false for other kinds. */
bool value_slice(struct vm *vm, int index, struct slice *text);

/* ---- truth, comparison: vm_compare.c ---- */
/* The number that a number or boolean is; false for other kinds. */
bool value_number(struct vm *vm, int index, double *number);
double value_range_length(const struct value_range *range);
enum value_result value_truth(struct vm *vm, int index, bool *is_true);
enum value_result value_equal(struct vm *vm, int a, int b, bool *is_equal);
/* <0, 0, >0; unlike kinds fail as Python's `<` does, naming op ("<", ">=", ...). */
enum value_result value_order(struct vm *vm, int a, int b, const char *op, int *order);
enum value_result value_contains(struct vm *vm, int container, int item, bool *is_in);

/* ---- arithmetic: vm_arith.c; pushes the result ---- */
enum value_operator {
    VALUE_ADD,
    VALUE_SUB,
    VALUE_MUL,
    VALUE_DIV,
    VALUE_FLOORDIV,
    VALUE_MOD,
    VALUE_POW
};
enum value_result value_arith(struct vm *vm, enum value_operator op, int a, int b);
enum value_result value_negate(struct vm *vm, int index, bool negative); /* -x, +x */

/* ---- access: vm_access.c; pushes the result, undefined when there is none ---- */
/* a.name: attribute first (methods as bound methods), then item. */
enum value_result value_getattr(struct vm *vm, int object, struct slice name);
/* The same with the name also at a stack index (a string): saves making it a Lua string again. */
enum value_result value_getattr_at(struct vm *vm, int object, int name);
/* Push the value of the dict's key or nil; no methods, no undefined. A Markup key counts as its
 * text, true as 1, a tuple by its items. */
void value_dict_get(struct vm *vm, int dict, int key);
/* a[key]: item first, then attribute when the key is text. key is at a stack index. */
enum value_result value_getitem(struct vm *vm, int object, int key);
/* a[start:stop:step]; none where absent. */
enum value_result value_getslice(struct vm *vm, int object, int start, int stop, int step);
/* Push a range of whole numbers. */
void value_push_range(struct vm *vm, double start, double stop, double step);
/* len(); fails where Python has none. */
enum value_result value_length(struct vm *vm, int index, double *length);
/* The method of this name which values of this kind have; NULL: none. Its first parameter is the
 * value itself. */
const struct vm_native *value_method(struct vm *vm, int index, struct slice name);

/* ---- iteration: vm_iter.c ---- */
/* A walk over a list, tuple, dict (its keys), string (its code points), range, generator or
 * undefined (nothing). It survives a park: all it needs is here and in one stack slot. */
struct value_iter {
    enum value_kind kind;
    int source;   /* stack index of what is walked: the value, or the sorted keys of a dict */
    double at;    /* position: index, or byte offset of a string */
    double count; /* how many items in all; -1 when not known beforehand (never for the above) */
};
/* Begin to walk the value at index, which is replaced (lua_replace) by what is walked where that
 * differs. Fails
 * "'int' object is not iterable" as Python. */
enum value_result value_iter_begin(struct vm *vm, int index, struct value_iter *iter);
/* Push the next item; false at the end (nothing pushed). */
bool value_iter_next(struct vm *vm, struct value_iter *iter);
/* Replace the value at index by a list of its items (a fresh table the caller may change). */
enum value_result value_to_list(struct vm *vm, int index);
/* Push a list of the keys of the dict at index, in the order they are walked: that of their
 * writing for a dict of the template's, sorted for another table. */
void value_dict_keys(struct vm *vm, int index);

/* ---- undefined: vm_undefined.c ---- */
/* Push an undefined for a name that nobody set: "'name' is undefined". */
void value_push_undefined(struct vm *vm, struct slice name);
/* ... for an attribute or item that is missing: "'dict object' has no attribute 'name'". */
void value_push_missing(struct vm *vm, int object, int key);
/* ... with a message of its own. */
void value_push_undefined_hint(struct vm *vm, struct slice message);
/* ... of the default kind whatever the environment's is: `'a' if false` without an else. */
void value_push_undefined_plain(struct vm *vm, struct slice message);
/* ... which fails as a SecurityError: an attribute that the sandbox keeps back. */
void value_push_unsafe(struct vm *vm, int object, struct slice name);
/* The kind of the undefined at index. */
enum undefined_kind value_undefined_kind(struct vm *vm, int index);
/* Fail with the message of the undefined at index. */
_Noreturn void value_fail_undefined(struct vm *vm, int index);
/* Append what one of the debug kind prints: "{{ name }}". */
void undefined_write_debug(struct vm *vm, int index, struct buf *out);
/* Push what Jinja's own class has for people who debug: _undefined_name, _undefined_hint; false:
 * another name. */
bool undefined_push_own(struct vm *vm, int index, struct slice name);

/* ---- Markup: vm_markup.c ---- */
/* Push escape(value): a Markup stays. */
enum value_result value_escape(struct vm *vm, int index);
/* Python's "%" on a string or Markup at `format` with the arguments at `args` (a tuple, dict or one
 * value). */
enum value_result value_format(struct vm *vm, int format, int args);
/* The same, appended to vm->text; *is_markup: what kind of text it is. */
enum value_result value_format_text(struct vm *vm, int format, int args, bool *is_markup);

/* ---- the VM's own values: macro, loop, block, module, self; vm_native.c (not of this part) ----
 */
/* Append str(); in a container also its repr. */
void vm_native_write(struct vm *vm, int index, struct buf *out);
/* Push the attribute; false: none of this name. */
bool vm_native_getattr(struct vm *vm, int index, struct slice name);

#endif
