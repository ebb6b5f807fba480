#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A plugin that was built with an earlier plugin.h does in today's filterd what
it did then; one that is too old or too new is refused with words.

Usage: daemon.py FILTERCTL LIBDIR PROBE.so …
"""
import os
import shutil
import subprocess
import sys
import tempfile

POLICY = """
use %(name)s {
    level high
    zone listed.example weight 3
    zone clear.example
    patience 1m
}
list ours of domain { example.com }
at rcpt {
    reject relay if rcpt.domain not in ours
    reject first if %(name)s.sum != 4 or %(name)s.seen != 1
}
at message {
    reject long if %(name)s.length != 16
    rewrite %(name)s.mark("{%(name)s.length}")
    rewrite %(name)s.sign()
}
"""
ZONE = "listed.example. 60 IN A 127.0.0.2\n"
MESSAGE = b"From: a@b.example\r\nTo: c\r\n\r\nhello...\r\n"


class Moved:
    """filterctl where it was moved to, with the probes beside it."""

    def __init__(self, filterctl, libdir, probes):
        self.top = tempfile.mkdtemp(prefix="filterd-abi-")
        self.plugins = os.path.join(self.top, libdir, "filterd")
        os.makedirs(self.plugins)
        os.mkdir(os.path.join(self.top, "bin"))
        self.filterctl = shutil.copy(filterctl, os.path.join(self.top, "bin"))
        for probe in probes:
            shutil.copy(probe, self.plugins)

    def run(self, *words, message=b""):
        done = subprocess.run([self.filterctl, *words], cwd=self.top,
                              input=message, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        return done.returncode, done.stdout.decode()

    def write(self, name, text):
        with open(os.path.join(self.top, name), "w") as file:
            file.write(text)


def works(moved, name):
    moved.write("filterd.conf", POLICY % {"name": name})
    moved.write("zone", ZONE)
    status, said = moved.run("check", "filterd.conf")
    assert status == 0, said
    status, said = moved.run("explain", name)
    assert status == 0 and name + ".length" in said, said
    status, said = moved.run(
        "try", "--client", "192.0.2.1", "--from", "a@b.example", "--to",
        "c@example.com", "--zone", "zone", "--message-out", "out",
        "filterd.conf", message=MESSAGE)
    assert status == 0, said
    with open(os.path.join(moved.top, "out")) as file:
        out = file.read()
    assert out.startswith("X-Signed: yes\n"), out
    assert "\nX-Probe: 16\n" in out and "x-probe=pass" in out, out


def refused(moved, name, why):
    moved.write("filterd.conf", "use %s\n" % name)
    for words in (["check", "filterd.conf"], ["explain", name]):
        status, said = moved.run(*words)
        assert status == 1 and why in said, (words, said)


REFUSED = {"ancient": "octets; build it again",
           "newer": "octets; build it again", "foreign": "plugin ABI 2"}


def main():
    probes = sys.argv[3:]
    moved = Moved(sys.argv[1], sys.argv[2], probes)
    failed = 0
    print("1..%d" % len(probes))
    for number, probe in enumerate(probes, 1):
        name = os.path.basename(probe)[:-len(".so")]
        try:
            if name in REFUSED:
                refused(moved, name, REFUSED[name])
            else:
                works(moved, name)
            print("ok %d %s" % (number, name))
        except AssertionError as error:
            failed += 1
            told = str(error).replace("\\n", "\n").replace("\n", "\n# ")
            print("not ok %d %s\n# %s" % (number, name, told))
    shutil.rmtree(moved.top)
    return 1 if failed else 0


sys.exit(main())
