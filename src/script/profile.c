/* script/profile.c - where a state's processor time goes, counted by call stack. See profile.h. */
#include "script/profile.h"

#include <lua.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"

#define STATES 5
/* Longer texts are cut: chunks that were loaded from strings have their text as name. */
#define TEXT_MOST 240
#define NONE      UINT32_MAX

enum frame_kind { FRAME_ROUTE, FRAME_LUA, FRAME_C };

/* A function, or a route. */
struct frame {
    char *name;
    char *file;
    int line;
    uint8_t kind;
};

/* A call stack: its innermost frame, and the stack that called it. */
struct node {
    uint32_t parent; /* NONE: frame is a route */
    uint32_t frame;
    uint32_t own[STATES];
};

/* A line of a function. */
struct spot {
    uint32_t frame;
    int line;
    uint32_t own[STATES];
};

struct given_up {
    char *place;
    char *reason;
    uint32_t count;
};

/* Slots of hash tables, twice as many as entries: index + 1, 0 when free. */
struct profile {
    struct frame frames[PROFILE_FRAMES];
    struct node nodes[PROFILE_NODES];
    struct spot spots[PROFILE_SPOTS];
    struct given_up aborts[PROFILE_ABORTS];
    uint32_t nframes, nnodes, nspots, naborts;
    uint32_t frame_slots[2 * PROFILE_FRAMES];
    uint32_t node_slots[2 * PROFILE_NODES];
    uint32_t spot_slots[2 * PROFILE_SPOTS];
    uint64_t samples;
    _Atomic uint64_t outside; /* counted by a signal's handler, too */
    uint64_t cut;
};

struct profile *profile_new(void)
{
    return mem_zalloc(sizeof(struct profile));
}

void profile_free(struct profile *profile)
{
    if (profile == NULL)
        return;
    for (uint32_t i = 0; i < profile->nframes; i++) {
        free(profile->frames[i].name);
        free(profile->frames[i].file);
    }
    for (uint32_t i = 0; i < profile->naborts; i++) {
        free(profile->aborts[i].place);
        free(profile->aborts[i].reason);
    }
    free(profile);
}

/* ---- texts and hashes ---- */

static struct slice cut_text(struct slice text)
{
    return text.len > TEXT_MOST ? slice_of(text.data, TEXT_MOST) : text;
}

static char *copy_text(struct slice text)
{
    char *copy = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

static uint32_t hash_bytes(struct slice text, uint32_t hash)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash;
}

static uint32_t hash_pair(uint32_t a, uint32_t b)
{
    uint64_t both = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(both >> 32);
}

/* ---- the tables ---- */

/* What tells one function from another. */
struct frame_key {
    struct slice name; /* of a Lua function no part of it: callers call it by many */
    struct slice file;
    int line;
    enum frame_kind kind;
};

static bool is_frame(const struct frame *frame, const struct frame_key *key)
{
    return frame->kind == key->kind && frame->line == key->line &&
           slice_eq(key->file, slice_cstr(frame->file)) &&
           (key->kind == FRAME_LUA || slice_eq(key->name, slice_cstr(frame->name)));
}

/* The frame's index; NONE when the table is full. */
static uint32_t find_frame(struct profile *profile, const struct frame_key *key)
{
    uint32_t hash = hash_bytes(key->file, 2166136261u + (uint32_t)key->kind);
    if (key->kind != FRAME_LUA)
        hash = hash_bytes(key->name, hash);
    const uint32_t mask = 2 * PROFILE_FRAMES - 1;
    uint32_t at = hash_pair(hash, (uint32_t)key->line) & mask;
    for (; profile->frame_slots[at] != 0; at = (at + 1) & mask) {
        struct frame *frame = &profile->frames[profile->frame_slots[at] - 1];
        if (!is_frame(frame, key))
            continue;
        if (frame->name[0] == '\0' && key->name.len > 0) { /* its first caller did not tell */
            free(frame->name);
            frame->name = copy_text(key->name);
        }
        return profile->frame_slots[at] - 1;
    }
    if (profile->nframes == PROFILE_FRAMES)
        return NONE;
    uint32_t index = profile->nframes++;
    profile->frame_slots[at] = index + 1;
    profile->frames[index] = (struct frame){.name = copy_text(key->name),
                                            .file = copy_text(key->file),
                                            .line = key->line,
                                            .kind = (uint8_t)key->kind};
    return index;
}

