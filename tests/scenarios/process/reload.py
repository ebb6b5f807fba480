# reload.py: new configurations under load, broken ones, and the end.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import threading
import time

from lab.failure import Failure, check, equal
from lab.program import wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: reload\r\n\r\nhello\r\n"
REFUSE = 'at mail { reject changed reply 550 5.7.1 "changed" }'


class Load:
    """Clients that send `count` messages and note every answer but yes."""

    def __init__(self, filterd, count, clients=8, pause=0.05):
        self.filterd = filterd
        self.pause = pause
        self.numbers = iter(range(count))
        self.lock = threading.Lock()
        self.trouble = []
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while (number := self.take()) is not None:
            text = MESSAGE.replace(b"hello", b"number %d" % number)
            try:
                reply = self.filterd.deliver(text)
                if reply.code != 250:
                    self.trouble.append(str(reply))
            except (Failure, OSError) as failure:
                self.trouble.append(str(failure))
            time.sleep(self.pause)

    def take(self):
        with self.lock:
            return next(self.numbers, None)

    def running(self):
        return any(thread.is_alive() for thread in self.threads)

    def wait(self):
        for thread in self.threads:
            thread.join()


def story_under_load(stage):
    """SIGHUP every half second under two hundred messages: none is lost, none refused"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink, workers=2)
    load = Load(filterd, 200, pause=0.1)
    reloads = 0
    while load.running():
        filterd.reload()
        reloads += 1
        time.sleep(0.5)
    load.wait()
    check(reloads >= 4, f"{reloads} reloads are not enough")
    check(filterd.lines("reload", result="ok"), "no reload was carried out")
    check(not load.trouble, f"{len(load.trouble)} of 200 had trouble:\n"
                            + "\n".join(load.trouble[:5]))
    equal(sorted(kept.body for kept in sink.delivered()),
          sorted(b"number %d\r\n" % number for number in range(200)),
          "messages kept")
    print(f"# {reloads} reloads")


def story_transaction_goes_on(stage):
    """a transaction under way ends under the configuration that it began with"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        filterd.configure(REFUSE)
        filterd.reload()
        filterd.wait_line("reload", result="ok")
        equal(filterd.deliver(MESSAGE).code, 550, "a new connection")
        equal(client.data(MESSAGE).code, 250, "the old transaction")
        reply = client.reply()
        equal((reply.code, reply.enhanced), (421, "4.3.2"), str(reply))
    equal(len(sink.delivered()), 1, "messages kept")


def story_broken(stage):
    """a broken configuration at reload keeps the old generation, and says what is wrong"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    workers = filterd.workers()
    filterd.configure(REFUSE + "\nat rcpt { reject nonsense if no.fact = 1 }")
    filterd.reload()
    filterd.wait_line("reload", result="refused")
    wait_until(lambda: "filterd.conf:" in filterd.text()
               and "error" in filterd.text(), "the place is named")
    equal(filterd.workers(), workers, "workers")
    equal(filterd.deliver(MESSAGE).code, 250, "mail flows")
    filterd.configure(REFUSE)
    filterd.reload()
    filterd.wait_line("reload", result="ok")
    equal(filterd.deliver(MESSAGE).code, 550, "the mended configuration")


def story_broken_at_start(stage):
    """a broken configuration at start: file, line, column, caret and remedy, exit 1"""
    filterd = stage.filterd_at_rest("at rcpt {\n    reject x if no.fact = 1\n}")
    text = filterd.check_refused()
    check("filterd.conf:" in text and ": error:" in text and "^" in text, text)


def story_missing_plugin(stage):
    """a plugin that does not exist is named with its line, exit 1"""
    text = stage.filterd_at_rest("use nothing-of-that-name").check_refused()
    check("nothing-of-that-name" in text and "filterd.conf:" in text, text)


def story_missing_list(stage):
    """a list that cannot be read is named with its line, exit 1"""
    policy = 'list l of ip from "missing"\n' \
             'at connect { accept l if client.ip in l }'
    text = stage.filterd_at_rest(policy).check_refused()
    check("missing" in text and "filterd.conf:" in text, text)


def story_port_taken(stage):
    """a port that is taken is named, exit 1"""
    sink = stage.sink()
    filterd = stage.filterd_at_rest(backend=sink)
    filterd.port = sink.port
    filterd.configure("")
    text = filterd.check_refused()
    check(str(sink.port) in text, text)


def story_drain(stage):
    """SIGTERM: a transaction under way ends, new clients are turned away, then filterd ends"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    with filterd.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        filterd.process.terminate()
        filterd.wait_line("draining")
        check(filterd.running(), "it waits for the transaction")
        equal(client.data(MESSAGE).code, 250, "the message")
        equal(client.reply().code, 421, "afterwards")
        check(client.closed(), client.story())
    equal(filterd.wait(), 0, "exit status")
    equal(len(sink.delivered()), 1, "messages kept")


def story_just_connected(stage):
    """a client that has just come when its worker begins to drain has its transaction all the same"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    with filterd.connect() as client:
        client.reply()
        client.say("EHLO mail.example.org")
        filterd.reload()
        filterd.wait_line("reload", result="ok")
        for line in ("MAIL FROM:<alice@example.org>",
                     "RCPT TO:<bob@example.com>"):
            equal(client.say(line).code, 250, line)
        equal(client.data(MESSAGE).code, 250, "the message")
        equal(client.reply().code, 421, "afterwards")
    equal(len(sink.delivered()), 1, "messages kept")


def hears_421(client, patience):
    began = time.monotonic()
    reply = client.reply()
    equal((reply.code, reply.enhanced), (421, "4.3.2"), str(reply))
    check(time.monotonic() - began < patience, f"within {patience} s")


def story_idle_session(stage):
    """SIGTERM: an idle session hears 421 4.3.2 at once, one that has just come after its grace"""
    filterd = stage.filterd(backend=stage.sink())
    with filterd.connect() as served, filterd.connect() as fresh:
        served.envelope("alice@example.org", "bob@example.com")
        equal(served.data(MESSAGE).code, 250, "the message")
        fresh.reply()
        fresh.say("EHLO mail.example.org")
        filterd.process.terminate()
        hears_421(served, 1)
        hears_421(fresh, 4)
    equal(filterd.wait(), 0, "exit status")


def story_no_process_left(stage):
    """SIGTERM leaves no process and no listening port behind"""
    filterd = stage.filterd(backend=stage.sink(), workers=2)
    workers = filterd.workers()
    equal(len(workers), 2, "workers")
    filterd.stop()
    check(not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers),
          "a worker is left")
