/* bind/form.c - form bodies as Lua asks for them: core.form_parse and core.form_parser.
 *
 * Place in the flow: lua/qlua/form.lua gives a urlencoded body whole and a multipart one in the
 * pieces in which it arrives. Small files end up as Lua strings, large ones in a spool file.
 */
#include <lauxlib.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/handle.h"
#include "bind/multidict.h"
#include "bind/upload.h"
#include "http/multipart.h"
#include "http/query.h"
#include "http/request.h"
#include "http/spool.h"

#define PARSER           "qlua.FormParser"
#define PAIRS_MAX        65536 /* of a urlencoded body: a pair costs memory even when it is empty */
#define PART_HEADERS_MAX 16384

/* An uploaded file. */
struct upload_part {
    struct upload_part *next;
    struct fields headers;
    struct slice name;
    struct slice filename;
    struct slice content_type;
    struct spool content;
};

struct form_parser {
    struct multipart *multipart; /* NULL once finished */
    struct arena arena;
    struct fields form;
    struct upload_part *first;
    struct upload_part **last;
    struct upload_part *file; /* the part that is being read, NULL when it is a field */
    struct slice name;        /* the field that is being read */
    bool latin1;              /* it is in ISO-8859-1 */
    struct buf value;
    uint64_t max_memory; /* of one field */
    uint64_t spool_size;
    const char *spool_dir;
};

/* ---- parts ---- */

static void begin_file(struct form_parser *parser, const struct multipart_part *part)
{
    struct arena *arena = &parser->arena;
    struct upload_part *file = arena_zalloc(arena, sizeof(*file));
    fields_init(&file->headers, arena, true);
    for (uint32_t i = 0; i < part->headers->count; i++)
        fields_add_copy(&file->headers, part->headers->items[i].name,
                        part->headers->items[i].value);
    file->name = arena_dup(arena, part->name);
    file->filename = arena_dup(arena, part->filename);
    if (part->content_type.data != NULL)
        file->content_type = arena_dup(arena, part->content_type);
    spool_init(&file->content, parser->spool_size, parser->spool_dir);
    *parser->last = file;
    parser->last = &file->next;
    parser->file = file;
}

static int on_part(void *data, const struct multipart_part *part)
{
    struct form_parser *parser = data;
    if (part->filename.data != NULL) {
        begin_file(parser, part);
        return 0;
    }
    parser->file = NULL;
    parser->name = arena_dup(&parser->arena, part->name);
    struct slice charset = header_param(part->content_type, SLICE("charset"), &parser->arena);
    parser->latin1 = slice_eq_nocase(charset, SLICE("iso-8859-1"));
    parser->value.len = 0;
    return 0;
}

static int on_data(void *data, struct slice bytes)
{
    struct form_parser *parser = data;
    if (parser->file != NULL)
        return spool_write(&parser->file->content, bytes);
    if (bytes.len > parser->max_memory || parser->value.len > parser->max_memory - bytes.len)
        return QLUA_ELIMIT;
    buf_slice(&parser->value, bytes);
    return 0;
}

/* The field's text as UTF-8. */
static void add_field(struct form_parser *parser)
{
    struct slice value = buf_view(&parser->value);
    struct buf text = {0};
    if (parser->latin1) {
        for (size_t i = 0; i < value.len; i++)
            utf8_encode(&text, (unsigned char)value.data[i]);
        value = buf_view(&text);
    } else if (!utf8_is_valid(value)) {
        utf8_clean(&text, value);
        value = buf_view(&text);
    }
    fields_add(&parser->form, parser->name, arena_dup(&parser->arena, value));
    buf_clear(&text);
}

static int on_part_end(void *data)
{
    struct form_parser *parser = data;
    if (parser->file == NULL)
        add_field(parser);
    return 0;
}

static const struct multipart_handler handler = {on_part, on_data, on_part_end};

/* ---- the parser ---- */

static struct form_parser *check_parser(lua_State *L, int index)
{
    return luaL_checkudata(L, index, PARSER);
}

static void clear_parser(struct form_parser *parser)
{
    for (struct upload_part *file = parser->first; file != NULL; file = file->next)
        spool_clear(&file->content);
    parser->first = NULL;
    multipart_free(parser->multipart);
    parser->multipart = NULL;
    buf_clear(&parser->value);
    arena_clear(&parser->arena);
    fields_init(&parser->form, &parser->arena, false);
}

static int l_gc(lua_State *L)
{
    clear_parser(lua_touserdata(L, 1));
    return 0;
}

/* The limit at index: UINT64_MAX when nil. */
static uint64_t opt_limit(lua_State *L, int index)
{
    double limit = luaL_optnumber(L, index, 1e18);
    luaL_argcheck(L, limit >= 0, index, "a limit of at least 0 expected");
    return limit < 1e18 ? (uint64_t)limit : UINT64_MAX;
}

/* core.form_parser(handle, max_memory, max_parts, spool_size, spool_dir) -> parser, or nil when
 * the content type has no boundary */
