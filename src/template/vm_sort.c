/* template/vm_sort.c - a stable sort that can stop for Lua at any comparison. See vm_sort.h.
 *
 * When all keys are numbers, or all are texts, they are compared in C; else as Python compares
 * (value_order), which fails for unlike kinds, and objects are asked one comparison at a time.
 */
#include "template/vm_sort.h"

#include <math.h>

#include "template/vm_value.h"

/* What is under way between two keys. */
enum sort_ask { ASK_NOTHING, ASK_EQUAL, ASK_LESS };

/* Chunks of CHUNK items are sorted by insertion, and then merged. */
enum sort_phase { SORT_RUN, SORT_INSERT, SORT_MERGE };
enum { CHUNK = 64 };

enum sort_kind { SORT_NUMBERS, SORT_TEXTS, SORT_VALUES };

union sort_key {
    double number;
    struct slice text; /* borrowed from the list of keys */
};

/* The keys of one attribute, in C where they are all of a kind that C compares. */
struct column {
    enum sort_kind kind;
    union sort_key *keys; /* of SORT_NUMBERS and SORT_TEXTS */
};

/* So many columns have their keys in C; further ones are compared as values. */
enum { QUICK_COLUMNS = 4 };

/* Lives in a userdata; behind it the keys of the columns, and the two lists of item numbers. */
struct sorter {
    int n;
    int columns;  /* see sorter_new */
    bool reverse; /* the items began in reverse order, and are read so */
    enum sort_phase phase;
    int *order, *spare;
    struct column quick[QUICK_COLUMNS];
    /* What is under way: in a chunk that begins at `low`, item number `at`, which goes between
     * `left` and `right`; or the merge of runs of `width` from `low` on, of `order` into `spare`.
     */
    int low, at, left, right, width, out;
    bool falls; /* the chunk's first items stand in descending order */
    /* the comparison */
    int column;
    enum sort_ask ask;
};

/* ---- making ---------------------------------------------------------------------------------- */

/* Do all keys of the list have the Lua type; take them. */
static bool take_keys(struct vm *vm, union sort_key *keys, int n, int list, int type)
{
    lua_State *L = vm->L;
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, list, i + 1);
        bool is = lua_type(L, -1) == type;
        if (is && type == LUA_TNUMBER)
            keys[i].number = lua_tonumber(L, -1);
        else if (is)
            keys[i].text.data = lua_tolstring(L, -1, &keys[i].text.len);
        lua_pop(L, 1);
        if (!is)
            return false;
    }
    return true;
}

static void fill_column(struct vm *vm, struct column *column, int n, int list)
{
    column->kind = SORT_VALUES;
    if (take_keys(vm, column->keys, n, list, LUA_TNUMBER))
        column->kind = SORT_NUMBERS;
    else if (take_keys(vm, column->keys, n, list, LUA_TSTRING))
        column->kind = SORT_TEXTS;
}

/* The keys of column number i are pushed as a list; popped by the caller. */
static int push_column(struct vm *vm, const struct sorter *s, int keys, int i)
{
    if (s->columns > 1)
        lua_rawgeti(vm->L, keys, i + 1);
    else
        lua_pushvalue(vm->L, keys);
    return lua_gettop(vm->L);
}

