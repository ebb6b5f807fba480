#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterd-lua(7): its examples are done as they stand there.

Usage: lua.py FILTERCTL
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "plugins/lua/scripts"
INSTALLED = "/usr/share/filterd/lua"


def run(filterctl, folder, *arguments, text=""):
    done = subprocess.run([filterctl, *arguments], cwd=folder, timeout=60,
                          input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def guide(filterctl):
    """What stands as it is, a text for each."""
    _, out, _ = run(filterctl, "/", "explain", "--json", "lua")
    paragraphs = json.loads(out)["description"].split("\n\n")
    return [re.sub(r"^  ", "", text, flags=re.M)
            for text in paragraphs if text.startswith("  ")]


def a_script_is_tested_by_its_words(filterctl):
    shell = next(text for text in guide(filterctl) if "$ cat" in text)
    shell = shell.replace(INSTALLED, str(SCRIPTS)).replace("\\\n", " ")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in re.findall(r"^\$ cat (\S+)\n(.*?)(?=^\$)", shell,
                                     re.M | re.S):
            pathlib.Path(folder, name).write_text(text)
        command = re.search(r"^\$ echo \| filterctl (.*)$", shell, re.M)
        status, out, err = run(filterctl, folder, *command.group(1).split(),
                               text="\n")
    assert "mx.bogus = yes" in out, (out, err)
    assert "reject bogus-mx at mail" in out, (out, err)


def the_first_script_works(filterctl):
    texts = guide(filterctl)
    script = next(text for text in texts if "function mail" in text)
    use = next(text for text in texts if "use lua as quota" in text)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "quota.lua").write_text(script)
        config = pathlib.Path(folder, "t.conf")
        for limit, verdict in [("200", "accept"), ("0", "tempfail too-many")]:
            config.write_text(use.replace("200", limit))
            status, out, err = run(
                filterctl, folder, "try", "--client", "192.0.2.1", "--from",
                "a@b.example", "--to", "c@d.example", "t.conf", text="\n")
            assert re.search(r"^  " + verdict, out, re.M), (out, err)
        status, out, _ = run(filterctl, folder, "explain", "-c", "t.conf",
                             "quota")
        assert "quota.over  bool" in out, out
        assert re.search(r"`limit` \(int\): Messages of one", out), out


def each_script_that_comes_along_says_how_it_is_used(filterctl):
    for path in sorted(SCRIPTS.glob("*.lua")):
        head = re.match(r"(--.*\n)+", path.read_text()).group()
        use = re.search(r"^--   (use lua(?:.*\n)(?:--    .*\n|--   [at}].*\n)*)",
                        head, re.M)
        if use is None:
            assert path.name == "mime.lua", path
            continue
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder, "t.conf")
            config.write_text(
                "list ours of ip { 192.0.2.0/24 }\n"
                + re.sub(r"^--   ", "", use.group(1), flags=re.M).replace(
                    INSTALLED, str(SCRIPTS)))
            status, _, err = run(filterctl, folder, "check", "t.conf")
            assert status == 0 and "error" not in err, (path.name, err)


TESTS = [
    a_script_is_tested_by_its_words,
    the_first_script_works,
    each_script_that_comes_along_says_how_it_is_used,
]


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(os.path.abspath(sys.argv[1]))
            print("ok %d %s" % (number, name))
        except AssertionError as error:
            failed += 1
            print("not ok %d %s\n# %r" % (number, name, error))
    return 1 if failed else 0


sys.exit(main())
