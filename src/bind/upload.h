/* bind/upload.h - the content of a large uploaded file, as Lua reads it: qlua.Upload.
 *
 * Place in the flow: bind/form makes one for each file that lies on disk; lua/qlua/files.lua
 * reads it. The file is closed when the request has ended, or before by close or the collector.
 */
#ifndef QLUA_BIND_UPLOAD_H
#define QLUA_BIND_UPLOAD_H

#include <lua.h>

struct request;
struct spool;

/* Push the content of a spool that lies on disk; takes its descriptor. */
void upload_push(lua_State *L, struct request *req, struct spool *spool);

/* Make the metatable. */
void bind_upload(lua_State *L);

#endif
