/* template/vm_internal.h - the inside of the VM, shared by its files.
 *
 * Place in the flow: vm_library.c begins a render and runs slices of it. vm_run.c is the loop over
 * instructions; vm_frame.c keeps what is being run, vm_context.c what names stand for, vm_call.c,
 * vm_use.c, vm_chain.c and vm_bind.c call things, vm_loop.c, vm_macro.c, vm_block.c and vm_import.c
 * are the parts of the language, vm.c holds errors, limits and the way out to Lua.
 *
 * The stack. A slice runs as a C function on whatever Lua thread called it, with all operands as
 * its own stack frame: the Lua environment, whose method makes errors, the core's tables of it,
 * globals of this render alone or nil, the render's userdata or nil, then frame upon frame. When
 * Lua is to do something they are moved to the render's own thread and back, so their indexes never
 * change. So a render that needs no Lua is one call and touches no thread at all, and an error is
 * raised on the thread that runs. No C function here calls Lua, except to make an error.
 */
#ifndef QLUA_TEMPLATE_VM_INTERNAL_H
#define QLUA_TEMPLATE_VM_INTERNAL_H

#include "template/program.h"
#include "template/vm.h"
#include "template/vm_value.h"

enum { STACK_ENVIRONMENT = 1, STACK_TABLES, STACK_GLOBALS, STACK_RENDER, STACK_FRAMES };

/* In the environment userdata's table (STACK_TABLES). */
enum {
    ENV_FILTERS = 1,
    ENV_TESTS,
    ENV_GLOBALS,
    ENV_POLICIES,
    ENV_FINALIZE,
    ENV_OBJECT /* Lua's environment, once it has rendered */
};

struct vm_env {
    struct template_syntax syntax;
    enum undefined_kind undefined;
    bool sandboxed;
    bool has_finalize;
    double max_instructions; /* of a render; 0: no limit */
    double max_range;
    size_t max_output;
    int max_depth;
    bool has_object;    /* ENV_OBJECT is set */
    struct arena arena; /* of the syntax's texts */
};

/* Parameters of a native that a plan for its keywords can have. */
#define PLAN_MOST 6

/* A filter or test as it is used at one place: what the program does not know of it. */
struct vm_use {
    const struct vm_signature *signature; /* NULL: not looked up yet */
    native_quick quick;                   /* of a call by values only; NULL: none */
    native_text text;                     /* the same of a filter of texts */
    int count;                            /* the values it takes */
    int link;   /* the filter that takes its result stands so many instructions behind; 0: none */
    bool feeds; /* ... and what this one makes is a generator */
    int writes; /* as struct frame's */
    bool is_planned;
    unsigned char plan[PLAN_MOST]; /* of bind_plan */
    uint64_t not_own; /* in this slice (r->slice) the environment had none of its own of the name */
};

/* A program as Lua holds it: a userdata whose table has the constants at 1..nconsts, the userdata
 * itself at 0 and behind the constants what PROGRAM_... says. */
struct vm_program {
    struct program *program;
    struct vm_env *env;
    const bool *is_field;   /* of each constant: no list, tuple or dict has a method of the name */
    struct vm_use *filters; /* of program->filters[i] */
    struct vm_use *tests;
};
enum { PROGRAM_ENV = 1, PROGRAM_TABLES, PROGRAM_MODULE, PROGRAM_MORE };

/* A context: a table. What names stand for is looked up in CTX_VARS and then in the tables from
 * CTX_FIRST on. */
enum {
    CTX_VARS = 1,   /* what the template has set at top level, or nil */
    CTX_EXPORTED,   /* name -> true of what a module exports, or nil: nobody asks */
    CTX_PROGRAM,    /* the program's table */
    CTX_PARENTS,    /* list of those of the programs it extends, or nil */
    CTX_AUTOESCAPE, /* 1 or 0: is it in force? Or the context that this one shares it with */
    CTX_FIRST
};

/* ---- frames ---------------------------------------------------------------------------------- */

enum frame_result {
    RESULT_WRITTEN, /* what it wrote stays in the output; no value */
    RESULT_TEXT,    /* what it wrote is taken back and is its value */
    RESULT_MARKUP,  /* the same as Markup */
    RESULT_MODULE,  /* the same goes into a module (vm_import.c), which is its value */
    RESULT_BODY     /* a module is made; its body is written */
};

