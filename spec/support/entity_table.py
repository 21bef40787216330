#!/usr/bin/env python3
"""Write src/template/entity_table.c: the named character references of HTML.

Run by hand, should HTML ever get another. The names are those of the HTML standard (13.5), taken
from Python's html.entities.
"""
import sys
from html.entities import html5

HEAD = """/* template/entity_table.c - the named character references of HTML. See entity.c.
 *
 * Written by spec/support/entity_table.py; the names are the HTML standard's (13.5), in order: each
 * with a ";", or a "," where it counts without one too, then what it stands for, and a space.
 */
#include "template/entity_table.h"

/* clang-format off */

const char entity_names[] =
"""

TAIL = """
const size_t entity_names_len = sizeof(entity_names) - 1;
"""


def escaped(text):
    return "".join("\\%03o" % byte for byte in text.encode("utf-8"))


def rows(items, width=96):
    line = ""
    for item in items:
        if len(line) + len(item) > width:
            yield line
            line = ""
        line += item
    yield line


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "src/template/entity_table.c"
    names = sorted(name[:-1] for name in html5 if name.endswith(";"))
    assert not any(" " in text for text in html5.values())
    entries = [name + (",;"[name not in html5]) + escaped(html5[name + ";"]) + " "
               for name in names]
    with open(path, "w", encoding="utf-8") as file:
        lines = ['"%s"' % row for row in rows(entries)]
        file.write(HEAD + "\n".join(lines) + ";\n" + TAIL)


if __name__ == "__main__":
    main()
