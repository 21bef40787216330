/* server/options.c - the words of the command line. See options.h. */
#include "server/options.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/nearest.h"
#include "server/config.h"

/* Which commands an option belongs to. */
enum {
    FOR_CONFIG = 1 << COMMAND_CONFIG,
    FOR_RUN = 1 << COMMAND_RUN | FOR_CONFIG, /* config shows what the same words make of run */
    FOR_RELOAD = 1 << COMMAND_RELOAD,
    FOR_STATUS = 1 << COMMAND_STATUS,
    FOR_ROUTES = 1 << COMMAND_ROUTES,
    FOR_TEST = 1 << COMMAND_TEST,
    FOR_CHECK = 1 << COMMAND_CHECK,
    FOR_RENDER = 1 << COMMAND_RENDER,
    FOR_SESSION = 1 << COMMAND_SESSION,
    FOR_ASKING = FOR_RELOAD | FOR_STATUS,
    FOR_ALL = FOR_RUN | FOR_ASKING | FOR_ROUTES | FOR_TEST | FOR_CHECK
};

/* An option stands for a setting, or for one of the special words below it. */
struct option {
    const char *name;
    const char *value;   /* what follows it, in help; NULL: nothing */
    const char *setting; /* the setting it gives, or NULL */
    const char *fixed;   /* that setting's value when nothing follows */
    bool append;
    unsigned commands;
    const char *help;
};

static const struct option option_table[] = {
    {"--host", "ADDRESS", "host", NULL, false, FOR_RUN, "address or name to listen on"},
    {"--port", "PORT", "port", NULL, false, FOR_RUN | FOR_ASKING, "port to listen on"},
    {"--bind", "ADDRESS", "bind", NULL, true, FOR_RUN,
     "HOST:PORT, [V6]:PORT or unix:/PATH; may stand several times"},
    {"--workers", "N|auto", "workers", NULL, false, FOR_RUN,
     "worker processes; 0: one without a supervisor"},
    {"--debug", NULL, "debug", "true", false, FOR_RUN, "debug mode: for development only"},
    {"--reload", NULL, "reload", "true", false, FOR_RUN, "load the app anew when its files change"},
    {"--no-reload", NULL, "reload", "false", false, FOR_RUN, "do not"},
    {"--access-log", "FILE|-|off", "access_log", NULL, false, FOR_RUN, "a line for every answer"},
    {"--cert", "FILE", "cert", NULL, false, FOR_RUN, "TLS certificate: speak HTTPS"},
    {"--key", "FILE", "key", NULL, false, FOR_RUN, "its private key"},
    {"--control", "PATH", "control", NULL, false, FOR_RUN | FOR_ASKING,
     "socket of the running supervisor"},
    {"--config", "FILE", NULL, NULL, false, FOR_ALL, "JSON with the objects server and app"},
    {"--set", "KEY=VALUE", NULL, NULL, true, FOR_ALL, "an app key, or a setting as server.NAME"},
    {"--json", NULL, NULL, NULL, false, FOR_STATUS | FOR_ROUTES | FOR_CHECK | FOR_CONFIG,
     "answer in JSON"},
    {"--data", "FILE|-", NULL, NULL, false, FOR_RENDER,
     "JSON object with the template's values; -: from standard input"},
    {"--secret", "SECRET", NULL, NULL, false, FOR_SESSION, "the key that must have signed it"},
    {"--help", NULL, NULL, NULL, false, FOR_ALL | FOR_SESSION | FOR_RENDER, "this text"},
};

#define OPTION_COUNT (sizeof(option_table) / sizeof(option_table[0]))

struct command_word {
    const char *word;
    enum command command;
    const char *arguments;
    const char *help;
};

static const struct command_word command_table[] = {
    {"run", COMMAND_RUN, "[FILE]", "serve the app (FILE, $QLUA_APP or ./app.lua)"},
    {"reload", COMMAND_RELOAD, "", "ask the running supervisor to load the app anew"},
    {"status", COMMAND_STATUS, "", "ask the running supervisor how it is"},
    {"routes", COMMAND_ROUTES, "[FILE]", "list the app's routes in match order"},
    {"config", COMMAND_CONFIG, "[FILE]", "show every setting and key, and where it came from"},
    {"test", COMMAND_TEST, "[PATH ...]", "run the specs in ./spec or PATH with busted"},
    {"check", COMMAND_CHECK, "[FILE]", "load the app and compile all its templates"},
    {"render", COMMAND_RENDER, "FILE [K=V ...]", "render a template to standard output"},
    {"session", COMMAND_SESSION, "COOKIE", "show what a session cookie holds"},
};

