# octets.py: a message with everything in it that programs like to change.
#
# SPDX-License-Identifier: BSD-2-Clause
from .failure import check, equal
from .message import Delivered

HEADER = (b"From: Alice <alice@example.org>\r\n"
          b"To: bob@example.com,\r\n\tcarol@example.com\r\n"
          b"Date: Sun, 22 Nov 2026 03:20:54 +0000\r\n"
          b"Message-ID: <octets@example.org>\r\n"
          b"Subject: a field\r\n  in three\r\n\t lines, with a blank at the end"
          b" \r\n"
          b"X-Odd:no blank\r\nx-empty: \r\n"
          b"X-Long: " + b"x" * 900 + b"\r\n")
LINES = (b"hello", b".", b"..", b".dot", b"...", b"", b" .", b"blanks  ",
         b"\ttab\t", b"From the start of a line", b">From it", b"\x01\x0b\x0c",
         b"x" * 998)
BODY = b"".join(line + b"\r\n" for line in LINES)
MESSAGE = HEADER + b"\r\n" + BODY
EIGHTBIT = HEADER + "\r\nGrüße, 你好\r\n".encode() + BODY
# What filterd puts on top.
OWN = ("received", "authentication-results")


def check_same(delivered, sent, also=()):
    """Octet by octet, but for fields on top: ours, and `also`."""
    check(delivered.octets.endswith(sent),
          f"{delivered.octets!r} does not end with {sent!r}")
    top = delivered.octets[:-len(sent)]
    names = [name.lower() for name, _ in
             Delivered(top + b"\r\n", []).fields if name]
    equal([name for name in names if name not in OWN + tuple(also)], [],
          "fields on top")
    check("received" in names, f"{top!r}: no Received of ours")
