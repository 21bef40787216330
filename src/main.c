/* main.c - the command line: which command, which app, which settings; then server/ does it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "server/completion.h"
#include "server/config.h"
#include "server/dotenv.h"
#include "server/launch.h"
#include "server/log_files.h"
#include "server/options.h"
#include "server/profile_ask.h"
#include "server/script_run.h"
#include "server/supervisor.h"
#include "server/version.h"

/* Exit codes: api.md, "The command line". */
enum { EXIT_USAGE = 2 };

struct program {
    struct launch launch;
    struct arena arena;
    struct options options;
    struct config config;
    const char *app_as_named; /* as it stood on the command line */
    struct err err;
};

/* The error as one line; gives the exit code: usage errors are those of the command line. */
static int complain(const struct err *err)
{
    if (err->name[0] != '\0' && err->line > 0)
        fprintf(stderr, "qlua: %s:%d: %s\n", err->name, err->line, err->message);
    else if (err->name[0] != '\0')
        fprintf(stderr, "qlua: %s: %s\n", err->name, err->message);
    else
        fprintf(stderr, "qlua: %s\n", err->message);
    return err->code == -EINVAL ? EXIT_USAGE : 1;
}

/* An absolute path; links stay, so that a folder that is switched over by a link is followed. */
static char *absolute(const char *path)
{
    char folder[PATH_MAX];
    char *result = NULL;
    while (strncmp(path, "./", 2) == 0)
        path += 2 + strspn(path + 2, "/");
    if (strstr(path, "..") != NULL)
        return realpath(path, NULL);
    if (path[0] == '/')
        return strdup(path);
    if (getcwd(folder, sizeof(folder)) == NULL ||
        asprintf(&result, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path) < 0)
        return NULL;
    return result;
}

static const char *advice(enum command command)
{
    if (command == COMMAND_SCRIPT)
        return "name a Lua file: qlua FILE.lua";
    if (command == COMMAND_CHECK)
        return "name the app file: qlua check FILE.lua";
    if (command == COMMAND_CONFIG)
        return "name the app file: qlua config FILE.lua";
    if (command == COMMAND_REQUEST)
        return "name the app file: qlua request FILE.lua PATH";
    if (command == COMMAND_SHELL)
        return "name the app file: qlua shell FILE.lua";
    return command == COMMAND_ROUTES ? "name the app file: qlua routes FILE.lua"
                                     : "name the app file: qlua run FILE.lua";
}

