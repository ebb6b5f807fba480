#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""From fields, by the grammar of RFC 5322 3.4 and slightly beside it: whom filterd
takes for the author, and whom Python's email and Mail::Address do.

usage: authors.py FILTERCTL [--messages N] [--seed S]

A field by the grammar has to be read as it was meant. Where another one has an
author for filterd, no other parser may see somebody of another domain in it.
"""
import argparse
import email.headerregistry
import email.policy
import email.utils
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

POLICY = "set hostname mx.example.net\nset line-endings reject\n"
ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"

# ---- fields by the grammar --------------------------------------------------


def blank(dice):
    return dice.choice(["", "", "", " ", "\t", "\r\n ", " \r\n\t", "(c)",
                        " (a (b) c) ", "(\\))", "(x@y.example)", "(\"<a@b.c>)",
                        "(,)", "( \r\n z)"])


def atom(dice):
    """None that looks like an encoded-word: filterd takes it for one."""
    text = "".join(dice.choice(ATEXT) for _ in range(dice.randrange(1, 6)))
    return text.replace("=?", "==").replace("?=", "??")


def quoted(dice):
    inner = "".join(dice.choice(
        ["a", "b c", "@", "<", ">", ",", ":", ";", "\\\"", "\\\\", ".", "(",
         ")", "a@b.example", "<x@y.example>", "\u00e9"])
                    for _ in range(dice.randrange(1, 5)))
    return '"' + inner + '"'


def phrase(dice):
    words = [dice.choice([atom(dice), atom(dice), quoted(dice),
                          "=?utf-8?q?a=40b?=", "Q."])
             for _ in range(dice.randrange(1, 4))]
    return words[0] + "".join(" " + blank(dice) + word for word in words[1:])


def domain(dice):
    return ".".join(dice.choice(["a", "b", "mail", "x-y", "EXAMPLE", "n1"])
                    for _ in range(dice.randrange(1, 3))) \
        + dice.choice([".example", ".Org", ".co.test"])


def local(dice):
    if dice.random() < 0.3:
        return quoted(dice)
    return ".".join(atom(dice) for _ in range(dice.randrange(1, 3)))


def mailbox(dice):
    """The text, and the domain that is meant."""
    where = domain(dice)
    at = local(dice) + blank(dice) + "@" + blank(dice) + where
    text = blank(dice) + at + blank(dice)
    if dice.random() < 0.7:
        name = phrase(dice) if dice.random() < 0.8 else ""
        text = blank(dice) + name + blank(dice) + "<" + text + ">" \
            + blank(dice)
    return text, where.lower()


NOISE = list("<>@,:;()[]\"\\. \t") + [
    "\r\n ", "<a@evil.test>", ", x@evil.test", "@evil.test", "x@evil.test ",
    "(", "\\", "\x01", "\x0b", "\u200b", "g: ", ";", "@evil.test:", "%",
    "=?utf-8?q?=3Cx=40evil=2Etest=3E?="]


def mutate(dice, text):
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(NOISE) + text[at + dice.randrange(2):]


def make(dice):
    """The field's value; the domain that it has to give, or None."""
    text, where = mailbox(dice)
    # A line of white space alone is obs-FWS (4.2), which filterd refuses.
    text = re.sub(r"(\r\n[ \t]+)+(?=\r\n|$)", "", text)
    if dice.random() < 0.4:
        return text, where
    for _ in range(dice.choice([1, 1, 2, 3])):
        text = mutate(dice, text)
    return re.sub("\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])", "", text), None


# ---- others who read it -----------------------------------------------------

PERL = r"""
use Mail::Address; use JSON::PP; binmode STDOUT, ':raw';
while (<STDIN>) { my $text = JSON::PP->new->latin1->decode($_)->[0];
    my @found = eval { Mail::Address->parse($text) };
    print JSON::PP->new->ascii->encode([map { lc($_->host // '') } @found]),
        "\n"; }
"""


def has_perl():
    return shutil.which("perl") is not None and subprocess.run(
        ["perl", "-MMail::Address", "-MJSON::PP", "-e", "1"],
        capture_output=True, check=False).returncode == 0


def ask_perl(values):
    lines = "".join(json.dumps([re.sub("\r\n", "", value)]) + "\n"
                    for value in values)
    out = subprocess.run(["perl", "-e", PERL], input=lines.encode(),
                         capture_output=True, check=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def ask_email(value):
    """The domains that a modern reader sees."""
    try:
        field = email.policy.default.header_factory(
            "From", re.sub("\r\n", "", value))
        return [address.domain.lower() for address in field.addresses]
    except Exception:  # pylint: disable=broad-except
        return []


def ask_old(value):
    return [where.rpartition("@")[2].lower() for _, where in
            email.utils.getaddresses([re.sub("\r\n", "", value)]) if where]


def ask_filterd(filterctl, folder, value):
    message = f"From:{value}\r\nSubject: x\r\n\r\nHi\r\n"
    done = subprocess.run(
        [filterctl, "try", "--json", "--config", os.path.join(folder, "c"),
         "--zone", os.devnull, "--client", "192.0.2.1", "--from", "<>", "--to",
         "b@example.com"], input=message.encode(), capture_output=True,
        check=False)
    if done.returncode != 0:
        return "ended", done.stderr.decode()[-300:]
    facts = json.loads(done.stdout)["facts"]
    return facts["header.from.problem"], facts["header.from.domain"]


def strangers(found, where):
    """Domains that somebody else would show."""
    clean = {re.sub(r"\([^)]*\)|\s", "", one) for one in found}
    return sorted(one for one in clean if "." in one and one != where)


def main():
    parser = argparse.ArgumentParser(prog="authors.py")
    parser.add_argument("filterctl")
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--seed", default="5322")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    cases = [make(dice) for _ in range(options.messages)]
    perl = ask_perl([value for value, _ in cases]) if has_perl() else \
        [[] for _ in cases]
    wrong, good, taken = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "c"), "w", encoding="ascii") as file:
            file.write(POLICY)
        for (value, meant), from_perl in zip(cases, perl):
            problem, where = ask_filterd(options.filterctl, folder, value)
            good, taken = good + bool(meant), taken + (problem == "none")
            fault = None
            if meant is not None and (problem, where) != ("none", meant):
                fault = f"is {problem} {where}, meant {meant}"
            elif problem == "none" or where is not None:
                others = {"email": ask_email(value), "getaddresses":
                          ask_old(value), "Mail::Address": from_perl}
                for who, found in others.items():
                    if strangers(found, where):
                        fault = f"is {where}; {who}: {found}"
            if fault:
                wrong += 1
                print("# %r %s" % (value, fault))
    print("%s 1 - %d From fields, %d of them good, %d taken" % (
        "not ok" if wrong else "ok", options.messages, good, taken))
    print("1..1")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
