# SPDX-License-Identifier: BSD-2-Clause
"""Signs messages by dkimpy's parts, in every way that RFC 6376 allows, and in
many that it does not; and asks dkimpy and Mail::DKIM what they think of them.
"""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import time

import dkim
import dkim.canonicalization
import dkim.crypto
import nacl.encoding
import nacl.signing

KEYS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "..", "plugins", "dkim", "keys")
SHA = {"rsa-sha1": hashlib.sha1}
CANON = dkim.canonicalization.CanonicalizationPolicy
BITS = {512: "rsa512", 768: "rsa768", 1024: "rsa1024", 2048: "rsa2048",
        4096: "rsa4096"}


class Plan:
    """A message, its signature and the key record; a twist changes one of
    them. What the record says is (name, value) too."""

    def __init__(self, dice, selector):
        self.dice, self.selector, self.domain = dice, selector, "example.org"
        self.fields, self.body = make_fields(dice), make_body(dice)
        self.kind, self.bits = "rsa", 2048
        self.algorithm = None
        header, body = dice.choice(["simple", "relaxed"]), \
            dice.choice(["simple", "relaxed"])
        self.canon = header + "/" + body
        self.names = ["From", "To", "Subject", "Date"] + dice.sample(
            ["From", "Subject", "X-Twice", "X-Twice", "X-Empty", "X-None",
             "x-twice", "Reply-To", "X-Wide"], dice.randrange(5))
        self.length = None      # of l=
        self.tags = {}          # that replace others; None: is not there
        self.more = []          # texts of tags behind all others
        self.name = "DKIM-Signature"
        self.blank = dice.choice(["", " ", "\r\n\t", " \r\n  "])
        self.space = dice.choice([("", "", " "), ("", "", "\r\n "),
                                  ("", "\r\n\t", " ")])
        self.shuffle = dice.random() < 0.5
        self.last = dice.choice(["", ";", ";\r\n "])
        self.record = {"v": "DKIM1", "k": "rsa", "p": None}
        self.record_more = []
        self.record_text = None     # all of it
        self.records = None         # several TXT
        self.alias = dice.random() < 0.1
        self.after = []             # what becomes of the signed message
        self.misleads_dkimpy = False

    def key_name(self):
        return self.selector + "._domainkey." + self.domain


# ---- what is signed ---------------------------------------------------------

WORDS = ["a", "b c", "  two", "tab\there", "end ", "end\t", "caf\u00e9",
         "x" * 300, "=?utf-8?q?=C3?=", "(c)", "\"q\"", "a:b", "a=b;c"]


def make_fields(dice):
    def text():
        return " ".join(dice.choice(WORDS) for _ in range(dice.randrange(1, 6)))
    fields = [["From", " Alice <alice@example.org>"],
              ["To", dice.choice(["b@example.com", " b@example.com,\r\n c@d.e",
                                  "\tb@example.com \t"])],
              ["Subject", " " + text() + dice.choice(
                  ["", "\r\n " + text(), "\r\n\t" + text() + " "])],
              ["Date", " Thu, 14 Jan 2027 10:00:00 +0000"],
              ["X-Empty", dice.choice(["", " ", "\t "])],
              ["X-Twice", " one " + text()], ["x-twice", "two"],
              ["X-Other", " " + text()],
              ["X-Wide", " " + "y" * 990]]
    if dice.random() < 0.2:
        fields[2][0] = "SUBJECT"
    dice.shuffle(fields)
    return fields


def make_body(dice):
    lines = ["text", " lead", "trail ", "trail\t", "in  side", "\t", " ", "",
             "", "", ".", "..", "caf\u00e9", "x" * 998, "\u007f", "From me"]
    return "".join(dice.choice(lines) + "\r\n"
                   for _ in range(dice.choice([0, 0, 1, 2, 5, 12])))


def octets(text):
    return text.encode("utf-8", "surrogateescape")


# ---- the signature ----------------------------------------------------------

def body_hash(plan, algorithm):
    policy = CANON.from_c_value(octets(plan.canon))
    body = policy.canonicalize_body(octets(plan.body))
    if plan.length is not None:
        body = body[:plan.length]
    digest = SHA.get(algorithm, hashlib.sha256)(body).digest()
    return base64.b64encode(digest).decode()


def body_length(plan):
    policy = CANON.from_c_value(octets(plan.canon))
    return len(policy.canonicalize_body(octets(plan.body)))


