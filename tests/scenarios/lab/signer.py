# signer.py: DKIM by dkimpy and openssl, which share no code with ours.
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import functools
import subprocess

from .failure import Missing
from .program import find

try:
    import dkim
except ImportError:
    dkim = None

SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]


@functools.lru_cache(maxsize=None)
def private_key(selector, domain):
    """One key for each name, made when it is first needed."""
    return subprocess.run([find("openssl"), "genrsa", "2048"], check=True,
                          capture_output=True).stdout


@functools.lru_cache(maxsize=None)
def key_record(selector, domain):
    """The TXT record's text, for the zone."""
    der = subprocess.run([find("openssl"), "rsa", "-pubout", "-outform", "DER"],
                         input=private_key(selector, domain), check=True,
                         capture_output=True).stdout
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()


def sign(message, domain, selector):
    if dkim is None:
        raise Missing("python3-dkim is not installed")
    field = dkim.sign(message, selector.encode(), domain.encode(),
                      private_key(selector, domain), include_headers=SIGNED)
    return field + message


def verify(message, records):
    """The domains whose signatures verify. `records`: TXT texts by name."""
    if dkim is None:
        raise Missing("python3-dkim is not installed")

    def ask(name, timeout=5):
        text = records.get(name.decode().rstrip(".").lower())
        return text.encode() if text is not None else None
    verifier = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature"
                for name, _ in verifier.headers)
    passed = []
    for index in range(count):
        try:
            if verifier.verify(index, dnsfunc=ask):
                passed.append(verifier.domain.decode())
        except dkim.DKIMException:
            continue
    return passed
