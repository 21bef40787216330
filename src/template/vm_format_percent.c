/* template/vm_format_percent.c - "%" formatting. */
#include "template/vm_value.h"

enum value_result value_format(struct vm *vm, int format, int args)
{
    (void)args;
    (void)format;
    vm_fail(vm, TEMPLATE_RUNTIME, "%% formatting is on its way");
}
