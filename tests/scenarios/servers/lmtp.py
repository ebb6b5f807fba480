# lmtp.py: SMTP and LMTP on either side, with Dovecot, Exim and OpenSMTPD behind.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess

from lab.dovecot import Dovecot
from lab.failure import check, equal
from lab.lmtp import LmtpClient
from lab.octets import EIGHTBIT, MESSAGE, check_same
from lab.program import HOST, find, free_port, wait_until
from lab.smtp import SmtpClient

SENDER = "alice@example.org"
BOB, CAROL, DAVE = (f"{name}@example.com" for name in ("bob", "carol", "dave"))
NOBODY, FULL = "nobody@example.com", "full@example.com"
GONE = {NOBODY: (550, "5.1.1"), FULL: (552, "5.2.2")}


class Pair:
    """A server behind, filterd, and a listener that speaks `front`."""

    def __init__(self, stage, front, server, rules="", unix=False):
        self.server = server
        self.path = os.path.join(stage.directory, "front")
        self.port = free_port()
        address = f'"unix:{self.path}"' if unix else f"{HOST}:{self.port}"
        self.unix = unix
        self.filterd = stage.filterd(
            f"listen {front} {address} {{ }}\n{rules}", server,
            identity="none")

    def lmtp(self):
        client = LmtpClient(path=self.path) if self.unix \
            else LmtpClient(HOST, self.port)
        client.begin()
        return client

    def smtp(self):
        return SmtpClient(HOST, self.port)

    def found(self, count):
        """Who got the message, all of them the same."""
        messages = self.server.delivered(count)
        for message in messages:
            check_same(message, MESSAGE)
        return sorted(message.recipients[0] for message in messages)


def codes(replies):
    return [(reply.code, reply.enhanced) for reply in replies]


def dovecot(stage, unix=False):
    return stage.add(Dovecot(stage.directory, unix))


# ---- SMTP before LMTP ---------------------------------------------------------


def story_smtp_lmtp(stage):
    """SMTP before Dovecot: a recipient a transaction, each message octet by octet"""
    pair = Pair(stage, "smtp", dovecot(stage))
    with pair.smtp() as client:
        equal(client.envelope(SENDER, BOB).code, 250, client.story())
        reply = client.say(f"RCPT TO:<{CAROL}>")
        equal((reply.code, reply.enhanced), (452, "4.5.3"), str(reply))
        equal(client.data(MESSAGE).code, 250, client.story())
        client.say(f"MAIL FROM:<{SENDER}>")
        equal(client.say(f"RCPT TO:<{CAROL}>").code, 250, client.story())
        equal(client.data(MESSAGE).code, 250, client.story())
    equal(pair.found(2), [BOB, CAROL], "mailboxes")


def story_smtp_lmtp_refused(stage):
    """SMTP before Dovecot: no such user is RCPT's reply, no room the message's"""
    pair = Pair(stage, "smtp", dovecot(stage))
    with pair.smtp() as client:
        reply = client.envelope(SENDER, NOBODY)
        equal((reply.code, reply.enhanced), GONE[NOBODY], str(reply))
        equal(client.say(f"RCPT TO:<{FULL}>").code, 250, client.story())
        reply = client.data(MESSAGE)
        equal((reply.code, reply.enhanced), GONE[FULL], str(reply))
        check("Quota exceeded" in str(reply), str(reply))
        client.say("MAIL FROM:<>")
        equal(client.say(f"RCPT TO:<{BOB}>").code, 250, client.story())
        equal(client.data(MESSAGE).code, 250, client.story())
    equal(pair.found(1), [BOB], "mailboxes")


def story_smtp_lmtp_defer(stage):
    """SMTP before Dovecot, mixed-replies defer: all or 451"""
    pair = Pair(stage, "smtp", dovecot(stage), "set mixed-replies defer")
    with pair.smtp() as client:
        equal(client.envelope(SENDER, BOB, CAROL, DAVE).code, 250,
              client.story())
        equal(client.data(MESSAGE).code, 250, client.story())
        client.say(f"MAIL FROM:<{SENDER}>")
        for name in (BOB, FULL):
            equal(client.say(f"RCPT TO:<{name}>").code, 250, client.story())
        reply = client.data(MESSAGE)
        equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
        client.say(f"MAIL FROM:<{SENDER}>")
        client.say(f"RCPT TO:<{FULL}>")
        equal(client.data(MESSAGE).code, 552, client.story())
    pair.filterd.wait_line(rule="-mixed-replies")
    equal(pair.found(4), [BOB, BOB, CAROL, DAVE], "mailboxes")


