/* template/vm_library.c - the engine as Lua sees it: running programs. See vm_library.h.
 *
 * Renders are kept for use again. The one that a call takes stays in its place until Lua is asked
 * for something: most never leave it.
 */
#include "template/vm_library.h"

#include <lauxlib.h>

#include "base/mem.h"
#include "template/filter.h"
#include "template/vm_internal.h"
#include "template/vm_library_env.h"

#define LIBRARY_TYPE "qlua.template_library"
#define RENDER_TYPE  "qlua.template_render"

/* Renders that are kept while nothing runs. */
#define IDLE_MOST 16

/* What the functions share: their upvalue, with the userdata of the idle renders in its table. */
struct library {
    struct vm_state *state;
    const void *program_meta;
    struct render *idle[IDLE_MOST];
    int nidle;
};

static struct library *library_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- renders --------------------------------------------------------------------------------- */

static struct render *new_render(lua_State *L, struct library *library)
{
    struct render *r = lua_newuserdata(L, sizeof(*r));
    memset(r, 0, sizeof(*r));
    luaL_getmetatable(L, RENDER_TYPE);
    lua_setmetatable(L, -2);
    r->vm.L = L;
    r->state = library->state;
    r->program_meta = library->program_meta;
    vm_meta_load(&r->vm);
    render_clear(r);
    return r;
}

static int render_gc(lua_State *L)
{
    render_free(lua_touserdata(L, 1));
    return 0;
}

