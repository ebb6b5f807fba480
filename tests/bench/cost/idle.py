# idle.py: connections that are held behind EHLO, and what others notice.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import socket
import ssl
import subprocess
import sys
import time

from lab.authority import Authority
from lab.program import HOST

from .bench import Bench, alternate, medians, ratio
from .load import FastSink, Load
from .mail import message, text
from .table import Bar

CROWD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crowd.py")
PARTS = 4  # processes, none of which has more descriptors than it may
ROUNDS = 9


class Crowd:
    """Connections of processes of their own; none hears more than EHLO."""

    def __init__(self, port, count):
        each = count // PARTS
        self.parts = [
            subprocess.Popen([sys.executable, CROWD, HOST, str(port),
                              str(each), str(part)], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for part in range(PARTS)]

    def count(self):
        """Once all of them are there."""
        return sum(int(part.stdout.readline()) for part in self.parts)

    def leave(self):
        """How many were still there."""
        return sum(int(part.communicate("\n")[0]) for part in self.parts)


def compare(table, stage, dns, options):
    """Two that are alike, one with a crowd in it, in turns."""
    sink = stage.add(FastSink(stage.directory))
    crowded, empty = (Bench(stage, dns, sink) for _ in range(2))
    load = Load(stage.directory, "quick.eml", message(0, text(2000)))
    for bench in (crowded, empty):
        load.greet(bench)
        load.send(bench, options.messages)
    rest = crowded.memory()
    crowd = Crowd(crowded.direct, options.idle)
    held = crowd.count()
    time.sleep(0.5)
    each = (crowded.memory() - rest) / max(held, 1) / 1024
    among, without = alternate(
        ROUNDS, *(lambda bench=bench: load.send(bench, options.messages)
                  for bench in (crowded, empty)))
    (slow, dear), (quick, cheap) = medians(among), medians(without)
    longer, dearer = map(ratio, zip(*without), zip(*among))
    table.row("connections behind EHLO, until the end", "", str(held),
              str(crowd.leave()), bar=Bar(">=", options.idle), value=held)
    table.row("each of them", "KiB", each, bar=Bar("<=", 16, 8))
    table.row("throughput without / among them", "msg/s",
              options.messages / quick, options.messages / slow,
              bar=Bar(">=", 90, 98, " %"), value=100 / longer)
    table.row("a message without / among them", "CPU-ms",
              cheap / options.messages, dear / options.messages,
              bar=Bar("<=", 1.1, 1.02, " x"), value=dearer)
    for bench in (crowded, empty):
        bench.filterd.stop()


def hold_secured(bench, count):
    """KiB of a connection behind STARTTLS and EHLO."""
    context = ssl._create_unverified_context()
    before = bench.memory()
    held = []
    for _ in range(count):
        client = socket.create_connection((HOST, bench.filterd.port))
        client.sendall(b"PROXY TCP4 198.51.100.10 192.0.2.25 4000 25\r\n")
        client.recv(1024)
        client.sendall(b"STARTTLS\r\n")
        client.recv(1024)
        client = context.wrap_socket(client)
        client.sendall(b"EHLO mail.example.net\r\n")
        client.recv(4096)
        held.append(client)
    time.sleep(0.5)
    octets = (bench.memory() - before) / count
    for client in held:
        client.close()
    return octets / 1024


def measure(table, stage, dns, options):
    table.topic(f"{options.idle:,} idle connections; 2 KB, all checks")
    compare(table, stage, dns, options)
    chain, key = Authority(stage.directory).issue("mx", "mx.example.com")
    listen = f'tls opportunistic\ncertificate "{chain}"\nkey "{key}"'
    bench = Bench(stage, dns, listen=listen)
    table.row("each with TLS", "KiB", hold_secured(bench, options.secured),
              bar=Bar("<=", 60, 30))
    bench.filterd.stop()
