/* server/config_value.c - one setting's value: read, check, store. See config.h.
 *
 * A value is JSON text in the config file; elsewhere JSON when it parses as such, else plain
 * text. Every refusal names the setting, what is allowed and what was given.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "server/config_internal.h"
#include "value/json_scan.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_OTHER };

/* What a setting can be made of; an object, a list of lists and the like are VALUE_OTHER. */
struct value {
    struct arena *arena;
    enum value_kind kind;
    unsigned depth;
    bool boolean;
    bool whole; /* number is a whole number and fits */
    double number;
    int64_t integer;
    struct slice text;
    struct slice *items;
    size_t count;
    size_t capacity;
};

/* Who is setting what: for messages. */
struct place {
    enum config_origin origin;
    const char *where;
    const struct setting *setting;
    struct slice given;
    struct err *err;
};

static int take(struct value *value, enum value_kind kind)
{
    if (value->depth == 0)
        value->kind = kind;
    else if (value->depth > 1 || kind != VALUE_TEXT)
        value->kind = VALUE_OTHER;
    return 0;
}

static int on_null(void *data)
{
    return take(data, VALUE_NULL);
}

static int on_bool(void *data, bool boolean)
{
    struct value *value = data;
    value->boolean = boolean;
    return take(value, VALUE_BOOL);
}

static int on_int(void *data, int64_t integer)
{
    struct value *value = data;
    value->integer = integer;
    value->number = (double)integer;
    value->whole = true;
    return take(value, VALUE_NUMBER);
}

static int on_number(void *data, double number)
{
    struct value *value = data;
    value->number = number;
    value->whole = floor(number) == number && fabs(number) < 9e15;
    value->integer = value->whole ? (int64_t)number : 0;
    return take(value, VALUE_NUMBER);
}

static int on_string(void *data, struct slice text)
{
    struct value *value = data;
    struct slice copy = arena_dup(value->arena, text);
    if (value->depth == 0) {
        value->text = copy;
    } else if (value->depth == 1 && value->kind == VALUE_LIST) {
        if (value->count == value->capacity) {
            size_t capacity = value->capacity == 0 ? 8 : value->capacity * 2;
            struct slice *items = arena_array(value->arena, capacity, sizeof(*items));
            for (size_t i = 0; i < value->count; i++)
                items[i] = value->items[i];
            value->items = items;
            value->capacity = capacity;
        }
        value->items[value->count++] = copy;
    }
    return take(value, VALUE_TEXT);
}

static int on_object(void *data)
{
    struct value *value = data;
    value->kind = VALUE_OTHER;
    value->depth++;
    return 0;
}

static int on_key(void *data, struct slice name)
{
    (void)data;
    (void)name;
    return 0;
}

static int on_array(void *data)
{
    struct value *value = data;
    value->kind = value->depth == 0 ? VALUE_LIST : VALUE_OTHER;
    value->depth++;
    return 0;
}

static int on_end(void *data)
{
    struct value *value = data;
    value->depth--;
    return 0;
}

static const struct json_handler value_handler = {
    .on_null = on_null,
    .on_bool = on_bool,
    .on_int = on_int,
    .on_number = on_number,
    .on_string = on_string,
    .on_object = on_object,
    .on_key = on_key,
    .on_object_end = on_end,
    .on_array = on_array,
    .on_array_end = on_end,
};

static struct value read_value(struct arena *arena, struct slice given)
{
    struct value value = {.arena = arena};
    if (json_scan(given, &value_handler, &value, 64, NULL) != 0)
        value = (struct value){.arena = arena, .kind = VALUE_TEXT, .text = given};
    return value;
}

static bool is_text_layer(const struct place *place)
{
    return place->origin != CONFIG_FILE;
}

/* The code which says whether the command line is at fault. */
static int fault_of(enum config_origin origin)
{
    return origin >= CONFIG_SCRIPT ? -EINVAL : QLUA_ESYNTAX;
}

/* "port must be ..., not GIVEN", with the code that decides the exit code. */
static int refuse(const struct place *place, const char *wanted)
{
    int len = place->given.len > 80 ? 80 : (int)place->given.len;
    return err_set(place->err, fault_of(place->origin), "%s%s must be %s, not %.*s%s",
                   is_text_layer(place) ? "" : "server.", place->setting->name, wanted, len,
                   place->given.data, place->given.len > 80 ? "..." : (len == 0 ? "empty" : ""));
}

