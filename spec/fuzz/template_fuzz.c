/* spec/fuzz/template_fuzz.c - templates of any bytes: lexer and parser.
 *
 * The first byte chooses the delimiters, the second the options; the rest is the source. A tree is
 * walked by printing it; a failure says what, where.
 */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "template/ast_print.h"
#include "template/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    struct slice block_start, block_end, variable_start, variable_end, comment_start, comment_end;
    struct slice line_statement, line_comment;
} delimiters[] = {
    {SLICE("{%"), SLICE("%}"), SLICE("{{"), SLICE("}}"), SLICE("{#"), SLICE("#}"), SLICE(""),
     SLICE("")},
    {SLICE("{%"), SLICE("%}"), SLICE("{{"), SLICE("}}"), SLICE("{#"), SLICE("#}"), SLICE("#"),
     SLICE("##")},
    {SLICE("<%"), SLICE("%>"), SLICE("<%="), SLICE("%>"), SLICE("<!--"), SLICE("-->"), SLICE("%"),
     SLICE("//")},
    {SLICE("<"), SLICE(">"), SLICE("${"), SLICE("}"), SLICE("\xc2\xab"), SLICE("\xc2\xbb"),
     SLICE("  $"), SLICE(" #")},
};

static struct template_syntax syntax_of(uint8_t which, uint8_t flags)
{
    struct template_syntax syntax;
    template_syntax_init(&syntax);
    size_t i = which % (sizeof(delimiters) / sizeof(delimiters[0]));
    syntax.block_start = delimiters[i].block_start;
    syntax.block_end = delimiters[i].block_end;
    syntax.variable_start = delimiters[i].variable_start;
    syntax.variable_end = delimiters[i].variable_end;
    syntax.comment_start = delimiters[i].comment_start;
    syntax.comment_end = delimiters[i].comment_end;
    syntax.line_statement_prefix = delimiters[i].line_statement;
    syntax.line_comment_prefix = delimiters[i].line_comment;
    syntax.trim_blocks = (flags & 1) != 0;
    syntax.lstrip_blocks = (flags & 2) != 0;
    syntax.keep_trailing_newline = (flags & 4) != 0;
    syntax.ext_do = syntax.ext_loopcontrols = syntax.ext_debug = (flags & 8) == 0;
    syntax.ext_i18n = (flags & 16) == 0;
    syntax.newstyle_gettext = (flags & 32) != 0;
    syntax.trim_trans = (flags & 64) != 0;
    if ((flags & 128) != 0)
        syntax.newline_sequence = SLICE("\r\n");
    return syntax;
}

static int count_lines(struct slice source)
{
    int lines = 1;
    for (size_t i = 0; i < source.len; i++)
        lines += source.data[i] == '\n' || source.data[i] == '\r';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct template_syntax syntax = syntax_of(data[0], data[1]);
    struct slice source = slice_of((const char *)data + 2, size - 2);
    struct arena arena;
    struct ast_template *tree;
    struct template_error error;
    arena_init(&arena);
    if (template_parse(&arena, &syntax, source, "fuzz", &tree, &error)) {
        struct buf text = {0};
        ast_print(&text, tree);
        assert(error.kind == TEMPLATE_OK && (tree->body.count > 0) == (text.len > 0));
        buf_clear(&text);
    } else {
        assert(error.kind == TEMPLATE_SYNTAX || error.kind == TEMPLATE_ASSERTION);
        assert(error.message[0] != '\0' && strcmp(error.name, "fuzz") == 0);
        assert(error.line >= 1 && error.line <= count_lines(source));
    }
    arena_clear(&arena);
    return 0;
}
