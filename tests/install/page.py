#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterd-plugin(3): its examples are compiled and run as they stand there, and
nothing of plugin.h is left out.

Usage: page.py BUILD SOURCE
"""
import os
import re
import sys

from staged import Staged, must, play

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../abi"))
import shapes  # noqa: E402

WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Wshadow",
            "-Wno-missing-field-initializers", "-Werror"]


class Page:
    def __init__(self, staged, source):
        self.staged = staged
        self.source = source
        with open(source + "/docs/filterd-plugin.3") as file:
            self.text = file.read()

    def example(self, name):
        found = re.search(r'^\.\\" example: %s\n\.Bd [^\n]*\n(.*?)^\.Ed$'
                          % name, self.text, re.M | re.S)
        assert found, name
        return found[1].replace("\\e", "\\")

    def write(self, name, text):
        path = os.path.join(self.staged.top, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def compile(self, out, sources, *flags, package="filterd"):
        compiler = self.staged.package("--cflags", package).split()
        linker = self.staged.package("--libs", package).split()
        must(["cc", *WARNINGS, *flags, *compiler, *sources, "-o",
              out, *linker])


def words_of(text):
    return set(re.findall(r"\w+", re.sub(r"\\&", "", text)))


def everything_of_the_header_is_told(page):
    with open(page.source + "/filterd/plugin.h") as file:
        asked = shapes.questions(file.read())
    names = {name.replace("sizeof ", "").split(".")[-1] for name in asked}
    told = words_of(page.text)
    short = {"FILTERD_" + word for word in told}
    missing = sorted(names - told - short - {"FilterdStage"})
    assert not missing, missing


def each_host_call_has_an_item(page):
    with open(page.source + "/filterd/plugin.h") as file:
        asked = shapes.questions(file.read())
    calls = [name.split(".")[1] for name in asked
             if name.startswith("FilterdHost.")]
    items = re.findall(r"^\.It Fn (\w+) call", page.text, re.M)
    assert len(calls) > 20
    missing = set(calls) - set(items) - {"size"}
    assert not missing, missing


def the_plugin_works_as_it_stands_there(page):
    source = page.write("mirror.c", page.example("plugin"))
    plugin = page.staged.path("libdir", "filterd", "mirror.so")
    page.compile(plugin, [source], "-shared", "-fPIC", "-fvisibility=hidden",
                 "-Wl,-z,defs")
    policy = page.write("filterd.conf", page.example("policy"))
    filterctl = page.staged.path("bindir", "filterctl")
    said = must([filterctl, "check", policy])
    assert "is right" in said, said
    said = must([filterctl, "try", "--client", "192.0.2.1", "--helo",
                 "MX.example.com", "--from", "a@b.example", "--to",
                 "c@example.com", policy], input=b"From: a@b.example\n\nx\n")
    assert "impostor" in said and "reject" in said, said


def its_test_passes_as_it_stands_there(page):
    sources = [page.write("mirror.c", page.example("plugin")),
               page.write("test.c", page.example("test"))]
    program = os.path.join(page.staged.top, "test")
    page.compile(program, sources, package="filterd-harness")
    said = must([program, "--verbose"])
    assert "wait 0, lookup helo.name: unknown" in said, said
    assert "ok 2 /mirror/faults" in said, said


TESTS = [
    everything_of_the_header_is_told,
    each_host_call_has_an_item,
    the_plugin_works_as_it_stands_there,
    its_test_passes_as_it_stands_there,
]


def main():
    staged = Staged(sys.argv[1])
    try:
        return play(TESTS, Page(staged, sys.argv[2]))
    finally:
        staged.clear()


sys.exit(main())
