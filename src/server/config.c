/* server/config.c - the settings as a whole: defaults, the app file, what depends on what. See
 * config.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/processors.h"
#include "http/access_format.h"
#include "http/coding.h"
#include "http/forwarded.h"
#include "server/config_internal.h"
#include "server/listen.h"

struct config_list config_list_of(struct arena *arena, const char *text)
{
    struct config_list list = {0};
    if (text == NULL)
        return list;
    size_t most = 1;
    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    list.items = arena_array(arena, most, sizeof(*list.items));
    struct slice rest = slice_cstr(text);
    while (rest.len > 0)
        list.items[list.count++] = arena_cstr(arena, slice_split(&rest, ','));
    return list;
}

static void set_default(struct config *config, const struct setting *setting)
{
    void *dst = config_at(config, setting);
    switch (setting->type) {
    case SETTING_BOOL: *(bool *)dst = setting->number != 0; break;
    case SETTING_INT:
    case SETTING_SECONDS:
    case SETTING_WORKERS: *(int64_t *)dst = setting->number; break;
    case SETTING_TEXT:
    case SETTING_CHOICE: *(const char **)dst = setting->text; break;
    case SETTING_LIST:
        *(struct config_list *)dst = config_list_of(&config->arena, setting->text);
        break;
    }
}

void config_init(struct config *config)
{
    *config = (struct config){0};
    arena_init(&config->arena);
    for (size_t i = 0; i < config_setting_count; i++)
        set_default(config, &config_settings[i]);
}

void config_clear(struct config *config)
{
    arena_clear(&config->arena);
    *config = (struct config){0};
}

void config_set_app(struct config *config, const char *path)
{
    struct slice whole = slice_cstr(path);
    const char *slash = strrchr(path, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - path);
    struct slice stem = slash == NULL ? whole : slice_from(whole, folder + 1);
    if (slice_ends_with(stem, SLICE(".lua")) && stem.len > 4)
        stem.len -= 4;
    config->app_path = arena_cstr(&config->arena, whole);
    config->app_name = arena_cstr(&config->arena, stem);
    config->app_root = folder == 0 ? "/" : arena_cstr(&config->arena, slice_of(path, folder));
}

/* Set a whole number on behalf of app:run. */
static int set_number(struct config *config, struct slice name, int64_t number, struct err *err)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)number);
    return config_set(config, CONFIG_SCRIPT, "app:run", name, slice_of(text, (size_t)len), false,
                      err);
}

int config_set_run(struct config *config, const char *host, int64_t port, int debug,
                   int64_t workers, struct err *err)
{
    int rc = 0;
    config->run_requested = true;
    if (host != NULL)
        rc = config_set(config, CONFIG_SCRIPT, "app:run", SLICE("host"), slice_cstr(host), false,
                        err);
    if (rc == 0 && port != -1)
        rc = set_number(config, SLICE("port"), port, err);
    if (rc == 0 && debug != -1)
        rc = set_number(config, SLICE("debug"), debug, err);
    if (rc == 0 && workers != -1)
        rc = set_number(config, SLICE("workers"), workers, err);
    return rc;
}

static enum config_origin origin_of(const struct config *config, struct slice name)
{
    return config->origin[config_setting_find(name)];
}

bool config_is_given(const struct config *config, struct slice name)
{
    return origin_of(config, name) != CONFIG_DEFAULT;
}

/* Refuse the setting with a message that starts with the place it was given at. */
static int refuse(const struct config *config, struct slice name, struct err *err, const char *why)
{
    int index = config_setting_find(name);
    const char *where = config->where[index];
    snprintf(err->name, sizeof(err->name), "%s", where == NULL ? "configuration" : where);
    return err_set(err, config->origin[index] >= CONFIG_SCRIPT ? -EINVAL : QLUA_ESYNTAX, "%s", why);
}

/* Refuse one item of a list, in words that follow "is no": of the file its key is named, too. */
static int refuse_item(const struct config *config, struct slice name, struct err *err,
                       const char *item, const char *wanted)
{
    char why[240];
    bool file = origin_of(config, name) == CONFIG_FILE;
    snprintf(why, sizeof(why), "%s%.*s%s%.80s is no %s", file ? "server." : "",
             file ? (int)name.len : 0, name.data, file ? ": " : "", item, wanted);
    return refuse(config, name, err, why);
}

static int settle_workers(struct config *config, struct err *err)
{
    if (config->debug && config->workers > 1 &&
        origin_of(config, SLICE("workers")) >= CONFIG_SCRIPT)
        return refuse(config, SLICE("workers"), err,
                      "more than one beside debug mode, which means one; leave out one of the two");
    if (config->debug && config->workers != 0)
        config->workers = 1;
    if (config->workers == CONFIG_WORKERS_AUTO)
        config->workers = processors_usable();
    return 0;
}

static int check_bind(const struct config *config, struct err *err)
{
    if (config->bind.count > 0 && origin_of(config, SLICE("bind")) == CONFIG_COMMAND_LINE &&
        origin_of(config, SLICE("host")) == CONFIG_COMMAND_LINE)
        return refuse(config, SLICE("host"), err,
                      "cannot stand beside --bind; name every address with --bind");
    for (size_t i = 0; i < config->bind.count; i++)
        if (!listen_is_address(config->bind.items[i]))
            return refuse_item(config, SLICE("bind"), err, config->bind.items[i],
                               "address to listen on; give HOST:PORT, [V6]:PORT or unix:/PATH");
    return 0;
}

