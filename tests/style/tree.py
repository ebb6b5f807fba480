"""tree.py: the files of the source tree, and TAP, for the style tests."""

# SPDX-License-Identifier: BSD-2-Clause

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLD = 20  # faults of one point
PARTS = ["filterd", "policy", "plugins", "tests", "contrib"]
TEXTS = [".c", ".h", ".py", ".build", ".md", ".1", ".5", ".7", ".8", ".policy",
         ".conf", ".service", ""]


def files(*suffixes, parts=None):
    """(path, name below the root) of each file of the parts, in order."""
    for part in parts or PARTS:
        for path in sorted((ROOT / part).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path, path.relative_to(ROOT).as_posix()


def sources(parts=None):
    return files(".c", ".h", parts=parts)


def without_comments(text):
    """The code alone: comments and the insides of texts become blanks, so that
    lines and columns stay."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match):
        found = match.group()
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return re.sub(pattern, blank, text, flags=re.S)


class Tap:
    """One test point for each sentence; faults are told as diagnostics."""

    def __init__(self):
        self.points = 0
        self.failed = 0

    def point(self, sentence, faults):
        faults = list(faults)
        self.points += 1
        self.failed += bool(faults)
        for fault in faults[:TOLD]:
            print("# " + fault)
        if len(faults) > TOLD:
            print("# … and %d more" % (len(faults) - TOLD))
        print("%s %d - %s" % ("not ok" if faults else "ok", self.points,
                              sentence))

    def end(self):
        print("1..%d" % self.points)
        sys.exit(1 if self.failed else 0)
