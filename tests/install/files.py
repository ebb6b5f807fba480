#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `meson install` puts where, and that it works from there.

Usage: files.py BUILD SOURCE
"""
import glob
import json
import os
import re
import sys

from staged import Staged, must, play, run

C11 = ["cc", "-std=c11", "-Wpedantic", "-xc"]
# Values are made by C's compound literals, which g++ and clang++ know.
CXX17 = ["c++", "-std=c++17", "-Wno-missing-field-initializers", "-xc++"]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-fsyntax-only"]


def each_kind_of_file_is_there(staged, source):
    wanted = [("includedir", "filterd/plugin.h"),
              ("includedir", "filterd/harness.h"),
              ("libdir", "libfilterd-harness.a"),
              ("libdir", "pkgconfig/filterd.pc"),
              ("libdir", "pkgconfig/filterd-harness.pc"),
              ("bindir", "filterctl"), ("sbindir", "filterd"),
              ("datadir", "filterd/default.policy"),
              ("datadir", "filterd/plugin-template/meson.build"),
              ("datadir", "filterd/contrib/postfix/README"),
              ("datadir", "filterd/contrib/migrate")]
    for path in glob.glob(source + "/plugins/*/meson.build"):
        name = os.path.basename(os.path.dirname(path))
        wanted += [("libdir", "filterd/%s.so" % name),
                   ("mandir", "man7/filterd-%s.7" % name)]
    for path in glob.glob(source + "/docs/*.[0-9]"):
        name = os.path.basename(path)
        wanted.append(("mandir", "man%s/%s" % (name[-1], name)))
    missing = [name for option, name in wanted
               if not os.path.isfile(staged.path(option, name))]
    assert not missing, missing


def nothing_else_is_a_plugin(staged, source):
    """A plugin exports one symbol."""
    del source
    for path in glob.glob(staged.path("libdir", "filterd/*")):
        said = must(["nm", "-D", "--defined-only", "--format=posix", path])
        symbols = [line.split()[0] for line in said.splitlines()
                   if not line.startswith(("__asan", "__odr_asan", "__ubsan"))]
        assert symbols == ["filterd_plugin"], (path, symbols)


def units_name_the_installed_programs(staged, source):
    del source
    folder = os.path.join(staged.prefix, staged.options["systemd-units"])
    real = staged.options["prefix"]
    for unit, option, name in [("filterd.service", "sbindir", "filterd"),
                               ("filterd-report.service", "bindir",
                                "filterctl")]:
        with open(os.path.join(folder, unit)) as file:
            text = file.read()
        program = os.path.join(real, staged.options[option], name)
        assert "\nExecStart=%s " % program in text, (unit, text)
        assert "@" not in text, (unit, text)
    assert os.path.isfile(os.path.join(folder, "filterd-report.timer"))


def nothing_installed_knows_where_it_was_built(staged, source):
    del source
    for folder, _, names in os.walk(staged.prefix):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                text = file.read()
            if text[:4] == b"\x7fELF" or text[:7] == b"!<arch>":
                continue  # debugging information does
            assert staged.build.encode() not in text, path


def programs_find_plugins_beside_them(staged, source):
    del source
    filterctl = staged.path("bindir", "filterctl")
    told = json.loads(must([filterctl, "explain", "--json"]))
    names = {row["plugin"] for row in told["plugins"]}
    assert {"spf", "dkim", "dnsbl"} <= names, names


def the_default_policy_is_right_there(staged, source):
    del source
    status, said = run([staged.path("bindir", "filterctl"), "check",
                        staged.path("datadir", "filterd/default.policy")])
    assert status == 0, said


def manual_pages_are_found(staged, source):
    del source
    for page in glob.glob(staged.path("mandir", "man[0-9]/*")):
        must(["mandoc", "-Tutf8", page])
    said = re.sub(".\b", "", must(
        ["mandoc", "-Tutf8", staged.path("mandir", "man7/filterd-spf.7")]))
    plugin = "%s/%s/filterd/spf.so" % (staged.options["prefix"],
                                       staged.options["libdir"])
    assert plugin in said, said


def pkg_config_tells(staged, source):
    del source
    assert os.path.normpath(staged.package("--variable=plugindir", "filterd")) \
        == staged.path("libdir", "filterd")
    with open(staged.path("includedir", "filterd/plugin.h")) as file:
        abi = re.search(r"^#define FILTERD_ABI (\d+)$", file.read(), re.M)[1]
    assert staged.package("--variable=abi", "filterd") == abi
    assert "glib-2.0" in staged.package("--cflags", "filterd")
    paths = [os.path.normpath(flag[2:]) for flag
             in staged.package("--cflags", "filterd").split()]
    assert staged.path("includedir") in paths, paths
    libraries = staged.package("--libs", "filterd-harness")
    assert "-lfilterd-harness" in libraries and "-lglib-2.0" in libraries
    assert "harness" not in staged.package("--libs", "filterd")


def headers_compile_alone(staged, source):
    """In C and C++, twice in one file, without a warning."""
    del source
    flags = [flag.replace("-I", "-isystem") if "glib" in flag else flag
             for flag in staged.package("--cflags", "filterd").split()]
    for header in ["plugin.h", "harness.h"]:
        text = "#include <filterd/%s>\n" % header * 2
        for language in [C11, CXX17]:
            status, said = run(language[:1] + WARNINGS + language[1:] + flags + ["-"],
                               input=text.encode())
            assert status == 0, (language, header, said)


def another_prefix_is_respected(staged, source):
    """Nothing is compiled: where it would go is told."""
    prefix = os.path.join(staged.top, "elsewhere")
    build = os.path.join(staged.top, "build")
    must(["meson", "setup", build, source, "--prefix", prefix, "--libdir",
          "lib64", "-Dsystemd-units="])
    plan = json.loads(must(["meson", "introspect", "--installed", build]))
    outside = [path for path in plan.values()
               if not path.startswith(prefix + "/")]
    assert plan and not outside, outside
    assert prefix + "/lib64/filterd/spf.so" in plan.values(), plan
    assert not [path for path in plan.values() if "systemd" in path]
    with open(build + "/build.ninja") as file:
        assert 'PLUGIN_DIRECTORY="%s/lib64/filterd"' % prefix \
            in file.read().replace("\\", "")


TESTS = [
    each_kind_of_file_is_there,
    nothing_else_is_a_plugin,
    units_name_the_installed_programs,
    nothing_installed_knows_where_it_was_built,
    programs_find_plugins_beside_them,
    the_default_policy_is_right_there,
    manual_pages_are_found,
    pkg_config_tells,
    headers_compile_alone,
    another_prefix_is_respected,
]


def main():
    staged = Staged(sys.argv[1])
    try:
        return play(TESTS, staged, sys.argv[2])
    finally:
        staged.clear()


sys.exit(main())
