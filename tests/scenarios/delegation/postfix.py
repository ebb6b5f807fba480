# postfix.py: Postfix asks filterd's policy service, and does what it says.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import smtplib
import ssl
import stat
import threading
import time

from lab.asking import Asking
from lab.authority import Authority
from lab.failure import Failure, check, equal
from lab.postfix import HOSTNAME, PASSWORD, USER
from lab.program import HOST, free_port, wait_until
from lab.smtp import SmtpClient

SENDER = "alice@example.org"
MESSAGE = b"From: alice@example.org\r\nSubject: asked\r\n\r\nhello\r\n"

POLICY = """
at connect { reject address if client.ip = 198.51.100.66
             reply 554 5.7.1 "not from {client.ip}" }
at helo { reject greeting if helo.name = "bad.example" reply "at helo" }
at mail { reject sender if mail.local = "bad" reply "at mail" }
at rcpt {
    accept friend     if rcpt.local = "friend"
    reject refused    if rcpt.local = "refused" reply 550 5.7.23 "at rcpt"
    tempfail later    if rcpt.local = "later" reply 451 4.7.1 "at rcpt"
    disconnect away   if rcpt.local = "away"
    discard lost      if rcpt.local = "lost"
    quarantine doubt  if rcpt.local = "doubt"
    rewrite add-header("X-Checked", "{client.ip} {rcpt.domain}")
        if rcpt.local = "marked"
    would reject only if rcpt.local = "watched"
    reject user       if auth.user = "alice@inner.example.com"
                      and rcpt.local = "user" reply "{auth.user}"
    reject tls        if client.tls and rcpt.local = "tls"
                      reply "{client.tls.version} {client.tls.cipher}"
    reject shown      if client.tls.verified and rcpt.local = "shown"
                      reply "{client.tls.subject} {client.tls.certificate}"
}
at data { reject many if rcpt.count > 2 reply 550 5.5.3 "at data" }
at message {
    reject large if message.size > 1000 reply 552 5.3.4 "at message"
    discard dropped if mail.local = "dropped"
    quarantine late if mail.local = "late"
}
"""


class Scene:
    """Postfix in front, filterd beside it."""

    def __init__(self, stage, policy=POLICY, unix=False, **options):
        self.stage = stage
        self.authority = Authority(stage.directory)
        port = free_port()
        path = os.path.join(stage.directory, "policy.sock")
        self.path = path
        where = f'"unix:{path}" {{ mode 0660 group postfix }}' if unix \
            else f"{HOST}:{port}"
        service = f"unix:{path}" if unix else f"inet:{HOST}:{port}"
        self.filterd = stage.filterd(f"listen policy {where}\n{policy}",
                                     stage.sink(), **options)
        self.postfix = stage.add(Asking(stage.directory, service,
                                        self.authority))

    def connect(self, client="198.51.100.9", door=None):
        return SmtpClient(HOST, (door or self.postfix).port, client)

    def send(self, *recipients, sender=SENDER, message=MESSAGE, door=None):
        """The last reply."""
        with self.connect(door=door) as client:
            reply = client.envelope(sender, *recipients)
            if reply.code == 250:
                reply = client.data(message)
            return reply

    def wait_removed(self, count):
        wait_until(lambda: self.postfix.log_text().count(": removed") == count,
                   f"Postfix is done with {count} messages")

    def action(self, name):
        """The line of Postfix's log."""
        return wait_until(lambda: [line for line in
                                   self.postfix.log_text().splitlines()
                                   if f": {name}: " in line],
                          f"Postfix's log has {name}")[0]


def refused(reply, code, *words):
    equal(reply.code, code, str(reply))
    for word in words:
        check(word in str(reply), f"{word} in: {reply}")