#define COMMAND_COUNT (sizeof(command_table) / sizeof(command_table[0]))

/* The words being parsed. */
struct words {
    char **at; /* the next one; NULL-terminated */
    struct options *options;
    struct arena *arena;
    struct err *err;
};

static const char *word_of(enum command command)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (command_table[i].command == command)
            return command_table[i].word;
    return "qlua";
}

static int unknown_option(const struct words *words, struct slice name)
{
    const char *names[OPTION_COUNT];
    unsigned command = 1u << words->options->command;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = (option_table[i].commands & command) != 0 ? option_table[i].name : NULL;
    const char *near = nearest_name(name, names, OPTION_COUNT);
    const char *word = word_of(words->options->command);
    if (near == NULL && words->options->command == COMMAND_TEST)
        return err_set(words->err, -EINVAL,
                       "unknown option %.*s; busted's own go behind \"--\": qlua test -- %.*s",
                       (int)name.len, name.data, (int)name.len, name.data);
    if (near == NULL)
        return err_set(words->err, -EINVAL, "unknown option %.*s; qlua %s --help lists them",
                       (int)name.len, name.data, word);
    return err_set(words->err, -EINVAL, "unknown option %.*s of qlua %s; did you mean %s?",
                   (int)name.len, name.data, word, near);
}

static const struct option *find_option(struct slice name, enum command command)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (slice_eq(name, slice_cstr(option_table[i].name)) &&
            (option_table[i].commands & (1u << command)) != 0)
            return &option_table[i];
    return NULL;
}

/* "KEY=VALUE" or "server.NAME=VALUE" */
static int take_set(struct words *words, struct slice value, struct option_setting *setting)
{
    struct slice name = slice_split(&value, '=');
    if (name.data + name.len == value.data)
        return err_set(words->err, -EINVAL, "--set needs KEY=VALUE, not %.*s", (int)name.len,
                       name.data);
    *setting = (struct option_setting){.name = name, .value = value};
    setting->is_app_key = !slice_starts_with(name, SLICE("server."));
    if (!setting->is_app_key)
        setting->name = slice_from(name, 7);
    struct buf where = {0};
    buf_printf(&where, "--set %.*s", (int)name.len, name.data);
    setting->where = arena_cstr(words->arena, buf_view(&where));
    buf_clear(&where);
    if (setting->name.len == 0)
        return err_set(words->err, -EINVAL, "--set needs a name before the \"=\"");
    return 0;
}

/* Act on an option whose value, if it takes one, is known. */
static int apply(struct words *words, const struct option *option, struct slice value)
{
    struct options *options = words->options;
    struct option_setting *setting = &options->settings[options->nsettings];
    struct slice name = slice_cstr(option->name);
    if (option->setting != NULL) {
        *setting = (struct option_setting){.name = slice_cstr(option->setting),
                                           .value = value,
                                           .where = option->name,
                                           .append = option->append};
        options->nsettings++;
    } else if (slice_eq(name, SLICE("--set"))) {
        int rc = take_set(words, value, setting);
        if (rc != 0)
            return rc;
        options->nsettings++;
    } else if (slice_eq(name, SLICE("--config"))) {
        options->config_file = arena_cstr(words->arena, value);
    } else if (slice_eq(name, SLICE("--json"))) {
        options->json = true;
    } else if (slice_eq(name, SLICE("--secret"))) {
        options->secret = value.data; /* the rest of its word */
    } else if (slice_eq(name, SLICE("--data"))) {
        options->data = value.data;
    } else {
        options->topic = options->command;
        options->command = COMMAND_HELP;
    }
    return 0;
}

/* "--name", "--name VALUE" or "--name=VALUE" */
static int take_option(struct words *words, struct slice word)
{
    struct slice value = word;
    struct slice name = slice_split(&value, '=');
    bool attached = name.len < word.len;
    if (slice_eq(name, SLICE("-h")))
        name = SLICE("--help");
    const struct option *option = find_option(name, words->options->command);
    if (option == NULL)
        return unknown_option(words, name);
    if (option->value == NULL && attached)
        return err_set(words->err, -EINVAL, "%s takes no value", option->name);
    if (option->value == NULL)
        return apply(words, option, option->fixed != NULL ? slice_cstr(option->fixed) : SLICE(""));
    if (!attached) {
        if (*words->at == NULL || strncmp(*words->at, "--", 2) == 0)
            return err_set(words->err, -EINVAL, "%s needs a value: %s %s", option->name,
                           option->name, option->value);
        value = slice_cstr(*words->at++);
    }
    if (value.len == 0)
        return err_set(words->err, -EINVAL, "%s needs a value that is not empty", option->name);
    return apply(words, option, value);
}

