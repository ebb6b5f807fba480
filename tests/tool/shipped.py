#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every policy that we ship has tests of its own, and they pass.

Usage: shipped.py FILTERCTL SOURCE
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile


def policies(source):
    found = sorted((source / "contrib").rglob("filterd.conf"))
    return [source / "policy" / "default.policy"] + found


def run(filterctl, path):
    """In a folder of its own, with the file that contrib/quickstart makes."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "zone").write_text("")
        copy = shutil.copy(path, folder)
        return subprocess.run([filterctl, "test", copy],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, text=True)


def main():
    filterctl, source = sys.argv[1], pathlib.Path(sys.argv[2])
    found = policies(source)
    failed = 0
    print("1..%d" % len(found))
    for number, path in enumerate(found, 1):
        done = run(filterctl, path)
        good = done.returncode == 0 and "PASS" in done.stdout
        failed += not good
        print("%s %d %s" % ("ok" if good else "not ok", number,
                            path.relative_to(source)))
        if not good:
            print("".join("# " + line for line in
                          done.stdout.splitlines(keepends=True)))
    return 1 if failed else 0


sys.exit(main())
