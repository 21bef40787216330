/* template/vm_method_text.h - the methods of texts which are in other files than their table. */
#ifndef QLUA_TEMPLATE_VM_METHOD_TEXT_H
#define QLUA_TEMPLATE_VM_METHOD_TEXT_H

#include "template/vm.h"

/* vm_method_find.c */
enum vm_status method_text_count(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_endswith(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_find(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_index(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_replace(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_rfind(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_rindex(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_startswith(struct vm *vm, struct vm_frame *frame);

/* vm_method_split.c */
enum vm_status method_text_join(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_partition(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_rpartition(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_rsplit(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_split(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_splitlines(struct vm *vm, struct vm_frame *frame);

/* vm_method_is.c */
enum vm_status method_text_isalnum(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isalpha(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isascii(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isdecimal(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isdigit(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isidentifier(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_islower(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isnumeric(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isprintable(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isspace(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_istitle(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_isupper(struct vm *vm, struct vm_frame *frame);

/* vm_format_str.c */
enum vm_status method_text_format(struct vm *vm, struct vm_frame *frame);
enum vm_status method_text_format_map(struct vm *vm, struct vm_frame *frame);

#endif
