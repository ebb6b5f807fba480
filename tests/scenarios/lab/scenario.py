# scenario.py: a .scenario file: sections of plain text.
#
# SPDX-License-Identifier: BSD-2-Clause
#
#   [story]      one sentence
#   [parts]      what differs from the usual parts
#   [policy]     lines for the configuration; `[policy default]`: after
#                policy/default.policy
#   [zone]       records of the DNS
#   [file NAME]  beside the configuration
#   [message NAME, sign DOMAIN SELECTOR, replace "OLD" "NEW", body SIZE,
#            seal DOMAIN SELECTOR "RESULTS"]
#   [dialogue]   a step a line; `-> CODE [ENHANCED] [rule NAME] ["TEXT"]` where
#                the answer is not just yes
#   [delivered]  [log]  [dns]   what there is to be found afterwards
import os
import re
import shlex

from .signer import seal, sign

HEADER = re.compile(r"^\[(\w+)(?: ([^\]]*))?\]$")
SECTIONS = {"story", "parts", "policy", "zone", "file", "message", "dialogue",
            "delivered", "log", "dns"}
# What default.policy says of the site; a test's own stand instead.
SITE = re.compile(r"^(set hostname|listen|backend)\b.*\n", re.MULTILINE)
UNITS = {"k": 1 << 10, "M": 1 << 20}


class Broken(Exception):
    """The file itself is wrong."""


class Expectation:
    def __init__(self, words):
        self.code = int(words[0])
        self.enhanced = self.rule = None
        self.texts = []
        rest = iter(words[1:])
        for word in rest:
            if re.fullmatch(r"[245]\.\d+\.\d+", word):
                self.enhanced = word
            elif word == "rule":
                self.rule = next(rest)
            else:
                self.texts.append(word)


class Step:
    def __init__(self, line):
        command, _, expected = line.partition(" -> ")
        self.line = line
        self.word, _, self.argument = command.strip().partition(" ")
        self.expectation = Expectation(shlex.split(expected)) if expected \
            else None

    def words(self):
        return shlex.split(self.argument)

    def path(self):
        """An address with or without <>, which may hold anything, and what
        stands behind it."""
        match = re.fullmatch(r"(<.*>|[^ ]+)(?: (.*))?", self.argument)
        return [match.group(1)] + (match.group(2) or "").split()


def size(text):
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def filler(octets):
    line = b"0123456789 " * 6 + b"\r\n"
    return line * (octets // len(line) + 1)


class Message:
    """Its octets as they are sent."""

    def __init__(self, text, attributes):
        self.octets = text.replace("\n", "\r\n").encode()
        self.signatures = []
        for attribute in attributes:
            word, *arguments = shlex.split(attribute)
            getattr(self, "do_" + word)(*arguments)

    def do_sign(self, domain, selector):
        self.signatures.append((selector, domain))
        self.octets = sign(self.octets, domain, selector)

    def do_seal(self, domain, selector, results):
        self.signatures.append((selector, domain))
        self.octets = seal(self.octets, domain, selector, results)

    def do_replace(self, old, new):
        if old.encode() not in self.octets:
            raise Broken(f"{old!r} is not in the message")
        self.octets = self.octets.replace(old.encode(), new.encode())

    def do_escapes(self):
        """What stands as backslash and letters becomes octets."""
        self.octets = self.octets.decode().encode("latin-1") \
            .decode("unicode_escape").encode("latin-1")

    def do_body(self, octets):
        self.octets += b"\r\n" + filler(size(octets))

    def do_fields(self, count):
        fields = b"".join(b"X-Number: %d\r\n" % i for i in range(int(count)))
        self.octets = fields + self.octets

    def do_hops(self, count):
        self.octets = b"Received: by x\r\n" * int(count) + self.octets

    @property
    def body(self):
        return self.octets.partition(b"\r\n\r\n")[2]


def sections(text):
    """Name, argument and lines of each."""
    current = None
    for line in text.splitlines():
        match = HEADER.match(line)
        if match and match.group(1) in SECTIONS:
            if current:
                yield current
            current = (match.group(1), match.group(2) or "", [])
        elif current:
            current[2].append(line)
        elif line and not line.startswith("#"):
            raise Broken(f"before the first section: {line!r}")
    if current:
        yield current


def meaningful(lines):
    return [line.strip() for line in lines
            if line.strip() and not line.lstrip().startswith("#")]


class Scenario:
    def __init__(self, path, root):
        self.path = path
        folder, name = os.path.split(os.path.splitext(path)[0])
        self.name = f"{os.path.basename(folder)}/{name}"
        self.root = root
        self.story = ""
        self.parts, self.files, self.messages = {}, {}, {}
        self.policy = ""
        self.zone, self.dialogue = [], []
        self.delivered, self.log, self.dns = [], [], []
        with open(path, encoding="utf-8") as file:
            for name, argument, lines in sections(file.read()):
                getattr(self, "take_" + name)(argument, lines)
        if not self.story or not self.dialogue:
            raise Broken(f"{path}: it has no story or no dialogue")

    def take_story(self, _, lines):
        self.story = " ".join(meaningful(lines))

    def take_parts(self, _, lines):
        for line in meaningful(lines):
            word, _, value = line.partition(" ")
            self.parts.setdefault(word, []).append(value)

    def take_policy(self, argument, lines):
        if argument == "default":
            path = os.path.join(self.root, "policy", "default.policy")
            with open(path, encoding="utf-8") as file:
                self.policy += SITE.sub("", file.read())
        self.policy += "\n".join(lines) + "\n"

    def take_zone(self, _, lines):
        self.zone += [line for line in lines if line.strip()]

    def take_file(self, argument, lines):
        self.files[argument] = "\n".join(lines) + "\n"

    def take_message(self, argument, lines):
        name, *attributes = argument.split(", ")
        while lines and not lines[-1]:
            lines.pop()
        self.messages[name] = Message("\n".join(lines) + "\n", attributes)

    def take_dialogue(self, _, lines):
        self.dialogue += [Step(line) for line in meaningful(lines)]

    def take_delivered(self, _, lines):
        self.delivered += meaningful(lines)

    def take_log(self, _, lines):
        self.log += meaningful(lines)

    def take_dns(self, _, lines):
        self.dns += meaningful(lines)

    def part(self, name, otherwise=None):
        return self.parts.get(name, [otherwise])[0]
