"""Changes sealed messages at random, and compares what the plugin says of them
with dkimpy and Mail::DKIM.

SPDX-License-Identifier: BSD-2-Clause

verifiers.py JUDGE [COUNT [SEED]]: every difference needs a reason that is
written down here. Nothing may pass here that fails with both.
"""
import os
import random
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
NOW = 1800000000  # as the harness
time.time = lambda: NOW
PERL = r"""
BEGIN { *CORE::GLOBAL::time = sub { 1800000000 }; }
use Mail::DKIM::ARC::Verifier; use Mail::DKIM::DNS; use Net::DNS;
package Zone; sub new { bless {}, shift }
sub send { my ($self, $name) = @_;
    my $packet = Net::DNS::Packet->new($name, 'TXT');
    open my $zone, '<', $ENV{ZONE} or die;
    while (my $line = <$zone>) {
        my ($owner) = split ' ', $line;
        $packet->push(answer => Net::DNS::RR->new($line))
            if lc $owner eq lc $name;
    }
    return $packet; }
package main;
Mail::DKIM::DNS::resolver(Zone->new);
for my $file (@ARGV) {
    my $verifier = Mail::DKIM::ARC::Verifier->new(Strict => 1);
    open my $message, '<:raw', $file or die;
    my $text = do { local $/; <$message> };
    my $fine = eval { $verifier->PRINT($text); $verifier->CLOSE; 1 };
    print $fine ? $verifier->result // 'none' : 'died', "\n";
}
"""

PERL_ONLY, BOTH = {"Mail::DKIM"}, {"Mail::DKIM", "dkimpy"}
# Mail::DKIM needs eight seconds for each (and lets the second pass).
LONG = ["fifty", "instance-51"]
# Changes, what the plugin says then, who else lets it pass.
REASONS = [
    # dkimpy hashes the sets as the fields stand, not by instance (RFC 8617
    # 5.1.1).
    ("shuffled|twice", "pass -", PERL_ONLY),
    # Neither takes "Name :" for a field of that name, nor hashes it without
    # the space (RFC 6376 3.4.2).
    ("folding", "pass -", set()),
    ("folding", "pass -", {"dkimpy"}),
    # Others see the start of the body there, or a field that is not signed.
    (".*", "fail the header holds a line that is no field", PERL_ONLY),
    (".*", "fail the header holds a line that is no field", BOTH),

    # dkimpy: c= that is absent is simple/simple (RFC 6376 3.5); Ed25519 is for
    # ARC, too (RFC 8463).
    ("canon-absent", "pass -", PERL_ONLY),
    ("ed25519", "pass -", PERL_ONLY),
    # cv= is a word of ABNF (RFC 8617 3.9), i= may have a zero in front and
    # comments around it (3.9), v= is to be ignored (4.1.2).
    # They know no U-labels (RFC 8617 4.1.4).
    ("unicode-domain", "pass -", set()),
    ("comments|cv-capitals|instance-wide|version", "pass -", set()),
    # An older message signature need not pass (RFC 8617 5.2, step 5).
    ("expired-below", "pass -", {"dkimpy"}),

    # dkimpy ignores x=, Mail::DKIM times that are to come.
    ("expired", "fail the signature has expired", {"dkimpy"}),
    ("future", "fail the signature is from the future", PERL_ONLY),
    # MUST NOT be (RFC 8617 4.1.2), has to be there (RFC 6376 5.4, 3.5), MUST
    # fail (RFC 8617 4.1.3).
    ("covers-", "fail h= covers a field of ARC", BOTH),
    ("covers-no-from", "fail h= does not cover From", BOTH),
    ("message-without-h", "fail h= is missing", PERL_ONLY),
    ("seal-with-names", "fail h= is not allowed", PERL_ONLY),
    # Around the instance and in cv= there may be comments, elsewhere not (RFC
    # 8617 3.9, RFC 6376 3.2).
    ("comment-elsewhere", "fail malformed tag name", BOTH),
    # 1 to 50, one or two digits (RFC 8617 3.9, 4.2.1).
    ("instance-junk", "fail i= is missing or no instance", {"dkimpy"}),
    ("instance-padded", "fail i= is missing or no instance", BOTH),
    # RFC 6376 3.5: not over the length of the body.
    ("length-beyond", "fail l= is beyond the body", BOTH),
    # Our own limits.
    ("names-many", "fail h= is too long", BOTH),
    ("tag-huge", "fail the field is too long", BOTH),
    ("tags-many", "fail too many tags", BOTH),
    # Readers see the one that is not signed.
    ("two-authors", "fail a From field is not signed", PERL_ONLY),
]


def records():
    """TXT texts by name."""
    with open(os.path.join(HERE, "zone"), encoding="ascii") as file:
        for line in file:
            yield (line.split()[0].lower(),
                   "".join(re.findall(r'"([^"]*)"', line)).encode())


ZONE = dict(records())


def read(name):
    with open(os.path.join(HERE, "messages", name + ".eml"), "rb") as file:
        return file.read().replace(b"\n", b"\r\n")


# ---- changes ----------------------------------------------------------------

def split(message):
    """Its fields, each with its CRLF, and the rest."""
    header, body = message.split(b"\r\n\r\n", 1)
    return re.split(rb"(?<=\r\n)(?![ \t])", header + b"\r\n"), b"\r\n" + body


def joined(fields, body):
    return b"".join(fields) + body


def sealed(rng, fields):
    """The place of any field of ARC."""
    return rng.choice([i for i, field in enumerate(fields)
                       if field.lower().startswith(b"arc-")])


