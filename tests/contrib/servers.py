#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What contrib has for mail servers: they understand it, and so do we.

What of it can be tried with the servers themselves is in tests/scenarios/contrib.

Usage: servers.py FILTERCTL
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from points import Skip, play_all

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRIB = os.path.join(os.path.dirname(os.path.dirname(HERE)), "contrib")
FOLDERS = ["dovecot", "exim", "postfix/milter", "postfix/policy",
           "postfix/proxy-protocol", "postfix/xclient", "sendmail"]
SENDMAIL = "/var/cache/filterd-tests/sendmail-cf/usr/share/sendmail/cf/"
MC = """divert(-1)
include(`%s/m4/cf.m4')
VERSIONID(`test')
OSTYPE(`linux')dnl
include(`%s')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


def find(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        raise Skip(name + " is not installed")
    return path


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, timeout=60)


def read(path):
    with open(os.path.join(CONTRIB, path), encoding="utf-8") as file:
        return file.read()


def policy(filterctl, folder, path):
    """What a version cannot serve yet it says of the statement alone."""
    text = read(path)
    for wire in re.findall(r"^listen (?:milter|policy) .*$", text, re.M):
        copy = os.path.join(folder, "wire.conf")
        with open(copy, "w", encoding="utf-8") as file:
            file.write(wire + "\n")
        if run(filterctl, "check", copy).returncode != 0:
            text = text.replace(wire, "")
    copy = os.path.join(folder, "filterd.conf")
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text)
    done = run(filterctl, "check", copy)
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr, done.stderr


def main_cf(_, folder, path):
    with open(os.path.join(folder, "main.cf"), "w", encoding="utf-8") as file:
        file.write("compatibility_level = 3.6\n" + read(path))
    with open(os.path.join(folder, "master.cf"), "w", encoding="utf-8"):
        done = run(find("postconf"), "-c", folder, "-n")
    assert done.returncode == 0 and not done.stderr, done.stderr
    for name in re.findall(r"^(\w+) =", read(path), re.M):
        assert name in done.stdout, (name, done.stdout)


def addresses(_, __, case):
    """The server asks where filterd listens."""
    server, ours = case
    asked = re.findall(r"127\.0\.0\.1:\d+", read(server)) or \
        ["127.0.0.1:" + re.search(r"S=inet:(\d+)@127\.0\.0\.1",
                                  read(server)).group(1)]
    served = re.findall(r"^listen \w+ (\S+)$", read(ours), re.M)
    assert asked == served, (asked, served)


def sendmail_mc(_, folder, path):
    if not os.path.isdir(SENDMAIL):
        raise Skip("sendmail-cf is not unpacked")
    source = os.path.join(folder, "test.mc")
    with open(source, "w", encoding="utf-8") as file:
        file.write(MC % (SENDMAIL, os.path.join(CONTRIB, path)))
    done = run(find("m4"), "-D_CF_DIR_=" + SENDMAIL, source)
    assert "\nXfilterd, S=inet:8899@127.0.0.1, F=T," in done.stdout, \
        done.stderr
    assert "O InputMailFilters=filterd" in done.stdout, done.stdout


def points():
    for folder in FOLDERS:
        name = folder + "/filterd.conf"
        yield name + " is right, without a warning", policy, name
    for path in ("postfix/milter/main.cf", "postfix/policy/main.cf"):
        yield "Postfix understands " + path, main_cf, path
    for case in (("postfix/milter/main.cf", "postfix/milter/filterd.conf"),
                 ("postfix/policy/main.cf", "postfix/policy/filterd.conf"),
                 ("sendmail/filterd.m4", "sendmail/filterd.conf")):
        yield "%s asks where %s listens" % case, addresses, case
    yield "Sendmail understands sendmail/filterd.m4", sendmail_mc, \
        "sendmail/filterd.m4"


def in_folder(function, filterctl, subject):
    with tempfile.TemporaryDirectory() as folder:
        function(filterctl, folder, subject)


def main():
    return play_all((sentence, in_folder, function, sys.argv[1], subject)
                    for sentence, function, subject in points())


if __name__ == "__main__":
    sys.exit(main())