# ---- LMTP before LMTP ---------------------------------------------------------


def mixed(pair):
    """Of five recipients one is unknown and one has no room."""
    with pair.lmtp() as client:
        replies = client.mail(SENDER, BOB, NOBODY, FULL, CAROL, DAVE)
        equal(codes(replies), [(250, "2.1.5"), GONE[NOBODY], (250, "2.1.5"),
                               (250, "2.1.5"), (250, "2.1.5")], client.story())
        replies = client.message(MESSAGE, 4)
        equal(codes(replies), [(250, "2.0.0"), GONE[FULL], (250, "2.0.0"),
                               (250, "2.0.0")], client.story())
        for reply, name in zip(replies, (BOB, FULL, CAROL, DAVE)):
            check(name in str(reply), f"{name}: {reply}")
        equal(client.say("QUIT").code, 221, client.story())
    equal(pair.found(3), [BOB, CAROL, DAVE], "mailboxes")


def story_lmtp_lmtp(stage):
    """LMTP before Dovecot: each recipient has its own reply, in order"""
    mixed(Pair(stage, "lmtp", dovecot(stage)))


def story_lmtp_lmtp_unix(stage):
    """LMTP before Dovecot, by unix sockets on both sides"""
    mixed(Pair(stage, "lmtp", dovecot(stage, unix=True), unix=True))


def story_lmtp_lmtp_judged(stage):
    """LMTP before Dovecot: one recipient's message is refused here, the others' is delivered"""
    pair = Pair(stage, "lmtp", dovecot(stage),
                'at message { reject mine if rcpt.local = "carol" '
                'reply 550 5.7.1 "not for her" }')
    with pair.lmtp() as client:
        client.mail(SENDER, BOB, CAROL, DAVE)
        equal(codes(client.message(MESSAGE, 3)),
              [(250, "2.0.0"), (550, "5.7.1"), (250, "2.0.0")], client.story())
    equal(pair.found(2), [BOB, DAVE], "mailboxes")
    pair.filterd.wait_line("rejected", rule="mine", to=CAROL)


def story_lmtp_lmtp_chunks(stage):
    """LMTP before Dovecot: the last chunk has a reply for each recipient, two messages in one packet"""
    pair = Pair(stage, "lmtp", dovecot(stage))
    first, rest = MESSAGE[:1000], MESSAGE[1000:]
    with pair.lmtp() as client:
        one = (f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{BOB}>\r\n"
               f"RCPT TO:<{FULL}>\r\nBDAT {len(first)}\r\n").encode() + first \
            + b"BDAT %d LAST\r\n" % len(rest) + rest
        client.send(one + one + b"NOOP\r\n")
        expected = [250] * 4 + [250, 552]
        equal([client.reply().code for _ in range(13)],
              expected * 2 + [250], client.story())
    equal(pair.found(2), [BOB, BOB], "mailboxes")


def story_lmtp_lmtp_eightbit(stage):
    """LMTP before Dovecot: 8 bits as they are"""
    pair = Pair(stage, "lmtp", dovecot(stage))
    with pair.lmtp() as client:
        client.mail(SENDER, BOB, parameters=" BODY=8BITMIME")
        equal(codes(client.message(EIGHTBIT, 1)), [(250, "2.0.0")],
              client.story())
    check_same(pair.server.delivered(1)[0], EIGHTBIT)


def story_lmtp_lmtp_gone(stage):
    """LMTP before Dovecot that goes: 451 for each recipient, and none is lost"""
    pair = Pair(stage, "lmtp", dovecot(stage))
    with pair.lmtp() as client:
        equal([reply.code for reply in client.mail(SENDER, BOB, CAROL)],
              [250, 250], client.story())
        pair.server.stop()
        equal(codes(client.message(MESSAGE, 2)), [(451, "4.3.0")] * 2,
              client.story())
        pair.server.start()
        client.mail(SENDER, BOB, CAROL)
        equal(codes(client.message(MESSAGE, 2)), [(250, "2.0.0")] * 2,
              client.story())
    equal(pair.found(2), [BOB, CAROL], "mailboxes")


