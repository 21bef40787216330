/* template/vm_method.c - the methods of Python's types, by name. */
#include "template/vm_value.h"

const struct vm_native *value_method(struct vm *vm, int index, struct slice name)
{
    (void)vm;
    (void)index;
    (void)name;
    return NULL;
}
