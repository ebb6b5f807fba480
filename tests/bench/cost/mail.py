# mail.py: signed messages of any size, and the zone that vouches for them.
#
# SPDX-License-Identifier: BSD-2-Clause
from lab import signer
from lab.dns import text_record

DOMAINS = 200
CLIENT, LISTED = "198.51.100.10", "198.51.100.30"
RECIPIENT = "bob@example.com"
WORDS = ("the message has been kept for as long as the rest of them and is "
         "told what became of it when somebody asks ").split()
WIDTH = 66
BLOCK = 65536  # of text that is made; a longer one repeats it


def domain(number):
    return f"d{number % DOMAINS}.example.net"


def sender(number):
    return f"alice@{domain(number)}"


def records():
    key = signer.key_record("s1", "example.net")
    found = ["2.0.0.127.bl.example.net. A 127.0.0.2",
             "30.100.51.198.bl.example.net. A 127.0.0.2",
             "10.100.51.198.in-addr.arpa. PTR mail.example.net.",
             "mail.example.net. A 198.51.100.10"]
    for number in range(DOMAINS):
        name = domain(number)
        found += [f'{name}. TXT "v=spf1 ip4:198.51.100.0/28 '
                  'ip4:127.0.0.0/8 -all"',
                  f'_dmarc.{name}. TXT "v=DMARC1; p=reject"',
                  text_record(f"s1._domainkey.{name}", key)]
    return found


def block():
    lines, line, length = [], "", 0
    while length < BLOCK:
        for word in WORDS:
            line = f"{line} {word}" if line else word
            if len(line) > WIDTH:
                lines.append(line + "\r\n")
                length += len(line) + 2
                line = ""
    return "".join(lines).encode()


def text(size):
    """Whole lines of that many octets, or a few less."""
    piece = block()
    body = piece * (size // len(piece) + 1)
    return body[:body.rindex(b"\r\n", 0, size) + 2]


def message(number, body):
    """From that domain, signed by the key that all share."""
    head = (f"From: Alice <{sender(number)}>\r\n"
            f"To: {RECIPIENT}\r\nSubject: what a message costs\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{number}@example.net>\r\n\r\n").encode()
    field = signer.dkim.sign(
        head + body, b"s1", domain(number).encode(),
        signer.private_key("s1", "example.net", "rsa"),
        canonicalize=(b"relaxed", b"relaxed"), include_headers=signer.SIGNED)
    return field + head + body


def messages(size):
    """One of each domain."""
    body = text(size)
    return [message(number, body) for number in range(DOMAINS)]
