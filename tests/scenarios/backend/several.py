# several.py: mail for several backends: by weight, and round those that are
# down.
#
# SPDX-License-Identifier: BSD-2-Clause
import threading

from lab.failure import check, equal
from lab.program import wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: %d\r\n\r\nhello\r\n"
SENDERS = 4


class Traffic:
    """Senders that try again until each of their messages is taken."""

    def __init__(self, filterd):
        self.filterd = filterd
        self.taken = []
        self.deferred = 0
        self.wrong = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(number,))
                        for number in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, number):
        while not self.over.is_set():
            code = self.filterd.deliver(MESSAGE % number).code
            if code == 250:
                self.taken.append(number)
                number += SENDERS
            elif 400 <= code < 500:
                self.deferred += 1
            else:
                self.wrong.append(code)

    def wait(self, count):
        wait_until(lambda: len(self.taken) >= count, f"{count} are taken", 30)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        equal(self.wrong, [], "replies that are neither 250 nor 4xx")


def numbers(*sinks):
    """What they have kept; the subjects."""
    return [int(kept.named("Subject")[0]) for sink in sinks
            for kept in sink.delivered()]


def counts(*sinks):
    return [len(sink.delivered()) for sink in sinks]


def send(filterd, count):
    for number in range(count):
        equal(filterd.deliver(MESSAGE % number).code, 250, "a message")


def story_weight(stage):
    """three backends share the mail of two workers by their weights"""
    sinks = [stage.sink() for _ in range(3)]
    weights = ("weight 3", "weight 2", "")
    filterd = stage.filterd(backend=list(zip(sinks, weights)), workers=2)
    send(filterd, 60)
    for found, wanted in zip(counts(*sinks), (30, 20, 10)):
        check(abs(found - wanted) <= 2, f"{counts(*sinks)}")


def story_killed(stage):
    """one of two is killed under traffic: no message is lost, none is refused for good, and it comes back"""
    one, two = stage.sink(), stage.sink()
    filterd = stage.filterd(
        backend=[(one, "health-interval 500ms"), (two, "")], workers=2)
    traffic = Traffic(filterd)
    traffic.wait(20)
    one.kill()
    filterd.wait_line("backend")
    traffic.wait(len(traffic.taken) + 20)
    before = counts(one)[0]
    one.start()
    wait_until(lambda: counts(one)[0] > before + 5, "it has mail again", 20)
    traffic.end()
    kept = numbers(one, two)
    check(set(traffic.taken) <= set(kept), "a message is lost")
    texts = [line["text"] for line in filterd.lines("backend")]
    name = f":{one.port} is "
    equal(sum(name + "down" in text for text in texts), 1, f"{texts}")
    equal(sum(name + "up again" in text for text in texts), 1, f"{texts}")
    check(traffic.deferred <= SENDERS, f"{traffic.deferred} were deferred")


def story_slow_start(stage):
    """one that is back has little at first"""
    one, two = stage.sink(), stage.sink()
    options = "health-interval 200ms slow-start 10m"
    filterd = stage.filterd(backend=[(one, options), (two, "")])
    one.kill()
    send(filterd, 4)
    one.start()
    wait_until(lambda: any("is up again" in line["text"]
                           for line in filterd.lines("backend")),
               "it is up again")
    before = counts(one, two)
    send(filterd, 30)
    after = counts(one, two)
    check(after[0] - before[0] <= 3, f"{before}, {after}")
    equal(sum(after) - sum(before), 30, "messages")


def story_all_dead(stage):
    """where all are silent, few wait and the others hear 451 at once"""
    one, two = stage.sink(), stage.sink()
    options = "connect-timeout 2s command-timeout 2s"
    filterd = stage.filterd(backend=[(one, options), (two, options)])
    for sink in (one, two):
        sink.fault("banner", "hang")
    equal(filterd.deliver(MESSAGE % 0).code, 451, "the first")
    replies = []
    for number in range(20):
        with filterd.connect() as client:
            replies.append(client.envelope("alice@example.org",
                                           "bob@example.com").code)
    equal(set(replies), {451}, "replies")
    equal([sink.connections() <= 4 for sink in (one, two)], [True, True],
          "tries")
