#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl try: the contract of --json, with messages that dkimpy signed, and
what people are shown.

Usage: try.py FILTERCTL
"""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import dkim
except ImportError:
    print("1..0 # SKIP python3-dkim is not installed")
    sys.exit(0)

POLICY = """
set hostname mx.example.com
list ours of domain { example.com }
use spf
use dkim
use dmarc
use dnsbl { zone bl.example.net 127.0.0.2 weight 5 }
use greylist { delay 5m }
at connect { accept trusted if client.ip in 192.0.2.0/24 }
at rcpt {
    accept postmaster if rcpt.local = "postmaster"
    reject relay if rcpt.domain not in ours reply 550 5.7.1 "relay denied"
    discard void if rcpt.local = "void"
    reject listed if dnsbl.score >= 5
        reply 554 5.7.1 "{client.ip} is listed: {dnsbl.reason}"
    tempfail spf-broken if spf.result = temperror
    reject spf-fail if spf.result = fail reply 550 5.7.23 "no {mail.domain}"
    would tempfail grey if not client.fcrdns
}
at message {
    reject from if header.from.problem != none reply 550 5.6.0 "From"
    rewrite add-header("X-Seen", "{client.ip}") if dkim.result = pass
    quarantine spoof if dmarc.result = fail
}
"""

ZONE = """
example.org.            300 IN TXT "v=spf1 ip4:198.51.100.9 -all"
_dmarc.example.org.     300 IN TXT "v=DMARC1; p=reject"
s1._domainkey.example.org. 300 IN TXT "v=DKIM1; k=rsa; p=%s"
9.100.51.198.in-addr.arpa. 300 IN PTR mail.example.org.
mail.example.org.       300 IN A 198.51.100.9
10.100.51.198.in-addr.arpa. 300 IN PTR mail.example.org.
12.100.51.198.in-addr.arpa. 300 IN PTR loop.example.org.
loop.example.org.       300 IN CNAME loop.example.org.
66.100.51.198.bl.example.net. 300 IN A 127.0.0.2
66.100.51.198.bl.example.net. 300 IN TXT "a known source"
example.org.rhs.example.net. 300 IN A 127.0.0.2
"""

MESSAGE = (b"From: Ann <ann@example.org>\r\nTo: bob@example.com\r\n"
           b"Subject: hello\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
           b"Message-ID: <1@example.org>\r\n\r\nHello Bob\r\n.\r\n..\r\n")


def make_key(folder):
    path = os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"],
                   check=True, stderr=subprocess.DEVNULL)
    der = subprocess.run(["openssl", "rsa", "-in", path, "-pubout",
                          "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    with open(path, "rb") as file:
        return file.read(), base64.b64encode(der).decode()


def quote(text):
    """A TXT string has at most 255 octets."""
    return '" "'.join(text[i:i + 200] for i in range(0, len(text), 200))


class World:
    def __init__(self, filterctl, folder):
        self.filterctl = filterctl
        self.folder = folder
        private, public = make_key(folder)
        self.signed = dkim.sign(MESSAGE, b"s1", b"example.org",
                                private) + MESSAGE
        self.config = self.write("filterd.conf", POLICY)
        self.zone = self.write("zone", ZONE % quote(public))
        self.out = os.path.join(folder, "out")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run(self, message, client="198.51.100.9", sender="ann@example.org",
            to=("bob@example.com",), extra=(), policy=None, form=("--json",)):
        config = self.config
        if policy is not None:
            config = self.write("other.conf", policy)
        command = [self.filterctl, "try", *form, "--config", config,
                   "--zone", self.zone, "--client", client, "--helo",
                   "mail.example.org", "--from", sender,
                   "--message-out", self.out]
        for recipient in to:
            command += ["--to", recipient]
        if os.path.exists(self.out):
            os.unlink(self.out)
        return subprocess.run(command + list(extra), input=message,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60,
                              env={**os.environ, "LC_ALL": "C"})

    def judge(self, *arguments, **named):
        done = self.run(*arguments, **named)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def show(self, *options, **named):
        done = self.run(self.signed, form=options, **named)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def delivered(self):
        with open(self.out, "rb") as file:
            return file.read()


def expect(result, **wanted):
    for name, value in wanted.items():
        assert result[name] == value, (name, result[name], value)


def facts(result, wanted):
    for name, value in wanted.items():
        found = result["facts"][name]
        assert found == value, (name, found, value)


def authentic(world):
    """an authentic message passes all checks"""
    result = world.judge(world.signed)
    expect(result, verdict="accept", rule=None, stage="message", reply=None)
    facts(result, {
        "spf.result": "pass", "spf.helo": "none", "spf.domain": "example.org",
        "dkim.result": "pass", "dkim.domains": ["example.org"],
        "dkim.results": ["pass:example.org:s1:rsa-sha256"],
        "dmarc.result": "pass", "dmarc.policy": "reject",
        "dmarc.disposition": "none", "dmarc.domain": "example.org",
        "dmarc.organization": "example.org", "dnsbl.score": 0,
        "dnsbl.zones": [], "header.from.domain": "example.org",
        "greylist.state": "new", "greylist.wait": 300000,
        "client.fcrdns": True})
    assert result["edits"] == [{"edit": "add-header", "name": "X-Seen",
                                "value": "198.51.100.9"}], result["edits"]


def as_the_backend(world):
    """--message-out is what the backend would get"""
    world.judge(world.signed)
    out = world.delivered()
    assert out.startswith(b"Authentication-Results: mx.example.com;\r\n")
    assert out.endswith(world.signed), out[-400:]
    assert b"\r\nX-Seen: 198.51.100.9\r\n" in out
    assert dkim.verify(out[out.index(b"DKIM-Signature"):],
                       dnsfunc=lambda name, timeout=5: next(
                           "".join(line.split('"')[1::2]).encode()
                           for line in open(world.zone)
                           if line.startswith("s1._domainkey")))


def reverse_name(world):
    """where the name was looked up, Authentication-Results has iprev"""
    for client, wanted in (
            ("198.51.100.9", b"pass (mail.example.org) policy.iprev=%s"),
            ("198.51.100.10", b"fail (mail.example.org) policy.iprev=%s"),
            ("198.51.100.11", b"permerror policy.iprev=%s"),
            ("198.51.100.12", b"temperror (loop.example.org) policy.iprev=%s"),
            ("2001:db8::1", b'permerror policy.iprev="%s"')):
        world.judge(world.signed, client=client, sender="a@nospf.example",
                    policy="at message { reject x if client.fcrdns and "
                           "mail.domain = \"no.example\" }")
        field = world.delivered().partition(b"\r\nReceived:")[0]
        wanted = b"\r\n    iprev=" + wanted % client.encode()
        assert field.endswith(wanted), (client, field)
    world.judge(world.signed, policy="at message { pass all }")
    assert b"iprev" not in world.delivered()


def tampered(world):
    """a changed body breaks DKIM, and SPF keeps DMARC"""
    result = world.judge(world.signed.replace(b"Hello Bob", b"Hello Eve"))
    expect(result, verdict="accept", rule=None)
    facts(result, {"dkim.result": "fail", "dkim.domains": [],
                   "dmarc.result": "pass"})


def spoofed(world):
    """a spoof of a p=reject domain is what the policy makes of it"""
    result = world.judge(MESSAGE, sender="x@elsewhere.example")
    expect(result, verdict="quarantine", rule="spoof", stage="message")
    facts(result, {"spf.result": "none", "dmarc.result": "fail",
                   "dmarc.disposition": "reject"})
    assert b"\r\nX-Filterd-Quarantine: spoof\r\n" in world.delivered()


def spf_fail(world):
    """a refused recipient has all facts of the message all the same"""
    result = world.judge(world.signed, client="203.0.113.7")
    expect(result, verdict="reject", rule="spf-fail", stage="rcpt",
           reply="550 5.7.23 no example.org")
    facts(result, {"spf.result": "fail", "dkim.result": "pass",
                   "dmarc.result": "pass", "client.fcrdns": False})
    assert not os.path.exists(world.out)


def listed(world):
    """a listed client is refused with the list's reason"""
    result = world.judge(world.signed, client="198.51.100.66")
    expect(result, verdict="reject", rule="listed",
           reply="554 5.7.1 198.51.100.66 is listed: a known source")
    facts(result, {"dnsbl.score": 5, "dnsbl.zones": ["bl.example.net"],
                   "dnsbl.reason": "a known source"})


