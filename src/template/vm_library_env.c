/* template/vm_library_env.c - environments and programs as userdata. See vm_library.h. */
#include "template/vm_library_env.h"

#include <lauxlib.h>

#include "base/mem.h"
#include "template/compiler.h"
#include "template/filter.h"
#include "template/parser.h"
#include "template/vm_method.h"

/* ---- options --------------------------------------------------------------------------------- */

/* Push options[name]. */
static void push_option(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, 1);
}

static void read_text(lua_State *L, struct vm_env *env, const char *name, struct slice *text)
{
    push_option(L, name);
    if (lua_type(L, -1) == LUA_TSTRING) {
        struct slice given;
        given.data = lua_tolstring(L, -1, &given.len);
        *text = arena_dup(&env->arena, given);
    }
    lua_pop(L, 1);
}

static void read_flag(lua_State *L, const char *name, bool *flag)
{
    push_option(L, name);
    if (!lua_isnil(L, -1))
        *flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

static bool list_has(lua_State *L, int list, const char *text)
{
    bool found = false;
    for (int i = 1; !found; i++) {
        lua_rawgeti(L, list, i);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            break;
        }
        found = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), text) == 0;
        lua_pop(L, 1);
    }
    return found;
}

static void read_syntax(lua_State *L, struct vm_env *env)
{
    struct template_syntax *syntax = &env->syntax;
    read_text(L, env, "block_start_string", &syntax->block_start);
    read_text(L, env, "block_end_string", &syntax->block_end);
    read_text(L, env, "variable_start_string", &syntax->variable_start);
    read_text(L, env, "variable_end_string", &syntax->variable_end);
    read_text(L, env, "comment_start_string", &syntax->comment_start);
    read_text(L, env, "comment_end_string", &syntax->comment_end);
    read_text(L, env, "line_statement_prefix", &syntax->line_statement_prefix);
    read_text(L, env, "line_comment_prefix", &syntax->line_comment_prefix);
    read_text(L, env, "newline_sequence", &syntax->newline_sequence);
    read_flag(L, "trim_blocks", &syntax->trim_blocks);
    read_flag(L, "lstrip_blocks", &syntax->lstrip_blocks);
    read_flag(L, "keep_trailing_newline", &syntax->keep_trailing_newline);
    read_flag(L, "newstyle_gettext", &syntax->newstyle_gettext);
    push_option(L, "extensions");
    if (lua_istable(L, -1)) {
        int list = lua_gettop(L);
        syntax->ext_do = list_has(L, list, "do");
        syntax->ext_loopcontrols = list_has(L, list, "loopcontrols");
        syntax->ext_i18n = list_has(L, list, "i18n");
        syntax->ext_debug = list_has(L, list, "debug");
    }
    lua_pop(L, 1);
}

/* A number of limits[name], which is on top. */
static double limit(lua_State *L, const char *name, double otherwise)
{
    double value = otherwise;
    if (lua_istable(L, -1)) {
        lua_pushstring(L, name);
        lua_rawget(L, -2);
        if (lua_isnumber(L, -1))
            value = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return value;
}

/* What is not limited by the options: a sandbox has limits in any case (100,000 numbers a range is
 * Jinja's); depth always has, because the stack has. */
static void read_limits(lua_State *L, struct vm_env *env)
{
    bool sandboxed = env->sandboxed;
    push_option(L, "limits");
    env->max_instructions = limit(L, "instructions", sandboxed ? 1e8 : 0);
    env->max_output = (size_t)limit(L, "output", sandboxed ? 67108864 : 0);
    env->max_depth = (int)limit(L, "recursion", 200);
    env->max_range = limit(L, "range", sandboxed ? 100000 : 0);
    if (env->max_depth < 1)
        env->max_depth = 1;
    lua_pop(L, 1);
}

static enum undefined_kind read_undefined(lua_State *L)
{
    static const char *const names[] = {"default", "strict", "chainable", "debug", NULL};
    push_option(L, "undefined");
    enum undefined_kind kind = lua_isnil(L, -1)
                                   ? UNDEFINED_DEFAULT
                                   : (enum undefined_kind)luaL_checkoption(L, -1, "default", names);
    lua_pop(L, 1);
    return kind;
}

/* tables[index] = options[name], or a new table. */
static void keep_table(lua_State *L, int tables, int index, const char *name)
{
    push_option(L, name);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    lua_rawseti(L, tables, index);
}

/* The builtin globals that the environment's table does not have. */
static void add_globals(lua_State *L, int tables)
{
    lua_rawgeti(L, tables, ENV_GLOBALS);
    int globals = lua_gettop(L);
    lua_newtable(L);
    filter_open_globals(L);
    for (lua_pushnil(L); lua_next(L, globals + 1);) {
        lua_pushvalue(L, -2);
        lua_rawget(L, globals);
        bool is_there = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_there) {
            lua_pop(L, 1);
        } else {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, globals);
        }
    }
    lua_settop(L, globals - 1);
}

