#!/usr/bin/env python3
"""Write src/template/unicode_class_table.c and unicode_case_table.c.

Run by hand where Python's Unicode is newer than the tables'; what it says of characters
(str.isalpha, str.upper, ...) is what templates have to say, so the tables are made from it.
"""
import sys
import unicodedata

LIMIT = 0x110000
SOURCE = "Unicode %s" % unicodedata.unidata_version


def characters():
    for code in range(LIMIT):
        if not 0xD800 <= code < 0xE000:
            yield code, chr(code)


def is_ignorable(c):
    """Case_Ignorable and not cased: looked through when a sigma is lowered."""
    return ("a" + c + "Σ").lower()[-1] == "ς" and (c + "Σ").lower()[-1] != "ς"


FLAGS = [
    ("PRINTABLE", str.isprintable),
    ("ALPHA", str.isalpha),
    ("DECIMAL", str.isdecimal),
    ("DIGIT", str.isdigit),
    ("NUMERIC", str.isnumeric),
    ("SPACE", str.isspace),
    ("NAME_START", str.isidentifier),
    ("NAME", lambda c: ("a" + c).isidentifier()),
    ("IGNORABLE", is_ignorable),
    ("TITLE", lambda c: unicodedata.category(c) == "Lt"),
]


def rows(items, width=96):
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            yield line
            line = "   "
        line += " " + item + ","
    yield line


def table(declaration, items):
    items = list(items)
    return "%s = {\n%s\n};\n" % (declaration.replace("[]", "[%d]" % len(items)),
                                 "\n".join(rows(items)))


def class_runs():
    """(first code, flags) of each run of characters with the same flags."""
    runs, last = [], None
    known = dict(characters())
    for code in range(LIMIT):
        c = known.get(code)
        flags = 0
        if c is not None:
            flags = sum(1 << i for i, (_, test) in enumerate(FLAGS) if test(c))
        if flags != last:
            runs.append((code, flags))
            last = flags
    return runs


def strides(codes, delta=None):
    """(first, last, step) of codes (sorted) one or two apart, of the same delta."""
    at = 0
    while at < len(codes):
        end, step = at, 1
        for tried in (1, 2):
            j = at
            while (j + 1 < len(codes) and codes[j + 1] == codes[j] + tried
                   and (delta is None or delta[codes[j + 1]] == delta[codes[at]])):
                j += 1
            if j > end:
                end, step = j, tried
        yield codes[at], codes[end], step
        at = end + 1


def spans(name, test):
    codes = [code for code, c in characters() if test(c)]
    return table("static const struct unicode_span %s_spans[]" % name,
                 ("{0x%X, 0x%X, %d}" % span for span in strides(codes)))


def mapping(name, wanted, otherwise):
    """The tables of what `wanted` gives where `otherwise` gives something else."""
    delta, special = {}, []
    for code, c in characters():
        text = wanted(c)
        if text == otherwise(c):
            continue
        if len(text) == 1:
            delta[code] = ord(text) - code
        else:
            special.append("{0x%X, {%s}}" % (code, ", ".join("0x%X" % ord(t) for t in text)))
    moves = ("{0x%X, 0x%X, %d, %d}" % (first, last, step, delta[first])
             for first, last, step in strides(sorted(delta), delta))
    yield table("static const struct unicode_move %s_moves[]" % name, moves)
    yield table("static const struct unicode_special %s_specials[]" % name, special)
    yield MAPPING.replace("NAME", name)


MAPPING = """const struct unicode_mapping unicode_to_NAME = {
    NAME_moves, sizeof(NAME_moves) / sizeof(NAME_moves[0]),
    NAME_specials, sizeof(NAME_specials) / sizeof(NAME_specials[0]),
};
"""

CLASSES = """const struct unicode_classes unicode_classes = {
    flags, runs, sizeof(runs) / sizeof(runs[0]),
    lower_spans, sizeof(lower_spans) / sizeof(lower_spans[0]),
    upper_spans, sizeof(upper_spans) / sizeof(upper_spans[0]),
};
"""

HEAD = """/* template/%s - %s
 *
 * %s
 * Written by spec/support/unicode_tables.py from Python's str methods: %s.
 */
#include "template/unicode_table.h"

/* clang-format off */

"""


def write(folder, name, title, note, parts):
    with open("%s/%s" % (folder, name), "w", encoding="utf-8") as file:
        file.write(HEAD % (name, title, note, SOURCE))
        file.write("\n".join(parts))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "src/template"
    runs = class_runs()
    classes = sorted({flags for _, flags in runs})
    write(folder, "unicode_class_table.c", "which character is of which class.",
          "A run is its first code << 8 | the index of its flags; the next one ends it.",
          [table("static const uint16_t flags[]", ("0x%X" % flags for flags in classes)),
           table("static const uint32_t runs[]",
                 ("0x%X" % (code << 8 | classes.index(flags)) for code, flags in runs)),
           spans("lower", str.islower), spans("upper", str.isupper), CLASSES])
    parts = []
    parts += mapping("lower", str.lower, lambda c: c)
    parts += mapping("upper", str.upper, lambda c: c)
    parts += mapping("title", str.title, str.upper)
    parts += mapping("fold", str.casefold, str.lower)
    write(folder, "unicode_case_table.c", "characters and their other cases.",
          "Title case only where it is not upper case, folded only where it is not lower.", parts)
    for i, (name, _) in enumerate(FLAGS):
        print("    UNICODE_%s = %d," % (name, 1 << i))


if __name__ == "__main__":
    main()
