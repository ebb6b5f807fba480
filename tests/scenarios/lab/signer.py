# signer.py: DKIM by dkimpy and openssl, which share no code with ours.
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import functools
import os
import subprocess

from .failure import Missing
from .program import find

try:
    import dkim
except ImportError:
    dkim = None
try:
    import authres
except ImportError:
    authres = None

SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]


@functools.lru_cache(maxsize=None)
def private_key(selector, domain, kind):
    """One key for each name, made when it is first needed."""
    how = {"rsa": ["genrsa", "2048"],
           "ed25519": ["genpkey", "-algorithm", "ed25519"]}[kind]
    return subprocess.run([find("openssl"), *how], check=True,
                          capture_output=True).stdout


@functools.lru_cache(maxsize=None)
def key_record(selector, domain, kind="rsa"):
    """The TXT record's text, for the zone."""
    der = subprocess.run([find("openssl"), "pkey", "-pubout", "-outform",
                          "DER"], input=private_key(selector, domain, kind),
                         check=True, capture_output=True).stdout
    if kind == "ed25519":
        der = der[-32:]
    return f"v=DKIM1; k={kind}; p=" + base64.b64encode(der).decode()


def sign(message, domain, selector, header=b"relaxed", body=b"simple"):
    if dkim is None:
        raise Missing("python3-dkim is not installed")
    field = dkim.sign(message, selector.encode(), domain.encode(),
                      private_key(selector, domain, "rsa"),
                      canonicalize=(header, body), include_headers=SIGNED)
    return field + message


def seal(message, domain, selector, results):
    """One set of ARC more, saying that; what is below it is said to pass."""
    if dkim is None or authres is None:
        raise Missing("python3-dkim or python3-authres is not installed")
    chain = "; arc=pass" if b"\nARC-Seal:" in b"\n" + message else ""
    told = f"Authentication-Results: {domain}; {results}{chain}\r\n".encode()
    fields = dkim.arc_sign(told + message, selector.encode(), domain.encode(),
                           private_key(selector, domain, "rsa"),
                           domain.encode(), include_headers=SIGNED)
    return b"".join(fields) + message


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


PERL = r"""
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
package Zone; sub new { bless {}, shift }
sub send { my ($self, $name) = @_;
    my $packet = Net::DNS::Packet->new($name, 'TXT');
    my $text = $ENV{'KEY_' . lc $name} or return $packet;
    $packet->push(answer => Net::DNS::RR->new(owner => $name, type => 'TXT',
        txtdata => [$text =~ /.{1,200}/g]));
    return $packet; }
package main;
Mail::DKIM::DNS::resolver(Zone->new);
my $verifier = Mail::DKIM::Verifier->new;
binmode STDIN; $verifier->PRINT($_) while <STDIN>; $verifier->CLOSE;
print join(' ', map { $_->domain } grep { $_->result eq 'pass' }
    $verifier->signatures);
"""


def verify_by_perl(message, records):
    """The same by Mail::DKIM, which knows RSA only."""
    environment = dict(os.environ)
    environment.update({"KEY_" + name: text for name, text in records.items()})
    done = subprocess.run([find("perl"), "-e", PERL], input=message,
                          capture_output=True, check=False, env=environment)
    if b"Can't locate Mail/DKIM" in done.stderr:
        raise Missing("libmail-dkim-perl is not installed")
    return done.stdout.decode().split()
