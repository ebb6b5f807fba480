# aggregate.py: DMARC aggregate reports (RFC 9990): mail flows, filterctl makes
# reports of it, sends them, and another parser reads them.
#
# SPDX-License-Identifier: BSD-2-Clause
import email
import email.policy
import gzip
import os
import subprocess
import time
import xml.etree.ElementTree as tree

from lab.failure import check, equal

NAMESPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "dmarc-2.0.xsd")
HONEST, SPOOF, FRIEND = "198.51.100.10", "198.51.100.20", "198.51.100.77"
ZONE = [
    'one.example. TXT "v=spf1 ip4:198.51.100.10 -all"',
    '_dmarc.one.example. TXT "v=DMARC1; p=reject; rua=mailto:rua@one.example,'
    'mailto:agg@example.com!10m,mailto:no@victim.example,https://x.example/,'
    'mailto:small@sub.one.example!1k,mailto:away@astray.example,'
    'mailto:late@broken.example"',
    'one.example._report._dmarc.example.com. TXT "v=DMARC1"',
    'one.example._report._dmarc.victim.example. TXT "v=dmarc1"',
    'one.example._report._dmarc.astray.example. TXT '
    '"v=DMARC1; rua=mailto:x@victim.example"',
    'two.example. TXT "v=spf1 -all"',
    '_dmarc.two.example. TXT "v=DMARC1; p=quarantine; sp=none; np=reject; '
    't=y; adkim=s; rua=mailto:rua@hub.example"',
    'two.example._report._dmarc.hub.example. TXT '
    '"v=DMARC1; rua=mailto:two@hub.example"',
    'quiet.example. TXT "v=spf1 -all"',
    '_dmarc.quiet.example. TXT "v=DMARC1; p=reject"',
]
POLICY = """
store sqlite "{store}"
use spf
use dkim
use dmarc {{
    reports             on
    report-contact      "dmarc@mx.example.com"
    report-organization "Example & <Sons>"
    report-reason       friends trusted_forwarder
}}
at message {{
    accept     friends         if client.ip = 198.51.100.77
    reject     dmarc-reject    if dmarc.disposition = reject
               and spf.result = fail
    quarantine dmarc-quarantine if dmarc.disposition = quarantine
}}
"""


def deliver(filterd, domain, client, expected, recipient="bob@example.com"):
    message = (f"From: Alice <alice@{domain}>\r\nSubject: report\r\n\r\n"
               "hello\r\n").encode()
    reply = filterd.deliver(message, recipient, f"alice@{domain}", client)
    equal(reply.code, expected, f"{domain} from {client}: {reply}")


def traffic(filterd):
    for domain, client, expected, times in [
            ("one.example", HONEST, 250, 3), ("one.example", SPOOF, 550, 2),
            ("one.example", FRIEND, 250, 1), ("two.example", SPOOF, 250, 2),
            ("ghost.one.example", SPOOF, 250, 1),
            ("quiet.example", SPOOF, 550, 1), ("none.example", SPOOF, 250, 1)]:
        for _ in range(times):
            deliver(filterd, domain, client, expected)


def run(stage, filterd, *arguments, status=0):
    done = subprocess.run(
        [os.path.join(stage.options.build, "filterd", "filterctl"), "report",
         "-c", filterd.file] + list(arguments),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
        check=False)
    said = done.stdout.decode() + done.stderr.decode()
    equal(done.returncode, status, f"the exit status:\n{said}")
    return said


def start(stage, backend):
    dns = stage.nsd(ZONE, ["broken.example"])
    store = os.path.join(stage.directory, "state", "filterd.db")
    return stage.filterd(POLICY.format(store=store), backend, dns)


def today():
    return time.strftime("%Y-%m-%d", time.gmtime())


def parse(path):
    """The document, valid by the schema of the RFC."""
    with gzip.open(path) as file:
        text = file.read()
    plain = path + ".xml"
    with open(plain, "wb") as file:
        file.write(text)
    lint = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA,
                           plain], stderr=subprocess.PIPE, check=False)
    equal(lint.returncode, 0, lint.stderr.decode() + text.decode())
    os.unlink(plain)
    return tree.fromstring(text)


