# miltertest.py: Debian's miltertest as the mail server that asks, step by step;
# what the milter answers is heard on the way.
#
# SPDX-License-Identifier: BSD-2-Clause
#
# miltertest itself tells no more of an answer than its first letter.
import os
import select
import socket
import struct
import subprocess
import threading

from .failure import check
from .mailbag import name_of, split, value_of
from .program import HOST, Program, find

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "miltertest.lua")
PIECE = 60000  # octets of a body in a packet; the protocol bears 65535
FINAL = b"cartdysO"
EDIT = b"ime+-bq"
DATA = b"T"


def literal(octets):
    """As Lua reads it."""
    if isinstance(octets, str):
        octets = octets.encode()
    return '"' + "".join(f"\\{octet:03d}" for octet in octets) + '"'


def packets(buffer):
    """Takes the whole ones out."""
    while len(buffer) >= 4:
        length, = struct.unpack(">I", buffer[:4])
        if len(buffer) < 4 + length:
            return
        packet = bytes(buffer[4:4 + length])
        del buffer[:4 + length]
        yield packet


def send(to, packet):
    to.sendall(struct.pack(">I", len(packet)) + packet)


class Ear:
    """Between miltertest and the milter."""

    def __init__(self, milter_port):
        self.milter_port = milter_port
        self.heard = []
        self.before = None  # what miltertest said last
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            asking, _ = self.listener.accept()
        except OSError:
            return
        with asking, socket.create_connection((HOST, self.milter_port)) \
                as milter:
            try:
                self.carry(asking, milter)
            except OSError:
                return

    def carry(self, asking, milter):
        ways = {asking: (bytearray(), self.ask, milter),
                milter: (bytearray(), self.answer, asking)}
        while True:
            for source in select.select(list(ways), [], [])[0]:
                octets = source.recv(1 << 17)
                if not octets:
                    return
                buffer, way, other = ways[source]
                buffer += octets
                for packet in packets(buffer):
                    way(packet, other, source)

    def ask(self, packet, milter, asking):
        """mt.data() says DATA twice. The second is answered like the first."""
        again = packet == self.before == DATA
        self.before = packet
        if again:
            send(asking, b"".join(self.heard[-1]))
        else:
            send(milter, packet)

    def answer(self, packet, asking, _milter):
        self.heard.append((packet[:1], packet[1:]))
        send(asking, packet)

    def close(self):
        self.listener.close()


class Miltertest(Program):
    """One session of a mail server's client."""

    def __init__(self, stage, milter_port):
        super().__init__("miltertest", [find("miltertest"), "-s", SCRIPT],
                         stage.directory)
        self.ear = Ear(milter_port)
        self.transcript = []
        self.start()
        stage.parts.append(self)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, preexec_fn=self.prepare_child)

    def tell(self, statement):
        """Returns when it is done, whatever came of it."""
        self.ear.heard.clear()
        self.process.stdin.write(statement.encode() + b"\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        check(said, f"miltertest ended:\n{self.tail()}")
        self.transcript += [statement[:200], repr(said)] \
            + [f"< {answer}"[:200] for answer in self.ear.heard]

    def begin(self, client):
        self.tell(f'connect("inet:{self.ear.port}@{HOST}", "{client}")')

    def do(self, step, *arguments):
        words = ", ".join(["milter", *map(literal, arguments)])
        self.tell(f"mt.{step}({words})")

    def data(self):
        self.tell("data()")

    def message(self, octets):
        """The rest of it, in one go."""
        fields, rest = split(octets)
        body = rest[4:]
        lines = ["skipping = false"]
        for field in fields:
            value = value_of(field).replace(b"\r\n", b"\n")
            # miltertest puts one blank before each.
            value = value[1:] if value[:1] == b" " else value
            lines.append(f"mt.header(milter, {literal(name_of(field))}, "
                         f"{literal(value)})")
        lines.append("mt.eoh(milter)")
        lines += [f"body({literal(body[i:i + PIECE])})"
                  for i in range(0, len(body), PIECE)]
        lines.append("mt.eom(milter)")
        path = os.path.join(os.path.dirname(self.log), "message.lua")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines))
        self.tell(f"dofile({literal(path)})")
        check(self.ear.heard, f"miltertest got no answer:\n{self.tail()}")

    def verdict(self):
        """The last answer; who was not asked lets it pass."""
        final = [answer for answer in self.ear.heard if answer[0] in FINAL
                 and answer[0] != b"O"]
        return final[-1] if final else (b"c", b"")

    def edits(self):
        """All of them, in their order, and how it ended."""
        return [answer for answer in self.ear.heard if answer[0] in EDIT], \
            self.verdict()[0]

    def end(self):
        if self.running():
            self.tell("mt.disconnect(milter)")
            self.process.stdin.close()
        self.stop()

    def stop(self, patience=20):
        if self.running() and not self.process.stdin.closed:
            self.process.stdin.close()
        status = self.wait(patience)
        self.ear.close()
        return status

    def story(self):
        return "\n".join(self.transcript)
