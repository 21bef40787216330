/* template/vm_library_env.h - environments and programs as userdata.
 *
 * Place in the flow: vm_library.c registers these two and runs what they make.
 */
#ifndef QLUA_TEMPLATE_VM_LIBRARY_ENV_H
#define QLUA_TEMPLATE_VM_LIBRARY_ENV_H

#include "template/vm_internal.h"

#define ENV_TYPE     "qlua.template_env"
#define PROGRAM_TYPE "qlua.template_program"

/* Make the metatables of both. */
void library_open_types(lua_State *L);
/* See vm_library.h. */
int library_env(lua_State *L);
int library_compile(lua_State *L);
int library_listing(lua_State *L);
int library_references(lua_State *L); /* vm_library_refs.c */

#endif
