#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Forged Authentication-Results (RFC 8601 5), judged three times: by filterd, by
a strict parser of the grammar, and by python3-authres.

usage: forgeries.py FILTERCTL [--messages N] [--seed S]

Random fields, most of them slightly wrong, go through `filterctl try`. What is
well-formed has to be removed exactly if it has our authserv-id or a version that
is not 1. What is not well-formed has to be removed if another parser reads our
id in it, and has to be kept where nothing of our id is there.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    import authres
except ImportError:
    authres = None

OURS = "mx.b\u00fccher.example"
ASCII = "mx.xn--bcher-kva.example"
NAME = "Authentication-Results"
FIELDS = 200  # of a message
POLICY = f"set hostname mx.example.net\nset authserv-id {ASCII}\n"

# ---- fields ----------------------------------------------------------------

IDS = [ASCII, ASCII.upper(), ASCII.title(), OURS, OURS.upper(), ASCII + ".",
       f'"{ASCII}"', f'"{OURS}"', '"mx.xn--b\\cher-kva.\\example"',
       "a." + ASCII, ASCII + ".example.org", ASCII[3:], "mx.example.net",
       "mx.bucher.example", '"mx.example.org"', "gate", '"a gate"',
       "xn--bcher-kva.example"]
BLANKS = ["", "", "", " ", "\t", "\r\n ", " \r\n\t", "(a)", " (a (b)) ",
          "(\\))", "(\\()", "(\")", f"({ASCII})", "(;)", "\r\n (\r\n b)\r\n "]
VERSIONS = ["", "", "", " 1", " 01", " 2", " 0", " 10", "(x) 1", " x", " 1x"]
NAMES = [NAME, NAME, NAME.lower(), NAME.upper(), NAME + " ", NAME + "\t",
         NAME + "\r\n ", "X-" + NAME, "ARC-" + NAME, NAME + "-X"]
NOISE = list("();\"\\.,=/@<>[]: \t1a") + ["\r\n ", "\x01", "\x7f", "\u00a0",
                                          "\u00ad", "\u3002"]


def mutate(text, dice):
    at = dice.randrange(len(text) + 1)
    kind = dice.randrange(3)
    if kind == 0:
        return text[:at] + dice.choice(NOISE) + text[at:]
    if kind == 1:
        return text[:at] + text[at + 1:]
    return text[:at] + dice.choice(NOISE) + text[at + 1:]


def make_head(dice):
    head = "".join([dice.choice(BLANKS), dice.choice(IDS), dice.choice(BLANKS),
                    dice.choice(VERSIONS), dice.choice(BLANKS)])
    for _ in range(dice.choice([0, 0, 1, 1, 2, 4])):
        head = mutate(head, dice)
    # A CR or LF of its own is refused with the message; see tests/mail.
    return re.sub("\r\n(?![ \t])", "", re.sub("\r(?!\n)|(?<!\r)\n", "", head))


def make_field(dice, mark):
    return (dice.choice(NAMES), make_head(dice),
            f"; spf=pass smtp.mailfrom={mark}.example")


# ---- the strict parser -----------------------------------------------------

FOLD = re.compile(r"(?:[ \t]*\r\n)?[ \t]+")
TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~\u0080-\U0010ffff]+")
QUOTED = re.compile(r'"((?:[ \t!#-\[\]-~\u0080-\U0010ffff]|\r\n[ \t]'
                    r'|\\[\t -~\u0080-\U0010ffff])*)"')
COMMENT_PART = re.compile(r"(?:[!-'*-\[\]-~\u0080-\U0010ffff]|\\[\t -~])+")


class Malformed(Exception):
    pass


def skip_comment(text, at):
    at += 1
    while at < len(text) and text[at] != ")":
        if text[at] == "(":
            at = skip_comment(text, at)
            continue
        part = FOLD.match(text, at) or COMMENT_PART.match(text, at)
        if part is None:
            raise Malformed
        at = part.end()
    if at >= len(text):
        raise Malformed
    return at + 1


def skip_cfws(text, at):
    while at < len(text):
        fold = FOLD.match(text, at)
        if fold:
            at = fold.end()
        elif text[at] == "(":
            at = skip_comment(text, at)
        else:
            break
    return at


