# mailbag.py: what a mail server has after it has done what its milter told it.
#
# SPDX-License-Identifier: BSD-2-Clause
import struct

from .message import Delivered


def split(octets):
    """The fields of a message, each whole, and the rest."""
    head, gap, body = octets.partition(b"\r\n\r\n")
    fields = []
    for line in head.removesuffix(b"\r\n").split(b"\r\n"):
        if fields and line[:1] in (b" ", b"\t"):
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    return fields, gap + body


def name_of(field):
    return field.partition(b":")[0].rstrip(b" \t")


def value_of(field):
    return field.partition(b":")[2]


class Letter:
    """A message and its envelope, changed edit by edit."""

    def __init__(self, octets, sender, recipients):
        self.fields, self.rest = split(octets)
        self.sender = sender
        self.recipients = list(recipients)

    def field(self, name, value):
        return name + b":" + value.replace(b"\n", b"\r\n")

    def insert(self, octets):
        index, = struct.unpack(">I", octets[:4])
        name, value = octets[4:].split(b"\0")[:2]
        self.fields.insert(index, self.field(name, value))

    def change(self, octets):
        """The one with that index among its namesakes, from 1."""
        index, = struct.unpack(">I", octets[:4])
        name, value = octets[4:].split(b"\0")[:2]
        same = [i for i, field in enumerate(self.fields)
                if name_of(field).lower() == name.lower()]
        place = same[index - 1]
        self.fields[place:place + 1] = [self.field(name, value)] if value \
            else []

    def set_sender(self, octets):
        self.sender = octets.split(b"\0")[0].decode().strip("<>")

    def add_recipient(self, octets):
        self.recipients.append(octets.split(b"\0")[0].decode().strip("<>"))

    def remove_recipient(self, octets):
        self.recipients.remove(octets.split(b"\0")[0].decode().strip("<>"))

    def replace_body(self, octets):
        self.rest = b"\r\n\r\n" + octets

    def hold(self, _octets):
        """It is kept, and goes on as it is."""

    EDITS = {b"i": insert, b"m": change, b"e": set_sender,
             b"+": add_recipient, b"-": remove_recipient, b"b": replace_body,
             b"q": hold}


class Mailbag:
    def __init__(self):
        self.messages = []

    def put(self, octets, sender, recipients, edits):
        letter = Letter(octets, sender, recipients)
        for command, argument in edits:
            Letter.EDITS[command](letter, argument)
        if letter.recipients:
            self.messages.append(Delivered(
                b"\r\n".join(letter.fields) + letter.rest, letter.recipients,
                letter.sender))
