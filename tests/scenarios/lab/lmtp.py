# lmtp.py: an LMTP client that says exactly the octets it is told to say.
#
# SPDX-License-Identifier: BSD-2-Clause
import socket

from .smtp import TIMEOUT, SmtpClient, dot_stuffed


class LmtpClient(SmtpClient):
    """`path`: of a unix socket, instead of host and port."""

    def __init__(self, host=None, port=None, path=None, timeout=TIMEOUT):
        if path is None:
            super().__init__(host, port, None, timeout)
            return
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.buffer = b""
        self.transcript = []
        self.refused_data = False

    def begin(self, helo="gate.example.org"):
        self.reply()
        return self.say(f"LHLO {helo}")

    def mail(self, sender, *recipients, parameters=""):
        """Replies to RCPT."""
        self.say(f"MAIL FROM:<{sender}>{parameters}")
        return [self.say(f"RCPT TO:<{recipient}>") for recipient in recipients]

    def message(self, message, replies):
        """A reply for each recipient that was taken."""
        first = self.say("DATA")
        if first.code != 354:
            return [first]
        self.send(dot_stuffed(message))
        return [self.reply() for _ in range(replies)]
