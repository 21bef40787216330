/* template/vm_text.c - str() and repr() of values, and what {{ }} appends.
 *
 * Place in the flow: every output instruction ends here. The forms are Python's: True, None,
 * [1, 'a'], {'k': 1}. A container inside itself prints as [...]; objects inside containers print
 * by the name of their type, for only the VM may ask Lua, and it asks about whole operands.
 */
#include <lauxlib.h>
#include <math.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "template/unicode.h"
#include "template/vm_value.h"
#include "value/number.h"

/* The containers around what is being written. */
struct repr_path {
    const struct repr_path *up;
    const void *container;
    unsigned depth;
    size_t start; /* where in out the whole repr begins */
};

static void write_repr(struct vm *vm, int index, struct buf *out, const struct repr_path *up);

/* ---- scalars --------------------------------------------------------------------------------- */

static void write_number(double number, struct buf *out)
{
    if (isfinite(number))
        out->len += number_write(buf_reserve(out, NUMBER_TEXT_MAX), number);
    else
        buf_cstr(out, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
}

static void write_hex(struct buf *out, const char *prefix, uint32_t code, int digits)
{
    static const char hex[] = "0123456789abcdef";
    buf_cstr(out, prefix);
    while (digits-- > 0)
        buf_char(out, hex[code >> 4 * digits & 15]);
}

/* One character of a string's repr. */
static void write_repr_char(struct buf *out, struct slice bytes, uint32_t code, char quote)
{
    if (code == '\n' || code == '\r' || code == '\t') {
        buf_char(out, '\\');
        buf_char(out, code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
    } else if (code == '\\' || code == (unsigned char)quote) {
        buf_char(out, '\\');
        buf_char(out, (char)code);
    } else if (code == UINT32_MAX) {
        for (size_t i = 0; i < bytes.len; i++) /* not UTF-8: as what it is */
            write_hex(out, "\\x", (unsigned char)bytes.data[i], 2);
    } else if (unicode_is_printable(code)) {
        buf_slice(out, bytes);
    } else if (code < 0x100) {
        write_hex(out, "\\x", code, 2);
    } else if (code < 0x10000) {
        write_hex(out, "\\u", code, 4);
    } else {
        write_hex(out, "\\U", code, 8);
    }
}

void text_repr(struct slice text, struct buf *out)
{
    char quote =
        slice_find(text, '\'') < text.len && slice_find(text, '"') == text.len ? '"' : '\'';
    buf_char(out, quote);
    size_t plain = 0; /* from here to i nothing needs an escape */
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && c != (unsigned char)quote) {
            i++;
            continue;
        }
        buf_append(out, text.data + plain, i - plain);
        uint32_t code;
        size_t n = utf8_decode(slice_from(text, i), &code);
        write_repr_char(out, slice_of(text.data + i, n), code, quote);
        i += n;
        plain = i;
    }
    buf_append(out, text.data + plain, text.len - plain);
    buf_char(out, quote);
}

/* The text in t[1] of a marked table; empty when somebody took it out. */
static struct slice marked_text(struct vm *vm, int index)
{
    struct slice text = {"", 0};
    lua_rawgeti(vm->L, index, 1);
    if (lua_type(vm->L, -1) == LUA_TSTRING)
        text.data = lua_tolstring(vm->L, -1, &text.len);
    lua_pop(vm->L, 1); /* the table keeps it */
    return text;
}

static void write_range(struct vm *vm, int index, struct buf *out)
{
    const struct value_range *range = lua_touserdata(vm->L, index);
    buf_cstr(out, "range(");
    write_number(range->start, out);
    buf_cstr(out, ", ");
    write_number(range->stop, out);
    if (range->step != 1) {
        buf_cstr(out, ", ");
        write_number(range->step, out);
    }
    buf_char(out, ')');
}

static void write_bytes(struct slice bytes, struct buf *out)
{
    buf_cstr(out, "b'");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        write_repr_char(out, slice_of(bytes.data + i, 1), c < 0x80 ? c : UINT32_MAX, '\'');
    }
    buf_char(out, '\'');
}