def no_self_test(world):
    """a list is asked what the message asks, and not tested by itself"""
    done = world.run(world.signed, client="198.51.100.66", policy="""
use dnsbl { zone bl.example.net domain-zone rhs.example.net }
at mail { reject bad if dnsbl.mail-score >= 1 and dnsbl.score >= 1 }
""")
    assert done.returncode == 0, done.stderr.decode()
    assert b"suspended" not in done.stderr, done.stderr.decode()
    result = json.loads(done.stdout)
    expect(result, verdict="reject", rule="bad")
    asked = [question["name"] for question in result["dns"]]
    assert "example.org.rhs.example.net" in asked, asked
    assert "invalid.rhs.example.net" not in asked, asked


def recipients(world):
    """each recipient has its own verdict"""
    result = world.judge(world.signed, client="198.51.100.66", to=(
        "postmaster@example.com", "bob@example.com", "x@elsewhere.example",
        "void@example.com"))
    verdicts = [(r["verdict"], r["rule"]) for r in result["recipients"]]
    assert verdicts == [("accept", "postmaster"), ("reject", "listed"),
                        ("reject", "relay"), ("discard", "void")], verdicts


def trusted(world):
    """accept at connect names its rule and its stage"""
    result = world.judge(world.signed, client="192.0.2.1")
    expect(result, verdict="accept", rule="trusted", stage="connect")


