/* template/vm_format.h - numbers and texts put into a width, as Python formats them.
 *
 * Place in the flow: the "%" operator and str.format() read their specifications into a struct
 * format_spec; both are written here.
 */
#ifndef QLUA_TEMPLATE_VM_FORMAT_H
#define QLUA_TEMPLATE_VM_FORMAT_H

#include "template/vm.h"

/* [[fill]align][sign][#][0][width][grouping][.precision][type] */
struct format_spec {
    struct slice fill; /* one character */
    char align;        /* < > ^, = between sign and digits; 0: as the kind of value has it */
    char sign;         /* - + space; 0 is - */
    char grouping;     /* , _ or 0 */
    char type;         /* the letter, 0: none */
    bool alternate;    /* # */
    bool percent;      /* of the "%" operator: what the precision of a whole number means */
    double width;      /* 0: none */
    double precision;  /* -1: none */
};

#define FORMAT_SPEC_NONE ((struct format_spec){.fill = {" ", 1}, .precision = -1})

/* Append the number; fails for a letter that numbers have not, and beyond the text limit. */
void format_number(struct vm *vm, double number, const struct format_spec *spec, struct buf *out);

/* Append the text, cut to the precision, in its width. */
void format_text(struct vm *vm, struct slice text, const struct format_spec *spec, struct buf *out);

/* Append format(value, spec) of the value at index: not of an object. */
void format_value(struct vm *vm, int index, struct slice spec, struct buf *out);

/* Append ascii(): repr with what is not ASCII as escapes. */
void format_ascii(struct vm *vm, int index, struct buf *out);

#endif
