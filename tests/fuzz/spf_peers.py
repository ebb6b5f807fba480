# spf_peers.py: check_host() by filterd, pyspf and Mail::SPF, with the DNS of a
# case.
#
# SPDX-License-Identifier: BSD-2-Clause
import collections
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
NOW = 1800000000
RECEIVER = "receiver.example"
EXPLANATION_LIMIT = 255
CNAMES = 10

# `asked` has (type, name).
Answer = collections.namedtuple("Answer", "result reason explanation asked")


class Missing(Exception):
    pass


def clean(text):
    """As filterd cuts what a stranger explains."""
    octets = text.encode("utf-8", "surrogateescape")[:EXPLANATION_LIMIT]
    return "".join(chr(octet) if 32 <= octet < 127 else "?"
                   for octet in octets) or "-"


def printable(text):
    return "".join(char if " " <= char <= "~" else "?" for char in text)


# ---- filterd ---------------------------------------------------------------


def escape(text):
    return "".join(char if char.isalnum() and char.isascii() or char in "-._"
                   else "".join("\\%03d" % octet for octet in
                                char.encode("utf-8", "surrogateescape"))
                   for char in text)


def octets(strings):
    return "".join(char if char.isalnum() and char.isascii()
                   else "\\%03d" % ord(char) for char in "".join(strings))


def a_labels(domain):
    """As the daemon gives a domain to its plugins."""
    return domain if domain.isascii() else domain.encode("idna").decode()


FORMS = {"A": str, "AAAA": str, "PTR": escape, "CNAME": escape,
         "MX": lambda value: "%d %s" % (value[0], escape(value[1])),
         "TXT": lambda value: '"%s"' % octets(value)}


class Filterd:
    """The plugin on the tests' harness: one process for all questions."""
    name = "filterd"

    def __init__(self, build):
        path = os.path.join(build, "tests", "plugins", "spf", "spf-driver")
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            encoding="utf-8", errors="surrogateescape")

    @staticmethod
    def lines(case):
        yield "reset"
        for owner, kind, value in case.records:
            if kind in FORMS:
                yield "zone %s 300 %s %s" % (escape(owner), kind,
                                             FORMS[kind](value))
            else:
                yield "%s %s %s" % (kind.lower(), value, owner)
        local, at, domain = case.sender.rpartition("@")
        domain = a_labels(domain)
        facts = {"client.ip": case.client, "helo.name": case.helo,
                 "mail.from": local + at + domain, "mail.local": local,
                 "mail.domain": domain}
        for fact, value in facts.items():
            yield "set %s %s" % (fact, value)
        yield "check"
        yield "questions"

    def ask(self, case):
        self.process.stdin.write("\n".join(self.lines(case)) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().rstrip("\n").split("\t")
        if len(said) < 6 or not case.sender and said[5] != said[0]:
            raise RuntimeError("the driver says %r on\n%s" % (said, case))
        asked = self.process.stdout.readline().rstrip("\n").split("\t")
        return Answer(said[0], said[4], said[1],
                      [tuple(one.partition(" ")[::2]) for one in asked])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- pyspf -----------------------------------------------------------------


class Zone:
    def __init__(self, records):
        self.data = collections.defaultdict(list)
        self.silent = {}
        for owner, kind, value in records:
            name = owner.lower().rstrip(".")
            if kind in FORMS:
                self.data[name, kind].append(value)
            else:
                self.silent[name, value] = kind

    @staticmethod
    def can_be(name):
        return len(name) <= 253 and all(
            0 < len(label) < 64 for label in name.split("."))

    def find(self, name, kind):
        """Values; a word where the DNS does not answer."""
        name = name.lower().rstrip(".")
        for _ in range(CNAMES + 1):
            if not self.can_be(name):
                return []
            if (name, kind) in self.silent:
                return self.silent[name, kind]
            if (name, "CNAME") not in self.data:
                return self.data.get((name, kind), [])
            name = self.data[name, "CNAME"][0].lower()
        return "SERVFAIL"


class Pyspf:
    name = "pyspf"

    def __init__(self):
        try:
            import spf
        except ImportError as error:
            raise Missing("python3-spf") from error
        self.spf = spf
        self.zone, self.asked = None, []
        spf.DNSLookup = self.look_up

    def look_up(self, name, kind, *_):
        self.asked.append((kind, name))
        found = self.zone.find(name, kind)
        if isinstance(found, str):
            raise self.spf.TempError("DNS " + found)
        if kind == "TXT":
            found = [[text.encode("latin-1") for text in one] for one in found]
        if kind == "MX":
            found = [tuple(one) for one in found]
        return [((name, kind), one) for one in found]

    def ask(self, case):
        self.zone, self.asked = Zone(case.records), []
        query = self.spf.query(i=case.client, s=case.sender, h=case.helo,
                               receiver=RECEIVER)
        query.t = str(NOW)
        try:
            result, _, text = query.check()
        except Exception as error:  # whatever: the peer crashes
            return Answer("crash", repr(error), "-", self.asked)
        default = text == self.spf.EXPLANATIONS.get(result)
        explanation = "-" if result != "fail" or default else clean(text)
        return Answer(result, printable(text), explanation, self.asked)

    def close(self):
        pass


# ---- Mail::SPF -------------------------------------------------------------


class MailSpf:
    name = "Mail::SPF"

    def __init__(self):
        self.process = subprocess.Popen(
            ["perl", os.path.join(HERE, "mail-spf"), RECEIVER, str(NOW)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii")
        if self.process.stdout.readline() != "ready\n":
            self.process.wait()
            raise Missing("libmail-spf-perl")

    def ask(self, case):
        self.process.stdin.write(json.dumps(vars(case)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("Mail::SPF ended on\n%s" % case)
        said = json.loads(line)
        explanation = clean(said["explanation"] or "") \
            if said["result"] == "fail" else "-"
        return Answer(said["result"], printable(said["reason"]), explanation,
                      [tuple(one) for one in said["asked"]])

    def close(self):
        self.process.stdin.close()
        self.process.wait()