# ---- LMTP before SMTP ---------------------------------------------------------


def before_smtp(stage, server):
    """The backend's one reply is that of each recipient it took."""
    pair = Pair(stage, "lmtp", server)
    with pair.lmtp() as client:
        replies = client.mail(SENDER, BOB, NOBODY, CAROL)
        equal([reply.code for reply in replies], [250, 550, 250],
              client.story())
        replies = client.message(MESSAGE, 2)
        equal([reply.code for reply in replies], [250, 250], client.story())
        equal(client.message(MESSAGE, 1)[0].code, 503, client.story())
    equal(pair.found(2), [BOB, CAROL], "mailboxes")


def story_lmtp_smtp_exim(stage):
    """LMTP before Exim, which answers once: each recipient hears it"""
    before_smtp(stage, stage.exim())


def story_lmtp_smtp_opensmtpd(stage):
    """LMTP before OpenSMTPD, which answers once: each recipient hears it"""
    before_smtp(stage, stage.opensmtpd())


def story_lmtp_smtp_refused(stage):
    """LMTP before SMTP: a message that is refused is refused to each recipient"""
    sink = stage.sink()
    sink.fault("message", "554 5.6.0 not this one")
    pair = Pair(stage, "lmtp", sink)
    with pair.lmtp() as client:
        client.mail(SENDER, BOB, CAROL)
        equal(codes(client.message(MESSAGE, 2)), [(554, "5.6.0")] * 2,
              client.story())
        equal(client.say("NOOP").code, 250, client.story())


# ---- clients ------------------------------------------------------------------


def run(words, status=0):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60,
                          check=False)
    equal(done.returncode, status, f"{words}\n{done.stdout}{done.stderr}")
    return done.stdout


def story_swaks(stage):
    """swaks --protocol LMTP, by TCP and by a unix socket"""
    sink = stage.sink()
    for unix in (False, True):
        pair = Pair(stage, "lmtp", sink, unix=unix)
        where = ["--socket", pair.path] if unix \
            else ["--server", f"{HOST}:{pair.port}"]
        run([find("swaks"), *where, "--protocol", "LMTP", "--helo",
             "gate.example.org", "--from", SENDER, "--to", BOB])
        pair.filterd.stop()
    equal(len(sink.delivered()), 2, "messages")


def story_source(stage):
    """smtp-source -L: sessions at a time, messages a session, recipients a message"""
    sink = stage.sink()
    pair = Pair(stage, "lmtp", sink)
    run([find("smtp-source"), "-L", "-s", "5", "-m", "20", "-d", "-r", "10",
         "-f", SENDER, "-t", BOB, f"{HOST}:{pair.port}"])
    equal([len(message.recipients) for message in sink.delivered()],
          [10] * 20, "recipients")


def story_greetings(stage):
    """LHLO is for LMTP alone, EHLO and HELO are for SMTP"""
    pair = Pair(stage, "lmtp", stage.sink())
    with LmtpClient(HOST, pair.port) as client:
        check(client.reply().text.endswith("LMTP"), client.story())
        for verb in ("EHLO", "HELO"):
            equal(client.say(f"{verb} x").code, 500, client.story())
        equal(client.say("LHLO x").code, 250, client.story())
    with pair.filterd.connect() as client:
        client.reply()
        equal(client.say("LHLO x").code, 500, client.story())


def story_xclient(stage):
    """LMTP before Dovecot: by XCLIENT it knows whose mail it is, one after the other"""
    server = dovecot(stage)
    filterd = stage.filterd("", server, identity="xclient")
    for client in ("198.51.100.9", "2001:db8::9"):
        equal(filterd.deliver(MESSAGE, BOB, client=client).code, 250, client)
    wait_until(lambda: len(server.files()) == 2, "two messages")
    texts = []
    for path in server.files():
        with open(path, encoding="utf-8") as file:
            texts.append(file.read().split("From: Alice")[0])
    for text, client in zip(texts, ("[198.51.100.9]", "[2001:db8::9]")):
        check(f"from mail.example.org ({client})" in text, text)
    equal(filterd.lines("backend"), [], "faults")
