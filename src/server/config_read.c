/* server/config_read.c - the layers of the configuration: file and environment. See config.h.
 *
 * The file is JSON with the two objects `server` and `app`. Each value of theirs is written out
 * as JSON again while the scanner goes over it, and handed on when it is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "server/config_internal.h"
#include "value/json_scan.h"

/* A configuration is written by hand: more is a mistake. */
#define FILE_MAX (1024 * 1024)

enum section { SECTION_NONE, SECTION_SERVER, SECTION_APP };

struct reader {
    struct config *config;
    const char *path;
    struct err *err;
    enum section section;
    struct slice rest; /* the file from the last key on, ... */
    int line;          /* ... and the line where it begins */
    unsigned depth;    /* 1: in the file's object, 2: in a section, more: in a value */
    struct buf key;
    struct buf value; /* JSON text of the section's value so far */
};

static int fail(struct reader *reader, const char *message)
{
    return err_set(reader->err, QLUA_ESYNTAX, "%s", message);
}

/* Go on to the line of a key. One without escapes lies in the file's text itself; another counts
 * as standing where the last one does. */
static void note_line(struct reader *reader, struct slice key)
{
    uintptr_t from = (uintptr_t)reader->rest.data;
    uintptr_t at = (uintptr_t)key.data;
    if (at < from || at > from + reader->rest.len)
        return;
    struct slice passed = slice_of(reader->rest.data, at - from);
    for (size_t i = 0; i < passed.len; i++)
        reader->line += passed.data[i] == '\n';
    reader->rest = slice_from(reader->rest, passed.len);
}

/* A value of a section is complete. */
static int value_ends(struct reader *reader)
{
    struct slice key = buf_view(&reader->key);
    struct slice value = buf_view(&reader->value);
    char where[300];
    snprintf(where, sizeof(where), "%.280s:%d", reader->path, reader->line);
    int rc = 0;
    if (reader->section == SECTION_SERVER)
        rc = config_set(reader->config, CONFIG_FILE, where, key, value, false, reader->err);
    else
        rc = config_set_app_key(reader->config, CONFIG_FILE, where, key, value, reader->err);
    reader->value.len = 0;
    return rc;
}

/* Before a value inside a section's value: the comma, unless it is the first or follows a key. */
static void separate(struct reader *reader)
{
    struct buf *value = &reader->value;
    if (value->len > 0 && strchr("[{:", value->data[value->len - 1]) == NULL)
        buf_char(value, ',');
}

/* A scalar has arrived as JSON text. */
static int scalar(struct reader *reader, struct slice text)
{
    if (reader->depth == 0)
        return fail(reader, "a config file is an object with \"server\" and \"app\"");
    if (reader->depth == 1)
        return fail(reader, reader->section == SECTION_SERVER ? "\"server\" must be an object"
                                                              : "\"app\" must be an object");
    separate(reader);
    buf_slice(&reader->value, text);
    return reader->depth == 2 ? value_ends(reader) : 0;
}

static int on_null(void *data)
{
    return scalar(data, SLICE("null"));
}

static int on_bool(void *data, bool value)
{
    return scalar(data, value ? SLICE("true") : SLICE("false"));
}

static int on_int(void *data, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)value);
    return scalar(data, slice_of(text, (size_t)len));
}

static int on_number(void *data, double value)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%.15g", value);
    if (strtod(text, NULL) != value) /* as short as it can be read back */
        len = snprintf(text, sizeof(text), "%.17g", value);
    return scalar(data, slice_of(text, (size_t)len));
}

static void append_string(struct buf *out, struct slice text)
{
    buf_char(out, '"');
    escape_json(out, text, false);
    buf_char(out, '"');
}

static int on_string(void *data, struct slice text)
{
    struct buf quoted = {0};
    append_string(&quoted, text);
    int rc = scalar(data, buf_view(&quoted));
    buf_clear(&quoted);
    return rc;
}

static int on_object(void *data)
{
    struct reader *reader = data;
    if (reader->depth++ >= 2) {
        separate(reader);
        buf_char(&reader->value, '{');
    }
    return 0;
}

static int on_array(void *data)
{
    struct reader *reader = data;
    if (reader->depth < 2)
        return scalar(reader, SLICE("[]")); /* which refuses it */
    reader->depth++;
    separate(reader);
    buf_char(&reader->value, '[');
    return 0;
}

static int close_value(struct reader *reader, char bracket)
{
    if (--reader->depth < 2)
        return 0;
    buf_char(&reader->value, bracket);
    return reader->depth == 2 ? value_ends(reader) : 0;
}

static int on_object_end(void *data)
{
    return close_value(data, '}');
}

static int on_array_end(void *data)
{
    return close_value(data, ']');
}