/* Find the app file that was named (a folder means its app.lua), check that it can be read. */
static int find_app(struct program *program, const char *given)
{
    struct stat st;
    char path[PATH_MAX];
    struct err *err = &program->err;
    int len = snprintf(path, sizeof(path), "%s", given);
    bool folder = stat(given, &st) == 0 && S_ISDIR(st.st_mode);
    if (folder)
        len = snprintf(path, sizeof(path), "%s%sapp.lua", given,
                       given[strlen(given) - 1] == '/' ? "" : "/");
    if (len < 0 || (size_t)len >= sizeof(path))
        return err_set(err, -ENAMETOOLONG, "the path of the app file is too long");
    snprintf(err->name, sizeof(err->name), "%.*s", (int)sizeof(err->name) - 1, path);
    if (stat(path, &st) != 0 && errno == ENOENT)
        return err_set(err, -ENOENT, "no such file; %s", advice(program->options.command));
    if (access(path, R_OK) != 0)
        return err_set(err, -errno, "the app file cannot be read: %s", err_text(-errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EISDIR, "the app file is not a file");
    program->app_as_named = given;
    char *full = absolute(path);
    if (full == NULL)
        return err_set(err, -errno, "the app file cannot be found: %s", err_text(-errno));
    config_set_app(&program->config, full);
    free(full);
    err->name[0] = '\0';
    return 0;
}

static void on_dotenv(void *data, const char *name)
{
    config_note_dotenv(data, name);
}

/* Variables of .env count as if they were set, so they come before all that looks at them. */
static int load_dotenv(struct program *program)
{
    if (dotenv_is_skipped())
        return 0;
    return dotenv_load(program->config.app_root, on_dotenv, &program->config, &program->err);
}

/* What the command line gives, over the layers below. */
static int apply_options(struct program *program)
{
    int rc = 0;
    for (size_t i = 0; i < program->options.nsettings && rc == 0; i++) {
        const struct option_setting *setting = &program->options.settings[i];
        if (setting->is_app_key)
            rc = config_set_app_key(&program->config, CONFIG_COMMAND_LINE, setting->where,
                                    setting->name, setting->value, &program->err);
        else
            rc = config_set(&program->config, CONFIG_COMMAND_LINE, setting->where, setting->name,
                            setting->value, setting->append, &program->err);
    }
    return rc;
}

static int read_layers(struct program *program)
{
    const char *file = program->options.config_file;
    int rc = file != NULL ? config_read_file(&program->config, file, &program->err) : 0;
    if (rc == 0)
        rc = config_read_environment(&program->config, environ, &program->err);
    if (rc == 0)
        rc = apply_options(program);
    return rc == 0 ? config_finish(&program->config, &program->err) : rc;
}

static int run(struct program *program)
{
    struct log_files files;
    if (log_files_open(&files, &program->config, &program->err) != 0)
        return complain(&program->err);
    int code = supervisor_run(&program->config, &files, &program->launch);
    log_files_close(&files);
    return code;
}

/* config: the command gets the settings as JSON and finds the app's keys itself. */
static int show_config(struct program *program)
{
    char json[] = "--json";
    struct buf text = {0};
    config_describe(&program->config, &text);
    buf_char(&text, '\0');
    char *args[] = {text.data, program->options.json ? json : NULL, NULL};
    int code = command_run(&program->config, "qlua.cli.config", program->config.app_path, args);
    buf_clear(&text);
    return code;
}

/* Run a command's module on the app, which is loaded first: its words are `first`, then the options
 * that it reads itself, "--", then `rest` (NULL-terminated). */
static int on_app(struct program *program, const char *module, const char *first, char **rest)
{
    const struct options *options = &program->options;
    size_t count = 0, nrest = 0;
    while (rest[nrest] != NULL)
        nrest++;
    char **args =
        arena_array(&program->arena, options->npassed + nrest + 3, sizeof(*args)); /* zeroed */
    args[count++] = (char *)first;
    for (size_t i = 0; i < options->npassed; i++)
        args[count++] = options->passed[i];
    args[count++] = (char *)"--";
    for (size_t i = 0; i < nrest; i++)
        args[count++] = rest[i];
    return command_run(&program->config, module, program->config.app_path, args);
}

/* Find the app, read its .env and the layers: what all commands begin with that have an app. */
static int prepare(struct program *program, const char *file)
{
    if (file == NULL)
        file = getenv("QLUA_APP");
    if (file == NULL || file[0] == '\0')
        file = "app.lua";
    int rc = find_app(program, file);
    if (rc == 0)
        rc = load_dotenv(program);
    if (rc == 0)
        rc = read_layers(program);
    return rc;
}

/* A method rather than a file: any word in capitals, the usual ones in any letter case. */
static bool is_method(const char *word)
{
    static const char *const usual[] = {"get",    "post", "put",     "patch",
                                        "delete", "head", "options", "trace"};
    if (strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(word))
        return true;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcasecmp(word, usual[i]) == 0)
            return true;
    return false;
}

/* request: [FILE] [METHOD] PATH */
static int request(struct program *program)
{
    char **words = program->options.script_args;
    char none[] = "";
    char *file = NULL, *method = none;
    int count = 0;
    while (words[count] != NULL)
        count++;
    if (count == 0) {
        err_set(&program->err, -EINVAL, "name the path: qlua request [FILE] [METHOD] PATH");
        return complain(&program->err);
    }
    if (count == 3) {
        file = words[0];
        method = words[1];
    } else if (count == 2 && is_method(words[0])) {
        method = words[0];
    } else if (count == 2) {
        file = words[0];
    }
    if (prepare(program, file) != 0)
        return complain(&program->err);
    char *rest[] = {method, words[count - 1], NULL};
    return on_app(program, "qlua.cli.request", "", rest);
}

