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
LONG = " ".join('rcpt.local != "%s" and' % c for c in "abcdefgh")
LONG_TOO = " ".join('and rcpt.local != "%s"' % c for c in "ijklmnop")
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
     ["reject new at rcpt added: if bad"]),
    ("a rule is removed", RULES, ("would reject w if bad", ""),
     ["reject w at message removed: would if bad"]),
    ("a condition", RULES, ("192.0.2.0/24", "192.0.2.0/25"),
     ["accept net at connect: if client.ip in 192.0.2.0/24 -> "
      "client.ip in 192.0.2.0/25"]),
    ("a fact, an operator", RULES, ("known auth.user", "not known auth.user"),
     ["reject spf at rcpt: if bad and known auth.user -> "
      "bad and not known auth.user"]),
    ("a condition that was not there", 'at rcpt { reject a }',
     'at rcpt { reject a if known auth.user }',
     ["reject a at rcpt: always -> if known auth.user"]),
    ("a condition with parentheses",
     """at rcpt { reject a if not (known auth.user or client.tls)
        and (rcpt.local = "a" or client.ip in 192.0.2.1) }""",
     """at rcpt { reject a if (not client.tls or known auth.user)
        and rcpt.local matches "a b" and not not client.tls }""",
     ["reject a at rcpt: if not (known auth.user or client.tls) and "
      '(rcpt.local = "a" or client.ip in 192.0.2.1) -> (not client.tls or '
      'known auth.user) and rcpt.local matches "a b" and not not client.tls']),
    ("of a long condition what is different",
     "at rcpt { reject a if %s known auth.user %s }" % (LONG, LONG_TOO),
     "at rcpt { reject a if %s not known auth.user %s }" % (LONG, LONG_TOO),
     ['reject a at rcpt: if … "h" and known auth.user … -> '
      '… "h" and not known auth.user …']),
    ("of a long condition to which something is added its end",
     "at rcpt { reject a if %s known auth.user }" % LONG,
     "at rcpt { reject a if %s known auth.user or client.tls }" % LONG,
     ["reject a at rcpt: if … known auth.user -> "
      "… known auth.user or client.tls"]),
    ("a long condition that is quite another",
     "at rcpt { reject a if %s known auth.user }" % LONG,
     "at rcpt { reject a if client.tls }",
     ["reject a at rcpt: if changed"]),
    ("a reply's text", RULES, ('"no"', '"yes"'),
     ['reject spf at rcpt: reply 550 5.7.23 "no" -> 550 5.7.23 "yes"']),
    ("the default reply", RULES, (' reply 550 5.7.23 "no"', ""),
     ['reject spf at rcpt: reply 550 5.7.23 "no" -> default']),
    ("a reply that waits", RULES, ('"no"', '"no" after 5s'),
     ['reject spf at rcpt: reply 550 5.7.23 "no" -> 550 5.7.23 "no" after 5s']),
    ("a reply's code", RULES, ("5.7.23", "5.7.24"),
     ['reject spf at rcpt: reply 550 5.7.23 "no" -> 550 5.7.24 "no"']),
    ("a rule is only watched", RULES, ("reject relay", "would reject relay"),
     ["reject relay at rcpt: applied -> would"]),
    ("a rule acts on a share", RULES, ("reject relay", "canary 5% reject relay"),
     ["reject relay at rcpt: applied -> canary 5%"]),
    ("a score", RULES, ("score 3", "score 4"), ["score heavy at message: 3 -> 4"]),
    ("the second of two rewrites", RULES, ('"X-B"', '"X-C"'),
     ['rewrite add-header at rcpt, number 2: ("X-B", "1") -> ("X-C", "1")']),
    ("the first of two rewrites", RULES,
     ('rewrite add-header("X-A", "1")', ""),
     ['rewrite add-header at rcpt removed: ("X-A", "1")']),
    ("another verdict", RULES, ("reject relay", "tempfail relay"),
     ["reject relay at rcpt: verdict reject -> tempfail"]),
    ("another name", RULES, ("reject relay", "reject foreign"),
     ["reject relay at rcpt: name relay -> foreign"]),
    ("another name and condition",
     RULES, ("reject relay if rcpt.domain not in ours", "reject foreign"),
     ["reject foreign at rcpt added",
      "reject relay at rcpt removed: if rcpt.domain not in ours"]),
    ("verdict, reply and condition", RULES,
     ('reject spf if bad and known auth.user reply 550 5.7.23 "no"',
      'tempfail spf if bad reply "no"'),
     ["reject spf at rcpt: verdict reject -> tempfail, if bad and known "
      'auth.user -> bad, reply 550 5.7.23 "no" -> "no"']),
    ("another order", "at rcpt { accept a reject b reject c }",
     "at rcpt { reject b accept a reject c }",
     ["accept a at rcpt moved behind reject b at rcpt"]),
    ("one moves to the end", "at rcpt { accept a reject b reject c reject d }",
     "at rcpt { accept a reject c reject d reject new reject b }",
     ["reject b at rcpt moved behind reject d at rcpt",
      "reject new at rcpt added"]),
    ("one moves to the front", "at rcpt { accept a reject b reject c reject d }",
     "at rcpt { reject c accept a reject b reject d if client.tls }",
     ["reject c at rcpt moved before accept a at rcpt",
      "reject d at rcpt: always -> if client.tls"]),
    ("several move", "at rcpt { accept a reject b reject c reject d }",
     "at rcpt { reject d reject c reject b accept a }",
     ["rules at rcpt in another order"]),
    ("another stage", "at rcpt { reject a }", "at mail { reject a }",
     ["reject a at rcpt: stage rcpt -> mail"]),
    ("entries of a list", RULES,
     ("a.example b.example }", "b.example c.example d.example }"),
     ["list ours +2 -1"]),
    ("entries of a map", RULES, ("b.example 2 }", "b.example 3 c.example 1 }"),
     ["map weights +1 ~1"]),
    ("a let, and with it no rule", RULES, ("= fail", "!= pass"),
     ["let bad: spf.result = fail -> spf.result != pass"]),
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
