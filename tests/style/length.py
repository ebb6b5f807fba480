#!/usr/bin/python3
"""length.py: how long functions and files are, against the house's limits.

A function is counted from the line of its name to its closing brace. The
report goes out as diagnostics; `length.py -v` names the ten longest.
"""

# SPDX-License-Identifier: BSD-2-Clause

import re
import sys

import tree

PARTS = ["filterd", "policy", "plugins"]
FUNCTION_MEDIAN = 15
FUNCTION_P90 = 40
FUNCTION_MOST = 60
FILE_MOST = 800

# The return type has a line of its own, so a definition's name begins one.
DEFINITION = re.compile(
    r"^[A-Za-z_]\w*\([^;{]*?\)\n\{\n.*?^\}", re.M | re.S)


def functions():
    """(lines, where) of each."""
    for path, name in tree.files(".c", parts=PARTS):
        text = tree.without_comments(path.read_text())
        for match in DEFINITION.finditer(text):
            lines = match.group().count("\n") + 1
            word = match.group().split("(", 1)[0]
            yield lines, "%s: %s" % (name, word)


def file_lengths():
    for path, name in tree.sources(PARTS):
        yield path.read_text().count("\n"), name


def share(sizes, part):
    ordered = sorted(size for size, _ in sizes)
    return ordered[int(part * (len(ordered) - 1))]


def over(sizes, most):
    return ["%s has %d lines" % (where, size) for size, where in sizes
            if size > most]


def exceeds(what, value, most):
    return ["%s is %d lines" % (what, value)] if value > most else []


def main():
    found, lengths = list(functions()), list(file_lengths())
    median, p90 = share(found, 0.5), share(found, 0.9)
    print("# %d functions: median %d, p90 %d, p99 %d, most %d lines"
          % (len(found), median, p90, share(found, 0.99), max(found)[0]))
    print("# %d files: median %d, p90 %d, most %d lines"
          % (len(lengths), share(lengths, 0.5), share(lengths, 0.9),
             max(lengths)[0]))
    if "-v" in sys.argv:
        for size, where in sorted(found, reverse=True)[:10]:
            print("# %4d %s" % (size, where))
    tap = tree.Tap()
    tap.point("the median function fits the eye",
              exceeds("the median", median, FUNCTION_MEDIAN))
    tap.point("nine of ten functions have at most %d lines" % FUNCTION_P90,
              exceeds("p90", p90, FUNCTION_P90))
    tap.point("no function has more than %d lines" % FUNCTION_MOST,
              over(found, FUNCTION_MOST))
    tap.point("no file has more than %d lines" % FILE_MOST,
              over(lengths, FILE_MOST))
    tap.end()


main()
