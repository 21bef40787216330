"""What Jinja's own parser makes of templates: the truth for spec/template/parser_spec.lua.

Reads JSON lines {"source": text, "env": {options as in the corpus}}; answers each with a line
{"tree": text as ast_print writes it} or {"error": {"kind", "line", "message"}}.
"""
import json
import sys

import jinja2
from jinja2 import nodes
from jinja2.exceptions import TemplateAssertionError, TemplateSyntaxError

PLAIN = ("block_start_string", "block_end_string", "variable_start_string",
         "variable_end_string", "comment_start_string", "comment_end_string",
         "line_statement_prefix", "line_comment_prefix", "trim_blocks", "lstrip_blocks",
         "newline_sequence", "keep_trailing_newline")
BINARY = (nodes.And, nodes.Or, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
          nodes.Mod, nodes.Pow)
UNARY = (nodes.Not, nodes.Neg, nodes.Pos)


def quote(text):
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char < " ":
            out.append(f"\\x{ord(char):02x}")
        elif "\ud800" <= char <= "\udfff":
            out.append("\ufffd")  # what qlua has for a lone surrogate
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def number(value):
    if isinstance(value, int):
        value = float(value) if abs(value) < 2 ** 1024 - 2 ** 970 else float("inf")
        flag = ""
    else:
        flag = " float"
    if value == float("inf"):
        return "inf" + flag
    if value == int(value) and abs(value) < 1e16:
        return str(int(value)) + flag
    return repr(value) + flag


def make(kind, line, *parts):
    return "(" + " ".join([f"{kind}:{line}", *[p for p in parts if p is not None]]) + ")"


def each(items):
    return "[" + "".join(" " + node(item) for item in items) + "]"


def arguments(n):
    parts = [each(n.args)]
    for keyword in n.kwargs:
        parts += [quote(keyword.key), node(keyword.value)]
    if n.dyn_args is not None:
        parts += ["*", node(n.dyn_args)]
    if n.dyn_kwargs is not None:
        parts += ["**", node(n.dyn_kwargs)]
    return parts


def const(n):
    value = n.value
    if value is None or value is True or value is False:
        return make({None: "none", True: "true", False: "false"}[value], n.lineno)
    if isinstance(value, str):
        return make("string", n.lineno, quote(value))
    return make("number", n.lineno, number(value))


def node(n):
    if n is None:
        return "-"
    kind, line = type(n).__name__.lower(), n.lineno
    if isinstance(n, nodes.Const):
        return const(n)
    if isinstance(n, nodes.Name):
        return make("name", line, quote(n.name))
    if isinstance(n, nodes.NSRef):
        return make("nsref", line, quote(n.name), quote(n.attr))
    if isinstance(n, (nodes.List, nodes.Tuple)):
        return make(kind, line, each(n.items))
    if isinstance(n, nodes.Concat):
        return make(kind, line, each(n.nodes))
    if isinstance(n, nodes.Dict):
        return make(kind, line, each([p.key for p in n.items]), each([p.value for p in n.items]))
    if isinstance(n, UNARY):
        return make(kind, line, node(n.node))
    if isinstance(n, BINARY):
        return make(kind, line, node(n.left), node(n.right))
    if isinstance(n, nodes.MarkSafeIfAutoescape):
        return make("mark_safe", line, node(n.expr))
    if isinstance(n, nodes.Compare):
        parts = []
        for operand in n.ops:
            parts += [operand.op, node(operand.expr)]
        return make(kind, line, node(n.expr), *parts)
    if isinstance(n, nodes.CondExpr):
        return make("cond", line, node(n.test), node(n.expr1), node(n.expr2))
    if isinstance(n, nodes.Getattr):
        return make(kind, line, node(n.node), quote(n.attr))
    if isinstance(n, nodes.Getitem):
        return make(kind, line, node(n.node), node(n.arg))
    if isinstance(n, nodes.Slice):
        return make(kind, line, node(n.start), node(n.stop), node(n.step))
    if isinstance(n, nodes.Call):
        return make(kind, line, node(n.node), *arguments(n))
    if isinstance(n, (nodes.Filter, nodes.Test)):
        return make(kind, line, node(n.node), quote(n.name), *arguments(n))
    return statement(n, kind, line)


def output(n):
    """Jinja gathers text and expressions in one node; qlua has a statement for each."""
    for part in n.nodes:
        if isinstance(part, nodes.TemplateData):
            yield make("data", part.lineno, quote(part.data))
        elif isinstance(part, nodes.MarkSafeIfAutoescape) or part.lineno is not None:
            yield make("output", part.lineno, node(part))


