# kept.py: `set quarantine spool`: what is quarantined stays on the disk, whole,
# before anybody is told yes; it is listed, shown, released and removed.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import pty
import re
import shutil
import stat
import subprocess
import time
import urllib.request

from lab.dovecot import Dovecot
from lab.failure import check, equal
from lab.lmtp import LmtpClient
from lab.octets import EIGHTBIT, MESSAGE, check_same
from lab.program import HOST, free_port, wait_until
from lab.quarantine import Quarantine
from lab.smtp import SmtpClient

SENDER, SUSPECT = "alice@example.org", "eve@suspect.example"
BOB, CAROL, DAVE = (f"{name}@example.com" for name in ("bob", "carol", "dave"))
RULE = 'at message { quarantine suspect if mail.domain = "suspect.example" }'
KEPT = re.compile(r"kept \[([0-9a-f-]+)\]$")


def start(stage, backend, rules=RULE, **options):
    filterd = stage.filterd("set quarantine spool\n" + rules, backend,
                            **options)
    return filterd, Quarantine(stage, filterd)


def keep(filterd, message=MESSAGE, recipient=BOB):
    """The id that the reply tells."""
    reply = filterd.deliver(message, recipient, SUSPECT)
    equal((reply.code, reply.enhanced), (250, "2.0.0"), str(reply))
    return KEPT.search(str(reply)).group(1)


def released(delivered, sent):
    check_same(delivered, sent, also=("x-filterd-released",))
    equal(len(delivered.named("X-Filterd-Released")), 1, "fields that tell")
    equal(delivered.named("X-Filterd-Quarantine"), [], "marks")


# ---- SMTP -------------------------------------------------------------------