def parse_head(text):
    """[CFWS] authserv-id [ CFWS authres-version ] [CFWS] ";" """
    at = skip_cfws(text, 0)
    value = QUOTED.match(text, at)
    identity = value and re.sub(r"\\(.)|\r\n", r"\1", value.group(1))
    if value is None:
        value = TOKEN.match(text, at)
        identity = value and value.group()
    if not identity:
        raise Malformed
    at = skip_cfws(text, value.end())
    version = re.compile("[0-9]+").match(text, at)
    if version and at == value.end():
        raise Malformed
    if version:
        at = skip_cfws(text, version.end())
    if at == len(text) or text[at] != ";":
        raise Malformed
    return identity, int(version.group()) if version else 1


def is_ours(identity):
    labels = identity.rstrip(".").lower().split(".")
    try:
        return ".".join(label.encode("idna").decode() if not label.isascii()
                        else label for label in labels) == ASCII
    except UnicodeError:
        return None


# ---- what is expected ------------------------------------------------------


def is_named(name):
    return name.strip(" \t\r\n").lower() == NAME.lower()


def strict_view(value):
    """Whether it has to go; None: the grammar does not say."""
    try:
        identity, version = parse_head(value)
    except (Malformed, RecursionError):
        return None
    if version != 1:
        return True
    ours = is_ours(identity)
    domain = re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", identity)
    return ours if domain or ours else None


def other_view(value):
    """True: python3-authres takes it for ours."""
    if authres is None:
        return None
    try:
        parsed = authres.AuthenticationResultsHeader.parse(
            f"{NAME}: " + value.strip())
    except Exception:  # whatever it says about nonsense
        return None
    return is_ours(parsed.authserv_id) or None


def harmless(value):
    """Nothing in it could be our id, or a version."""
    plain = re.sub(r"[^!-~]|[\"\\]", "", value).lower()
    bare = re.sub(r"\([^()]*\)", "", plain)
    return (value.isascii() and ASCII not in plain and ASCII not in bare
            and "(" not in bare and not re.search(r"(?<![\w.-])\d", value))


def expected(name, value):
    """True: it has to go, False: to stay, None: either."""
    if not is_named(name):
        return False
    view = strict_view(value)
    if view is None and other_view(value):
        return True
    return False if view is None and harmless(value) else view


# ---- filterd ---------------------------------------------------------------


def deliver(filterctl, folder, fields):
    config, out = os.path.join(folder, "c"), os.path.join(folder, "out")
    with open(config, "w", encoding="ascii") as file:
        file.write(POLICY)
    message = "".join(f"{name}:{head}{tail}\r\n"
                      for name, head, tail in fields).encode()
    message += b"From: a@example.org\r\n\r\nx\r\n"
    subprocess.run([filterctl, "try", "--json", "--client", "192.0.2.1",
                    "--from", "a@example.org", "--to", "b@example.com",
                    "--message-out", out, config], input=message, check=True,
                   stdout=subprocess.DEVNULL)
    with open(out, "rb") as file:
        return file.read()


def compare(filterctl, messages, dice):
    """Counts what is as expected, and lists what is not."""
    counts, wrong = {True: 0, False: 0, None: 0}, []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(messages):
            fields = [make_field(dice, f"mark{number}")
                      for number in range(FIELDS)]
            out = deliver(filterctl, folder, fields)
            for name, head, tail in fields:
                gone = f"{head}{tail}\r\n".encode() not in out
                wanted = expected(name, head + tail)
                counts[wanted] += 1
                if wanted is not None and gone != wanted:
                    wrong.append((name, head, "gone" if gone else "kept"))
    return counts, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("filterctl")
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts, wrong = compare(options.filterctl, options.messages,
                            random.Random(options.seed))
    for name, head, became in wrong:
        print(f"# {became}: {name!r} {head!r}")
    print("%s 1 - %d forged fields are removed, %d honest ones kept "
          "(%d may be either)" % ("not ok" if wrong else "ok", counts[True],
                                  counts[False], counts[None]))
    print("1..1")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
