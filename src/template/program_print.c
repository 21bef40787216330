/* template/program_print.c - a program as a readable listing: for people who work on the compiler.
 */
#include "template/program.h"

/* What an instruction's operands are, beside the letters of program.h: a number each. */
enum {
    SHOW_A = 1,
    SHOW_B = 2,
    SHOW_C = 4,
    SHOW_SLOT = 8,
    SHOW_CONST = 16,
    SHOW_TEXT = 32,
    SHOW_JUMP = 64
};

static const struct {
    const char *name;
    int shows;
} ops[] = {
    [OP_TEXT] = {"text", SHOW_TEXT},
    [OP_OUT] = {"out", SHOW_A},
    [OP_OUT_SLOT] = {"out_slot", SHOW_A | SHOW_SLOT},
    [OP_OUT_NAME] = {"out_name", SHOW_A | SHOW_SLOT | SHOW_CONST},
    [OP_OUT_ATTR] = {"out_attr", SHOW_A | SHOW_SLOT | SHOW_CONST},
    [OP_FINALIZE] = {"finalize", 0},
    [OP_CONST] = {"const", SHOW_CONST},
    [OP_NONE] = {"none", 0},
    [OP_TRUE] = {"true", 0},
    [OP_FALSE] = {"false", 0},
    [OP_SLOT] = {"slot", SHOW_SLOT},
    [OP_NAME] = {"name", SHOW_SLOT | SHOW_CONST},
    [OP_CELL] = {"cell", SHOW_A | SHOW_B | SHOW_CONST},
    [OP_SLOT_RAW] = {"slot_raw", SHOW_SLOT},
    [OP_CELL_RAW] = {"cell_raw", SHOW_A | SHOW_B},
    [OP_RESOLVE] = {"resolve", SHOW_CONST},
    [OP_STORE] = {"store", SHOW_SLOT},
    [OP_STORE_CELL] = {"store_cell", SHOW_B},
    [OP_CLEAR] = {"clear", SHOW_SLOT | SHOW_C},
    [OP_CLEAR_CELL] = {"clear_cell", SHOW_B},
    [OP_NO_ELSE] = {"no_else", SHOW_TEXT},
    [OP_POP] = {"pop", 0},
    [OP_DUP] = {"dup", 0},
    [OP_NOT] = {"not", 0},
    [OP_NEGATE] = {"negate", SHOW_A},
    [OP_ARITH] = {"arith", SHOW_A},
    [OP_COMPARE] = {"compare", SHOW_A},
    [OP_ROTATE] = {"rotate", 0},
    [OP_CHAIN] = {"chain", SHOW_JUMP},
    [OP_CONCAT] = {"concat", SHOW_A | SHOW_B},
    [OP_MARK_SAFE] = {"mark_safe", SHOW_A},
    [OP_ATTR] = {"attr", SHOW_CONST},
    [OP_SLOT_ATTR] = {"slot_attr", SHOW_SLOT | SHOW_CONST},
    [OP_ITEM] = {"item", 0},
    [OP_SLICE] = {"slice", 0},
    [OP_LIST] = {"list", SHOW_C},
    [OP_TUPLE] = {"tuple", SHOW_C},
    [OP_DICT] = {"dict", SHOW_C},
    [OP_APPEND] = {"append", 0},
    [OP_EXTEND] = {"extend", 0},
    [OP_ADD_KEY] = {"add_key", SHOW_CONST},
    [OP_MERGE] = {"merge", 0},
    [OP_JUMP] = {"jump", SHOW_JUMP},
    [OP_JUMP_BACK] = {"jump_back", SHOW_JUMP},
    [OP_JUMP_RAN] = {"jump_ran", SHOW_JUMP},
    [OP_JUMP_FALSE] = {"jump_false", SHOW_JUMP},
    [OP_JUMP_TRUE] = {"jump_true", SHOW_JUMP},
    [OP_AND] = {"and", SHOW_JUMP},
    [OP_OR] = {"or", SHOW_JUMP},
    [OP_JUMP_SET] = {"jump_set", SHOW_SLOT | SHOW_JUMP},
    [OP_JUMP_SET_CELL] = {"jump_set_cell", SHOW_B | SHOW_JUMP},
    [OP_JUMP_PARENT] = {"jump_parent", SHOW_JUMP},
    [OP_CALL] = {"call", SHOW_B | SHOW_C},
    [OP_CALL_LIST] = {"call_list", 0},
    [OP_FILTER] = {"filter", SHOW_C},
    [OP_TEST] = {"test", SHOW_C},
    [OP_CALL_OUT] = {"call_out", SHOW_A | SHOW_B | SHOW_C},
    [OP_CALL_LIST_OUT] = {"call_list_out", SHOW_A},
    [OP_FOR] = {"for", SHOW_SLOT | SHOW_C},
    [OP_FOR_NEXT] = {"for_next", SHOW_B | SHOW_JUMP},
    [OP_FOR_TEST] = {"for_test", 0},
    [OP_FOR_END] = {"for_end", 0},
    [OP_LOOP_CALL] = {"loop_call", SHOW_C},
    [OP_UNPACK] = {"unpack", SHOW_B},
    [OP_LOOP_ATTR] = {"loop_attr", SHOW_A | SHOW_B},
    [OP_LOOP_CYCLE] = {"loop_cycle", SHOW_A | SHOW_B},
    [OP_EXPORT] = {"export", SHOW_A | SHOW_CONST},
    [OP_UNEXPORT] = {"unexport", SHOW_CONST},
    [OP_NAMESPACE] = {"namespace", 0},
    [OP_SET_ATTR] = {"set_attr", SHOW_CONST},
    [OP_CAPTURE] = {"capture", 0},
    [OP_CAPTURED] = {"captured", SHOW_A},
    [OP_DROP_CAPTURES] = {"drop_captures", SHOW_B},
    [OP_MACRO] = {"macro", SHOW_C},
    [OP_PARAMETER] = {"parameter", SHOW_CONST},
    [OP_BLOCK] = {"block", SHOW_A | SHOW_C},
    [OP_REQUIRED] = {"required", SHOW_C},
    [OP_LOAD] = {"load", SHOW_A},
    [OP_EXTENDS] = {"extends", 0},
    [OP_EXTENDS_AGAIN] = {"extends_again", 0},
    [OP_INCLUDE] = {"include", SHOW_A | SHOW_B},
    [OP_IMPORT] = {"import", SHOW_A | SHOW_B},
    [OP_IMPORTED] = {"imported", SHOW_CONST},
    [OP_AUTOESCAPE] = {"autoescape", SHOW_SLOT},
    [OP_AUTOESCAPE_END] = {"autoescape_end", SHOW_SLOT},
    [OP_DEBUG] = {"debug", 0},
    [OP_SELF] = {"self", 0},
    [OP_SUPER] = {"super", SHOW_C},
    [OP_PARENT] = {"parent", 0},
    [OP_RETURN] = {"return", 0},
};