def story_kept(stage):
    """a message is kept with all that is known about it, is listed and shown, and released octet by octet"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink)
    equal(filterd.deliver(MESSAGE).code, 250, "one that is not suspect")
    name = keep(filterd)
    equal(len(sink.delivered()), 1, "what went on")
    line = filterd.wait_line("quarantined", rule="suspect")[0]
    check(name in line["reply"], str(line))
    path = quarantine.path(name)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "the file's mode")
    equal(stat.S_IMODE(os.stat(quarantine.directory).st_mode), 0o700,
          "the directory's mode")
    letter, = quarantine.list()
    for key, value in (("id", name), ("rule", "suspect"),
                       ("stage", "message"), ("client", "198.51.100.9"),
                       ("helo", "mail.example.org"), ("from", SUSPECT),
                       ("subject", "a field  in three  lines, with a blank "
                                   "at the end")):
        equal(letter[key], value, key)
    equal(letter["to"], [{"address": BOB, "parameters": "",
                          "taken": False}], "recipients")
    shown = quarantine.octets("show", name)
    check(shown.endswith(MESSAGE), "the message as it is")
    check(b"rule      suspect, at message" in shown, shown)
    check(b"size      %d\n" % letter["size"] in shown, shown)
    equal(quarantine.octets("show", letter["session"]), shown,
          "by its session")
    twin = quarantine.path(letter["session"] + "-99")
    shutil.copy(path, twin)
    quarantine.run("show", letter["session"], status=1)
    os.unlink(twin)
    raw = quarantine.octets("show", "--raw", name)
    check(raw.startswith(b"Authentication-Results: "), raw[:80])
    equal(len(raw), letter["size"], "its size")
    quarantine.run("release", name)
    released(sink.delivered()[1], MESSAGE)
    equal(sink.delivered()[1].recipients, [BOB], "recipients")
    equal(sink.delivered()[1].sender, SUSPECT, "the reverse-path")
    equal(quarantine.files(), [], "what is left")
    quarantine.run("release", name, status=1)
    quarantine.run("show", "../filterd.conf", status=1)


def story_whole_lists(stage):
    """what is asked for: by id, rule, age, sender, recipient, all of it"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink, """at message {
        quarantine one if rcpt.local = "bob"
        quarantine two if rcpt.local = "carol"
    }""")
    first, second = (keep(filterd, recipient=name) for name in (BOB, CAROL))
    old = keep(filterd)
    equal(quarantine.ids(), [first, second, old], "all, the oldest first")
    equal(quarantine.ids("--rule", "two"), [second], "--rule")
    equal(quarantine.ids("--to", CAROL.upper()), [second], "--to")
    equal(quarantine.ids("--from", SENDER), [], "--from")
    equal(quarantine.ids("--from", SUSPECT), [first, second, old], "--from")
    equal(quarantine.ids("--older", "1h"), [], "--older")
    text = quarantine.run("list")
    check(f"one  <{SUSPECT}>  <{BOB}>" in text, text)
    for words in (("list",), ("release",), ("show",),
                  ("release", "--to", BOB, "--all"),
                  ("release", "--to", "no address", first),
                  ("release", "--keep", first), ("release", first, "--all"),
                  ("list", "--older", "long"), ("burn", first)):
        if words != ("list",):
            quarantine.run(*words, status=2)
    quarantine.run("release", "--rule", "two")
    equal(quarantine.ids(), [first, old], "the others stay")
    quarantine.run("release", first, "--to", f"<{DAVE}>", "--keep")
    equal(sink.delivered()[-1].recipients, [DAVE], "elsewhere")
    equal(quarantine.ids(), [first, old], "with --keep it stays")
    quarantine.run("release", first, "--to", DAVE)
    quarantine.run("release", "--all")
    equal(quarantine.files(), [], "all of it")
    equal(len(sink.delivered()), 4, "messages")


def story_faces(stage):
    """what a stranger wrote moves no cursor of a terminal, and is as it was in a file"""
    filterd, quarantine = start(stage, stage.sink())
    nasty = "Subject: \x1b[2Jx\u202ey\r\n\r\n\x1b]0;title\x07\u009bA gr\u00fc\r\n"
    name = keep(filterd, nasty.encode())
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [quarantine.program, "quarantine", "show", "-c", filterd.file, name],
        stdout=slave, stderr=slave)
    equal(process.wait(60), 0, "the exit status")
    shown = os.read(master, 65536).decode()
    for file in (master, slave):
        os.close(file)
    check("?]0;title??A gr\u00fc" in shown, repr(shown))
    check(not set(shown) & set("\x1b\x07\u202e\u009b"), repr(shown))
    check(quarantine.octets("show", name).endswith(nasty.encode()), "a file")


# ---- other wires ------------------------------------------------------------


def lmtp(stage, backend, rules):
    port = free_port()
    filterd, quarantine = start(
        stage, backend, f"listen lmtp {HOST}:{port} {{ }}\n" + rules,
        identity="none")
    client = LmtpClient(HOST, port)
    client.begin()
    return filterd, quarantine, client


def story_lmtp_groups(stage):
    """LMTP: one recipient's message is kept, another's delivered, a third's refused"""
    server = stage.add(Dovecot(stage.directory, False))
    _, quarantine, client = lmtp(stage, server, """at message {
        quarantine hers if rcpt.local = "carol"
        reject     his  if rcpt.local = "dave" reply 550 5.7.1 "no"
    }""")
    with client:
        for names in ((CAROL, BOB, DAVE), (BOB, CAROL, DAVE)):
            client.mail(SENDER, *names)
            replies = dict(zip(names, client.message(MESSAGE, 3)))
            equal([replies[name].code for name in (BOB, CAROL, DAVE)],
                  [250, 250, 550], client.story())
            check(KEPT.search(str(replies[CAROL])), client.story())
            check(not KEPT.search(str(replies[BOB])), client.story())
    messages = server.delivered(2)
    equal([message.recipients for message in messages], [[BOB], [BOB]],
          "delivered")
    letters = quarantine.list()
    equal([[to["address"] for to in letter["to"]] for letter in letters],
          [[CAROL], [CAROL]], "kept")
    quarantine.run("release", "--all")
    messages = [message for message in server.delivered(4)
                if message.recipients == [CAROL]]
    equal(len(messages), 2, "released")
    for message in messages:
        released(message, MESSAGE)


def story_lmtp_partly(stage):
    """LMTP behind: whoever got a released message does not get it again"""
    full = "full@example.com"
    server = stage.add(Dovecot(stage.directory, False))
    _, quarantine, client = lmtp(stage, server, RULE)
    with client:
        client.mail(SUSPECT, BOB, full, CAROL)
        equal([KEPT.search(str(reply)) is not None
               for reply in client.message(MESSAGE, 3)], [True] * 3,
              client.story())
    said = quarantine.run("release", "--all", status=1)
    check(f"<{full}>: 552" in said, said)
    letter, = quarantine.list()
    equal([to["taken"] for to in letter["to"]], [True, False, True], "taken")
    quarantine.run("release", "--all", status=1)
    equal(sorted(message.recipients[0] for message in server.delivered(2)),
          [BOB, CAROL], "each once")
    quarantine.run("release", letter["id"], "--to", DAVE)
    equal(len(server.delivered(3)), 3, "elsewhere")
    equal(quarantine.files(), [], "what is left")