int library_env(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct vm_env *env = lua_newuserdata(L, sizeof(*env));
    memset(env, 0, sizeof(*env));
    arena_init(&env->arena);
    luaL_getmetatable(L, ENV_TYPE);
    lua_setmetatable(L, -2);
    lua_createtable(L, ENV_OBJECT, 0);
    int tables = lua_gettop(L);
    template_syntax_init(&env->syntax);
    read_syntax(L, env);
    read_flag(L, "sandboxed", &env->sandboxed);
    read_limits(L, env);
    env->undefined = read_undefined(L);
    keep_table(L, tables, ENV_FILTERS, "filters");
    keep_table(L, tables, ENV_TESTS, "tests");
    keep_table(L, tables, ENV_GLOBALS, "globals");
    keep_table(L, tables, ENV_POLICIES, "policies");
    push_option(L, "finalize");
    env->has_finalize = !lua_isnil(L, -1);
    lua_rawseti(L, tables, ENV_FINALIZE);
    add_globals(L, tables);
    lua_setfenv(L, -2);
    return 1;
}

static int env_gc(lua_State *L)
{
    struct vm_env *env = lua_touserdata(L, 1);
    arena_clear(&env->arena);
    return 0;
}

/* ---- programs -------------------------------------------------------------------------------- */

struct known {
    lua_State *L;
    int tables;
};

static bool has_own(const struct known *known, int index, struct slice name)
{
    lua_State *L = known->L;
    lua_rawgeti(L, known->tables, index);
    lua_pushlstring(L, name.data, name.len);
    lua_rawget(L, -2);
    bool has = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return has;
}

static bool has_filter(void *data, struct slice name)
{
    return filter_builtin(name) != NULL || has_own(data, ENV_FILTERS, name);
}

static bool has_test(void *data, struct slice name)
{
    return test_builtin(name) != NULL || has_own(data, ENV_TESTS, name);
}

/* The program of a source, or NULL and *error. */
static struct program *compile(const struct vm_env *env, const struct template_compile *options,
                               const struct template_syntax *syntax, const char *name,
                               struct template_error *error)
{
    (void)env;
    struct arena arena;
    struct ast_template *tree;
    struct program *program = NULL;
    arena_init(&arena);
    if (template_parse(&arena, syntax, options->source, name, &tree, error))
        program = template_compile(tree, options, error);
    arena_clear(&arena);
    return program;
}

static const char *error_kind(const struct template_error *error)
{
    switch (error->kind) {
    case TEMPLATE_ASSERTION: return "assertion";
    case TEMPLATE_LIMIT: return "limit";
    default: return "syntax";
    }
}

/* The text of a line of the source. */
static struct slice line_of(struct slice source, int line)
{
    struct program whole = {.source = source};
    return program_source_line(&whole, line);
}

static int push_failure(lua_State *L, const struct template_error *error, struct slice source)
{
    lua_pushnil(L);
    lua_newtable(L);
    lua_pushstring(L, error_kind(error));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, error->message);
    lua_setfield(L, -2, "message");
    lua_pushinteger(L, error->line);
    lua_setfield(L, -2, "lineno");
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "name");
    struct slice text = line_of(source, error->line);
    lua_pushlstring(L, text.data, text.len);
    lua_setfield(L, -2, "source");
    return 2;
}