static void write_method(struct vm *vm, int index, struct buf *out)
{
    lua_State *L = vm->L;
    buf_cstr(out, "<built-in method ");
    lua_rawgeti(L, index, 2);
    buf_slice(out, slice_cstr(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?"));
    lua_rawgeti(L, index, 1);
    buf_cstr(out, " of ");
    buf_cstr(out, value_type_name(vm, lua_gettop(L)));
    buf_cstr(out, " object>");
    lua_pop(L, 2);
}

/* ---- containers ------------------------------------------------------------------------------ */

static void write_items(struct vm *vm, int index, struct buf *out, const struct repr_path *path)
{
    int n = (int)lua_objlen(vm->L, index);
    value_spend(vm, 2.0 * n);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            buf_cstr(out, ", ");
        lua_rawgeti(vm->L, index, i);
        if (lua_isnil(vm->L, -1))
            buf_cstr(out, "None"); /* a hole in a marked array */
        else
            write_repr(vm, lua_gettop(vm->L), out, path);
        lua_pop(vm->L, 1);
    }
}

static void write_pairs(struct vm *vm, int index, struct buf *out, const struct repr_path *path)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, index);
    int keys = lua_gettop(L);
    int n = (int)lua_objlen(L, keys);
    buf_char(out, '{');
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            buf_cstr(out, ", ");
        lua_rawgeti(L, keys, i);
        write_repr(vm, keys + 1, out, path);
        buf_cstr(out, ": ");
        lua_rawget(L, index);
        write_repr(vm, keys + 1, out, path);
        lua_settop(L, keys);
    }
    buf_char(out, '}');
    lua_pop(L, 1);
}

static void write_container(struct vm *vm, int index, enum value_kind kind, struct buf *out,
                            const struct repr_path *up)
{
    struct repr_path path = {up, lua_topointer(vm->L, index), 1, out->len};
    for (const struct repr_path *at = up; at != NULL; at = at->up)
        if (at->container == path.container) {
            buf_cstr(out, kind == VALUE_LIST ? "[...]" : kind == VALUE_TUPLE ? "(...)" : "{...}");
            return;
        }
    if (up != NULL) {
        path.depth = up->depth + 1;
        path.start = up->start;
        value_check_text(vm, (double)(out->len - path.start));
    }
    if (path.depth > VALUE_MAX_DEPTH)
        vm_fail(vm, TEMPLATE_LIMIT, "the value to print nests deeper than %d levels",
                VALUE_MAX_DEPTH);
    luaL_checkstack(vm->L, 8, "repr");
    if (kind == VALUE_DICT) {
        write_pairs(vm, index, out, &path);
        return;
    }
    buf_char(out, kind == VALUE_LIST ? '[' : '(');
    write_items(vm, index, out, &path);
    if (kind == VALUE_TUPLE && lua_objlen(vm->L, index) == 1)
        buf_char(out, ',');
    buf_char(out, kind == VALUE_LIST ? ']' : ')');
}

/* A value of ours beyond Python's basic types; is_repr: inside a container. */
static void write_native(struct vm *vm, int index, bool is_repr, struct buf *out,
                         const struct repr_path *up)
{
    const struct vm_native *const *native;
    enum vm_meta meta = value_meta(vm, index);
    switch (meta) {
    case VM_META_BYTES: write_bytes(marked_text(vm, index), out); return;
    case VM_META_UUID:
    case VM_META_DATETIME:
        if (is_repr)
            text_repr(marked_text(vm, index), out);
        else
            buf_slice(out, marked_text(vm, index));
        return;
    case VM_META_NAMESPACE:
        buf_cstr(out, "<Namespace ");
        write_container(vm, index, VALUE_DICT, out, up);
        buf_char(out, '>');
        return;
    case VM_META_FUNCTION:
        native = lua_touserdata(vm->L, index);
        buf_cstr(out, "<function ");
        buf_cstr(out, (*native)->name);
        buf_char(out, '>');
        return;
    case VM_META_CYCLER:
    case VM_META_JOINER:
    case VM_META_TRANSLATION:
        buf_char(out, '<');
        buf_cstr(out, value_type_name(vm, index));
        buf_char(out, '>');
        return;
    case VM_META_METHOD: write_method(vm, index, out); return;
    default: vm_native_write(vm, index, out);
    }
}

