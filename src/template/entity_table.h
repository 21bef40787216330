/* template/entity_table.h - the data behind entity.c: HTML's named character references. */
#ifndef QLUA_TEMPLATE_ENTITY_TABLE_H
#define QLUA_TEMPLATE_ENTITY_TABLE_H

#include <stddef.h>

extern const char entity_names[]; /* see entity_table.c for its form */
extern const size_t entity_names_len;

#endif