static const bool *find_fields(struct program *program)
{
    bool *is_field = arena_array(&program->arena, (size_t)program->nconsts, sizeof(bool));
    for (int i = 0; i < program->nconsts; i++)
        is_field[i] = !program->consts[i].is_number && !method_is_any(program->consts[i].text);
    return is_field;
}

/* The userdata on top gets its table: see vm_program. */
static void fill_program(lua_State *L, const struct program *program)
{
    int userdata = lua_gettop(L);
    lua_createtable(L, program->nconsts + PROGRAM_MORE, 0);
    lua_pushvalue(L, userdata);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < program->nconsts; i++) {
        const struct program_const *value = &program->consts[i];
        if (value->is_number)
            lua_pushnumber(L, value->number);
        else
            lua_pushlstring(L, value->text.data, value->text.len);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, program->nconsts + PROGRAM_ENV);
    lua_getfenv(L, 1);
    lua_rawseti(L, -2, program->nconsts + PROGRAM_TABLES);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, program->nconsts + PROGRAM_MODULE);
    lua_setfenv(L, userdata);
}

static bool policy_is_on(lua_State *L, int tables, const char *name)
{
    lua_rawgeti(L, tables, ENV_POLICIES);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    bool is_on = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is_on;
}

int library_compile(lua_State *L)
{
    struct vm_env *env = luaL_checkudata(L, 1, ENV_TYPE);
    struct slice source, name = {"", 0};
    source.data = luaL_checklstring(L, 2, &source.len);
    if (!lua_isnoneornil(L, 3))
        name.data = luaL_checklstring(L, 3, &name.len);
    lua_settop(L, 4);
    lua_getfenv(L, 1);
    struct known known = {L, lua_gettop(L)};
    struct template_compile options = {
        .name = name,
        .source = source,
        .autoescape = lua_toboolean(L, 4),
        .has_finalize = env->has_finalize,
        .has_filter = has_filter,
        .has_test = has_test,
        .data = &known,
    };
    struct template_syntax syntax = env->syntax;
    syntax.trim_trans = policy_is_on(L, known.tables, "ext.i18n.trimmed");
    struct vm_program *program = lua_newuserdata(L, sizeof(*program));
    *program = (struct vm_program){.env = env};
    luaL_getmetatable(L, PROGRAM_TYPE);
    lua_setmetatable(L, -2);

    struct template_error error = {0};
    const char *cstr = lua_isnil(L, 3) ? NULL : lua_tostring(L, 3);
    program->program = compile(env, &options, &syntax, cstr, &error);
    if (program->program == NULL)
        return push_failure(L, &error, source);
    struct program *made = program->program;
    program->filters = arena_array(&made->arena, (size_t)made->nfilters, sizeof(struct vm_use));
    program->tests = arena_array(&made->arena, (size_t)made->ntests, sizeof(struct vm_use));
    program->is_field = find_fields(made);
    fill_program(L, made);
    return 1;
}

int library_listing(lua_State *L)
{
    const struct vm_program *program = luaL_checkudata(L, 1, PROGRAM_TYPE);
    struct buf out = {0};
    program_print(program->program, &out);
    lua_pushlstring(L, out.data, out.len); /* raises only when memory is out */
    buf_clear(&out);
    return 1;
}

static int program_gc(lua_State *L)
{
    struct vm_program *program = lua_touserdata(L, 1);
    program_free(program->program);
    program->program = NULL;
    return 0;
}

static void open_type(lua_State *L, const char *type, lua_CFunction gc)
{
    if (luaL_newmetatable(L, type)) {
        lua_pushcfunction(L, gc);
        lua_setfield(L, -2, "__gc");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}

void library_open_types(lua_State *L)
{
    open_type(L, ENV_TYPE, env_gc);
    open_type(L, PROGRAM_TYPE, program_gc);
}
