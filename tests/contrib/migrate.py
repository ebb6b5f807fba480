#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""contrib/migrate: what it prints is right, and judges as it was judged before.

Usage: migrate.py FILTERCTL | --write

The configurations beside it have @DIR@ for where they are. Those of Debian's
packages, and their manual pages, are read where contrib/install unpacked them.
--write puts the tables into filterd-migration(7).
"""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SAMPLES = os.path.join(HERE, "migrate")
UNPACKED = "/var/cache/filterd-tests"
MIGRATE = os.path.join(TOP, "contrib/migrate")
PAGE = os.path.join(TOP, "docs/filterd-migration.7")

sys.path.insert(0, os.path.join(TOP, "contrib"))
from points import Skip, play_all  # noqa: E402
from migration import manual, opendkim, opendmarc  # noqa: E402
from migration import policyd_spf, postgrey  # noqa: E402

PROGRAMS = ["opendkim", "opendmarc", "policyd-spf", "pyspf-milter", "postgrey",
            "postfix"]
RICH = {"opendkim": "opendkim.conf", "opendmarc": "opendmarc.conf",
        "policyd-spf": "policyd-spf.conf", "postgrey": "postgrey",
        "postfix": "."}
# Each is one run of the command.
SAMPLE_RUNS = {
    "all of them, asked by Postfix": RICH,
    "OpenDKIM with tables": {"opendkim": "opendkim.conf"},
    "OpenDKIM with one key": {"opendkim": "single.conf"},
    "OpenDKIM with several signatures": {"opendkim": "tables.conf"},
    "OpenDMARC": {"opendmarc": "opendmarc.conf"},
    "policyd-spf": {"policyd-spf": "policyd-spf.conf"},
    "policyd-spf that refuses nothing": {"policyd-spf": "test-only.conf"},
    "policyd-spf that refuses little": {"policyd-spf": "cautious.conf"},
    "policyd-spf by an old name": {"policyd-spf": "seed-only.conf"},
    "postgrey by host": {"postgrey": "postgrey"},
    "postgrey by network": {"postgrey": "postgrey-subnet"},
}
SHIPPED = {
    "opendkim": "opendkim/etc/opendkim.conf",
    "opendmarc": "opendmarc/etc/opendmarc.conf",
    "policyd-spf": "postfix-policyd-spf-python/etc/postfix-policyd-spf-python/"
    "policyd-spf.conf",
    "pyspf-milter": "pyspf-milter/etc/pyspf-milter/pyspf-milter.conf",
    "postgrey": "postgrey/usr/share/postgrey/postgrey-default",
}
WHITELISTS = "--whitelist-clients=%s/postgrey/usr/share/postgrey/" \
    "whitelist_clients --whitelist-recipients=%s/postgrey/usr/share/postgrey/" \
    "whitelist_recipients" % (UNPACKED, UNPACKED)

# Where the manual page is, how a setting stands in it, and the table.
PAGES = [
    ("opendkim", "man5/opendkim.conf.5.gz", r"^\.TP *\n\.I ([\w-]+) \(",
     opendkim.TABLE, 100),
    ("opendmarc", "man5/opendmarc.conf.5.gz", r"^\.TP *\n\.I ([\w-]+) \(",
     opendmarc.TABLE, 40),
    ("postfix-policyd-spf-python", "man5/policyd-spf.conf.5.gz",
     r"^(?:\\fB)?([A-Za-z]+(?:_[A-Za-z]+)*|QueueID) *= |"
     r"^\.I (\w+) \((?:string|integer|dataset)\)",
     policyd_spf.TABLE, 25),
    ("postgrey", "man8/postgrey.8.gz", r"^\\& .*?(\\-\\-[\w\\-]+)",
     postgrey.TABLE, 25),
]
# In the shipped file, the page about users, or in a sentence; and no option.
BESIDE = {"MacroListVerify", "Per_User", "defaultSeedOnly"}
NO_OPTION = {"--whitelist-x"}
# They have no line of their own to be a remark of.
SILENT = {"BaseDirectory", "Mode", "Include", "Reason_Message",
          "SPF_Enhanced_Status_Codes", "--whitelist-clients",
          "--whitelist-recipients"}

ZONE = """
good.example.            300 IN TXT "v=spf1 ip4:198.51.100.0/24 ip4:10.9.8.7 ip4:203.0.113.1 -all"
bad.example.             300 IN TXT "v=spf1 -all"
soft.example.            300 IN TXT "v=spf1 ~all"
broken.example.          300 IN TXT "v=spf1 include:"
_dmarc.strict.example.   300 IN TXT "v=DMARC1; p=reject"
_dmarc.hold.example.     300 IN TXT "v=DMARC1; p=quarantine"
9.100.51.198.in-addr.arpa. 300 IN PTR mail.good.example.
mail.good.example.       300 IN A 198.51.100.9
7.2.0.192.in-addr.arpa.  300 IN PTR vger.kernel.org.
vger.kernel.org.         300 IN A 192.0.2.7
77.113.0.203.in-addr.arpa. 300 IN PTR h7.lab.example.com.
h7.lab.example.com.      300 IN A 203.0.113.77
66.100.51.198.zen.example. 300 IN A 127.0.0.4
67.100.51.198.zen.example. 300 IN A 127.0.0.4
67.100.51.198.list.dnswl.example. 300 IN A 127.0.9.2
67.100.51.198.wl.example.  300 IN A 127.0.0.3
68.100.51.198.bl.example.  300 IN A 127.0.0.5
69.100.51.198.bl.example.  300 IN A 127.0.0.9
evil.example.dbl.example.  300 IN A 127.0.1.5
"""
MESSAGE = ("From: Ann <ann@%s>\nTo: bob@example.org\nSubject: hello\n"
           "Date: Sun, 22 Nov 2026 10:00:00 +0000\nMessage-ID: <1@%s>\n\n"
           "Hello\n")
PERL = {
    "main.cf": "mynetworks = 10.0.0.0/8\nsmtpd_recipient_restrictions =\n"
    "    permit_mynetworks reject_unauth_destination\n"
    "    check_policy_service unix:private/spfcheck\n",
    "master.cf": "spfcheck unix - n n - 0 spawn\n"
    "    user=policyd-spf argv=/usr/sbin/postfix-policyd-spf-perl\n",
    "exempt_spf_addresses": "203.0.113.0/24 192.0.2.1\n",
}
NONSENSE = {
    "opendkim": "ClockDrift soon\nKeyTable /nowhere\n"
    "SigningTable refile:/nowhere\nInternalHosts db:/nowhere.db\n=\n",
    "opendmarc": "DNSTimeout never\nIgnoreHosts /nowhere\nWhat is this\n",
    "policyd-spf": "HELO_reject = Perhaps\nLookup_Time = long\nwhat\n",
    "postgrey": 'POSTGREY_OPTS="--delay=x --max-age=-1 --retry-window=1w '
    '--frob --whitelist-clients=/nowhere"\nX=1\n',
    "main.cf": "smtpd_client_restrictions = reject_rbl_client a.example=1.[2\n"
    "smtpd_recipient_restrictions = reject_rbl_client\n"
    "smtpd_helo_restrictions = check_policy_service\n",
}
SPF = {"policyd-spf": "policyd-spf.conf"}
DMARC = {"opendmarc": "opendmarc.conf"}
DKIM = {"opendkim": "opendkim.conf"}
GREY = {"postgrey": "postgrey"}
# A sentence, the files, the client, reverse-path, recipient, author's domain;
# what has to be in the verdict: verdict, rule, a part of the reply.
VERDICTS = [
    ("SPF fail is refused", SPF, "198.51.100.9", "a@bad.example",
     "b@example.org", "x.example", ("reject", "spf-fail",
                                    "550 5.7.1 rejected by SPF fail")),
    ("SPF softfail is refused, as it was said", SPF, "198.51.100.9",
     "a@soft.example", "b@example.org", "x.example",
     ("reject", "spf-fail", "550")),
    ("a client of Whitelist is not asked for SPF", SPF, "203.0.113.5",
     "a@bad.example", "b@example.org", "x.example", ("accept", None, None)),
    ("the null reverse-path is judged by HELO", SPF, "198.51.100.9", "<>",
     "b@example.org", "x.example", ("accept", None, None)),
    ("a permerror is refused", SPF, "198.51.100.9", "a@broken.example",
     "b@example.org", "x.example", ("reject", "spf-permerror", "550")),
    ("TestOnly = 0 refuses nothing", {"policyd-spf": "test-only.conf"},
     "198.51.100.9", "a@bad.example", "b@example.org", "x.example",
     ("accept", None, None)),
    ("No_Mail refuses nothing that cannot be told", {
        "policyd-spf": "cautious.conf"}, "198.51.100.9", "a@bad.example",
     "b@example.org", "x.example", ("accept", None, None)),
    ("DMARC p=reject is refused", DMARC, "198.51.100.9", "a@good.example",
     "b@example.org", "strict.example",
     ("reject", "dmarc-reject", "550 5.7.1 no strict.example here")),
    ("DMARC p=quarantine is held", DMARC, "198.51.100.9", "a@good.example",
     "b@example.org", "hold.example",
     ("quarantine", "dmarc-quarantine", None)),
    ("a host of IgnoreHosts is not asked for DMARC", DMARC, "192.0.2.130",
     "a@good.example", "b@example.org", "strict.example",
     ("accept", None, None)),
    ("a host that IgnoreHosts excludes is", DMARC, "192.0.2.131",
     "a@good.example", "b@example.org", "strict.example",
     ("reject", "dmarc-reject", "550")),
    ("an author of IgnoreMailFrom is not asked for DMARC", DMARC,
     "198.51.100.9", "a@good.example", "b@example.org", "other.example",
     ("accept", None, None)),
    ("who is new is greylisted", GREY, "198.51.100.9", "a@good.example",
     "b@example.org", "x.example",
     ("tempfail", "greylist", "450 4.7.1 Greylisted for ")),
    ("by default that is 451", {"postgrey": "postgrey-subnet"},
     "198.51.100.9", "a@good.example", "b@example.org", "x.example",
     ("tempfail", "greylist", "451 4.7.1 Greylisted")),
    ("a whitelisted address is not greylisted", GREY, "10.9.8.7",
     "a@good.example", "b@example.org", "x.example", ("accept", None, None)),
    ("three numbers are a network", GREY, "66.216.126.200", "a@good.example",
     "b@example.org", "x.example", ("accept", None, None)),
    ("a whitelisted recipient is not greylisted, with an extension", GREY,
     "198.51.100.9", "a@good.example", "Postmaster+x@example.org", "x.example",
     ("accept", None, None)),
    ("a recipient that a pattern fits is not", GREY, "198.51.100.9",
     "a@good.example", "vip.1@example.com", "x.example",
     ("accept", None, None)),
    ("a recipient below a domain is not", GREY, "198.51.100.9",
     "a@good.example", "b@very.quick.example", "x.example",
     ("accept", None, None)),
    ("reject_rbl_client refuses", RICH, "198.51.100.66", "a@good.example",
     "b@example.org", "x.example", ("reject", "postscreen-listed", "550")),
    ("what a list of postscreen weighs is summed up, and taken away again",
     RICH, "198.51.100.67", "a@good.example", "postmaster@example.org",
     "x.example", ("accept", None, None)),
    ("warn_if_reject refuses nothing", RICH, "198.51.100.68",
     "a@good.example", "postmaster@example.org", "x.example",
     ("accept", None, None)),
    ("a domain of reject_rhsbl_sender is refused", RICH, "198.51.100.9",
     "a@evil.example", "b@example.org", "x.example",
     ("reject", "rhsbl-sender-listed", "554 5.7.1 ")),
    ("mynetworks may", RICH, "10.1.1.1", "a@bad.example", "b@example.org",
     "x.example", ("accept", None, None)),
    ("Postfix's order: SPF before greylisting", RICH, "198.51.100.9",
     "a@bad.example", "b@example.org", "x.example",
     ("reject", "spf-fail", "550")),
]
# The files, the client, the author, whose signatures are on what goes out.
SIGNED = [
    ("a domain of the signing table signs", DKIM, "127.0.0.1",
     "ann@example.com", ["example.com:s1"]),
    ("the first row that fits signs", DKIM, "127.0.0.1",
     "boss@example.com", ["example.net:s2"]),
    ("a pattern of domains signs", DKIM, "127.0.0.1", "ann@www.example.com",
     ["example.com:s1"]),
    ("nobody else's mail is signed", DKIM, "127.0.0.1", "ann@example.net", []),
    ("a stranger's mail is not signed", DKIM, "198.51.100.9",
     "ann@example.com", []),
    ("an internal host's mail is signed, by its confirmed name", DKIM,
     "203.0.113.77", "ann@example.com", ["example.com:s1"]),
    ("a peer's mail is not signed", DKIM, "192.0.2.99", "ann@example.com", []),
    ("SubDomains sign", {"opendkim": "single.conf"}, "127.0.0.1",
     "ann@www.example.com", ["example.com:s1"]),
    ("MultipleSignatures sign", {"opendkim": "tables.conf"}, "192.0.2.9",
     "boss@example.com", ["example.net:s2", "example.com:s1",
                          "example.com:s3"]),
]


# What has to be said, in so many words, for the files.
SAID = [
    (DMARC, "set authserv-id mx.example.com", "mode rfc7489", "timeout 4s",
     "trusted lists.example.net lists.example.org", "reports on",
     'report-contact "postmaster@example.com"',
     'rewrite add-recipient("abuse@example.com")'),
    (DKIM, "canonicalization relaxed/simple", "clock-drift 200s",
     "oversign From Subject", "sign-headers From To Subject Date",
     "signature-lifetime 86400s", "minimum-key-bits 2048", "signatures 5",
     "timeout 4s", "resolver 127.0.0.1@53 ::1@53",
     'rewrite remove-header("DKIM-Signature")'),
    (SPF, "void-limit 3", "budget 15s", "receiver unknown",
     "rewrite spf.received()"),
    (GREY, "delay 120s", "window 12h", "lifetime 10d", "white-lifetime 10d",
     "white-after 3", "keys network", "network-v4 32", "network-v6 128"),
    ({"postgrey": "postgrey-subnet"}, "lifetime 35d", "white-after 5",
     "network-v4 26", "network-v6 56"),
    (RICH, "set hostname mx.example.com", "greeting-delay 6s",
     "zone bl.example 127.0.0.2 127.0.0.4-6 weight 2",
     "zone wl.example weight -4", "zone zen.example 127.0.0.2-11 weight 1",
     "domain-zone dbl.example 127.0.1.2-99 weight 1 on helo ask host",
     "127.0.255.1-3 weight -1", "if postscreen.score >= 3"),
]


class World:
    def __init__(self, filterctl, folder):
        self.filterctl = filterctl
        self.folder = folder
        for name in os.listdir(SAMPLES):
            with open(os.path.join(SAMPLES, name), encoding="utf-8") as file:
                self.write(name, file.read().replace("@DIR@", folder))
        for key in ("k1", "k2", "k3"):
            subprocess.run(["openssl", "genrsa", "-traditional", "-out",
                            self.path(key + ".pem"), "2048"], check=True,
                           stderr=subprocess.DEVNULL)
        self.write("anchor", ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D0"
                   "8458E880409BBC683457104237C7F8EC8D\n")
        self.zone = self.write("zone", ZONE)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def migrate(self, files, *more):
        command = [MIGRATE, *more]
        for word in PROGRAMS:
            name = files.get(word)
            command += ["--" + word, os.path.normpath(self.path(name))
                        if name else "none"]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, timeout=60)

    def policy(self, files, *more):
        done = self.migrate(files, *more)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def refuses_milters(self):
        """A version that cannot serve them says so of the bare statement."""
        return self.check("listen milter 127.0.0.1:8899\n").returncode != 0

    def check(self, text):
        return subprocess.run([self.filterctl, "check",
                               self.write("checked.conf", text)],
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=60)

    def judge(self, files, client, sender, recipient, author, *more):
        path = self.write("judged.conf", self.policy(files, "--proxy"))
        domain = author.rpartition("@")[2]
        message = (MESSAGE % (domain, domain)).replace(
            "ann@" + domain, author if "@" in author else "ann@" + domain)
        done = subprocess.run(
            [self.filterctl, "try", "--json", "--zone", self.zone, "--client",
             client, "--helo", "mail.good.example", "--from", sender, "--to",
             recipient, *more, path], input=message, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


# ---- what is printed -----------------------------------------------------------

def is_right(world, files):
    proxy = world.policy(files, "--proxy")
    done = world.check(proxy)
    assert done.returncode == 0 and ": error: " not in done.stdout, done.stdout
    milter = world.policy(files)
    assert "\nlisten milter 127.0.0.1:8899\n" in milter, milter
    if world.refuses_milters():
        milter = re.sub(r"^listen milter .*$", "", milter, flags=re.M)
    done = world.check(milter)
    assert done.returncode == 0 and ": error: " not in done.stdout, done.stdout


def shipped_is_right(world, word):
    path = os.path.join(UNPACKED, SHIPPED[word])
    if not os.path.exists(path):
        raise Skip("%s is not installed" % word)
    shutil.copy(path, world.path("shipped"))
    if word == "postgrey":
        with open(world.path("shipped"), "a", encoding="utf-8") as file:
            file.write('\nPOSTGREY_OPTS="$POSTGREY_OPTS %s"\n' % WHITELISTS)
    files = {word: "shipped"}
    is_right(world, files)
    assert not world.migrate(files).returncode, "something was not known"


def shipped_whitelist(world):
    shipped_is_right(world, "postgrey")
    found = world.judge({"postgrey": "shipped"}, "192.0.2.7",
                        "a@kernel.org", "b@example.org", "x.example")
    assert found["verdict"] == "accept", found


def is_told(world):
    done = world.migrate(RICH)
    assert done.returncode == 1, done
    for line in ("opendkim.conf:27 Frobnicate: no setting that is known here",
                 "opendkim.conf:26 SendReports: reports on single messages",
                 "keytable:4: the key stands in the table",
                 "signingtable:4 SigningTable: there is no key inline",
                 "wl-clients:7 two words: this is no entry",
                 "main.cf:2 mynetworks: hash:",
                 "opendkim.conf:9 InternalHosts: 192.168.* is no domain",
                 "check_policy_service: inet:127.0.0.1:12345 is another's"):
        assert line in done.stderr, (line, done.stderr)
        first = line.split(":")[0]
        assert first in done.stdout.split("# ---- Not carried over")[1], line
    assert "smtpd_milters = inet:127.0.0.1:8899 inet:localhost:11332" in \
        re.sub(r"\s+#?\s*", " ", done.stdout), done.stdout


def nothing_asked_is_left_out(world):
    world.write("main.cf", "myhostname = mx.example.com\n")
    done = world.migrate(RICH)
    with open(os.path.join(SAMPLES, "main.cf"), encoding="utf-8") as file:
        world.write("main.cf", file.read())
    assert done.stderr.count("does not ask it: left out") == 4, done.stderr
    assert "\nat " not in done.stdout, done.stdout
    assert "authserv-id" not in done.stdout, done.stdout


def says(world):
    for files, *wanted in SAID:
        text = re.sub(r"\s+", " ", world.policy(files, "--proxy"))
        for words in wanted:
            assert " %s " % words in text, words


def nonsense_is_told(world):
    """Never a traceback, and never a policy that is not right."""
    for name, text in NONSENSE.items():
        path = {"main.cf": "nonsense/main.cf"}.get(name, name + "-nonsense")
        os.makedirs(world.path("nonsense"), exist_ok=True)
        world.write(path, text)
        files = {"postfix": "nonsense"} if name == "main.cf" \
            else {name: path}
        done = world.migrate(files, "--proxy")
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == 2 or done.stderr.count("\n") >= \
            text.count("\n"), (text, done.stderr)
        assert done.returncode == 2 or world.check(
            done.stdout).returncode == 0, done.stdout


def perl_has_two_files(world):
    """master.cf says that it was in use, and main.cf for whom."""
    folder = world.path("perl")
    os.makedirs(folder)
    for name, text in PERL.items():
        world.write("perl/" + name, text)
    files = {"postfix": "perl"}
    is_right(world, files)
    for client, sender, verdict in (
            ("198.51.100.9", "a@bad.example", "reject"),
            ("203.0.113.9", "a@bad.example", "accept"),
            ("198.51.100.9", "a@soft.example", "accept"),
            ("10.0.0.1", "a@bad.example", "accept"),
            ("198.51.100.9", "<>", "accept")):
        found = world.judge(files, client, sender, "b@example.org",
                            "x.example")
        assert found["verdict"] == verdict, (client, sender, found)
    world.write("perl/exempt_spf_domains", "bad.example\n")
    found = world.judge(files, "198.51.100.9", "a@bad.example",
                        "b@example.org", "x.example")
    assert found["verdict"] == "accept", found


def each_becomes_something(world):
    printed = "".join(world.policy(files, "--proxy").split(
        "# ---- Not carried over")[0] for files in SAMPLE_RUNS.values())
    for table in (opendkim.TABLE, opendmarc.TABLE, policyd_spf.TABLE,
                  postgrey.TABLE):
        for name, row in table.items():
            if row.kind == "to" and name not in SILENT:
                assert re.search(r"# .*:\d+ %s$" % re.escape(name), printed,
                                 re.M), "%s became nothing" % name


def nothing_to_do(world):
    done = world.migrate({})
    assert done.returncode == 2 and "nothing to migrate" in done.stderr, done


# ---- what it judges --------------------------------------------------------------

def judges(world, case):
    _, files, client, sender, recipient, author, wanted = case
    found = world.judge(files, client, sender, recipient, author)
    verdict, rule, reply = wanted
    assert (found["verdict"], found["rule"]) == (verdict, rule), found
    assert reply is None or reply in found["reply"], found["reply"]


def signs(world, case):
    _, files, client, author, wanted = case
    out = world.path("out")
    world.judge(files, client, author, "bob@example.org", author,
                "--message-out", out)
    with open(out, encoding="utf-8", newline="") as file:
        text = re.sub(r"\r\n[ \t]+", " ", file.read())
    fields = re.findall(r"^DKIM-Signature:(.*)$", text, re.M)
    found = [":".join(re.search(r"\b%s=([^;\s]+)" % tag, field).group(1)
                      for tag in "ds") for field in fields]
    assert sorted(found) == sorted(wanted), (found, text)


# ---- the manual ------------------------------------------------------------------

def names_of(package, page, expression):
    path = os.path.join(UNPACKED, package, "usr/share/man", page)
    if not os.path.exists(path):
        raise Skip("%s is not installed" % package)
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        text = file.read()
    for found in re.findall(expression, text, re.M):
        name = found if isinstance(found, str) else "".join(found)
        yield name.replace("\\-", "-")


def has_rows(_, case):
    package, page, expression, table, least = case
    names = set(names_of(package, page, expression)) - NO_OPTION
    assert len(names) >= least, sorted(names)
    absent = sorted(names - set(table))
    assert not absent, "no row for %s" % " ".join(absent)
    extra = sorted(set(table) - names - BESIDE)
    assert not extra, "%s does not have %s" % (page, " ".join(extra))


BEGIN, END = '.\\" The tables of contrib/migrate.\n', '.\\" End of them.\n'


def page_parts():
    with open(PAGE, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    return before, *rest.split(END)


def page_is_current(_):
    assert page_parts()[1] == manual.tables() + "\n", \
        "write it anew: tests/contrib/migrate.py --write"


def write_page():
    before, _, after = page_parts()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + manual.tables() + "\n" + END + after)


# ---- all of them -----------------------------------------------------------------

def points():
    for sentence, files in SAMPLE_RUNS.items():
        yield sentence + ": what is printed is right", is_right, files
    for word in SHIPPED:
        yield "%s as Debian ships it: what is printed is right" % word, \
            shipped_is_right, word
    yield "a client of postgrey's own whitelist is let through", \
        shipped_whitelist
    yield "what is lost or not known is told, with file and line", is_told
    yield "a program that Postfix does not ask is left out", \
        nothing_asked_is_left_out
    yield "nonsense is told", nonsense_is_told
    yield "numbers and names are those of the settings", says
    yield "postfix-policyd-spf-perl has two files, and master.cf", \
        perl_has_two_files
    yield "each setting that becomes something says so", each_becomes_something
    yield "without any file there is nothing to migrate", nothing_to_do
    for case in VERDICTS:
        yield case[0], judges, case
    for case in SIGNED:
        yield case[0], signs, case
    for case in PAGES:
        yield "%s: each setting has its row" % case[1], has_rows, case
    yield "filterd-migration(7) has the tables", page_is_current


def main():
    if sys.argv[1] == "--write":
        write_page()
        return 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(sys.argv[1], folder)
        return play_all((sentence, function, world, *case)
                        for sentence, function, *case in points())


if __name__ == "__main__":
    sys.exit(main())