def shadow(world):
    """would rules are told and not applied"""
    result = world.judge(world.signed, client="198.51.100.9")
    assert result["would"] == []
    result = world.judge(world.signed, client="2001:db8::1",
                         sender="a@nospf.example")
    assert result["would"] == [{"verdict": "tempfail", "rule": "grey",
                                "stage": "rcpt"}], result["would"]


def null_sender(world):
    """<> is the null reverse-path"""
    result = world.judge(world.signed, sender="<>")
    facts(result, {"mail.from": "", "mail.domain": None,
                   "spf.domain": "mail.example.org"})


def odd_sender(world):
    """a reverse-path that SMTP would refuse is judged all the same"""
    for sender, local, domain in (("@example.org", None, "example.org"),
                                  ("a b@example.org", "a b", "example.org"),
                                  ("a@b...example.org", "a",
                                   "b...example.org")):
        result = world.judge(world.signed, sender=sender)
        facts(result, {"mail.from": sender, "mail.local": local,
                       "mail.domain": domain})


def foreign(world):
    """arguments beyond ASCII are taken as they are in any locale"""
    sender = "\u00e4@b\u00fccher.example"
    result = world.judge(world.signed, sender=sender,
                         extra=["--helo", "b\u00fccher.example"])
    facts(result, {"mail.local": "\u00e4",
                   "mail.domain": "xn--bcher-kva.example"})


def bare_newline(world):
    """a bare LF among CRLFs is refused as on the wire"""
    result = world.judge(MESSAGE.replace(b"Hello", b"Hel\nlo"))
    expect(result, verdict="reject", rule="-newline", stage="message")
    assert result["reply"].startswith("550 5.6.11 ")


def unix_file(world):
    """a file with LF line ends is read as text of this system"""
    result = world.judge(world.signed.replace(b"\r\n", b"\n"))
    facts(result, {"dkim.result": "pass"})


