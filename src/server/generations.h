/* server/generations.h - the generations of a worker: one serves, others come and go beside it.
 *
 * Place in the flow: the worker prepares one at its start and one per reload, and commits or drops
 * it when it is told to. New requests go to the committed one; requests in flight end in theirs,
 * and then that one is shut down (after_serving), emptied and freed, all beside the requests. Who
 * decides, and for how many workers at once, is server/reload.h's business.
 *
 *   LOADING -> PREPARED -> SERVING -> RETIRED -> SHUTTING -> ENDING -> SWEEPING
 */
#ifndef QLUA_SERVER_GENERATIONS_H
#define QLUA_SERVER_GENERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct config;
struct file_watch;
struct generation;
struct life;
struct log;
struct loop;
struct stores;
struct worker_figures;

struct generations {
    struct loop *loop;
    const struct log *log;
    const struct config *config;
    struct stores *stores;
    struct debug_desk *desk;     /* debug mode; else NULL */
    struct file_watch *files;    /* NULL: nothing is watched */
    struct generation **current; /* the one that serves; NULL before the first commit */
    int worker_id;
    bool is_lone; /* no supervisor: the loop hears of signals, in the first loading too */
    struct worker_figures *figures; /* the worker's place */
    /* The generation has loaded and done what it does before serving: error is NULL; or it
     * could not, and is gone. */
    void (*on_prepared)(void *data, uint32_t number, const char *error);
    /* generations_shut_down is over. */
    void (*on_shut_down)(void *data);
    /* What serves from now on was loaded with these settings. */
    void (*on_settings)(void *data, const struct config *renewed);
    void *data;

    struct list lives; /* struct life, oldest first */
    struct life *next; /* being prepared, or prepared */
    struct life *serving;
    bool shutting_down;
    int exit_code; /* what one that did not load wants the process to end with; 0: nothing */
};

/* Fill the fields above the blank line yourself. */
void generations_init(struct generations *all);

/* Load the app anew, beside what serves; on_prepared tells, perhaps at once. One at a time: what
 * was prepared before is dropped. */
void generations_prepare(struct generations *all, uint32_t number);
/* What was prepared under this number serves from now on; false: there is none. */
bool generations_commit(struct generations *all, uint32_t number);
/* What was prepared, or is being prepared, is not wanted. */
void generations_drop(struct generations *all);

/* The worker's last answer is out: after_serving and the end of background tasks, everywhere. */
void generations_shut_down(struct generations *all);

/* Say in the worker's place which generations live and what their Lua holds. From outside of
 * tasks. */
void generations_report(const struct generations *all);

/* Why the one that serves, which has this number, should be replaced although no file has changed:
 * it is full, because much of its Lua memory stays in use, or it was out of memory once. `text` is
 * NULL: it should not. */
struct renewal_reason {
    const char *text;
    uint32_t number;
    bool is_full;
};
struct renewal_reason generations_renewal(const struct generations *all);

/* End and free all of them at once; from outside of loop_run. */
void generations_clear(struct generations *all);

#endif
