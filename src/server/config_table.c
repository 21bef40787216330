/* server/config_table.c - the one list of server settings: name, type, default, range, help. */
#include "server/config_internal.h"

#define AT(field)     offsetof(struct config, field)
#define SECOND        1000
#define HOUR          (3600 * (int64_t)SECOND)
#define KIB           ((int64_t)1024)
#define MIB           (1024 * KIB)
#define ANY           INT64_MAX
#define NO_TEXT       NULL, NULL, NULL
#define DEFAULT_TYPES "text/*,application/json,application/javascript,application/xml,image/svg+xml"

/* clang-format off: a table is read by columns */
const struct setting config_settings[] = {
    /* addresses */
    {"host", SETTING_TEXT, AT(host), 0, 0, 0, "127.0.0.1", NULL, NULL, 0,
     "address or name to listen on"},
    {"port", SETTING_INT, AT(port), 5000, 0, 65535, NO_TEXT, 0,
     "port to listen on; 0 lets the system choose"},
    {"bind", SETTING_LIST, AT(bind), 0, 0, 0, NULL, "none", NULL, 0,
     "addresses instead of host and port: HOST:PORT, [V6]:PORT, unix:/PATH"},
    {"backlog", SETTING_INT, AT(backlog), 1024, 1, 65535, NO_TEXT, 0,
     "connections that may wait to be accepted"},
    {"reuse_port", SETTING_BOOL, AT(reuse_port), 0, 0, 1, NO_TEXT, 0,
     "let other servers share the port (SO_REUSEPORT)"},
    /* processes */
    {"workers", SETTING_WORKERS, AT(workers), 1, 0, 512, NO_TEXT, 0,
     "worker processes; auto: one per usable processor; 0: no supervisor"},
    {"start_timeout", SETTING_SECONDS, AT(start_timeout), 60 * SECOND, 100, HOUR, NO_TEXT,
     SETTING_LIVE, "seconds a worker may take to load the app"},
    {"worker_timeout", SETTING_SECONDS, AT(worker_timeout), 30 * SECOND, SECOND, HOUR, NO_TEXT,
     SETTING_ZERO_OFF | SETTING_LIVE,
     "seconds without a sign of life before a worker is replaced; 0: never"},
    {"graceful_timeout", SETTING_SECONDS, AT(graceful_timeout), 10 * SECOND, 0, HOUR, NO_TEXT,
     SETTING_LIVE, "seconds that requests may take to end at a stop"},
    {"drain_timeout", SETTING_SECONDS, AT(drain_timeout), 60 * SECOND, 0, HOUR, NO_TEXT,
     SETTING_LIVE, "seconds that requests may take to end in old code after a reload"},
    {"max_restarts", SETTING_INT, AT(max_restarts), 10, 0, 100000, NO_TEXT, 0,
     "workers replaced within 60 s before the service gives up"},
    {"max_requests", SETTING_INT, AT(max_requests), 0, 0, ANY, NO_TEXT, SETTING_LIVE,
     "requests after which a worker is replaced; 0: never"},
    {"max_requests_jitter", SETTING_INT, AT(max_requests_jitter), 0, 0, ANY, NO_TEXT, SETTING_LIVE,
     "at most so many requests more, by chance"},
    {"user", SETTING_TEXT, AT(user), 0, 0, 0, NULL, "none", NULL, 0,
     "user the workers run as: a name or a number"},
    {"group", SETTING_TEXT, AT(group), 0, 0, 0, NULL, "none", NULL, 0,
     "group the workers run as: a name or a number"},
    {"pid_file", SETTING_TEXT, AT(pid_file), 0, 0, 0, NULL, "none", NULL, 0,
     "file that holds the supervisor's process id"},
    {"control", SETTING_TEXT, AT(control), 0, 0, 0, NULL, "qlua-PORT.sock in $XDG_RUNTIME_DIR",
     NULL, 0, "socket that qlua status, profile and reload ask"},
    {"rlimit_nofile", SETTING_INT, AT(rlimit_nofile), -1, 64, ANY, NULL, "the hard limit", NULL, 0,
     "files and connections a process may have open"},
    {"rlimit_core", SETTING_INT, AT(rlimit_core), -1, 0, ANY, NULL, "unchanged", NULL, 0,
     "bytes of a core file"},
    /* connections and requests */
    {"max_connections", SETTING_INT, AT(max_connections), 16384, 1, 10000000, NO_TEXT, 0,
     "open connections of a worker"},
    {"max_header_size", SETTING_INT, AT(max_header_size), 16 * KIB, 512, 16 * MIB, NO_TEXT,
     SETTING_LIVE, "bytes of a request's headers"},
    {"max_target_size", SETTING_INT, AT(max_target_size), 8 * KIB, 64, 16 * MIB, NO_TEXT,
     SETTING_LIVE, "bytes of a request's target"},
    {"header_timeout", SETTING_SECONDS, AT(header_timeout), 20 * SECOND, 100, HOUR, NO_TEXT,
     SETTING_LIVE, "seconds a request's headers may take"},
    {"keep_alive_timeout", SETTING_SECONDS, AT(keep_alive_timeout), 30 * SECOND, 100, 24 * HOUR,
     NO_TEXT, SETTING_LIVE, "seconds an idle connection is kept"},
    {"trusted_proxies", SETTING_LIST, AT(trusted_proxies), 0, 0, 0, NULL, "none", NULL,
     SETTING_LIVE, "proxies whose X-Forwarded headers count: CIDR or unix"},
    {"server_header", SETTING_TEXT, AT(server_header), 0, 0, 0, NULL, "none", NULL, SETTING_LIVE,
     "value of the Server header"},
    {"spool_dir", SETTING_TEXT, AT(spool_dir), 0, 0, 0, NULL, "the temporary folder", NULL,
     SETTING_LIVE, "folder for large uploads"},
    {"gzip", SETTING_BOOL, AT(gzip), 0, 0, 1, NO_TEXT, SETTING_LIVE,
     "compress answers for clients that take gzip"},
    {"gzip_min_size", SETTING_INT, AT(gzip_min_size), 1024, 0, ANY, NO_TEXT, SETTING_LIVE,
     "bytes of the smallest answer that is compressed"},
    {"gzip_types", SETTING_LIST, AT(gzip_types), 0, 0, 0, DEFAULT_TYPES, NULL, NULL, SETTING_LIVE,
     "content types that are compressed; one * stands for any text"},
    {"cert", SETTING_TEXT, AT(cert), 0, 0, 0, NULL, "none", NULL, 0,
     "TLS certificate, a PEM file: TCP addresses speak HTTPS"},
    {"key", SETTING_TEXT, AT(key), 0, 0, 0, NULL, "in cert's file", NULL, 0,
     "the certificate's private key, a PEM file"},
    /* handlers */
    {"lua_memory_limit", SETTING_INT, AT(lua_memory_limit), 512 * MIB, 16 * MIB, ANY, NO_TEXT,
     SETTING_ZERO_OFF | SETTING_LIVE, "bytes of Lua's memory in a worker; 0: no limit"},
    {"handler_cpu_limit", SETTING_SECONDS, AT(handler_cpu_limit), 5 * SECOND, 10, HOUR, NO_TEXT,
     SETTING_ZERO_OFF | SETTING_LIVE, "seconds of processor time a request may use; 0: no limit"},
    /* log and debugging */
    {"log", SETTING_TEXT, AT(log), 0, 0, 0, "-", NULL, NULL, 0,
     "file of the log; -: standard error"},
    {"log_level", SETTING_CHOICE, AT(log_level), 0, 0, 0, "info", NULL,
     "debug,info,warning,error,critical", SETTING_LIVE, "least level that is logged"},
    {"log_format", SETTING_CHOICE, AT(log_format), 0, 0, 0, "text", NULL, "text,json", 0,
     "form of the log's lines"},
    {"access_log", SETTING_TEXT, AT(access_log), 0, 0, 0, "off", "off; - in debug mode", NULL, 0,
     "file with a line per answer; -: standard error; off"},
    {"access_log_format", SETTING_TEXT, AT(access_log_format), 0, 0, 0, NULL,
     "Quart's, with time and pid", NULL, 0,
     "form of the access log's lines: common, combined, or fields like %(h)s or %h"},
    {"metrics_path", SETTING_TEXT, AT(metrics_path), 0, 0, 0, NULL, "none", NULL, SETTING_LIVE,
     "path that answers with figures for Prometheus"},
    {"debug", SETTING_BOOL, AT(debug), 0, 0, 1, NO_TEXT, 0, "debug mode: for development only"},
    {"reload", SETTING_BOOL, AT(reload), 0, 0, 1, NULL, "as debug", NULL, 0,
     "load the app anew when its files change"},
    {"debug_allow", SETTING_LIST, AT(debug_allow), 0, 0, 0, "127.0.0.0/8,::1", NULL, NULL, 0,
     "who may see debug pages: CIDR or unix"},
};
/* clang-format on */

const size_t config_setting_count = sizeof(config_settings) / sizeof(config_settings[0]);

_Static_assert(sizeof(config_settings) / sizeof(config_settings[0]) <= CONFIG_MAX,
               "CONFIG_MAX is too small");

int config_setting_find(struct slice name)
{
    for (size_t i = 0; i < config_setting_count; i++)
        if (slice_eq(name, slice_cstr(config_settings[i].name)))
            return (int)i;
    return -1;
}
