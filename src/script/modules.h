/* script/modules.h - lua/qlua as bytecode inside the binary.
 *
 * Place in the flow: the table is made by make from lua/qlua and linked into build/qlua;
 * script/loader finds `require "qlua.x"` in it. QLUA_LUA_DIR names a folder to load from
 * instead, for work on qlua itself.
 */
#ifndef QLUA_SCRIPT_MODULES_H
#define QLUA_SCRIPT_MODULES_H

#include <stddef.h>

struct script_module {
    const char *name; /* "qlua.app"; NULL ends the table */
    const char *path; /* "lua/qlua/app.lua" */
    const unsigned char *bytecode;
    size_t size;
};

extern const struct script_module script_modules[];

#endif
