#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl check: what it says, and its exit status.

Usage: check.py FILTERCTL
"""
import os
import subprocess
import sys
import tempfile

KEY = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "../plugins/dkim/keys/rsa2048")

# A name, the file, the exit status, what is said.
CASES = [
    ("a file without listen or backend is right",
     "use spf\nat rcpt { reject no if spf.result = fail }", 0, "is right"),
    ("an empty file is right", "", 0, "is right"),
    ("an error has its place", "\nat rcpt { reject no if spf.result = fail }",
     1, "filterd.conf:2:24: error: "),
    ("what this version cannot do is an error",
     "listen policy 127.0.0.1:0 { proxy-from 127.0.0.1 }", 1,
     "filterd.conf:1:"),
    ("a quarantine that keeps nothing is a warning at its place",
     "set quarantine spool\nlisten policy 127.0.0.1:0", 0,
     "filterd.conf:1:5: warning: nothing is kept here"),
    ("a quarantine for small messages only is a warning at its place",
     "set quarantine-size 2M\nset quarantine spool\n"
     "listen smtp 127.0.0.1:0 at rcpt { reject no if rcpt.domain = \"a\" }", 0,
     "filterd.conf:2:5: warning: `quarantine-size` is less"),
    ("a plugin that does not start is an error, whoever started before it",
     "use dnsbl { zone a.example 127.0.0.2 }\n"
     "use dnsbl as twin { zone b.example 10.0.0.1 }", 1, "twin"),
    ("a user who is not there is an error at its place",
     "set workers 1\nset user nobody-of-that-name", 1,
     "filterd.conf:2:5: error: `set user`: there is no user "
     "\u201cnobody-of-that-name\u201d"),
    ("a group that is not there is an error at its place",
     "set group nobody-of-that-name", 1, "filterd.conf:1:5: error: `set group`"),
    ("a user who is there is right for whoever asks", "set user nobody", 0,
     "is right"),
    ("a decision log is no boolean", "set decision-log no", 1,
     "`on`, `off` or a file"),
    ("a decision log is no number", "set decision-log 0", 1,
     "`on`, `off` or a file"),
    ("a decision log in a file is right", 'set decision-log "./no"', 0,
     "is right"),
    ("a zone file that is none is an error",
     'dns { zone "filterd.conf" }', 1, "filterd.conf"),
    ("a rule that signs by a key that is there is right",
     'use dkim { key example.org rsa "%s" }\n'
     'at mail { rewrite dkim.sign("{mail.domain}", "rsa")\n'
     '          rewrite dkim.sign("example.org", "rsa") rewrite dkim.sign() }'
     % KEY, 0, "is right"),
    ("a rule that signs by a key that is not is an error at its place",
     'use dkim { key example.org rsa "%s" }\n'
     'at mail {\n  rewrite dkim.sign("example.org", "typo") if known helo.name }'
     % KEY, 1,
     'filterd.conf:3:11: error: plugin “dkim”: there is no key of example.org '
     'by the selector typo\n      rewrite dkim.sign("example.org", "typo") if '
     'known helo.name }\n              ^~~~~~~~~\n    "example.org", "rsa"\n'),
    ("a rule that signs without any key is an error",
     "use dkim\nat mail { rewrite dkim.sign() }", 1,
     "filterd.conf:2:19: error: plugin “dkim”: there is no key\n"),
    ("a key that cannot be read is an error at its place",
     'use dkim {\n  key example.org rsa "%s"\n'
     '  key example.org other "/nowhere.pem"\n}' % KEY, 1,
     "filterd.conf:3:25: error: "),
    ("a key that is none is an error at its place",
     'use dkim {\n  key example.org rsa "%s"\n'
     '  key example.org other "filterd.conf"\n}' % KEY, 1,
     "filterd.conf:3:3: error: plugin “dkim”: key example.org other "),
    ("arguments of rewrites that could be are right",
     'let name = "X-A"\nat mail {\n  rewrite add-header(name, "")\n'
     '  rewrite add-header("X-{mail.domain}-{{", "a\\nb")\n'
     '  rewrite add-header("{mail.domain}", mail.domain)\n'
     '  rewrite set-sender("") rewrite set-sender("<>")\n'
     '  rewrite set-sender("<a@xn--bcher-kva.example>")\n'
     '  rewrite set-sender("{mail.local}=x")\n'
     '  rewrite add-recipient("Postmaster") rewrite add-recipient(mail.from)\n'
     '  rewrite remove-recipient("a@[192.0.2.1]")\n'
     '  rewrite add-recipient("a{{b@example.com")\n}', 0, "is right"),
    ("reports that cannot be listed are a warning at their place",
     'store memory\nuse dmarc {\n'
     '  reports on report-contact "a@example.com"\n}', 0,
     "filterd.conf:3:3: warning: nobody will get these reports: "),
    ("what else keeps a plugin from starting is an error at its `use`",
     '\nuse dkim { oversign "a b" }', 1, "filterd.conf:2:5: error: "),
]


def check(filterctl, *arguments):
    done = subprocess.run([filterctl, "check"] + list(arguments),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    return done.returncode, done.stdout.decode()


def play(filterctl, folder, case):
    name, text, status, part = case
    path = os.path.join(folder, "filterd.conf")
    with open(path, "w") as file:
        file.write(text)
    found = check(filterctl, path)
    assert found[0] == status and part in found[1], (name, found)


def commands_are_named(filterctl):
    """What there is not, and what was meant."""
    for word, meant in (("chek", "; did you mean `check`?\n"),
                        ("relaod", "; did you mean `reload`?\n"),
                        ("nonsense-of-mine", "`\n\nusage: filterctl ")):
        done = subprocess.run([filterctl, word], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        said = done.stderr.decode()
        if (done.returncode != 2 or meant not in said or "usage: " not in said
                or "there is no command `%s`" % word not in said):
            print("# %r" % said)
            return False
    return True


def help_is_there(filterctl):
    def run(*words):
        done = subprocess.run([filterctl, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        return done.returncode, done.stdout.decode()

    usage, one, none = run("help"), run("help", "check"), run("help", "chek")
    return (usage == run("--help") and usage[0] == 0 and "replay" in usage[1]
            and one[0] == 0 and "filterctl check " in one[1]
            and "replay" not in one[1] and none == (2, ""))


def main():
    filterctl = sys.argv[1]
    failed = 0
    print("1..%d" % (len(CASES) + 3))
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES, 1):
            try:
                play(filterctl, folder, case)
                print("ok %d %s" % (number, case[0]))
            except AssertionError as error:
                failed += 1
                print("not ok %d %s\n# %r" % (number, case[0], error))
    found = (check(filterctl)[0], check(filterctl, "/nowhere")[0])
    good = found == (2, 1)
    print("%s %d no argument is of no use, no file is not right" % (
        "ok" if good else "not ok", len(CASES) + 1))
    named = commands_are_named(filterctl)
    print("%s %d a command that is none is named" % (
        "ok" if named else "not ok", len(CASES) + 2))
    helped = help_is_there(filterctl)
    print("%s %d help tells the commands, or one of them" % (
        "ok" if helped else "not ok", len(CASES) + 3))
    return 1 if failed or not good or not named or not helped else 0


sys.exit(main())
