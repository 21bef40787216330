/* bind/config.h - app keys that were given outside of the app's code.
 *
 * Place in the flow: server/config collects them, core.config_file and core.config_set
 * (bind/config.c) hand them to lua/qlua/config_layers.lua, which lays them into app.config. Kept
 * as JSON text: each app made gets values of its own.
 */
#ifndef QLUA_BIND_CONFIG_H
#define QLUA_BIND_CONFIG_H

#include <stddef.h>

#include "base/slice.h"

struct app_key {
    const char *name;
    struct slice json;  /* its value */
    const char *origin; /* for messages: the file's name, or "--set NAME" */
};

/* In the order in which they were given: of a name that comes twice the last counts. */
struct app_keys {
    struct app_key *items;
    size_t count;
    size_t capacity;
};

#endif
