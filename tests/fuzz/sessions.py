# sessions.py: random SMTP sessions, honest and hostile, from a grammar; and how
# their octets are cut.
#
# SPDX-License-Identifier: BSD-2-Clause
import random
import re

BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0")
# What even good references read in ways of their own.
MUDDLED = re.compile(rb"\r\r+\n|\0")
# The look-alikes of an end of data: what may stand before and behind the dot.
BEFORE = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\0", b"\r\0\n",
          b"\v", b"\f", b"\x85", b"\r\n ")
BEHIND = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\0\n",
          b"\v", b"\f", b" \r\n", b"\t\r\n")
LINES = (b"text", b"", b".", b"..", b".x", b"..x", b"x.", b"QUIT", b"RSET",
         b"DATA", b".\t", b". ", b"From here", b"a: b", b"caf\xc3\xa9",
         b"x" * 500, b" folded?", b"BDAT 3 LAST")
FIELDS = (b"Subject: s", b"X-Folded: a\r\n b\r\n\tc", b"X-Empty:",
          b"X-Eightbit: caf\xc3\xa9", b"X-Long: " + b"y" * 600)
NOISE = (b"NOOP", b"NOOP x", b"RSET", b"HELP", b"VRFY a", b"VRFY caf\xc3\xa9",
         b"FOO", b"RCPT TO:<x@example.com>", b"DATA", b"EXPN x",
         b"MAIL", b"MAIL FROM:", b"RCPT TO:", b"noop", b"NOOP  ", b"BDAT x",
         b"DATA x")
SENDERS = (b"<>", b"<a@example.org>", b"<A.b+c@example.org>",
           b"<\"a b\"@example.org>", b"<\"a>b\"@example.org>",
           b"<\"a\\\"b\"@example.org>")
PARAMETERS = (b"", b"", b" SIZE=100", b" BODY=8BITMIME",
              b" SIZE=0 BODY=8BITMIME")


class Session:
    """`octets` are what the client says; the rest is what is in them."""

    def __init__(self, number, seed):
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        self.hostile = self.random.random() < 0.6
        self.chunked = self.random.random() < 0.4
        self.serial = 0
        self.octets = self.make()
        self.cut = self.chance(0.15)
        if self.cut:
            self.octets = self.octets[:self.random.randint(
                len(self.octets) // 2, len(self.octets))]
        self.bare = BARE.search(self.octets) is not None
        self.muddled = MUDDLED.search(self.octets) is not None
        self.plain = not self.bare and not self.cut \
            and b"BDAT" not in self.octets

    def one(self, choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    # ---- the grammar -------------------------------------------------------

    def make(self):
        out = b"EHLO c.example.org\r\n"
        for _ in range(self.random.randint(1, 4)):
            out += self.one((self.transaction, self.transaction, self.noise,
                             self.aborted))()
        return out + b"QUIT\r\n"

    def noise(self):
        return self.one(NOISE) + b"\r\n"

    def aborted(self):
        return self.envelope() + self.one((b"RSET", b"EHLO d", b"NOOP",
                                           b"HELO e\r\nEHLO f",
                                           b"MAIL FROM:<>")) + b"\r\nRSET\r\n"

    def recipient(self):
        self.serial += 1
        name = b"s%d-%d" % (self.number, self.serial)
        form = self.one((b"<%s@example.com>", b"<%s@EXAMPLE.net>",
                         b"<\"%s q\"@example.com>", b"<\"%s\"@example.com>"))
        return form % name

    def envelope(self):
        out = b"MAIL FROM:" + self.one(SENDERS) + self.one(PARAMETERS) + b"\r\n"
        for _ in range(self.random.randint(1, 3)):
            out += b"RCPT TO:" + self.recipient() + b"\r\n"
            if self.chance(0.1):
                out += self.one(NOISE[:2]) + b"\r\n"
        return out

    def transaction(self):
        content = self.content()
        if self.chunked and self.chance(0.7):
            return self.envelope() + self.chunks(content)
        return self.envelope() + b"DATA\r\n" + self.data(content)

    def smuggled(self):
        """What an attacker wants to be heard as commands."""
        return (b"MAIL FROM:<evil@example.org>\r\n"
                b"RCPT TO:<s%d-evil@example.com>\r\nDATA\r\nx: y\r\n\r\n"
                b"evil\r\n" % self.number)

    def look_alike(self):
        """Mostly of those that servers were caught with."""
        many = 4 if self.chance(0.7) else None
        return self.one(BEFORE[:many]) + b"." + self.one(BEHIND[:many])

    def content(self):
        lines = [self.one(FIELDS) for _ in range(self.random.randint(1, 3))]
        lines.append(b"")
        lines += [self.one(LINES) for _ in range(self.random.randint(0, 8))]
        out = b"\r\n".join(lines) + b"\r\n"
        if self.hostile and self.chance(0.7):
            first = 0 if self.chance(0.2) else out.index(b"\r\n\r\n") + 4
            at = self.random.randint(first, len(out))
            out = out[:at] + b"z" + self.look_alike() + self.smuggled() \
                + out[at:]
        return out

    def data(self, content):
        stuffed = re.sub(rb"(?m)(^|(?<=\r\n))\.", b"..", content) \
            if not self.hostile else re.sub(rb"\r\n\.(?=\.?[^\r\n])",
                                            b"\r\n..", content)
        # A line with one dot would end an honest message.
        if not self.hostile and b"\r\n.\r\n" in stuffed:
            stuffed = stuffed.replace(b"\r\n.\r\n", b"\r\n..\r\n")
        return stuffed + b".\r\n"

    def chunks(self, content):
        out, at = b"", 0
        if self.chance(0.2):
            content = content[:-2]
        while at < len(content):
            size = self.one((1, 2, 3, 5, 20, 100, 1000))
            piece = content[at:at + size]
            at += size
            last = b" LAST" if at >= len(content) and self.chance(0.5) else b""
            out += b"BDAT %d%s\r\n" % (len(piece), last) + piece
            if last:
                return out
        return out + b"BDAT 0 LAST\r\n"

    # ---- its cuts ----------------------------------------------------------

    def pieces(self):
        """Packets of random sizes, a few octets where it matters."""
        sizes = self.one(((1, 2, 3), (1, 5, 40, 400), (10000,)))
        pieces, at = [], 0
        while at < len(self.octets):
            size = self.one(sizes)
            pieces.append(self.octets[at:at + size])
            at += size
        return pieces