def judge_each(scene, door):
    """What each stage says, and what of it Postfix makes."""
    long = MESSAGE + b"x" * 60 + b"\r\n" * 20 + (b"y" * 60 + b"\r\n") * 20
    with scene.connect("198.51.100.66", door) as client:
        reply = client.envelope(SENDER, "bob@example.com")
        refused(reply, 554, "5.7.1", "not from 198.51.100.66")
    with scene.connect(door=door) as client:
        reply = client.envelope(SENDER, "bob@example.com", helo="bad.example")
        refused(reply, 550, "at helo")
    with scene.connect(door=door) as client:
        refused(client.envelope("bad@example.org", "bob@example.com"), 550,
                "at mail")
        refused(client.say("RSET"), 250)
        refused(client.say(f"MAIL FROM:<{SENDER}>"), 250)
        refused(client.say("RCPT TO:<refused@example.com>"), 550, "5.7.23",
                "at rcpt")
        refused(client.say("RCPT TO:<later@example.com>"), 451, "4.7.1")
        for name in "abc":
            refused(client.say(f"RCPT TO:<{name}@example.com>"), 250)
        refused(client.data(MESSAGE), 550, "5.5.3", "at data")
        refused(client.say("RSET"), 250)
        refused(client.say(f"MAIL FROM:<{SENDER}>"), 250)
        refused(client.say("RCPT TO:<bob@example.com>"), 250)
        refused(client.data(long), 552, "5.3.4", "at message")
        refused(client.say("RSET"), 250)
        refused(client.say(f"MAIL FROM:<{SENDER}>"), 250)
        refused(client.say("RCPT TO:<bob@example.com>"), 250)
        refused(client.data(MESSAGE), 250)
    for rule, name in (("address", "connect"), ("greeting", "helo"),
                       ("sender", "mail"), ("refused", "rcpt"),
                       ("many", "data"), ("large", "message")):
        lines = scene.filterd.wait_line("rejected", rule=rule)
        equal((lines[-1]["stage"], lines[-1]["wire"]), (name, "policy"), rule)


def story_stages(stage):
    """each stage refuses in Postfix's reply, with our code and our words"""
    scene = Scene(stage)
    judge_each(scene, scene.postfix)
    equal(len(scene.postfix.delivered(1)), 1, "delivered")


def story_eager(stage):
    """with smtpd_delay_reject=no each is asked about when it comes"""
    scene = Scene(stage)
    judge_each(scene, scene.postfix.eager())
    equal(len(scene.postfix.delivered(1)), 1, "delivered")


def story_once(stage):
    """four services that ask about a recipient are one judgement of it"""
    scene = Scene(stage, "use greylist { delay 1h }\nstore memory\nat rcpt { "
                  "tempfail new if greylist.state = new reply 451 4.7.1 "
                  '"new" tempfail early if greylist.state = early '
                  'reply 451 4.7.1 "early" }')
    for word in "new", "early":
        with scene.connect() as client:
            refused(client.envelope(SENDER, "bob@example.com"), 451, word)
    equal(len(scene.filterd.lines("tempfailed")), 2, "decisions")


def story_actions(stage):
    """accept skips nothing of Postfix's; 421 closes; would is a warning"""
    scene = Scene(stage)
    refused(scene.send("friend@elsewhere.test"), 554, "Relay access denied")
    with scene.connect() as client:
        refused(client.envelope(SENDER, "away@example.com"), 421)
        check(client.closed(), "Postfix closes after 421")
    refused(scene.send("watched@example.com"), 250)
    scene.filterd.wait_line("would", rule="only")
    wait_until(lambda: "would reject only [" in scene.postfix.log_text(),
               "Postfix's log has the warning")
    equal(len(scene.postfix.delivered(1)), 1, "delivered")


def story_hold(stage):
    """quarantine at rcpt and at message is Postfix's hold queue"""
    scene = Scene(stage, "set quarantine spool\n" + POLICY)
    refused(scene.send("doubt@example.com"), 250)
    refused(scene.send("bob@example.com", sender="late@example.org"), 250)
    wait_until(lambda: len(scene.postfix.held()) == 2, "two are on hold")
    equal(len(scene.postfix.files()), 0, "delivered")
    check("doubt [" in scene.action("hold"), "the rule is in Postfix's log")
    equal(len(scene.filterd.wait_line("quarantined")), 2, "decisions")
    with scene.connect() as client:
        refused(client.envelope(SENDER, "bob@example.com",
                                "doubt@example.com"), 452, "4.5.3")


def story_discard(stage):
    """discard at rcpt and at message: 250, and nobody gets it"""
    scene = Scene(stage)
    refused(scene.send("lost@example.com"), 250)
    refused(scene.send("bob@example.com", sender="dropped@example.org"), 250)
    equal(len(scene.postfix.log_text().split(": discard: ")) - 1, 2,
          "discarded by Postfix")
    refused(scene.send("bob@example.com"), 250)
    equal(len(scene.postfix.delivered(1)), 1, "delivered")
    equal(len(scene.filterd.wait_line("discarded")), 2, "decisions")


def story_prepend(stage):
    """a field is on top of the message, once, whoever asked for it"""
    scene = Scene(stage)
    refused(scene.send("marked@example.com", "marked@example.com"), 250)
    octets = scene.postfix.delivered(1)[0].octets
    equal(octets.count(b"X-Checked: 198.51.100.9 example.com\r\n"), 1,
          "fields")


