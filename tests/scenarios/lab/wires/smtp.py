# smtp.py: the steps of a dialogue as an SMTP client says them.
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Another wire has the same methods: each does one step and returns what was
# answered to it. The last four are for stories told in octets.


import os

from ..quarantine import Quarantine


def path(address):
    return address if address.startswith("<") else f"<{address}>"


class SmtpWire:
    name = "smtp"
    ordered = True  # recipients arrive in the order in which they were named

    def __init__(self, stage):
        self.stage = stage
        self.filterd = None
        self.backend = None
        self.client = None

    # ---- parts -------------------------------------------------------------

    def build_backend(self, kind):
        """What stands behind filterd; None: nothing does."""
        self.backend = self.stage.backend(kind)
        return self.backend

    def listener(self):
        """Of filterd's: options of `Filterd`."""
        return {"speaks": self.name}

    def delivered(self, count):
        """Also what is kept."""
        quarantine = Quarantine(self.stage, self.filterd)
        if os.path.isdir(quarantine.directory) and quarantine.files():
            quarantine.run("release", "--all")
        return self.backend.delivered(count)

    # ---- the dialogue ------------------------------------------------------

    def connect(self, address):
        self.client = self.filterd.connect(address)
        return self.client.reply()

    def helo(self, name, extended=True):
        return self.client.say(f"{'EHLO' if extended else 'HELO'} {name}")

    def mail(self, address, *parameters):
        return self.client.say(" ".join([f"MAIL FROM:{path(address)}",
                                         *parameters]))

    def rcpt(self, address, *parameters):
        return self.client.say(" ".join([f"RCPT TO:{path(address)}",
                                         *parameters]))

    def message(self, octets):
        return self.client.data(octets)

    def reset(self):
        return self.client.say("RSET")

    def quit(self):
        reply = self.client.say("QUIT")
        self.client.close()
        self.client = None
        return reply

    def closed(self):
        return self.client.closed()

    def story(self):
        return self.client.story() if self.client else ""

    def say(self, line):
        return self.client.say(line)

    def raw(self, octets):
        self.client.send(octets)
        return self.client.reply()

    def reply(self):
        return self.client.reply()

    def second(self, address):
        """The greeting of another client, which comes while this is there."""
        with self.filterd.connect(address) as client:
            return client.reply()
