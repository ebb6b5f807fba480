"""What a plugin in a process of its own costs the others: nothing."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import random
import re
import signal
import smtplib
import sys
import threading
import time

from daemon import Backend, Filterd, message, run, running, wait_until
from planted import TREE, greet, plant, rules

ISOLATED = rules(more="isolation process isolation-memory 64M isolation-lost unknown")
KNOWN = ('at helo { reject known if helo.name != "client.test" and known trouble.motto '
         'reply 550 5.7.1 "{trouble.motto}" }\n')
LOST = r"plugin-lost pid=\d+ (?:signal=\w+|exit=\d+) .*plugin=trouble "
KILLS = 100


def works(filterd):
    """Its facts are there, perhaps again."""
    wait_until(lambda: greet(filterd, "ask.test").startswith("550 "),
               "the plugin works")




def verdicts(program):
    """its facts come from a process without our key, and the file of its option"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, _):
        assert greet(filterd, "ask.test").startswith("550 5.7.1 through the bundle")
        assert len(filterd.plugins()) == 1
        maps = open(f"/proc/{filterd.plugins()[0]}/cmdline").read().split("\0")
        assert maps[:4] == ["filterd", "--isolated", "trouble", "trouble"], maps


def crashes(program):
    """whatever way it crashes: named with hook and session, its facts unknown, the rest unharmed"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, backend):
        filterd.crashes = True
        workers = filterd.children()
        other = filterd.session()
        for number, deed in enumerate(["crash", "abort", "divide", "overflow", "thread"], 1):
            works(filterd)
            assert greet(filterd, deed + ".test").startswith("250 "), deed
            filterd.wait_log(LOST + r"hook=helo session=[0-9a-f]+-", number)
            filterd.wait_log(r'plugin=trouble text="helo: the process of the plugin ended"',
                             number)
        works(filterd)
        other.sendmail("a@example.org", ["user@example.com"], message("goes on"))
        other.quit()
        assert backend.subjects() == ["goes on"]
        assert filterd.children() == workers


def comes_again(program):
    """who asks while it is lost is told to come again, who asks for nothing of it is not"""
    fenced = f'use trouble {{ motto "{TREE}/motto" isolation process }}\n'
    with running(program, fenced + KNOWN, workers=1) as (filterd, backend):
        filterd.crashes = True
        works(filterd)
        for _ in range(4):
            assert greet(filterd, "crash.test").startswith("451 4.3.0")
        while greet(filterd, "ask.test").startswith("451 4.3.0"):
            filterd.send("asks for nothing")
        assert greet(filterd, "ask.test").startswith("550 ")
        filterd.wait_log(r"tempfailed .*rule=-plugin reply=", 5)
        assert set(backend.subjects()) == {"asks for nothing"}


def forgives(program):
    """a session that met it lost goes on when it is there again"""
    asks = (f'use trouble {{ motto "{TREE}/motto" isolation process }}\n'
            'at helo { accept asked if helo.name != "client.test" and known trouble.motto }\n')
    with running(program, asks, workers=1) as (filterd, _):
        filterd.crashes = True
        client = filterd.session()
        assert client.docmd("EHLO", "crash.test")[0] == 451
        wait_until(lambda: greet(filterd, "ask.test").startswith("250"), "it is there again")
        assert client.docmd("EHLO", "ask.test")[0] == 250
        client.quit()


def beyond(program):
    """one that writes beyond its state is asked no more in that session"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, _):
        assert greet(filterd, "beyond.test").startswith("250 ")
        filterd.wait_log(r"plugin=trouble text=\"helo: the plugin wrote beyond")
        assert greet(filterd, "ask.test").startswith("550 ")


def hangs(program):
    """one that hangs is ended, named and replaced, its worker is not"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, backend):
        workers = filterd.children()
        for number, deed in enumerate(["hang", "sleep"], 1):
            assert greet(filterd, deed + ".test").startswith("250 ")
            filterd.wait_log(r"watchdog plugin=trouble text=\"the process of a plugin \d+ hangs",
                             number)
            filterd.wait_log(LOST + r"hook=helo session=[0-9a-f]+-", number)
            works(filterd)
        assert filterd.children() == workers


def holds(program):
    """one that holds its own loop is named"""
    with running(program, ISOLATED, workers=1) as (filterd, _):
        greet(filterd, "hold.test")
        filterd.wait_log(r"held session=[0-9a-f]+-\S+ by=trouble hook=helo ms=\d+")


def leaks(program):
    """one that takes more memory than it may is ended, at once or when it is seen"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, _):
        filterd.crashes = True
        assert greet(filterd, "leak.test").startswith("250 ")
        filterd.wait_log(LOST)
        works(filterd)
        assert greet(filterd, "slow-leak.test").startswith("250 ")
        filterd.wait_log(r'signal=KILL reason="it is over its isolation-memory"')
        works(filterd)


