/* bind/debug_desk.h - what debug mode keeps for longer than one generation.
 *
 * Place in the flow: server/debug_guard makes the guard before the workers are forked, so that all
 * processes of a run share its secret, its PIN and the count of wrong ones; the worker keeps one
 * desk, server/debug_dispatch asks it who may see debug pages, and bind/debug.c hands it to Lua.
 * Outside of debug mode there is neither.
 */
#ifndef QLUA_BIND_DEBUG_DESK_H
#define QLUA_BIND_DEBUG_DESK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct request;
struct trust;

/* Hex digits of the secret and of the console's cookie. */
#define DEBUG_SECRET_LEN 32
/* Wrong PINs in a row after which none is right any more. */
#define DEBUG_PIN_TRIES 10
/* Requests that can be run again; the oldest goes first. */
#define DEBUG_NOTES_MAX 20

/* In memory that the supervisor and its workers share. */
struct debug_guard {
    char secret[DEBUG_SECRET_LEN + 1]; /* in every URL of the debugger */
    char token[DEBUG_SECRET_LEN + 1];  /* the cookie of who knew the PIN */
    char pin[12];                      /* "123-456-789" */
    _Atomic uint32_t failures;         /* wrong PINs since the last right one */
};

/* Text under a name: a request that failed, for bind/debug.c's reader. */
struct debug_note {
    char *name;
    char *text;
    size_t len;
};

struct debug_desk {
    struct debug_guard *guard;
    struct trust *allow; /* the setting debug_allow; NULL: nobody */
    char prefix[DEBUG_SECRET_LEN + 16];
    struct debug_note notes[DEBUG_NOTES_MAX];
    size_t next_note;
};

/* The desk takes allow. */
void debug_desk_init(struct debug_desk *desk, struct debug_guard *guard, struct trust *allow);
void debug_desk_clear(struct debug_desk *desk);

/* Is this a path of the debugger, its secret included? Takes the same time for any secret. */
bool debug_desk_owns(const struct debug_desk *desk, struct slice path);

/* May its client see debug pages? The peer itself must be among debug_allow, and so must be
 * whoever it says it asks for: what a client writes into these headers never widens this. To be
 * asked before trusted proxies have changed the request. */
bool debug_desk_admits(const struct debug_desk *desk, struct request *req);

/* Is the text (digits; others do not count) the PIN? Counts the wrong ones; *left says how many
 * more may be tried. After the last even the right one is refused. */
bool debug_desk_try_pin(struct debug_desk *desk, struct slice text, unsigned *left);

/* Keep a text under a name (copied); and find it again: NULL when it is gone. */
void debug_desk_keep(struct debug_desk *desk, struct slice name, struct slice text);
const struct debug_note *debug_desk_find(const struct debug_desk *desk, struct slice name);

/* ---- bodies of requests ---- */

/* A body larger than this is not kept. */
#define DEBUG_BODY_MAX ((size_t)1024 * 1024)

/* What has arrived of a request's body, kept whoever reads it. */
struct debug_body {
    struct buf bytes;
    uint64_t seen; /* of request->body_received */
    bool is_lost;  /* it grew too large */
};

/* Note what has arrived since; before anybody takes it. */
void debug_body_note(struct debug_body *body, const struct request *req);

#endif
