/* template/vm.h - what a running template is to filters, tests, methods and operators.
 *
 * Place in the flow: vm_run.c executes a program on the render's own Lua thread; whatever is
 * built in (values, filters, tests, globals) is written against this face. An instruction, and each
 * slice of a render, runs inside a protected call on vm->L, so a builtin may raise (vm_fail) and
 * may use the Lua API freely; C memory it needs comes from vm_text, never from malloc.
 *
 * Values are Lua values on vm->L:
 *   none        the light userdata NULL (qlua.null)
 *   undefined   a table with the undefined metatable, made by vm_undefined.h; never raw nil on the
 *               operand stack. (nil stands for "argument not given" in a native's parameters.)
 *   true/false, number (a double; an integral one prints without a fraction), string (UTF-8)
 *   Markup, tuple, bytes, ...   the markers of value/marker.h
 *   list        a table marked as an array, or unmarked with t[1] ~= nil; 1-based in Lua,
 *               0-based in templates; none inside is qlua.null
 *   dict        any other table without a metatable, or with the dict metatable below
 *               (a dict written in a template, which keeps the order of its keys)
 *   generator   what map, select, reverse, ... give: an array table with its own metatable; walked
 *               once, no length, no index
 *   range       a full userdata of ours {start, stop, step}
 *   native      macro, loop, namespace, cycler, joiner, bound method, block reference, module,
 * self: full userdata or tables with metatables of the VM's function    a Lua function object
 * everything else: tables with a foreign metatable, userdata, cdata, threads. Only Lua may touch
 * it, so that it may wait.
 */
#ifndef QLUA_TEMPLATE_VM_H
#define QLUA_TEMPLATE_VM_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "template/syntax.h"

enum value_kind {
    VALUE_UNDEFINED,
    VALUE_NONE,
    VALUE_BOOLEAN,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_MARKUP,
    VALUE_LIST,
    VALUE_TUPLE,
    VALUE_DICT,
    VALUE_GENERATOR,
    VALUE_RANGE,
    VALUE_NATIVE,
    VALUE_FUNCTION,
    VALUE_OBJECT
};

enum undefined_kind { UNDEFINED_DEFAULT, UNDEFINED_STRICT, UNDEFINED_CHAINABLE, UNDEFINED_DEBUG };

/* The metatables that tell kinds apart, by address: cached once a render environment. */
enum vm_meta {
    VM_META_ARRAY,
    VM_META_TUPLE,
    VM_META_GROUP, /* a tuple of groupby's: {grouper, list}, both also attributes by these names */
    VM_META_BYTES,
    VM_META_MARKUP,
    VM_META_UUID,
    VM_META_DATETIME,
    VM_META_UNDEFINED,
    VM_META_DICT,
    VM_META_GENERATOR,
    VM_META_RANGE,
    VM_META_FUNCTION, /* a builtin global: full userdata, a const struct vm_native * */
    VM_META_MACRO,
    VM_META_LOOP,
    VM_META_NAMESPACE,   /* a table whose string keys are its attributes */
    VM_META_CYCLER,      /* a table; filter.h: global_... */
    VM_META_JOINER,      /* a table; filter.h: global_... */
    VM_META_TRANSLATION, /* a table; filter.h: gettext_... */
    VM_META_METHOD,      /* a bound method: {object, name} */
    VM_META_BLOCK,       /* self.name, super */
    VM_META_MODULE,      /* an imported template */
    VM_META_SELF,
    VM_META_COUNT
};

/* What else is kept in the registry by number: see vm_meta_open. */
enum vm_ref {
    VM_REF_ORDERS = VM_META_COUNT, /* weak: dict -> the list of its keys in their order */
    VM_REF_NAMES,                  /* name -> its undefined */
    VM_REF_MISSING,                /* type of object -> name -> its undefined */
    VM_REF_COUNT
};

/* How a step of the VM or a native ends. */
enum vm_status {
    VM_DONE,  /* its one result is on top of vm->L */
    VM_AGAIN, /* something was begun (vm_call..., vm_ask...): when it is done its result lies on top
                 and the same native is called again, with frame->state as it left it */
};

