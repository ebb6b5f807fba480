#!/usr/bin/python3
"""conformance.py: README's table is what contrib/conformance writes."""

# SPDX-License-Identifier: BSD-2-Clause

import re
import subprocess
import sys

import tree

LINES = 12  # of the table
SCORE = re.compile(r"\d+ of \d+(, \d+ of \d+)?")


def written():
    """(title, score) of each row in README.md."""
    text = (tree.ROOT / "README.md").read_text()
    match = re.search(r"<!-- contrib/conformance -->\n(.*?)<!-- end -->\n",
                      text, re.S)
    lines = match.group(1).splitlines() if match else []
    return [tuple(cell.strip() for cell in line.strip("|").split("|"))
            for line in lines[2:]], len(lines)


def rows():
    command = [sys.executable, tree.ROOT / "contrib" / "conformance", "--rows"]
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout.splitlines()


def main():
    tap = tree.Tap()
    table, lines = written()
    told = [title for title, _ in table]
    tap.point("README's table has the rows of contrib/conformance",
              sorted(set(told) ^ set(rows())))
    tap.point("each row has a score",
              ["%s: %s" % row for row in table if not SCORE.fullmatch(row[1])])
    tap.point("the table is a dozen lines",
              ["%d lines" % lines] if lines > LINES else [])
    tap.end()


main()