def from_problems(world):
    """a message without exactly one From is told apart"""
    for text, problem in ((b"", "missing"), (b"From: a@b.example\r\n" * 2,
                                             "repeated"),
                          (b"From: a@b.example, c@d.example\r\n", "multiple"),
                          (b"From: a@b@c.example\r\n", "malformed")):
        result = world.judge(text + b"Subject: x\r\n\r\nbody\r\n")
        expect(result, verdict="reject", rule="from")
        facts(result, {"header.from.problem": problem})


def one_by_one(world):
    """recipients that have to come one by one are judged one by one"""
    result = world.judge(b"Subject: x\r\n\r\nbody\r\n", to=(
        "postmaster@example.com", "bob@example.com"))
    expect(result, verdict="accept", rule="postmaster")
    verdicts = [(r["verdict"], r["rule"]) for r in result["recipients"]]
    assert verdicts == [("accept", "postmaster"), ("reject", "from")], verdicts
    assert os.path.exists(world.out)


def over(world):
    """no accept at rcpt helps whoever was refused at connect"""
    result = world.judge(world.signed, policy="""
        at connect { reject net if client.ip in 198.51.100.0/24 }
        at rcpt { accept postmaster if rcpt.local = "postmaster" }""",
                         to=("postmaster@example.com",))
    expect(result, verdict="reject", rule="net", stage="connect")
    expect(result["recipients"][0], verdict="reject", rule="net")
    assert not os.path.exists(world.out)


def overruled(world):
    """a quarantine is overruled by a refusal, not by an accept"""
    for rule, wanted in (("reject no", ("reject", "no", "rcpt")),
                         ("accept yes", ("quarantine", "held", "connect"))):
        result = world.judge(world.signed, policy="""
            at connect { quarantine held }
            at rcpt { %s }""" % rule)
        expect(result, verdict=wanted[0], rule=wanted[1], stage=wanted[2])
        expect(result["recipients"][0], verdict=wanted[0], rule=wanted[1])


def late_refusal(world):
    """a refusal at data is the recipient's, too"""
    result = world.judge(world.signed, policy="""
        at rcpt { quarantine held } at data { tempfail later }""")
    expect(result, verdict="tempfail", rule="later", stage="data",
           reply="451 4.7.1 refused for now by local policy, try again later")


def syntax(world):
    """an accept does not pass over bare newlines or loops"""
    result = world.judge(MESSAGE.replace(b"Hello", b"Hel\nlo"),
                         client="192.0.2.1")
    expect(result, verdict="reject", rule="-newline", stage="message")
    result = world.judge(b"Received: from a by b\r\n" * 101 + MESSAGE,
                         client="192.0.2.1")
    expect(result, verdict="reject", rule="-loop", stage="message")
    assert result["reply"].startswith("554 5.4.6 ")
    assert not os.path.exists(world.out)


def nobody_goes(world):
    """where no recipient goes on, the first one's verdict is the whole's"""
    result = world.judge(world.signed, to=("x@elsewhere.example",
                                           "void@example.com"))
    expect(result, verdict="reject", rule="relay", stage="rcpt")
    result = world.judge(world.signed, to=("x@elsewhere.example",
                                           "bob@example.com"))
    expect(result, verdict="accept", rule=None, stage="message")


def unusable(world):
    """unusable input is exit status 2"""
    assert world.run(b"").returncode == 2
    assert world.run(MESSAGE, client="nowhere").returncode == 2
    assert world.run(MESSAGE, sender="a@b\rc").returncode == 2
    assert world.run(MESSAGE, extra=["--zone", "/nowhere"]).returncode == 2
    assert world.run(MESSAGE, extra=["--helo", "a\nb"]).returncode == 2
    assert world.run(MESSAGE, extra=["one", "two"]).returncode == 2
    assert world.run(MESSAGE, policy="at rcpt { x }").returncode == 2
    assert world.run(MESSAGE, extra=["--message-out", "/nowhere/x"]
                     ).returncode == 2