/* What Lua is asked to do, with the operands on top of vm->L. It may wait; the render is parked. */
enum vm_ask {
    VM_ASK_CALL,     /* f, args...           -> its first result (nil: undefined) */
    VM_ASK_INDEX,    /* object, key          -> object.key: the attribute, else the item; methods
                        are bound (template_objects.lua: index) */
    VM_ASK_ITEM,     /* object, key          -> object[key]: the item, else the attribute (item) */
    VM_ASK_TOSTRING, /* object               -> tostring(object), a string */
    VM_ASK_HTML,     /* object               -> its __html as Markup, else its text as a string */
    VM_ASK_LENGTH,   /* object               -> #object (its __len), else an error */
    VM_ASK_TRUTH,    /* object               -> boolean: __len gives 0: false; else true */
    VM_ASK_LIST,  /* object               -> a list of what it iterates over: object:items() gives
                     keys;
                                             a function or __call: an iterator; an array part */
    VM_ASK_PAIRS, /* object               -> a list of {key, value} lists: for |items, dictsort,
                     xmlattr */
    VM_ASK_EQUAL, /* a, b                 -> boolean */
    VM_ASK_LESS,  /* a, b                 -> boolean */
    VM_ASK_CONTAINS, /* container, item      -> boolean */
    VM_ASK_IS,   /* object, "mapping" ...-> boolean: can it be used so (template_objects.lua: is) */
    VM_ASK_ARITH /* operator text, a, b  -> result; "-" with one operand is unary minus */
};

struct vm;
struct vm_frame;

/* A builtin's code. frame->base .. frame->base + nparams - 1 are its parameters on vm->L, bound by
 * name and position (absent: the default of its signature, or nil). It may push above; it leaves
 * its one result on top (VM_DONE) or has begun something (VM_AGAIN). */
typedef enum vm_status (*native_fn)(struct vm *vm, struct vm_frame *frame);

struct vm_native {
    const char *name;
    /* "value, length=255, killwords=false, end='...', leeway=none": parameters in order with
     * their defaults (none true false number 'text'), none given: required; `*` as the last:
     * the rest of the positional arguments as one list, `*...`: the same one by one, `**`: the rest
     * of the keywords as one dict, nil when there is none.
     * A letter and a colon before a name ask for a kind that the binder sees to, waiting for Lua
     * where the argument is an object: `s:` its text (a string or Markup stays, anything is
     * stringified), `i:` something iterable (an object becomes a list, an undefined one stays), no
     * letter: as is. */
    const char *signature;
    native_fn fn;
};

/* The usual call of a native, without any ceremony: `count` values from the stack index `first` on,
 * no keywords, nothing bound. True: its value is on top of them, or was given by vm_give_text.
 * False: this is no usual call, and nothing was done. Fails only where the native does, asks and
 * calls nothing. */
typedef bool (*native_quick)(struct vm *vm, int first, int count);

/* A plain argument: a string, a number, or a boolean. */
struct vm_plain {
    int type;      /* LUA_TSTRING, LUA_TNUMBER, LUA_TBOOLEAN */
    double number; /* of a boolean 0 or 1 */
    struct slice text;
};

/* A text on its way through filters. */
struct text_flow {
    struct slice text;
    bool is_markup;
    struct buf *out; /* empty, and `text` does not lie in it */
};

/* The usual call of a filter that makes a text of a text, on the string flow->text, which it
 * replaces: by a part of itself, of an argument, or by what it has written to flow->out. False:
 * this is no usual call, and the text is as it was. Fails but for a limit, asks and calls nothing,
 * and leaves the stack alone. */
typedef bool (*native_text)(struct vm *vm, struct text_flow *flow, const struct vm_plain *args,
                            int count);

/* One native at work. */
struct vm_frame {
    const struct vm_native *native;
    int base;    /* stack index on vm->L of the first parameter */
    int nparams; /* of a signature with `*...` as many as there are */
    int state;   /* the native's own: 0 at the first call */
    int i, n;    /* the native's own counters */
    void *data;  /* private to the VM */
};

#define VM_META_HASH 128

/* The part of a render which builtins use; vm_internal.h holds the rest behind it. */
struct vm {
    lua_State *L;
    bool autoescape;               /* where the template is now */
    enum undefined_kind undefined; /* the environment's */
    bool sandboxed;
    const void *meta[VM_META_COUNT];     /* lua_topointer of each */
    unsigned char meta_at[VM_META_HASH]; /* address -> enum vm_meta + 1; 0: none: see vm_kind.c */
    int ref[VM_REF_COUNT];               /* lua_rawgeti(L, LUA_REGISTRYINDEX, ref) pushes it */
    struct buf text;                     /* scratch, see vm_text */
    double max_range;                    /* limit of range(), and of lists made by multiplication */
    double truncate_leeway;              /* the policy; nan: not looked up in this slice */
    size_t max_text; /* bytes a single text or the output may have; 0: no limit */
};

