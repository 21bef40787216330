/* template/filter_lipsum.c - lipsum: paragraphs of text that means nothing.
 *
 * Place in the flow: a global, listed in filter_global.c. Sentences and commas come at the
 * distances that Jinja's have; the words are those of the usual filler text, after Cicero.
 */
#include <math.h>
#include <sys/random.h>

#include "template/filter_internal.h"

static const char *const words[] = {
    "ad",        "adipiscing", "aliqua",     "aliquip",     "amet",          "anim",
    "aute",      "cillum",     "commodo",    "consectetur", "consequat",     "culpa",
    "cupidatat", "deserunt",   "do",         "dolor",       "dolore",        "duis",
    "ea",        "eiusmod",    "elit",       "enim",        "esse",          "est",
    "et",        "eu",         "ex",         "excepteur",   "exercitation",  "fugiat",
    "id",        "in",         "incididunt", "ipsum",       "irure",         "labore",
    "laboris",   "laborum",    "lorem",      "magna",       "minim",         "mollit",
    "nisi",      "non",        "nostrud",    "nulla",       "occaecat",      "officia",
    "pariatur",  "proident",   "qui",        "quis",        "reprehenderit", "sed",
    "sint",      "sit",        "sunt",       "tempor",      "ullamco",       "ut",
    "velit",     "veniam",     "voluptate",
};

#define WORD_COUNT ((double)(sizeof(words) / sizeof(*words)))

uint64_t filter_random_seed(void)
{
    uint64_t seed = 0;
    /* 8 bytes do not fail once the system has booted */
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = 0;
    return seed;
}

/* splitmix64; a double takes 53 of the bits */
double filter_random_below(uint64_t *state, double n)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return floor((double)(x >> 11) / 9007199254740992.0 * n);
}

struct lipsum {
    struct vm *vm;
    uint64_t random;
};

/* from <= x < to */
static double random_between(struct lipsum *l, double from, double to)
{
    return from + filter_random_below(&l->random, to - from);
}

/* Append a word that is not the one before; gives its number. */
static size_t add_word(struct lipsum *l, size_t last, bool capitalize)
{
    struct buf *out = &l->vm->text;
    size_t at = (size_t)filter_random_below(&l->random, WORD_COUNT - 1);
    at += at >= last; /* every word but the last one */
    size_t start = out->len;
    buf_cstr(out, words[at]);
    if (capitalize)
        out->data[start] = (char)(out->data[start] - 'a' + 'A');
    return at;
}

static void add_paragraph(struct lipsum *l, double count)
{
    struct buf *out = &l->vm->text;
    size_t word = (size_t)WORD_COUNT;
    double last_comma = 0, last_stop = 0;
    bool begins = true;
    char end = 0;
    for (double i = 0; i < count; i++) {
        if (end != 0)
            buf_char(out, end);
        if (i > 0)
            buf_char(out, ' ');
        word = add_word(l, word, begins);
        begins = false;
        end = 0;
        if (i - random_between(l, 3, 8) > last_comma) {
            last_comma = i;
            last_stop += 2;
            end = ',';
        }
        if (i - random_between(l, 10, 20) > last_stop) {
            last_comma = last_stop = i;
            begins = true;
            end = '.';
        }
        value_check_text(l->vm, (double)out->len);
    }
    buf_char(out, '.');
}

/* lipsum(n, html, min, max): n paragraphs of min to max - 1 words. */
enum vm_status global_lipsum(struct vm *vm, struct vm_frame *frame)
{
    double n = filter_whole(vm, frame->base);
    bool html = filter_flag(vm, frame->base + 1);
    double min = filter_whole(vm, frame->base + 2), max = filter_whole(vm, frame->base + 3);
    struct lipsum l = {vm, filter_random_seed()};
    size_t start = vm->text.len;
    if (n > 0 && max <= min)
        vm_fail(vm, TEMPLATE_RUNTIME, "empty range for randrange() (%.0f, %.0f, %.0f)", min, max,
                max - min);
    for (double i = 0; i < n; i++) {
        if (i > 0)
            buf_cstr(&vm->text, html ? "\n" : "\n\n");
        if (html)
            buf_cstr(&vm->text, "<p>");
        add_paragraph(&l, random_between(&l, min, max));
        if (html)
            buf_cstr(&vm->text, "</p>");
    }
    filter_push_text(vm, start, html);
    return VM_DONE;
}
