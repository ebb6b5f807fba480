# protocol.py: the milter protocol, octet by octet: what is agreed on, who may
# come in, and what a broken mail server gets.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import random
import struct

from lab import mta
from lab.failure import check, equal
from lab.mta import Gone, Mta, text
from lab.program import HOST, free_port, wait_until

FIELDS = [("From", " alice@example.org"), ("Subject", " hello")]
ALWAYS = mta.LEADING | 0x100 | mta.NR_HEADER | mta.NR_EOH
QUIET = ALWAYS | mta.NR_CONNECT | mta.NR_HELO | mta.NO_DATA
EDITS = mta.ADD_HEADER | mta.CHANGE_HEADER | mta.MACROS

# A policy, and the actions and steps that it needs.
NEEDS = [
    ("", EDITS, QUIET | mta.NO_BODY),
    ("at connect { reject no if client.ip = 192.0.2.1 }", EDITS,
     QUIET & ~mta.NR_CONNECT | mta.NO_BODY),
    ('at helo { reject no if helo.name = "x" }', EDITS,
     QUIET & ~mta.NR_HELO | mta.NO_BODY),
    ("at data { reject no if rcpt.count > 5 }", EDITS,
     QUIET & ~mta.NO_DATA | mta.NO_BODY),
    ("use spf at rcpt { reject no if spf.result = fail }", EDITS,
     QUIET | mta.NO_BODY),
    ("use dkim", EDITS, QUIET | mta.SKIP),
    ("use dkim set authentication-results off", EDITS, QUIET | mta.NO_BODY),
    ("use dkim use dmarc set authentication-results off"
     " at message { reject no if dmarc.result = fail }", EDITS,
     QUIET | mta.SKIP),
    ("at message { reject no if message.size > 100 }", EDITS,
     QUIET | mta.SKIP),
    ("at message { quarantine q }", EDITS | mta.QUARANTINE,
     QUIET | mta.NO_BODY),
    ('at rcpt { discard d if rcpt.local = "d" }', EDITS | mta.REMOVE_RECIPIENT,
     QUIET | mta.NO_BODY),
    ('at message { rewrite set-sender("") }', EDITS | mta.CHANGE_SENDER,
     QUIET | mta.NO_BODY),
    ('at message { rewrite add-recipient("a@b.example") }',
     EDITS | mta.ADD_RECIPIENT, QUIET | mta.NO_BODY),
    ("at connect { reject no if client.unknown-recipients > 3 }", EDITS,
     QUIET & ~mta.NR_CONNECT | mta.NO_BODY | mta.REJECTED),
]


def start(stage, policy, **options):
    port = free_port()
    extra = options.pop("extra", "")
    filterd = stage.filterd(
        policy, stage.sink(), more=f"listen milter {HOST}:{port} {extra}",
        **options)
    return port, filterd


def story_needs(stage):
    """nothing is negotiated but what the policy needs"""
    port, filterd = start(stage, "")
    for policy, actions, steps in NEEDS:
        filterd.configure(policy)
        before = len(filterd.lines("drained"))
        filterd.reload()
        wait_until(lambda: len(filterd.lines("drained")) > before,
                   f"{policy!r} is taken, and the one before has gone")
        with Mta(port).negotiate() as client:
            equal((hex(client.actions), hex(client.steps)),
                  (hex(actions), hex(steps)), f"what is needed by {policy!r}")


def story_lacking(stage):
    """a mail server that cannot do what is needed is not served, and we say so"""
    port, filterd = start(stage, "at message { quarantine q }")
    with Mta(port) as client:
        client.send(b"O", struct.pack(">III", 6, mta.ACTIONS & ~mta.QUARANTINE,
                                      mta.STEPS))
        try:
            check(False, f"it is served: {client.packet()}")
        except Gone:
            filterd.wait_line("milter")


def story_verdicts(stage):
    """verdicts, edits and words are those of the policy"""
    port, _ = start(stage, """
        at mail { reject named if mta.queue-id = "Q1"
                  tempfail later if mail.from = "later@example.org"
                  reply 450 4.7.0 "later" }
        at rcpt { reject no if rcpt.local = "no" reply 550 5.1.1 "100%" }
        at message { rewrite add-header("X-New", "a")
                     rewrite set-sender("b@example.org") }""")
    with Mta(port) as client:
        equal(client.envelope("later@example.org")[0], b"y", "the answer")
        equal(client.mail("a@example.org", macros=("i", "Q1"))[0], b"y",
              "the answer where the queue has a name already")
        client.send(b"A")
        equal(client.mail("a@example.org", "RET=HDRS", "ENVID=x", "SIZE=9",
                          macros=("i", "Q2"))[0], b"c", "the answer")
        command, words = client.rcpt("no@example.com")
        equal(command, b"y", "the answer")
        check(words.startswith(b"550 5.1.1 100%% ["), f"the words are {words}")
        equal(client.rcpt("b@example.com")[0], b"c", "the answer")
        answers = client.message(FIELDS)
    equal([command for command, _ in answers], [b"i", b"i", b"e", b"c"],
          "the edits")
    equal(answers[0][1], b"\0\0\0\0X-New\0 a\0", "the first")
    equal(answers[2][1], b"<b@example.org>\0RET=HDRS ENVID=x\0", "the sender")