def body(items):
    parts = []
    for at, item in enumerate(items):
        # the _trans = ... of a trans, whose output comes next
        if isinstance(item, nodes.Assign) and item.lineno is None:
            item.set_lineno(items[at + 1].nodes[0].lineno)
        if isinstance(item, nodes.Output):
            parts += debug(item) or list(output(item))
        else:
            parts.append(node(item))
    return "[" + "".join(" " + part for part in parts) + "]"


def debug(n):
    """{% debug %} is a call of a method of its extension."""
    first = n.nodes[0] if n.nodes else None
    if isinstance(first, nodes.Call) and isinstance(first.node, nodes.ExtensionAttribute):
        return [make("debug", n.lineno)]
    return None


def branches(n):
    """An elif is an if in the else of the one before."""
    rest = body(n.else_)
    for part in reversed(n.elif_):
        rest = "[ " + make("if", part.lineno, node(part.test), body(part.body), rest) + "]"
    return make("if", n.lineno, node(n.test), body(n.body), rest)


def macro(n, name):
    return [quote(name), *[quote(a.name) for a in n.args], each(n.defaults), body(n.body)]


def imported(n):
    parts = []
    for name in n.names:
        parts += [quote(name), "-"] if isinstance(name, str) else [quote(name[0]), quote(name[1])]
    return parts


def statement(n, kind, line):
    context = "context" if getattr(n, "with_context", False) else None
    if isinstance(n, nodes.If):
        return branches(n)
    if isinstance(n, nodes.For):
        return make(kind, line, node(n.target), node(n.iter), node(n.test),
                    "recursive" if n.recursive else None, body(n.body), body(n.else_))
    if isinstance(n, nodes.Macro):
        return make(kind, line, *macro(n, n.name))
    if isinstance(n, nodes.CallBlock):
        return make("call_block", line, node(n.call), *macro(n, ""))
    if isinstance(n, nodes.FilterBlock):
        return make("filter_block", line, node(n.filter), body(n.body))
    if isinstance(n, nodes.Assign):
        return make("set", line, node(n.target), node(n.node))
    if isinstance(n, nodes.AssignBlock):
        return make("set_block", line, node(n.target), node(n.filter), body(n.body))
    if isinstance(n, nodes.With):
        return make(kind, line, each(n.targets), each(n.values), body(n.body))
    if isinstance(n, nodes.Block):
        return make(kind, line, quote(n.name), "scoped" if n.scoped else None,
                    "required" if n.required else None, body(n.body))
    if isinstance(n, nodes.Extends):
        return make(kind, line, node(n.template))
    if isinstance(n, nodes.Include):
        return make(kind, line, node(n.template),
                    "ignore_missing" if n.ignore_missing else None, context)
    if isinstance(n, nodes.Import):
        return make(kind, line, node(n.template), quote(n.target), context)
    if isinstance(n, nodes.FromImport):
        return make("from_import", line, node(n.template), *imported(n), context)
    if isinstance(n, nodes.Scope):
        modifier = n.body[0]
        return make("autoescape", modifier.lineno, node(modifier.options[0].value),
                    body(modifier.body))
    if isinstance(n, nodes.ExprStmt):
        return make("do", line, node(n.node))
    if isinstance(n, (nodes.Break, nodes.Continue)):
        return make(kind, line)
    raise TypeError(f"unknown node {n!r}")


def environment(options, known={}):
    key = json.dumps(options, sort_keys=True)
    if key not in known:
        env = jinja2.Environment(
            extensions=["jinja2.ext." + name for name in options.get("extensions", ())],
            **{k: options[k] for k in PLAIN if k in options})
        env.policies.update(options.get("policies", {}))
        if "i18n" in options:
            env.newstyle_gettext = options["i18n"] == "newstyle"
        known[key] = env
    return known[key]


def answer(case):
    env = environment(case.get("env", {}))
    try:
        tree = env._parse(case["source"], None, None)
    except TemplateSyntaxError as error:
        kind = "assertion" if isinstance(error, TemplateAssertionError) else "syntax"
        return {"error": {"kind": kind, "line": error.lineno, "message": error.message}}
    except RecursionError:
        return {"error": {"kind": "recursion"}}
    except Exception as error:  # Python's own, where Jinja did not think of it
        return {"error": {"kind": "python", "message": f"{type(error).__name__}: {error}"}}
    return {"tree": body(tree.body)}


for text in sys.stdin:
    print(json.dumps(answer(json.loads(text))), flush=True)
