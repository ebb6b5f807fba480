# size.py: what an octet costs, from small messages to very large ones.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
import threading

from lab.program import find

from .bench import Bench, alternate, medians
from .load import FastSink, Load
from .mail import message, text
from .table import Bar

MEGABYTE = 1000 * 1000
# Octets, how many of them in a run, by how many connections.
SIZES = (("10 KB", 10000, 1000, 4), ("100 KB", 100000, 200, 4),
         ("1 MB", MEGABYTE, 50, 4), ("10 MB", 10 * MEGABYTE, 8, 4),
         ("100 MB", 100 * MEGABYTE, 2, 2))
ROUNDS = 3
PAUSE = 0.02  # between two looks at the memory


class Peak(threading.Thread):
    """The most memory that it had meanwhile; octets."""

    def __init__(self, bench):
        super().__init__(daemon=True)
        self.bench, self.most = bench, 0
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(PAUSE):
            self.most = max(self.most, self.bench.memory())


def floor():
    """CPU-ms of SHA-256 over a megabyte, by OpenSSL itself."""
    told = subprocess.run(
        [find("openssl"), "speed", "-seconds", "1", "-bytes", "16384", "-evp",
         "sha256"], capture_output=True, text=True, check=True)
    speed = re.search(r"^sha256\s+([\d.]+)k", told.stdout, re.M | re.I)
    return 1e6 / float(speed[1])


def measure(table, stage, dns, _):
    table.topic("By size, all checks, canonical form relaxed")
    bench = Bench(stage, dns, stage.add(FastSink(stage.directory)))
    each = {}
    for name, octets, count, connections in SIZES:
        load = Load(stage.directory, "message.eml", message(0, text(octets)))
        if not each:
            load.greet(bench)
        load.send(bench, connections, connections)
        rest = bench.memory()
        with Peak(bench) as peak:
            told, = alternate(ROUNDS, lambda: load.send(bench, count,
                                                        connections))
        seconds, spent = medians(told)
        megabytes = load.size * count / MEGABYTE
        each[name] = spent / megabytes
        table.row(f"{name}: a MB; MB/s", "CPU-ms", each[name],
                  megabytes / seconds)
        os.unlink(load.path)
    table.row("a MB of 100 MB / of 1 MB: linear", "x",
              each["100 MB"] / each["1 MB"], bar=Bar("<=", 1.2, 1.05))
    table.row("SHA-256 of a MB by OpenSSL alone; all of ours", "CPU-ms, x",
              floor(), each["100 MB"] / floor())
    table.row("memory for 2 x 100 MB at once, beside rest", "MiB",
              (peak.most - rest) / 2 ** 20, bar=Bar("<=", 8, 4))
    bench.filterd.stop()