def tag_pairs(plan):
    algorithm = plan.algorithm or ("ed25519-sha256" if plan.kind == "ed25519"
                                   else "rsa-sha256")
    pairs = {"v": "1", "a": algorithm, "c": plan.canon, "d": plan.domain,
             "s": plan.selector, "h": ":".join(plan.names), "bh": None,
             "b": ""}
    pairs.update(plan.tags)
    if "bh" not in plan.tags:
        pairs["bh"] = body_hash(plan, algorithm)
    if plan.length is not None and "l" not in plan.tags:
        pairs["l"] = str(plan.length)
    pairs = [(name, value) for name, value in pairs.items()
             if value is not None]
    if plan.shuffle:
        plan.dice.shuffle(pairs)
    return pairs, algorithm


def format_field(plan, pairs):
    """Its value; what b= gets stands where the mark is."""
    before, behind, between = plan.space
    # It looks for "b=" behind a blank, and cuts white space off the end of a
    # simple header, too.
    plan.misleads_dkimpy = plan.blank == "" and pairs[0][0] == "b" or (
        plan.canon.startswith("simple") and plan.last.endswith(" "))
    texts = [f"{name}{before}={behind}{value}" if name != "b"
             else f"b{before}={behind}\0" for name, value in pairs]
    return plan.blank + (";" + between).join(texts + plan.more) + plan.last


def make_digest(plan, value, algorithm):
    """What is signed: the fields of h= from the bottom, and the signature."""
    policy = CANON.from_c_value(octets(plan.canon))
    digest = SHA.get(algorithm, hashlib.sha256)()
    fields = [(octets(name), octets(value) + b"\r\n")
              for name, value in plan.fields]
    chosen = dkim.select_headers(
        fields, [octets(name.strip().lower()) for name in plan.names])
    for name, text in policy.canonicalize_headers(chosen):
        digest.update(name + b":" + text)
    bare = re.sub(r"(?<==)[^;=]*\0[^;]*", "", value)
    [(name, text)] = policy.canonicalize_headers(
        [(octets(plan.name), octets(bare) + b"\r\n")])
    digest.update(name + b":" + text[:-2])
    return digest


class Hashed:
    """A digest that dkimpy's RSA takes."""

    def __init__(self, digest):
        self.name, self.digest = digest.name, digest.digest


def private_key(name):
    with open(os.path.join(KEYS, name), "rb") as file:
        return file.read()


def sign_digest(plan, digest):
    if plan.kind == "ed25519":
        key = nacl.signing.SigningKey(private_key("ed25519").strip(),
                                      nacl.encoding.Base64Encoder)
        return key.sign(digest.digest()).signature
    key = dkim.crypto.parse_pem_private_key(private_key(BITS[plan.bits]))
    return dkim.crypto.RSASSA_PKCS1_v1_5_sign(Hashed(digest), key)


def break_lines(dice, text):
    if dice.random() < 0.3:
        return text
    blank = dice.choice(["\r\n ", "\r\n\t", " ", "\r\n  \t"])
    return blank.join(text[at:at + 40] for at in range(0, len(text), 40))


def sign(plan):
    """The message in octets."""
    pairs, algorithm = tag_pairs(plan)
    value = format_field(plan, pairs)
    made = base64.b64encode(sign_digest(
        plan, make_digest(plan, value, algorithm))).decode()
    made = plan.tags.get("b") or break_lines(plan.dice, made)
    fields = [[plan.name, value.replace("\0", made)]] + plan.fields
    body = plan.body
    for change in plan.after:
        fields, body = change(fields, body)
    return octets("".join(f"{name}:{text}\r\n" for name, text in fields)
                  + "\r\n" + body)


# ---- the key ----------------------------------------------------------------

def public_key(plan):
    if plan.kind == "ed25519":
        key = nacl.signing.SigningKey(private_key("ed25519").strip(),
                                      nacl.encoding.Base64Encoder)
        return base64.b64encode(key.verify_key.encode()).decode()
    text = subprocess.run(
        ["openssl", "rsa", "-pubout", "-in",
         os.path.join(KEYS, BITS[plan.bits])],
        capture_output=True, check=True, text=True).stdout
    return "".join(text.splitlines()[1:-1])