static int check_addresses(const struct config *config, struct slice name,
                           const struct config_list *list, struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (!trust_is_valid(list->items[i]))
            return refuse_item(config, name, err, list->items[i],
                               "address; give one (10.1.2.3), a network (10.0.0.0/8) or unix");
    return 0;
}

static int check_types(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->gzip_types.count; i++)
        if (!coding_type_is_valid(config->gzip_types.items[i]))
            return refuse_item(config, SLICE("gzip_types"), err, config->gzip_types.items[i],
                               "content type; give one (text/css), or a pattern with one * "
                               "(text/*, application/*+json)");
    return 0;
}

static int check_metrics(const struct config *config, struct err *err)
{
    const char *path = config->metrics_path;
    char why[240];
    if (path == NULL || (path[0] == '/' && strpbrk(path, "?#") == NULL))
        return 0;
    snprintf(why, sizeof(why),
             "metrics_path must begin with \"/\" and hold no \"?\" or \"#\", not \"%.80s\"", path);
    return refuse(config, SLICE("metrics_path"), err, why);
}

static int check_identity(const struct config *config, struct err *err)
{
    if (config->key != NULL && config->cert == NULL)
        return refuse(config, SLICE("key"), err,
                      "a private key without a certificate; name its file with cert, or leave key "
                      "out");
    return 0;
}

static int check_timeouts(const struct config *config, struct err *err)
{
    if (config->worker_timeout != 0 && config->handler_cpu_limit != 0 &&
        config->worker_timeout <= config->handler_cpu_limit) {
        bool timeout = origin_of(config, SLICE("worker_timeout")) != CONFIG_DEFAULT;
        return refuse(config, timeout ? SLICE("worker_timeout") : SLICE("handler_cpu_limit"), err,
                      "worker_timeout must be greater than handler_cpu_limit");
    }
    return 0;
}

static int check_access_format(const struct config *config, struct err *err)
{
    if (config->access_log_format == NULL)
        return 0;
    struct err why = {0};
    struct access_format *format = access_format_new(config->access_log_format, &why);
    if (format == NULL)
        return refuse(config, SLICE("access_log_format"), err, why.message);
    access_format_free(format);
    return 0;
}

/* Told now, not to the first who uploads much. */
static int check_spool_dir(const struct config *config, struct err *err)
{
    const char *folder = config->spool_dir;
    struct stat st;
    char why[320];
    if (folder == NULL)
        return 0;
    int missing = stat(folder, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (missing == 0 && config->user == NULL && access(folder, W_OK | X_OK) != 0)
        missing = errno; /* what another user may do is not asked so easily */
    if (missing == 0)
        return 0;
    snprintf(why, sizeof(why),
             "spool_dir %.120s cannot be used: %s; name a folder to which the workers may write",
             folder, strerror(missing));
    return refuse(config, SLICE("spool_dir"), err, why);
}

int config_finish(struct config *config, struct err *err)
{
    int rc = settle_workers(config, err);
    if (rc != 0)
        return rc;
    rc = check_bind(config, err);
    if (rc == 0)
        rc = check_addresses(config, SLICE("trusted_proxies"), &config->trusted_proxies, err);
    if (rc == 0)
        rc = check_addresses(config, SLICE("debug_allow"), &config->debug_allow, err);
    if (rc == 0)
        rc = check_types(config, err);
    if (rc == 0)
        rc = check_identity(config, err);
    if (rc == 0)
        rc = check_timeouts(config, err);
    if (rc == 0)
        rc = check_metrics(config, err);
    if (rc == 0)
        rc = check_access_format(config, err);
    if (rc == 0)
        rc = check_spool_dir(config, err);
    if (rc != 0)
        return rc;
    if (origin_of(config, SLICE("reload")) == CONFIG_DEFAULT)
        config->reload = config->debug;
    if (origin_of(config, SLICE("access_log")) == CONFIG_DEFAULT)
        config->access_log = config->debug ? "-" : "off";
    if (config->spool_dir == NULL) {
        const char *folder = getenv("TMPDIR");
        config->spool_dir = arena_cstr(
            &config->arena, slice_cstr(folder != NULL && folder[0] == '/' ? folder : "/tmp"));
    }
    return 0;
}

/* A default as --help shows it. */
static void print_default(const struct setting *setting)
{
    if (setting->shown != NULL)
        printf("%s", setting->shown);
    else if (setting->type == SETTING_BOOL)
        printf("%s", setting->number != 0 ? "true" : "false");
    else if (setting->type == SETTING_SECONDS)
        printf("%g s", (double)setting->number / 1000);
    else if (setting->text != NULL)
        printf("%s", setting->text);
    else
        printf("%lld", (long long)setting->number);
}

void config_print_settings(void)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        printf("  %-20s %s [", setting->name, setting->help);
        print_default(setting);
        printf("]\n");
    }
}