struct sorter *sorter_new(struct vm *vm, int keys, int n, int columns, bool reverse)
{
    size_t count = (size_t)n;
    value_spend(vm, n > 1 ? n * log2(n) : 0);
    int quick = columns < 1 ? 1 : columns > QUICK_COLUMNS ? QUICK_COLUMNS : columns;
    size_t each = (size_t)quick * sizeof(union sort_key) + 2 * sizeof(int);
    struct sorter *s = lua_newuserdata(vm->L, sizeof(*s) + count * each);
    *s = (struct sorter){.n = n, .columns = columns, .reverse = reverse, .at = 1};
    union sort_key *room = (union sort_key *)(s + 1);
    for (int i = 0; i < quick; i++, room += count) {
        s->quick[i].keys = room;
        fill_column(vm, &s->quick[i], n, push_column(vm, s, keys, i));
        lua_pop(vm->L, 1);
    }
    s->order = (int *)room;
    s->spare = s->order + count;
    for (int i = 0; i < n; i++)
        s->order[i] = reverse ? n - 1 - i : i;
    return s;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Push the keys of items a and b in the column. */
static void push_keys(struct vm *vm, const struct sorter *s, int keys, int a, int b)
{
    int list = push_column(vm, s, keys, s->column);
    lua_rawgeti(vm->L, list, a + 1);
    lua_rawgeti(vm->L, list, b + 1);
    lua_remove(vm->L, list);
}

static bool take_answer(struct vm *vm, struct sorter *s)
{
    bool answer = lua_toboolean(vm->L, -1);
    lua_pop(vm->L, 1);
    s->ask = ASK_NOTHING;
    return answer;
}

/* Are the keys equal in the column? */
static enum vm_status compare_equal(struct vm *vm, struct sorter *s, int keys, int a, int b,
                                    bool *is_equal)
{
    if (s->ask == ASK_EQUAL) {
        *is_equal = take_answer(vm, s);
        return VM_DONE;
    }
    push_keys(vm, s, keys, a, b);
    int top = lua_gettop(vm->L);
    if (value_equal(vm, top - 1, top, is_equal) == VALUE_ASK) {
        s->ask = ASK_EQUAL;
        return vm_ask(vm, VM_ASK_EQUAL, 2);
    }
    lua_settop(vm->L, top - 2);
    return VM_DONE;
}

static enum vm_status compare_less(struct vm *vm, struct sorter *s, int keys, int a, int b,
                                   bool *is_less)
{
    int order;
    if (s->ask == ASK_LESS) {
        *is_less = take_answer(vm, s);
        return VM_DONE;
    }
    push_keys(vm, s, keys, a, b);
    int top = lua_gettop(vm->L);
    if (value_order(vm, top - 1, top, "<", &order) == VALUE_ASK) {
        s->ask = ASK_LESS;
        return vm_ask(vm, VM_ASK_LESS, 2);
    }
    lua_settop(vm->L, top - 2);
    *is_less = order < 0;
    return VM_DONE;
}

/* As Python compares: <0: a < b. 0 of one column that is no list: not a < b. */
static enum vm_status compare_values(struct vm *vm, struct sorter *s, int keys, int a, int b,
                                     int *order)
{
    bool is_equal = false, is_less = false;
    if (s->columns > 0 && s->ask != ASK_LESS &&
        compare_equal(vm, s, keys, a, b, &is_equal) == VM_AGAIN)
        return VM_AGAIN;
    if (!is_equal && compare_less(vm, s, keys, a, b, &is_less) == VM_AGAIN)
        return VM_AGAIN;
    *order = is_less ? -1 : !is_equal;
    return VM_DONE;
}

static enum vm_status compare_column(struct vm *vm, struct sorter *s, int keys, int a, int b,
                                     int *order)
{
    const struct column *column = &s->quick[s->column];
    if (s->column >= QUICK_COLUMNS || column->kind == SORT_VALUES)
        return compare_values(vm, s, keys, a, b, order);
    if (column->kind == SORT_TEXTS) {
        *order = slice_cmp(column->keys[a].text, column->keys[b].text);
    } else {
        double left = column->keys[a].number, right = column->keys[b].number;
        *order = left < right ? -1 : left != right; /* nan: neither less nor equal */
    }
    return VM_DONE;
}

/* Is a < b? */
static enum vm_status compare(struct vm *vm, struct sorter *s, int keys, int a, int b, bool *is)
{
    int order = 0;
    do {
        if (compare_column(vm, s, keys, a, b, &order) == VM_AGAIN)
            return VM_AGAIN;
    } while (order == 0 && ++s->column < s->columns);
    s->column = 0;
    *is = order < 0;
    return VM_DONE;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* from + length, at most n; without overflow. */
static int end_of(const struct sorter *s, int from, int length)
{
    return length > s->n - from ? s->n : from + length;
}

static void turn_around(int *order, int low, int end)
{
    for (int i = low, j = end - 1; i < j; i++, j--) {
        int item = order[i];
        order[i] = order[j];
        order[j] = item;
    }
}

/* How many items of the chunk ascend, or descend, from its beginning: descending ones are turned
 * around. Comparisons come in CPython's order, so that of several errors the same one is met. */
static enum vm_status find_run(struct vm *vm, struct sorter *s, int keys, int end)
{
    for (; s->at < end; s->at++) {
        bool falls = false;
        if (compare(vm, s, keys, s->order[s->at], s->order[s->at - 1], &falls) == VM_AGAIN)
            return VM_AGAIN;
        if (s->at == s->low + 1)
            s->falls = falls;
        if (falls != s->falls)
            break;
    }
    if (s->falls)
        turn_around(s->order, s->low, s->at);
    s->phase = SORT_INSERT;
    s->left = s->low;
    s->right = s->at;
    return VM_DONE;
}

/* Put each further item of the chunk into its place among those before it. */
static enum vm_status insert_items(struct vm *vm, struct sorter *s, int keys, int end)
{
    while (s->at < end) {
        int item = s->order[s->at];
        while (s->left < s->right) {
            int middle = s->left + (s->right - s->left) / 2;
            bool is_before = false;
            if (compare(vm, s, keys, item, s->order[middle], &is_before) == VM_AGAIN)
                return VM_AGAIN;
            if (is_before)
                s->right = middle;
            else
                s->left = middle + 1;
        }
        memmove(s->order + s->left + 1, s->order + s->left,
                (size_t)(s->at - s->left) * sizeof(*s->order));
        s->order[s->left] = item;
        s->at++;
        s->left = s->low;
        s->right = s->at;
    }
    return VM_DONE;
}

/* Runs of `width` are sorted: begin to merge the pair at `low`. */
static void begin_merge(struct sorter *s)
{
    s->left = s->out = s->low;
    s->right = end_of(s, s->low, s->width);
}

static enum vm_status sort_chunks(struct vm *vm, struct sorter *s, int keys)
{
    while (s->low < s->n) {
        int end = end_of(s, s->low, CHUNK);
        if (s->phase == SORT_RUN && find_run(vm, s, keys, end) == VM_AGAIN)
            return VM_AGAIN;
        if (insert_items(vm, s, keys, end) == VM_AGAIN)
            return VM_AGAIN;
        s->phase = SORT_RUN;
        s->falls = false;
        s->low = end;
        s->at = end_of(s, end, 1);
    }
    s->phase = SORT_MERGE;
    s->low = 0;
    s->width = CHUNK;
    begin_merge(s);
    return VM_DONE;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* The pair of runs at `low` is merged: go to the next pair, or to runs twice as wide. */
static void next_runs(struct sorter *s)
{
    s->low = end_of(s, end_of(s, s->low, s->width), s->width);
    if (s->low >= s->n) {
        int *merged = s->spare;
        s->spare = s->order;
        s->order = merged;
        s->low = 0;
        s->width = s->width > s->n / 2 ? s->n : s->width * 2;
    }
    begin_merge(s);
}

static enum vm_status merge_runs(struct vm *vm, struct sorter *s, int keys)
{
    while (s->width < s->n) {
        int middle = end_of(s, s->low, s->width);
        int end = end_of(s, middle, s->width);
        while (s->left < middle && s->right < end) {
            bool is_right = false;
            int a = s->order[s->left], b = s->order[s->right];
            if (compare(vm, s, keys, b, a, &is_right) == VM_AGAIN)
                return VM_AGAIN;
            s->spare[s->out++] = is_right ? b : a;
            s->left += !is_right;
            s->right += is_right;
        }
        while (s->left < middle)
            s->spare[s->out++] = s->order[s->left++];
        while (s->right < end)
            s->spare[s->out++] = s->order[s->right++];
        next_runs(s);
    }
    return VM_DONE;
}

enum vm_status sorter_run(struct vm *vm, struct sorter *s, int keys, bool asked)
{
    if (!asked)
        s->ask = ASK_NOTHING;
    if (s->phase != SORT_MERGE && sort_chunks(vm, s, keys) == VM_AGAIN)
        return VM_AGAIN;
    return merge_runs(vm, s, keys);
}

int sorter_at(const struct sorter *s, int i)
{
    return s->order[s->reverse ? s->n - 1 - i : i];
}

/* ---- a list ---------------------------------------------------------------------------------- */

void sort_list(struct vm *vm, int list, int keys, bool reverse)
{
    lua_State *L = vm->L;
    int n = (int)lua_objlen(L, list);
    struct sorter *s = sorter_new(vm, keys, n, 0, reverse);
    if (sorter_run(vm, s, keys, false) == VM_AGAIN)
        vm_fail(vm, TEMPLATE_RUNTIME, "sort() cannot compare objects; the filter sort can");
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, list, sorter_at(s, i) + 1);
        lua_rawseti(L, -2, i + 1);
    }
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, list, i);
    }
    lua_pop(L, 2);
}
