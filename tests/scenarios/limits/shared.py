# shared.py: limits hold for the machine, not for a worker; what a dead worker
# had is given back; a reply that comes late keeps nobody else waiting.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import time

from lab.failure import check, equal
from lab.program import wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: late\r\n\r\nhello\r\n"
POLICY = "set max-sessions-per-address 3"
LATE = 'at rcpt { reject late if rcpt.local = "late" reply "no" after 1s }'


def greeting(filterd, keep=None):
    client = filterd.connect()
    code = client.reply().code
    if keep is None:
        client.close()
    else:
        keep.append(client)
    return code


def story_workers(stage):
    """the sessions of an address are counted over all workers"""
    filterd = stage.filterd(POLICY, stage.sink(), workers=2)
    clients = []
    codes = [greeting(filterd, clients) for _ in range(6)]
    equal(codes, [220, 220, 220, 421, 421, 421], "greetings")
    equal(len(filterd.lines("limited")), 1, "lines of the log")
    for client in clients:
        client.close()
    wait_until(lambda: greeting(filterd) == 220, "there is room again")


def story_listener(stage):
    """the sessions of a listener are counted over all workers"""
    filterd = stage.filterd("", stage.sink(), workers=2,
                            listen="max-sessions 3")
    clients = []
    codes = [greeting(filterd, clients) for _ in range(6)]
    equal(codes, [220, 220, 220, 421, 421, 421], "greetings")
    for client in clients:
        client.close()
    wait_until(lambda: greeting(filterd) == 220, "there is room again")


def story_dead_worker(stage):
    """the sessions of a worker that was killed no longer count"""
    filterd = stage.filterd(POLICY, stage.sink(), workers=2)
    clients = []
    for _ in range(3):
        equal(greeting(filterd, clients), 220, "a greeting")
    equal(greeting(filterd), 421, "the greeting of one too many")
    for pid in filterd.workers():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(filterd.lines("worker-lost")) == 2,
               "both are missed")
    for _ in range(3):
        equal(greeting(filterd, clients), 220, "a greeting afterwards")
    equal(greeting(filterd), 421, "the greeting of one too many")
    for client in clients:
        client.close()


def story_late(stage):
    """a reply that comes late keeps its client waiting and nobody else"""
    filterd = stage.filterd(LATE, stage.sink())
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        began = time.monotonic()
        client.send(b"RCPT TO:<late@example.com>\r\n")
        equal(filterd.deliver(MESSAGE).code, 250, "another client's message")
        meanwhile = time.monotonic() - began
        equal(client.reply().code, 550, "the reply")
        waited = time.monotonic() - began
    # Two clocks that round: a hundredth of it is theirs.
    check(waited >= 0.99, f"it came after {waited:.3f} s")
    check(meanwhile < 1, f"another one waited {meanwhile:.3f} s")


def story_late_at_the_end(stage):
    """a reply that would come late comes at once when filterd ends"""
    filterd = stage.filterd(LATE.replace("1s", "30s"), stage.sink())
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        client.send(b"RCPT TO:<late@example.com>\r\n")
        filterd.wait_line(rule="late")
        began = time.monotonic()
        os.kill(filterd.pid, signal.SIGTERM)
        equal(client.reply().code, 550, "the reply")
        check(time.monotonic() - began < 10, "it came at once")
        equal(client.say("RSET").code, 250, "the session goes on")
        equal(client.reply().code, 421, "and ends between transactions")
