"""What Jinja renders: the truth for spec/fuzz/jinja_differential.lua.

Reads JSON lines {"templates": {name: source}, "env": {...}, "context": {...}}, forms as in the
corpus, and answers each, "main" being rendered, with a line {"output": text} or {"error": kind,
"message": text}. Kinds: syntax, undefined, notfound, security, runtime (all that remains: what
Python raises, too).
"""
import json
import sys
import warnings

import jinja2
from jinja2 import exceptions
from markupsafe import Markup

warnings.simplefilter("ignore")  # of odd escapes in literals

UNDEFINED = {"default": jinja2.Undefined, "strict": jinja2.StrictUndefined,
             "chainable": jinja2.ChainableUndefined, "debug": jinja2.DebugUndefined}
PLAIN = ("autoescape", "trim_blocks", "lstrip_blocks", "keep_trailing_newline", "newline_sequence")
KINDS = ((exceptions.TemplateSyntaxError, "syntax"), (exceptions.TemplateNotFound, "notfound"),
         (exceptions.UndefinedError, "undefined"), (exceptions.SecurityError, "security"))


def value_of(value):
    if isinstance(value, dict):
        if len(value) == 1 and "$markup" in value:
            return Markup(value["$markup"])
        return {key: value_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [value_of(item) for item in value]
    return value


def environment(case):
    options = case["env"]
    # The optimizer asks constants for their truth, also where they never run: a strict undefined
    # then fails when the template is compiled.
    optimized = options.get("undefined") != "strict"
    env = jinja2.Environment(
        optimized=optimized,
        loader=jinja2.DictLoader(case["templates"]),
        undefined=UNDEFINED[options.get("undefined", "default")],
        extensions=["jinja2.ext." + name for name in options.get("extensions", ())],
        **{name: options[name] for name in PLAIN if name in options})
    if "i18n" in options:
        env.install_null_translations(newstyle=options["i18n"] == "newstyle")
    return env


def answer(case):
    try:
        text = environment(case).get_template("main").render(value_of(case["context"]))
        return {"output": text}
    except Exception as error:
        kind = next((kind for known, kind in KINDS if isinstance(error, known)), "runtime")
        return {"error": kind, "message": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
