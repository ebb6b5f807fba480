# lost.py: workers, and all of filterd, killed under mail that is to be kept:
# whatever was answered 250 is there, once it is released it is what was sent.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import random
import re
import signal
import threading
import time

from lab.failure import Failure, check, equal
from lab.quarantine import Quarantine

MESSAGES = 200
KILLS = 15
RULE = """set quarantine spool
at message { quarantine odd if header.from.domain = "odd.example" }
"""
NUMBER = re.compile(rb"number (\d+)\r\n")


def message(number):
    domain = "odd" if number % 2 else "even"
    return (f"From: a@{domain}.example\r\nSubject: lost\r\n\r\n"
            f"number {number}\r\n").encode() + b".dots\r\n" * (number * 7)


def give(filterd, number, patience=60):
    """As a client with a queue does, until the first yes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if filterd.deliver(message(number)).code == 250:
                return
        except (Failure, OSError):
            pass
        time.sleep(0.1)
    raise Failure(f"message {number} was not taken")


def give_all(filterd):
    numbers, lock, failures = iter(range(MESSAGES)), threading.Lock(), []

    def client():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                give(filterd, number)
            except Failure as failure:
                failures.append(str(failure))
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    return threads, failures


def kill(filterd, number):
    """A worker, or each fifth time all of it."""
    if number % 5 == 4:
        filterd.kill()
        filterd.start()
        return
    for pid in filterd.workers():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def numbers(octets):
    """Of whole messages."""
    found = []
    for text in octets:
        number = int(NUMBER.search(text).group(1))
        check(text.endswith(message(number)), f"not whole: {text[-300:]!r}")
        found.append(number)
    return found


def story_random(stage):
    """two hundred messages under random kills: each is delivered or kept, whole, and comes when it is released"""
    sink = stage.sink()
    filterd = stage.filterd(RULE, sink, workers=2)
    quarantine = Quarantine(stage, filterd)
    threads, failures = give_all(filterd)
    chance = random.Random(7)
    kills = 0
    while any(thread.is_alive() for thread in threads) and kills < KILLS:
        time.sleep(0.02 + chance.random() * 0.1)
        kill(filterd, kills)
        kills += 1
    for thread in threads:
        thread.join()
    check(not failures, "\n".join(failures))
    kept = numbers(quarantine.octets("show", "--raw", name)
                   for name in quarantine.files())
    equal(set(kept), set(range(1, MESSAGES, 2)), "kept")
    equal(set(numbers(mail.octets for mail in sink.delivered())),
          set(range(0, MESSAGES, 2)), "delivered")
    print(f"# {kills} kills, {len(kept) - MESSAGES // 2} were kept twice")
    before = len(sink.delivered())
    quarantine.run("release", "--all")
    released = numbers(mail.octets for mail in sink.delivered()[before:])
    equal(sorted(released), sorted(kept), "released")
    equal(quarantine.files(), [], "what is left")


def story_release_killed(stage):
    """a release killed at any time leaves the message until a backend has taken it"""
    sink = stage.sink()
    filterd = stage.filterd(RULE, sink)
    quarantine = Quarantine(stage, filterd)
    for number in range(1, 24, 2):
        give(filterd, number)
    chance = random.Random(3)
    for _ in range(12):
        process = quarantine.start("release", "--all")
        time.sleep(chance.random() * 0.25)
        process.kill()
        process.communicate()
    quarantine.both("release", "--all")
    equal(set(numbers(mail.octets for mail in sink.delivered())),
          set(range(1, 24, 2)), "released")
    equal(quarantine.files(), [], "what is left")