/* Make all metatables and the registry's tables; once a Lua state (again: nothing happens). */
void vm_meta_open(lua_State *L);
/* Fill vm->meta and vm->ref; after vm_meta_open, with vm->L set. */
void vm_meta_load(struct vm *vm);

/* ---- errors: they do not return -------------------------------------------------------------- */

/* Raise an error of this kind at the template's current line; the words are Jinja's (Python's). */
void vm_fail(struct vm *vm, enum template_error_kind kind, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* Count work against the limit of instructions: one for what takes about 20 ns. Fails with
 * TEMPLATE_LIMIT. For work that grows with its operands: see value_spend. */
void vm_spend(struct vm *vm, double instructions);

/* ---- results and memory ---------------------------------------------------------------------- */

/* An empty scratch buffer owned by the VM. Nested users take from its end: remember
 * start = vm->text.len, append, then vm_push_text(vm, start) pushes what was appended as a
 * string and cuts the buffer back to start. */
void vm_push_text(struct vm *vm, size_t start);
/* The same as Markup. */
void vm_push_markup_text(struct vm *vm, size_t start);
/* Turn the string on top into Markup. */
void vm_to_markup(struct vm *vm);
/* Push metatable / make typed values. */
void vm_push_meta(struct vm *vm, enum vm_meta meta);
void vm_push_none(struct vm *vm);
/* An empty list, tuple, generator or dict with room for n. */
void vm_new_list(struct vm *vm, int n);
void vm_new_tuple(struct vm *vm, int n);
void vm_new_generator(struct vm *vm, int n);
void vm_new_dict(struct vm *vm); /* keeps the order in which vm_dict_set adds keys */
/* dict[key] = value with key and value on top (both popped). */
void vm_dict_set(struct vm *vm, int dict);

/* The native's value is the text that was appended to vm->text from start on (as Markup): the last
 * thing it does, `return vm_give_text(vm, start, false);`. Where the value is only written, no
 * string is made of it. Always VM_DONE. */
enum vm_status vm_give_text(struct vm *vm, size_t start, bool is_markup);

/* ---- asking Lua, calling back ---------------------------------------------------------------- */

/* The nargs operands on top are handed to Lua (and popped); always gives VM_AGAIN:
 * `return vm_ask(vm, VM_ASK_INDEX, 2);` */
enum vm_status vm_ask(struct vm *vm, enum vm_ask ask, int nargs);

/* Call the filter or test of this name with nargs values on top (the first is the operand), and a
 * dict of keyword arguments on top of them when has_kwargs. VM_DONE: the result is on top at
 * once (a builtin on plain data); VM_AGAIN as above. Unknown: fails. */
enum vm_status vm_call_filter(struct vm *vm, struct slice name, int nargs, bool has_kwargs);
enum vm_status vm_call_test(struct vm *vm, struct slice name, int nargs, bool has_kwargs);
/* The short way of the builtin filter of this name; NULL: it has none, or is not the one that the
 * environment has. */
native_quick vm_quick_filter(struct vm *vm, struct slice name);
/* Take it for the nargs values on top, whose place its value takes; false: nothing was done. */
bool vm_call_quick(struct vm *vm, native_quick quick, int nargs);
/* Call this builtin with nargs values on top, bound by its signature. */
enum vm_status vm_call_native(struct vm *vm, const struct vm_native *native, int nargs,
                              bool has_kwargs);
/* Call the value below nargs arguments: macro, function, bound method, object. */
enum vm_status vm_call(struct vm *vm, int nargs, bool has_kwargs);

/* ---- the environment ------------------------------------------------------------------------- */

/* Push the environment's policy of this name ("truncate.leeway"); nil when it has none. */
void vm_push_policy(struct vm *vm, struct slice name);
/* The environment's newline_sequence. */
struct slice vm_newline(const struct vm *vm);
/* Is there a filter, a test of this name: the environment's own or a builtin? */
bool vm_has_filter(struct vm *vm, struct slice name);
bool vm_has_test(struct vm *vm, struct slice name);
/* Has the environment any tests of its own? They may stand in for builtin ones. */
bool vm_has_own_tests(struct vm *vm);

#endif
