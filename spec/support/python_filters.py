"""Templates that use filters and tests with odd arguments, with what the real Jinja2 makes of them:
a JSON object a line, for spec/template/filter_spec.lua. Arguments: seed, how many.

Numbers are printed as python_values has them; what depends on int and float being different types,
on integers beyond 2^53 and on case folding of letters like the long s is not generated.
"""

import json
import random
import sys

import jinja2
from markupsafe import Markup

from python_values import literal, normal, value

choice, chance = random.choice, random.random

WORDS = ["foo", "Bar", "baz-qux", "a", "I", "--", "x--y", "well-known", "http://x.com",
         "www.foo.org/a?b=c", "<b>", "&", "'q'", '"d"', "é", "ÀÉ", "naïve", "日本語", "un\xa0break",
         "a-b-c", "mother-in-law", "long" * 8, "\t", "  ", "1,234", "user@mail.com",
         "mailto:a@b.co", "(foo.com)", "&lt;", "x.y.z", "foo.com,", "ftp://x", "<www.a.net>",
         "[::1]", "http://[::1]:80/", "http://1.2.3.4.", "\n", "\r\n", "snake_case", "ǅabc", "ß",
         "<!-- x -->", "<i>y</i>", "\x0b", "\u2028", "Σας"]
UNDEFINED = object()


def written(of):
    return "nope" if of is UNDEFINED else literal(of)


# ---- operands ------------------------------------------------------------------------------

def text(most=8):
    words = "".join(choice(WORDS) + choice([" ", " ", " ", "  ", "\n", "", "\t"])
                    for _ in range(random.randint(0, most)))
    return Markup(words) if chance() < .25 else words


def flag():
    return chance() < .5


def small():
    return choice([0, 1, 2, 3, 4, 5, 7, 10, -1, 12, 20])


def numbers():
    return [choice([1, 2, 3, 0, -1, 2.5, True, False, 10]) for _ in range(random.randint(0, 6))]


def names():
    return [choice(["a", "B", "b", "A", "c", "", "É", "é", "aa", Markup("b"), Markup("<i>"), "<u>"])
            for _ in range(random.randint(0, 6))]


def records():
    return [{key: made for key, made in (
        ("a", choice([1, 2, 3, 2.5])), ("b", choice(["x", "Y", "y", "X", Markup("x")])),
        ("c", {"d": [random.randint(0, 2), choice("pq")]})) if chance() < .93}
        for _ in range(random.randint(0, 5))]


def pairs():
    return [(random.randint(0, 2), choice("abA")) for _ in range(random.randint(0, 4))]


def sequence():
    if chance() < .15:
        return choice([value(), UNDEFINED, None, "", "text", 5, {"b": 1, "a": 2}])
    return choice([numbers, names, records, pairs])()


def attribute():
    return choice(["a", "b", "c", "c.d.0", "c.d.1", "zz", 0, 1, "0", "c.d.9", "length"])


def attributes():
    return choice(["a", "b", "c", "c.d", "c.d.0", "zz", "a,b", "b,c.d.0", 0, 1, "0", None, ""])


def digits():
    return choice(["12", "0x1F", "0b11", "0o17", "-5", "+7", " 3 ", "3.7", "1e3", "abc", "", "zz",
                   "_1", "1_", "1__0", "1_000", "0_0", "09", "٣", "-", "0x", "  ", "12abc", ".5",
                   "5.", "1e", Markup("42"), "nan", "-nan", "00012.50", "1.e5", ".e5", "-.5", "1 2",
                   "inf", "1_0.0_1"])


def real():
    return normal(choice([random.uniform(-1000, 1000), random.randint(-5000, 5000), .5, 1.5, 2.5,
                          random.randint(-1000, 1000) / 8, -.5, 1.005, 2.675, 5e-324, True, "x"]))


def size():
    return normal(choice([random.randint(0, 5000), random.uniform(0, 1e6), 999999, 1000, 1024, 1,
                          random.randint(1, 9) * 10 ** random.randint(0, 15), "12", "x", -5, "1"]))


def deep(level=0):
    """For tojson and pprint."""
    kind = random.randrange(10)
    if level > 3 or (kind < 4 and level > 0):
        return choice([1, -5, 2.5, "x", "some longer piece of text " * random.randint(1, 5), None,
                       "a" * random.randint(1, 100), "line\nbreak here " * random.randint(1, 9),
                       True, Markup("<b>"), .1, "é日本 " * random.randint(1, 30), "<&'\">\x01😀"])
    items = [deep(level + 1) for _ in range(random.randint(0, 5))]
    if kind < 7:
        return items if chance() < .8 else tuple(items)
    return {key: deep(level + 1) for key in random.sample(["a", "b", "Z", "é", "a_long_key", "10"],
                                                          random.randint(0, 5))}


