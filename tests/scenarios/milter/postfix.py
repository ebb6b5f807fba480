# postfix.py: Postfix keeps port 25 and asks: what each verdict and each edit
# becomes there.
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import os
import signal
import ssl
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

from lab.authority import Authority
from lab.dns import text_record
from lab.failure import check, equal
from lab.postfix import PASSWORD, USER, Postfix
from lab.program import HOST, find, wait_until
from lab.signer import key_record, sign
from lab.smtp import SmtpClient

MESSAGE = b"""From: alice@example.org
Authentication-Results: mx.example.com; spf=pass
Subject:   spaces count
  and folds
X-Kind: one
authentication-results : mx.example.com; dkim=pass
X-Kind: two
Authentication-Results: other.example; spf=fail

hello
""".replace(b"\n", b"\r\n")
SIGNED = b"From:alice@example.org\r\nSubject:  \t two\r\n\t folds \r\n" \
    b" and blanks \r\nTo:bob\r\n\r\nhello\r\n"
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
FIELDS = b"Subject:   spaces count\r\n  and folds\r\n"


def start(stage, policy, dns=None, **options):
    postfix = stage.postfix()
    filterd = stage.filterd(
        policy, postfix, dns,
        more=f"listen milter {HOST}:{postfix.milter_port}", **options)
    return postfix, filterd


def said(postfix, recipient="bob@example.com", sender="alice@example.org",
         message=MESSAGE):
    """The last reply to one message."""
    with postfix.connect() as client:
        reply = client.envelope(sender, recipient)
        return client.data(message) if reply.code == 250 else reply


def story_replies(stage):
    """a refusal is said in our words, on several lines, with its code"""
    postfix, filterd = start(stage, """
        at rcpt {
            reject not-here if rcpt.local = "gone"
                reply 550 5.1.1 "100% gone\\nfor good"
            tempfail later if rcpt.local = "later" reply 450 4.2.0 "later"
        }
        at message { reject no reply 554 5.7.0 "not {mta.queue-id}" }""")
    with postfix.connect() as client:
        client.envelope("alice@example.org")
        reply = client.say("RCPT TO:<gone@example.com>")
        equal([line.split(" [")[0] for line in reply.lines],
              ["550-5.1.1 100% gone", "550 5.1.1 for good"], "the reply")
        filterd.wait_line("rejected", rule="not-here", session=reply.session)
        reply = client.say("RCPT TO:<later@example.com>")
        equal((reply.code, reply.enhanced), (450, "4.2.0"), "the code")
        client.say("RCPT TO:<bob@example.com>")
        reply = client.data(MESSAGE)
    queue = filterd.wait_line("rejected", rule="no")[0]["queue"]
    equal((reply.code, reply.enhanced), (554, "5.7.0"), "the code")
    check(f"not {queue} [" in reply.text, f"the reply is {reply.text!r}")


def story_connect(stage):
    """who is refused at connect gets Postfix's words, and nothing is let in"""
    postfix, filterd = start(stage, """
        at connect { reject unwanted if client.ip = 198.51.100.66
                     reply 554 5.7.1 "not you" }""")
    with postfix.connect("198.51.100.66") as client:
        reply = client.envelope("alice@example.org", "bob@example.com")
    equal(reply.code, 554, "the code")
    filterd.wait_line("rejected", rule="unwanted", client="198.51.100.66")
    equal(said(postfix).code, 250, "the code of another")


def story_edits(stage):
    """fields, sender and recipients are changed, and none but ours is forged"""
    postfix, _ = start(stage, """
        at rcpt { discard quietly if rcpt.local = "gone" }
        at message {
            rewrite add-header("X-New", "one")
            rewrite add-header("X-New", "two")
            rewrite change-header("X-Kind", "changed")
            rewrite set-sender("bounce@example.org")
            rewrite add-recipient("more@example.com")
        }""")
    with postfix.connect() as client:
        client.envelope("alice@example.org", "bob@example.com",
                        "gone@example.com")
        equal(client.data(MESSAGE).code, 250, "the code")
    messages = postfix.delivered(2)
    equal(sorted(message.recipients[0] for message in messages),
          ["bob@example.com", "more@example.com"], "recipients")
    message = messages[0]
    equal(message.sender, "bounce@example.org", "reverse-path")
    equal([name for name, _ in message.fields][:3],
          ["Authentication-Results", "X-New", "X-New"], "the fields on top")
    equal(message.named("X-New"), ["two", "one"], "X-New")
    equal(message.named("X-Kind"), ["changed", "two"], "X-Kind")
    equal(len(message.named("Authentication-Results")), 2,
          "Authentication-Results")
    check(FIELDS in message.octets, "the folding has changed")
    check(b"dkim=pass" not in message.octets, "a forged result is left")


