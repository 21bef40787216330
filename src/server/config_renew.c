/* server/config_renew.c - the settings read anew while the server runs. See config_renew.h. */
#include "server/config_renew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "server/config_internal.h"
#include "server/dotenv.h"

/* ---- .env ---- */

static void on_dotenv(void *data, const char *name)
{
    config_note_dotenv(data, name);
}

static void unset_all(const struct config_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        unsetenv(names->items[i]);
}

/* Set the variables of .env anew; if that fails they are what they were. */
static int renew_dotenv(struct config *renewed, const struct config *running, struct err *err)
{
    const struct config_list *names = &running->dotenv;
    char **values = mem_array(names->count + 1, sizeof(*values));
    for (size_t i = 0; i < names->count; i++) {
        const char *value = getenv(names->items[i]);
        values[i] = value == NULL ? NULL : mem_strdup(value);
    }
    unset_all(names);
    int rc = dotenv_load(running->app_root, on_dotenv, renewed, err);
    if (rc != 0)
        unset_all(&renewed->dotenv);
    for (size_t i = 0; i < names->count; i++) {
        if (rc != 0 && values[i] != NULL)
            setenv(names->items[i], values[i], 1);
        free(values[i]);
    }
    free(values);
    return rc;
}

/* ---- reading ---- */

static void copy_value(struct config *to, const struct config *from, const struct setting *setting)
{
    size_t index = (size_t)(setting - config_settings);
    const void *src = (const char *)from + setting->offset;
    void *dst = config_at(to, setting);
    switch (setting->type) {
    case SETTING_BOOL: *(bool *)dst = *(const bool *)src; break;
    case SETTING_INT:
    case SETTING_SECONDS:
    case SETTING_WORKERS: *(int64_t *)dst = *(const int64_t *)src; break;
    case SETTING_TEXT:
    case SETTING_CHOICE: *(const char **)dst = *(const char *const *)src; break;
    case SETTING_LIST: *(struct config_list *)dst = *(const struct config_list *)src; break;
    }
    to->origin[index] = from->origin[index];
    to->where[index] = from->where[index];
}

static bool may_not_read(const char *path)
{
    return access(path, R_OK) != 0 && errno == EACCES;
}

/* A worker that has given up its privileges. */
static int check_access(const struct config *running, struct err *err)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/.env", running->app_root);
    const char *closed = running->file != NULL && may_not_read(running->file) ? running->file
                         : may_not_read(path)                                 ? path
                                                                              : NULL;
    if (closed == NULL)
        return 0;
    snprintf(err->name, sizeof(err->name), "%.*s", (int)sizeof(err->name) - 1, closed);
    return err_set(err, -EACCES, "%s", err_text(-EACCES));
}

int config_renew(struct config *renewed, const struct config *running, struct err *err)
{
    config_init(renewed);
    renewed->app_path = running->app_path;
    renewed->app_name = running->app_name;
    renewed->app_root = running->app_root;
    renewed->app_set = running->app_set;
    int rc = check_access(running, err);
    if (rc == 0 && running->file != NULL)
        rc = config_read_file(renewed, running->file, err);
    if (rc == 0 && !dotenv_is_skipped())
        rc = renew_dotenv(renewed, running, err);
    if (rc == 0)
        rc = config_read_environment(renewed, environ, err);
    for (size_t i = 0; i < config_setting_count; i++)
        if (running->origin[i] >= CONFIG_SCRIPT)
            copy_value(renewed, running, &config_settings[i]);
    return rc == 0 ? config_finish(renewed, err) : rc;
}

/* ---- taking over ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_list(const struct config_list *a, const struct config_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_text(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool is_same(const struct config *a, const struct config *b, const struct setting *setting)
{
    const void *x = (const char *)a + setting->offset, *y = (const char *)b + setting->offset;
    switch (setting->type) {
    case SETTING_BOOL: return *(const bool *)x == *(const bool *)y;
    case SETTING_INT:
    case SETTING_SECONDS:
    case SETTING_WORKERS: return *(const int64_t *)x == *(const int64_t *)y;
    case SETTING_TEXT:
    case SETTING_CHOICE: return same_text(*(const char *const *)x, *(const char *const *)y);
    case SETTING_LIST: return same_list(x, y);
    }
    return true;
}

static const char *keep_text(struct config *config, const char *text)
{
    return text == NULL ? NULL : arena_cstr(&config->arena, slice_cstr(text));
}

/* What copy_value has borrowed becomes the config's own. */
static void keep_value(struct config *config, const struct setting *setting)
{
    size_t index = (size_t)(setting - config_settings);
    void *at = config_at(config, setting);
    config->where[index] = keep_text(config, config->where[index]);
    if (setting->type == SETTING_TEXT || setting->type == SETTING_CHOICE) {
        *(const char **)at = keep_text(config, *(const char **)at);
    } else if (setting->type == SETTING_LIST) {
        struct config_list *list = at;
        const char **items = arena_array(&config->arena, list->count + 1, sizeof(*items));
        for (size_t i = 0; i < list->count; i++)
            items[i] = keep_text(config, list->items[i]);
        list->items = items;
    }
}

/* Keys are few, and a reload mostly changes none: those of before stay in the arena. */
static void adopt_keys(struct config *config, const struct app_keys *keys)
{
    const struct app_keys *own = &config->app_file;
    bool same = own->count == keys->count;
    for (size_t i = 0; same && i < keys->count; i++)
        same = same_text(own->items[i].name, keys->items[i].name) &&
               slice_eq(own->items[i].json, keys->items[i].json) &&
               same_text(own->items[i].origin, keys->items[i].origin);
    if (same)
        return;
    struct app_key *items = arena_array(&config->arena, keys->count + 1, sizeof(*items));
    for (size_t i = 0; i < keys->count; i++)
        items[i] = (struct app_key){.name = keep_text(config, keys->items[i].name),
                                    .json = arena_dup(&config->arena, keys->items[i].json),
                                    .origin = keep_text(config, keys->items[i].origin)};
    config->app_file = (struct app_keys){items, keys->count, keys->count + 1};
}

static void adopt_dotenv(struct config *config, const struct config_list *names)
{
    if (same_list(&config->dotenv, names))
        return;
    config->dotenv = (struct config_list){0};
    for (size_t i = 0; i < names->count; i++)
        config_note_dotenv(config, names->items[i]);
}

void config_adopt(struct config *config, const struct config *renewed, struct buf *fixed)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        if (is_same(config, renewed, setting))
            continue;
        if ((setting->flags & SETTING_LIVE) != 0) {
            copy_value(config, renewed, setting);
            keep_value(config, setting);
        } else if (fixed != NULL && !(setting->offset == offsetof(struct config, max_connections) &&
                                      renewed->max_connections == config->lowered_from)) {
            buf_printf(fixed, "%s%s", fixed->len > 0 ? ", " : "", setting->name);
        }
    }
    adopt_keys(config, &renewed->app_file);
    adopt_dotenv(config, &renewed->dotenv);
}
