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
#include "server/options_internal.h"

/* Which commands an option belongs to. */
enum {
    FOR_CONFIG = 1 << COMMAND_CONFIG,
    FOR_RUN = 1 << COMMAND_RUN | FOR_CONFIG, /* config shows what the same words make of run */
    FOR_RELOAD = 1 << COMMAND_RELOAD,
    FOR_STATUS = 1 << COMMAND_STATUS,
    FOR_PROFILE = 1 << COMMAND_PROFILE,
    FOR_ROUTES = 1 << COMMAND_ROUTES,
    FOR_TEST = 1 << COMMAND_TEST,
    FOR_CHECK = 1 << COMMAND_CHECK,
    FOR_RENDER = 1 << COMMAND_RENDER,
    FOR_SESSION = 1 << COMMAND_SESSION,
    FOR_NEW = 1 << COMMAND_NEW,
    FOR_REQUEST = 1 << COMMAND_REQUEST,
    FOR_SHELL = 1 << COMMAND_SHELL,
    FOR_COMPLETION = 1 << COMMAND_COMPLETION,
    FOR_ASKING = FOR_RELOAD | FOR_STATUS | FOR_PROFILE,
    FOR_ALL = FOR_RUN | FOR_ASKING | FOR_ROUTES | FOR_TEST | FOR_CHECK | FOR_REQUEST | FOR_SHELL
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
    {"--json", NULL, NULL, NULL, false,
     FOR_STATUS | FOR_PROFILE | FOR_ROUTES | FOR_CHECK | FOR_CONFIG, "answer in JSON"},
    {"--seconds", "N", NULL, NULL, false, FOR_PROFILE, "take so long, by default 10"},
    {"--html", "FILE", NULL, NULL, false, FOR_PROFILE, "write a page with a flame graph"},
    {"--data", "FILE|-", NULL, NULL, false, FOR_RENDER,
     "JSON object with the template's values; -: from standard input"},
    {"--secret", "SECRET", NULL, NULL, false, FOR_SESSION, "the key that must have signed it"},
    {"--sort", "match|endpoint|methods|rule", NULL, NULL, false, FOR_ROUTES,
     "in this order; by default that in which they match"},
    {"--all-methods", NULL, NULL, NULL, false, FOR_ROUTES, "HEAD and OPTIONS too"},
    {"--header", "NAME:VALUE", NULL, NULL, false, FOR_REQUEST,
     "send a header; may stand several times"},
    {"--data", "TEXT|@FILE|@-", NULL, NULL, false, FOR_REQUEST,
     "the body: text, a file, @-: standard input"},
    {"--json", "TEXT|@FILE|@-", NULL, NULL, false, FOR_REQUEST, "the same as application/json"},
    {"--include", NULL, NULL, NULL, false, FOR_REQUEST, "show status and headers before the body"},
    {"--location", NULL, NULL, NULL, false, FOR_REQUEST, "follow redirects"},
    {"--help", NULL, NULL, NULL, false,
     FOR_ALL | FOR_SESSION | FOR_RENDER | FOR_NEW | FOR_COMPLETION, "this text"},
};

#define OPTION_COUNT (sizeof(option_table) / sizeof(option_table[0]))

/* Short names, after curl's. */
static const struct option_alias alias_table[] = {
    {"-h", "--help"},    {"-H", "--header"},   {"-d", "--data"},
    {"-i", "--include"}, {"-L", "--location"},
};

#define ALIAS_COUNT (sizeof(alias_table) / sizeof(alias_table[0]))

static const struct command_word command_table[] = {
    {"run", COMMAND_RUN, "[FILE]", "serve the app (FILE, $QLUA_APP or ./app.lua)"},
    {"reload", COMMAND_RELOAD, "", "ask the running supervisor to load the app anew"},
    {"status", COMMAND_STATUS, "", "ask the running supervisor how it is"},
    {"profile", COMMAND_PROFILE, "[PID]", "where the running server's processor time goes"},
    {"routes", COMMAND_ROUTES, "[FILE]", "list the app's routes in match order"},
    {"config", COMMAND_CONFIG, "[FILE]", "show every setting and key, and where it came from"},
    {"test", COMMAND_TEST, "[PATH ...]", "run the specs in ./spec or PATH with busted"},
    {"check", COMMAND_CHECK, "[FILE]", "load the app and compile all its templates"},
    {"render", COMMAND_RENDER, "FILE [K=V ...]", "render a template to standard output"},
    {"session", COMMAND_SESSION, "COOKIE", "show what a session cookie holds"},
    {"new", COMMAND_NEW, "NAME", "make a small app with specs, to begin with"},
    {"request", COMMAND_REQUEST, "[FILE] [METHOD] PATH", "ask the app once, without a server"},
    {"shell", COMMAND_SHELL, "[FILE]", "Lua by hand, with the app and a request at hand"},
    {"completion", COMMAND_COMPLETION, "bash|zsh|fish", "completion of words for your shell"},
};

