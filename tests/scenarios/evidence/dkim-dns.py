# dkim-dns.py: several signatures on a message, and the DNS fails for the key of
# one: that one is temperror, and DMARC takes what is left.
#
# SPDX-License-Identifier: BSD-2-Clause
import re
import socket
import time

from lab.dns import Names, text_record
from lab.failure import check, equal
from lab.signer import key_record, sign

SIGNERS = ["good.example", "bad.example", "wobbly.example",
           "mail.wobbly.example", "hushed.example"]
BROKEN = ["_domainkey.wobbly.example"]
TIMEOUT = 1
POLICY = """use spf
use dkim
use dmarc
at message {
    reject dmarc-fail if dmarc.disposition = reject and not spf.result = pass
    tempfail dmarc-temperror if dmarc.result = temperror
}
"""


def records():
    for domain in SIGNERS:
        yield text_record(f"_dmarc.{domain}", "v=DMARC1; p=reject")
        yield text_record(domain, "v=spf1 -all")
        if domain != "wobbly.example":
            yield text_record(f"s._domainkey.{domain}",
                              key_record("s", domain))


class Hushed(Names):
    """A resolver in front of another one, that does not hear of some names."""

    def __init__(self, resolver, name):
        super().__init__(self.ask)
        host, port = resolver.split("@")
        self.behind, self.name = (host, int(port)), name

    def ask(self, question):
        if self.name in question.lower():
            return None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as behind:
            behind.settimeout(5)
            behind.sendto(question, self.behind)
            return behind.recv(65535)


def begin(stage):
    dns = stage.add(Hushed(stage.nsd(records(), BROKEN).resolver,
                           b"_domainkey\6hushed"))
    sink = stage.sink()
    return sink, stage.filterd(POLICY, sink, dns,
                               dns_options=f"timeout {TIMEOUT}s budget 5s")


def message(author, *signers):
    """That of bad.example is of another body."""
    text = (f"From: Alice <alice@{author}>\r\nTo: bob@example.com\r\n"
            f"Subject: signed\r\nMessage-ID: <{time.time()}@{author}>\r\n"
            "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n"
            "Ten green bottles\r\n").encode()
    for domain in reversed(signers):
        other = text.replace(b"Ten", b"Nine") if domain == "bad.example" \
            else text
        field = sign(other, domain, "s")[:-len(other)]
        text = field + text
    return text


def results(delivered):
    """What Authentication-Results says: pairs of a method's result and whose."""
    field = re.sub(r"\s+", " ", delivered.named("Authentication-Results")[0])
    return re.findall(r"(dkim|dmarc)=(\w+)(?: \([^)]*\))?"
                      r" header\.(?:d|from)=([\w.]+)", field)


def passes(stage, author, signers, expected):
    sink, filterd = begin(stage)
    equal(filterd.deliver(message(author, *signers)).code, 250, "the reply")
    equal(results(sink.delivered()[-1]), expected, "the results")


def story_one(stage):
    """one key cannot be had: that signature is temperror, one passes, one fails"""
    passes(stage, "good.example",
           ["wobbly.example", "good.example", "bad.example"],
           [("dkim", "temperror", "wobbly.example"),
            ("dkim", "pass", "good.example"),
            ("dkim", "fail", "bad.example"),
            ("dmarc", "pass", "good.example")])


def story_aligned(stage):
    """an aligned signature passes, beside an aligned one without a key: DMARC pass"""
    passes(stage, "wobbly.example", ["wobbly.example", "mail.wobbly.example"],
           [("dkim", "temperror", "wobbly.example"),
            ("dkim", "pass", "mail.wobbly.example"),
            ("dmarc", "pass", "wobbly.example")])


def refused(stage, author, signers, code, rule, dmarc):
    _, filterd = begin(stage)
    equal(filterd.deliver(message(author, *signers)).code, code, "the reply")
    line = filterd.wait_line(rule=rule)[0]
    equal(line["dmarc"], dmarc, str(line))


def story_undecided(stage):
    """the aligned one is temperror, a stranger passes: neither pass nor fail, 451"""
    refused(stage, "wobbly.example",
            ["good.example", "wobbly.example", "bad.example"], 451,
            "dmarc-temperror", "temperror")


def story_stranger(stage):
    """a stranger's temperror hides no pass: the aligned one that fails is a fail"""
    refused(stage, "bad.example", ["wobbly.example", "bad.example"], 550,
            "dmarc-fail", "fail")


def story_silence(stage):
    """a key that nobody answers for is temperror after one timeout, the others count"""
    sink, filterd = begin(stage)
    begun = time.monotonic()
    equal(filterd.deliver(message("good.example", "hushed.example",
                                  "good.example", "bad.example")).code,
          250, "the reply")
    took = time.monotonic() - begun
    check(took < 2 * TIMEOUT, f"it took {took:.2f} s")
    equal(results(sink.delivered()[-1]),
          [("dkim", "temperror", "hushed.example"),
           ("dkim", "pass", "good.example"), ("dkim", "fail", "bad.example"),
           ("dmarc", "pass", "good.example")], "the results")
