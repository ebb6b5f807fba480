"""Signs messages by the plugin and has them verified by dkimpy and, as far as it
can (no Ed25519), by Mail::DKIM.

SPDX-License-Identifier: BSD-2-Clause
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import dkim
except ImportError:
    print("1..0 # SKIP python3-dkim is not installed")
    sys.exit(0)

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = (b"From: Alice <alice@example.org>\r\n"
          b"to:bob@example.com,\r\n\t carol@example.com  \r\n"
          b"Subject: a  subject \t of\r\n  \t three\r\n lines \r\n"
          b"Date: Thu, 14 Jan 2027 10:00:00 +0000\r\n"
          b"X-Signed: one\r\nX-signed:  two\r\nX-Other: three\r\n")
MESSAGES = {
    "an empty body": FIELDS + b"\r\n",
    "one empty line": FIELDS + b"\r\n\r\n",
    "blank lines at the end": FIELDS + b"\r\na\r\n\r\n \t\r\n\r\n",
    "blanks everywhere": FIELDS + b"\r\n a  b \t\r\n\tc \r\nd\te\r\n",
    "lines with dots": FIELDS + b"\r\n.\r\n..a\r\n.\r\n",
    "octets over 127": b"Subject: \xc3\xa9\r\n" + FIELDS
                       + b"\r\n\xff\xfe caf\xc3\xa9\r\n",
    "long lines": b"Subject: " + b"x" * 980 + b"\r\n " + b"y" * 900
                  + b"\r\n" + FIELDS + b"\r\n" + b"z" * 998 + b"\r\n",
    "ten megabytes": FIELDS + b"\r\n"
                     + (b"This line  is of very\tmany. " * 32 + b"\r\n") * 11500,
}
FORMS = ["simple/simple", "simple/relaxed", "relaxed/simple",
         "relaxed/relaxed"]
PERL = r"""
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
package Zone; sub new { bless {}, shift }
sub send { my ($self, $name) = @_;
    my $packet = Net::DNS::Packet->new($name, 'TXT');
    open my $zone, '<', $ENV{ZONE} or die;
    while (<$zone>) {
        my ($owner) = split ' ';
        $packet->push(answer => Net::DNS::RR->new($_)) if lc $owner eq lc $name;
    }
    return $packet; }
package main;
Mail::DKIM::DNS::resolver(Zone->new);
for my $file (@ARGV) {
    my $verifier = Mail::DKIM::Verifier->new;
    open my $message, '<:raw', $file or die;
    $verifier->PRINT($_) while <$message>;
    $verifier->CLOSE;
    print join(' ', map { $_->algorithm . '=' . $_->result }
        $verifier->signatures), "\n";
}
"""


def records():
    """TXT texts by name."""
    with open(os.path.join(HERE, "zone"), encoding="ascii") as file:
        for line in file:
            yield (line.split()[0],
                   "".join(re.findall(r'"([^"]*)"', line)).encode())


ZONE = dict(records())
time.time = lambda: 1800000000  # as the harness


def sign(message, form, path):
    subprocess.run([sys.argv[1], form, path], input=message, check=True,
                   capture_output=True)
    with open(path, "rb") as file:
        return file.read()


def verifies(message, index):
    return dkim.DKIM(message).verify(
        index, dnsfunc=lambda name, **_: ZONE.get(name.decode().rstrip(".")))


def dkimpy(signed):
    """The top signature is RSA's, the next Ed25519's."""
    return verifies(signed, 0) and verifies(signed, 1)


def has_perl():
    return shutil.which("perl") and subprocess.run(
        ["perl", "-MMail::DKIM", "-e", "1"], capture_output=True,
        check=False).returncode == 0


def mail_dkim(paths):
    out = subprocess.run(
        ["perl", "-e", PERL] + paths, check=True, capture_output=True,
        env={**os.environ, "ZONE": os.path.join(HERE, "zone")}).stdout
    return ["rsa-sha256=pass" in line for line in out.decode().splitlines()]


def main():
    cases = [(name, form) for name in MESSAGES for form in FORMS
             if name != "ten megabytes" or form == FORMS[-1]]
    print("1..%d" % (len(cases) * 2))
    point = 0

    def report(fine, text, skip=""):
        nonlocal point
        point += 1
        print("%s %d %s%s" % ("ok" if fine else "not ok", point, text, skip))
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for name, form in cases:
            paths.append(os.path.join(directory, str(len(paths))))
            signed = sign(MESSAGES[name], form, paths[-1])
            report(dkimpy(signed), "dkimpy verifies %s, %s" % (name, form))
        there = has_perl()
        results = mail_dkim(paths) if there else [True] * len(paths)
        for (name, form), fine in zip(cases, results):
            report(fine, "Mail-DKIM verifies %s, %s" % (name, form),
                   "" if there else " # SKIP libmail-dkim-perl is missing")


main()