/* run, routes, check, config, shell and scripts: the app, then the command. */
static int with_app(struct program *program)
{
    const struct options *options = &program->options;
    if (prepare(program, options->file) != 0)
        return complain(&program->err);
    char json[] = "--json";
    char *none[] = {NULL};
    switch (options->command) {
    case COMMAND_ROUTES: return on_app(program, "qlua.cli.routes", options->json ? json : "", none);
    case COMMAND_SHELL: return on_app(program, "qlua.cli.shell", "", none);
    case COMMAND_CONFIG: return show_config(program);
    case COMMAND_CHECK: { /* loads the app itself, to tell what is wrong */
        char *args[] = {(char *)program->config.app_path, (char *)program->app_as_named,
                        options->json ? json : NULL, NULL};
        return command_run(&program->config, "qlua.cli.check", NULL, args);
    }
    case COMMAND_SCRIPT: {
        int code = script_run(&program->config, program->app_as_named, options->script_args);
        if (!program->config.run_requested)
            return code;
        if (config_finish(&program->config, &program->err) != 0)
            return complain(&program->err);
        break;
    }
    default: break;
    }
    return run(program);
}

/* new: no app yet. */
static int new_app(struct program *program)
{
    char **words = program->options.script_args;
    if (words[0] == NULL) {
        err_set(&program->err, -EINVAL, "name the app: qlua new NAME");
        return complain(&program->err);
    }
    if (read_layers(program) != 0)
        return complain(&program->err);
    return command_run(&program->config, "qlua.cli.new", NULL, words);
}

/* completion: from the table of options alone. */
static int completion(struct program *program)
{
    const char *shell = program->options.script_args[0];
    if (shell == NULL || !completion_print(shell)) {
        err_set(&program->err, -EINVAL, "%s%sname the shell: qlua completion bash, zsh or fish",
                shell == NULL ? "" : shell, shell == NULL ? "" : " is no shell it knows; ");
        return complain(&program->err);
    }
    return 0;
}

/* The app.lua that specs at `start` are of: beside it, or in the nearest folder above. */
static bool app_above(const char *start, char *found, size_t size)
{
    char *folder = absolute(start);
    bool is_there = false;
    while (folder != NULL && folder[0] != '\0' && !is_there) {
        const char *name = strrchr(folder, '/');
        if (name == NULL || strcmp(name, "/spec") != 0) {
            int len = snprintf(found, size, "%s/app.lua", folder);
            is_there = len > 0 && (size_t)len < size && access(found, R_OK) == 0;
        }
        folder[name == NULL ? 0 : name - folder] = '\0';
    }
    free(folder);
    return is_there;
}

/* test: the app is loaded by the specs; here its place, its .env and the layers. */
static int test(struct program *program)
{
    char **paths = program->options.script_args;
    char found[PATH_MAX];
    const char *app = getenv("QLUA_APP");
    if (app_above(paths[0] != NULL ? paths[0] : "spec", found, sizeof(found)))
        app = found;
    if (app != NULL && app[0] != '\0' && (find_app(program, app) != 0 || load_dotenv(program) != 0))
        return complain(&program->err);
    if (read_layers(program) != 0)
        return complain(&program->err);
    return command_run(&program->config, "qlua.cli.test", NULL, paths);
}

/* session: no app is needed to look at a cookie. */
static int session(struct program *program)
{
    const struct options *options = &program->options;
    char *args[] = {options->script_args[0], (char *)options->secret, NULL};
    if (args[0] == NULL) {
        err_set(&program->err, -EINVAL, "name the cookie: qlua session COOKIE [--secret SECRET]");
        return complain(&program->err);
    }
    if (read_layers(program) != 0)
        return complain(&program->err);
    return command_run(&program->config, "qlua.cli.session", NULL, args);
}

/* render: a template and its values, without an app. */
static int render(struct program *program)
{
    const struct options *options = &program->options;
    if (options->script_args[0] == NULL) {
        err_set(&program->err, -EINVAL,
                "name the template: qlua render FILE [--data FILE.json|-] [NAME=VALUE ...]");
        return complain(&program->err);
    }
    size_t count = 0;
    while (options->script_args[count] != NULL)
        count++;
    char none[] = "";
    char **args = arena_array(&program->arena, count + 2, sizeof(*args));
    args[0] = options->data != NULL ? (char *)options->data : none;
    memcpy(args + 1, options->script_args, count * sizeof(*args));
    if (read_layers(program) != 0)
        return complain(&program->err);
    return command_run(&program->config, "qlua.cli.render", NULL, args);
}

