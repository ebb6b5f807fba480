# account.py: all that came of a scenario on one wire, to be held against what
# came of it on another.
#
# SPDX-License-Identifier: BSD-2-Clause
import re

from .failure import check, equal
from .mailbag import name_of, split

DECISIONS = ("accepted", "rejected", "tempfailed", "discarded", "disconnected",
             "quarantined", "would")
WAIT = re.compile(r"\b\d+s\b")
SESSION = re.compile(r" ?\[[0-9a-f]+-[0-9a-f]+\]$")
# Of a signature: what time and key make of it.
MOMENT = re.compile(rb"(?s)\b([btx])=[^;]*")


def words(text):
    """Without what is of the moment."""
    return WAIT.sub("a while", SESSION.sub("", text))


class Account:
    """`fields`: those that not every wire has."""

    def __init__(self, fields):
        self.fields = [field.lower().encode() for field in fields]
        self.replies, self.decisions, self.messages = [], [], []

    def take_reply(self, step, reply):
        """Who is let through is told so in words of any kind."""
        said = f"{reply.code} {reply.enhanced} {words(reply.text)}" \
            if reply.code >= 400 else "yes"
        self.replies.append((step, said))

    def take_log(self, lines):
        for line in lines:
            if line["event"] not in DECISIONS:
                continue
            reply = words(line.get("reply", ""))
            self.decisions.append(
                (line["event"], line.get("rule"), line.get("stage"),
                 line.get("from"), line.get("to"),
                 reply if reply[:1] in ("4", "5") else ""))

    def take_messages(self, messages):
        for message in messages:
            fields, rest = split(message.octets)
            kept = [self.timeless(field) for field in fields
                    if name_of(field).lower() not in self.fields]
            self.messages.append((message.sender, sorted(message.recipients),
                                  b"\r\n".join(kept) + rest))

    @staticmethod
    def timeless(field):
        return MOMENT.sub(rb"\1=", field) \
            if name_of(field).lower() == b"dkim-signature" else field

    # ---- and another -------------------------------------------------------

    def compare(self, other, excuses):
        """The lines of the log may come in another order."""
        check(len(self.replies) == len(other.replies), "the dialogues differ")
        known = set()
        for (step, found), (_, expected) in zip(self.replies, other.replies):
            if found != expected:
                excuses.allow(step.line, f"{step.line} is answered {found!r}, "
                              f"expected {expected!r}")
                known.add(step.expectation and step.expectation.rule)
        equal(*[sorted((row for row in account.decisions
                        if row[1] is None or row[1] not in known), key=str)
                for account in (self, other)], "the decisions")
        equal(self.messages, other.messages, "what was delivered")
