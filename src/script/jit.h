/* script/jit.h - what LuaJIT's compiler has done.
 *
 * Place in the flow: server/generations asks once a second, for `qlua status` and the metrics.
 */
#ifndef QLUA_SCRIPT_JIT_H
#define QLUA_SCRIPT_JIT_H

#include <stdbool.h>

struct script;

/* Whether the compiler is on, and about how many traces it keeps (their numbers are given from 1
 * on, the lowest free one first). From outside of tasks. */
void script_jit(struct script *script, bool *on, unsigned *traces);

#endif