static void write_repr(struct vm *vm, int index, struct buf *out, const struct repr_path *up)
{
    enum value_kind kind = value_kind(vm, index);
    struct slice text;
    switch (kind) {
    case VALUE_UNDEFINED: buf_cstr(out, "Undefined"); return;
    case VALUE_NONE: buf_cstr(out, "None"); return;
    case VALUE_BOOLEAN: buf_cstr(out, lua_toboolean(vm->L, index) ? "True" : "False"); return;
    case VALUE_NUMBER: write_number(lua_tonumber(vm->L, index), out); return;
    case VALUE_STRING:
        text.data = lua_tolstring(vm->L, index, &text.len);
        text_repr(text, out);
        return;
    case VALUE_MARKUP:
        buf_cstr(out, "Markup(");
        text_repr(marked_text(vm, index), out);
        buf_char(out, ')');
        return;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT: write_container(vm, index, kind, out, up); return;
    case VALUE_GENERATOR: buf_cstr(out, "<generator object>"); return;
    case VALUE_RANGE: write_range(vm, index, out); return;
    case VALUE_NATIVE: write_native(vm, index, true, out, up); return;
    default:
        buf_char(out, '<');
        buf_cstr(out, value_type_name(vm, index));
        buf_char(out, '>');
    }
}

void value_repr(struct vm *vm, int index, struct buf *out)
{
    write_repr(vm, index, out, NULL);
}

/* ---- str() ----------------------------------------------------------------------------------- */

static void write_undefined(struct vm *vm, int index, struct buf *out)
{
    switch (value_undefined_kind(vm, index)) {
    case UNDEFINED_STRICT: value_fail_undefined(vm, index);
    case UNDEFINED_DEBUG: undefined_write_debug(vm, index, out); return;
    default: return;
    }
}

enum value_result value_write(struct vm *vm, int index, struct buf *out)
{
    struct slice text;
    switch (value_kind(vm, index)) {
    case VALUE_STRING:
        text.data = lua_tolstring(vm->L, index, &text.len);
        buf_slice(out, text);
        break;
    case VALUE_MARKUP: buf_slice(out, marked_text(vm, index)); break;
    case VALUE_UNDEFINED: write_undefined(vm, index, out); break;
    case VALUE_NATIVE: write_native(vm, index, false, out, NULL); break;
    case VALUE_OBJECT: return VALUE_ASK;
    default: write_repr(vm, index, out, NULL);
    }
    return VALUE_OK;
}

/* What was appended from start on may have characters to escape. */
static void escape_tail(struct vm *vm, struct buf *out, size_t start)
{
    lua_pushlstring(vm->L, out->data + start, out->len - start);
    struct slice text;
    text.data = lua_tolstring(vm->L, -1, &text.len);
    out->len = start;
    escape_html(out, text);
    lua_pop(vm->L, 1);
}

enum value_result value_write_escaped(struct vm *vm, int index, struct buf *out)
{
    struct slice text;
    if (!vm->autoescape)
        return value_write(vm, index, out);
    switch (lua_type(vm->L, index)) {
    case LUA_TSTRING:
        text.data = lua_tolstring(vm->L, index, &text.len);
        escape_html(out, text);
        return VALUE_OK;
    case LUA_TNUMBER: write_number(lua_tonumber(vm->L, index), out); return VALUE_OK;
    default: break;
    }
    size_t start = out->len;
    enum value_result result = value_write(vm, index, out);
    if (out->len > start && value_kind(vm, index) != VALUE_MARKUP &&
        value_meta(vm, index) != VM_META_MODULE)
        escape_tail(vm, out, start);
    return result;
}

enum value_result value_push_str(struct vm *vm, int index)
{
    int type = lua_type(vm->L, index);
    if (type == LUA_TSTRING) {
        lua_pushvalue(vm->L, index);
        return VALUE_OK;
    }
    struct slice text;
    if (type == LUA_TTABLE && value_slice(vm, index, &text)) {
        lua_pushlstring(vm->L, text.data, text.len);
        return VALUE_OK;
    }
    size_t start = vm->text.len;
    enum value_result result = value_write(vm, index, &vm->text);
    if (result == VALUE_OK)
        vm_push_text(vm, start);
    return result;
}

bool value_slice(struct vm *vm, int index, struct slice *text)
{
    lua_State *L = vm->L;
    switch (lua_type(L, index)) {
    case LUA_TSTRING: text->data = lua_tolstring(L, index, &text->len); return true;
    case LUA_TTABLE:
        if (!lua_getmetatable(L, index))
            return false;
        bool is_markup = lua_topointer(L, -1) == vm->meta[VM_META_MARKUP];
        lua_pop(L, 1);
        if (is_markup)
            *text = marked_text(vm, index);
        return is_markup;
    default: return false;
    }
}
