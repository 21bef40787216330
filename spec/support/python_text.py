"""What Python's str methods and html.unescape make of texts: lines of fields in hex, for
spec/template/unicode_spec.lua and entity_spec.lua. Argument: unicode or entity."""

import html
import html.entities
import random
import re
import sys

CONVERSIONS = [str.lower, str.upper, str.casefold, str.title, str.capitalize, str.swapcase]
QUESTIONS = [str.isprintable, str.isalpha, str.isdecimal, str.isdigit, str.isnumeric, str.isalnum,
             str.isspace, str.islower, str.isupper, str.isidentifier]
LETTERS = "aBzZ ΣΣσς.'\u0301\u00ad:ßİıǅŉΌά1_中ʰ"
HTML = ["&", "#", "x", "<", ">", "<!--", "-->", ";", " ", "\n", "a", "4", "amp", "notit", "é", "Eacute",
        "&lt", "&gt;", "&#128;", "&#xD800;", "&#1;", "&NotEqualTilde;", "\x0c", "\u00a0", "\u2003",
        "\u1680", "\u3000", "\u3042", "\u00ab", "&#39;", "&quot;", "some words ", "<b>", "</b>",
        "&amp;", "a longer word-by-word text. "]


def unicode_lines():
    # of Han and Hangul, which have no cases, only some
    for code in [*range(0x3500), *range(0x3500, 0xD800, 16), *range(0xA000, 0xAC00),
                 *range(0xE000, 0x20000), *range(0xE0000, 0xE0200)]:
        yield chr(code)
    for _ in range(20000):
        yield "".join(random.choice(LETTERS) for _ in range(random.randint(0, 7)))


def strip_tags(text):
    """markupsafe.Markup.striptags()"""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<.*?>", "", text, flags=re.DOTALL).split()))


def entity_lines():
    for name in html.entities.html5:
        yield "&" + name
        yield "&" + name.rstrip(";") + "x;"
    for code in [*range(0x300), 0xD800, 0xFDD0, 0xFFFE, 0x1FFFF, 0x10FFFF, 0x110000, 10 ** 30]:
        yield "&#%d;&#x%X" % (code, code)
    for _ in range(20000):
        yield "".join(random.choice(HTML) for _ in range(random.randint(0, 9)))
    for _ in range(20000): # most of it usual
        yield "".join(random.choice(HTML[-15:]) for _ in range(random.randint(0, 12)))


random.seed(1)
for line in unicode_lines() if sys.argv[1] == "unicode" else entity_lines():
    if sys.argv[1] == "unicode":
        fields = [convert(line) for convert in CONVERSIONS]
        if len(line) == 1:
            fields.append("".join("01"[question(line)] for question in QUESTIONS))
    else:
        fields = [html.unescape(line), strip_tags(line)]
    print(" ".join("x" + field.encode().hex() for field in [line] + fields))