/* Put the render whose userdata is on top, which is popped, where the next call finds it. */
static void keep_idle(lua_State *L, struct library *library, struct render *r)
{
    if (library->nidle == IDLE_MOST) {
        lua_pop(L, 1);
        return;
    }
    lua_getfenv(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    library->idle[library->nidle++] = r;
    lua_rawseti(L, -2, library->nidle);
    lua_pop(L, 1);
}

/* A render that is free. Its userdata stays with the idle ones; one that is not free was left there
 * by an error that Lua itself raised, or runs further out (a finalizer renders): another is made.
 */
static struct render *take_render(lua_State *L, struct library *library)
{
    struct render *r = library->nidle > 0 ? library->idle[library->nidle - 1] : NULL;
    if (r == NULL || r->is_busy) {
        library->nidle = 0;
        r = new_render(L, library);
        keep_idle(L, library, r);
    }
    render_clear(r);
    r->is_busy = true;
    r->vm.L = L;
    return r;
}

static void begin_limits(struct render *r, const struct vm_env *env)
{
    r->env = env;
    r->vm.undefined = env->undefined;
    r->vm.sandboxed = env->sandboxed;
    r->vm.max_range = env->max_range;
    r->vm.max_text = env->max_output;
    r->vm.autoescape = false;
    r->budget = 0;
    r->rest = INT64_MAX;
    if (env->max_instructions > 0 && env->max_instructions < 9e18)
        r->rest = (int64_t)env->max_instructions;
    render_set_mark(r);
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* Push the render's userdata, which leaves the idle ones. */
static void take_out(lua_State *L, struct library *library, struct render *r)
{
    if (lua_type(L, STACK_RENDER) == LUA_TUSERDATA) {
        lua_pushvalue(L, STACK_RENDER);
        return;
    }
    int at = library->nidle;
    while (at > 0 && library->idle[at - 1] != r)
        at--;
    lua_getfenv(L, lua_upvalueindex(1));
    lua_rawgeti(L, -1, at);
    lua_rawgeti(L, -2, library->nidle);
    lua_rawseti(L, -3, at);
    lua_pushnil(L);
    lua_rawseti(L, -3, library->nidle);
    library->idle[at - 1] = library->idle[library->nidle - 1];
    library->nidle--;
    lua_replace(L, -2);
    lua_pushvalue(L, -1);
    lua_replace(L, STACK_RENDER);
    if (r->thread == NULL) {
        lua_createtable(L, 1, 0);
        r->thread = lua_newthread(L);
        lua_rawseti(L, -2, 1);
        lua_setfenv(L, -2);
    }
}

/* Ranges among the operands become lists, which Lua can walk. May fail. */
static void spread_ranges(struct render *r)
{
    if (r->asked.ask == ASK_FLUSH)
        return;
    for (int i = 0; i < r->asked.count; i++)
        if (value_kind(&r->vm, r->asked.first + i) == VALUE_RANGE)
            value_to_list(&r->vm, r->asked.first + i);
}

/* Lua gets a value: what is undefined is nil to it. */
static void hand_out(struct render *r, lua_State *from, lua_State *L, int index)
{
    lua_pushvalue(from, index);
    lua_xmove(from, L, 1);
    if (value_kind(&r->vm, lua_gettop(L)) == VALUE_UNDEFINED) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

/* nil, render, ask, operands... */
static int return_ask(lua_State *L, struct library *library, struct render *r)
{
    spread_ranges(r);
    take_out(L, library, r);
    lua_State *thread = r->thread;
    int n = lua_gettop(L) - 1;
    if (!lua_checkstack(thread, n + 10))
        render_fail_values(r);
    lua_insert(L, 1);
    lua_xmove(L, thread, n);
    r->is_waiting = true;
    r->is_busy = false;
    lua_pushnil(L);
    lua_insert(L, 1);
    lua_pushinteger(L, r->asked.ask);
    if (r->asked.ask == ASK_FLUSH) {
        lua_pushlstring(L, r->out.data, r->out.len);
        r->flushed += (double)r->out.len;
        r->out.len = 0;
        render_set_mark(r);
        return 4;
    }
    luaL_checkstack(L, r->asked.count + 10, "arguments");
    for (int i = 0; i < r->asked.count; i++)
        hand_out(r, thread, L, r->asked.first + i);
    return 3 + r->asked.count;
}

static int return_value(lua_State *L, struct library *library, struct render *r)
{
    bool was_out = lua_type(L, STACK_RENDER) == LUA_TUSERDATA;
    if (!r->keeps_value)
        lua_pushlstring(L, r->out.data, r->out.len);
    render_clear(r);
    if (was_out) {
        lua_pushvalue(L, STACK_RENDER);
        keep_idle(L, library, r);
    }
    return 1;
}

static int run_slice(lua_State *L, struct library *library, struct render *r)
{
    if (render_run(r) == RENDER_ASKS)
        return return_ask(L, library, r);
    return return_value(L, library, r);
}

/* ---- what Lua calls -------------------------------------------------------------------------- */

static struct vm_program *check_program(lua_State *L, const struct library *library, int index)
{
    if (lua_type(L, index) == LUA_TUSERDATA && lua_getmetatable(L, index)) {
        const void *meta = lua_topointer(L, -1);
        lua_pop(L, 1);
        if (meta == library->program_meta)
            return lua_touserdata(L, index);
    }
    luaL_argerror(L, index, "a template's program expected");
    return NULL;
}

bool program_is(struct render *r, int index)
{
    lua_State *L = r->vm.L;
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return false;
    const void *meta = lua_topointer(L, -1);
    lua_pop(L, 1);
    return meta == r->program_meta;
}

/* object, program, globals, context and two more are on the stack: it becomes that of a render
 * whose first frame is begun. */
static void begin_program(lua_State *L, struct render *r, const struct vm_program *program,
                          bool as_module)
{
    enum { CONTEXT = STACK_RENDER }; /* until there is the frame's own */
    lua_getfenv(L, STACK_TABLES);    /* of the program, until then */
    lua_replace(L, STACK_FRAMES);
    lua_rawgeti(L, STACK_FRAMES, program->program->nconsts + PROGRAM_TABLES);
    lua_replace(L, STACK_TABLES);
    if (!program->env->has_object) {
        program->env->has_object = true;
        lua_pushvalue(L, STACK_ENVIRONMENT);
        lua_rawseti(L, STACK_TABLES, ENV_OBJECT);
    }
    lua_pushnil(L); /* at STACK_FRAMES + 1 there is the table for macros: none yet */
    lua_replace(L, STACK_FRAMES + 1);
    context_new(r, STACK_FRAMES, lua_istable(L, CONTEXT) ? CONTEXT : 0,
                lua_istable(L, STACK_GLOBALS) ? STACK_GLOBALS : 0);
    lua_pushnil(L);
    lua_replace(L, STACK_RENDER);
    if (as_module) {
        lua_newtable(L);
        lua_rawseti(L, -2, CTX_EXPORTED);
    }
    lua_pushvalue(L, STACK_FRAMES);
    lua_pushnil(L);
    struct frame *frame =
        frame_begin(r, &program->program->units[0], program, STACK_FRAMES, STACK_FRAMES + 1);
    frame->is_shared = false;
    if (as_module)
        frame_capture(r, frame, RESULT_MODULE);
}

static int l_run(lua_State *L)
{
    struct library *library = library_of(L);
    lua_settop(L, STACK_FRAMES + 1);
    const struct vm_program *program = check_program(L, library, 2);
    struct render *r = take_render(L, library);
    r->flush_size = (size_t)lua_tonumber(L, 5);
    r->keeps_value = lua_toboolean(L, 6);
    begin_limits(r, program->env);
    begin_program(L, r, program, r->keeps_value);
    return run_slice(L, library, r);
}

static int l_step(lua_State *L)
{
    struct library *library = library_of(L);
    struct render *r = luaL_checkudata(L, 1, RENDER_TYPE);
    luaL_argcheck(L, r->is_waiting, 1, "the render does not wait for anything");
    lua_settop(L, 2);
    int n = lua_gettop(r->thread);
    luaL_checkstack(L, n + 80, "template");
    lua_xmove(r->thread, L, n);
    lua_pushvalue(L, 2);
    lua_remove(L, 1);
    lua_remove(L, 1);
    r->is_waiting = false;
    r->is_busy = true;
    r->vm.L = L;
    render_answer(r);
    return run_slice(L, library, r);
}

static int l_call(lua_State *L)
{
    struct library *library = library_of(L);
    int count = lua_gettop(L) - 1;
    luaL_checkstack(L, STACK_FRAMES + 80, "template");
    struct render *r = take_render(L, library);
    if (value_meta(&r->vm, 1) != VM_META_MACRO) {
        r->is_busy = false;
        return luaL_argerror(L, 1, "a macro expected");
    }
    const struct vm_program *program = macro_push_program(L, 1);
    begin_limits(r, program->env);
    r->keeps_value = true;
    lua_rawgeti(L, -1, program->program->nconsts + PROGRAM_TABLES);
    lua_replace(L, -2);
    lua_insert(L, 1); /* the tables, then macro and arguments */
    lua_rawgeti(L, 1, ENV_OBJECT);
    lua_insert(L, 1);
    lua_pushnil(L);
    lua_insert(L, STACK_GLOBALS);
    lua_pushnil(L);
    lua_insert(L, STACK_RENDER);
    for (int i = STACK_FRAMES + 1; i <= STACK_FRAMES + count; i++)
        if (lua_isnil(L, i)) {
            value_push_undefined(&r->vm, SLICE("nil"));
            lua_replace(L, i);
        }
    macro_set_escape(r, STACK_FRAMES);
    struct vm_args args = {.first = STACK_FRAMES + 1, .count = count};
    macro_call(r, &args, -1, NULL);
    return run_slice(L, library, r);
}

/* environment(macro) -> Lua's environment, which the macro's template is of */
static int l_environment(lua_State *L)
{
    struct library *library = library_of(L);
    struct render *r = take_render(L, library);
    bool is_macro = value_meta(&r->vm, 1) == VM_META_MACRO;
    r->is_busy = false;
    luaL_argcheck(L, is_macro, 1, "a macro expected");
    const struct vm_program *program = macro_push_program(L, 1);
    lua_rawgeti(L, -1, program->program->nconsts + PROGRAM_TABLES);
    lua_rawgeti(L, -1, ENV_OBJECT);
    return 1;
}

static int l_chain(lua_State *L)
{
    struct render *r = luaL_checkudata(L, 1, RENDER_TYPE);
    r->vm.L = L;
    render_push_chain(r, true);
    return 1;
}

/* on_call(function(macro, ...)) */
static int l_on_call(lua_State *L)
{
    struct library *library = library_of(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    struct render *r = take_render(L, library);
    vm_push_meta(&r->vm, VM_META_MACRO);
    r->is_busy = false;
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__call");
    return 0;
}

/* on_stop(function(places)) */
static int l_on_stop(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, RENDER_STOP_KEY);
    return 0;
}

/* gettext(name, function) -> what stands for it in templates, newstyle */
static int l_gettext(lua_State *L)
{
    struct slice name;
    name.data = luaL_checklstring(L, 1, &name.len);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (!gettext_push(L, name, 2))
        return luaL_argerror(L, 1, "gettext, ngettext, pgettext or npgettext expected");
    return 1;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int library_gc(lua_State *L)
{
    struct library *library = lua_touserdata(L, 1);
    vm_state_free(library->state);
    library->state = NULL;
    return 0;
}

static void push_library(lua_State *L)
{
    struct library *library = lua_newuserdata(L, sizeof(*library));
    memset(library, 0, sizeof(*library));
    if (luaL_newmetatable(L, LIBRARY_TYPE)) {
        lua_pushcfunction(L, library_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    library->state = vm_state_new();
    lua_newtable(L);
    lua_setfenv(L, -2);
    luaL_getmetatable(L, PROGRAM_TYPE);
    library->program_meta = lua_topointer(L, -1);
    lua_pop(L, 1);
}

/* What the driver may be asked, by the names of its functions for it. */
static const char *const ask_names[ASK_COUNT] = {
    [VM_ASK_CALL] = "call",
    [VM_ASK_INDEX] = "index",
    [VM_ASK_ITEM] = "item",
    [VM_ASK_TOSTRING] = "text",
    [VM_ASK_HTML] = "html",
    [VM_ASK_LENGTH] = "length",
    [VM_ASK_TRUTH] = "truth",
    [VM_ASK_LIST] = "list",
    [VM_ASK_PAIRS] = "pairs",
    [VM_ASK_EQUAL] = "equal",
    [VM_ASK_LESS] = "less",
    [VM_ASK_CONTAINS] = "contains",
    [VM_ASK_IS] = "is",
    [VM_ASK_ARITH] = "arith",
    [ASK_CALL_KEYWORDS] = "call_with_keywords",
    [ASK_LOAD] = "load",
    [ASK_LOAD_IF_ANY] = "load_if_any",
    [ASK_FLUSH] = "flush",
    [ASK_DICT] = "dict",
};

static void set_ask_names(lua_State *L)
{
    lua_createtable(L, 0, ASK_COUNT);
    for (int i = 0; i < ASK_COUNT; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, ask_names[i]);
    }
    lua_setfield(L, -2, "template_asks");
}

void template_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"template_env", library_env},
        {"template_compile", library_compile},
        {"template_run", l_run},
        {"template_step", l_step},
        {"template_call", l_call},
        {"template_chain", l_chain},
        {"template_on_call", l_on_call},
        {"template_on_stop", l_on_stop},
        {"template_gettext", l_gettext},
        {"template_listing", library_listing},
        {"template_references", library_references},
        {"template_environment", l_environment},
        {NULL, NULL},
    };
    vm_meta_open(L);
    library_open_types(L);
    if (luaL_newmetatable(L, RENDER_TYPE)) {
        lua_pushcfunction(L, render_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
    set_ask_names(L);
    push_library(L);
    luaL_setfuncs(L, functions, 1);
}

int luaopen_qlua_template(lua_State *L)
{
    lua_newtable(L);
    template_register(L);
    return 1;
}
