/* server/config_describe.c - the settings with their values and origins, for `qlua config`. See
 * config.h. */
#include "base/buf.h"
#include "base/escape.h"
#include "server/config_internal.h"

static void append_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    escape_json(out, slice_cstr(text), false);
    buf_char(out, '"');
}

static void append_list(struct buf *out, const struct config_list *list)
{
    buf_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        append_text(out, list->items[i]);
    }
    buf_char(out, ']');
}

/* The value as JSON; null when it is none, or one that only words can tell (`shown`). */
static void append_value(struct config *config, const struct setting *setting, struct buf *out)
{
    const void *at = config_at(config, setting);
    int64_t number = 0;
    switch (setting->type) {
    case SETTING_BOOL: buf_cstr(out, *(const bool *)at ? "true" : "false"); return;
    case SETTING_LIST: append_list(out, at); return;
    case SETTING_INT:
    case SETTING_WORKERS:
        number = *(const int64_t *)at;
        if (number < 0)
            buf_cstr(out, "null");
        else
            buf_printf(out, "%lld", (long long)number);
        return;
    case SETTING_SECONDS: buf_printf(out, "%.15g", (double)*(const int64_t *)at / 1000); return;
    case SETTING_TEXT:
    case SETTING_CHOICE:
        if (*(const char *const *)at == NULL)
            buf_cstr(out, "null");
        else
            append_text(out, *(const char *const *)at);
        return;
    }
}

static const char *word_of(enum config_origin origin)
{
    switch (origin) {
    case CONFIG_DEFAULT: return "default";
    case CONFIG_FILE: return "file";
    case CONFIG_DOTENV: return ".env";
    case CONFIG_ENVIRONMENT: return "environment";
    case CONFIG_SCRIPT:
    case CONFIG_COMMAND_LINE: return "option";
    }
    return "default";
}

/* Where a value was given, less what its origin says already (".env: NAME"). */
static const char *place_of(const struct config *config, size_t i)
{
    static const char dotenv[] = ".env: ";
    const char *where = config->where[i];
    bool known = where != NULL && strncmp(where, dotenv, sizeof(dotenv) - 1) == 0;
    return known ? where + sizeof(dotenv) - 1 : where;
}

static void append_setting(struct config *config, size_t i, struct buf *out)
{
    const struct setting *setting = &config_settings[i];
    buf_cstr(out, "{\"name\":");
    append_text(out, setting->name);
    buf_cstr(out, ",\"value\":");
    append_value(config, setting, out);
    if (setting->shown != NULL) {
        buf_cstr(out, ",\"shown\":");
        append_text(out, setting->shown);
    }
    buf_printf(out, ",\"from\":\"%s\"", word_of(config->origin[i]));
    if (place_of(config, i) != NULL) {
        buf_cstr(out, ",\"where\":");
        append_text(out, place_of(config, i));
    }
    buf_char(out, '}');
}

void config_describe(struct config *config, struct buf *out)
{
    bool first = true;
    buf_cstr(out, "{\"settings\":[");
    for (size_t i = 0; i < config_setting_count; i++) {
        if (!first)
            buf_char(out, ',');
        first = false;
        append_setting(config, i, out);
    }
    buf_cstr(out, "],\"dotenv\":");
    append_list(out, &config->dotenv);
    buf_char(out, '}');
}