/* In quotes, on one line. */
static void print_text(struct slice text, struct buf *out)
{
    buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_cstr(out, "\\n");
        else
            buf_char(out, text.data[i]);
    }
    buf_char(out, '"');
}

static void print_const(const struct program *program, int index, struct buf *out)
{
    const struct program_const *value = &program->consts[index];
    if (value->is_number)
        buf_printf(out, "%.17g", value->number);
    else
        print_text(value->text, out);
}

static void print_insn(const struct program *program, const struct insn *insn, struct buf *out)
{
    int shows = ops[insn->op].shows;
    buf_cstr(out, ops[insn->op].name);
    if (shows & SHOW_A)
        buf_printf(out, " a=%d", insn->a);
    if (shows & SHOW_B)
        buf_printf(out, " b=%d", insn->b);
    if (shows & SHOW_C)
        buf_printf(out, " c=%d", insn->c);
    if (shows & SHOW_SLOT)
        buf_printf(out, " slot %d", insn->b);
    if (shows & SHOW_JUMP)
        buf_printf(out, " to %d", insn->c);
    if (shows & (SHOW_CONST | SHOW_TEXT))
        buf_char(out, ' ');
    if (shows & SHOW_CONST)
        print_const(program, insn->c, out);
    if (shows & SHOW_TEXT)
        print_text(program->texts[insn->c], out);
    buf_char(out, '\n');
}

static void print_unit(const struct program *program, const struct program_unit *unit,
                       struct buf *out)
{
    static const char *const kinds[] = {
        [UNIT_ROOT] = "body", [UNIT_BLOCK] = "block", [UNIT_MACRO] = "macro", [UNIT_LOOP] = "loop"};
    buf_printf(out, "%s %.*s: line %d, %d parameters, %d slots, %d cells\n", kinds[unit->kind],
               (int)unit->name.len, unit->name.data, unit->line, unit->nparams, unit->nslots,
               unit->ncells);
    for (int pc = 0; pc < unit->ncode; pc++) {
        buf_printf(out, "%5d %4d  ", program_line_of(unit, pc), pc);
        print_insn(program, &unit->code[pc], out);
    }
}

void program_print(const struct program *program, struct buf *out)
{
    for (int i = 0; i < program->nunits; i++)
        print_unit(program, &program->units[i], out);
}
