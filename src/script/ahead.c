/* script/ahead.c - memory that a growing Lua state will want. See ahead.h.
 *
 * LuaJIT's allocator asks the system for 128 KB at a time, whenever it has nothing left. So it is
 * made to ask before: pieces are allocated and freed at once, and it serves what comes next from
 * them. What is in them does not matter to the thread that touches them: MADV_POPULATE_WRITE
 * changes no memory that is in use by then, and fails where it was unmapped.
 */
#include "script/ahead.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/pool.h"
#include "script/state.h"

/* Larger ones would be mapped by themselves, and unmapped when they are freed. */
#define PIECE ((size_t)120 << 10)
/* What the allocator leaves between two pieces is less. */
#define GAP   ((size_t)16 << 10)
#define MOST  ((size_t)8 << 20)
#define LEAST ((size_t)2 << 20)
#define SHARE 4
/* A job is worth the waking of a thread; there is one at a time, for processors are for requests.
 */
#define JOB_LEAST ((size_t)1 << 20)
/* So many pieces are touched in one go: a third of a millisecond. A thread that waits for the
 * loop's own processor after each one falls behind what the loop itself touches. */
#define AT_ONCE 8

struct ahead_job {
    struct script *script; /* NULL: it is gone */
    size_t count;
    void *pieces[];
};

/* In a thread of the pool. The lowest first: that is where the allocator begins, too. What lies
 * between two pieces is the state's as well. */
static void touch(void *data)
{
    const struct ahead_job *job = data;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    bool falls = job->count > 1 && job->pieces[job->count - 1] < job->pieces[0];
    for (size_t i = 0; i < job->count; i++) {
        size_t at = falls ? job->count - 1 - i : i, next = falls ? at - 1 : at + 1;
        uintptr_t first = (uintptr_t)job->pieces[at], end = first + PIECE;
        if (next < job->count && (uintptr_t)job->pieces[next] - end < GAP)
            end = (uintptr_t)job->pieces[next];
        first = (first + page - 1) & ~(page - 1);
        end &= ~(page - 1);
        /* Linux before 5.14 does not know it: then each page is found when it is touched */
        if (madvise((void *)first, end - first, MADV_POPULATE_WRITE) != 0)
            return;
        if (i % AT_ONCE == AT_ONCE - 1)
            sched_yield(); /* whoever has requests to do goes first */
    }
}

static void on_touched(void *data)
{
    struct ahead_job *job = data;
    if (job->script != NULL)
        job->script->ahead_job = NULL;
    free(job);
}

static struct ahead_job *reserve(struct script *script, size_t size)
{
    size_t count = size / PIECE;
    struct ahead_job *job = mem_alloc(sizeof(*job) + count * sizeof(job->pieces[0]));
    *job = (struct ahead_job){.script = script};
    while (job->count < count) {
        void *piece = script->alloc(script->alloc_ud, NULL, 0, PIECE);
        if (piece == NULL)
            break;
        job->pieces[job->count++] = piece;
    }
    for (size_t i = 0; i < job->count; i++)
        script->alloc(script->alloc_ud, job->pieces[i], PIECE, 0);
    return job;
}

void ahead_of(struct script *script)
{
    size_t used = script->used, more = used / SHARE < MOST ? used / SHARE : MOST;
    if (more < JOB_LEAST)
        more = JOB_LEAST;
    size_t from = script->ahead > used ? script->ahead : used;
    if (used < LEAST || used + more < from + JOB_LEAST || script->ahead_job != NULL)
        return;
    struct ahead_job *job = reserve(script, used + more - from);
    script->ahead = used + more;
    if (pool_run(script->loop, touch, on_touched, job) == 0)
        script->ahead_job = job;
    else
        free(job);
}

void ahead_forget(struct script *script)
{
    if (script->ahead_job != NULL)
        script->ahead_job->script = NULL;
    script->ahead_job = NULL;
}
