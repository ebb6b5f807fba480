# checks.py: what a message with all checks costs, and how long it waits.
#
# SPDX-License-Identifier: BSD-2-Clause
import threading
import time

from .bench import RATE, Bench, percentiles
from .late import LateDns
from .mail import DOMAINS, messages
from .table import Bar


def latency(bench, mail, seconds):
    """Milliseconds between the end of data and its reply: p50, p99."""
    told, threads = [], []
    begin = time.monotonic()
    for number in range(int(seconds * RATE)):
        time.sleep(max(0, begin + number / RATE - time.monotonic()))
        thread = threading.Thread(target=lambda at=number: told.extend(
            bench.visit(mail, [at])))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    times = [passed for code, passed in told if code == 250]
    if len(times) < len(told):
        raise SystemExit(f"{len(told) - len(times)} were refused")
    return percentiles(times)


def show_late(table, stage, dns):
    """Nothing is in a cache: each message is of a domain not seen before."""
    bench = Bench(stage, LateDns(dns), greylist="")
    table.row("the same, each DNS answer 20 ms late and new", "ms",
              *latency(bench, messages(2000), DOMAINS / RATE))
    bench.filterd.stop()


def measure(table, stage, dns, options):
    table.topic("A message, all checks")
    bench = Bench(stage, dns)
    rest = bench.memory()
    for name, octets in (("2 KB", 2000), ("60 KB", 60000)):
        mail = messages(octets)
        bench.greet(mail)
        table.row(f"{name}, 1 / 10 a connection", "CPU-ms",
                  *(bench.cost(mail, options.messages, each)
                    for each in (1, 10)))
    table.row("refused at connect by a block list", "CPU-ms",
              bench.refuse(options.messages // 2))
    table.row(f"end of data, {RATE} messages a second, p50 / p99", "ms",
              *latency(bench, mail, 5))
    table.row("memory of all processes, before / behind that", "MiB",
              rest / 2 ** 20, bench.memory() / 2 ** 20, bar=Bar("<=", 40, 25))
    bench.filterd.stop()
    show_late(table, stage, dns)
