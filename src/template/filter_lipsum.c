/* template/filter_lipsum.c - lipsum: paragraphs of text that means nothing.
 *
 * Place in the flow: a global, listed in filter_global.c. Sentences and commas come at the
 * distances that Jinja's have; the words are those of the usual filler text, after Cicero.
 */
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

/* from <= x < to */
static double random_between(double from, double to)
{
    return from + filter_random_below(to - from);
}

/* Append a word that is not the one before; gives its number. */
static size_t add_word(struct vm *vm, size_t last, bool capitalize)
{
    size_t at = (size_t)filter_random_below(WORD_COUNT - 1);
    at += at >= last; /* every word but the last one */
    size_t start = vm->text.len;
    buf_cstr(&vm->text, words[at]);
    if (capitalize)
        vm->text.data[start] = (char)(vm->text.data[start] - 'a' + 'A');
    return at;
}

static void add_paragraph(struct vm *vm, double count)
{
    size_t word = (size_t)WORD_COUNT;
    double last_comma = 0, last_stop = 0;
    bool begins = true;
    char end = 0;
    for (double i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&vm->text, ' ');
        word = add_word(vm, word, begins);
        begins = false;
        end = 0;
        if (i - random_between(3, 8) > last_comma) {
            last_comma = i;
            last_stop += 2;
            end = ',';
        }
        if (i - random_between(10, 20) > last_stop) {
            last_comma = last_stop = i;
            begins = true;
            end = '.';
        }
        if (end != 0 && i + 1 < count)
            buf_char(&vm->text, end);
        value_check_text(vm, (double)vm->text.len);
    }
    buf_char(&vm->text, '.');
}

/* lipsum(n, html, min, max): n paragraphs of min to max - 1 words. */
enum vm_status global_lipsum(struct vm *vm, struct vm_frame *frame)
{
    double n = filter_whole(vm, frame->base);
    bool html = filter_flag(vm, frame->base + 1);
    double min = filter_whole(vm, frame->base + 2), max = filter_whole(vm, frame->base + 3);
    size_t start = vm->text.len;
    if (n > 0 && max <= min)
        vm_fail(vm, TEMPLATE_RUNTIME, "empty range for randrange() (%.0f, %.0f, %.0f)", min, max,
                max - min);
    for (double i = 0; i < n; i++) {
        if (i > 0)
            buf_cstr(&vm->text, html ? "\n" : "\n\n");
        if (html)
            buf_cstr(&vm->text, "<p>");
        add_paragraph(vm, random_between(min, max));
        if (html)
            buf_cstr(&vm->text, "</p>");
    }
    filter_push_text(vm, start, html);
    return VM_DONE;
}