struct frame {
    bool is_native;
    bool is_test;         /* the test of a loop, within its owner's slots: see vm_loop.c */
    bool is_shared;       /* of a module: others may have it too */
    signed char has_vars; /* its context has something in CTX_VARS; -1: not looked up */
    bool autoescape;      /* the caller's, to be put back */
    enum frame_result result;
    int ret; /* stack index of its value; all from there on is the frame's */
    /* code */
    const struct insn *pc;      /* the one that runs, or ran last */
    const struct insn *next;    /* where to go on, while another frame runs or Lua works */
    const struct insn *extends; /* what made another template its parent; NULL: none */
    const struct vm_program *program;
    const struct program_unit *unit;
    int base;   /* slot 0 */
    int fixed;  /* stack index of the slots FIXED_... */
    int nloops; /* of the render, when it began */
    /* natives */
    const struct vm_signature *signature;
    int converting;  /* the parameter that is converted next; -1: all are. Of a test: the loop */
    int writes;      /* 1 + the escape of the OP_OUT that follows in the code; 0: none */
    bool is_written; /* the value was written, there is none on the stack */
    struct vm_frame native;
};

struct loop_object;

struct vm_loop {
    struct value_iter iter;
    const struct program_loop *description;
    struct loop_object *object; /* NULL: `loop` is only used in ways that need none */
    double depth0;
    struct frame *owner;
    int slot; /* stack index of its slots */
    double index0;
    double offset;    /* items before the first that iter walks */
    bool keeps_items; /* the item before cannot be found otherwise */
    bool has_test;
    bool has_ahead;   /* FOR_AHEAD holds the next item */
    bool collects;    /* ... or all items that follow */
    bool has_ended;   /* nothing passes the test any more */
    bool has_run;     /* its body has run to its end */
    bool has_changed; /* FOR_CHANGED holds what loop.changed() was asked about */
};

#define FRAMES_A_CHUNK 32

struct vm_asked {
    int ask;   /* enum vm_ask or enum vm_more_asks; -1: nothing */
    int first; /* the operands' stack indexes */
    int count;
    int target;  /* stack index where the result goes; 0: in the operands' place */
    bool negate; /* the result is a boolean, and the other one is wanted */
};

/* What else the driver is asked for. */
enum vm_more_asks {
    ASK_CALL_KEYWORDS = VM_ASK_ARITH + 1, /* f, args..., table: after the declared parameters */
    ASK_LOAD,        /* name or list, name of the template that asks or nil -> program */
    ASK_LOAD_IF_ANY, /* the same; nil when there is none */
    ASK_FLUSH,       /* text: hand it out */
    ASK_DICT,        /* object -> a table of its pairs: **object */
    ASK_COUNT
};

struct render {
    struct vm vm; /* first: natives know this much */
    const struct vm_env *env;
    struct vm_state *state;
    const void *program_meta; /* lua_topointer of the programs' metatable */
    struct buf out;
    struct buf flows[2]; /* what filters of texts have written, by turns */
    size_t mark;         /* when the output is longer than this, something is to be done */
    size_t flush_size;   /* 0: no stream */
    double flushed;      /* bytes handed out */
    int64_t budget;      /* instructions until render_spend looks at the limits */
    int64_t rest;        /* those that may follow; INT64_MAX: no limit */
    lua_State *thread;   /* holds the operands while Lua works; NULL: not needed so far */
    struct frame **chunks;
    int nchunks;
    int nframes;
    struct frame *top;
    int depth; /* code frames */
    /* has the environment filters, tests of its own? -1: not looked up in this slice */
    signed char has_own[2];
    uint64_t slice;                     /* which one runs, of all that the Lua state has run */
    const struct vm_signature *last[2]; /* filter and test that builtins called last */
    struct vm_loop *loops;
    struct vm_loop *loop; /* the innermost; void when there is none */
    int known;            /* stack index of a slot whose value is known, 0: none */
    int known_type;       /* its lua_type */
    bool is_known_plain;  /* a table without a metatable */
    int nloops, room_loops;
    bool has_run;     /* the last loop that ended: its has_run */
    size_t *captures; /* where each open one began */
    int ncaptures, room_captures;
    struct vm_asked asked;
    int writes;       /* while a native_quick runs: as a frame's writes; else -1 */
    bool is_written;  /* it has given its value */
    bool is_busy;     /* a slice is running */
    bool is_waiting;  /* for Lua, its operands on the thread */
    bool keeps_value; /* the last frame's value is the result, not the output */
};

