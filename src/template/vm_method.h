/* template/vm_method.h - the methods of Python's types: their tables, and how they take
 * parameters.
 *
 * Place in the flow: value_method finds them in the tables, the VM binds their arguments by
 * their signatures and calls them. The first parameter is the value itself.
 */
#ifndef QLUA_TEMPLATE_VM_METHOD_H
#define QLUA_TEMPLATE_VM_METHOD_H

#include "template/vm.h"

/* Methods by name, in strcmp order; count of them. */
struct method_table {
    const struct vm_native *methods;
    size_t count;
};

extern const struct method_table text_methods, markup_methods, list_methods, tuple_methods,
    dict_methods, number_methods, range_methods;

/* May a list, tuple or dict have a method of this name? False is sure. */
bool method_may_be(struct slice name);

/* Has a list, tuple or dict one? Exact, and slower. */
bool method_is_any(struct slice name);

/* ---- parameters: i counts from the value itself, which is 0 ---- */

static inline int method_param(const struct vm_frame *frame, int i)
{
    return frame->base + i;
}

/* Was it given (not nil, not none)? */
bool method_given(struct vm *vm, const struct vm_frame *frame, int i);
/* The text that the value itself is. */
struct slice method_self(struct vm *vm, const struct vm_frame *frame);
bool method_self_is_markup(struct vm *vm, const struct vm_frame *frame);
/* A parameter that has to be a text; escaped where the value is a Markup. */
struct slice method_text(struct vm *vm, const struct vm_frame *frame, int i);
/* The same, not escaped. */
struct slice method_plain_text(struct vm *vm, const struct vm_frame *frame, int i);
/* A whole number; `otherwise` when it was not given. */
double method_int(struct vm *vm, const struct vm_frame *frame, int i, double otherwise);

/* ---- results ---- */

/* Push what was appended to vm->text from start on: a Markup where the value is one. */
void method_push_text(struct vm *vm, const struct vm_frame *frame, size_t start);
/* Push a part of a text as a Markup where the value is one. */
void method_push_part(struct vm *vm, const struct vm_frame *frame, struct slice part);
enum vm_status method_boolean(struct vm *vm, bool result);
enum vm_status method_number(struct vm *vm, double result);
enum vm_status method_none(struct vm *vm);

#endif