def story_chunks(stage):
    """BDAT, SMTPUTF8, 8BITMIME and DSN of Postfix: recorded, and said again"""
    postfix = stage.postfix()
    port = free_port()
    _, quarantine = start(stage, postfix, f"listen smtp {HOST}:{port} {{ }}\n"
                          'at message { quarantine all }')
    with SmtpClient(HOST, port) as client:
        client.reply()
        offered = str(client.say("EHLO mail.example.org"))
        for word in ("8BITMIME", "SMTPUTF8", "DSN", "CHUNKING"):
            check(word in offered, offered)
        client.say("MAIL FROM:<gr\u00fc@example.org> SIZE=100 SMTPUTF8 "
                   "BODY=8BITMIME RET=HDRS ENVID=one")
        client.say(f"RCPT TO:<{BOB}> NOTIFY=NEVER")
        client.send(b"BDAT 10\r\n" + EIGHTBIT[:10])
        equal(client.reply().code, 250, client.story())
        client.send(b"BDAT %d LAST\r\n" % len(EIGHTBIT[10:]) + EIGHTBIT[10:])
        reply = client.reply()
        check(KEPT.search(str(reply)), client.story())
    letter, = quarantine.list()
    equal(letter["from"], "gr\u00fc@example.org", "the reverse-path")
    for word in ("BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=one"):
        check(f" {word}" in letter["parameters"], letter["parameters"])
    equal(letter["to"][0]["parameters"], " NOTIFY=NEVER", "of RCPT")
    quarantine.run("release", "--all")
    delivered, = postfix.delivered(1)
    check(delivered.octets.endswith(EIGHTBIT), "octet by octet")


# ---- trouble ----------------------------------------------------------------


def story_full(stage):
    """no room, no right, too much: 452 or 451, no word of a disk, and nothing half"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink,
                                "set quarantine-size 1M\n" + RULE)
    large = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 20000
    names = [keep(filterd, large) for _ in range(2)]
    reply = filterd.deliver(large, BOB, SUSPECT)
    equal((reply.code, reply.enhanced), (452, "4.3.1"), str(reply))
    check("quarantine" not in str(reply), str(reply))
    filterd.wait_line("tempfailed", rule="-quarantine")
    check("quarantine-size" in filterd.wait_line("quarantine")[0]["text"],
          "the log says why")
    equal(quarantine.files(), sorted(names), "what is there")
    equal(quarantine.unfinished(), [], "nothing half")
    quarantine.run("release", names[0])
    wait_until(lambda: filterd.deliver(large, BOB, SUSPECT).code == 250,
               "there is room again", 30)
    os.rename(quarantine.directory, quarantine.directory + "-away")
    reply = filterd.deliver(MESSAGE, BOB, SUSPECT)
    equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
    os.symlink(quarantine.directory + "-away", quarantine.directory)
    equal(filterd.deliver(MESSAGE, BOB, SUSPECT).code, 451, "a link")
    os.unlink(quarantine.directory)
    os.rename(quarantine.directory + "-away", quarantine.directory)
    keep(filterd)


def story_disk(stage):
    """a disk that is full, and a file that must not grow: 452, then all is well again"""
    disk = os.path.join(stage.directory, "disk")
    os.makedirs(disk)
    sink = stage.sink()
    filterd = stage.filterd_at_rest("set quarantine spool\n" + RULE, sink)
    filterd.argv = ["unshare", "-m", "sh", "-c",
                    f"mount -t tmpfs -o size=1m none {filterd.state} && "
                    "ulimit -f 400 && exec env --default-signal=XFSZ "
                    f"{filterd.argv[0]} -c {filterd.file}"]
    stage.add(filterd)
    large = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 30000
    reply = filterd.deliver(large, BOB, SUSPECT)
    equal(reply.code // 100, 4, f"a limit, on its way: {reply}")
    reply = filterd.deliver(large[:230000], BOB, SUSPECT)
    equal((reply.code, reply.enhanced), (452, "4.3.1"), f"a limit: {reply}")
    small = large[:180000]
    codes = [filterd.deliver(small, BOB, SUSPECT).code for _ in range(8)]
    check(codes[0] == 250 and codes[-1] == 452, f"a disk: {codes}")
    taken = codes.count(250)
    listing = subprocess.run(
        ["nsenter", "-t", str(filterd.workers()[0]), "-m", "ls", "-A",
         os.path.join(filterd.state, "quarantine")], capture_output=True,
        text=True, check=True).stdout.split()
    equal(len([name for name in listing if name[0] not in ".t"]), taken,
          f"files: {listing}")
    equal([name for name in listing if name.startswith("tmp-")], [], "half")
    equal(filterd.lines("worker-lost"), [], "no worker dies of it")


def story_backend(stage):
    """a backend that is away, or refuses: the message stays, and why is told"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink)
    name = keep(filterd)
    for step, action in (("rcpt", "550 5.1.1 nobody"),
                         ("mail", "451 4.3.0 later"),
                         ("message", "554 5.6.0 not this"), ("message", "close"),
                         ("data", "close")):
        sink.fault(step, action)
        said = quarantine.run("release", name, status=1)
        check(action == "close" or action in said, said)
        sink.fault(step, None)
        equal(quarantine.files(), [name], f"after {step}")
    sink.stop()
    quarantine.run("release", name, status=1)
    equal(quarantine.files(), [name], "without a backend")
    sink.start()
    quarantine.run("release", name)
    released(sink.delivered()[0], MESSAGE)