static inline struct render *render_of(struct vm *vm)
{
    return (struct render *)vm;
}

/* ---- vm.c ---- */
/* Lua is to do this with the count operands on top: the result takes their place, or goes to the
 * stack index target and leaves nothing. */
void render_ask(struct render *r, int ask, int count, int target);
/* In the registry: a function of the driver's, which is called with the way to where a render is
 * when somebody may want the processor back. */
#define RENDER_STOP_KEY "qlua.template_stop"

/* A limit was reached: fails. */
_Noreturn void render_fail_depth(struct render *r);
/* Fail: Lua's stack does not take what is in use. */
_Noreturn void render_fail_values(struct render *r);
void render_spend(struct render *r, int instructions);
/* The output is longer than r->mark: fails, or true when it is to be handed out now. */
bool render_check_output(struct render *r);
void render_set_mark(struct render *r);
/* Lua has done what it was asked; what it gave is on top. */
void render_answer(struct render *r);
/* Push how the innermost frame was reached: a list of {name, lineno, source}, innermost first;
 * with that frame itself as the first, or not. */
void render_push_chain(struct render *r, bool with_innermost);
int frame_line(const struct frame *frame);
/* Where the code is: the innermost frame of instructions. */
struct frame *render_code_frame(const struct render *r);
/* After a render or an error: usable again. */
void render_clear(struct render *r);
/* Give all memory back. */
void render_free(struct render *r);

/* ---- vm_state.c: what a Lua state keeps for all renders ---- */
struct vm_state;
struct vm_state *vm_state_new(void);
void vm_state_free(struct vm_state *state);
const struct vm_signature *vm_signature_of(struct vm_state *state, const struct vm_native *native);
/* The number of the slice that begins, from 1 on. */
uint64_t vm_next_slice(struct vm_state *state);

/* ---- vm_frame.c ---- */
struct frame *frame_push(struct render *r);
/* Begin a unit (ret: where its value goes). From `base` on are its parameters and then, on top, the
 * table for its macros or nil, the context, the program's table, and the cells of the unit around
 * it or nil. */
struct frame *frame_begin(struct render *r, const struct program_unit *unit,
                          const struct vm_program *program, int ret, int base);
/* Its output from here on is its value. */
void frame_capture(struct render *r, struct frame *frame, enum frame_result result);
/* The frame of code on top is through. */
void frame_return(struct render *r);
void frame_pop(struct render *r);
/* The frame under this one, or NULL. */
struct frame *frame_below(const struct render *r, const struct frame *frame);
/* Stack for so many more values, beside what operators and natives push: or the limit of depth. */
void frame_room(struct render *r, int more);
/* What is written from here on is kept back. */
void capture_begin(struct render *r);
void capture_drop(struct render *r, int count);
/* Push what was written since as text, or Markup. */
void capture_end(struct render *r, bool is_markup);

/* ---- vm_context.c ---- */
/* Push a context for the program whose table is at index. shared: the tables of another context,
 * else 0: then the table at `values` (0: none), that at `globals` (0: none) and the environment's
 * globals. */
void context_new(struct render *r, int program_table, int values, int globals);
/* Push a context which sees what the frame's sees, with these locals (NULL: none) on top. */
void context_derive(struct render *r, struct frame *frame, int program_table,
                    const struct program_locals *locals);
/* Push what the context has under the name (a constant), or nil. Gives its lua_type. */
int context_resolve(struct render *r, struct frame *frame, int name);
/* Push the name's value, or undefined. Gives its lua_type. */
int context_value(struct render *r, struct frame *frame, int name);
/* context[name] = the value on top (popped; nil: none). */
void context_set(struct render *r, struct frame *frame, int name, bool is_exported,
                 bool is_unexported);
void context_show(struct render *r, struct frame *frame);
/* Is autoescape in force where the CTX_AUTOESCAPE on top says? */
bool context_autoescape(lua_State *L);
void context_set_autoescape(lua_State *L, int ctx, bool autoescape);
/* The context on top shares it with the one at ctx from here on. */
void context_share_autoescape(lua_State *L, int ctx);
struct slice const_slice(const struct frame *frame, int name);
const struct vm_program *program_at(lua_State *L, int program_table);