#define COMMAND_COUNT (sizeof(command_table) / sizeof(command_table[0]))

/* The words being parsed. */
struct words {
    char **at; /* the next one; NULL-terminated */
    struct options *options;
    struct arena *arena;
    struct err *err;
};

const struct command_word *options_command_at(size_t index)
{
    return index < COMMAND_COUNT ? &command_table[index] : NULL;
}

const struct option *options_option_at(size_t index)
{
    return index < OPTION_COUNT ? &option_table[index] : NULL;
}

/* render's --data takes a file, and no short name */
const char *options_alias_of(const struct option *option, enum command command)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        if (strcmp(alias_table[i].option, option->name) == 0 &&
            (command == COMMAND_REQUEST || i == 0))
            return alias_table[i].name;
    return NULL;
}

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
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &option_table[i];
        if (!option_is_of(option, command))
            continue;
        const char *alias = options_alias_of(option, command);
        if (slice_eq(name, slice_cstr(option->name)) ||
            (alias != NULL && slice_eq(name, slice_cstr(alias))))
            return option;
    }
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

/* Options that a command written in Lua reads itself. */
static bool is_passed(const struct option *option)
{
    return (option->commands & ~(unsigned)(FOR_REQUEST)) == 0 ||
           strcmp(option->name, "--sort") == 0 || strcmp(option->name, "--all-methods") == 0;
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
    } else if (is_passed(option)) {
        options->passed[options->npassed++] = (char *)option->name;
        options->passed[options->npassed++] = (char *)value.data; /* the rest of its word */
    } else if (slice_eq(name, SLICE("--json"))) {
        options->json = true;
    } else if (slice_eq(name, SLICE("--seconds"))) {
        options->seconds = value.data;
    } else if (slice_eq(name, SLICE("--html"))) {
        options->html = value.data;
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

static int take_option(struct words *words, struct slice word);

/* A short option without a value, and others behind it in the same word. */
static int take_bundle(struct words *words, const struct option *option, struct slice others)
{
    struct slice next = SLICE("");
    int rc = apply(words, option, next);
    struct buf word = {0};
    buf_printf(&word, "-%.*s", (int)others.len, others.data);
    next = slice_cstr(arena_cstr(words->arena, buf_view(&word)));
    buf_clear(&word);
    return rc == 0 ? take_option(words, next) : rc;
}

/* "--name", "--name VALUE" or "--name=VALUE" */
static int take_option(struct words *words, struct slice word)
{
    struct slice value = word;
    struct slice name = slice_split(&value, '=');
    bool attached = name.len < word.len;
    const struct option *option = find_option(name, words->options->command);
    if (option == NULL && word.len > 2 && word.data[1] != '-') {
        option = find_option((struct slice){word.data, 2}, words->options->command);
        value = slice_from(word, 2);
        attached = true; /* -dTEXT */
        if (option != NULL && option->value == NULL)
            return take_bundle(words, option, value); /* -iL */
    }
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

/* How many words beside options a command takes, its app file aside. */
static size_t words_of(enum command command)
{
    switch (command) {
    case COMMAND_TEST:
    case COMMAND_RENDER: return SIZE_MAX;
    case COMMAND_REQUEST: return 3;
    case COMMAND_SESSION:
    case COMMAND_PROFILE:
    case COMMAND_NEW:
    case COMMAND_COMPLETION: return 1;
    default: return 0;
    }
}

/* The words after a command. */
static int take_words(struct words *words)
{
    struct options *options = words->options;
    bool takes_file = options->command == COMMAND_RUN || options->command == COMMAND_ROUTES ||
                      options->command == COMMAND_CHECK || options->command == COMMAND_CONFIG ||
                      options->command == COMMAND_SHELL;
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
        else if (npaths < words_of(options->command))
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
    options->passed = arena_array(arena, (size_t)argc * 2, sizeof(*options->passed));
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
        char shown[48];
        if (!option_is_of(option, command))
            continue;
        const char *alias = options_alias_of(option, command);
        snprintf(shown, sizeof(shown), "%s%s%s %s", alias != NULL ? alias : "",
                 alias != NULL ? ", " : "", option->name,
                 option->value != NULL ? option->value : "");
        printf("  %-27s %s\n", shown, option->help);
    }
}

void options_print_help(enum command topic)
{
    if (topic == COMMAND_HELP) {
        printf("qlua serves apps written in Lua.\n\n");
        for (size_t i = 0; i < COMMAND_COUNT; i++)
            printf("  qlua %-10s %-22s %s\n", command_table[i].word, command_table[i].arguments,
                   command_table[i].help);
        printf("  qlua FILE.lua [ARGS]                   run a script with qlua's modules at hand\n"
               "  qlua --version                         versions of qlua and its libraries\n\n"
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
