# milter.py: the steps of a dialogue as a mail server asks a milter, by Debian's
# miltertest; what it would deliver is made of the edits.
#
# SPDX-License-Identifier: BSD-2-Clause
from ..mailbag import Mailbag
from ..miltertest import Miltertest
from ..smtp import Reply
from .smtp import SmtpWire, path

# What a mail server says where the milter leaves the words to it.
YES = {"connect": "220 mta.example", "quit": "221 2.0.0 bye"}
WORDS = {b"r": "550 5.7.1 rejected", b"t": "451 4.7.1 try again later"}
GO_ON = b"cad"


class MilterWire(SmtpWire):
    name = "milter"

    def __init__(self, stage):
        super().__init__(stage)
        self.asks = None
        self.last = None
        self.sender, self.recipients = "", []
        self.bag = Mailbag()

    def build_backend(self, kind):
        return None

    def listener(self):
        return {"speaks": "milter"}

    def delivered(self, count):
        return self.bag.messages

    # ---- the dialogue ------------------------------------------------------

    def reply_to(self, step):
        """In the milter's words, or in our own."""
        command, octets = self.asks.verdict()
        if command in GO_ON:
            text = YES.get(step, "250 2.0.0 ok")
        else:
            text = WORDS.get(command, octets.rstrip(b"\0").decode())
        self.last = Reply(text.replace("%%", "%").split("\r\n"))
        return self.last

    def connect(self, address):
        self.asks = Miltertest(self.stage, self.filterd.port)
        self.asks.begin(address)
        return self.reply_to("connect")

    def helo(self, name, extended=True):
        self.asks.do("helo", name)
        return self.reply_to("helo")

    def mail(self, address, *parameters):
        self.sender, self.recipients = path(address)[1:-1], []
        self.asks.do("mailfrom", path(address), *parameters)
        return self.reply_to("mail")

    def rcpt(self, address, *parameters):
        self.asks.do("rcptto", path(address), *parameters)
        reply = self.reply_to("rcpt")
        if reply.code == 250:
            self.recipients.append(path(address)[1:-1])
        return reply

    def message(self, octets):
        self.asks.data()
        reply = self.reply_to("data")
        if reply.code == 250:
            self.asks.message(octets)
            reply = self.reply_to("message")
            edits, final = self.asks.edits()
            if reply.code == 250 and final != b"d":
                self.bag.put(octets, self.sender, self.recipients, edits)
        else:
            self.asks.do("abort")
        return reply

    def reset(self):
        self.asks.do("abort")
        return self.reply_to("reset")

    def quit(self):
        self.asks.end()
        return Reply([YES["quit"]])

    def closed(self):
        """A mail server closes behind each 421 (RFC 5321 3.8)."""
        self.asks.end()
        return self.last.code == 421

    def story(self):
        return self.asks.story() if self.asks else ""