static bool is_one_of(struct slice text, const char *words)
{
    struct slice rest = slice_cstr(words);
    while (rest.len > 0)
        if (slice_eq_nocase(text, slice_split(&rest, ',')))
            return true;
    return false;
}

static int store_bool(struct place *place, const struct value *value, bool *dst)
{
    if (value->kind == VALUE_BOOL)
        *dst = value->boolean;
    else if (is_text_layer(place) && is_one_of(place->given, "1,yes,on,true"))
        *dst = true;
    else if (is_text_layer(place) && is_one_of(place->given, "0,no,off,false"))
        *dst = false;
    else
        return refuse(place, "true or false");
    return 0;
}

static int store_int(struct place *place, const struct value *value, int64_t *dst)
{
    const struct setting *setting = place->setting;
    bool off = (setting->flags & SETTING_ZERO_OFF) != 0;
    char wanted[96];
    const char *auto_word = setting->type == SETTING_WORKERS ? "auto or " : "";
    if (setting->max == INT64_MAX)
        snprintf(wanted, sizeof(wanted), "%sa whole number of at least %lld%s", auto_word,
                 (long long)setting->min, off ? " (or 0: off)" : "");
    else
        snprintf(wanted, sizeof(wanted), "%sa whole number from %lld to %lld%s", auto_word,
                 (long long)setting->min, (long long)setting->max, off ? " (or 0: off)" : "");
    if (setting->type == SETTING_WORKERS && value->kind == VALUE_TEXT &&
        slice_eq(value->text, SLICE("auto"))) {
        *dst = CONFIG_WORKERS_AUTO;
        return 0;
    }
    if (value->kind != VALUE_NUMBER || !value->whole || value->integer > setting->max ||
        (value->integer < setting->min && !(off && value->integer == 0)))
        return refuse(place, wanted);
    *dst = value->integer;
    return 0;
}

static int store_seconds(struct place *place, const struct value *value, int64_t *dst)
{
    const struct setting *setting = place->setting;
    bool off = (setting->flags & SETTING_ZERO_OFF) != 0;
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "seconds from %g to %g%s", (double)setting->min / 1000,
             (double)setting->max / 1000, off ? " (or 0: off)" : "");
    double ms = value->number * 1000;
    if (value->kind != VALUE_NUMBER || ms > (double)setting->max ||
        (ms < (double)setting->min && !(off && value->number == 0)))
        return refuse(place, wanted);
    *dst = (int64_t)(ms + 0.5);
    return 0;
}

/* The text of a value that may be one: in a text layer a number is a text, too (user 1000). */
static bool text_of(const struct place *place, const struct value *value, struct slice *text)
{
    *text = value->kind == VALUE_TEXT ? value->text : place->given;
    if (value->kind != VALUE_TEXT && !is_text_layer(place))
        return false;
    return text->len > 0 && slice_find(*text, '\0') == text->len;
}

static int store_text(struct place *place, const struct value *value, struct arena *arena,
                      const char **dst)
{
    struct slice text;
    if (value->kind == VALUE_NULL && place->setting->text == NULL) {
        *dst = NULL;
        return 0;
    }
    if (!text_of(place, value, &text))
        return refuse(place, "a text that is not empty");
    if (place->setting->type == SETTING_CHOICE && !is_one_of(text, place->setting->choices)) {
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "one of %s", place->setting->choices);
        return refuse(place, wanted);
    }
    char *copy = arena_cstr(arena, text);
    if (place->setting->type == SETTING_CHOICE)
        for (char *c = copy; *c != '\0'; c++)
            *c = ascii_lower(*c);
    *dst = copy;
    return 0;
}

static int store_list(struct place *place, const struct value *value, bool append,
                      struct config_list *dst)
{
    struct slice single;
    const struct slice *items = value->items;
    size_t count = value->count;
    if (value->kind != VALUE_LIST) {
        if (value->kind == VALUE_OTHER || !text_of(place, value, &single))
            return refuse(place, "a list of texts");
        items = &single;
        count = 1;
    }
    size_t kept = append ? dst->count : 0;
    const char **all = arena_array(value->arena, kept + count, sizeof(*all));
    for (size_t i = 0; i < kept; i++)
        all[i] = dst->items[i];
    for (size_t i = 0; i < count; i++) {
        if (items[i].len == 0 || slice_find(items[i], '\0') != items[i].len)
            return refuse(place, "a list of texts that are not empty");
        all[kept + i] = arena_cstr(value->arena, items[i]);
    }
    *dst = (struct config_list){all, kept + count};
    return 0;
}

