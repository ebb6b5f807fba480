# clamav.py: a real clamd, on either kind of socket, that dies and comes back.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import threading
import time

from lab.clamd import NAME, VIRUS, Clamd
from lab.failure import check, equal
from lab.program import wait_until

CLEAN = b"From: alice@example.org\r\nSubject: x\r\n\r\nhello\r\n"
LINE = b"x" * 70 + b"\r\n"
INFECTED = CLEAN + VIRUS + b"\r\n"
SHORT = 1  # seconds
POLICY = """
use clamav {{ server "{server}" timeout 20s max-size 2M }}
at message {{
    reject virus if clamav.result = infected
           reply 554 5.7.1 "infected: {{clamav.virus}}"
    reject large if clamav.result = too-large
           reply 552 5.3.4 "{{clamav.problem}}"
    tempfail unscanned if not known clamav.result
             reply 451 4.7.1 "{{clamav.problem}}"
}}
"""


def gateway(stage, server, **options):
    return stage.filterd(POLICY.format(server=server), stage.sink(), **options)


def story_scan(stage):
    """a virus is refused by name, whatever the socket; the clean goes through"""
    clamd = stage.add(Clamd(stage.directory))
    for server in (clamd.unix, clamd.address):
        filterd = gateway(stage, server)
        equal(filterd.deliver(CLEAN).code, 250, "a clean message")
        reply = filterd.deliver(INFECTED)
        equal(reply.code, 554, "an infected one")
        check(NAME in reply.text, reply.text)
        equal(filterd.deliver(CLEAN + b"x" * 998 + b"\r\n").code, 250, "more")
        equal(len(filterd.backend.delivered()), 2, "messages that went on")
        filterd.stop()


def story_large(stage):
    """what is larger than either limit is not scanned, and told so"""
    clamd = stage.add(Clamd(stage.directory))
    filterd = gateway(stage, clamd.unix)
    reply = filterd.deliver(CLEAN + LINE * 20000)
    equal(reply.code, 552, "over clamd's limit")
    check("size limit exceeded" in reply.text, reply.text)
    reply = filterd.deliver(CLEAN + LINE * 40000)
    equal(reply.code, 552, "over ours")
    check("more than max-size" in reply.text, reply.text)
    equal(filterd.deliver(CLEAN + LINE * 5000).code, 250, "under both")


def story_slow_client(stage):
    """clamd loses patience with a slow client: the message is scanned when it is complete"""
    clamd = stage.add(Clamd(stage.directory, patience=SHORT))
    filterd = gateway(stage, clamd.unix)
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        client.say("DATA")
        client.send(CLEAN + LINE * 3000)
        time.sleep(3 * SHORT)
        client.send(VIRUS + b"\r\n.\r\n")
        equal(client.reply().code, 554, "what it is told in the end")


def story_dies(stage):
    """clamd dies in traffic and comes back: mail is put off meanwhile, none is lost"""
    clamd = stage.add(Clamd(stage.directory))
    filterd = gateway(stage, clamd.unix, workers=2)
    codes, over = [], threading.Event()

    def traffic(message):
        while not over.is_set():
            codes.append(filterd.deliver(message).code)

    threads = [threading.Thread(target=traffic, args=[message])
               for message in (CLEAN, INFECTED)]
    for thread in threads:
        thread.start()
    wait_until(lambda: codes.count(250) > 10 and codes.count(554) > 10,
               "it scans")
    clamd.kill()
    wait_until(lambda: codes.count(451) > 10, "it is put off")
    before = codes.count(250), codes.count(554)
    clamd.start()
    wait_until(lambda: codes.count(250) > before[0] + 10
               and codes.count(554) > before[1] + 10, "it scans again")
    over.set()
    for thread in threads:
        thread.join()
    equal(set(codes), {250, 451, 554}, "replies")
    equal(len(filterd.backend.delivered()), codes.count(250), "none is lost")
    wait_until(lambda: len(filterd.lines("plugin", text="can scan again")) > 0,
               "the log tells that it is back")


def story_stopped(stage):
    """a clamd that is stopped holds nobody longer than the timeout"""
    clamd = stage.add(Clamd(stage.directory))
    filterd = stage.filterd(POLICY.format(server=clamd.unix).replace(
        "20s", "2s"), stage.sink())
    os.kill(clamd.pid, signal.SIGSTOP)
    begun = time.monotonic()
    reply = filterd.deliver(INFECTED)
    equal(reply.code, 451, "put off")
    check("timed out" in reply.text, reply.text)
    check(time.monotonic() - begun < 10, "and it took its time")
    os.kill(clamd.pid, signal.SIGCONT)
    equal(filterd.deliver(INFECTED).code, 554, "it goes on")
