# smtp.py: an SMTP client that says exactly the octets it is told to say.
#
# SPDX-License-Identifier: BSD-2-Clause
import re
import socket

from .failure import Failure

TIMEOUT = 30
ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
SESSION = re.compile(r"\[([0-9a-f]+-[0-9a-f]+)\]$")


class Reply:
    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[0][:3])
        texts = [line[4:] for line in lines]
        match = ENHANCED.match(texts[0])
        self.enhanced = match.group(1) if match else ""
        self.text = " ".join(re.sub(ENHANCED, "", text, count=1)
                             for text in texts)

    @property
    def session(self):
        """The id at the end of a refusal."""
        match = SESSION.search(self.lines[-1])
        return match.group(1) if match else None

    def __str__(self):
        return "\n".join(self.lines)


class Closed(Failure):
    """The connection ended where a reply was expected."""


def dot_stuffed(message):
    body = re.sub(rb"(?m)^\.", b"..", message)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return body + b".\r\n"


class SmtpClient:
    """`client` is what a PROXY header tells; None: none is sent. `source`: the
    address it comes from."""

    def __init__(self, host, port, client=None, timeout=TIMEOUT, source=None):
        self.socket = socket.create_connection(
            (host, port), timeout, (source, 0) if source else None)
        self.buffer = b""
        self.transcript = []
        self.refused_data = False  # nothing was sent after the last DATA
        if client is not None:
            self.tell_proxy(client)

    def tell_proxy(self, client):
        family, server = ("TCP6", "2001:db8::25") if ":" in client \
            else ("TCP4", "192.0.2.25")
        self.send(f"PROXY {family} {client} {server} 40000 25\r\n".encode())

    def send(self, octets):
        if len(octets) < 2000:
            self.transcript.append("> " + repr(octets)[2:-1])
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Closed(f"connection: {error}\n{self.story()}") from None

    def read_line(self):
        while b"\n" not in self.buffer:
            try:
                octets = self.socket.recv(65536)
            except socket.timeout:
                raise Failure(f"no reply\n{self.story()}") from None
            except OSError:
                octets = b""
            if not octets:
                raise Closed(f"closed\n{self.story()}")
            self.buffer += octets
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Failure(f"a reply without CR LF: {line!r}")
        if len(line) + 1 > 512:
            raise Failure(f"a reply of {len(line) + 1} octets")
        return line[:-1].decode("utf-8", "replace")

    def reply(self):
        lines = [self.read_line()]
        while lines[-1][3:4] == "-":
            lines.append(self.read_line())
        self.transcript += ["< " + line for line in lines]
        return Reply(lines)

    def say(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def envelope(self, sender, *recipients, helo="mail.example.org"):
        """From the greeting to the last recipient; the last reply."""
        reply = self.reply()
        commands = [f"EHLO {helo}", f"MAIL FROM:<{sender}>"]
        commands += [f"RCPT TO:<{recipient}>" for recipient in recipients]
        for command in commands:
            if reply.code >= 400:
                break
            reply = self.say(command)
        return reply

    def data(self, message):
        """The reply to DATA if it is not 354, else that to the message."""
        reply = self.say("DATA")
        self.refused_data = reply.code != 354
        if self.refused_data:
            return reply
        self.send(dot_stuffed(message))
        return self.reply()

    def closed(self, patience=TIMEOUT):
        """Whether nothing comes any more but the end."""
        self.socket.settimeout(patience)
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except socket.timeout:
            return False
        except OSError:
            return True

    def close(self):
        self.socket.close()

    def story(self):
        return "\n".join(self.transcript)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
