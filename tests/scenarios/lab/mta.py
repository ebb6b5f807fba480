# mta.py: a mail server that asks a milter, octet by octet.
#
# SPDX-License-Identifier: BSD-2-Clause
import socket
import struct

from .failure import Failure
from .program import HOST

TIMEOUT = 30
VERSION = 6
ACTIONS, STEPS = 0x1ff, 0x1fffff
# What ends the answers to one step.
FINAL = b"cartdysO"

ADD_HEADER, CHANGE_BODY, ADD_RECIPIENT, REMOVE_RECIPIENT = 1, 2, 4, 8
CHANGE_HEADER, QUARANTINE, CHANGE_SENDER, ADD_WITH, MACROS = \
    16, 32, 64, 128, 256
NO_BODY, NR_HEADER, NO_DATA, SKIP, REJECTED = 0x10, 0x80, 0x200, 0x400, 0x800
NR_CONNECT, NR_HELO, NR_EOH, LEADING = 0x1000, 0x2000, 0x40000, 0x100000


class Gone(Failure):
    """The milter has closed the connection."""


def text(*words):
    return b"".join(word.encode() + b"\0" for word in words)


def connected(where):
    """To a port, or to the path of a unix socket."""
    if isinstance(where, int):
        return socket.create_connection((HOST, where), TIMEOUT)
    unix = socket.socket(socket.AF_UNIX)
    unix.settimeout(TIMEOUT)
    unix.connect(where)
    return unix


class Mta:
    def __init__(self, where):
        self.socket = connected(where)
        self.actions = self.steps = None

    def send(self, command, octets=b""):
        self.send_octets(struct.pack(">I", len(octets) + 1) + command + octets)

    def send_octets(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Gone(str(error)) from None

    def take(self, count):
        octets = b""
        while len(octets) < count:
            try:
                more = self.socket.recv(count - len(octets))
            except socket.timeout:
                raise Failure("the milter does not answer") from None
            except OSError:
                more = b""
            if not more:
                raise Gone("the milter has closed the connection")
            octets += more
        return octets

    def packet(self):
        length, = struct.unpack(">I", self.take(4))
        octets = self.take(length)
        return octets[:1], octets[1:]

    def answers(self):
        """All of them up to the one that ends the step."""
        found = []
        while not found or found[-1][0] not in FINAL:
            found.append(self.packet())
        return found

    def ask(self, command, octets=b"", macros=()):
        """The one answer to a step."""
        if macros:
            self.send(b"D", command + text(*macros))
        self.send(command, octets)
        return self.answers()[-1]

    # ---- the steps ---------------------------------------------------------

    def negotiate(self, actions=ACTIONS, steps=STEPS, version=VERSION):
        self.send(b"O", struct.pack(">III", version, actions, steps))
        _, octets = self.packet()
        version, self.actions, self.steps = struct.unpack(">III", octets[:12])
        return self

    def unless(self, bit, command, octets=b"", macros=()):
        """Where it was agreed on, nobody waits."""
        if macros:
            self.send(b"D", command + text(*macros))
        self.send(command, octets)
        return self.answers()[-1] if not self.steps & bit else (b"c", b"")

    def connect(self, client="198.51.100.9", name="unknown", macros=()):
        family = b"6" if ":" in client else b"4"
        return self.unless(NR_CONNECT, b"C",
                           text(name) + family + struct.pack(">H", 40000)
                           + text(client), macros)

    def helo(self, name="mail.example.org", macros=()):
        return self.unless(NR_HELO, b"H", text(name), macros)

    def mail(self, address, *arguments, macros=()):
        return self.ask(b"M", text(f"<{address}>", *arguments), macros)

    def rcpt(self, address, *arguments, macros=()):
        return self.ask(b"R", text(f"<{address}>", *arguments), macros)

    def data(self):
        return (b"c", b"") if self.steps & NO_DATA else self.ask(b"T")

    def header(self, name, value):
        self.send(b"L", text(name, value))
        return self.answers()[-1] if not self.steps & NR_HEADER else (b"c", b"")

    def header_end(self):
        return self.unless(NR_EOH, b"N")

    def body(self, octets):
        return (b"c", b"") if self.steps & NO_BODY else self.ask(b"B", octets)

    def end(self, octets=b""):
        """All edits, then the verdict."""
        self.send(b"E", octets)
        return self.answers()

    def quit(self):
        self.send(b"Q")
        self.close()

    def close(self):
        self.socket.close()

    def envelope(self, sender, *recipients, client="198.51.100.9"):
        """From the beginning to the last recipient; the last answer."""
        self.negotiate()
        answer = self.connect(client)
        for step, word in [(self.helo, "mail.example.org"),
                           (self.mail, sender)] \
                + [(self.rcpt, recipient) for recipient in recipients]:
            if answer[0] != b"c":
                break
            answer = step(word)
        return answer

    def message(self, fields, body=b"hello\r\n"):
        """From DATA to the verdict, with the edits before it."""
        answer = self.data()
        if answer[0] != b"c":
            return [answer]
        for name, value in fields:
            self.header(name, value)
        self.header_end()
        self.body(body)
        return self.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