def story_size(stage):
    """a message declared larger than we take is refused before it is sent"""
    port, filterd = start(stage, "set max-message-size 20k")
    with Mta(port) as client:
        client.envelope("a@example.org")
        command, words = client.mail("a@example.org", "SIZE=20481")
        equal((command, words[:9]), (b"y", b"552 5.3.4"), "the answer")
        filterd.wait_line("rejected", rule="-size")
        equal(client.mail("a@example.org", "SIZE=20480")[0], b"c",
              "the answer to the limit itself")


def story_two(stage):
    """two transactions of a session know nothing of each other"""
    port, _ = start(stage, 'at message { reject no if rcpt.local = "no" }')
    with Mta(port) as client:
        client.envelope("a@example.org", "no@example.com")
        equal(client.message(FIELDS)[-1][0], b"y", "the first")
        for words, verdict in ((("a@example.org", "b@example.com"), b"c"),
                               (("a@example.org", "no@example.com"), b"y")):
            client.mail(words[0])
            client.rcpt(words[1])
            equal(client.message(FIELDS)[-1][0], verdict, "another")
        client.mail("a@example.org")
        client.rcpt("no@example.com")
        client.send(b"A")
        client.mail("a@example.org")
        client.rcpt("b@example.com")
        equal(client.message(FIELDS)[-1][0], b"c", "after an abort")


def story_queue(stage):
    """a queue id that comes with MAIL is known there, and goes with a refusal"""
    port, _ = start(stage, """at mail { reject no if mail.local = "no"
                                       reply 550 5.7.1 "<{mta.queue-id}>" }""")
    with Mta(port) as client:
        client.envelope("a@example.org")
        for queue in "4QX1", "4QX2":
            words = client.mail("no@example.org", macros=("i", queue))[1]
            check(f"<{queue}>".encode() in words, f"the words are {words}")


def story_folded(stage):
    """a line of a folded field is no field, and no end of the header"""
    port, _ = start(stage, "at message { reject odd if "
                           "header.from.problem != none }")
    for value in (" a\nFrom: b@example.org", " a\n", "\n\n", ""):
        with Mta(port) as client:
            client.envelope("a@example.org", "b@example.com")
            answers = client.message([("Subject", value)] + FIELDS)
            equal(answers[-1][0], b"c", f"the answer to {value!r}")


def story_last(stage):
    """the end may bring the last octets of the body"""
    port, _ = start(stage, "at message { reject big if message.size > 100 }")
    for octets, verdict in (b"x" * 200, b"y"), (b"x", b"c"):
        with Mta(port) as client:
            client.envelope("a@example.org", "b@example.com")
            client.header("From", " a@example.org")
            client.header_end()
            equal(client.end(octets)[-1][0], verdict, "the verdict")


def story_skip(stage):
    """the body of an accepted message need not come"""
    port, _ = start(stage, "use dkim at rcpt { accept ours if "
                           'rcpt.local = "ours" }')
    with Mta(port) as client:
        client.envelope("a@example.org", "ours@example.com")
        client.header("From", " a@example.org")
        client.header_end()
        client.body(b"x" * 60000)
        equal(client.body(b"x" * 60000)[0], b"s", "the answer")
        equal(client.end()[-1][0], b"c", "the verdict")
        client.mail("a@example.org")
        client.rcpt("b@example.com")
        client.header("From", " a@example.org")
        client.header_end()
        for _ in range(2):
            equal(client.body(b"x" * 60000)[0], b"c", "the answer")


def story_unknown(stage):
    """recipients that the mail server refused are shown, and counted"""
    port, _ = start(stage, """at connect {
        reject dictionary if client.unknown-recipients > 2 }""")
    refused = ("{rcpt_mailer}", "error", "{rcpt_host}", "5.1.1")
    with Mta(port) as client:
        client.envelope("a@example.org")
        for number in range(3):
            client.rcpt(f"x{number}@example.com", macros=refused)
    with Mta(port) as client:
        equal(client.envelope("a@example.org")[0], b"y", "the answer")
    with Mta(port) as client:
        equal(client.envelope("a@example.org", client="198.51.100.8")[0], b"c",
              "the answer to another")