/* The words after a command. */
static int take_words(struct words *words)
{
    struct options *options = words->options;
    bool takes_file = options->command == COMMAND_RUN || options->command == COMMAND_ROUTES ||
                      options->command == COMMAND_CHECK || options->command == COMMAND_CONFIG;
    bool only_files = false;
    size_t npaths = 0;
    int rc = 0;
    while (rc == 0 && *words->at != NULL && options->command != COMMAND_HELP) {
        struct slice word = slice_cstr(*words->at++);
        if (!only_files && slice_eq(word, SLICE("--")))
            only_files = true;
        else if (!only_files && word.len > 1 && word.data[0] == '-')
            rc = take_option(words, word);
        else if (takes_file && options->file == NULL && word.len > 0)
            options->file = word.data;
        else if (options->command == COMMAND_TEST || options->command == COMMAND_RENDER ||
                 (options->command == COMMAND_SESSION && npaths == 0))
            options->script_args[npaths++] = words->at[-1];
        else
            rc = err_set(words->err, -EINVAL, "unexpected word \"%s\" after qlua %s", word.data,
                         word_of(options->command));
    }
    return rc;
}

static int unknown_command(struct slice word, struct err *err)
{
    const char *names[COMMAND_COUNT + 2];
    bool is_option = word.data[0] == '-';
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = is_option ? NULL : command_table[i].word;
    names[COMMAND_COUNT] = is_option ? "--version" : NULL;
    names[COMMAND_COUNT + 1] = is_option ? "--help" : NULL;
    const char *near = nearest_name(word, names, COMMAND_COUNT + 2);
    const char *kind = is_option ? "option" : "command";
    if (near == NULL)
        return err_set(err, -EINVAL, "unknown %s %s; qlua --help lists them", kind, word.data);
    return err_set(err, -EINVAL, "unknown %s %s; did you mean %s?", kind, word.data, near);
}

/* Whether the first word names a Lua file rather than a command. */
static bool is_script(struct slice word)
{
    return word.len > 0 && word.data[0] != '-' &&
           (slice_ends_with(word, SLICE(".lua")) || slice_find(word, '/') < word.len);
}

int options_parse(struct options *options, struct arena *arena, int argc, char **argv,
                  struct err *err)
{
    *options = (struct options){.command = COMMAND_HELP, .topic = COMMAND_HELP};
    if (argc < 2 || argv[1][0] == '\0')
        return err_set(err, -EINVAL,
                       "no command; qlua run serves ./app.lua, qlua --help tells more");
    struct slice first = slice_cstr(argv[1]);
    if (slice_eq(first, SLICE("--help")) || slice_eq(first, SLICE("-h")))
        return 0;
    if (slice_eq(first, SLICE("--version"))) {
        options->command = COMMAND_VERSION;
        return 0;
    }
    /* every word gives one setting at most */
    options->settings = arena_array(arena, (size_t)argc, sizeof(*options->settings));
    options->script_args = arena_array(arena, (size_t)argc, sizeof(*options->script_args));
    struct words words = {argv + 2, options, arena, err};
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!slice_eq(first, slice_cstr(command_table[i].word)))
            continue;
        options->command = command_table[i].command;
        return take_words(&words);
    }
    if (!is_script(first))
        return unknown_command(first, err);
    options->command = COMMAND_SCRIPT;
    options->file = argv[1];
    options->script_args = argv + 2;
    return 0;
}

static void print_options(enum command command)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];
        char shown[40];
        if ((option->commands & (1u << command)) == 0)
            continue;
        snprintf(shown, sizeof(shown), "%s %s", option->name,
                 option->value != NULL ? option->value : "");
        printf("  %-24s %s\n", shown, option->help);
    }
}

void options_print_help(enum command topic)
{
    if (topic == COMMAND_HELP) {
        printf("qlua serves apps written in Lua.\n\n");
        for (size_t i = 0; i < COMMAND_COUNT; i++)
            printf("  qlua %-7s %-14s %s\n", command_table[i].word, command_table[i].arguments,
                   command_table[i].help);
        printf("  qlua FILE.lua [ARGS]        run a script with qlua's modules at hand\n"
               "  qlua --version              versions of qlua and its libraries\n\n"
               "qlua COMMAND --help tells more about one of them.\n");
        return;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (command_table[i].command == topic)
            printf("qlua %s %s: %s\n\n", command_table[i].word, command_table[i].arguments,
                   command_table[i].help);
    print_options(topic);
    if (topic == COMMAND_RUN) {
        printf("\nServer settings (config file, QLUA_SERVER__NAME, --set server.NAME=VALUE):\n");
        config_print_settings();
    }
}
