# greylist.py: what greylisting costs by the number of entries that the store
# has, and what their end costs.
#
# SPDX-License-Identifier: BSD-2-Clause
import itertools
import os
import sqlite3
import threading
import time

from .bench import Bench, alternate, medians, percentiles, ratio
from .mail import CLIENT, RECIPIENT, domain
from .table import Bar

FEW, MANY, LARGE = 10 ** 4, 10 ** 6, 10 ** 7
ROUNDS = 9
QUESTIONS = 600  # of a round
EACH = 100  # of a connection
DAY = 24 * 3600 * 1000
STORE = 'sqlite "%s" { max-entries 100000000 }'
# Keys of greylist are evenly spread over these, which stand in order.
DIGITS = "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLACES = 6
FILL = """
WITH RECURSIVE n(i) AS
    (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
INSERT INTO entry SELECT 'greylist', 't:' || {digits} || 'AAAAAAAAAAAAAAAA',
    '1 ' || {now}, CASE WHEN i % 10 < {past} THEN {now} - 1 - i % {day}
    ELSE {now} + {day} + i * 7919 % (35 * {day}) END FROM n
"""


def fill_text(count, past):
    step = len(DIGITS) ** PLACES // count
    digits = " || ".join(
        f"substr('{DIGITS}', (i * {step} >> {6 * place} & 63) + 1, 1)"
        for place in reversed(range(PLACES)))
    return FILL.format(count=count, digits=digits, past=past, day=DAY,
                       now=int(time.time() * 1000))


def fill(path, count, past=0):
    """So many known triplets, `past` of ten at their end. What has to be kept
    up to date for each is made behind all of them."""
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode=OFF")
        kept = base.execute("SELECT type, name, sql FROM sqlite_master WHERE "
                            "type = 'trigger' OR name = 'entry_end'"
                            ).fetchall()
        for kind, name, _ in kept:
            base.execute(f"DROP {kind} {name}")
        base.execute("DELETE FROM entry")
        base.execute(fill_text(count, past))
        for _, _, text in kept:
            base.execute(text)
        base.execute("UPDATE space SET entries = ?", (count,))
        base.commit()
        base.execute("PRAGMA journal_mode=WAL")
    base.close()


def look(path, question, *words):
    """One row's one value; None: there is no row."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        row = base.execute(question, words).fetchone()
    base.close()
    return row and row[0]


def entries(path):
    return look(path, "SELECT entries FROM space")


def has_ended(path):
    """Whether there are entries that are past their end."""
    return look(path, "SELECT 1 FROM space CROSS JOIN entry ON space = name "
                "AND expires <= ? LIMIT 1", int(time.time() * 1000))


def stocked(stage, dns, name, count, past=0):
    """A filterd whose store has so many entries, in its own form."""
    path = os.path.join(stage.directory, name)
    bench = Bench(stage, dns, store=STORE % path)
    ask(bench, [0])
    bench.filterd.stop()
    fill(path, count, past)
    bench.path = path
    bench.filterd.start()
    bench.stay(max(os.sched_getaffinity(0)))
    return bench


def ask(bench, numbers, code=451):
    """Those senders: CPU-ms and seconds of each."""
    times, before = [], bench.cpu()
    with bench.filterd.connect(CLIENT) as client:
        client.reply()
        client.say("EHLO mail.example.net")
        for number in numbers:
            client.say(f"MAIL FROM:<s{number}@{domain(number)}>")
            began = time.monotonic()
            reply = client.say(f"RCPT TO:<{RECIPIENT}>")
            times.append(time.monotonic() - began)
            if reply.code != code:
                raise SystemExit(f"greylisting: {reply}")
            client.say("RSET")
    return (bench.cpu() - before) / len(times), times


def cost(bench, serial, code=451):
    """CPU-ms and median time of the next questions, of either worker."""
    at = next(serial) * QUESTIONS
    told = [ask(bench, range(begin, begin + EACH), code)
            for begin in range(at, at + QUESTIONS, EACH)]
    times = [passed for _, part in told for passed in part]
    return sum(spent for spent, _ in told) / len(told), percentiles(times)[0]


def rounds(benches, code=451):
    """The same senders to each of them."""
    serials = [itertools.count(1) for _ in benches]
    return alternate(ROUNDS, *(
        lambda bench=bench, serial=serial: cost(bench, serial, code)
        for bench, serial in zip(benches, serials)))


def compare(table, benches, what, code):
    few, many = rounds(benches, code)
    (cheap, soon), (dear, late) = medians(few), medians(many)
    dearer, later = map(ratio, zip(*few), zip(*many))
    table.row(what, "CPU-ms", cheap, dear, bar=Bar("<", 1.3, 1.1, " x"),
              value=dearer)
    table.row("its reply", "ms", soon, late, bar=Bar("<", 1.3, 1.1, " x"),
              value=later)


def first_questions(bench):
    """The longest of them, milliseconds: each worker opens the store."""
    return max(ask(bench, [number])[1][0] for number in range(1, 9)) * 1000


def show_entries(table, stage, dns, most):
    benches = [stocked(stage, dns, f"store{count}.db", count)
               for count in (FEW, most)]
    counts = f"{FEW:,} / {most:,} entries"
    table.row(f"opening the store, {counts}", "ms",
              *map(first_questions, benches), bar=Bar("<=", 100, 25, " ms"))
    compare(table, benches, "first contact", 451)
    time.sleep(1.1)
    rounds(benches, 250)
    compare(table, benches, "known, by the store", 250)
    for bench in benches:
        bench.filterd.stop()


# ---- the end of many at once ------------------------------------------------


class Questions(threading.Thread):
    """First contacts, one after the other, until told to end."""

    def __init__(self, bench):
        super().__init__(daemon=True)
        self.bench, self.times = bench, []
        self.over = threading.Event()

    def run(self):
        for number in itertools.count(1):
            if self.over.wait(0.01):
                return
            self.times += ask(self.bench, [number])[1]


def show_end(table, stage, dns):
    """A tenth of all entries are past their end when filterd starts."""
    bench = stocked(stage, dns, "end.db", LARGE, 1)
    questions = Questions(bench)
    questions.start()
    while entries(bench.path) >= LARGE:
        time.sleep(0.1)
    asked, began, spent = len(questions.times), time.monotonic(), bench.cpu()
    while has_ended(bench.path):
        time.sleep(0.5)
    seconds = time.monotonic() - began
    spent = bench.cpu() - spent
    questions.over.set()
    questions.join()
    quiet, busy = questions.times[:asked], questions.times[asked:]
    table.row(f"{LARGE // 10:,} entries end at once: until all are gone", "s",
              seconds)
    table.row("all of filterd meanwhile, of a CPU", "%",
              spent / seconds / 10)
    table.row("reply to a first contact before, p50 / p99", "ms",
              *percentiles(quiet))
    table.row("and meanwhile, p50 / p99 / most", "ms", *percentiles(busy),
              max(busy) * 1000, value=percentiles(busy)[1],
              bar=Bar("<=", 250, 50, " ms"))


def measure(table, stage, dns, options):
    table.topic("Greylisting, by entries of a SQLite store; envelopes only")
    show_entries(table, stage, dns, LARGE if options.large else MANY)
    if options.large:
        show_end(table, stage, dns)