/* ---- vm_bind.c ---- */
struct vm_parameter {
    struct slice name;
    char convert;  /* 's', 'i' or 0 */
    char fallback; /* 'r' required, 'n' none, 't' true, 'f' false, 'd' number, 's' text, 0 nil */
    double number;
    struct slice text;
};
struct vm_signature {
    const struct vm_native *native;
    int count;
    native_quick quick; /* NULL: none */
    native_text text;   /* NULL: none */
    int nconverts;      /* parameters up to the last that is to be converted */
    bool is_simple;     /* neither of the two */
    bool has_rest;      /* the last but has_keywords: a list of what is left */
    bool is_flat;      /* ... not as a list: one by one, in places that vm_frame's nparams counts */
    int walk;          /* see filter_walk */
    bool has_keywords; /* the last: a dict of what is left */
    struct vm_parameter *parameters;
};

/* The arguments of a call on the stack: from `first` on `count` values, then the keywords' values
 * or one dict of them. */
struct vm_args {
    int first;
    int count;
    const struct program_keywords *keywords; /* NULL: none */
    const struct program_const *names; /* of the program: the keywords' names are among them */
    int consts;                        /* stack index: the keywords' names */
    int dict;                          /* stack index, 0: none; it is on top */
};
/* The usual call of a native: its arguments are values only, `count` of them, in their places. Adds
 * what is missing. */
void bind_missing(struct render *r, const struct vm_signature *signature, int count);
/* A call by these keywords: which of them, from 1 on, each parameter takes that is not given by
 * place; 0: none. false: it is not so simple, or wrong. */
bool bind_plan(const struct vm_signature *signature, const struct vm_args *args,
               unsigned char plan[PLAN_MOST]);
/* Do what bind_native does, by the plan. */
void bind_planned(struct render *r, const struct vm_signature *signature,
                  const struct vm_args *args, const unsigned char plan[PLAN_MOST]);
/* Put the arguments of a native in the order of its parameters, from args->first on. */
void bind_native(struct render *r, const struct vm_signature *signature,
                 const struct vm_args *args);
/* The same for a macro; nil where nothing is given. true: all parameters are. */
bool bind_macro(struct render *r, const struct program *program, const struct program_unit *unit,
                const struct vm_args *args);
/* Push a table of the keyword arguments: for Lua functions. */
void bind_push_table(struct render *r, const struct vm_args *args);
bool args_have_keywords(const struct vm_args *args);
/* Arguments that came as [first list dict] are laid out one by one behind the `count` that stand
 * before the list. */
void args_spread(struct render *r, struct vm_args *args);

/* ---- vm_call.c ---- */
/* Call what lies below the arguments; its value takes the place of all. escape: the value is to be
 * written so, and may be by the callee itself (then true is in *is_written), or -1. VM_DONE: the
 * value is there; VM_AGAIN: a frame or an ask was begun. */
enum vm_status call_value(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written);
/* Call a native whose arguments begin at args->first; the value goes to ret. */
enum vm_status call_native(struct render *r, const struct vm_signature *signature,
                           const struct vm_args *args, int ret);
/* A frame for a native whose arguments are in their places, from base on; its value goes to ret. */
struct frame *call_push_native(struct render *r, const struct vm_signature *signature, int base,
                               int ret);
/* Go on with the native frame on top. */
enum vm_status native_resume(struct render *r);
/* The nargs values on top, with a dict of keyword arguments above them or not. */
struct vm_args call_args_on_top(struct vm *vm, int nargs, bool has_kwargs);
/* May a value that is Markup or not be written by who makes it, where `escape` is asked for? */
bool call_may_write(const struct render *r, int escape, bool is_markup);

/* ---- vm_use.c ---- */
/* What is to be known of the use of a builtin at insn; NULL: there is none of the name, or the
 * environment has its own. */
const struct vm_use *use_builtin(struct render *r, const struct frame *frame,
                                 const struct insn *insn);
/* Run the filter or test of a use whose arguments are on top. VM_DONE: its value is there, or was
 * written where `insn` is followed by OP_OUT; frame->next is where to go on. */
enum vm_status use_run(struct render *r, struct frame *frame, const struct insn *insn);
/* The same for a filter, which is a builtin most often. */
enum vm_status use_filter(struct render *r, struct frame *frame, const struct insn *insn);