def octet(rng, message):
    """Another octet somewhere."""
    at = rng.randrange(len(message))
    if message[at] in b"\r\n":
        return message
    return (message[:at] + rng.choice([b"x", b"=", b";", b" ", b":", b"A"])
            + message[at + 1:])


def sealed_octet(rng, message):
    fields, body = split(message)
    at = sealed(rng, fields)
    fields[at] = octet(rng, fields[at])
    return joined(fields, body)


def missing(rng, message):
    fields, body = split(message)
    del fields[sealed(rng, fields)]
    return joined(fields, body)


def twice(rng, message):
    fields, body = split(message)
    fields.insert(rng.randrange(len(fields)), fields[sealed(rng, fields)])
    return joined(fields, body)


def shuffled(rng, message):
    fields, body = split(message)
    rng.shuffle(fields)
    return joined(fields, body)


def instance(rng, message):
    fields, body = split(message)
    at = sealed(rng, fields)
    number = str(rng.choice([0, 1, 2, 3, 4, 6, 49, 50, 51, 1000])).encode()
    fields[at] = re.sub(rb"i=\d+", b"i=" + number, fields[at], count=1)
    return joined(fields, body)


def status(rng, message):
    fields, body = split(message)
    at = sealed(rng, fields)
    word = rng.choice([b"none", b"fail", b"pass", b"Pass", b"", b"x"])
    fields[at] = re.sub(rb"cv=\w+", b"cv=" + word, fields[at])
    return joined(fields, body)


def folding(rng, message):
    """White space that relaxed canonicalization does not see."""
    fields, body = split(message)
    at = sealed(rng, fields)
    fields[at] = rng.choice([
        lambda f: f.replace(b" ", b"\r\n\t "),
        lambda f: f.replace(b" ", b" \t "),
        lambda f: f.replace(b":", b" :", 1),
        lambda f: f.replace(b":", b": \t", 1),
        lambda f: f.replace(b"\r\n", b"  \r\n"),
        bytes.upper if fields[at].isupper() else
        lambda f: f.split(b":")[0].swapcase() + b":" + f.split(b":", 1)[1],
    ])(fields[at])
    return joined(fields, body)


def tag(rng, message):
    fields, body = split(message)
    at = sealed(rng, fields)
    more = rng.choice([b"h=from", b"x=1", b"x=1900000000", b"zz=1", b"v=1",
                       b"l=5", b"t=5", b"oops", b"", b"i=1", b"d=evil.example",
                       b"q=dns/txt", b"q=x"])
    fields[at] = fields[at].replace(b";", b"; " + more + b";", 1)
    return joined(fields, body)


def body_end(rng, message):
    return message + rng.choice([b"\r\n", b"\r\n\r\n", b" \r\n", b"x\r\n"])


CHANGES = [octet, sealed_octet, missing, twice, shuffled, instance, status,
           folding, tag, body_end]
BASES = ["dkimpy-1", "dkimpy-2", "dkimpy-3", "dkimpy-5", "dkimpy-changed",
         "crafted-2", "simple-simple"]


# ---- verifiers --------------------------------------------------------------

def dkimpy(message):
    def ask(name, **_):
        return ZONE.get(name.decode("latin-1").rstrip(".").lower())
    try:
        return dkim.ARC(message).verify(dnsfunc=ask)[0] == b"pass"
    except Exception:  # of whatever kind
        return False


def has_perl():
    return shutil.which("perl") and subprocess.run(
        ["perl", "-MMail::DKIM::ARC::Verifier", "-e", "1"],
        capture_output=True, check=False).returncode == 0


def lines(command, **environment):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL,
                          env={**os.environ, **environment})
    return [line for line in done.stdout.decode("latin-1").splitlines()
            if not line.startswith("#")]


def mail_dkim(paths):
    return [line == "pass" for line in
            lines(["perl", "-e", PERL] + paths,
                  ZONE=os.path.join(HERE, "zone"))]


def explained(name, said, others, asked):
    return any(re.match(change, name) and re.match(pattern, said)
               and others == who & asked for change, pattern, who in REASONS)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 8617)
    messages = []
    for i in range(count):
        change = CHANGES[i % len(CHANGES)]
        base = rng.choice(BASES)
        messages.append((change.__name__ + " of " + base,
                         change(rng, read(base))))
    names = [name[:-4] for name in
             sorted(os.listdir(os.path.join(HERE, "messages")))]
    messages += [(name, read(name)) for name in names if name not in LONG]
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for i, (_, message) in enumerate(messages):
            paths.append(os.path.join(directory, str(i)))
            with open(paths[-1], "wb") as file:
                file.write(message.replace(b"\r\n", b"\n"))
        ours = lines([sys.argv[1]] + paths)
        for path, (_, message) in zip(paths, messages):
            with open(path, "wb") as file:
                file.write(message)
        theirs = mail_dkim(paths) if has_perl() else None
    print("1..%d" % len(messages))
    for i, (name, message) in enumerate(messages):
        passes = {"dkimpy"} if dkimpy(message) else set()
        asked = {"dkimpy"}
        if theirs is not None:
            asked.add("Mail::DKIM")
            passes |= {"Mail::DKIM"} if theirs[i] else set()
        same = passes == (asked if ours[i].startswith("pass ") else set())
        fine = same or explained(name, ours[i], passes, asked)
        print("%s %d %s: %s%s" % (
            "ok" if fine else "not ok", i + 1, name, ours[i],
            "" if same else ", passes with " + " ".join(sorted(passes))))
        if not fine and os.environ.get("KEEP"):
            with open(os.path.join(os.environ["KEEP"], str(i)), "wb") as file:
                file.write(message)


main()
