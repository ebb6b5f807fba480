# evidence.py: mail that is meant to hurt whoever checks its evidence: bounded in
# time and memory, answered as it has to be, while the one worker serves others.
#
# SPDX-License-Identifier: BSD-2-Clause
import threading
import time

from lab.dns import TEXT_PIECE, text_record
from lab.failure import check, equal
from lab.signer import key_record, seal

PLUGINS = """use spf
use dkim { signatures %d }
use dmarc
use arc
"""
HEADER = (b"From: alice@example.org\r\nTo: bob@example.com\r\n"
          b"Subject: hostile\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
          b"Message-ID: <1@example.org>\r\n")
MESSAGE = HEADER + b"\r\nhello\r\n"
GROWTH = 96 << 20  # octets of a worker, with a sanitizer in it
PATIENCE = 1       # seconds until another client has its reply, with the same
LONGEST = 65000    # octets of a TXT record that a DNS message has room for
LINES = b"The quick brown fox jumps over the lazy dog.\r\n"
HASH = b"A" * 43 + b"="
BODY = LINES * ((10 << 20) // len(LINES))


class Other:
    """A client of the same worker, that says NOOP all the time."""

    def __init__(self, filterd):
        self.filterd = filterd
        self.slowest = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.filterd.connect("198.51.100.10") as client:
            client.reply()
            while not self.over.is_set():
                begun = time.monotonic()
                client.say("NOOP")
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.over.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def bounded(stage, message, code=250, seconds=10, records=(), signatures=10):
    """What became of the message."""
    sink = stage.sink()
    filterd = stage.filterd(PLUGINS % signatures, sink, stage.nsd(records))
    equal(filterd.deliver(MESSAGE).code, 250, "the first")
    before = filterd.memory()
    with Other(filterd) as other, filterd.connect() as client:
        equal(client.envelope("alice@example.org", "bob@example.com").code,
              250, "the envelope")
        begun = time.monotonic()
        equal(client.data(message).code, code, client.story()[-500:])
        took = time.monotonic() - begun
    grown = filterd.memory() - before
    check(took < seconds, f"it took {took:.2f} s")
    check(grown < GROWTH, f"the worker has grown by {grown}")
    check(other.slowest < PATIENCE, f"others waited {other.slowest:.2f} s")
    equal(filterd.deliver(MESSAGE).code, 250, "the next")
    return sink.delivered()[1]


def results(delivered):
    return delivered.named("Authentication-Results")[0]


def forged(number, more=b""):
    return (b"DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=s; h=from;"
            b" bh=%s; b=%s\r\n" % (number, HASH, b"B" * 344))


def story_keys(stage):
    """key records of 64 KB, of many strings, are permerror"""
    records = [text_record(f"s._domainkey.d{number}.example",
                           ("v=DKIM1; p=" + "A" * LONGEST)[:LONGEST])
               for number in range(10)]
    delivered = bounded(
        stage, b"".join(forged(number) for number in range(10)) + MESSAGE,
        records=records)
    equal(results(delivered).count("dkim=permerror (the key record is malformed)"), 10,
          results(delivered))


def story_more(stage):
    """key records that no DNS message has room for are temperror"""
    piece = "v=DKIM1; p=" + "A" * (TEXT_PIECE * 40)
    records = [text_record("s._domainkey.d0.example", f"{piece}{number}")
               for number in range(8)]
    delivered = bounded(stage, forged(0) + MESSAGE, records=records)
    check("dkim=temperror" in results(delivered), results(delivered))


def story_signatures(stage):
    """2,000 signatures are 552, as any header of so many fields"""
    sink = stage.sink()
    filterd = stage.filterd(PLUGINS % 10, sink, stage.nsd())
    with Other(filterd) as other, filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        many = b"".join(forged(number) for number in range(2000))
        equal(client.data(many + MESSAGE).code, 552, "the reply")
        equal(client.say("NOOP").code, 250, "NOOP")
    check(other.slowest < PATIENCE, f"others waited {other.slowest:.2f} s")
    equal(filterd.deliver(MESSAGE).code, 250, "the next")


def parts(stage, signatures, count, field):
    """Each of another part of the body, and none of them good."""
    many = b"".join(field % (len(BODY) - 1 - 10000 * number)
                    for number in range(count))
    records = [text_record(f"{kind}._domainkey.example.org",
                           key_record(kind, "example.org", kind))
               for kind in ("rsa", "ed25519")]
    delivered = bounded(stage, many + HEADER + b"\r\n" + BODY, 250, 60,
                           records, signatures)
    equal(results(delivered).count("dkim=fail"), signatures,
          results(delivered)[:500])


RSA = (b"DKIM-Signature:v=1;a=rsa-sha256;d=example.org;s=rsa;h=from;l=%%d;"
       b"bh=%s;b=%s\r\n" % (HASH, b"B" * 344))
ED25519 = (b"DKIM-Signature:v=1;a=ed25519-sha256;d=example.org;s=ed25519;"
           b"h=from;l=%%d;bh=%s;b=%s\r\n" % (HASH, b"B" * 86 + b"=="))


def story_lengths(stage):
    """900 signatures, each of another part of 10 MiB: ten are looked at"""
    parts(stage, 10, 900, ED25519)


def story_all_lengths(stage):
    """and a hundred, where so many are asked for"""
    parts(stage, 100, 900, ED25519)


def story_rsa_lengths(stage):
    """the same of RSA, as many as there is room for"""
    parts(stage, 100, 400, RSA)


def story_sets(stage):
    """50 ARC sets pass"""
    message = MESSAGE
    for _ in range(50):
        message = seal(message, "hop.example", "s", "dmarc=pass "
                       "header.from=example.org")
    records = [text_record("s._domainkey.hop.example",
                           key_record("s", "hop.example"))]
    delivered = bounded(stage, message, records=records)
    check("arc=pass" in results(delivered), results(delivered))


def story_authors(stage):
    """a From of 10,000 addresses is permerror"""
    many = b", ".join(b"a%d@d%d.example" % (number, number)
                      for number in range(10000))
    delivered = bounded(stage, MESSAGE.replace(b"alice@example.org", many))
    check("dmarc=permerror" in results(delivered), results(delivered))


def told(name):
    return b"Authentication-Results: " + name + b"".join(
        b";\r\n dkim=pass header.d=d%d.example" % number
        for number in range(5700)) + b"\r\n"


def story_told(stage):
    """Authentication-Results of 200 KB of ours is removed"""
    ours = told(b"mx.example.com")
    check(len(ours) > 200000, str(len(ours)))
    delivered = bounded(stage, ours + MESSAGE)
    equal(len(delivered.named("Authentication-Results")), 1, "ours")
    check(len(results(delivered)) < 1000, "it is the forged one")


def story_told_elsewhere(stage):
    """and another's stays as it is"""
    theirs = told(b"mx.example.net")
    delivered = bounded(stage, theirs + MESSAGE)
    check(theirs in delivered.octets, "it is not as it was")
