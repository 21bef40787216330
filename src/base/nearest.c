/* base/nearest.c - the name somebody probably meant. See nearest.h. */
#include "base/nearest.h"

/* Longer words are not names of ours. */
#define NEAREST_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, three rows of its table at a time. */
static size_t edits(struct slice a, struct slice b)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *second = rows[(i + 1) % 3]; /* two above */
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = ascii_lower(a.data[i - 1]);
            char y = ascii_lower(b.data[j - 1]);
            row[j] = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == ascii_lower(b.data[j - 2]) &&
                ascii_lower(a.data[i - 2]) == y)
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *nearest_name(struct slice word, const char *const *names, size_t count)
{
    if (word.len == 0 || word.len > NEAREST_MAX)
        return NULL;
    const char *best = NULL;
    size_t fewest = word.len / 3 + 2; /* one slip in a short word, two in a longer one, ... */
    if (fewest > word.len)
        fewest = word.len;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL || strlen(names[i]) > NEAREST_MAX)
            continue;
        size_t n = edits(word, slice_cstr(names[i]));
        if (n < fewest) {
            best = names[i];
            fewest = n;
        }
    }
    return best;
}
