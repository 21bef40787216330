/* server/options.h - the words of the command line.
 *
 * Place in the flow: main.c parses them first; settings among them are kept as they were written
 * and laid over the configuration when the lower layers are read. Refuses what it does not know
 * with the nearest name; knows no values.
 */
#ifndef QLUA_SERVER_OPTIONS_H
#define QLUA_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;
struct err;

enum command {
    COMMAND_RUN,
    COMMAND_RELOAD,
    COMMAND_STATUS,
    COMMAND_PROFILE,
    COMMAND_ROUTES,
    COMMAND_CONFIG,
    COMMAND_TEST,
    COMMAND_CHECK,
    COMMAND_RENDER,
    COMMAND_SESSION,
    COMMAND_NEW,
    COMMAND_REQUEST,
    COMMAND_SHELL,
    COMMAND_COMPLETION,
    COMMAND_SCRIPT, /* qlua FILE.lua: the words after it are the script's */
    COMMAND_VERSION,
    COMMAND_HELP
};

/* A server setting (or, from --set, an app key) that the command line gives. */
struct option_setting {
    struct slice name;
    struct slice value;
    const char *where; /* for messages: the option as written, "--port" */
    bool append;       /* an option that may stand several times */
    bool is_app_key;
};

struct options {
    enum command command;
    enum command topic;      /* COMMAND_HELP: what about; COMMAND_HELP itself: everything */
    const char *file;        /* the app file or script, NULL: not named */
    const char *config_file; /* --config */
    bool json;
    struct option_setting *settings;
    size_t nsettings;
    const char *secret;  /* --secret, or NULL */
    const char *data;    /* --data of render, or NULL */
    const char *seconds; /* --seconds, or NULL */
    const char *html;    /* --html, or NULL */
    /* COMMAND_SCRIPT: the rest of argv; TEST: the paths; SESSION: the cookie; RENDER: the file,
     * then its values; NEW, REQUEST, COMPLETION: the words. NULL-terminated */
    char **script_args;
    /* what a command in Lua reads itself (lua/qlua/cli/words.lua): name and value of each option,
     * "" for none, as they stood. NULL-terminated */
    char **passed;
    size_t npassed;
};

/* Parse argv[1..]. What is made lives in arena and borrows from argv. 0, or -EINVAL and err. */
int options_parse(struct options *options, struct arena *arena, int argc, char **argv,
                  struct err *err);

/* The help on a command (COMMAND_HELP: on all), to standard output. */
void options_print_help(enum command topic);

#endif