static uint32_t find_node(struct profile *profile, uint32_t parent, uint32_t frame)
{
    const uint32_t mask = 2 * PROFILE_NODES - 1;
    uint32_t at = hash_pair(parent, frame) & mask;
    for (; profile->node_slots[at] != 0; at = (at + 1) & mask) {
        const struct node *node = &profile->nodes[profile->node_slots[at] - 1];
        if (node->parent == parent && node->frame == frame)
            return profile->node_slots[at] - 1;
    }
    if (profile->nnodes == PROFILE_NODES)
        return NONE;
    uint32_t index = profile->nnodes++;
    profile->node_slots[at] = index + 1;
    profile->nodes[index] = (struct node){.parent = parent, .frame = frame};
    return index;
}

static struct spot *find_spot(struct profile *profile, uint32_t frame, int line)
{
    const uint32_t mask = 2 * PROFILE_SPOTS - 1;
    uint32_t at = hash_pair(frame, (uint32_t)line) & mask;
    for (; profile->spot_slots[at] != 0; at = (at + 1) & mask) {
        struct spot *spot = &profile->spots[profile->spot_slots[at] - 1];
        if (spot->frame == frame && spot->line == line)
            return spot;
    }
    if (profile->nspots == PROFILE_SPOTS)
        return NULL;
    profile->spot_slots[at] = ++profile->nspots;
    struct spot *spot = &profile->spots[profile->nspots - 1];
    *spot = (struct spot){.frame = frame, .line = line};
    return spot;
}

/* ---- samples ---- */

static int index_of(int state)
{
    static const char states[] = "NICGJ";
    const char *found = state == 0 ? NULL : strchr(states, state);
    return found == NULL ? 1 : (int)(found - states);
}

/* The stack of a sample, innermost first. */
struct stack {
    uint32_t frames[PROFILE_DEPTH];
    int lines[PROFILE_DEPTH];
    int count;
    bool cut;
};

static void note_level(struct profile *profile, struct stack *stack, const lua_Debug *ar)
{
    struct slice source = slice_cstr(ar->source == NULL ? "" : ar->source);
    struct frame_key key = {.name = cut_text(slice_cstr(ar->name == NULL ? "" : ar->name)),
                            .kind = FRAME_C};
    if (ar->what[0] != 'C') {
        bool named = source.len > 0 && (source.data[0] == '@' || source.data[0] == '=');
        key.kind = FRAME_LUA;
        key.file = cut_text(named ? slice_from(source, 1) : slice_cstr(ar->short_src));
        key.line = ar->linedefined;
        if (ar->what[0] == 'm') /* the main chunk */
            key.name = SLICE("main chunk");
    }
    stack->frames[stack->count] = find_frame(profile, &key);
    stack->lines[stack->count] = ar->currentline;
    stack->cut = stack->cut || stack->frames[stack->count] == NONE;
    stack->count++;
}

static void walk(struct profile *profile, struct stack *stack, lua_State *L)
{
    lua_Debug ar;
    int level = 0;
    for (; lua_getstack(L, level, &ar); level++) {
        if (stack->count == PROFILE_DEPTH) {
            stack->cut = true;
            return;
        }
        if (lua_getinfo(L, "nSl", &ar))
            note_level(profile, stack, &ar);
    }
}

static void add_line(struct profile *profile, const struct stack *stack, unsigned ticks, int state)
{
    if (stack->count == 0 || stack->frames[0] == NONE || stack->lines[0] <= 0)
        return;
    struct spot *spot = find_spot(profile, stack->frames[0], stack->lines[0]);
    if (spot != NULL)
        spot->own[index_of(state)] += ticks;
}