def reaches(program):
    """it can open, connect, fork, trace, signal and run nothing"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, _):
        reply = greet(filterd, "reach.test")
        assert reply.startswith("550 5.7.1 reached: ["), reply


def babbles(program):
    """one that says what it cannot mean is ended and replaced"""
    with running(program, ISOLATED + KNOWN, workers=1) as (filterd, _):
        workers, before = filterd.children(), filterd.plugins()
        assert greet(filterd, "babble.test").startswith("250 ")
        filterd.wait_log(r'plugin=trouble text="its process said what it cannot mean"')
        wait_until(lambda: set(filterd.plugins()) - set(before), "another is there")
        works(filterd)
        assert filterd.children() == workers


def start_fails(program):
    """one that does not start refuses the configuration, with its own words"""
    (TREE / "fail").write_text("fail")
    filterd = Filterd(program, Backend(), rules("fail", "isolation process"), workers=1)
    try:
        filterd.start(wait=False)
        assert filterd.process.wait(30) == 1
        log = filterd.log()
        assert "no luck here" in log and "could not start" in log, log
    finally:
        filterd.clean()


def gone(pids):
    return not [pid for pid in pids if os.path.exists(f"/proc/{pid}/status")
                and "State:\tZ" not in open(f"/proc/{pid}/status").read()]


def lifetimes(program):
    """a reload replaces its processes, a stop and a master that is killed leave none"""
    with running(program, ISOLATED + KNOWN, workers=2) as (filterd, _):
        before = filterd.plugins()
        assert len(before) == 2
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(r"drained ")
        after = filterd.plugins()
        assert len(after) == 2 and not set(before) & set(after)
        filterd.wait_log(r"drained ")
        worker = filterd.children()[0]
        os.kill(worker, signal.SIGKILL)
        filterd.wait_log(r"worker-lost")
        wait_until(lambda: len(filterd.plugins()) == 2
                   and set(filterd.plugins()) != set(after), "a pair is there again")
        works(filterd)
        assert filterd.stop() == 0
        assert "plugin-lost" not in filterd.log(), filterd.log()
        wait_until(lambda: gone(after), "no process is left")
    with running(program, ISOLATED + KNOWN, workers=2) as (filterd, _):
        left = filterd.plugins() + filterd.children()
        filterd.process.kill()
        filterd.process.wait()
        wait_until(lambda: gone(left), "no process outlives its master")
        filterd.process.returncode = 0


class Senders:
    """Who send numbered mail, each message until it is taken."""

    def __init__(self, filterd, count=4):
        self.filterd = filterd
        self.stop = threading.Event()
        self.sent, self.refused = [], []
        self.threads = [threading.Thread(target=self.run, args=(n,), daemon=True)
                        for n in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, sender):
        number = 0
        while not self.stop.is_set():
            subject = f"{sender}-{number}"
            while not self.deliver(subject):
                time.sleep(0.01)
            self.sent.append(subject)
            number += 1

    def deliver(self, subject):
        try:
            self.filterd.send(subject)
            return True
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
        except smtplib.SMTPResponseException as error:
            codes = [error.smtp_code]
        except (OSError, smtplib.SMTPServerDisconnected):
            codes = []
        self.refused += [code for code in codes if code >= 500]
        return False

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


def killed(program):
    """killed a hundred times under load: no mail lost, no 5xx, the same workers"""
    uses = "".join(f'use trouble as t{n} {{ motto "{TREE}/motto" isolation process }}\n'
                   for n in range(4))
    facts = " and ".join(f"known t{n}.motto" for n in range(4))
    policy = uses + f'at helo {{ reject never if {facts} and helo.name = "never.test" }}\n'
    with running(program, policy, workers=2) as (filterd, backend):
        workers = filterd.children()
        senders = Senders(filterd)
        kills = 0
        while kills < KILLS:
            there = wait_until(filterd.plugins, "there are processes to kill")
            victim = random.choice(there)
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in filterd.plugins(), "it is dead")
            kills += 1
        senders.end()
        filterd.wait_log(r"plugin-lost", KILLS)
        assert not senders.refused, senders.refused
        missing = set(senders.sent) - set(backend.subjects())
        assert senders.sent and not missing, missing
        assert filterd.children() == workers
        sent = len(senders.sent)
        print(f"# {kills} kills, {sent} messages")
        assert not re.search(r"worker-lost", filterd.log())


def main():
    sys.argv[1] = plant(sys.argv[1])
    run([verdicts, crashes, comes_again, forgives, beyond, holds, hangs, leaks, reaches, babbles,
         start_fails, lifetimes, killed])


main()