static int store(struct config *config, struct place *place, const struct value *value, bool append)
{
    void *dst = config_at(config, place->setting);
    switch (place->setting->type) {
    case SETTING_BOOL: return store_bool(place, value, dst);
    case SETTING_INT:
    case SETTING_WORKERS: return store_int(place, value, dst);
    case SETTING_SECONDS: return store_seconds(place, value, dst);
    case SETTING_TEXT:
    case SETTING_CHOICE: return store_text(place, value, &config->arena, dst);
    case SETTING_LIST: return store_list(place, value, append, dst);
    }
    return 0;
}

static int unknown(struct slice name, enum config_origin origin, struct err *err)
{
    const char *names[CONFIG_MAX];
    for (size_t i = 0; i < config_setting_count; i++)
        names[i] = config_settings[i].name;
    const char *near = nearest_name(name, names, config_setting_count);
    int code = fault_of(origin);
    int len = name.len > 80 ? 80 : (int)name.len;
    if (near != NULL)
        return err_set(err, code, "unknown server setting \"%.*s\"; did you mean \"%s\"?", len,
                       name.data, near);
    return err_set(err, code, "unknown server setting \"%.*s\"; qlua run --help lists them", len,
                   name.data);
}

int config_set(struct config *config, enum config_origin origin, const char *where,
               struct slice name, struct slice given, bool append, struct err *err)
{
    snprintf(err->name, sizeof(err->name), "%s", where);
    int index = config_setting_find(name);
    if (index < 0)
        return unknown(name, origin, err);
    struct place place = {origin, where, &config_settings[index], given, err};
    struct value value = read_value(&config->arena, given);
    int rc = store(config, &place, &value, append && config->origin[index] == origin);
    if (rc != 0)
        return rc;
    config->origin[index] = origin;
    config->where[index] = arena_cstr(&config->arena, slice_cstr(where));
    err->name[0] = '\0';
    return 0;
}

/* Room for one more at the end of the list. */
static struct app_key *add_key(struct config *config, struct app_keys *keys)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 16 : keys->capacity * 2;
        struct app_key *items = arena_array(&config->arena, capacity, sizeof(*items));
        for (size_t i = 0; i < keys->count; i++)
            items[i] = keys->items[i];
        keys->items = items;
        keys->capacity = capacity;
    }
    return &keys->items[keys->count++];
}

/* `--set port=80` would set a key that nobody reads. */
static int refuse_key(struct slice name, enum config_origin origin, const char *where,
                      struct err *err)
{
    snprintf(err->name, sizeof(err->name), "%s", where);
    int len = name.len > 80 ? 80 : (int)name.len;
    if (config_setting_find(name) >= 0 && origin == CONFIG_FILE)
        return err_set(err, fault_of(origin),
                       "app.%.*s: app keys are UPPER_CASE; %.*s is a server setting and belongs in "
                       "\"server\"",
                       len, name.data, len, name.data);
    if (config_setting_find(name) >= 0)
        return err_set(err, fault_of(origin),
                       "app keys are UPPER_CASE; the server setting is server.%.*s", len,
                       name.data);
    return err_set(err, fault_of(origin), "app keys are UPPER_CASE, not \"%.*s\"", len, name.data);
}

int config_set_app_key(struct config *config, enum config_origin origin, const char *where,
                       struct slice key, struct slice given, struct err *err)
{
    if (key.len == 0 || key.data[0] < 'A' || key.data[0] > 'Z')
        return refuse_key(key, origin, where, err);
    struct arena *arena = &config->arena;
    struct value value = {.arena = arena};
    struct slice json = given;
    struct buf quoted = {0};
    if (json_scan(given, &value_handler, &value, JSON_SCAN_MAX_DEPTH, NULL) != 0) {
        buf_char(&quoted, '"');
        escape_json(&quoted, given, false);
        buf_char(&quoted, '"');
        json = buf_view(&quoted);
    }
    struct app_keys *keys = origin == CONFIG_FILE ? &config->app_file : &config->app_set;
    *add_key(config, keys) = (struct app_key){
        .name = arena_cstr(arena, key),
        .json = arena_dup(arena, json),
        .origin = arena_cstr(arena, slice_cstr(where)),
    };
    buf_clear(&quoted);
    return 0;
}