static int l_form_parser(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    uint64_t max_memory = opt_limit(L, 2);
    struct multipart_limits limits = {opt_limit(L, 3), PART_HEADERS_MAX};
    uint64_t spool_size = opt_limit(L, 4);
    struct slice spool_dir = check_slice(L, 5);
    const struct field *type = fields_get_id(&req->headers, HEADER_CONTENT_TYPE);
    struct slice boundary = {NULL, 0};
    if (type != NULL)
        boundary = header_param(type->value, SLICE("boundary"), &req->arena);
    if (boundary.data == NULL)
        return 0;

    struct form_parser *parser = lua_newuserdata(L, sizeof(*parser));
    *parser = (struct form_parser){.max_memory = max_memory, .spool_size = spool_size};
    arena_init(&parser->arena);
    fields_init(&parser->form, &parser->arena, false);
    parser->last = &parser->first;
    set_metatable(L, PARSER);
    parser->spool_dir = arena_cstr(&parser->arena, spool_dir);
    parser->multipart = multipart_new(boundary, &handler, parser, &limits);
    if (parser->multipart == NULL)
        return 0;
    request_want_body(req, true); /* the form counts as the whole body: BODY_TIMEOUT */
    return 1;
}

/* true, or nil and 413, 400 or what the system said. */
static int push_outcome(lua_State *L, int rc)
{
    if (rc == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    if (rc == QLUA_ELIMIT || rc == QLUA_ESYNTAX)
        lua_pushinteger(L, rc == QLUA_ELIMIT ? 413 : 400);
    else
        lua_pushstring(L, err_text(rc));
    return 2;
}

/* parser:feed(bytes) -> true | nil, 413 (a limit), 400 (no form) or a message */
static int l_feed(lua_State *L)
{
    struct form_parser *parser = check_parser(L, 1);
    luaL_argcheck(L, parser->multipart != NULL, 1, "the form is finished");
    return push_outcome(L, multipart_feed(parser->multipart, check_slice(L, 2)));
}

/* Push one file: { name, filename, content_type?, headers, size, data or upload }. */
static void push_file(lua_State *L, struct request *req, struct upload_part *file)
{
    lua_createtable(L, 0, 8);
    set_slice_field(L, "name", file->name);
    set_slice_field(L, "filename", file->filename);
    set_slice_field(L, "content_type", file->content_type);
    multidict_push(L, MULTIDICT_FILE_HEADERS, &file->headers);
    lua_setfield(L, -2, "headers");
    lua_pushnumber(L, (lua_Number)file->content.size);
    lua_setfield(L, -2, "size");
    if (file->content.fd >= 0) {
        upload_push(L, req, &file->content);
        lua_setfield(L, -2, "_upload");
    } else {
        push_slice(L, buf_view(&file->content.memory));
        lua_setfield(L, -2, "_data");
        buf_clear(&file->content.memory);
    }
}

/* parser:finish(handle) -> form, list of files | nil, 400 (cut off), 413 or a message */
static int l_finish(lua_State *L)
{
    struct form_parser *parser = check_parser(L, 1);
    struct request *req = check_handle(L, 2);
    luaL_argcheck(L, parser->multipart != NULL, 1, "the form is finished");
    int rc = multipart_end(parser->multipart);
    if (rc != 0)
        return push_outcome(L, rc);
    multidict_push(L, MULTIDICT_FORM, &parser->form);
    lua_newtable(L);
    int n = 0;
    for (struct upload_part *file = parser->first; file != NULL; file = file->next) {
        push_file(L, req, file);
        lua_rawseti(L, -2, ++n);
    }
    clear_parser(parser);
    return 2;
}

/* core.form_parse(text) -> MultiDict of a urlencoded body | nil, 413 */
static int l_form_parse(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct arena *arena = push_scratch(L);
    struct fields form;
    fields_init(&form, arena, false);
    if (query_parse(text, &form, PAIRS_MAX) != 0) {
        arena_clear(arena);
        return push_outcome(L, QLUA_ELIMIT);
    }
    multidict_push(L, MULTIDICT_FORM, &form);
    arena_clear(arena);
    return 1;
}

/* core.multidict_files(list) -> MultiDict of the files, by their field `name`; takes the list */
static int l_files(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct arena *arena = push_scratch(L);
    struct fields files;
    fields_init(&files, arena, false);
    int n = (int)lua_objlen(L, 1);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        lua_getfield(L, -1, "name"); /* anchored in the file */
        fields_add(&files, check_slice(L, -1), slice_of("", 0));
        lua_pop(L, 2);
    }
    lua_pushvalue(L, 1);
    multidict_push_files(L, &files);
    arena_clear(arena);
    return 1;
}

static const luaL_Reg methods[] = {
    {"feed", l_feed},
    {"finish", l_finish},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"form_parser", l_form_parser},
    {"form_parse", l_form_parse},
    {"multidict_files", l_files},
    {NULL, NULL},
};

void bind_form(lua_State *L)
{
    bind_upload(L);
    make_class(L, PARSER, methods, l_gc);
    luaL_register(L, NULL, functions);
}
