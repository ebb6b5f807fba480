# excuses.py: what a wire cannot express, and why: wires.ini. Nothing else may
# differ, and what stands there must.
#
# SPDX-License-Identifier: BSD-2-Clause
#
#   [NAME]       of the reason, as the matrix has it
#   wires        where it holds
#   reason       a sentence for the manual
#   steps, parts, questions   a scenario that has one of them is not played
#   stories      nor is one of these; it is tried once, and must fail
#   fields       of a message that there is not: whoever asks for one is told so
#   lines        SCENARIO: a line of it, which does not hold; behind `=` in a
#                line of its own what does
import configparser
import os
import re

from .failure import Failure, check

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                    "wires.ini")
WORDS = ("steps", "parts", "questions", "stories", "fields")
ASKS = re.compile(r"(?:is|has|matches) ([\w-]+):|count ([\w-]+) ")


class Reason:
    def __init__(self, name, section):
        self.name = name
        self.wires = section["wires"].split()
        self.text = " ".join(section["reason"].split())
        self.words = {word: section.get(word, "").split() for word in WORDS}
        self.lines = {}
        last = None
        for line in filter(None, section.get("lines", "").split("\n")):
            if line.startswith("= "):
                self.lines[last] = line[2:]
            else:
                last = tuple(line.split(": ", 1))
                self.lines[last] = None

    def without_fields(self, line):
        """The line as it holds where they are not."""
        word, _, rest = line.partition(" ")
        gone = self.words["fields"]
        if word == "top":
            return " ".join([word] + [name for name in rest.split()
                                      if name not in gone])
        match = ASKS.match(line)
        name = match and (match.group(1) or match.group(2))
        return f"lacks {name}" if name in gone else line

    def forbids(self, scenario):
        """A scenario that the wire has no words for."""
        return any(step.word in self.words["steps"]
                   for step in scenario.dialogue) \
            or any(part in self.words["parts"] for part in scenario.parts) \
            or any(line.split()[0] in self.words["questions"]
                   for line in scenario.delivered)


def reasons():
    parser = configparser.ConfigParser(delimiters="=", interpolation=None)
    with open(FILE, encoding="utf-8") as file:
        parser.read_file(file)
    return [Reason(name, parser[name]) for name in parser.sections()]


class Excuses:
    """Those of one scenario on one wire."""

    def __init__(self, scenario, wire):
        self.name = scenario.name
        known = reasons()
        self.fields = [field for reason in known
                       for field in reason.words["fields"]]
        self.reasons = [reason for reason in known if wire in reason.wires]
        self.used = set()
        self.names = set()
        # Two reasons: by nature, and by a list that has to be true.
        self.forbidden = self.first(lambda reason: reason.forbids(scenario))
        self.listed = self.first(
            lambda reason: self.name in reason.words["stories"])

    def first(self, holds):
        return next((reason for reason in self.reasons if holds(reason)), None)

    def find(self, line):
        """The reasons, and what holds instead; None: nothing is known."""
        for reason in self.reasons:
            if (self.name, line) in reason.lines:
                return [reason.name], reason.lines[self.name, line]
        names, instead = [], line
        for reason in self.reasons:
            before, instead = instead, reason.without_fields(instead)
            names += [reason.name] if instead != before else []
        return names, instead

    def ask(self, line, look):
        """`look(line)`, which may fail where that is known."""
        try:
            look(line)
            return
        except Failure:
            names, instead = self.find(line)
            if not names:
                raise
        if instead is not None:
            look(instead)
        self.use(line, names)

    def allow(self, line, difference):
        """Of another wire's reply to that line."""
        names, _ = self.find(line)
        check(names, difference)
        self.use(line, names)

    def use(self, line, names):
        self.used.add(line)
        self.names.update(names)

    def check_used(self):
        for reason in self.reasons:
            for name, line in reason.lines:
                check(name != self.name or line in self.used,
                      f"it holds after all, take it out of wires.ini: {line}")