VIEW = """Rules
  at connect
    no       accept trusted
               client.ip in 192.0.2.0/24: no, client.ip is 198.51.100.66
  at rcpt, bob@example.com
    no       accept postmaster
               rcpt.local = "postmaster": no, rcpt.local is bob
    no       reject relay
               rcpt.domain in ours: yes, rcpt.domain is example.com
    no       discard void
               rcpt.local = "void": no, rcpt.local is bob
    yes      reject listed
               dnsbl.score >= 5: yes, dnsbl.score is 5
Facts
  client.ip = 198.51.100.66
  rcpt.local = bob
  rcpt.domain = example.com
  dnsbl.score = 5
  dnsbl.reason = a known source
DNS
  66.100.51.198.bl.example.net A: 127.0.0.2, 0 ms
  66.100.51.198.bl.example.net TXT: "a known source", 0 ms
Verdict
  reject listed at rcpt
    554 5.7.1 198.51.100.66 is listed: a known source
"""


def people(world):
    """people see each rule and why, what was asked, and the verdict"""
    text = world.show(client="198.51.100.66")
    text = re.sub(r"\d+ ms", "0 ms", text)
    assert text == VIEW, text


def people_end(world):
    """people see no rules that a refused client would not have met"""
    text = world.show(policy="""
        use spf
        at connect { reject net if client.ip in 198.51.100.0/24 }
        at mail { pass spf if spf.result = pass }
        at rcpt { accept all }""")
    assert "at rcpt" not in text and "at mail" not in text, text
    assert "\nDNS\n" not in text and "spf.result" not in text, text
    text = world.show(policy="""
        at mail { tempfail later }
        at rcpt { accept all }
        at data { accept all }""")
    assert "at rcpt" not in text and "at data" not in text, text
    text = world.show(policy="""
        at rcpt { reject all }
        at data { accept all }""")
    assert "at data" not in text, text


def people_edits(world):
    """people see the edits, and facts only as far as rules asked"""
    text = world.show()
    assert "\nEdits\n  add-header X-Seen: 198.51.100.9\nVerdict\n" in text
    assert "yes      rewrite add-header\n" in text
    assert "dkim.result = pass\n" in text and "dkim.domains" not in text
    assert "dkim.domains = example.org\n" in world.show("--facts")


def people_recipients(world):
    """people see the rules of each recipient, and what becomes of each"""
    text = world.show(to=("x@y.example", "bob@example.com"))
    assert "  at rcpt, x@y.example\n" in text
    assert text.endswith("""Verdict
  x@y.example: reject relay at rcpt
    550 5.7.1 relay denied
  bob@example.com: accept at message
  the message: accept at message
"""), text


SPLIT = """
    set quarantine spool
    at rcpt { quarantine held if rcpt.local = "kept" }
    at message {
        rewrite add-header("X-For", "ann") if rcpt.local = "ann"
        rewrite add-header("X-For", "bob") if rcpt.local = "bob"
        reject no if rcpt.local = "no"
        rewrite add-header("X-All", "1")
    }
"""
SPLIT_TO = tuple("%s@example.com" % local
                 for local in ("kept", "no", "ann", "bob", "void"))


def people_split(world):
    """people see what becomes of each recipient of a message that is split"""
    text = world.show(to=SPLIT_TO, policy=SPLIT)
    assert text.partition("Edits\n")[2] == """\
  for kept@example.com
    add-header X-All: 1
  for ann@example.com
    add-header X-For: ann
    add-header X-All: 1
  for bob@example.com
    add-header X-For: bob
    add-header X-All: 1
  for void@example.com
    add-header X-All: 1
Verdict
  kept@example.com: quarantine held at rcpt
    kept in quarantine, not delivered
  no@example.com: reject no at message
    550 5.7.1 refused by local policy
  ann@example.com: accept at message
  bob@example.com: accept at message
  void@example.com: accept at message
""", text
    alone = world.show(to=SPLIT_TO[:1], policy=SPLIT)
    assert alone.endswith("Verdict\n  quarantine held at rcpt\n"
                          "    kept in quarantine, not delivered\n"), alone
    marked = world.show(to=SPLIT_TO[:1], policy=SPLIT.replace("spool", "mark"))
    assert "not delivered" not in marked, marked


