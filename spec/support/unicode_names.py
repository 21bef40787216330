#!/usr/bin/env python3
"""Write src/template/unicode_name_table.c: names of characters, as Python knows them.

Run by hand when the choice of blocks changes.
"""
import unicodedata

# those that people write by name: Latin, Greek, punctuation, currencies, arrows, mathematics,
# shapes, symbols, faces
BLOCKS = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x2000, 0x205E), (0x20A0, 0x20BF),
          (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF),
          (0x2600, 0x26FF), (0x2700, 0x27BF), (0x1F600, 0x1F64F)]
# names that are not unicodedata.name() of any
ALIASES = ["NULL", "BELL", "BACKSPACE", "TAB", "CHARACTER TABULATION", "LINE FEED", "NEW LINE",
           "LF", "FORM FEED", "CARRIAGE RETURN", "CR", "ESCAPE", "ESC", "DELETE", "NBSP", "SHY",
           "ZWSP", "ZWNJ", "ZWJ", "LRM", "RLM", "BOM", "ZERO WIDTH NO-BREAK SPACE"]


def code_of(alias):
    try:
        return ord(unicodedata.lookup(alias))
    except KeyError:
        return None


def c_strings(text, width=92):
    for at in range(0, len(text), width):
        yield '     "%s"' % text[at:at + width]


def main():
    runs = []
    for first, last in BLOCKS:
        names = [unicodedata.name(chr(code), "") for code in range(first, last + 1)]
        runs.append((first, ";".join(names)))
    for alias in ALIASES:
        code = code_of(alias)
        if code is not None:
            runs.append((code, alias))
    with open("src/template/unicode_name_table.c", "w", encoding="ascii") as out:
        out.write("/* template/unicode_name_table.c - names of characters, block by block.\n *\n"
                  " * Written by spec/support/unicode_names.py: Unicode %s.\n */\n"
                  '#include "template/unicode_name.h"\n\n/* clang-format off */\n'
                  "const struct unicode_names unicode_names[] = {\n"
                  % unicodedata.unidata_version)
        for first, names in runs:
            out.write("    {0x%x,\n%s},\n" % (first, "\n".join(c_strings(names))))
        out.write("    {0, 0},\n};\n/* clang-format on */\n")


main()