def find(element, path):
    found = element.find("/".join(NAMESPACE + name
                                  for name in path.split("/")))
    return None if found is None else found.text


def rows(document):
    """source, count, disposition, dkim, spf, reason, comment, from, spf"""
    paths = ["row/source_ip", "row/count", "row/policy_evaluated/disposition",
             "row/policy_evaluated/dkim", "row/policy_evaluated/spf",
             "row/policy_evaluated/reason/type",
             "row/policy_evaluated/reason/comment", "identifiers/header_from",
             "auth_results/spf/result"]
    return sorted(tuple(find(record, path) or "-" for path in paths)
                  for record in document.iter(NAMESPACE + "record"))


ONE = [
    (HONEST, "3", "pass", "fail", "pass", "-", "-", "one.example", "pass"),
    (SPOOF, "1", "none", "fail", "fail", "local_policy", "no rule",
     "ghost.one.example", "none"),
    (SPOOF, "2", "reject", "fail", "fail", "-", "-", "one.example", "fail"),
    (FRIEND, "1", "none", "fail", "fail", "trusted_forwarder", "friends",
     "one.example", "fail"),
]
TWO = [
    (SPOOF, "2", "none", "fail", "fail", "policy_test_mode", "t=y",
     "two.example", "fail"),
]


def check_documents(found):
    equal(sorted(found), ["one.example", "two.example"], "policy domains")
    equal(rows(found["one.example"]), ONE, "rows of one.example")
    equal(rows(found["two.example"]), TWO, "rows of two.example")
    two = found["two.example"]
    for path, text in [
            ("version", "1.0"), ("report_metadata/org_name",
                                 "Example & <Sons>"),
            ("report_metadata/email", "dmarc@mx.example.com"),
            ("policy_published/domain", "two.example"),
            ("policy_published/p", "quarantine"),
            ("policy_published/sp", "none"), ("policy_published/np", "reject"),
            ("policy_published/adkim", "s"), ("policy_published/aspf", "r"),
            ("policy_published/testing", "y"),
            ("policy_published/discovery_method", "treewalk")]:
        equal(find(two, path), text, path)
    begin = int(find(two, "report_metadata/date_range/begin"))
    equal(begin % 86400, 0, "the day begins at midnight")
    equal(find(two, "report_metadata/date_range/end"), str(begin + 86399),
          "and is one day")


def story_written(stage):
    """reports of a day are written, and are valid by the RFC's schema"""
    filterd = start(stage, stage.sink())
    traffic(filterd)
    folder = os.path.join(stage.directory, "reports")
    os.makedirs(folder)
    run(stage, filterd, "--day", today(), "--directory", folder, status=2)
    run(stage, filterd, "--directory", folder)
    equal(os.listdir(folder), [], "nothing of yesterday")
    day = ["--day", today(), "--now"]
    run(stage, filterd, *day, "--domain", "two.example", "--directory", folder)
    equal(len(os.listdir(folder)), 1, "one domain's")
    run(stage, filterd, *day, "--directory", folder)
    names = sorted(os.listdir(folder))
    equal(len(names), 2, str(names))
    for name in names:
        parts = name[:-len(".xml.gz")].split("!")
        equal(parts[0], "mx.example.com", name)
        check(len(parts) == 5 and parts[4].isalnum(), name)
    check_documents({name.split("!")[1]: parse(os.path.join(folder, name))
                     for name in names})


def attachment(delivered, folder):
    message = email.message_from_bytes(delivered.octets,
                                       policy=email.policy.default)
    equal(message.get_content_type(), "multipart/mixed", "the message")
    for part in message.iter_attachments():
        equal(part.get_content_type(), "application/gzip", "the attachment")
        path = os.path.join(folder, part.get_filename())
        with open(path, "wb") as file:
            file.write(part.get_content())
    return message, path


