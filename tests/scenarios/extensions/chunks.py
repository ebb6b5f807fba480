# chunks.py: BDAT, by Python's smtplib, with Postfix behind, which hears DATA.
#
# SPDX-License-Identifier: BSD-2-Clause
import smtplib

from lab.failure import check, equal
from lab.program import HOST, free_port
from lab.scenario import filler

MESSAGE = (b"From: alice@example.org\r\nSubject: chunks\r\n\r\n"
           b"hello\r\n.\r\nMAIL FROM:<x@example.org>\r\n..\r\n.last\r\n")
BODY = MESSAGE.partition(b"\r\n\r\n")[2]
SENDER = "alice@example.org"
RECIPIENT = "bob@example.com"


class Client(smtplib.SMTP):
    """smtplib with a verb that it lacks."""

    def chunk(self, octets, last=False):
        self.send(b"BDAT %d%s\r\n" % (len(octets), b" LAST" if last else b"")
                  + octets)
        return self.getreply()

    def begin(self):
        self.ehlo("mail.example.org")
        check(self.has_extn("chunking"), "CHUNKING is not announced")
        check(not self.has_extn("binarymime"), "BINARYMIME is announced")
        equal(self.mail(SENDER)[0], 250, "MAIL")
        equal(self.rcpt(RECIPIENT)[0], 250, "RCPT")


def start(stage, backend):
    """A second listener, without PROXY."""
    port = free_port()
    stage.filterd(f"listen smtp {HOST}:{port} {{ }}\n", backend)
    return port


def story_postfix(stage):
    """chunks of every size are one message to Postfix, dots and all"""
    postfix = stage.postfix()
    port = start(stage, postfix)
    sizes = [1, 2, 3, 7, 20, len(MESSAGE)]
    with Client(HOST, port) as client:
        for size in sizes:
            client.begin()
            pieces = [MESSAGE[at:at + size]
                      for at in range(0, len(MESSAGE), size)]
            for piece in pieces:
                equal(client.chunk(piece)[0], 250, "a chunk")
            equal(client.chunk(b"", True)[0], 250, "the last chunk")
    delivered = postfix.delivered(len(sizes))
    equal(len(delivered), len(sizes), "messages")
    for message in delivered:
        equal(message.body, BODY, "the body")


def story_pipelined(stage):
    """envelope and chunks in one packet, twice, then DATA"""
    sink = stage.sink()
    port = start(stage, sink)
    envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\n".encode()
    first, second = MESSAGE[:50], MESSAGE[50:]
    packet = (envelope + b"BDAT %d\r\n" % len(first) + first
              + b"BDAT %d LAST\r\n" % len(second) + second)
    with Client(HOST, port) as client:
        client.ehlo("mail.example.org")
        client.send(packet + packet)
        codes = [client.getreply()[0] for _ in range(8)]
        equal(codes, [250] * 8, "replies")
        client.sendmail(SENDER, [RECIPIENT], MESSAGE)
    equal([kept.body for kept in sink.delivered()], [BODY] * 3, "bodies")


def story_refused(stage):
    """chunks that are refused are no commands"""
    sink = stage.sink()
    port = start(stage, sink)
    smuggled = (b"MAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.com>\r\n"
                b"DATA\r\nx\r\n.\r\n")
    with Client(HOST, port) as client:
        client.ehlo("mail.example.org")
        equal(client.chunk(smuggled)[0], 503, "before MAIL")
        client.begin()
        equal(client.chunk(MESSAGE + b"x\ny")[0], 250, "a bare LF")
        equal(client.chunk(smuggled, True)[0], 550, "the last chunk")
        equal(client.chunk(smuggled, True)[0], 503, "behind it")
        client.begin()
        equal(client.chunk(MESSAGE)[0], 250, "a chunk")
        equal(client.docmd("DATA")[0], 503, "DATA between chunks")
        client.send(b"BDAT -1 LAST\r\n" + smuggled)
        equal(client.getreply()[0], 501, "a size of no size")
        try:
            client.noop()
            check(False, "it goes on behind a chunk without an end")
        except smtplib.SMTPServerDisconnected:
            pass
    equal(sink.delivered(), [], "messages kept")


def story_large(stage):
    """ten megabytes in chunks of odd sizes arrive octet for octet"""
    sink = stage.sink()
    port = start(stage, sink)
    message = MESSAGE + filler(10 << 20)
    with Client(HOST, port) as client:
        client.begin()
        for at in range(0, len(message), 99991):
            piece = message[at:at + 99991]
            last = at + 99991 >= len(message)
            equal(client.chunk(piece, last)[0], 250, "a chunk")
    equal(sink.delivered()[0].body, message.partition(b"\r\n\r\n")[2], "body")