# ---- uses ----------------------------------------------------------------------------------

def use(name, of, given=(), options=None):
    """`of|name(...)`, each of the options given or not."""
    chosen = ["%s=%s" % (key, written(make())) for key, make in (options or {}).items()
              if chance() < .5]
    return "|%s(%s)" % (name, ", ".join([*map(written, given), *chosen])), of


def one_of(*items):
    return lambda: choice(items)


FILTERS = [
    lambda: use("truncate", text(), (), {
        "length": small, "killwords": flag, "end": one_of("...", "", "…", Markup("<>"), "<"),
        "leeway": one_of(None, 0, 1, 5, -1)}),
    lambda: use("wordwrap", text(), (), {
        "width": one_of(1, 2, 3, 5, 8, 10, 15, 20, 79, 0, -1), "break_long_words": flag,
        "wrapstring": one_of("\n", "<br>", Markup("<br>"), None), "break_on_hyphens": flag}),
    lambda: use("wordwrap", text(12), [choice([1, 2, 3, 4, 5, 6, 8, 10, 15, 20])], {
        "break_long_words": flag, "break_on_hyphens": flag}),
    lambda: use("indent", text(), (), {
        "width": one_of(0, 1, 4, "--", -2, True), "first": flag, "blank": flag}),
    lambda: use("center", text(2), [small()]),
    lambda: use("replace", text(), [choice(["a", "foo", "", "<", Markup("<"), "&", " ", 1]),
                                    choice(["b", "", "<i>", Markup("<i>"), "&", None])],
                {"count": one_of(None, 0, 1, 2, -1)}),
    lambda: use("urlize", text(), (), {
        "trim_url_limit": one_of(None, 0, 5, 10, -3), "nofollow": flag,
        "target": one_of(None, "_blank", "<", ""), "rel": one_of(None, "x y", "noopener z", ""),
        "extra_schemes": one_of(None, ["ftp:"], ["ftp://", "tel:"], ["x"], [])}),
    lambda: use("urlize", text()),
    lambda: use(choice(["title", "capitalize", "upper", "lower", "trim", "wordcount", "reverse",
                        "striptags", "escape", "forceescape", "safe", "string", "urlencode",
                        "list", "length", "first", "last"]), text()),
    lambda: use("trim", text(), [choice(["a", " ", "fo", "<", "-\n ", None])]),
    lambda: use(choice(["batch", "slice"]), sequence(), [small()],
                {"fill_with": one_of(None, "x", 0)}),
    lambda: use("sort", choice([sequence, records])(), (), {
        "reverse": flag, "case_sensitive": flag, "attribute": attributes}),
    lambda: use("unique", sequence(), (), {"case_sensitive": flag, "attribute": attribute}),
    lambda: use(choice(["min", "max"]), choice([sequence, records, names])(), (), {
        "case_sensitive": flag, "attribute": attribute}),
    lambda: use("groupby", choice([sequence, records, pairs])(), [attribute()], {
        "case_sensitive": flag, "default": one_of(None, "x", 1)}),
    lambda: use("sum", choice([sequence, records, numbers])(), (), {
        "attribute": one_of("a", "c.d.0", None, 0, "b"), "start": one_of(0, 1, 2.5, "x", [])}),
    lambda: use("join", choice([sequence, records, names])(), (), {
        "d": one_of(", ", "<", Markup("<br>"), 0, None), "attribute": one_of(None, "a", "b", 0)}),
    lambda: use(choice(["first", "last", "length", "count", "list", "items", "reverse", "abs",
                        "string", "escape", "xmlattr", "dictsort", "int", "float", "title", "round",
                        "striptags", "urlencode", "tojson", "filesizeformat", "indent", "wordwrap",
                        "truncate", "upper"]),
                choice([sequence(), value(), UNDEFINED])),
    lambda: use("dictsort", choice([
        {"b": 1, "A": 2, "a": 0}, {"x": "b", "y": "A", "z": "a"}, {}, {"a": None, "b": None},
        {"a": 1, "b": "x"}, value()]), (), {
            "case_sensitive": flag, "by": one_of("key", "value", "x"), "reverse": flag}),
    lambda: use("map", sequence(), [choice(["upper", "length", "int", "string", "first", "abs",
                                            "default", "list"])]),
    lambda: use("map", records(), (), {"attribute": attribute}),
    lambda: ("|map(attribute=%s, default=%s)" % (
        literal(attribute()), literal(choice([None, "d", 7]))), records()),
    lambda: use("map", sequence(), choice([["join", "-"], ["default", 1], ["replace", "a", "<"]])),
    lambda: use(choice(["select", "reject"]), sequence(), choice([
        [], ["odd"], ["divisibleby", 2], ["gt", 1], ["string"], ["none"], ["in", [1, 2, "a"]],
        ["==", "a"], ["sameas", True], ["defined"], ["number"]])),
    lambda: use(choice(["selectattr", "rejectattr"]), choice([records, records, sequence])(),
                [attribute(), *choice([[], ["odd"], ["eq", 2], ["gt", 1], ["string"], ["defined"],
                                       ["in", [1, 2, "x"]], ["ne", "x"]])]),
    lambda: use("round", real(), [choice([0, 1, 2, 3, -1, -2, -3, 5, 15])],
                {"method": one_of("common", "ceil", "floor", "x")}),
    lambda: use("filesizeformat", size(), (), {"binary": flag}),
    lambda: use("int", digits(), (), {
        "default": one_of(0, 5, "d", None), "base": one_of(0, 2, 8, 10, 16, 36, 1, 37, "x", None)}),
    lambda: use("float", digits(), (), {"default": one_of(0, 5, "d", None)}),
    lambda: use("tojson", deep(), (), {"indent": one_of(None, 0, 1, 2, 4, "\t", "--", -1, True)}),
    lambda: use("pprint", deep()),
    lambda: use("xmlattr", {
        key: choice([1, None, "<b>", Markup("<b>"), True, 2.5, [1], ""])
        for key in random.sample(["class", "id", "a b", "x>", "é", "data-x", "<"],
                                 choice([0, 1, 1, 2]))}, (), {"autospace": flag}),
    lambda: use("urlencode", choice([
        {key: choice([1, None, "x y", "a/b&c", Markup("<")]) for key in ("a", "b c", "é/")},
        [["a", 1], ["b c", "/"]], "a/b c", 5, [1], value()])),
    lambda: use("default", choice([value(), UNDEFINED]), [value(1), flag()]),
    lambda: use("attr", value(), [choice(["upper", "items", "append", "zzz", "a", 1])]),
    lambda: use("format", choice(["%s-%s", "%d", "%%", Markup("<%s>"), "%(a)s"]),
                choice([[], [1], [1, "<"], [Markup("<")], [None]]), {"a": one_of(1, "<")}),
]