/* ---- vm_chain.c ---- */
/* How many instructions behind the filter at insn that one stands which takes its result and
 * constants only, these also by keyword or not; 0: none does. */
int chain_link(const struct program *program, const struct insn *insn, bool by_keyword);
/* Run a filter of texts (its use is known), its arguments on top, and those linked to it. false:
 * it is no usual call, nothing was done. Else VM_DONE as use_run has it. */
bool chain_run(struct render *r, struct frame *frame, const struct insn *insn);
/* Run one with count values on top; its value takes their place. */
bool chain_call(struct render *r, native_text filter, int count);

/* ---- vm_loop.c ---- */
/* What is walked is on top. false: Lua was asked for its items, begin again. */
bool loop_begin(struct render *r, struct frame *frame, const struct insn *insn);
/* 1: the next item was pushed; 0: the end; -1: a test was begun, try again after it. */
int loop_next(struct render *r);
/* The end of a test: its item and outcome are on top. */
void loop_test_done(struct render *r, struct frame *frame, bool passes);
/* Leave the innermost loop. */
void loop_end(struct render *r);
/* Push the attribute of the loop object at index; false: a test was begun, try again after it. */
bool loop_attr(struct render *r, int object, enum program_loop_attr attr);
/* The same of the open loop `at`. */
bool loop_attr_of(struct render *r, int at, enum program_loop_attr attr);
bool loop_is(struct render *r, int index);
enum vm_status loop_call(struct render *r, const struct vm_args *args, int escape,
                         bool *is_written);
/* Run a recursive loop over what is on top. */
void loop_enter(struct render *r, struct frame *frame, int unit);
bool loop_getattr(struct render *r, int object, struct slice name);
const struct vm_native *loop_method(struct slice name);
void loop_write(struct render *r, int object, struct buf *out);

/* ---- vm_macro.c ---- */
void macro_make(struct render *r, struct frame *frame, int unit);
/* Is the value at index a macro? Whatever it may be. */
static inline bool macro_is(struct render *r, int index)
{
    if (!lua_getmetatable(r->vm.L, index))
        return false;
    const void *meta = lua_topointer(r->vm.L, -1);
    lua_pop(r->vm.L, 1);
    return meta == r->vm.meta[VM_META_MACRO];
}
enum vm_status macro_call(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written);
/* Push the table of the macro's program. */
const struct vm_program *macro_push_program(lua_State *L, int index);
/* Called by Lua, it escapes its result as its template does. */
void macro_set_escape(struct render *r, int index);
bool macro_getattr(struct render *r, int object, struct slice name);
void macro_write(struct render *r, int object, struct buf *out);

/* ---- vm_block.c ---- */
void block_enter(struct render *r, struct frame *frame, const struct insn *insn);
void block_require(struct render *r, struct frame *frame, int index);
void block_push_self(struct render *r, struct frame *frame);
void block_push_super(struct render *r, struct frame *frame, int index);
enum vm_status block_call(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written);
bool block_getattr(struct render *r, int object, struct slice name);
void block_write(struct render *r, int object, struct buf *out);
void self_write(struct render *r, int object, struct buf *out);
bool self_getattr(struct render *r, int object, struct slice name);
/* Extend the program on top, which is popped. */
void extends_loaded(struct render *r, struct frame *frame);
/* The end of a body: begin the parent's and true, or false. */
bool parent_enter(struct render *r, struct frame *frame);

/* ---- vm_import.c ---- */
/* Ask for the template whose name is on top: its program takes the place. */
void import_load(struct render *r, struct frame *frame, const struct insn *insn);
/* Include or import the program on top, which is popped. */
void include_enter(struct render *r, struct frame *frame, const struct insn *insn);
void import_enter(struct render *r, struct frame *frame, const struct insn *insn);
/* A module's body is through: push the module, and keep it for others. */
void import_finish(struct render *r, struct frame *frame);
/* Push what the module on top exports under the name. */
void import_push_name(struct render *r, struct frame *frame, int name);

/* ---- vm_library.c ---- */
/* Is the value at index a program's userdata? */
bool program_is(struct render *r, int index);

/* ---- vm_run.c ---- */
enum render_end { RENDER_DONE, RENDER_ASKS };
enum render_end render_run(struct render *r);

#endif