def story_hold(stage):
    """what is quarantined is held, and says so nowhere else"""
    postfix, filterd = start(stage, """
        at message { quarantine doubtful if rcpt.local = "bob" }""")
    equal(said(postfix).code, 250, "the code")
    queue = filterd.wait_line("quarantined", rule="doubtful")[0]["queue"]
    wait_until(lambda: postfix.held() == [queue], "the message is held")
    postfix.release()
    message, = postfix.delivered(1)
    equal(message.named("X-Filterd-Quarantine"), [], "the mark")


def story_discard(stage):
    """what is discarded is taken, and nobody gets it"""
    postfix, filterd = start(stage, "at message { discard quietly }")
    equal(said(postfix).code, 250, "the code")
    filterd.wait_line("discarded", rule="quietly")
    equal(postfix.delivered(0), [], "what was delivered")


def story_signature(stage):
    """a signature over each blank of the header verifies"""
    octets = sign(SIGNED, "example.org", "one", header=b"simple")
    key = key_record("one", "example.org")
    dns = stage.nsd([text_record("one._domainkey.example.org", key)])
    postfix, filterd = start(stage, "use dkim", dns)
    equal(said(postfix, message=octets).code, 250, "the code")
    filterd.wait_line("accepted", dkim="pass")


def story_dead(stage):
    """without filterd nothing is taken, and nothing is lost"""
    postfix, filterd = start(stage, "at message { reject all }")
    filterd.stop()
    reply = said(postfix)
    equal(reply.code // 100, 4, f"the class of {str(reply)!r}")
    equal(postfix.delivered(0), [], "what was delivered")


def story_killed(stage):
    """a worker that is killed under a message costs a 451"""
    postfix, filterd = start(stage, "at message { accept all }")
    with postfix.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        worker, = filterd.workers()
        os.kill(worker, signal.SIGKILL)
        reply = client.data(MESSAGE)
        equal(reply.code // 100, 4, f"the class of {str(reply)!r}")
    wait_until(lambda: filterd.workers() not in ([], [worker]),
               "there is another worker")
    wait_until(lambda: said(postfix).code == 250, "mail goes on")
    equal(len(postfix.delivered(1)), 1, "messages delivered")


def story_reload(stage):
    """a session outlives a reload, and the next one has the new rules"""
    policy = "at rcpt { reject %s if rcpt.local = \"bob\" }"
    postfix, filterd = start(stage, policy % "first")
    with postfix.connect() as client:
        client.envelope("alice@example.org")
        filterd.configure(policy % "second")
        filterd.reload()
        filterd.wait_line("reload", result="ok")
        reply = client.say("RCPT TO:<bob@example.com>")
        filterd.wait_line("rejected", rule="first", session=reply.session)
        reply = said(postfix)
        filterd.wait_line("rejected", rule="second", session=reply.session)
        reply = client.say("RCPT TO:<bob@example.com>")
        filterd.wait_line("rejected", rule="first", session=reply.session)


class Own(Postfix):
    """With lines of its own, whose milter has the Unix socket `socket`."""

    milters = "smtpd_milters = unix:{socket}\nnon_smtpd_milters = unix:{socket}\n"
    services = "tlsmgr unix - - n 1000 1 tlsmgr\n"

    def __init__(self, directory, lines=""):
        self.socket = os.path.join(directory, "milter")
        self.more = {"main.cf": self.milters.format(socket=self.socket) + lines,
                     "master.cf": self.services}
        super().__init__(directory)

    def write(self, name, text):
        super().write(name, text + self.more.get(name, ""))

    def serve(self, stage, policy):
        return stage.filterd(policy, self, more=f'listen milter "unix:'
                             f'{self.socket}" {{ mode 0660 group postfix }}')


def only_file(postfix):
    """The one message in a mailbox, as it lies there."""
    path, = wait_until(postfix.files, "Postfix delivers")
    with open(path, "rb") as file:
        return file.read()


TOLD = """at rcpt { reject told reply "{auth.user}, {client.tls.version},
{client.tls.verified}, {mta.name}" }""".replace("\n", " ")


def story_facts(stage):
    """TLS and user are what Postfix says of them"""
    authority = Authority(stage.directory)
    chain, key = authority.issue("inner", "inner.example.com")
    postfix = stage.add(Own(stage.directory, f"""
smtpd_tls_security_level = may
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
"""))
    postfix.open_to_users()
    postfix.serve(stage, TOLD)
    with SmtpClient(HOST, postfix.port) as client:
        client.reply()
        client.say("EHLO mail.example.org")
        equal(client.say("STARTTLS").code, 220, client.story())
        client.socket = ssl.create_default_context(
            cafile=authority.file).wrap_socket(
                client.socket, server_hostname="inner.example.com")
        client.say("EHLO mail.example.org")
        equal(client.say("AUTH PLAIN " + PLAIN).code, 235, client.story())
        client.say("MAIL FROM:<a@example.org>")
        reply = client.say("RCPT TO:<bob@example.com>")
    check(f"{USER}, TLSv1.3, no, inner.example.com [" in
          reply.text.replace("@inner.example.com", "", 1), str(reply))


def story_program(stage):
    """what sendmail(1) sends is judged by non_smtpd_milters, as from here"""
    postfix = stage.add(Own(stage.directory))
    filterd = postfix.serve(stage, """
        at rcpt { reject gone if rcpt.local = "gone" }
        at message { rewrite add-header("X-New", "{client.ip}") }""")
    equal(stat.S_IMODE(os.stat(postfix.socket).st_mode), 0o660, "the mode")

    def send(recipient):
        subprocess.run([find("sendmail"), "-C", postfix.directory, "-f",
                        "a@example.org", recipient], check=True, timeout=30,
                       input=b"From: a@example.org\n\nhello\n")
    send("gone@example.com")
    filterd.wait_line("rejected", rule="gone", patience=30)
    send("bob@example.com")
    filterd.wait_line("accepted", patience=30)
    check(b"\nX-New: 127.0.0.1\n" in only_file(postfix), "the client")


def story_ipv6(stage):
    """a client of IPv6 has its address"""
    postfix, filterd = start(stage, TOLD)
    with postfix.connect("2001:db8::9") as client:
        client.envelope("a@example.org", "bob@example.com")
    filterd.wait_line("rejected", client="2001:db8::9")


def story_unknown(stage):
    """recipients that Postfix refused are counted"""
    postfix, filterd = start(stage, """
        at connect { reject dictionary if client.unknown-recipients > 2 }""")
    with postfix.connect() as client:
        client.envelope("a@example.org")
        for _ in range(3):
            equal(client.say("RCPT TO:<nobody@example.com>").code, 550,
                  "the code of an unknown one")
        equal(client.say("RCPT TO:<bob@example.com>").code, 250, "a known one")
        equal(client.data(MESSAGE).code, 250, "the message")
    equal(said(postfix).code // 100, 5, "the code of who tries")
    filterd.wait_line("rejected", rule="dictionary")


def story_utf8(stage):
    """addresses in UTF-8 and chunks of 8-bit octets are judged and changed"""
    postfix, filterd = start(stage, """
        at rcpt { discard quietly if rcpt.to = "wég@example.com" }
        at message { rewrite set-sender("b@example.net")
                             if mail.from = "zoë@example.org" }""")
    body = "From: Zoë <zoë@example.org>\r\n\r\nGrüße\r\n".encode()
    with postfix.connect() as client:
        client.reply()
        client.say("EHLO mail.example.org")
        client.say("MAIL FROM:<zoë@example.org> SMTPUTF8 BODY=8BITMIME")
        for name in "wég", "bøb":
            equal(client.say(f"RCPT TO:<{name}@example.com>").code, 250, name)
        client.send(b"BDAT 20\r\n" + body[:20])
        client.reply()
        client.send(b"BDAT %d LAST\r\n" % len(body[20:]) + body[20:])
        equal(client.reply().code, 250, client.story())
    octets = only_file(postfix)
    for field in ("Return-Path: <b@example.net>",
                  "X-Original-To: bøb@example.com"):
        check(f"{field}\n".encode() in octets, f"{field}: {octets}")
    check(octets.replace(b"\n", b"\r\n").endswith(body), f"{octets}")


def story_workers(stage):
    """several workers share the socket, and each serves whom it took"""
    postfix, filterd = start(stage, TOLD, workers=3)
    with ThreadPoolExecutor(12) as threads:
        replies = list(threads.map(lambda _: said(postfix).text, range(24)))
    check(all(", inner.example.com [" in text for text in replies), replies)
    equal(len(filterd.lines("rejected", rule="told")), 24, "decisions")
