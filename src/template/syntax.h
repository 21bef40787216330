/* template/syntax.h - how a template is written, and what is said of one that is not.
 *
 * Place in the flow: an environment fills template_syntax once; lexer, parser and compiler read
 * it. They know no Lua; template_error is how every stage, the VM included, reports.
 */
#ifndef QLUA_TEMPLATE_SYNTAX_H
#define QLUA_TEMPLATE_SYNTAX_H

#include <stdbool.h>

#include "base/slice.h"

/* Jinja's environment options that the front end needs; the slices are the environment's. */
struct template_syntax {
    struct slice block_start, block_end;       /* "{%" "%}" */
    struct slice variable_start, variable_end; /* "{{" "}}" */
    struct slice comment_start, comment_end;   /* "{#" "#}" */
    struct slice line_statement_prefix;        /* empty: none */
    struct slice line_comment_prefix;
    struct slice newline_sequence; /* "\n" */
    bool trim_blocks;
    bool lstrip_blocks;
    bool keep_trailing_newline;
    bool ext_do;
    bool ext_loopcontrols;
    bool ext_i18n;         /* {% trans %} is parsed into calls of gettext, ngettext, ... */
    bool newstyle_gettext; /* with the variables as keyword arguments */
    bool ext_debug;
    bool trim_trans; /* policy ext.i18n.trimmed */
};

/* Jinja's defaults. */
void template_syntax_init(struct template_syntax *syntax);

enum template_error_kind {
    TEMPLATE_OK,
    TEMPLATE_SYNTAX,    /* TemplateSyntaxError */
    TEMPLATE_ASSERTION, /* TemplateAssertionError: unknown filter, block defined twice, ... */
    TEMPLATE_NOT_FOUND, /* TemplateNotFound, TemplatesNotFound */
    TEMPLATE_UNDEFINED, /* UndefinedError */
    TEMPLATE_RUNTIME, /* TemplateRuntimeError; also where Python raises TypeError, ValueError ... */
    TEMPLATE_FILTER_ARG, /* FilterArgumentError */
    TEMPLATE_SECURITY,   /* SecurityError */
    TEMPLATE_LIMIT       /* a stated limit: recursion, instructions, output, range */
};

struct template_error {
    enum template_error_kind kind;
    int line;          /* 1-based in the template it is in; 0: unknown */
    char name[256];    /* that template's name; "" when it has none */
    char message[512]; /* Jinja's own words where Jinja has any */
};

/* Fill *error and give false, so that callers write `return template_fail(...)`. Keeps the first
 * error when there is one already. */
bool template_fail(struct template_error *error, enum template_error_kind kind, int line,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