void profile_sample(struct profile *profile, lua_State *L, lua_State *base, struct slice route,
                    unsigned ticks, int state)
{
    struct stack stack = {.count = 0};
    struct frame_key key = {.name = cut_text(route), .kind = FRAME_ROUTE};
    if (L != NULL)
        walk(profile, &stack, L);
    if (L != NULL && base != NULL && base != L)
        walk(profile, &stack, base); /* a coroutine of the app's own: who resumed it */
    uint32_t frame = find_frame(profile, &key);
    uint32_t node = frame == NONE ? NONE : find_node(profile, NONE, frame);
    profile->samples += ticks;
    for (int i = stack.count; i > 0 && node != NONE; i--) {
        uint32_t next =
            stack.frames[i - 1] == NONE ? NONE : find_node(profile, node, stack.frames[i - 1]);
        if (next == NONE) {
            stack.cut = true;
            break;
        }
        node = next;
    }
    if (node == NONE) {
        profile->cut += ticks;
        return;
    }
    if (stack.cut)
        profile->cut += ticks;
    profile->nodes[node].own[index_of(state)] += ticks;
    add_line(profile, &stack, ticks, state);
}

void profile_outside(struct profile *profile, unsigned ticks)
{
    atomic_fetch_add_explicit(&profile->outside, ticks, memory_order_relaxed);
}

void profile_abort(struct profile *profile, struct slice place, struct slice reason)
{
    place = cut_text(place);
    reason = cut_text(reason);
    for (uint32_t i = 0; i < profile->naborts; i++) {
        struct given_up *given_up = &profile->aborts[i];
        if (slice_eq(place, slice_cstr(given_up->place)) &&
            slice_eq(reason, slice_cstr(given_up->reason))) {
            given_up->count++;
            return;
        }
    }
    if (profile->naborts == PROFILE_ABORTS)
        return;
    profile->aborts[profile->naborts++] =
        (struct given_up){.place = copy_text(place), .reason = copy_text(reason), .count = 1};
}

/* ---- as JSON ---- */

static void write_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    escape_json(out, slice_cstr(text), true);
    buf_char(out, '"');
}

static void write_counts(struct buf *out, const uint32_t *own)
{
    for (size_t i = 0; i < STATES; i++)
        buf_printf(out, ",%u", own[i]);
    buf_char(out, ']');
}

static void write_frames(const struct profile *profile, struct buf *out)
{
    static const char *const kinds[] = {"route", "lua", "c"};
    for (uint32_t i = 0; i < profile->nframes; i++) {
        const struct frame *frame = &profile->frames[i];
        buf_printf(out, "%s[\"%s\",", i == 0 ? "" : ",", kinds[frame->kind]);
        write_text(out, frame->name);
        buf_char(out, ',');
        write_text(out, frame->file);
        buf_printf(out, ",%d]", frame->line);
    }
}

void profile_write(const struct profile *profile, int64_t nanoseconds, struct buf *out)
{
    buf_printf(
        out, "\"samples\":%llu,\"outside\":%llu,\"cut\":%llu,\"nanoseconds\":%lld,\"frames\":[",
        (unsigned long long)profile->samples, (unsigned long long)atomic_load(&profile->outside),
        (unsigned long long)profile->cut, (long long)nanoseconds);
    write_frames(profile, out);
    buf_cstr(out, "],\"nodes\":[");
    for (uint32_t i = 0; i < profile->nnodes; i++) {
        const struct node *node = &profile->nodes[i];
        buf_printf(out, "%s[%d,%u", i == 0 ? "" : ",",
                   node->parent == NONE ? -1 : (int)node->parent, node->frame);
        write_counts(out, node->own);
    }
    buf_cstr(out, "],\"lines\":[");
    for (uint32_t i = 0; i < profile->nspots; i++) {
        const struct spot *spot = &profile->spots[i];
        buf_printf(out, "%s[%u,%d", i == 0 ? "" : ",", spot->frame, spot->line);
        write_counts(out, spot->own);
    }
    buf_cstr(out, "],\"aborts\":[");
    for (uint32_t i = 0; i < profile->naborts; i++) {
        const struct given_up *given_up = &profile->aborts[i];
        buf_cstr(out, i == 0 ? "[" : ",[");
        write_text(out, given_up->place);
        buf_char(out, ',');
        write_text(out, given_up->reason);
        buf_printf(out, ",%u]", given_up->count);
    }
    buf_char(out, ']');
}
