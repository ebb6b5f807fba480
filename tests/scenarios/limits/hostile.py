# hostile.py: messages that are meant to hurt whoever parses them, with every
# plugin that looks into them, in a worker that has to stay small.
#
# SPDX-License-Identifier: BSD-2-Clause
from lab.failure import check, equal
from lab.octets import check_same

FIELDS = (b"From: alice@example.org\r\nSubject: hostile\r\n"
          b"MIME-Version: 1.0\r\n")
PLUGINS = "use spf use dkim use dmarc\n"
GROWTH = 96 << 20  # octets of a worker, with a sanitizer in it
LINE = 10 << 20


def nested(depth):
    """A multipart in a multipart, and so on."""
    head = tail = b""
    for i in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' \
            b"--b%d\r\n" % (i, i)
        tail = b"--b%d--\r\n" % i + tail
    return FIELDS + head + b"\r\nhello\r\n" + tail


def begin(stage, more=""):
    sink = stage.sink()
    filterd = stage.filterd(PLUGINS + more, sink, stage.nsd())
    equal(filterd.deliver(FIELDS + b"\r\nfirst\r\n").code, 250, "the first")
    return sink, filterd, filterd.memory()


def passes(stage, message):
    sink, filterd, before = begin(stage)
    equal(filterd.deliver(message).code, 250, "the message")
    check_same(sink.delivered()[-1], message)
    grown = filterd.memory() - before
    check(grown < GROWTH, f"the worker has grown by {grown}")


def story_nested(stage):
    """1,000 multiparts in each other pass as they are"""
    passes(stage, nested(1000))


def story_line(stage):
    """a line of 10 MiB passes as it is"""
    passes(stage, FIELDS + b"\r\n" + b"x" * LINE + b"\r\n")


def story_dots(stage):
    """a million dots at line starts pass as they are"""
    passes(stage, FIELDS + b"\r\n" + b".\r\n" * 1000000)


def refused(stage, message, code):
    sink, filterd, before = begin(stage)
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        equal(client.data(message).code, code, client.story()[-500:])
        equal(client.say("NOOP").code, 250, "NOOP")
    equal(len(sink.delivered()), 1, "messages")
    grown = filterd.memory() - before
    check(grown < GROWTH, f"the worker has grown by {grown}")


def story_fields(stage):
    """10,000 fields are 552"""
    refused(stage, FIELDS + b"X: y\r\n" * 10000 + b"\r\nhello\r\n", 552)


def story_header_line(stage):
    """a field of 10 MiB is 552"""
    refused(stage, FIELDS + b"X: " + b"y" * LINE + b"\r\n\r\nhello\r\n", 552)


def story_most_fields(stage):
    """990 fields, a header of 200 kB and 90 Received fields pass as they are"""
    passes(stage, FIELDS + b"Received: from a by b; c\r\n" * 90
           + b"X-Field: " + b"z" * 980 + b"\r\n"
           + b"X-Field: " + b"z" * 190 + b"\r\n" * 1
           + (b"X: " + b"y" * 220 + b"\r\n") * 880 + b"\r\nhello\r\n")


def story_signatures(stage):
    """1,000 signatures in the header: the first are looked at, the message passes"""
    signature = (b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; "
                 b"h=from; bh=AAAA; b=BBBB\r\n")
    passes(stage, signature * 990 + FIELDS + b"\r\nhello\r\n")


def story_addresses(stage):
    """a From of thousands of comments, groups and addresses is no trouble"""
    sink, filterd, _ = begin(stage)
    for value in (b"(" * 20000, b"(" * 5000 + b")" * 5000 + b" <a@example.org>",
                  b", ".join([b"a@example.org"] * 10000),
                  b"g:" * 10000 + b";" * 10000, b"<" * 50000,
                  b'"' * 60001, b"\\" * 30000):
        message = b"From: " + value + b"\r\nSubject: x\r\n\r\nhello\r\n"
        equal(filterd.deliver(message).code, 250, value[:20])
        check_same(sink.delivered()[-1], message)