def people_order(world):
    """who is kept is told so, whoever was named before"""
    text = world.show(to=(SPLIT_TO[2], SPLIT_TO[0]), policy=SPLIT)
    assert "kept in quarantine, not delivered" in text, text


def json_split(world):
    """of a message that is split the object has the edits of each recipient"""
    result = world.judge(world.signed, to=SPLIT_TO, policy=SPLIT)
    found = [(r["to"].partition("@")[0], r["kept"],
              "".join(edit["value"] for edit in r["edits"]))
             for r in result["recipients"]]
    assert found == [("kept", True, "1"), ("no", False, ""),
                     ("ann", False, "ann1"), ("bob", False, "bob1"),
                     ("void", False, "1")], found
    expect(result, verdict="quarantine", rule="held",
           edits=[{"edit": "add-header", "name": "X-All", "value": "1"}])
    result = world.judge(world.signed, to=SPLIT_TO[1:3], policy=SPLIT)
    assert result["edits"] == result["recipients"][1]["edits"] != [], result


def split_out(world):
    """what is kept here is not what the backend would get"""
    world.judge(world.signed, to=SPLIT_TO, policy=SPLIT)
    assert b"\r\nX-For: ann\r\n" in world.delivered()
    world.judge(world.signed, to=SPLIT_TO[:1], policy=SPLIT)
    assert not os.path.exists(world.out)


def people_width(world):
    """lines are broken between words at 80 columns"""
    words = " ".join(["word"] * 40)
    text = world.show(policy='at helo { reject x reply 550 "%s" }' % words)
    assert max(map(len, text.splitlines())) <= 80, text
    assert text.count("word") == 40 and "\n      word" in text, text


def people_colour(world):
    """colour where it is asked for, and not into a pipe"""
    assert "\x1b" not in world.show()
    assert "\x1b[32maccept\x1b[0m" in world.show("--color=always")
    assert world.run(MESSAGE, form=("--color=red",)).returncode == 2


def json_why(world):
    """the object has the rules with why, and the questions"""
    result = world.judge(world.signed, client="198.51.100.66")
    assert [r["rule"] for r in result["rules"]] == [
        "trusted", "postmaster", "relay", "void", "listed"]
    assert result["rules"][4]["why"] == [{
        "expression": "dnsbl.score >= 5", "truth": "yes", "depth": 0,
        "facts": {"dnsbl.score": 5}}]
    assert [(q["name"], q["type"], q["answer"]) for q in result["dns"]] == [
        ("66.100.51.198.bl.example.net", "A", "127.0.0.2"),
        ("66.100.51.198.bl.example.net", "TXT", '"a known source"')]


def dead_dns(world):
    """a question that has no answer says so"""
    text = world.show(client="198.51.100.12",
                      policy="at helo { pass named if client.fcrdns }")
    assert "unknown  pass named\n               client.fcrdns: unknown\n" in text
    assert "12.100.51.198.in-addr.arpa PTR: loop.example.org, " in text
    assert "loop.example.org A: the servers failed, " in text, text


STORIES = [authentic, as_the_backend, reverse_name, tampered, spoofed,
           spf_fail, listed,
           no_self_test, recipients, trusted, shadow, null_sender, odd_sender,
           foreign, bare_newline, unix_file,
           from_problems, one_by_one, over, overruled, late_refusal, syntax,
           nobody_goes, unusable, people, people_end, people_edits,
           people_recipients,
           people_split, people_order, json_split, split_out,
           people_width, people_colour, json_why, dead_dns]


def main():
    failed = 0
    print("1..%d" % len(STORIES))
    with tempfile.TemporaryDirectory() as folder:
        world = World(sys.argv[1], folder)
        for number, story in enumerate(STORIES, 1):
            try:
                story(world)
                print("ok %d %s" % (number, story.__doc__))
            except (AssertionError, KeyError, ValueError, OSError) as error:
                failed += 1
                print("not ok %d %s" % (number, story.__doc__))
                print("# %r" % (error,))
            sys.stdout.flush()
    return 1 if failed else 0


sys.exit(main())
