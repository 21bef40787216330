/* template/unicode_table.h - the data behind unicode.c: classes and cases of characters.
 *
 * Place in the flow: written by spec/support/unicode_tables.py into two files; read by unicode.c.
 */
#ifndef QLUA_TEMPLATE_UNICODE_TABLE_H
#define QLUA_TEMPLATE_UNICODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    UNICODE_PRINTABLE = 1,
    UNICODE_ALPHA = 2,
    UNICODE_DECIMAL = 4,
    UNICODE_DIGIT = 8,
    UNICODE_NUMERIC = 16,
    UNICODE_SPACE = 32,
    UNICODE_NAME_START = 64, /* XID_Start or "_" */
    UNICODE_NAME = 128,      /* XID_Continue */
    UNICODE_IGNORABLE = 256, /* Case_Ignorable and not cased */
    UNICODE_TITLE = 512
};

/* first, first + step, ... last */
struct unicode_span {
    uint32_t first, last;
    uint32_t step;
};

struct unicode_classes {
    const uint16_t *flags;
    const uint32_t *runs; /* first code << 8 | index of its flags, ascending */
    size_t run_count;
    const struct unicode_span *lower;
    size_t lower_count;
    const struct unicode_span *upper;
    size_t upper_count;
};

/* Each code of the span becomes code + delta. */
struct unicode_move {
    uint32_t first, last;
    uint32_t step;
    int32_t delta;
};

/* A character that becomes several. */
struct unicode_special {
    uint32_t code;
    uint32_t to[3]; /* 0 behind the last */
};

struct unicode_mapping {
    const struct unicode_move *moves;
    size_t move_count;
    const struct unicode_special *specials;
    size_t special_count;
};

extern const struct unicode_classes unicode_classes;
extern const struct unicode_mapping unicode_to_lower, unicode_to_upper;
extern const struct unicode_mapping unicode_to_title; /* where it is not the upper case */
extern const struct unicode_mapping unicode_to_fold;  /* where it is not the lower case */

#endif
