/* template/filter_gettext.c - newstyle translations: what calls of gettext and its like do.
 *
 * Place in the flow: translations are installed as globals, tables {function, name} that
 * gettext_push makes of Lua functions. Calling one asks Lua for the translated text, which then is
 * a format for the values given by keyword, and Markup where autoescape is on: Jinja's
 * _make_new_gettext, _make_new_ngettext, _make_new_pgettext and _make_new_npgettext.
 */
#include "template/filter.h"
#include "template/filter_internal.h"

enum { TRANSLATION_FUNCTION = 1, TRANSLATION_NAME = 2 };

/* The phases of a call. */
enum { ASK, TAKE, TEXTS };

/* Stack indexes above the parameters: the translated text, then the keywords and their values. */
static int text_at(const struct vm_frame *frame)
{
    return frame->base + frame->nparams;
}

static int keys_at(const struct vm_frame *frame)
{
    return text_at(frame) + 1;
}

static int values_at(const struct vm_frame *frame)
{
    return text_at(frame) + 2;
}

/* function(texts...) */
static enum vm_status ask(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int texts = frame->nparams - 2;
    lua_rawgeti(L, frame->base, TRANSLATION_FUNCTION);
    for (int i = 1; i <= texts; i++)
        lua_pushvalue(L, frame->base + i);
    frame_begin(frame, TAKE);
    return vm_ask(vm, VM_ASK_CALL, texts + 1);
}

/* The translated text is on top: make it what is formatted. */
static void take_text(struct vm *vm, const struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int at = text_at(frame);
    enum value_kind kind = value_kind(vm, at);
    if (kind != VALUE_STRING && kind != VALUE_MARKUP)
        vm_fail(vm, TEMPLATE_RUNTIME, "%s must return a text, got '%s'", frame->native->name,
                value_type_name(vm, at));
    if (vm->autoescape && kind == VALUE_STRING)
        vm_to_markup(vm);
    lua_settop(L, at);
}

/* Push two lists: the keywords, and their values. plural: the parameter that is `num` unless that
 * is given; 0: none. */
static void take_values(struct vm *vm, struct vm_frame *frame, int plural)
{
    lua_State *L = vm->L;
    int dict = frame->base + frame->nparams - 1;
    int n = 0;
    bool has_num = plural == 0;
    if (filter_has_keywords(vm, dict))
        value_dict_keys(vm, dict);
    else
        vm_new_list(vm, 1);
    vm_new_list(vm, 1);
    for (n = 0; n < (int)lua_objlen(L, keys_at(frame)); n++) {
        lua_rawgeti(L, keys_at(frame), n + 1);
        has_num = has_num || strcmp(lua_tostring(L, -1), "num") == 0;
        lua_rawget(L, dict);
        lua_rawseti(L, values_at(frame), n + 1);
    }
    if (!has_num) {
        lua_pushliteral(L, "num");
        lua_rawseti(L, keys_at(frame), ++n);
        lua_pushvalue(L, plural);
        lua_rawseti(L, values_at(frame), n);
    }
    frame_begin(frame, TEXTS);
    frame->n = n;
}

/* text % values */
static enum vm_status format(struct vm *vm, const struct vm_frame *frame)
{
    lua_State *L = vm->L;
    vm_new_dict(vm);
    int dict = lua_gettop(L);
    for (int i = 1; i <= frame->n; i++) {
        lua_rawgeti(L, keys_at(frame), i);
        lua_rawgeti(L, values_at(frame), i);
        vm_dict_set(vm, dict);
    }
    value_format(vm, text_at(frame), dict); /* a dict: never an ask */
    return VM_DONE;
}

static enum vm_status translate(struct vm *vm, struct vm_frame *frame, int plural)
{
    if (frame_phase(frame) == ASK)
        return ask(vm, frame);
    if (frame_phase(frame) == TAKE) {
        take_text(vm, frame);
        take_values(vm, frame, plural);
    }
    if (filter_texts(vm, frame, values_at(frame), vm->autoescape) == VM_AGAIN)
        return VM_AGAIN;
    return format(vm, frame);
}

static enum vm_status translate_one(struct vm *vm, struct vm_frame *frame)
{
    return translate(vm, frame, 0);
}

/* The number is the last of the texts. */
static enum vm_status translate_many(struct vm *vm, struct vm_frame *frame)
{
    return translate(vm, frame, frame->base + frame->nparams - 2);
}

/* Their names are such that any keyword may be a value to format. */
static const struct vm_native translations[] = {
    {"gettext", "__self, __message, **", translate_one},
    {"ngettext", "__self, __singular, __plural, __num, **", translate_many},
    {"pgettext", "__self, __context, __message, **", translate_one},
    {"npgettext", "__self, __context, __singular, __plural, __num, **", translate_many},
};

static const struct vm_native *find(struct slice name)
{
    for (size_t i = 0; i < sizeof(translations) / sizeof(*translations); i++)
        if (slice_eq(name, slice_cstr(translations[i].name)))
            return &translations[i];
    return NULL;
}

const struct vm_native *gettext_call(struct vm *vm, int object)
{
    struct slice name;
    lua_rawgeti(vm->L, object, TRANSLATION_NAME);
    name.data = lua_tolstring(vm->L, -1, &name.len);
    lua_pop(vm->L, 1); /* the table keeps it */
    return find(name);
}

bool gettext_push(lua_State *L, struct slice name, int function)
{
    struct vm vm = {.L = L};
    if (find(name) == NULL)
        return false;
    vm_meta_open(L);
    vm_meta_load(&vm);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, function);
    lua_rawseti(L, -2, TRANSLATION_FUNCTION);
    lua_pushlstring(L, name.data, name.len);
    lua_rawseti(L, -2, TRANSLATION_NAME);
    vm_push_meta(&vm, VM_META_TRANSLATION);
    lua_setmetatable(L, -2);
    return true;
}
