/* template/compiler_call.c - calls, filters, tests and their arguments. */
#include "template/compiler_internal.h"

/* Python's compiler refuses what names an argument twice. */
static void check_keywords(struct compiler *c, const struct ast_args *args, int line)
{
    if (args->keywords.count < 2)
        return;
    struct scope *seen = scope_new(c->arena, NULL, NULL);
    for (int i = 0; i < args->keywords.count; i++) {
        if (scope_has(seen, args->names[i]))
            compile_fail(c, TEMPLATE_SYNTAX, line, "keyword argument repeated: %.*s",
                         (int)args->names[i].len, args->names[i].data);
        scope_parameter(seen, args->names[i]);
    }
}

static bool is_list(const struct ast_args *args)
{
    return args->star != NULL || args->star_star != NULL;
}

/* The values, then the keywords' values: as many as it gives. */
static int compile_values(struct compiler *c, const struct frame_names *frame,
                          const struct ast_args *args)
{
    for (int i = 0; i < args->positional.count; i++)
        compile_expression(c, frame, args->positional.items[i]);
    for (int i = 0; i < args->keywords.count; i++)
        compile_expression(c, frame, args->keywords.items[i]);
    return args->positional.count + args->keywords.count;
}

/* [list dict], for calls with *args or **kwargs; skip: the first is on the stack already. */
static void compile_lists(struct compiler *c, const struct frame_names *frame,
                          const struct ast_args *args)
{
    int count = args->positional.count;
    for (int i = 0; i < count; i++)
        compile_expression(c, frame, args->positional.items[i]);
    emit(c, OP_LIST, 0, 0, count, 1 - count);
    if (args->star != NULL) {
        compile_expression(c, frame, args->star);
        emit(c, OP_EXTEND, 0, 0, 0, -1);
    }
    emit(c, OP_DICT, 0, 0, 0, 1);
    for (int i = 0; i < args->keywords.count; i++) {
        compile_expression(c, frame, args->keywords.items[i]);
        emit(c, OP_ADD_KEY, 0, 0, const_text(c, args->names[i]), -1);
    }
    if (args->star_star != NULL) {
        compile_expression(c, frame, args->star_star);
        emit(c, OP_MERGE, 0, 0, 0, -1);
    }
}

/* The callee and its arguments; caller: a macro passed as one more keyword argument, or NULL. */
static void compile_call_as(struct compiler *c, const struct frame_names *frame,
                            const struct ast_call *call, const struct ast_macro *caller,
                            const int *escape)
{
    const struct ast_args *args = &call->args;
    int a = escape == NULL ? 0 : *escape;
    check_keywords(c, args, call->ast.line);
    compile_expression(c, frame, call->callee);
    if (is_list(args)) {
        compile_lists(c, frame, args);
        if (caller != NULL) {
            compile_macro_value(c, frame, caller);
            emit(c, OP_ADD_KEY, 0, 0, const_text(c, SLICE("caller")), -1);
        }
        emit(c, escape == NULL ? OP_CALL_LIST : OP_CALL_LIST_OUT, a, 0, 0, -2);
    } else {
        int count = compile_values(c, frame, args);
        if (caller != NULL) {
            compile_macro_value(c, frame, caller);
            count++;
        }
        int keywords = add_keywords(c, args, caller != NULL);
        emit(c, escape == NULL ? OP_CALL : OP_CALL_OUT, a, args->positional.count, keywords,
             -count);
    }
    if (escape != NULL)
        emit(c, OP_OUT, a, 0, 0, -1);
}

/* loop.cycle(values...), of a loop that is open here. */
static bool compile_cycle(struct compiler *c, const struct frame_names *frame,
                          const struct ast_call *call)
{
    const struct ast_getattr *callee = (const struct ast_getattr *)call->callee;
    const struct ast_args *args = &call->args;
    int count = args->positional.count;
    if (callee->ast.kind != AST_GETATTR || !slice_eq(callee->name, SLICE("cycle")))
        return false;
    int loop = loop_of_name(c, frame, callee->object);
    if (loop == 0 || loop > UINT8_MAX || count == 0 || args->keywords.count > 0 || is_list(args))
        return false;
    compile_values(c, frame, args);
    emit(c, OP_LOOP_CYCLE, loop - 1, count, 0, 1 - count);
    return true;
}

void compile_call(struct compiler *c, const struct frame_names *frame, const struct ast_call *call)
{
    if (compile_cycle(c, frame, call))
        return;
    compile_call_as(c, frame, call, NULL, NULL);
}

void compile_call_out(struct compiler *c, const struct frame_names *frame,
                      const struct ast_call *call, const struct ast_macro *caller)
{
    if (caller == NULL && compile_cycle(c, frame, call)) {
        emit(c, OP_OUT, (int)compile_escape(c), 0, 0, -1);
        return;
    }
    /* a call block writes what comes, and that must be text */
    int escape = caller != NULL ? ESCAPE_TEXT : (int)compile_escape(c);
    compile_call_as(c, frame, call, caller, &escape);
}

static void check_known(struct compiler *c, const struct frame_names *frame,
                        const struct ast_filter *node)
{
    bool is_test = node->ast.kind == AST_TEST;
    const struct template_compile *options = c->options;
    bool is_known = is_test ? options->has_test(options->data, node->name)
                            : options->has_filter(options->data, node->name);
    if (!is_known && !frame->is_soft)
        compile_fail(c, TEMPLATE_ASSERTION, node->ast.line, "No %s named '%.*s'.",
                     is_test ? "test" : "filter", (int)node->name.len, node->name.data);
}

void compile_filter(struct compiler *c, const struct frame_names *frame,
                    const struct ast_filter *node)
{
    bool is_test = node->ast.kind == AST_TEST;
    struct program_use use = {.name = const_text(c, node->name)};
    int change = -2; /* of [operand list dict] */
    check_known(c, frame, node);
    check_keywords(c, &node->args, node->ast.line);
    if (node->operand != NULL)
        compile_expression(c, frame, node->operand);
    if (is_list(&node->args)) {
        use.has_list = true;
        compile_lists(c, frame, &node->args);
    } else {
        change = -compile_values(c, frame, &node->args);
        use.nargs = 1 + node->args.positional.count;
        use.keywords = add_keywords(c, &node->args, false);
    }
    struct array *uses = is_test ? &c->tests : &c->filters;
    *(struct program_use *)array_add(c->arena, uses, sizeof(use)) = use;
    emit(c, is_test ? OP_TEST : OP_FILTER, 0, 0, uses->count - 1, change);
}
