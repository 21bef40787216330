/* template/vm_library_refs.c - which templates a source names: template_references. See
 * vm_library.h. */
#include <lauxlib.h>

#include "base/arena.h"
#include "template/ast_walk.h"
#include "template/parser.h"
#include "template/vm_library_env.h"

#define TREE_TYPE "qlua.template_tree"

/* A list that is being made. */
struct refs {
    lua_State *L;
    int list; /* its index */
    int count;
};

static int tree_gc(lua_State *L)
{
    arena_clear(lua_touserdata(L, 1));
    return 0;
}

/* Push an arena that the collector clears. */
static struct arena *push_tree(lua_State *L)
{
    struct arena *arena = lua_newuserdata(L, sizeof(*arena));
    arena_init(arena);
    if (luaL_newmetatable(L, TREE_TYPE)) {
        lua_pushcfunction(L, tree_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return arena;
}

/* Push { name, ... } of an expression that is a constant name, or a list of such; else nothing. */
static bool push_names(lua_State *L, const struct ast *expression)
{
    struct ast_list items = {(struct ast **)&expression, 1};
    if (expression->kind == AST_LIST || expression->kind == AST_TUPLE)
        items = ((const struct ast_items *)expression)->items;
    lua_createtable(L, items.count, 0);
    for (int i = 0; i < items.count; i++) {
        if (items.items[i]->kind != AST_STRING) {
            lua_pop(L, 1);
            return false;
        }
        struct slice name = ((const struct ast_text *)items.items[i])->text;
        lua_pushlstring(L, name.data, name.len);
        lua_rawseti(L, -2, i + 1);
    }
    return items.count > 0;
}

static void add(struct refs *refs, const struct ast *node, const struct ast *expression,
                bool optional)
{
    lua_State *L = refs->L;
    if (!push_names(L, expression))
        return;
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "names");
    lua_pushinteger(L, node->line);
    lua_setfield(L, -2, "lineno");
    lua_pushboolean(L, optional);
    lua_setfield(L, -2, "optional");
    lua_rawseti(L, refs->list, ++refs->count);
}

static void look_at(struct refs *refs, const struct ast *node)
{
    switch (node->kind) {
    case AST_EXTENDS: add(refs, node, ((const struct ast_extends *)node)->template, false); break;
    case AST_INCLUDE:
        add(refs, node, ((const struct ast_include *)node)->template,
            ((const struct ast_include *)node)->ignore_missing);
        break;
    case AST_IMPORT: add(refs, node, ((const struct ast_import *)node)->template, false); break;
    case AST_FROM_IMPORT:
        add(refs, node, ((const struct ast_from_import *)node)->template, false);
        break;
    default: break;
    }
}

/* Statements stand at most PARSER_DEPTH_MAX deep in each other; a chain of elif, which may be as
 * long as it likes, is walked along. */
static void walk(struct refs *refs, struct ast_list statements)
{
    luaL_checkstack(refs->L, 8, "template");
    for (int i = 0; i < statements.count; i++) {
        const struct ast *node = statements.items[i];
        struct ast_list bodies[AST_MOST_BODIES];
        look_at(refs, node);
        int n = ast_bodies(node, bodies);
        while (node->kind == AST_IF && bodies[1].count == 1 && bodies[1].items[0]->kind == AST_IF) {
            walk(refs, bodies[0]);
            node = bodies[1].items[0];
            ast_bodies(node, bodies);
        }
        for (int b = 0; b < n; b++)
            walk(refs, bodies[b]);
    }
}

int library_references(lua_State *L)
{
    const struct vm_env *env = luaL_checkudata(L, 1, ENV_TYPE);
    struct slice source;
    source.data = luaL_checklstring(L, 2, &source.len);
    struct arena *arena = push_tree(L);
    struct ast_template *tree = NULL;
    struct template_error error = {0};
    lua_newtable(L);
    struct refs refs = {L, lua_gettop(L), 0};
    if (template_parse(arena, &env->syntax, source, NULL, &tree, &error))
        walk(&refs, tree->body);
    return 1;
}
