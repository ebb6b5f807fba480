#!/usr/bin/python3
"""marks.py: what every file begins with, and what none has."""

# SPDX-License-Identifier: BSD-2-Clause

import re

import tree

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b", re.M)
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Where somebody builds is nobody else's business.
MACHINE = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def found(pattern, files, clean=lambda text: text):
    for path, name in files:
        try:
            text = clean(path.read_text())
        except UnicodeDecodeError:
            continue
        for match in pattern.finditer(text):
            yield "%s:%d: %s" % (name, line_of(text, match.start()),
                                 match.group().strip())


def nameless():
    """In the template of a plugin, plugin.c is NAME.c to be."""
    for path, name in tree.sources():
        first = path.read_text().split("\n", 1)[0].replace("@NAME@",
                                                            path.stem, 1)
        if not re.match(r"/\* %s: \S" % re.escape(path.name), first):
            yield "%s begins with %s" % (name, first)


def unlicensed():
    for path, name in tree.sources():
        if SPDX not in path.read_text()[:1000]:
            yield name


def unguarded():
    for path, name in tree.files(".h"):
        if "\n#pragma once\n" not in path.read_text():
            yield name


def conditionals():
    for fault in found(CONDITIONAL, tree.sources(), tree.without_comments):
        name, _, word = fault.split(":", 2)
        known = name.endswith("filterd/plugin.h") \
            or name.startswith("filterd/base/")
        if not known:
            yield fault


def gotos():
    return found(re.compile(r"\bgoto\b"), tree.sources(),
                 tree.without_comments)


def texts():
    """Every text file but the messages and keys that tests are fed with."""
    kinds = tree.TEXTS
    for path, name in tree.files(*kinds, parts=tree.PARTS + ["docs"]):
        if "/corpus/" not in name and "/keys/" not in name:
            yield path, name
    for name in ["README.md", "HACKING.md", "NEWS.md", "meson.build"]:
        if (tree.ROOT / name).is_file():
            yield tree.ROOT / name, name


def long_lines():
    """clang-format leaves texts and comments as they are."""
    for path, name in tree.sources():
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if len(line) > 100:
                yield "%s:%d: %d columns" % (name, number, len(line))


def main():
    tap = tree.Tap()
    tap.point("the first line of a file is its name and a sentence",
              nameless())
    tap.point("every source file names its licence", unlicensed())
    tap.point("every header is included once", unguarded())
    tap.point("no #if outside of base", conditionals())
    tap.point("no goto", gotos())
    tap.point("nothing is left to do", found(UNFINISHED, texts()))
    tap.point("no path of somebody's machine", found(MACHINE, texts()))
    tap.point("no line is longer than 100 columns", long_lines())
    tap.end()


main()