static int begin_section(struct reader *reader, struct slice name)
{
    static const char *const names[] = {"server", "app"};
    if (slice_eq(name, SLICE("server")))
        reader->section = SECTION_SERVER;
    else if (slice_eq(name, SLICE("app")))
        reader->section = SECTION_APP;
    else {
        const char *near = nearest_name(name, names, 2);
        int len = name.len > 80 ? 80 : (int)name.len;
        return err_set(reader->err, QLUA_ESYNTAX, "unknown object \"%.*s\"; %s%s%s", len, name.data,
                       near != NULL ? "did you mean \"" : "there are \"server\" and \"app\"",
                       near != NULL ? near : "", near != NULL ? "\"?" : "");
    }
    return 0;
}

static int on_key(void *data, struct slice name)
{
    struct reader *reader = data;
    if (reader->depth == 1)
        return begin_section(reader, name);
    if (reader->depth == 2) {
        note_line(reader, name);
        reader->key.len = 0;
        buf_slice(&reader->key, name);
        return 0;
    }
    separate(reader);
    append_string(&reader->value, name);
    buf_char(&reader->value, ':');
    return 0;
}

static const struct json_handler file_handler = {
    .on_null = on_null,
    .on_bool = on_bool,
    .on_int = on_int,
    .on_number = on_number,
    .on_string = on_string,
    .on_object = on_object,
    .on_key = on_key,
    .on_object_end = on_object_end,
    .on_array = on_array,
    .on_array_end = on_array_end,
};

/* The whole file into text. */
static int read_whole(const char *path, struct buf *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "the config file cannot be read: %s", err_text(-errno));
    ssize_t n;
    while ((n = read(fd, buf_reserve(text, 4096), 4096)) > 0 && text->len <= FILE_MAX)
        text->len += (size_t)n;
    int rc = n < 0 ? -errno : 0;
    close(fd);
    if (rc != 0)
        return err_set(err, rc, "the config file cannot be read: %s", err_text(rc));
    if (text->len > FILE_MAX)
        return err_set(err, QLUA_ELIMIT, "the config file is larger than 1 MiB");
    return 0;
}

int config_read_file(struct config *config, const char *path, struct err *err)
{
    struct reader reader = {.config = config, .path = path, .line = 1, .err = err};
    struct buf text = {0};
    snprintf(err->name, sizeof(err->name), "%s", path);
    int rc = read_whole(path, &text, err);
    reader.rest = buf_view(&text);
    if (rc == 0)
        rc = json_scan(buf_view(&text), &file_handler, &reader, 64, err);
    if (rc != 0)
        snprintf(err->name, sizeof(err->name), "%s", path);
    else
        config->file = arena_cstr(&config->arena, slice_cstr(path));
    buf_clear(&reader.key);
    buf_clear(&reader.value);
    buf_clear(&text);
    return rc;
}

void config_note_dotenv(struct config *config, const char *name)
{
    struct config_list *list = &config->dotenv;
    const char **items = arena_array(&config->arena, list->count + 1, sizeof(*items));
    for (size_t i = 0; i < list->count; i++)
        items[i] = list->items[i];
    items[list->count] = arena_cstr(&config->arena, slice_cstr(name));
    *list = (struct config_list){items, list->count + 1};
}

static bool is_of_dotenv(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->dotenv.count; i++)
        if (slice_eq(name, slice_cstr(config->dotenv.items[i])))
            return true;
    return false;
}

/* Set what a variable says. */
static int set_from(struct config *config, struct slice variable, struct slice setting,
                    struct slice value, struct err *err)
{
    char where[128];
    bool dotenv = is_of_dotenv(config, variable);
    snprintf(where, sizeof(where), "%s%.*s", dotenv ? ".env: " : "",
             (int)(variable.len < 95 ? variable.len : 95), variable.data);
    return config_set(config, dotenv ? CONFIG_DOTENV : CONFIG_ENVIRONMENT, where, setting, value,
                      false, err);
}

/* "QLUA_SERVER__KEEP_ALIVE_TIMEOUT=5" */
static int read_variable(struct config *config, struct slice name, struct slice value,
                         struct err *err)
{
    char lower[64];
    struct slice setting = slice_from(name, sizeof("QLUA_SERVER__") - 1);
    size_t len = setting.len < sizeof(lower) ? setting.len : sizeof(lower) - 1;
    for (size_t i = 0; i < len; i++)
        lower[i] = ascii_lower(setting.data[i]);
    return set_from(config, name, slice_of(lower, len), value, err);
}

int config_read_environment(struct config *config, char **environment, struct err *err)
{
    int rc = 0;
    for (char **entry = environment; *entry != NULL && rc == 0; entry++) {
        struct slice value = slice_cstr(*entry);
        struct slice name = slice_split(&value, '=');
        /* an empty variable is one that is not set: scripts clear them so */
        if (value.len == 0)
            continue;
        if (slice_eq(name, SLICE("QLUA_DEBUG")))
            rc = set_from(config, name, SLICE("debug"), value, err);
        else if (slice_starts_with(name, SLICE("QLUA_SERVER__")))
            rc = read_variable(config, name, value, err);
    }
    return rc;
}
