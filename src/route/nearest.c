/* route/nearest.c - the name a person probably meant. See nearest.h. */
#include "route/nearest.h"

#include <stdint.h>

#define NEAREST_MAX 64

double nearest_ratio(struct slice a, struct slice b)
{
    /* Levenshtein's distance, one row of the table at a time. */
    size_t row[NEAREST_MAX + 1];
    size_t na = a.len < NEAREST_MAX ? a.len : NEAREST_MAX;
    size_t nb = b.len < NEAREST_MAX ? b.len : NEAREST_MAX;
    size_t longer = na > nb ? na : nb;

    if (longer == 0)
        return 1;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return 1 - (double)row[nb] / (double)longer;
}