def story_prepend_early(stage):
    """a field that is told at MAIL, or HELD there, is not forgotten"""
    scene = Scene(stage, 'at mail { rewrite '
                  'add-header("X-Client", "{client.ip}") rewrite '
                  'add-header("X-Mail", "{mail.domain}") quarantine held if '
                  'mail.local = "held" }')
    eager = scene.postfix.eager()
    refused(scene.send("bob@example.com", door=eager), 250)
    octets = scene.postfix.delivered(1)[0].octets
    for field in b"X-Client: 198.51.100.9\r\n", b"X-Mail: example.org\r\n":
        equal(octets.count(field), 1, f"{field} in {octets}")
    refused(scene.send("bob@example.com", sender="held@example.org",
                       door=eager), 250)
    wait_until(lambda: len(scene.postfix.held()) == 1, "one is on hold")


def story_facts(stage):
    """who authenticated, and what TLS was spoken, are facts"""
    scene = Scene(stage)
    scene.postfix.open_to_users()
    chain, key = scene.authority.issue("client", "client.example.org")
    trust = ssl.create_default_context(cafile=scene.authority.file)
    trust.check_hostname = False
    trust.load_cert_chain(chain, key)
    client = smtplib.SMTP(timeout=30)
    client.sock = scene.connect().socket
    client._host = "inner.example.com"
    equal(client.getreply()[0], 220, "greeting")
    client.ehlo()
    equal(client.starttls(context=trust)[0], 220, "STARTTLS")
    client.ehlo()
    client.login(f"{USER}@{HOSTNAME}", PASSWORD)
    client.mail(SENDER)
    said = {name: client.rcpt(f"{name}@example.com")[1].decode()
            for name in ("user", "tls", "shown")}
    client.close()
    check(f"{USER}@{HOSTNAME}" in said["user"], said["user"])
    check(re.search(r"TLSv1\.3 TLS_\w+", said["tls"]), said["tls"])
    check(re.search("CN=client [0-9a-f]{64} ", said["shown"]), said["shown"])


def story_unknown(stage):
    """facts of a message that nobody shows are unknown; a dead DNS defers"""
    scene = Scene(stage, """use dkim
use spf
at rcpt { tempfail broken if rcpt.local = "spf" and spf.result = temperror }
at message {
    reject found if known dkim.result or known header.from.domain
    reject size if not known message.size
}""")
    refused(scene.send("bob@example.com"), 250)
    equal(len(scene.postfix.delivered(1)), 1, "delivered")
    refused(scene.send("spf@example.com"), 450, "4.7.1")


def story_dead(stage):
    """without filterd Postfix says 451: nothing goes unfiltered or is lost"""
    scene = Scene(stage)
    scene.filterd.kill()
    scene.filterd.wait()
    refused(scene.send("bob@example.com"), 451, "4.3.5")
    equal(len(scene.postfix.files()), 0, "delivered")
    scene.filterd.start()
    refused(scene.send("bob@example.com"), 250)
    equal(len(scene.postfix.delivered(1)), 1, "delivered")


class Load(threading.Thread):
    def __init__(self, scene, count):
        super().__init__()
        self.scene, self.count, self.trouble = scene, count, []
        self.start()

    def run(self):
        for _ in range(self.count):
            time.sleep(0.15)
            try:
                reply = self.scene.send("bob@example.com")
                if reply.code != 250:
                    self.trouble.append(str(reply))
            except (Failure, OSError) as failure:
                self.trouble.append(str(failure))


def story_reload(stage):
    """filterd reloads under load: every message is judged, none is refused"""
    scene = Scene(stage, unix=True, workers=2)
    loads = [Load(scene, 40) for _ in range(5)]
    while any(load.is_alive() for load in loads):
        scene.filterd.reload()
        time.sleep(0.7)
    equal([load.trouble for load in loads], [[]] * 5, "trouble")
    check(len(scene.filterd.lines("reload", result="ok")) >= 2,
          "there were reloads meanwhile")
    equal(len(scene.postfix.delivered(200)), 200, "delivered")
    wait_until(lambda: len(scene.filterd.lines("accepted")) == 200,
               "every message was judged")


def story_socket(stage):
    """over a unix socket that is Postfix's group's"""
    scene = Scene(stage, unix=True)
    status = os.stat(scene.path)
    equal(stat.S_IMODE(status.st_mode), 0o660, "mode")
    refused(scene.send("refused@example.com"), 550, "5.7.23")
    refused(scene.send("bob@example.com"), 250)
    equal(len(scene.postfix.delivered(1)), 1, "delivered")
