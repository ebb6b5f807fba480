#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl check --against: what is different between two configurations.

Usage: difference.py FILTERCTL
"""
import os
import subprocess
import sys
import tempfile

RULES = """use spf
use greylist { delay 5m }
list ours of domain { a.example b.example }
map weights of domain to int { a.example 1 b.example 2 }
let bad = spf.result = fail
at connect { accept net if client.ip in 192.0.2.0/24 }
at rcpt {
    reject relay if rcpt.domain not in ours
    reject spf if bad and known auth.user reply 550 5.7.23 "no"
    rewrite add-header("X-A", "1")
    rewrite add-header("X-B", "1")
}
at message { score 3 heavy if weights[mail.domain] > 1 would reject w if bad }
"""
PLACES = """listen smtp 127.0.0.1:10025 { max-sessions 5 }
listen milter 127.0.0.1:10026
backend smtp 127.0.0.1:10027 { identity xclient }
"""
NOTHING = "nothing is different from"

# A name; both files; what is said, or what is replaced by what in the first
# for the second.
CASES = [
    ("the same file", RULES, RULES, [NOTHING]),
    ("white space, comments and another order of statements", RULES,
     "# new\nuse greylist { delay   300s }\n"
     + RULES.replace("use greylist { delay 5m }\n", "").replace("{", "{\n"),
     [NOTHING]),
    ("a rule is added", RULES, ("at rcpt {", "at rcpt { reject new if bad"),
     ["reject new at rcpt added"]),
    ("a rule is removed", RULES, ("would reject w if bad", ""),
     ["reject w at message removed"]),
    ("a condition", RULES, ("192.0.2.0/24", "192.0.2.0/25"),
     ["accept net at connect changed"]),
    ("a fact, an operator", RULES, ("known auth.user", "not known auth.user"),
     ["reject spf at rcpt changed"]),
    ("a reply's text", RULES, ('"no"', '"yes"'), ["reject spf at rcpt changed"]),
    ("a reply's code", RULES, ("5.7.23", "5.7.24"),
     ["reject spf at rcpt changed"]),
    ("a rule is only watched", RULES, ("reject relay", "would reject relay"),
     ["reject relay at rcpt changed"]),
    ("a rule acts on a share", RULES, ("reject relay", "canary 5% reject relay"),
     ["reject relay at rcpt changed"]),
    ("a score", RULES, ("score 3", "score 4"), ["score heavy at message changed"]),
    ("the second of two rewrites", RULES, ('"X-B"', '"X-C"'),
     ["rewrite add-header at rcpt, number 2 changed"]),
    ("another verdict", RULES, ("reject relay", "tempfail relay"),
     ["reject relay at rcpt removed", "tempfail relay at rcpt added"]),
    ("another order", "at rcpt { accept a reject b reject c }",
     "at rcpt { reject b accept a reject c }",
     ["rules at rcpt in another order"]),
    ("another stage", "at rcpt { reject a }", "at mail { reject a }",
     ["reject a at mail added", "reject a at rcpt removed"]),
    ("entries of a list", RULES,
     ("a.example b.example }", "b.example c.example d.example }"),
     ["list ours +2 -1"]),
    ("entries of a map", RULES, ("b.example 2 }", "b.example 3 c.example 1 }"),
     ["map weights +1 ~1"]),
    ("a let, and with it no rule", RULES, ("= fail", "!= pass"),
     ["let bad changed"]),
    ("a list of another type", "list a of ip { 192.0.2.1 }",
     "list a of text { \"x\" }", ["list a changed"]),
    ("patterns of a list", 'list a of pattern { "a" "b" }',
     'list a of pattern { "A" "b" "c" }', ["list a +2 -1"]),
    ("a list of texts becomes one of patterns", 'list a of text { "a" }',
     'list a of pattern { "a" }', ["list a changed"]),
    ("a list is added", "", "list a of ip { 192.0.2.1 }", ["list a added"]),
    ("an option of a plugin", RULES, ("delay 5m", "delay 10m"),
     ["use greylist: delay 5m -> 10m"]),
    ("a plugin", RULES, ("use spf\n", "use spf\nuse dkim\n"), ["use dkim added"]),
    ("an instance of another plugin", "use spf as a", "use dkim as a",
     ["use a: spf -> dkim"]),
    ("a group of options",
     "use dnsbl { zone a.example 127.0.0.2 weight 5 }",
     "use dnsbl { zone a.example 127.0.0.2 weight 6 }",
     ["use dnsbl: zone changed"]),
    ("settings", "set log text", "set log json\nset max-message-size 1M",
     ["set max-message-size 52428800 -> 1048576, log text -> json"]),
    ("a setting that was not given", "", "set max-errors 7",
     ["set max-errors 20 -> 7"]),
    ("a listener's option", PLACES, ("max-sessions 5", "max-sessions 6"),
     ["listen smtp 127.0.0.1:10025: max-sessions 5 -> 6"]),
    ("another address", PLACES, (":10026", ":10028"),
     ["listen milter 127.0.0.1:10026 removed",
      "listen milter 127.0.0.1:10028 added"]),
    ("a backend's option", PLACES, ("identity xclient", "weight 3"),
     ["backend smtp 127.0.0.1:10027: identity xclient -> none, weight 1 -> 3"]),
    ("the DNS", "", "dns { timeout 1s }", ["dns timeout 5s -> 1s"]),
    ("the store", "store memory", "store redis 127.0.0.1:6379",
     ["store memory -> redis"]),
    ("the store's option", "store redis 127.0.0.1:6379",
     "store redis 127.0.0.1:6379 { database 3 }", ["store database 0 -> 3"]),
]


def said(filterctl, folder, old, new):
    for name, text in (("old.conf", old), ("new.conf", new)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    done = subprocess.run(
        [filterctl, "check", "--against", os.path.join(folder, "old.conf"),
         os.path.join(folder, "new.conf")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert lines[0].endswith("new.conf is right"), lines
    return lines[1:]


def play(filterctl, folder, case):
    _, old, new, expected = case
    if isinstance(new, tuple):
        assert new[0] in old, new
        new = old.replace(new[0], new[1], 1)
    found = said(filterctl, folder, old, new)
    assert found and len(found) == len(expected) and all(
        line.startswith(part) if part == NOTHING else line == part
        for line, part in zip(sorted(found), sorted(expected))), found
    if expected != [NOTHING]:
        assert said(filterctl, folder, new, old) != [NOTHING]


def files(filterctl, folder):
    """Of files the path and a sum are told, never what is in them."""
    path = os.path.join(folder, "secret")
    found = []
    for text in ("first\n", "second\n"):
        with open(path, "w") as file:
            file.write(text)
        other = os.path.join(folder, text.strip())
        with open(other, "w") as file:
            file.write(text)
        found.append('store redis 127.0.0.1:1 { password "%s" }' % other)
    lines = said(filterctl, folder, *found)
    assert lines and lines[0].startswith("store password "), lines
    assert "first\n" not in "\n".join(lines)


def main():
    failed = 0
    print("1..%d" % (len(CASES) + 1))
    for number, case in enumerate(CASES + [("what is in files is not told",)],
                                  1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                if len(case) > 1:
                    play(sys.argv[1], folder, case)
                else:
                    files(sys.argv[1], folder)
                print("ok %d - %s" % (number, case[0]))
            except AssertionError as error:
                failed += 1
                print("# %s" % " ".join(repr(error).split())[:1500])
                print("not ok %d - %s" % (number, case[0]))
    sys.exit(1 if failed else 0)


main()