def reports(backend):
    return [mail for mail in backend.delivered()
            if b"Subject: Report Domain:" in mail.octets]


def send(stage, filterd, *arguments, status=0):
    return run(stage, filterd, "--day", today(), "--now", "--send",
               *arguments, status=status)


def story_sent(stage):
    """reports are sent once, to those who want them, and say what was counted"""
    sink = stage.sink()
    filterd = start(stage, sink)
    traffic(filterd)
    said = send(stage, filterd, status=1)
    for part in ("no@victim.example: its host does not ask for it",
                 "https://x.example/: it is no mail address",
                 "too large for small@sub.one.example",
                 "away@astray.example: its host would have it sent elsewhere",
                 "late@broken.example: its host cannot be asked now"):
        check(part in said, f"{part!r} is not in {said}")
    sent = reports(sink)
    equal(sorted(mail.recipients for mail in sent),
          [["agg@example.com"], ["rua@one.example"], ["two@hub.example"]],
          "who got them")
    found, names = {}, set()
    for mail in sent:
        equal(mail.sender, "", "the reverse-path")
        message, path = attachment(mail, stage.directory)
        domain = os.path.basename(path).split("!")[1]
        names.add(os.path.basename(path))
        found[domain] = parse(path)
        identity = find(found[domain], "report_metadata/report_id")
        equal(message["Subject"].split(),
              ["Report", "Domain:", domain, "Submitter:", "mx.example.com",
               "Report-ID:", f"<{identity}>"], "Subject")
        equal(message["Message-ID"], f"<{identity}>", "Message-ID")
        equal(message["From"], "dmarc@mx.example.com", "From")
    check_documents(found)
    send(stage, filterd, status=1)
    equal(len(reports(sink)), 3, "nothing is sent twice")
    send(stage, filterd, "--again", "--domain", "two.example")
    again = reports(sink)
    equal(len(again), 4, "but where that is asked for")
    check(os.path.basename(attachment(again[3], stage.directory)[1]) in names,
          "under the same name")


def story_refused(stage):
    """what a backend defers is tried again, what it refuses is not"""
    sink = stage.sink()
    filterd = start(stage, sink)
    traffic(filterd)
    sink.fault("rcpt", "451 4.3.0 not now", "rua@one")
    sink.fault("rcpt", "550 5.1.1 nobody", "two@hub")
    check("451 4.3.0 not now" in send(stage, filterd, status=1), "is told")
    equal(len(reports(sink)), 1, "the other one is sent")
    sink.fault("rcpt", None)
    send(stage, filterd, status=1)
    equal(sorted(mail.recipients for mail in reports(sink)),
          [["agg@example.com"], ["rua@one.example"]], "that one too, later")


def story_postfix(stage):
    """Postfix takes reports like any mail"""
    postfix = stage.postfix()
    filterd = start(stage, postfix)
    deliver(filterd, "one.example", SPOOF, 550)
    deliver(filterd, "one.example", HONEST, 250)
    said = send(stage, filterd, status=1)
    check("sent to agg@example.com" in said, said)
    mail = [mail for mail in postfix.delivered(2)
            if b"Report Domain: one.example" in mail.octets]
    equal(len(mail), 1, "one report")
    document = parse(attachment(mail[0], stage.directory)[1])
    equal([row[1:3] for row in rows(document)],
          [("1", "pass"), ("1", "reject")], "its rows")


def story_elsewhere(stage):
    """a store that cannot be listed, and one that is off, are told"""
    sink = stage.sink()
    filterd = start(stage, sink)
    with open(filterd.file, encoding="utf-8") as file:
        text = file.read()
    for old, new, part in [
            ("store sqlite", "store memory #", "`store sqlite` only"),
            ("reports             on", "reports off", "reports on"),
            ("set hostname", "# set hostname", "set hostname")]:
        filterd.write(text.replace(old, new, 1))
        said = run(stage, filterd, "--send", status=2)
        check(part in said, f"{part!r} is not in {said}")
    filterd.write(text)
