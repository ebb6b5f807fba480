#!/usr/bin/python3
"""format.py: the sources are as clang-format 14 (Debian 12's) writes them.

Another version formats otherwise: then, and without any, the test is skipped.
"""

# SPDX-License-Identifier: BSD-2-Clause

import pathlib
import re
import shutil
import subprocess

import tree

VERSION = "14"


def formatter():
    for name in ["clang-format-" + VERSION, "clang-format"]:
        program = shutil.which(name)
        if program is None:
            continue
        told = subprocess.run([program, "--version"], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        if re.search(r"version %s\." % VERSION, told):
            return program
    return None


def unformatted(program):
    names = [str(path) for path, _ in tree.sources()]
    told = subprocess.run([program, "--dry-run"] + names, text=True,
                          stderr=subprocess.PIPE, check=False).stderr
    for name, line in re.findall(r"^(.*?):(\d+):\d+: warning", told, re.M):
        yield "%s:%s" % (pathlib.Path(name).relative_to(tree.ROOT), line)


def main():
    program = formatter()
    if program is None:
        print("1..0 # SKIP clang-format %s is not installed" % VERSION)
        return
    tap = tree.Tap()
    tap.point("clang-format has nothing to change", unformatted(program))
    tap.end()


main()
