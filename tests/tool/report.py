#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl report: what it makes of a store, whatever is in there.

Usage: report.py FILTERCTL SCHEMA
"""
import gzip
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

NAMESPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"
CONFIGURATION = """
set hostname mx.example.com
dns { resolver 127.0.0.1@9 timeout 100ms }
store sqlite "store.db"
use dmarc as judge { reports on report-contact "dmarc@example.com" }
"""
# As the store makes it.
TABLE = ("CREATE TABLE entry (space TEXT NOT NULL, key TEXT NOT NULL,"
         " value BLOB NOT NULL, expires INTEGER NOT NULL,"
         " PRIMARY KEY (space, key)) WITHOUT ROWID")
DAY = "2026-11-20"
NEVER = 2 ** 62
POLICY = "p=none adkim=r aspf=r t=n m=treewalk rua=mailto:a@b.example"
ROW = "ip=192.0.2.1 k=fail s=fail h=b.example d=none"
HASH = "#" + "0" * 64


def report(key, value="1", space="judge", expires=NEVER):
    return (space, key, value, expires)


def words(*more, policy=POLICY, row=ROW, domain="b.example", day=DAY):
    return " ".join(("report", day, domain, policy, row) + more)


# A name; entries; by domain the number of rows and what has to be in them.
CASES = [
    ("an empty store has none", [], {}),
    ("what is counted", [report(words(), "17")],
     {"b.example": (1, ["<count>17</count>"])}),
    ("another instance, day or age is not",
     [report(words(), space="other"), report(words(day="2026-11-21")),
      report(words(day="2026-11-2")), report(words(), expires=5)], {}),
    ("what is hostile is text",
     [report(words("e=%3C%2Fa%3E%26%22", "spf=%00%0D%FF%3C/fail",
                   "dkim=x%3Cy/s%2F1/pass"))],
     {"b.example": (1, ["&lt;/a&gt;&amp;&quot;", "<domain>???&lt;</domain>",
                        "<domain>x&lt;y</domain>",
                        "<selector>s/1</selector>"])}),
    ("a long row has its words elsewhere",
     [report(f"report {DAY} b.example {HASH}", "3"),
      report(f"detail {DAY} b.example {HASH}", f" {POLICY} {ROW}"),
      report(words("e=c.example"))],
     {"b.example": (2, ["<count>3</count>", "c.example"])}),
    ("a row without its words is left out",
     [report(f"report {DAY} b.example {HASH}", "3")], {}),
    ("rubbish is left out",
     [report(f"report {DAY} b.example"), report(f"report {DAY}  x"),
      report(words(domain="../../x")), report(words(domain=".")),
      report(f"report {DAY} b.example nonsense"), report(words(), "-4"),
      report(words("e=x"), "abc")], {}),
    ("more rows than are read at once",
     [report(words(f"e=n{i}.example")) for i in range(1203)],
     {"b.example": (1203, ["n1202.example"])}),
    ("several domains", [report(words(domain=f"d{i}.example"), str(i + 1))
                         for i in range(3)],
     {f"d{i}.example": (1, [f"<count>{i + 1}</count>"]) for i in range(3)}),
    ("an address of six", [report(words(row=ROW.replace(
        "192.0.2.1", "2001:db8::1")))],
     {"b.example": (1, ["<source_ip>2001:db8::1</source_ip>"])}),
]


def fill(folder, entries):
    path = os.path.join(folder, "store.db")
    with sqlite3.connect(path) as base:
        base.execute(TABLE)
        base.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
    base.close()


def run(filterctl, folder, *arguments):
    done = subprocess.run(
        [filterctl, "report", "-c", os.path.join(folder, "filterd.conf")]
        + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=60)
    return done.returncode, done.stdout.decode()


def validate(schema, folder, text):
    path = os.path.join(folder, "report.xml")
    with open(path, "wb") as file:
        file.write(text)
    lint = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema,
                           path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    os.unlink(path)
    assert lint.returncode == 0, lint.stdout.decode()


def play(filterctl, schema, folder, case):
    _, entries, expected = case
    with open(os.path.join(folder, "filterd.conf"), "w") as file:
        file.write(CONFIGURATION)
    fill(folder, entries)
    out = os.path.join(folder, "out")
    os.mkdir(out)
    status, said = run(filterctl, folder, "--day", DAY, "--directory", out)
    assert status == 0, said
    found = {}
    for name in os.listdir(out):
        with gzip.open(os.path.join(out, name)) as file:
            found[name.split("!")[1]] = file.read()
    assert sorted(found) == sorted(expected), (found, said)
    for domain, (rows, parts) in expected.items():
        text = found[domain]
        validate(schema, folder, text)
        records = tree.fromstring(text).findall(NAMESPACE + "record")
        assert len(records) == rows, (len(records), rows)
        for part in parts:
            assert part in text.decode(), (part, text.decode())


# Arguments, the exit status, what is said.
WRONG = [
    ([], 2, "one of --send and --directory"),
    (["--send", "--directory", "x"], 2, "one of --send and --directory"),
    (["--send", "--day", "yesterday"], 2, "--day"),
    (["--send", "--day", "2026-13-01"], 2, "--day"),
    (["--send", "--day", "2126-01-01"], 2, "not over yet"),
    (["--send", "more"], 2, "arguments"),
    (["--day", DAY, "--directory", "/nowhere"], 1, "/nowhere"),
    (["--day", DAY, "--send"], 1, "cannot be asked now"),
]


def play_other_store(filterctl, folder):
    for kind in ("memory", "redis 127.0.0.1:6379"):
        with open(os.path.join(folder, "filterd.conf"), "w") as file:
            file.write(re.sub(r"(?m)^store .*$", "store " + kind,
                              CONFIGURATION))
        status, text = run(filterctl, folder, "--day", DAY, "--send")
        for part in ("warning: nobody will get these reports",
                     "reports are made of a `store sqlite` only"):
            assert status == 2 and part in text, (kind, status, text)


def play_wrong(filterctl, folder):
    with open(os.path.join(folder, "filterd.conf"), "w") as file:
        file.write(CONFIGURATION)
    fill(folder, [report(words(policy=POLICY.replace("a@b", "a@c")))])
    for arguments, status, part in WRONG:
        found = run(filterctl, folder, *arguments)
        assert found[0] == status and part in found[1], (arguments, found)


def main():
    filterctl, schema = sys.argv[1:]
    failed = 0
    others = [("what is asked wrongly", play_wrong),
              ("a store that cannot be listed", play_other_store)]
    print("1..%d" % (len(CASES) + len(others)))
    for number, case in enumerate(CASES + others, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                if len(case) > 2:
                    play(filterctl, schema, folder, case)
                else:
                    case[1](filterctl, folder)
                print("ok %d %s" % (number, case[0]))
            except AssertionError as error:
                failed += 1
                print("not ok %d %s\n# %r" % (number, case[0], error))
    return failed > 0


sys.exit(main())
