"""samples.py: the messages of contrib/quickstart, and what is to become of each.

They live in the world of zone.in and are judged by filterd.conf.
"""

# SPDX-License-Identifier: BSD-2-Clause

import dataclasses
import email
import time

import dkim

OURS = "mx.example.com"
SELECTOR = b"sample"
MEGABYTE = 1024 * 1024

BANK = ("198.51.100.10", "mail.bank.example")
SHOP = ("198.51.100.20", "mail.shop.example")
LIST = ("198.51.100.30", "mail.lists.example")
SMALL = ("198.51.100.40", "small.example")
STRANGER = ("198.51.100.66", "localhost.localdomain")
LISTED = ("203.0.113.66", "spam.example")
OFFICE = ("192.0.2.9", "desk.example.com")


@dataclasses.dataclass
class Sample:
    title: str
    client: tuple  # address and what it calls itself
    sender: str
    message: bytes
    code: int
    rule: str      # "-": no rule fired, which accepts
    recipient: str = "alice@example.com"
    extended: bool = True  # EHLO, so that the size is told in MAIL
    later: bool = False    # comes again, after the delay of greylisting
    # Takes the delivered message; returns what is wrong with it, or None.
    check: object = None


def compose(author, subject, text="Hello,\r\nthis is a sample.\r\n", extra=""):
    return ("From: %s\r\nTo: alice@example.com\r\nSubject: %s\r\n"
            "Date: %s\r\nMessage-ID: <%d@sample.example>\r\n%s\r\n%s"
            % (author, subject,
               time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()),
               time.time_ns(), extra, text)).encode()


def sign(message, domain, key):
    return dkim.sign(message, SELECTOR, domain, key,
                     canonicalize=(b"relaxed", b"simple"),
                     include_headers=[b"from", b"to", b"subject"]) + message


# ---- what a delivered message has to look like ------------------------------

def results(delivered):
    """The one Authentication-Results field that is ours."""
    message = email.message_from_bytes(delivered)
    ours = [" ".join(value.split())
            for value in message.get_all("Authentication-Results", [])
            if value.split(";")[0].strip() == OURS]
    return ours[0] if len(ours) == 1 else "%d fields of %s" % (len(ours), OURS)


def says(*words):
    def check(delivered):
        told = results(delivered)
        absent = [word for word in words if word not in told]
        return "%s is not in: %s" % (absent[0], told) if absent else None
    return check


def marked(rule):
    def check(delivered):
        message = email.message_from_bytes(delivered)
        told = message.get_all("X-Filterd-Quarantine", [])
        return None if told == [rule] else "quarantine marks: %s" % told
    return check


def unforged(delivered):
    if b"everything-is-fine" in delivered:
        return "the forged field is still there"
    return says("spf=pass", "dkim=none", "dmarc=none")(delivered)


# ---- the samples ------------------------------------------------------------

FORGED = ("Authentication-Results: mx.example.com;\r\n"
          " dkim=pass header.d=everything-is-fine.example\r\n"
          "Authentication-Results: MX.Example.Com 1; spf=pass"
          " smtp.mailfrom=everything-is-fine.example\r\n")


def authentic(key):
    signed = sign(compose("Bank <news@bank.example>", "your statement"),
                  b"bank.example", key)
    changed = signed.replace(b"this is a sample", b"the footer of a list")
    return [
        Sample("authentic: SPF, DKIM and DMARC pass", BANK,
               "news@bank.example", signed, 250, "-",
               check=says("spf=pass", "dkim=pass", "dmarc=pass")),
        Sample("DKIM broken by a list; p=reject alone", LIST,
               "owner@lists.example", changed, 250, "dmarc-quarantine",
               check=lambda delivered: marked("dmarc-quarantine")(delivered)
               or says("spf=pass", "dkim=fail", "dmarc=fail")(delivered)),
    ]


def forgeries():
    bank = compose("Bank <news@bank.example>", "urgent: your account")
    shop = compose("Shop <sales@shop.example>", "bargains")
    return [
        Sample("SPF fail", STRANGER, "news@bank.example", bank,
               550, "spf-fail"),
        Sample("DMARC spoof, first try", STRANGER, "x@small.example", bank,
               451, "greylist"),
        Sample("DMARC p=quarantine", LIST, "owner@lists.example", shop,
               250, "dmarc-quarantine", check=marked("dmarc-quarantine")),
        Sample("client listed", LISTED, "x@small.example",
               compose("x@small.example", "offers"), 554, "listed"),
        Sample("listed, but writes to postmaster", LISTED, "x@small.example",
               compose("x@small.example", "why am I listed?"),
               250, "postmaster", recipient="postmaster@example.com"),
        Sample("relay attempt", LIST, "owner@lists.example",
               compose("owner@lists.example", "through you"),
               550, "relay", recipient="someone@elsewhere.example"),
        Sample("forged Authentication-Results", LIST, "owner@lists.example",
               compose("owner@lists.example", "believe me", extra=FORGED),
               250, "-", check=unforged),
    ]


def ordinary():
    large = compose("owner@lists.example", "large",
                    "x" * 76 + "\r\n" + ("y" * 76 + "\r\n") * 15000)
    return [
        Sample("oversized, as it says", LIST, "owner@lists.example", large,
               552, "-size"),
        Sample("oversized, and does not say so", LIST, "owner@lists.example",
               large, 552, "-size", extended=False),
        Sample("our own network sends out", OFFICE, "bob@example.com",
               compose("bob@example.com", "hello"), 250, "trusted",
               recipient="someone@elsewhere.example"),
        Sample("unknown sender, greylisted", SMALL, "joe@small.example",
               compose("joe@small.example", "hello"), 451, "greylist"),
    ]


def retries():
    return [
        Sample("unknown sender, tries again", SMALL, "joe@small.example",
               compose("joe@small.example", "hello"), 250, "-", later=True),
        Sample("DMARC spoof, tries again", STRANGER, "x@small.example",
               compose("Bank <news@bank.example>", "urgent: your account"),
               550, "dmarc-reject", later=True),
    ]


def all_samples(key):
    return authentic(key) + forgeries() + ordinary() + retries()
