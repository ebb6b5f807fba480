# postfix.py: the steps of a dialogue as a client of a Postfix says them that
# asks filterd by the milter protocol.
#
# SPDX-License-Identifier: BSD-2-Clause
from ..message import Delivered
from ..postfix import HOSTNAME
from .smtp import SmtpWire


class PostfixWire(SmtpWire):
    name = "postfix"
    ordered = False  # each has a mailbox

    def __init__(self, stage):
        super().__init__(stage)
        self.postfix = stage.postfix()

    def build_backend(self, kind):
        return None

    def listener(self):
        return {"speaks": "milter", "port": self.postfix.milter_port}

    def connect(self, address):
        self.client = self.postfix.connect(address)
        return self.client.reply()

    def delivered(self, count):
        """Also what is held. Copies of a message are one again."""
        if self.postfix.held():
            self.postfix.release()
        found = {}
        for identity, copy in self.postfix.copies(count):
            copy = copy.without_received(HOSTNAME)
            before = found.get(identity)
            found[identity] = copy if before is None else Delivered(
                copy.octets, before.recipients + copy.recipients, copy.sender)
        return list(found.values())
