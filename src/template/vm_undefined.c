/* template/vm_undefined.c - values that nobody set, and what they say when used.
 *
 * Place in the flow: a name or attribute that is missing gives one; it prints as nothing, and
 * fails when used further, with Jinja's words (jinja2/runtime.py, Undefined and its kinds). A name
 * that is missed again gives the same table again, so that a miss costs no memory.
 *
 * The table: [1] the name or key, [2] the type of the object it was asked of ("dict object"),
 * [3] a message instead of these, [4] true: of the default kind whatever the environment's is,
 * [5] true: a SecurityError.
 */
#include "template/vm_value.h"

#define FIELD_NAME   1
#define FIELD_OBJECT 2
#define FIELD_HINT   3
#define FIELD_PLAIN  4
#define FIELD_UNSAFE 5

/* So many are remembered, then all are forgotten: keys may come from outside. */
#define REMEMBERED_MAX 2000

static void new_undefined(struct vm *vm)
{
    lua_createtable(vm->L, 3, 0);
    vm_push_meta(vm, VM_META_UNDEFINED);
    lua_setmetatable(vm->L, -2);
}

/* Is there a field? If so it is pushed. */
static bool push_field(struct vm *vm, int index, int field)
{
    if (lua_type(vm->L, index) != LUA_TTABLE)
        return false; /* a nil */
    lua_rawgeti(vm->L, index, field);
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    return false;
}

/* memory[key] = value with memory, key and value on top: memory and key are popped. The number at
 * memory[1] counts. Keys are strings. */
static void remember(struct vm *vm, enum vm_ref ref)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, -3, 1);
    int count = (int)lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    if (count > REMEMBERED_MAX) {
        lua_newtable(L);
        lua_rawseti(L, LUA_REGISTRYINDEX, vm->ref[ref]);
    } else {
        lua_pushinteger(L, count);
        lua_rawseti(L, -4, 1);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void value_push_undefined(struct vm *vm, struct slice name)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref[VM_REF_NAMES]);
    lua_pushlstring(L, name.data, name.len);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        new_undefined(vm);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, FIELD_NAME);
        remember(vm, VM_REF_NAMES);
        return;
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Python's name of its type as object_type_repr() of jinja2/runtime.py gives it. */
static void push_object_type(struct vm *vm, int object)
{
    const char *module = "";
    enum vm_meta meta = value_meta(vm, object);
    switch (value_kind(vm, object)) {
    case VALUE_NONE: lua_pushliteral(vm->L, "None"); return;
    case VALUE_MARKUP: module = "markupsafe."; break;
    case VALUE_UNDEFINED: module = "jinja2.runtime."; break;
    case VALUE_NATIVE:
        if (meta == VM_META_NAMESPACE || meta == VM_META_CYCLER || meta == VM_META_JOINER)
            module = "jinja2.utils.";
        else if (meta == VM_META_MACRO || meta == VM_META_LOOP || meta == VM_META_SELF)
            module = "jinja2.runtime.";
        else if (meta == VM_META_MODULE)
            module = "jinja2.environment.";
        break;
    default: break;
    }
    lua_pushfstring(vm->L, "%s%s object", module, value_type_name(vm, object));
}

static void push_new_missing(struct vm *vm, int type, int key)
{
    lua_State *L = vm->L;
    new_undefined(vm);
    lua_pushvalue(L, key);
    lua_rawseti(L, -2, FIELD_NAME);
    lua_pushvalue(L, type);
    lua_rawseti(L, -2, FIELD_OBJECT);
}

void value_push_missing(struct vm *vm, int object, int key)
{
    lua_State *L = vm->L;
    push_object_type(vm, object);
    int type = lua_gettop(L);
    if (lua_type(L, key) != LUA_TSTRING) {
        push_new_missing(vm, type, key);
        lua_replace(L, type);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->ref[VM_REF_MISSING]);
    lua_pushvalue(L, type);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) { /* the first of this type of object */
        lua_pop(L, 1);
        lua_pushvalue(L, type);
        lua_newtable(L);
        remember(vm, VM_REF_MISSING);
    } else {
        lua_remove(L, -2);
    }
    lua_pushvalue(L, key);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushvalue(L, key);
        push_new_missing(vm, type, key);
        remember(vm, VM_REF_MISSING);
    } else {
        lua_remove(L, -2);
    }
    lua_replace(L, type);
}

void value_push_undefined_hint(struct vm *vm, struct slice message)
{
    new_undefined(vm);
    lua_pushlstring(vm->L, message.data, message.len);
    lua_rawseti(vm->L, -2, FIELD_HINT);
}

