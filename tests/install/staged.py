# SPDX-License-Identifier: BSD-2-Clause
"""staged.py: what was built, installed into a directory of the test's own, and
how a programmer finds it there."""
import json
import os
import shutil
import subprocess
import tempfile

PATIENCE = 300


def run(command, **how):
    """(exit status, what it said on both)."""
    done = subprocess.run(command, timeout=PATIENCE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **how)
    return done.returncode, done.stdout.decode(errors="replace")


def must(command, **how):
    status, said = run(command, **how)
    assert status == 0, (command, status, said)
    return said


class Staged:
    """`meson install` with a DESTDIR; `prefix` is the prefix below it."""

    def __init__(self, build):
        self.top = tempfile.mkdtemp(prefix="filterd-install-")
        self.build = build
        self.destination = os.path.join(self.top, "staged")
        said = must(["meson", "introspect", "--buildoptions", build])
        self.options = {o["name"]: o["value"] for o in json.loads(said)}
        must(["meson", "install", "-C", build, "--no-rebuild", "--quiet",
              "--destdir", self.destination])
        self.prefix = self.destination + self.options["prefix"]

    def clear(self):
        shutil.rmtree(self.top)

    def path(self, option, *parts):
        """A path below an installed directory, as path("bindir", "x")."""
        return os.path.join(self.prefix, self.options[option], *parts)

    def environment(self):
        environment = dict(os.environ)
        environment["PKG_CONFIG_PATH"] = self.path("libdir", "pkgconfig")
        environment["PATH"] = self.path("bindir") + ":" + environment["PATH"]
        return environment

    def package(self, *words):
        return must(["pkg-config", *words],
                    env=self.environment()).strip()


def play(tests, *arguments):
    """Runs them in order, as TAP. Returns an exit status."""
    failed = 0
    print("1..%d" % len(tests))
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(*arguments)
            print("ok %d %s" % (number, name), flush=True)
        except AssertionError as error:
            failed += 1
            told = str(error).replace("\\n", "\n").replace("\n", "\n# ")
            print("not ok %d %s\n# %s" % (number, name, told), flush=True)
    return 1 if failed else 0
