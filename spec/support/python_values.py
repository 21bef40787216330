"""Templates that work on values (methods, formats, operators, comparison, access), with what the
real Jinja2 makes of them: a case as spec/fuzz/jinja_qlua.lua reads it a line, with the output or
the error beside, for spec/template/values_spec.lua.
Arguments: seed, how many.

Numbers are printed as qlua prints them, whole ones without a fraction; what depends on int and
float being different types is not generated.
"""

import json
import math
import random
import sys

import jinja2
from markupsafe import Markup

CHARACTERS = [*"abAB xX-_.,0123 \t\n<>&'\"{}%", "é", "ß", "Σ", "σ", "中", "😀", "İ", "ǅ", "\xa0",
              "\u2028", "\x1c", "٣", "²", "½"]
choice, chance = random.choice, random.random


def normal(value):
    """The value with whole floats as ints, and ints beyond them as floats."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value) if abs(value) < 1e16 else value
    if isinstance(value, int) and abs(value) >= 10 ** 16:
        return float(value)
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple)(map(normal, value))
    if isinstance(value, dict):
        return {normal(k): normal(v) for k, v in value.items()}
    return value


def literal(value):
    """The value as an expression of a template."""
    if value is None or value is True or value is False:
        return str(value).lower()
    if isinstance(value, Markup):
        return "(%s|safe)" % literal(str(value))
    if isinstance(value, str):
        return "'%s'" % "".join(c if c.isalnum() and c.isascii() else "\\U%08x" % ord(c)
                                for c in value)
    if isinstance(value, (int, float)):
        return "(%r)" % value
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(literal, value))
    if isinstance(value, tuple):
        return "(%s)" % "".join(literal(v) + ", " for v in value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (literal(k), literal(v)) for k, v in value.items())
    if isinstance(value, range):
        return "range(%d, %d, %d)" % (value.start, value.stop, value.step)
    raise TypeError(value)


# ---- random values -------------------------------------------------------------------------

def plain(most=8):
    return "".join(choice(CHARACTERS) for _ in range(random.randint(0, most)))


def text():
    return Markup(plain()) if chance() < .2 else plain()


def whole():
    return choice([-100, -5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 10, 100])


def number():
    return normal(choice([whole(), whole(), random.randint(-10 ** 6, 10 ** 6), .5, 1.5, 2.5, -.5, 255,
                          chance() * choice([1, 10, 1e5, 1e-5, -1, -50]), True, False]))


def value(depth=2):
    kind = random.randrange(8)
    if kind < 2:
        return number()
    if kind < 4:
        return text()
    if kind == 4:
        return None
    if depth == 0:
        return whole()
    items = [value(depth - 1) for _ in range(random.randint(0, 4))]
    return items if kind == 5 else tuple(items) if kind == 6 else {plain(2): v for v in items}


def part(of):
    """A text that may well be in it."""
    if of and chance() < .6:
        at = random.randrange(len(of))
        return str(of)[at:at + random.randint(1, 2)]
    return plain(2)


def optional():
    return choice([None, whole(), whole()])


# ---- expressions ---------------------------------------------------------------------------

QUESTIONS = ["capitalize", "casefold", "lower", "upper", "swapcase", "title", "isalnum", "isalpha",
             "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
             "isprintable", "isspace", "istitle", "isupper"]


def arguments_of(method, of):
    if method in ("center", "ljust", "rjust"):
        return choice([[random.randint(-2, 20)], [whole(), choice("*<é")], [5, ""], [5, "ab"]])
    if method in ("count", "find", "index", "rfind", "rindex"):
        return choice([[part(of)], [part(of), optional()], [part(of), optional(), optional()]])
    if method in ("startswith", "endswith"):
        return choice([[part(of)], [(part(of), part(of))], [part(of), optional()], [value(1)]])
    if method == "join":
        return [choice([[text(), text(), text()], text(), (text(),), {plain(3): 1}, value(1)])]
    if method in ("strip", "lstrip", "rstrip"):
        return choice([[], [None], [plain(3)], [text()]])
    if method in ("partition", "rpartition", "removeprefix", "removesuffix"):
        return [part(of)]
    if method == "replace":
        return choice([[part(of), text()], [part(of), text(), whole()]])
    if method in ("split", "rsplit"):
        return choice([[], [None], [part(of)], [part(of), whole()], [None, whole()]])
    return {"expandtabs": choice([[], [whole()]]), "splitlines": choice([[], [True]]),
            "zfill": [random.randint(-2, 20)]}.get(method, [])


def call(of, method, arguments, names=""):
    return "%s.%s(%s)" % (of, method, ", ".join([*map(literal, arguments), *([names] * bool(names))]))


def text_method():
    of = text()
    method = choice([choice(QUESTIONS), *"""center ljust rjust count find index rfind rindex
        startswith endswith expandtabs join lstrip rstrip strip partition rpartition removeprefix
        removesuffix replace split rsplit splitlines zfill""".split()])
    return "{{ [%s] }}" % call(literal(of), method, arguments_of(method, of))


def change(of, method, arguments, names=""):
    """A method that may change what it is called on."""
    return "{%% set v = %s %%}{%% set r = %s %%}{{ [r, v] }}" % (
        literal(of), call("v", method, arguments, names))


def list_method():
    of = choice([[value(1) for _ in range(random.randint(0, 5))], [whole() for _ in range(7)],
                 [plain(2) for _ in range(5)]])
    item = choice(of) if of and chance() < .6 else whole()
    method = choice("append clear copy count extend index insert pop remove reverse sort".split())
    arguments = {"append": [value(1)], "count": [item], "index": [item], "remove": [item],
                 "extend": [choice([value(1), [1, 2], "ab"])], "insert": [whole(), value(1)],
                 "pop": choice([[], [whole()]])}.get(method, [])
    return change(of, method, arguments, "reverse=true" if method == "sort" and chance() < .5 else "")


def dict_method():
    of = {plain(2): whole() for _ in range(random.randint(0, 4))}
    key = choice([*of, plain(2)])
    method = choice("clear copy get pop popitem setdefault update".split())
    arguments = {"get": choice([[key], [key, 1]]), "pop": choice([[key], [key, 1]]),
                 "setdefault": choice([[key], [key, 1]]),
                 "update": [choice([{plain(2): 9, plain(1): 8}, [(plain(1), 2)], [[1]],
                                    [["a", 1]], 5, ["ab"]])]}.get(method, [])
    listed = choice(["keys", "values", "items"])
    return change(of, method, arguments) + "{{ v.%s()|list }}" % listed


def arithmetic():
    operator = choice(["+", "-", "*", "/", "//", "%", "**"])
    left, right = choice([(number(), number()), (whole(), whole()), (value(1), value(1)),
                          (value(1), whole())])
    if operator == "**":
        left, right = choice([whole(), .5, 2.5]), choice([-2, -1, 0, 1, 2, 3])
    if operator == "%" and isinstance(left, str):
        operator = "+"  # formats are below
    return "{%% set a = %s %%}{%% set b = %s %%}{{ [a %s b] }}" % (
        literal(left), literal(right), operator)


def comparison():
    left, right = choice([(value(), value()), ([whole(), whole()], [whole(), whole()]),
                          (text(), text()), (number(), number()), ((1, plain(1)), (1, plain(1)))])
    if chance() < .3:
        right = left
    left, right = literal(left), literal(right)
    return choice(["{{ [%s == %s] }}", "{{ [%s != %s] }}", "{{ [%s < %s] }}", "{{ [%s <= %s] }}",
                   "{{ [%s > %s] }}", "{{ [%s >= %s] }}", "{{ [%s in %s] }}",
                   "{{ [%s not in %s] }}"]) % (left, right)


def access():
    of = choice([text(), value(), [whole() for _ in range(6)], (1, 2, 3),
                 range(whole(), whole(), choice([-3, -1, 1, 2]))])
    if chance() < .3:
        return "{{ [%s[%s]] }}" % (literal(of), literal(choice([whole(), plain(1), None, value()])))
    # of a variable: Jinja folds constants by other rules than it runs them
    return "{%% set v = %s %%}{{ [v[%s:%s:%s]%s] }}" % (
        literal(of), *("" if i is None else literal(i) for i in (optional(), optional(),
                                                                 choice([None, None, whole()]))),
        "|list" if isinstance(of, range) else "")


def printing():
    of = literal(value(3))
    return choice(["{{ %s }}", "{%% set v = %s %%}{{ v ~ 'x' }}", "{{ [%s|length] }}", "{{ [not %s] }}", "{{ [-%s] }}",
                   "{%% for v in %s %%}{{ v }};{%% endfor %%}"]) % of


def directive(arguments):
    """One %..., its arguments appended."""
    flags = "".join(choice("-+ #0") for _ in range(choice([0, 0, 1, 2])))
    width, precision = choice(["", "", "5", "12", "*"]), choice(["", "", ".0", ".2", ".7", ".*", "."])
    letter = choice("ddiuoxXeEfFgGcrsaz")
    arguments += [whole()] * (width == "*") + [random.randint(0, 5)] * (precision == ".*")
    if letter in "diuoxXeEfFgG":
        arguments.append(number() if chance() < .95 else value(1))
    else:
        arguments.append(value(1) if letter in "rsa" else choice(["a", "é", 65, "ab"]))
    return "%" + flags + width + precision + letter


def percent():
    arguments, form = [], plain(3).replace("%", "%%")
    for _ in range(random.randint(0, 3)):
        form += directive(arguments) + plain(3).replace("%", "%%")
    given = tuple(arguments[:-1] if chance() < .1 else arguments)
    if chance() < .2:
        form = "%(a)s-%(b)" + choice(["d", "5.1f", "r"])
        given = {"a": value(1), "b": number()}
    elif len(given) == 1 and chance() < .7 and not isinstance(given[0], tuple):
        given = given[0]
    if chance() < .2 and not set("*xXoc") & set(form):  # markupsafe's helper is no int
        form = Markup(form)
    return "{{ [%s %% %s] }}" % (literal(form), literal(given))


def specification(of):
    fill = choice(["", "", "*", "0", "é"])
    align = choice("<>^=") if fill or chance() < .3 else ""
    precision = "" if isinstance(of, (int, bool)) else choice(["", "", ".0", ".2", ".5"])
    return (fill + align + choice(["", "", "+", " ", "-"]) + choice(["", "", "#"]) +
            choice(["", "", "0"]) + choice(["", "", "8", "15", "3"]) + choice(["", "", "", ",", "_"]) +
            precision + choice([*"defgxboX%snGEF", "", ""]))


def formatted():
    form, given, named = "", [], []
    automatic = chance() < .6
    for i in range(random.randint(0, 3)):
        of = choice([number(), number(), text(), value(1)])
        name = "" if automatic else str(i)
        if chance() < .2:
            name = "k%d" % i
        spec = specification(of) if chance() < .7 else ""
        step = ""
        if chance() < .2:
            of, step = choice([({"x": of}, "[x]"), ([of], "[0]")])
        if name.startswith("k"):
            named.append("%s=%s" % (name, literal(of)))
        else:
            given.append(of)
        form += plain(3).replace("{", "{{").replace("}", "}}")
        form += "{%s}" % (name + step + choice([*[""] * 6, "!r", "!s", "!a"]) + (spec and ":" + spec))
    if chance() < .1:
        form += choice(["{", "}", "{0", "{x}", "{:{}}", "{0!z}", "{}{0}"])
    if chance() < .2 and "{[" not in form:  # string.Formatter knows no numbers there
        form = Markup(form)
    return "{{ [%s] }}" % call(literal(form), "format", given, ", ".join(named))


MAKERS = [text_method] * 3 + [list_method, dict_method, arithmetic, comparison, access, printing,
                              percent, percent, formatted, formatted]


def main():
    random.seed(int(sys.argv[1]))
    environments = [jinja2.Environment(finalize=normal, autoescape=on) for on in (False, True)]
    for _ in range(int(sys.argv[2])):
        escaped = chance() < .3
        source = choice(MAKERS)()
        line = {"templates": {"main": source}, "env": {"autoescape": escaped}, "context": {}}
        try:
            line["output"] = environments[escaped].from_string(source).render()
        except Exception as error:  # any: what class it has is Python's own affair
            line["error"] = "%s: %s" % (type(error).__name__, error)
        if "output" not in line or "j)" not in line["output"]:  # complex numbers
            print(json.dumps(line))


if __name__ == "__main__":
    main()
