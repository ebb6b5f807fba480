# groups.py: LMTP recipients of several groups, whose messages differ: each of
# them is signed as it goes out.
#
# SPDX-License-Identifier: BSD-2-Clause
import os

from lab.failure import check, equal
from lab.lmtp import LmtpClient
from lab.program import HOST, free_port
from lab.signer import key_record, private_key, verify

MESSAGE = (b"From: Alice <alice@example.org>\r\nTo: all@example.com\r\n"
           b"Subject: for all\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
           b"\r\nTen green bottles\r\n")
RULES = """
use dkim {{ key example.org rsa "{path}" }}
at mail {{ rewrite dkim.sign() }}
at message {{
    rewrite change-header("Subject", "for bob") if rcpt.local = "bob"
    rewrite change-header("Subject", "for carol") if rcpt.local = "carol"
    reject no if rcpt.local = "dave" reply 550 5.7.1 "no"
}}
"""


def story_groups(stage):
    """each group of LMTP's recipients gets its own message, rightly signed"""
    path = os.path.join(stage.directory, "rsa.pem")
    with open(path, "wb") as file:
        file.write(private_key("rsa", "example.org", "rsa"))
    record = key_record("rsa", "example.org")
    sink, port = stage.sink(), free_port()
    stage.filterd(f"listen lmtp {HOST}:{port} {{ }}\n"
                  + RULES.format(path=path), sink, identity="none")
    client = LmtpClient(HOST, port)
    client.begin()
    client.mail("alice@example.org", *(
        f"{name}@example.com" for name in ("bob", "dave", "carol", "erin")))
    codes = [reply.code for reply in client.message(MESSAGE, 4)]
    equal(codes, [250, 550, 250, 250], client.story())
    found = {}
    for message in sink.delivered(3):
        equal(verify(message.octets, {"rsa._domainkey.example.org": record}),
              ["example.org"], f"signatures: {message.octets!r}")
        found[message.recipients[0]] = message.octets
    for name, subject in (("bob", b"for bob"), ("carol", b"for carol"),
                          ("erin", b"for all")):
        check(b"\r\nSubject: " + subject + b"\r\n"
              in found[f"{name}@example.com"], f"{name}: {found!r}")