void value_push_undefined_plain(struct vm *vm, struct slice message)
{
    value_push_undefined_hint(vm, message);
    lua_pushboolean(vm->L, 1);
    lua_rawseti(vm->L, -2, FIELD_PLAIN);
}

void value_push_unsafe(struct vm *vm, int object, struct slice name)
{
    lua_State *L = vm->L;
    const char *type = value_type_name(vm, object);
    new_undefined(vm);
    lua_pushliteral(L, "access to attribute '");
    lua_pushlstring(L, name.data, name.len);
    lua_pushfstring(L, "' of '%s' object is unsafe.", type);
    lua_concat(L, 3);
    lua_rawseti(L, -2, FIELD_HINT);
    lua_pushboolean(L, 1);
    lua_rawseti(L, -2, FIELD_UNSAFE);
}

enum undefined_kind value_undefined_kind(struct vm *vm, int index)
{
    if (vm->undefined == UNDEFINED_DEFAULT || !push_field(vm, index, FIELD_PLAIN))
        return vm->undefined;
    lua_pop(vm->L, 1);
    return UNDEFINED_DEFAULT;
}

bool undefined_push_own(struct vm *vm, int index, struct slice name)
{
    bool is_name = slice_eq(name, SLICE("_undefined_name"));
    if (vm->sandboxed || (!is_name && !slice_eq(name, SLICE("_undefined_hint"))))
        return false;
    if (!push_field(vm, index, is_name ? FIELD_NAME : FIELD_HINT))
        vm_push_none(vm);
    return true;
}

/* Append the text of a field which is a string. */
static void write_field(struct vm *vm, int index, int field, struct buf *out)
{
    struct slice text;
    lua_rawgeti(vm->L, index, field);
    if (value_slice(vm, lua_gettop(vm->L), &text))
        buf_slice(out, text);
    lua_pop(vm->L, 1);
}

static void write_field_repr(struct vm *vm, int index, int field, struct buf *out)
{
    lua_rawgeti(vm->L, index, field);
    value_repr(vm, lua_gettop(vm->L), out);
    lua_pop(vm->L, 1);
}

static bool has_field(struct vm *vm, int index, int field)
{
    bool has = push_field(vm, index, field);
    if (has)
        lua_pop(vm->L, 1);
    return has;
}

/* Undefined._undefined_message of jinja2/runtime.py */
static void write_message(struct vm *vm, int index, struct buf *out)
{
    if (has_field(vm, index, FIELD_HINT)) {
        write_field(vm, index, FIELD_HINT, out);
        return;
    }
    if (!has_field(vm, index, FIELD_NAME)) {
        buf_cstr(out, "a value that is undefined");
        return;
    }
    if (!has_field(vm, index, FIELD_OBJECT)) {
        write_field_repr(vm, index, FIELD_NAME, out);
        buf_cstr(out, " is undefined");
        return;
    }
    lua_rawgeti(vm->L, index, FIELD_NAME);
    struct slice name;
    bool is_name = value_slice(vm, lua_gettop(vm->L), &name);
    lua_pop(vm->L, 1);
    if (is_name)
        write_field_repr(vm, index, FIELD_OBJECT, out);
    else
        write_field(vm, index, FIELD_OBJECT, out);
    buf_cstr(out, is_name ? " has no attribute " : " has no element ");
    write_field_repr(vm, index, FIELD_NAME, out);
}

void undefined_write_debug(struct vm *vm, int index, struct buf *out)
{
    buf_cstr(out, "{{ ");
    if (has_field(vm, index, FIELD_HINT)) {
        buf_cstr(out, "undefined value printed: ");
        write_field(vm, index, FIELD_HINT, out);
    } else if (has_field(vm, index, FIELD_OBJECT)) {
        buf_cstr(out, "no such element: ");
        write_field(vm, index, FIELD_OBJECT, out);
        buf_char(out, '[');
        write_field_repr(vm, index, FIELD_NAME, out);
        buf_char(out, ']');
    } else if (has_field(vm, index, FIELD_NAME)) {
        write_field(vm, index, FIELD_NAME, out);
    }
    buf_cstr(out, " }}");
}

void value_fail_undefined(struct vm *vm, int index)
{
    size_t start = vm->text.len;
    write_message(vm, index, &vm->text);
    vm_push_text(vm, start);
    vm_fail(vm, has_field(vm, index, FIELD_UNSAFE) ? TEMPLATE_SECURITY : TEMPLATE_UNDEFINED, "%s",
            lua_tostring(vm->L, -1));
}
