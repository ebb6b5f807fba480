# killed.py: a worker, or all of filterd, killed at each step of a dialogue: the
# client knows that it must try again, and nobody has half a message.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import random
import signal
import threading
import time

from lab.failure import Failure, check, equal
from lab.program import wait_until
from lab.smtp import Closed

MESSAGE = b"From: alice@example.org\r\nSubject: killed\r\n\r\nhello\r\n"
HALF = b"From: alice@example.org\r\nSubject: half\r\n\r\nhalf of a mess"
DIALOGUE = (b"EHLO mail.example.org\r\n", b"MAIL FROM:<alice@example.org>\r\n",
            b"RCPT TO:<bob@example.com>\r\n", b"DATA\r\n")


def kill_workers(filterd):
    for pid in filterd.workers():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def killed_after(filterd, steps):
    """The connection breaks after so many steps, and no reply comes."""
    with filterd.connect() as client:
        client.reply()
        for line in DIALOGUE[:steps]:
            client.send(line)
            check(client.reply().code < 400, client.story())
        if steps == len(DIALOGUE):
            client.send(HALF)
            time.sleep(0.05)
        kill_workers(filterd)
        check(client.closed(), f"still open, {steps} steps:\n{client.story()}")


def story_worker(stage):
    """a worker killed at any step breaks the connection; the next one is served, nothing is kept"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    for steps in range(len(DIALOGUE) + 1):
        killed_after(filterd, steps)
        equal(len(sink.delivered()), steps, "messages kept")
        equal(filterd.deliver(MESSAGE).code, 250, "the next connection")
        check(filterd.lines("worker-lost"), "a line of the log tells of it")
        # A worker that dies again and again would have to wait.
        filterd.stop()
        filterd.start()
    check({kept.body for kept in sink.delivered()} == {b"hello\r\n"},
          "half a message was kept")


def story_other_worker(stage):
    """a session of another worker does not notice that one was killed"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink, workers=2)
    first, second = filterd.workers()
    with filterd.connect() as client:
        reply = client.envelope("alice@example.org", "bob@example.com")
        equal(reply.code, 250, str(reply))
        os.kill(first, signal.SIGKILL)
        try:
            survived = client.data(MESSAGE).code == 250
        except Closed:
            survived = False
    if not survived:
        with filterd.connect() as client:
            client.envelope("alice@example.org", "bob@example.com")
            check(second in filterd.workers(), "the other worker lives")
            equal(client.data(MESSAGE).code, 250, "the message")
    equal(len(sink.delivered()), 1, "messages kept")


def story_master(stage):
    """filterd killed whole in mid-DATA keeps nothing, and starts again on what it left"""
    sink = stage.sink()
    filterd = stage.filterd('store sqlite "killed.db"\nuse greylist\n'
                            "at message { score 1 old if greylist.state = new "
                            "}", sink)
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        client.say("DATA")
        client.send(HALF)
        workers = filterd.workers()
        filterd.kill()
        check(client.closed(), client.story())
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/exe")
                               for pid in workers), "the workers end")
    filterd.start()
    equal(filterd.deliver(MESSAGE).code, 250, "the next connection")
    equal([kept.body for kept in sink.delivered()], [b"hello\r\n"], "kept")


def deliver_until_taken(filterd, number, tries=50):
    """As a client with a queue does. How often it was tried."""
    message = MESSAGE.replace(b"hello", b"number %d" % number)
    for attempt in range(1, tries + 1):
        try:
            if filterd.deliver(message).code == 250:
                return attempt
        except (Failure, OSError):
            pass
        time.sleep(0.2)
    raise Failure(f"message {number} was not taken in {tries} tries")


def story_random(stage):
    """workers and backend killed at random under two hundred messages: none is lost, few come twice"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink, workers=2,
                            to_backend="connect-timeout 1s")
    numbers = iter(range(200))
    lock, failures, kills = threading.Lock(), [], 0

    def client():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                deliver_until_taken(filterd, number)
            except Failure as failure:
                failures.append(str(failure))
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    chance = random.Random(5)
    while any(thread.is_alive() for thread in threads) and kills < 12:
        time.sleep(0.02 + chance.random() * 0.1)
        if kills % 3 == 0:
            kill_workers(filterd)
        else:
            sink.kill()
            sink.start()
        kills += 1
    for thread in threads:
        thread.join()
    check(not failures, "\n".join(failures))
    bodies = [kept.body for kept in sink.delivered()]
    expected = {b"number %d\r\n" % number for number in range(200)}
    equal(expected - set(bodies), set(), "lost")
    equal(set(bodies) - expected, set(), "made up")
    print(f"# {kills} kills, {len(bodies) - 200} messages came twice")
    check(len(bodies) - 200 <= 8 * kills, f"{len(bodies) - 200} duplicates")