def story_limit(stage):
    """at the limit whoever comes waits, and those who are there go on"""
    port, filterd = start(stage, "", extra="{ max-sessions 2 }")
    first, second = Mta(port), Mta(port)
    for client in first, second:
        equal(client.envelope("a@example.org")[0], b"c", "the answer")
    filterd.wait_line("limited", limit="max-sessions")
    third = Mta(port)
    third.socket.settimeout(1.5)
    try:
        third.negotiate()
        check(False, "a third one is served")
    except Exception as error:
        check("does not answer" in str(error), str(error))
    equal(first.rcpt("b@example.com")[0], b"c", "the answer")
    first.quit()
    third.socket.settimeout(20)
    third.packet()
    third.actions, third.steps = second.actions, second.steps
    third.connect()
    third.helo()
    equal(third.mail("a@example.org")[0], b"c", "the answer to the third")
    second.quit()
    third.quit()


def story_sockets(stage):
    """several workers share a socket, and several sockets are dealt out"""
    port = free_port()
    path = os.path.join(stage.directory, "milter.sock")
    filterd = stage.filterd(
        'at rcpt { reject no if rcpt.local = "no" reply "{mta.name}" }',
        stage.sink(), workers=3,
        more=f'listen milter {HOST}:{port}\n'
             f'listen milter "unix:{path}" {{ mode 0600 }}')
    equal(os.stat(path).st_mode & 0o777, 0o600, "the mode of the socket")
    equal(len(filterd.workers()), 3, "workers")
    crowd = [Mta(where) for where in (port, path) * 20]
    for client in crowd:
        equal(client.envelope("a@example.org")[0], b"c", "the answer")
    for client in crowd:
        equal(client.rcpt("no@example.com")[0], b"y", "the answer")
        client.quit()
    sessions = {line["session"].split("-")[0]
                for line in filterd.lines("rejected", rule="no")}
    check(len(sessions) >= 2, f"they were served by {sessions}")
    filterd.stop()
    check(not os.path.exists(path), "the socket is left behind")


# Octets behind a sound negotiation.
BROKEN = [
    b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xffC", b"\0\0\0\1C",
    b"\0\0\0\1M", b"\0\0\0\1R", b"\0\0\0\1E", b"\0\0\0\1z", b"\0\0\0\2C",
    b"\0\0\0\5Cabcd", b"\0\0\0\6Ca\0" + b"4\0\0", b"\0\0\0\x08Ca\0" + b"Xabcd",
    b"\0\0\0\4Mabc", b"\0\0\0\4M\0\0\0", b"\0\0\0\3L\0\0", b"\0\0\0\3La\0",
    b"\0\0\0\4DMab", b"\0\0\0\5DMa\0b", b"\0\0\0\2DM", b"\0\0\0\1D",
    b"\0\0\0\2O\0", b"\0\0\0\1O", b"\0\0\0\1T", b"\0\0\0\1N", b"\0\0\0\1B",
    b"GET / HTTP/1.0\r\n\r\n", b"EHLO x\r\n", b"\0" * 4096,
]


def story_broken(stage):
    """broken packets end the connection they came by, and nothing else"""
    port, filterd = start(stage, "at rcpt { reject no if rcpt.local = \"no\" }")
    for octets in BROKEN:
        for deep in (False, True):
            with Mta(port) as client:
                if deep:
                    client.envelope("a@example.org", "b@example.com")
                else:
                    client.negotiate()
                client.send_octets(octets)
    worker = filterd.workers()
    with Mta(port) as client:
        equal(client.envelope("a@example.org", "no@example.com")[0], b"y",
              "the answer to a sound one")
    equal(filterd.workers(), worker, "the worker")


COMMANDS = b"OCHMRTLNBEAQDUVK"


def random_packet(chance):
    command = bytes([chance.choice(COMMANDS)])
    octets = chance.choice([
        b"", text("<a@example.org>"), text("<b@example.com>", "SIZE=1"),
        text("x") + b"4\x9c\x40" + text("192.0.2.1"), text("From", " a"),
        chance.randbytes(chance.randrange(60)), b"x\r\n" * 5000,
        b"M" + text("i", "1"), struct.pack(">III", 6, 0x1ff, 0x1fffff)])
    length = len(octets) + 1
    if chance.random() < 0.05:
        length = chance.choice([0, 1, length + 1, length - 1, 1 << 20, 1 << 31])
    return struct.pack(">I", length) + command + octets


def story_random(stage):
    """random packets in any order find no way to break a worker"""
    port, filterd = start(stage, "use dkim at message { reject no if "
                                 "message.size > 1000 }")
    worker = filterd.workers()
    for seed in range(150):
        chance = random.Random(seed)
        with Mta(port) as client:
            client.negotiate()
            try:
                for _ in range(chance.randrange(30)):
                    client.send_octets(random_packet(chance))
            except Gone:
                continue
    with Mta(port) as client:
        equal(client.envelope("a@example.org", "b@example.com")[0], b"c",
              "the answer to a sound one")
    equal(filterd.workers(), worker, "the worker")
