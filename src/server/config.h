/* server/config.h - every server setting, from where it was given to where it is used.
 *
 * Place in the flow: main.c reads the layers in order (defaults, the file's `server` object,
 * .env and QLUA_SERVER__NAME, the command line) and hands the result to the supervisor and the
 * workers, which only read it. App keys are not understood here: they are kept as JSON text for the
 * worker, which lays them into app.config. The table of all settings is server/config_table.c.
 */
#ifndef QLUA_SERVER_CONFIG_H
#define QLUA_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "bind/config.h"

struct buf;
struct debug_guard;
struct err;

/* How many settings config_table.c holds at most. */
#define CONFIG_MAX 64

/* `workers` = "auto": one per processor this process may use. Resolved by config_finish. */
#define CONFIG_WORKERS_AUTO (-1)

enum config_origin {
    CONFIG_DEFAULT,     /* nobody gave it */
    CONFIG_FILE,        /* the `server` object of the config file */
    CONFIG_DOTENV,      /* a variable that the file .env sets */
    CONFIG_ENVIRONMENT, /* QLUA_SERVER__NAME or QLUA_DEBUG */
    CONFIG_SCRIPT,      /* app:run{} of a script that became a server: its command line */
    CONFIG_COMMAND_LINE /* an option or --set server.NAME */
};

struct config_list {
    const char **items; /* NUL-terminated texts */
    size_t count;
};

/* All lives in `arena`. Durations are milliseconds, sizes bytes; texts without a value are NULL. */
struct config {
    struct arena arena;
    enum config_origin origin[CONFIG_MAX]; /* by place in the table: who gave the value, ... */
    const char *where[CONFIG_MAX];         /* ... and in what words ("--port", "c.json:3") */

    const char *app_path;      /* absolute path of the app file, NULL before it is known */
    const char *app_name;      /* its stem: "app" for app.lua, the value of ... in the app file */
    const char *app_root;      /* its folder, absolute, without a last slash */
    const char *file;          /* the config file as given, or NULL */
    struct app_keys app_file;  /* the file's `app` object */
    struct app_keys app_set;   /* --set KEY=VALUE */
    struct config_list dotenv; /* the variables that the file .env has set */
    bool run_requested;        /* a script called app:run */
    struct debug_guard *debug_guard; /* debug mode, once the server runs; not the config's own */
    int64_t lowered_from;            /* max_connections as given, when limits_fit has lowered it */

    /* addresses */
    const char *host;
    int64_t port;
    struct config_list bind;
    int64_t backlog;
    bool reuse_port;

    /* processes */
    int64_t workers;
    int64_t start_timeout;
    int64_t worker_timeout;
    int64_t graceful_timeout;
    int64_t drain_timeout;
    int64_t max_restarts;
    int64_t max_requests;
    int64_t max_requests_jitter;
    const char *user;
    const char *group;
    const char *pid_file;
    const char *control;
    int64_t rlimit_nofile; /* -1: the hard limit */
    int64_t rlimit_core;   /* -1: unchanged */

    /* connections and requests */
    int64_t max_connections;
    int64_t max_header_size;
    int64_t max_target_size;
    int64_t header_timeout;
    int64_t keep_alive_timeout;
    struct config_list trusted_proxies;
    const char *server_header;
    const char *spool_dir; /* never NULL after config_finish */
    bool gzip;
    int64_t gzip_min_size;
    struct config_list gzip_types;
    const char *cert;
    const char *key;

    /* handlers */
    int64_t lua_memory_limit;  /* 0: off */
    int64_t handler_cpu_limit; /* 0: off */

    /* log and debugging */
    const char *log;        /* a file, "-" for standard error */
    const char *log_level;  /* a word log_level_of knows */
    const char *log_format; /* "text" or "json" */
    const char *access_log; /* a file, "-" for standard error, "off" */
    const char *access_log_format;
    const char *metrics_path;
    bool debug;
    bool reload;
    struct config_list debug_allow;
};

/* Everything at its default. config_clear frees what the config holds. */
void config_init(struct config *config);
void config_clear(struct config *config);

/* Name the app file (absolute path): app_path, app_name and app_root. */
void config_set_app(struct config *config, const char *path);

/* Whether somebody gave this setting. */
bool config_is_given(const struct config *config, struct slice name);

/* Set one server setting. `value` is JSON when it parses as JSON, else text (never in the file).
 * `where` names the place in messages ("--port", "QLUA_SERVER__PORT"). A later layer replaces an
 * earlier one; items of a list given in one layer are appended when `append`. 0, or err. Here and
 * below the code is -EINVAL when the command line or a script is at fault (a usage error), and
 * another one when a file or the environment is. */
int config_set(struct config *config, enum config_origin origin, const char *where,
               struct slice name, struct slice value, bool append, struct err *err);

/* The same for an app key, into app_file or app_set; a value that is no JSON becomes a JSON
 * string. A key that does not begin with an upper-case letter is refused. 0, or err. */
int config_set_app_key(struct config *config, enum config_origin origin, const char *where,
                       struct slice key, struct slice value, struct err *err);

/* What app:run{} of a script asks for, in place of a command line; a NULL host and a value of -1
 * are not given; debug is 0 or 1. Sets run_requested. */
int config_set_run(struct config *config, const char *host, int64_t port, int debug,
                   int64_t workers, struct err *err);

/* Read the config file: JSON with the objects `server` and `app`. 0, or err with file and key. */
int config_read_file(struct config *config, const char *path, struct err *err);

/* The file .env has set this variable: to be called before config_read_environment. */
void config_note_dotenv(struct config *config, const char *name);

/* Read QLUA_SERVER__NAME and QLUA_DEBUG from environ. */
int config_read_environment(struct config *config, char **environment, struct err *err);

/* Settle what depends on other settings (reload and access_log on debug, workers "auto"), and
 * refuse what contradicts itself. May be called again after a change. */
int config_finish(struct config *config, struct err *err);

/* Append for `qlua config`, as JSON: { "settings": [{ name, value, shown, from, where }, ...],
 * "dotenv": [names] }; a value of null has `shown`, its default in words. After config_finish. */
void config_describe(struct config *config, struct buf *out);

/* Write the table of settings, with defaults, to standard output. */
void config_print_settings(void);

#endif
