#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl test: which tests pass, what is said of the others.

Usage: test.py FILTERCTL
"""
import json
import os
import subprocess
import sys
import tempfile

POLICY = """list ours of domain { example.com }
use spf
use dkim
let odd = not client.fcrdns or client.early-talker
list dialup of pattern { "^ppp\\d" "(?i)\\.DSL\\." }
at connect { accept trusted if client.ip in 192.0.2.0/24 }
at helo { reject cursed if helo.name = "cursed" }
at helo { reject dialup if helo.name in dialup }
at mail { reject bounce if not known mail.domain and mail.size = 1 }
at rcpt {
    reject foreign if rcpt.domain = "xn--bcher-kva.example"
        reply "{rcpt.local} at {rcpt.domain}"
    score 3 named if client.name matches "^dyn"
    reject relay if rcpt.domain not in ours
        reply 550 5.7.1 "no relaying to {rcpt.domain}"
    would reject new if odd
    tempfail grey if odd and spf.result != pass
}
at message {
    rewrite add-header("X-Score", "{score}") if score > 0
    quarantine signed if "example.org" in dkim.domains
    reject big if message.size > 1M
}
"""

RELAY = 'given rcpt.to = "a@other.example" '
OURS = 'given rcpt.to = "a@example.com" '

# What the test block says, and what is said of it; "" where it passes.
CASES = [
    ("a rule is met by its verdict and name",
     "given client.ip = 192.0.2.9 expect accept trusted", ""),
    ("a rule is met by its verdict alone",
     "given client.ip = 192.0.2.9 expect accept", ""),
    ("no verdict at all accepts", OURS + "expect accept expect nothing", ""),
    ("a pattern of a list matches",
     'given helo.name = "a.dsl.example" expect reject dialup', ""),
    ("none of a list matches", 'given helo.name = "PPP1" expect nothing at helo',
     ""),
    ("the parts of an address follow from it",
     RELAY + "expect reject relay at rcpt", ""),
    ("the domain of an address in A-labels, its local part without quotes",
     'given rcpt.to = "\\"j d\\"@b\u00fccher.example" expect reject foreign '
     "reply 550 5.7.1 \"j d at xn--bcher-kva.example\"", ""),
    ("the null reverse-path has no domain",
     'given mail.from = "" given mail.size = 1 expect reject bounce', ""),
    ("a part that is given is not overruled",
     RELAY + 'given rcpt.domain = "example.com" expect nothing', ""),
    ("what is not given is unknown, and fires nothing",
     "expect nothing expect no would reject new", ""),
    ("the code of a reply", RELAY + "expect reject reply 550", ""),
    ("the enhanced code", RELAY + "expect reject reply 550 5.7.1", ""),
    ("the text", RELAY + 'expect reject relay reply "no relaying to '
     'other.example"', ""),
    ("a reply that is another", RELAY + 'expect reject relay reply 554',
     "expected reject relay reply 554\n    but found reject relay at rcpt, "
     "which answers 550 5.7.1 no relaying to\n      other.example\n"),
    ("a text that is another", RELAY + 'expect reject relay reply 550 "no"',
     'expected reject relay reply 550 "no"\n'),
    ("an enhanced code that is another",
     RELAY + 'expect reject relay reply 550 5.7.2',
     'expected reject relay reply 550 5.7.2\n'),
    ("a would rule is met, and ends nothing",
     OURS + "given client.fcrdns = no given spf.result = pass "
     "expect would reject new expect nothing", ""),
    ("no would rule", OURS + "given client.fcrdns = no given spf.result = pass "
     "expect no would reject new",
     "expected no would reject new\n    but found would reject new at rcpt"),
    ("the score", 'given client.name = "dyn.example" expect score = 3 '
     "expect score named", ""),
    ("a score that is another", 'given client.name = "dyn.example" given '
     "score = 2 expect score = 3",
     "expected score = 3\n    but found score = 5\n"),
    ("a rewrite with its arguments", 'given client.name = "dyn.example" '
     'expect rewrite add-header expect rewrite add-header("X-Score", "3")', ""),
    ("other arguments", 'given client.name = "dyn.example" '
     'expect rewrite add-header("X-Score", "4")',
     'expected rewrite add-header("X-Score", "4")\n'
     '    but found rewrite add-header("X-Score", "3") at message\n'),
    ("no rewrite", "expect rewrite add-header",
     "expected rewrite add-header\n    but found no verdict, which accepts\n"),
    ("a list of values", 'given dkim.domains = { "a.example" "example.org" } '
     "expect quarantine signed", ""),
    ("an empty list", "given dkim.domains = { } expect nothing", ""),
    ("one value is a list of one", 'given dkim.domains = "example.org" '
     "expect quarantine signed", ""),
    ("a quarantine is followed by nothing of its stage",
     'given dkim.domains = "example.org" given message.size = 2M '
     "expect no reject big", ""),
    ("unknown can be given", "given client.ip = unknown expect nothing", ""),
    ("a stage that is not reached cannot pass",
     "given client.ip = 192.0.2.9 expect nothing at rcpt",
     "expected nothing at rcpt\n    but found accept trusted at connect, "
     "before stage rcpt\n"),
    ("a verdict at another stage", RELAY + "expect reject at message",
     "expected reject at message\n    but found reject relay at rcpt, before "
     "stage message\n"),
    ("nothing at a stage that has a verdict", RELAY + "expect nothing at rcpt",
     "expected nothing at rcpt\n    but found reject relay at rcpt, which"),
    ("why not: a false fact", "given rcpt.domain = \"example.com\" "
     "expect reject relay",
     "    no       reject relay\n"
     "               rcpt.domain in ours: yes, rcpt.domain is example.com\n"),
    ("why not: an unknown fact", "expect tempfail grey",
     "    unknown  tempfail grey\n"
     "               odd: unknown\n"
     "                 client.fcrdns: unknown\n"
     "                 client.early-talker: unknown\n"
     "               spf.result != pass: unknown, spf.result is unknown\n"),
    ("why: the alternative that decides",
     OURS + "given client.early-talker = yes given client.fcrdns = yes "
     "expect tempfail grey",
     "    yes      would reject new\n"
     "               odd: yes\n"
     "                 client.early-talker: yes\n"
     "    unknown  tempfail grey\n"
     "               spf.result != pass: unknown, spf.result is unknown\n"),
    ("why: of two alternatives the first is enough",
     OURS + "given client.early-talker = yes given client.fcrdns = no "
     "expect tempfail grey",
     "    yes      would reject new\n"
     "               odd: yes\n"
     "                 client.fcrdns: no\n"
     "    unknown  tempfail grey\n"),
    ("no escape reaches a terminal", 'given helo.name = "\x1b[31m" '
     "expect reject cursed", 'helo.name = "cursed": no, helo.name is ?[31m\n'),
]


class World:
    def __init__(self, filterctl, folder):
        self.filterctl, self.folder = filterctl, folder

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, *arguments, **variables):
        done = subprocess.run([self.filterctl, "test"] + list(arguments),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, env={**os.environ, **variables})
        return done.returncode, done.stdout.decode("utf-8")

    def test(self, block):
        return self.run(self.write(
            "p.conf", POLICY + 'test "it" {\n%s\n}\n' % block))


def play(world, block, part):
    status, text = world.test(block)
    if part == "":
        assert (status, text) == (0, "PASS  it\n1 test, 0 failed\n"), text
    else:
        assert status == 1 and part in text, (status, text)


SEVERAL = """at helo { reject x if helo.name = "x" }
test "first" { expect nothing }
test "second" { given helo.name = "x" expect accept }
"""


def only(world):
    """--only takes tests by their names"""
    path = world.write("several.conf", SEVERAL)
    assert world.run("--only", "^fi", path) == (
        0, "PASS  first\n1 test, 0 failed\n")
    assert world.run(path)[0] == 1
    assert world.run("--only", "third", path)[0] == 2
    assert world.run("--only", "(", path)[0] == 2


def included(world):
    """tests of included files run, and are told by their file"""
    world.write("several.conf", SEVERAL)
    status, text = world.run(world.write("outer.conf",
                                         'include "several.conf"\n'))
    assert status == 1 and "several.conf:3: expected accept\n" in text, text
    assert text.endswith("2 tests, 1 failed\n")


def as_json(world):
    """--json has the tests, what they got, and the rules with why"""
    path = world.write("several.conf", SEVERAL)
    status, text = world.run("--json", path)
    first, second = json.loads(text)["tests"]
    assert status == 1 and json.loads(text)["failed"] == 1
    assert first["passed"] and first["verdict"] == "accept"
    assert not second["passed"] and second["rule"] == "x"
    assert second["reply"] == "550 5.7.1 refused by local policy"
    assert second["unmet"] == [{
        "file": path, "line": 3, "column": 46, "expected": "accept",
        "found": "reject x at helo, which answers 550 5.7.1 refused by local "
                 "policy"}], second["unmet"]
    assert second["rules"] == [{
        "stage": "helo", "verdict": "reject", "rule": "x", "would": False, "canary": None, "until": None, "mode": "applied",
        "file": path, "line": 1, "truth": "yes",
        "why": [{"expression": 'helo.name = "x"', "truth": "yes", "depth": 0,
                 "facts": {"helo.name": "x"}}]}], second["rules"]


def colour(world):
    """colour where it is asked for, and not into a pipe"""
    path = world.write("several.conf", SEVERAL)
    assert "\x1b" not in world.run(path)[1]
    assert "\x1b[32mPASS\x1b[0m" in world.run("--color=always", path)[1]
    assert "\x1b[31mFAIL\x1b[0m" in world.run("--color=always", path,
                                              NO_COLOR="1")[1]
    assert world.run("--color=blue", path)[0] == 2


def useless(world):
    """a file that does not compile is shown as check shows it"""
    path = world.write("bad.conf", 'test "x" { expect rejct }\n')
    status, text = world.run(path)
    assert status == 2 and text == (
        "%s:1:19: error: a test cannot expect `rejct`; did you mean `reject`?\n"
        "    test \"x\" { expect rejct }\n"
        "                      ^~~~~\n" % path), text
    assert world.run()[0] == 2
    assert world.run("/nowhere")[0] == 2
    assert world.run(world.write("none.conf", "dns { }\n")) == (0, "0 tests, 0 failed\n")


def check_runs_none(world):
    """check compiles tests and runs none"""
    path = world.write("several.conf", SEVERAL)
    done = subprocess.run([world.filterctl, "check", path],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0


STORIES = [only, included, as_json, colour, useless, check_runs_none]


def main():
    plays = [(name, lambda world, block=block, part=part: play(
        world, block, part)) for name, block, part in CASES]
    plays += [(story.__doc__, story) for story in STORIES]
    failed = 0
    print("1..%d" % len(plays))
    with tempfile.TemporaryDirectory() as folder:
        world = World(sys.argv[1], folder)
        for number, (name, func) in enumerate(plays, 1):
            try:
                func(world)
                print("ok %d %s" % (number, name))
            except AssertionError as error:
                failed += 1
                print("not ok %d %s" % (number, name))
                for line in str(error).splitlines():
                    print("# " + line)
    return 1 if failed else 0


sys.exit(main())
