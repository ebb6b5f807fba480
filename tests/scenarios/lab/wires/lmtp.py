# lmtp.py: the steps of a dialogue as an LMTP client says them (RFC 2033).
#
# SPDX-License-Identifier: BSD-2-Clause
from ..failure import equal
from .smtp import SmtpWire


class LmtpWire(SmtpWire):
    name = "lmtp"

    def __init__(self, stage):
        super().__init__(stage)
        self.taken = 0  # recipients of the transaction

    def helo(self, name, extended=True):
        return self.client.say(f"LHLO {name}")

    def mail(self, address, *parameters):
        self.taken = 0
        return super().mail(address, *parameters)

    def rcpt(self, address, *parameters):
        reply = super().rcpt(address, *parameters)
        self.taken += reply.code // 100 == 2
        return reply

    def message(self, octets):
        """What each recipient is answered, which has to be the same."""
        first = self.client.data(octets)
        if self.client.refused_data:
            return first
        others = [self.client.reply() for _ in range(1, self.taken)]
        for other in others:
            equal((other.code, other.enhanced), (first.code, first.enhanced),
                  "the reply to another recipient")
        return first
