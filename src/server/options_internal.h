/* server/options_internal.h - the table of commands and options, for options.c and completion.c
 * only. */
#ifndef QLUA_SERVER_OPTIONS_INTERNAL_H
#define QLUA_SERVER_OPTIONS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "server/options.h"

/* An option stands for a setting, or for a word that its command knows. */
struct option {
    const char *name;
    const char *value;   /* what follows it, in help; NULL: nothing */
    const char *setting; /* the setting it gives, or NULL */
    const char *fixed;   /* that setting's value when nothing follows */
    bool append;
    unsigned commands; /* a bit each, 1 << COMMAND_X */
    const char *help;
};

/* "-H" for "--header" */
struct option_alias {
    const char *name;
    const char *option;
};

struct command_word {
    const char *word;
    enum command command;
    const char *arguments;
    const char *help;
};

/* The entries of the two tables; NULL behind the last. */
const struct command_word *options_command_at(size_t index);
const struct option *options_option_at(size_t index);
/* The short name of an option of a command; NULL when it has none. */
const char *options_alias_of(const struct option *option, enum command command);

/* Does the command take this option? */
static inline bool option_is_of(const struct option *option, enum command command)
{
    return (option->commands & (1u << command)) != 0;
}

#endif