TESTS = """boolean callable defined escaped even false float integer iterable lower mapping none
number odd sequence string true undefined upper""".split()
COMPARING = "eq ne lt gt le ge equalto greaterthan lessthan in divisibleby".split()

LAZY = ("|batch", "|slice", "|unique", "|map", "|select", "|reject", "|items", "|reverse")


def filter_use():
    applied, of = choice(FILTERS)()
    if applied.startswith(LAZY):
        applied += "|list"
    return "{%% set v = %s %%}{{ [v%s] }}" % (written(of), applied)


def test_use():
    of = choice([value(), sequence(), text(1), UNDEFINED])
    if chance() < .4:
        name, argument = choice(COMPARING), written(choice([value(), sequence(), 2, 3]))
        return "{%% set v = %s %%}{{ [v is %s(%s)] }}" % (written(of), name, argument)
    if chance() < .1:
        return "{{ %s is %s }}" % (literal(choice(["upper", "odd", "x", 1, None, [], Markup("e")])),
                                   choice(["filter", "test"]))
    return "{%% set v = %s %%}{{ [v is %s] }}" % (written(of), choice(TESTS))


def is_printable(line):
    """Not what only Python prints: methods, iterators."""
    output = line.get("output", "")
    return not any(sign in output for sign in ("built-in", "bound method", " object at 0x", "dict_"))


def main():
    random.seed(int(sys.argv[1]))
    environments = [jinja2.Environment(finalize=normal, autoescape=on) for on in (False, True)]
    for _ in range(int(sys.argv[2])):
        escaped = flag()
        line = {"source": (test_use if chance() < .15 else filter_use)(), "autoescape": escaped}
        try:
            line["output"] = environments[escaped].from_string(line["source"]).render()
        except jinja2.TemplateError as error:
            line["class"], line["error"] = type(error).__name__, str(error)
        except Exception as error:
            line["class"], line["error"] = "TemplateRuntimeError", str(error)
        if is_printable(line):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
