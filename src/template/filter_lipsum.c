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

enum { WORD_COUNT = sizeof(words) / sizeof(*words) };

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
static int64_t random_between(struct lipsum *l, int64_t from, int64_t to)
{
    return from + (int64_t)filter_random_below(&l->random, (double)(to - from));
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

static void add_paragraph(struct lipsum *l, int64_t count)
{
    struct buf *out = &l->vm->text;
    size_t word = WORD_COUNT;
    int64_t last_comma = 0, last_stop = 0;
    bool begins = true;
    char end = 0;
    for (int64_t i = 0; i < count; i++) {
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

/* A number of paragraphs or words: what is beyond a billion is as good as that. */
static int64_t count_argument(struct vm *vm, int index)
{
    double count = filter_whole(vm, index);
    return (int64_t)fmax(-1e9, fmin(count, 1e9));
}

/* lipsum(n, html, min, max): n paragraphs of min to max - 1 words. */
enum vm_status global_lipsum(struct vm *vm, struct vm_frame *frame)
{
    int64_t n = count_argument(vm, frame->base);
    bool html = filter_flag(vm, frame->base + 1);
    int64_t min = count_argument(vm, frame->base + 2), max = count_argument(vm, frame->base + 3);
    struct lipsum l = {vm, filter_random_seed()};
    size_t start = vm->text.len;
    if (n > 0 && max <= min)
        vm_fail(vm, TEMPLATE_RUNTIME, "empty range for randrange() (%lld, %lld, %lld)",
                (long long)min, (long long)max, (long long)(max - min));
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            buf_cstr(&vm->text, html ? "\n" : "\n\n");
        if (html)
            buf_cstr(&vm->text, "<p>");
        add_paragraph(&l, random_between(&l, min, max));
        if (html)
            buf_cstr(&vm->text, "</p>");
        value_check_text(vm, (double)vm->text.len);
    }
    filter_push_text(vm, start, html);
    return VM_DONE;
}
