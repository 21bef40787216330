/* template/vm_state.c - what a Lua state keeps for all renders: the builtins' signatures, parsed.
 *
 * Place in the flow: vm_library.c owns one a Lua state; the binder and the calls look up here what
 * parameters a builtin has. Signatures are parsed when they are first needed.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "template/filter.h"
#include "template/vm_internal.h"

struct vm_state {
    struct arena arena;
    struct vm_signature **slots; /* open addressing by the native's address */
    size_t room;
    size_t count;
    uint64_t slices; /* that have begun */
};

struct vm_state *vm_state_new(void)
{
    struct vm_state *state = mem_zalloc(sizeof(*state));
    arena_init(&state->arena);
    state->room = 256;
    state->slots = mem_array(state->room, sizeof(*state->slots));
    return state;
}

void vm_state_free(struct vm_state *state)
{
    if (state == NULL)
        return;
    arena_clear(&state->arena);
    free(state->slots);
    free(state);
}

uint64_t vm_next_slice(struct vm_state *state)
{
    return ++state->slices;
}

/* ---- signatures ------------------------------------------------------------------------------ */

static struct slice trim(struct slice s)
{
    return slice_trim(s);
}

/* Cut off the next parameter: up to a comma outside of quotes. */
static struct slice next_parameter(struct slice *rest)
{
    size_t at = 0;
    char quote = 0;
    for (; at < rest->len && (quote != 0 || rest->data[at] != ','); at++) {
        if (quote == 0 && (rest->data[at] == '\'' || rest->data[at] == '"'))
            quote = rest->data[at];
        else if (rest->data[at] == quote)
            quote = 0;
    }
    struct slice head = {rest->data, at};
    *rest = slice_from(*rest, at + 1);
    return trim(head);
}

static void read_fallback(struct vm_parameter *parameter, struct slice text)
{
    if (slice_eq(text, SLICE("none"))) {
        parameter->fallback = 'n';
    } else if (slice_eq(text, SLICE("true"))) {
        parameter->fallback = 't';
    } else if (slice_eq(text, SLICE("false"))) {
        parameter->fallback = 'f';
    } else if (slice_eq(text, SLICE("nil")) || text.len == 0) {
        parameter->fallback = 0;
    } else if (text.data[0] == '\'' || text.data[0] == '"') {
        parameter->fallback = 's';
        parameter->text = (struct slice){text.data + 1, text.len - 2};
    } else {
        parameter->fallback = 'd';
        parameter->number = strtod(text.data, NULL);
    }
}

static void read_parameter(struct vm_parameter *parameter, struct slice text)
{
    size_t equals = slice_find(text, '=');
    struct slice name = trim((struct slice){text.data, equals});
    parameter->fallback = 'r';
    if (name.len > 2 && name.data[1] == ':') {
        parameter->convert = name.data[0];
        name = slice_from(name, 2);
    }
    parameter->name = name;
    if (equals < text.len)
        read_fallback(parameter, trim(slice_from(text, equals + 1)));
}

static struct vm_signature *parse(struct vm_state *state, const struct vm_native *native)
{
    struct vm_signature *signature = arena_zalloc(&state->arena, sizeof(*signature));
    struct slice rest = slice_cstr(native->signature);
    size_t most = 1;
    for (size_t i = 0; i < rest.len; i++)
        most += rest.data[i] == ',';
    signature->native = native;
    signature->parameters = arena_array(&state->arena, most, sizeof(struct vm_parameter));
    while (rest.len > 0) {
        struct slice text = next_parameter(&rest);
        struct vm_parameter *parameter = &signature->parameters[signature->count];
        if (slice_starts_with(text, SLICE("**")))
            signature->has_keywords = true;
        else if (slice_starts_with(text, SLICE("*")))
            signature->has_rest = true;
        else
            read_parameter(parameter, text);
        signature->is_flat |= slice_eq(text, SLICE("*..."));
        signature->count++;
        if (signature->parameters[signature->count - 1].convert != 0)
            signature->nconverts = signature->count;
    }
    filter_usual(native, &signature->quick, &signature->text);
    signature->walk = filter_walk(native);
    signature->is_simple = !signature->has_rest && !signature->has_keywords;
    return signature;
}

static size_t place_of(const struct vm_state *state, const struct vm_native *native)
{
    size_t at = ((size_t)native >> 4) * 2654435761u & (state->room - 1);
    while (state->slots[at] != NULL && state->slots[at]->native != native)
        at = (at + 1) & (state->room - 1);
    return at;
}

static void grow(struct vm_state *state)
{
    struct vm_signature **old = state->slots;
    size_t room = state->room;
    state->room *= 2;
    state->slots = mem_array(state->room, sizeof(*state->slots));
    for (size_t i = 0; i < room; i++)
        if (old[i] != NULL)
            state->slots[place_of(state, old[i]->native)] = old[i];
    free(old);
}

const struct vm_signature *vm_signature_of(struct vm_state *state, const struct vm_native *native)
{
    size_t at = place_of(state, native);
    if (state->slots[at] == NULL) {
        if (2 * ++state->count > state->room) {
            grow(state);
            at = place_of(state, native);
        }
        state->slots[at] = parse(state, native);
    }
    return state->slots[at];
}