/* status and reload: the settings tell which supervisor is meant. */
static int ask(struct program *program)
{
    const struct options *options = &program->options;
    if (read_layers(program) != 0)
        return complain(&program->err);
    const char *command = options->json ? "status json" : "status";
    return supervisor_ask(&program->config,
                          options->command == COMMAND_RELOAD ? "reload" : command);
}

/* The digits of a word as a number from 1 to `most`; 0 when it is none. */
static long number_of(const char *word, long most)
{
    char *end;
    errno = 0;
    long number = strtol(word, &end, 10);
    return errno == 0 && *end == '\0' && end != word && number >= 1 && number <= most ? number : 0;
}

/* profile: asks the server, then shows what came. */
static int profile(struct program *program)
{
    const struct options *options = &program->options;
    const char *pid = options->script_args[0];
    long seconds = options->seconds == NULL ? 10 : number_of(options->seconds, 600);
    if (pid != NULL && number_of(pid, INT_MAX) == 0)
        err_set(&program->err, -EINVAL, "%s is no process id: qlua profile [PID]", pid);
    else if (seconds == 0)
        err_set(&program->err, -EINVAL, "--seconds takes a whole number from 1 to 600, not %s",
                options->seconds);
    if (program->err.message[0] != '\0' || read_layers(program) != 0)
        return complain(&program->err);
    struct buf taken = {0};
    int code = profile_ask(&program->config, pid == NULL ? 0 : (int)number_of(pid, INT_MAX),
                           (uint32_t)seconds * 1000, &taken);
    buf_char(&taken, '\0');
    char json[] = "json", text[] = "text";
    char *args[] = {taken.data, options->json ? json : text, (char *)options->html, NULL};
    if (code == 0)
        code = command_run(&program->config, "qlua.cli.profile", NULL, args);
    buf_clear(&taken);
    return code;
}

static int start(struct program *program)
{
    switch (program->options.command) {
    case COMMAND_HELP: options_print_help(program->options.topic); return 0;
    case COMMAND_VERSION: version_print(); return 0;
    case COMMAND_RELOAD:
    case COMMAND_STATUS: return ask(program);
    case COMMAND_PROFILE: return profile(program);
    case COMMAND_TEST: return test(program);
    case COMMAND_SESSION: return session(program);
    case COMMAND_RENDER: return render(program);
    case COMMAND_NEW: return new_app(program);
    case COMMAND_REQUEST: return request(program);
    case COMMAND_COMPLETION: return completion(program);
    case COMMAND_SHELL:
    case COMMAND_CHECK:
    case COMMAND_RUN:
    case COMMAND_ROUTES:
    case COMMAND_CONFIG:
    case COMMAND_SCRIPT: return with_app(program);
    }
    return EXIT_USAGE;
}

/* Started with a closed standard stream: what is opened first would take its place, and get what is
 * meant for people. */
static void hold_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* What was printed has arrived, or the exit code says that it has not: a full disk is no success.
 */
static int end_output(const struct program *program, int code)
{
    bool serves = program->options.command == COMMAND_RUN || program->config.run_requested;
    if (serves || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    fputs("qlua: standard output could not be written; is the disk full?\n", stderr);
    return code == 0 ? 1 : code;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    hold_standard_streams();
    /* lines of several processes on one terminal or pipe must not mix */
    setvbuf(stdout, NULL, _IOLBF, 0);
    arena_init(&program.arena);
    config_init(&program.config);
    int code;
    if (launch_note(&program.launch, argv, &program.err) != 0 ||
        options_parse(&program.options, &program.arena, argc, argv, &program.err) != 0)
        code = complain(&program.err);
    else
        code = start(&program);
    code = end_output(&program, code);
    config_clear(&program.config);
    arena_clear(&program.arena);
    launch_clear(&program.launch);
    return code;
}