def record_text(plan):
    text = plan.record_text
    if text is None:
        pairs = dict(plan.record)
        if "p" in pairs and pairs["p"] is None:
            pairs["p"] = "KEY"
        text = "; ".join([f"{tag}={value}" for tag, value in pairs.items()]
                         + plan.record_more)
    return text


def split(plan, text):
    size = plan.dice.choice([255, 255, 100, 64, 17])
    return [text[at:at + size] for at in range(0, len(text), size)] or [""]


def record_strings(plan, cache={}):  # pylint: disable=dangerous-default-value
    """TXT records, each a list of strings."""
    name = (plan.kind, plan.bits)
    if name not in cache:
        cache[name] = public_key(plan)
    if plan.records is None:
        plan.records = [record_text(plan)]
    if plan.records and isinstance(plan.records[0], str):
        plan.records = [split(plan, text.replace("KEY", cache[name]))
                        for text in plan.records]
    return plan.records


def zone_text(text):
    return '"' + "".join(
        chr(octet) if 32 < octet < 127 and octet not in b'"\\;()$@'
        else "\\%03d" % octet for octet in octets(text)) + '"'


def zone_lines(plan):
    """In master format."""
    owner = plan.key_name()
    if plan.alias:
        yield f"{owner}. 0 CNAME key.{owner}.\n"
        owner = "key." + owner
    for strings in record_strings(plan):
        yield f"{owner}. 0 TXT {' '.join(map(zone_text, strings))}\n"


# ---- others who verify ------------------------------------------------------

PERL = r"""
BEGIN { *CORE::GLOBAL::time = sub { $ENV{NOW} }; }
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS; use MIME::Base64;
package Zone; sub new { bless { names => {} }, shift }
sub send { my ($self, $name) = @_;
    my $packet = Net::DNS::Packet->new($name, 'TXT');
    for my $record (@{$self->{names}{lc $name} || []}) {
        my $rr = Net::DNS::RR->new(owner => $name, type => 'TXT',
            rdata => $record);
        $packet->push(answer => $rr);
    }
    return $packet; }
package main;
my $zone = Zone->new;
open my $records, '<', shift or die;
while (<$records>) { chomp; my ($name, @parts) = split /\t/;
    my $rdata = join '', map { my $s = pack 'H*', $_; chr(length $s) . $s }
        map { substr $_, 1 } @parts;
    push @{$zone->{names}{lc $name}}, $rdata; }
Mail::DKIM::DNS::resolver($zone);
for my $file (@ARGV) {
    my $verifier = Mail::DKIM::Verifier->new;
    open my $message, '<:raw', $file or die;
    my $fine = eval { local $SIG{__DIE__}; local $SIG{ALRM} = sub { die };
        alarm 10; $verifier->PRINT($_) while <$message>; $verifier->CLOSE;
        alarm 0; 1 };
    my ($own) = grep { ($_->selector // '') eq 'main' . ($file =~ /(\d+)$/)[0] }
        $fine ? $verifier->signatures : ();
    print defined $own ? $own->result : 'none', "\n";
}
"""


def has_perl():
    return shutil.which("perl") is not None and subprocess.run(
        ["perl", "-MMail::DKIM", "-e", "1"], capture_output=True,
        check=False).returncode == 0


def ask_perl(plans, paths, folder):
    """Whether each passes; the paths end with the numbers of the selectors."""
    zone = os.path.join(folder, "perl-zone")
    with open(zone, "w", encoding="ascii") as file:
        for plan in plans:
            for strings in record_strings(plan):
                file.write("\t".join([plan.key_name()] + [
                    "x" + octets(text).hex() for text in strings]) + "\n")
    done = subprocess.run(["perl", "-e", PERL, zone] + paths, check=True,
                          capture_output=True,
                          env={**os.environ, "NOW": str(int(time.time()))})
    return [line == b"pass" for line in done.stdout.splitlines()]


def ask_dkimpy(plan, message):
    names = [plan.key_name().lower()]
    texts = record_strings(plan)

    def ask(name, **_):
        name = name.decode("utf-8", "replace").rstrip(".").lower()
        return octets("".join(texts[0])) if name in names and texts else None
    try:
        judge = dkim.DKIM(message)
        signatures = [value for name, value in judge.headers
                      if name.lower() == b"dkim-signature"]
        own = [i for i, value in enumerate(signatures)
               if octets(plan.selector) in value]
        return bool(own) and bool(judge.verify(own[0], dnsfunc=ask))
    except Exception:  # pylint: disable=broad-except
        return False