def story_nobody(stage):
    """a message whose recipients a rule took away is not lost by a release"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink, """at message {
        rewrite remove-recipient("{rcpt.to}")
        quarantine all
    }""")
    name = keep(filterd)
    check("--to" in quarantine.run("release", name, status=1), "is told")
    equal(quarantine.files(), [name], "it stays")
    quarantine.run("release", name, "--to", DAVE)
    equal(sink.delivered()[0].recipients, [DAVE], "elsewhere")


def story_at_once(stage):
    """released by eight at a time it is delivered once"""
    sink = stage.sink()
    filterd, quarantine = start(stage, sink)
    for _ in range(3):
        name = keep(filterd)
        before = len(sink.delivered())
        processes = [quarantine.start("release", name) for _ in range(8)]
        for process in processes:
            process.communicate(timeout=60)
        equal(sorted(process.returncode for process in processes),
              [0] + [1] * 7, "exit statuses")
        equal(len(sink.delivered()) - before, 1, "deliveries")
    equal(quarantine.files(), [], "what is left")


# ---- time -------------------------------------------------------------------


def metrics(port):
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics",
                                timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split(" ")[0][len("filterd_quarantine_"):]:
            int(line.split(" ")[1]) for line in lines
            if line.startswith("filterd_quarantine_")}


def story_expired(stage):
    """what is older than its lifetime is removed, by itself and on demand, and is counted"""
    sink = stage.sink()
    port = free_port()
    filterd, quarantine = start(
        stage, sink, f"listen http {HOST}:{port}\n"
        "set quarantine-lifetime 10d\n" + RULE)
    names = [keep(filterd) for _ in range(4)]
    equal([metrics(port)[name] for name in ("kept_total", "messages")],
          [4, 4], "kept")
    then = time.time() - 11 * 86400
    os.utime(quarantine.path(names[0]), (then, then))
    with open(quarantine.path("tmp-" + names[3]), "wb") as file:
        file.write(b"half")
    quarantine.run("release", names[1])
    quarantine.run("expire", names[2])
    quarantine.run("expire")
    os.symlink("/etc/passwd", quarantine.path("abc-1-1"))
    filterd.reload()
    wait_until(lambda: not os.path.exists(quarantine.path(names[0])),
               "it is swept when a worker starts")
    wait_until(lambda: not quarantine.unfinished(), "nothing half")
    equal(quarantine.ids(names[3]), [names[3]], "what is young")
    check(os.path.islink(quarantine.path("abc-1-1")), "a link is let be")
    wait_until(lambda: metrics(port)["messages"] == 1, "counted anew")
    found = metrics(port)
    equal([found[name] for name in ("released_total", "expired_total")],
          [1, 2], "released and expired")
    check(0 < found["bytes"] < 16384, f"{found} bytes")
    check(found["oldest_seconds"] < 3600, str(found))
    os.unlink(quarantine.path("abc-1-1"))
