"""Jinja's side of spec/bench/jinja.lua: answers each line "SET SECONDS first|warm" with how many
microseconds of CPU a render takes. SET is a folder of ../shared/jinja/perf; first: with a fresh
environment each time (parse, compile, run)."""
import json
import os
import sys
import time

import jinja2

PERF = sys.argv[1]
sets = {}


def load(name):
    folder = os.path.join(PERF, name)
    templates = {}
    for file in os.listdir(folder):
        if file.endswith(".html") and file != "expected.html":
            with open(os.path.join(folder, file), encoding="utf-8") as f:
                templates[file] = f.read()
    with open(os.path.join(folder, "context.json"), encoding="utf-8") as f:
        return templates, json.load(f)


def environment(templates):
    return jinja2.Environment(loader=jinja2.DictLoader(templates), auto_reload=False,
                              autoescape=True)


def once(name, kind):
    templates, context = sets.setdefault(name, load(name))
    if kind == "first":
        return lambda: environment(templates).get_template("main.html").render(context)
    template = environment(templates).get_template("main.html")
    return lambda: template.render(context)


for line in sys.stdin:
    name, seconds, kind = line.split()
    render = once(name, kind)
    render()
    n = 0
    start = time.process_time()
    while True:
        render()
        n += 1
        spent = time.process_time() - start
        if spent >= float(seconds):
            break
    print(1e6 * spent / n, flush=True)
