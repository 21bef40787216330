/* spec/fuzz/value_fuzz.c - texts of any bytes through what templates do with texts: both ways of
 * formatting, the methods, the filters that read texts.
 *
 * The first byte chooses the template; the rest is the text `a`, up to a zero byte, and then `b`. A
 * render gives a text or an error; of texts that are UTF-8 comes a text that is.
 */
#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "template/vm_library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const templates[] = {
    "{{ a % b }}",
    "{{ a % (b, 5, 2.5, b, -1, none) }}",
    "{{ a % {'x': b, 'y': 5} }}",
    "{{ (a|safe) % (b, 5, b) }}",
    "{{ a.format(b, 5, 2.5, x=b, y=[1, {'k': b}]) }}",
    "{{ (a|safe).format(b, 5, x=b) }}",
    "{{ a.format_map({'x': b, 'y': 1.5}) }}",
    "{{ a.split(b) }}{{ a.rsplit(b, 2) }}{{ a.split() }}{{ a.rsplit(none, 1) }}",
    "{{ a.splitlines() }}{{ a.partition(b) }}{{ a.rpartition(b) }}{{ b.join(a) }}",
    "{{ a.replace(b, 'x') }}{{ a.replace('x', b, 2) }}{{ (a|safe).replace(b, '<') }}",
    "{{ a.find(b) }}{{ a.rfind(b, 1) }}{{ a.count(b, -3) }}{{ a.startswith(b) }}{{ b in a }}",
    "{{ a.strip(b) }}{{ a.lstrip() }}{{ a.rstrip() }}{{ a.removeprefix(b) }}",
    "{{ a.title() }}{{ a.swapcase() }}{{ a.capitalize() }}{{ a.casefold() }}{{ a.upper() }}",
    "{{ [a.isalpha(), a.islower(), a.istitle(), a.isidentifier(), a.isprintable()] }}",
    "{{ a.center(9) }}{{ a.expandtabs(3) }}{{ a.zfill(7) }}{{ a.ljust(5, b) }}",
    "{{ a[1:] }}{{ a[::-2] }}{{ a[-3] }}{{ a|length }}{% for c in a %}{{ c }}{% endfor %}",
    "{{ [a, {a: b}] }}{{ a < b }}{{ a == b }}{{ a * 3 ~ b }}{{ a[b] }}{{ {b: 1}[a] }}",
    "{{ (a|safe).striptags() }}{{ (a|safe).unescape() }}{{ a|striptags }}",
    "{{ a|urlize(9, rel=b) }}{{ a|urlize }}",
    "{{ a|wordwrap(5) }}{{ a|wordwrap(3, false, b) }}{{ a|truncate(7) }}{{ a|indent(2, true) }}",
    "{{ a|int }}{{ a|int(0, 16) }}{{ a|float }}{{ a|round }}",
    "{{ a|tojson }}{{ {a: b}|xmlattr }}{{ {a: b}|urlencode }}{{ a|urlencode }}{{ a|pprint }}",
    "{{ a|title }}{{ a|capitalize }}{{ a|trim(b) }}{{ a|wordcount }}{{ a|e }}{{ a|reverse }}",
    "{{ a|sort }}{{ a|unique|list }}{{ a|batch(2)|list }}{{ a|groupby(b) }}{{ a|map(b)|list }}",
};

/* What the engine calls to make the value that it raises: the message. */
static int l_error(lua_State *L)
{
    lua_settop(L, 3);
    return 1;
}

/* Push the engine's functions, and an object of an environment with limits. */
static void open_engine(lua_State *L)
{
    lua_newtable(L);
    template_register(L);
    lua_newtable(L);
    lua_pushcfunction(L, l_error);
    lua_setfield(L, -2, "error");
}

static void push_environment(lua_State *L)
{
    static const char *const tables[] = {"filters", "tests", "globals", "policies"};
    lua_getfield(L, 1, "template_env");
    lua_newtable(L);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        lua_newtable(L);
        lua_setfield(L, -2, tables[i]);
    }
    lua_pushnumber(L, 1e6);
    lua_setfield(L, -2, "max_output");
    lua_pushnumber(L, 1e6);
    lua_setfield(L, -2, "max_instructions");
    lua_call(L, 1, 1);
}

static void push_program(lua_State *L, const char *source)
{
    lua_getfield(L, 1, "template_compile");
    push_environment(L);
    lua_pushstring(L, source);
    lua_pushnil(L);
    lua_pushboolean(L, 0);
    lua_call(L, 4, 1);
    assert(!lua_isnil(L, -1));
}

static void render(lua_State *L, const char *source, struct slice a, struct slice b)
{
    lua_settop(L, 2);
    lua_getfield(L, 1, "template_run");
    lua_pushvalue(L, 2);
    push_program(L, source);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushlstring(L, a.data, a.len);
    lua_setfield(L, -2, "a");
    lua_pushlstring(L, b.data, b.len);
    lua_setfield(L, -2, "b");
    int rc = lua_pcall(L, 4, 1, 0);
    struct slice text;
    text.data = lua_tolstring(L, -1, &text.len); /* the output, or the message */
    assert(text.data != NULL);
    if (rc == 0 && utf8_is_valid(a) && utf8_is_valid(b))
        assert(utf8_is_valid(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice a = {(const char *)data + 1, size - 1};
    size_t cut = slice_find(a, 0);
    struct slice b = slice_from(a, cut + 1);
    a.len = cut;
    lua_State *L = luaL_newstate();
    open_engine(L);
    render(L, templates[data[0] % (sizeof(templates) / sizeof(templates[0]))], a, b);
    lua_close(L);
    return 0;
}
