/* template/syntax.c - how a template is written, and what is said of one that is not.
 * See syntax.h. */
#include "template/syntax.h"

#include <stdarg.h>
#include <stdio.h>

void template_syntax_init(struct template_syntax *syntax)
{
    *syntax = (struct template_syntax){
        .block_start = SLICE("{%"),
        .block_end = SLICE("%}"),
        .variable_start = SLICE("{{"),
        .variable_end = SLICE("}}"),
        .comment_start = SLICE("{#"),
        .comment_end = SLICE("#}"),
        .newline_sequence = SLICE("\n"),
    };
}

bool template_fail(struct template_error *error, enum template_error_kind kind, int line,
                   const char *format, ...)
{
    if (error->kind != TEMPLATE_OK)
        return false;
    error->kind = kind;
    error->line = line;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return false;
}
