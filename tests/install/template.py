#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl new-plugin, and the guide that it leaves, to the letter: what was
installed, and nothing else, makes a plugin.

Usage: template.py BUILD SOURCE
"""
import os
import re
import sys

from staged import Staged, must, play, run

NAME = "return-path2"
# Each is wrong, and what is told.
NAMES = [("Upper", "lower case"), ("9lives", "lower case"), ("", "lower case"),
         ("a--b", "lower case"), ("trail-", "lower case"),
         ("a/b", "lower case"), ("../up", "lower case"), ("a" * 33, "most 32"),
         ("spf", "already"), ("client", "filterd itself"),
         ("test", "meson's"), ("meson-x", "meson's"),
         ("core", "filterd itself"), ("score", "filterd itself")]


class Guide:
    def __init__(self, staged):
        self.staged = staged
        self.filterctl = staged.path("bindir", "filterctl")
        self.folder = os.path.join(staged.top, "mine")

    def new_plugin(self, *words):
        return run([self.filterctl, "new-plugin", *words],
                   cwd=self.staged.top)

    def do(self, command):
        return must(["bash", "-c", command], cwd=self.folder,
                    env=self.staged.environment())


def a_name_that_is_none_is_refused(guide):
    for name, why in NAMES:
        status, said = guide.new_plugin(name, "never")
        assert status == 1 and why in said, (name, said)
        assert not os.path.exists(os.path.join(guide.staged.top, "never"))


def wrong_words_are_of_no_use(guide):
    for words in [[], ["a", "b", "c"], ["--help"]]:
        status, said = guide.new_plugin(*words)
        assert status == 2 and "usage: filterctl new-plugin" in said, said


def it_says_what_to_do_next(guide):
    status, said = guide.new_plugin(NAME, guide.folder)
    assert status == 0, said
    found = run(["pkg-config", "--exists", "filterd"])[0] == 0
    package = guide.staged.path("libdir", "pkgconfig")
    export = "" if found else "    export PKG_CONFIG_PATH=%s\n" % package
    assert said.endswith("\n    cd %s\n%s    meson setup build\n"
                         "    meson compile -C build\n    meson test -C build\n"
                         % (guide.folder, export)), said


def what_it_says_leads_to_a_tested_plugin(guide):
    other = os.path.join(guide.staged.top, "to the letter")
    status, said = guide.new_plugin("letter", other)
    commands = "".join(re.findall(r"^    .*\n", said, re.M))
    assert status == 0 and commands.count("\n") >= 4, said
    said = must(["bash", "-ec", commands])
    assert re.search(r"Fail: +0", said), said


def nothing_is_overwritten(guide):
    status, said = guide.new_plugin("other", guide.folder)
    assert status == 1 and "nothing is overwritten" in said, said
    assert os.path.exists(os.path.join(guide.folder, NAME + ".c"))


def a_folder_that_is_not_there_is_told(guide):
    status, said = guide.new_plugin(NAME, "no/such/folder")
    assert status == 1 and "no/such/folder" in said, said


def no_placeholder_is_left(guide):
    for name in os.listdir(guide.folder):
        with open(os.path.join(guide.folder, name)) as file:
            text = file.read()
        assert "@NAME@" not in text, name
        assert "plugin-template" not in text, name


def the_guide_works_to_the_letter(guide):
    with open(os.path.join(guide.folder, "README.md")) as file:
        commands = re.findall(r"^    \$ (.*)$", file.read(), re.M)
    assert len(commands) == 9, commands
    for command in commands[:-1]:
        guide.do(command)
    said = guide.do(commands[-1])
    assert "no-return" in said and "reject" in said, said
    said = guide.do(commands[-1].replace("a@null.example", "a@mx.example"))
    assert "rejected" not in said and "550" not in said, said


def its_tests_explore_each_wait(guide):
    said = guide.do("build/test-%s --verbose" % NAME)
    assert "wait 1, dns MX nobody.example: spent" in said, said
    assert "wait 3, dns AAAA v6.example: cancelled" in said, said


def it_is_installed_with_its_page(guide):
    staged = guide.staged
    assert os.path.isfile(staged.path("libdir", "filterd", NAME + ".so"))
    page = staged.path("mandir", "man7", "filterd-%s.7" % NAME)
    said = must(["mandoc", "-Tlint", "-Wwarning", page])
    assert said == "", said


def it_compiles_without_a_warning(guide):
    said = guide.do("touch *.c && meson compile -C build")
    assert "warning" not in said.lower(), said


def without_plugindir_nobody_can_build(guide):
    """It is by what is installed that it builds, not by the source tree."""
    pc = guide.staged.path("libdir", "pkgconfig/filterd.pc")
    os.rename(pc, pc + ".away")
    try:
        status, said = run(["meson", "setup", "again"], cwd=guide.folder,
                           env=guide.staged.environment())
    finally:
        os.rename(pc + ".away", pc)
    assert status != 0 and "filterd" in said, said


def a_name_of_a_system_header_is_fine(guide):
    """Nothing is called string.h then."""
    status, said = guide.new_plugin("string", "strings")
    assert status == 0, said
    folder = os.path.join(guide.staged.top, "strings")
    must(["bash", "-c", "meson setup build && meson compile -C build"],
         cwd=folder, env=guide.staged.environment())


TESTS = [
    a_name_that_is_none_is_refused,
    wrong_words_are_of_no_use,
    it_says_what_to_do_next,
    what_it_says_leads_to_a_tested_plugin,
    nothing_is_overwritten,
    a_folder_that_is_not_there_is_told,
    no_placeholder_is_left,
    the_guide_works_to_the_letter,
    its_tests_explore_each_wait,
    it_is_installed_with_its_page,
    it_compiles_without_a_warning,
    a_name_of_a_system_header_is_fine,
    without_plugindir_nobody_can_build,
]


def main():
    staged = Staged(sys.argv[1])
    try:
        return play(TESTS, Guide(staged))
    finally:
        staged.clear()


sys.exit(main())
