#!/usr/bin/python3
"""count.py: contrib/count-tests counts what passed, failed and was left out."""

# SPDX-License-Identifier: BSD-2-Clause

import json
import subprocess
import sys
import tempfile

import tree

# What a test says, how it ends; what it counts as.
CASES = [
    ("two points", "ok 1 - a\nok 2 - b\n1..2\n", "OK", "2 passed, 0 failed"),
    ("one of two fails", "ok 1\nnot ok 2 - b\n", "FAIL",
     "1 passed, 1 failed"),
    ("one is left out", "ok 1\nok 2 b # SKIP only root can\n", "OK",
     "1 passed, 0 failed, 1 skipped"),
    ("one wants a server", "ok 1\nok 2 b # SKIP NSD is not installed\n", "OK",
     "1 passed, 1 failed"),
    ("all want a module", "1..0 # SKIP python3-dkim is not installed\n", "SKIP",
     "0 passed, 1 failed"),
    ("without points", "SKIPPED: python3-yaml is not installed\n", "SKIP",
     "0 passed, 1 failed"),
    ("silent", "", "OK", "1 passed, 0 failed"),
    ("silent and wrong", "", "TIMEOUT", "0 passed, 1 failed"),
]


def count(said, result):
    """The last line, and the exit status."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        json.dump({"name": "test", "result": result, "stdout": said}, log)
        log.flush()
        done = subprocess.run(
            [sys.executable, tree.ROOT / "contrib" / "count-tests", log.name],
            capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[-1], done.returncode


def main():
    tap = tree.Tap()
    for name, said, result, expected in CASES:
        found = count(said, result), int(" 0 failed" not in expected)
        tap.point(name, [] if found[0] == (expected, found[1])
                  else ["%s, not %s" % (found[0], expected)])
    tap.end()


main()
