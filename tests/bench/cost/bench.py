# bench.py: a filterd with all checks, what it has spent, and who asks it.
#
# SPDX-License-Identifier: BSD-2-Clause
import concurrent.futures
import glob
import os
import re
import statistics
import tempfile
import time

from lab.filterd import Filterd
from lab.program import HOST, children, free_port

from .mail import CLIENT, DOMAINS, LISTED, RECIPIENT, sender

POLICY = """store %(store)s
%(lists)s
use spf
use dkim
use dmarc
use dnsbl { zone bl.example.net 127.0.0.2 weight 5 }
use greylist { delay 1s sender exact white-after 0 }
at connect {
    reject listed if dnsbl.score >= 5
}
at mail {
%(rules)s}
at rcpt {
    reject spf-fail if spf.result = fail
%(greylist)s}
at message {
    reject dmarc if dmarc.disposition = reject
}
"""
DEFAULTS = {
    "store": "memory", "lists": "", "rules": "",
    "greylist": "    tempfail greylist if greylist.state = new or "
                "greylist.state = early\n"}
# Whoever connects to the second listener is who they are.
MORE = """set max-sessions 100000
set max-errors 10000
set max-errors-per-address 0
set max-message-size 200M
listen smtp %s:%d {}
"""
PARALLEL = 4
RATE = 40  # messages a second, where latency is measured


def percentiles(times):
    """p50 and p99 in milliseconds."""
    ordered = sorted(passed * 1000 for passed in times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def alternate(rounds, *measures):
    """What each of them returned, in turn, so that none has the better time."""
    told = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(told, measures):
            kept.append(measure())
    return told


def ratio(few, many):
    """How many times as much, round by round: what else the machine does is
    the same for both."""
    return statistics.median(more / less for less, more in zip(few, many))


def medians(told):
    """Of each column."""
    return [statistics.median(column) for column in zip(*told)]


class Bench:
    """`parts` of the policy, by the names in DEFAULTS."""

    def __init__(self, stage, dns=None, backend=None, listen="", **parts):
        self.direct = free_port()
        self.directory = tempfile.mkdtemp(dir=stage.directory)
        self.filterd = stage.add(Filterd(
            self.directory, stage.options.build,
            POLICY % {**DEFAULTS, **parts}, backend or stage.sink(), dns,
            workers=2, listen=listen, more=MORE % (HOST, self.direct),
            identity="none"))

    # ---- what it has spent -------------------------------------------------

    def processes(self):
        return [self.filterd.pid, *children(self.filterd.pid)]

    def cpu(self):
        """Milliseconds of all threads so far."""
        spent = 0
        for pid in self.processes():
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                with open(path, encoding="ascii") as file:
                    spent += int(file.read().split()[0])
        return spent / 1e6

    def memory(self):
        """Octets; shared ones by halves, thirds …"""
        octets = 0
        for pid in self.processes():
            path = f"/proc/{pid}/smaps_rollup"
            with open(path, encoding="ascii") as file:
                octets += 1024 * int(
                    re.search(r"^Pss:\s+(\d+)", file.read(), re.M)[1])
        return octets

    def stay(self, cpu):
        """On that one: whose turn a scheduler thinks it is elsewhere counts
        for more than what is compared."""
        for pid in self.processes():
            os.sched_setaffinity(pid, {cpu})

    # ---- who asks it -------------------------------------------------------

    def visit(self, mail, numbers):
        """Those messages by one connection; codes and times of the last
        replies."""
        told = []
        with self.filterd.connect(CLIENT) as client:
            client.reply()
            client.say("EHLO mail.example.net")
            for number in numbers:
                client.say(f"MAIL FROM:<{sender(number)}>")
                reply = client.say(f"RCPT TO:<{RECIPIENT}>")
                began = time.monotonic()
                if reply.code == 250:
                    client.say("DATA")
                    client.send(mail[number % DOMAINS] + b".\r\n")
                    began = time.monotonic()
                    reply = client.reply()
                else:
                    client.say("RSET")
                told.append((reply.code, time.monotonic() - began))
        return told

    def greet(self, mail):
        """Greylisting and caches know everybody."""
        self.visit(mail, range(DOMAINS))
        time.sleep(1.1)
        self.visit(mail, range(DOMAINS))

    def cost(self, mail, count, each):
        """CPU-ms of a message, `each` a connection."""
        turns = [range(at, at + each) for at in range(0, count, each)]
        before = self.cpu()
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            told = [one for turn in
                    pool.map(lambda numbers: self.visit(mail, numbers), turns)
                    for one in turn]
        refused = {code for code, _ in told} - {250}
        if refused:
            raise SystemExit(f"replies {refused}")
        return (self.cpu() - before) / len(told)

    def refuse(self, count):
        """CPU-ms of a client that is on a list."""
        before = self.cpu()
        for _ in range(count):
            with self.filterd.connect(LISTED) as client:
                if client.reply().code != 554:
                    raise SystemExit("a listed client was let in")
        return (self.cpu() - before) / count
