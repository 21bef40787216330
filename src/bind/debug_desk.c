/* bind/debug_desk.c - what debug mode keeps for longer than one generation. See debug_desk.h. */
#include "bind/debug_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "http/forwarded.h"
#include "http/request.h"

#define PREFIX_START "/__qlua__/"

void debug_desk_init(struct debug_desk *desk, struct debug_guard *guard, struct trust *allow)
{
    *desk = (struct debug_desk){.guard = guard, .allow = allow};
    snprintf(desk->prefix, sizeof(desk->prefix), PREFIX_START "%s/", guard->secret);
}

static void clear_note(struct debug_note *note)
{
    free(note->name);
    free(note->text);
    *note = (struct debug_note){0};
}

void debug_desk_clear(struct debug_desk *desk)
{
    for (size_t i = 0; i < DEBUG_NOTES_MAX; i++)
        clear_note(&desk->notes[i]);
    trust_free(desk->allow);
    *desk = (struct debug_desk){0};
}

bool debug_desk_owns(const struct debug_desk *desk, struct slice path)
{
    struct slice prefix = slice_cstr(desk->prefix);
    if (path.len < prefix.len || !slice_starts_with(path, SLICE(PREFIX_START)))
        return false;
    return digest_eq(slice_of(path.data, prefix.len), prefix);
}

bool debug_desk_admits(const struct debug_desk *desk, struct request *req)
{
    return desk->allow != NULL && trust_has_all(desk->allow, req);
}

/* Digits into dst, at most size - 1 of them. */
static void keep_digits(struct slice text, char *dst, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 1 < size; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9')
            dst[len++] = text.data[i];
    dst[len] = '\0';
}

bool debug_desk_try_pin(struct debug_desk *desk, struct slice text, unsigned *left)
{
    struct debug_guard *guard = desk->guard;
    char given[16], pin[16];
    keep_digits(text, given, sizeof(given));
    keep_digits(slice_cstr(guard->pin), pin, sizeof(pin));
    /* counted before it is looked at: two processes must not try the same number of times */
    uint32_t before = atomic_fetch_add(&guard->failures, 1);
    if (before >= DEBUG_PIN_TRIES) {
        atomic_store(&guard->failures, DEBUG_PIN_TRIES);
        *left = 0;
        return false;
    }
    *left = DEBUG_PIN_TRIES - 1 - before;
    if (!digest_eq(slice_cstr(given), slice_cstr(pin)))
        return false;
    atomic_store(&guard->failures, 0);
    *left = DEBUG_PIN_TRIES;
    return true;
}

static char *copy_of(struct slice text)
{
    char *copy = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

void debug_desk_keep(struct debug_desk *desk, struct slice name, struct slice text)
{
    struct debug_note *note = &desk->notes[desk->next_note];
    desk->next_note = (desk->next_note + 1) % DEBUG_NOTES_MAX;
    clear_note(note);
    *note = (struct debug_note){.name = copy_of(name), .text = copy_of(text), .len = text.len};
}

const struct debug_note *debug_desk_find(const struct debug_desk *desk, struct slice name)
{
    for (size_t i = 0; i < DEBUG_NOTES_MAX; i++)
        if (desk->notes[i].name != NULL && slice_eq(name, slice_cstr(desk->notes[i].name)))
            return &desk->notes[i];
    return NULL;
}

void debug_body_note(struct debug_body *body, const struct request *req)
{
    uint64_t fresh = req->body_received - body->seen;
    body->seen = req->body_received;
    if (fresh == 0 || body->is_lost)
        return;
    if (fresh > req->body.len || body->bytes.len + fresh > DEBUG_BODY_MAX) {
        body->is_lost = true; /* too large for us, or for the request itself */
        buf_clear(&body->bytes);
        return;
    }
    buf_append(&body->bytes, req->body.data + req->body.len - fresh, (size_t)fresh);
}
