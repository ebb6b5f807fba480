# load.py: Postfix's generator and sink, where Python would be what is measured.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess
import time

from lab.program import HOST, Program, find, free_port

from .mail import RECIPIENT, sender

CONNECTIONS = 20


class FastSink(Program):
    """Takes everything and keeps nothing."""

    def __init__(self, directory):
        self.port = free_port()
        super().__init__(f"smtp-sink-{self.port}",
                         [find("smtp-sink"), "-u", "nobody",
                          f"{HOST}:{self.port}", "1000"], directory)

    def start(self):
        super().start()
        self.wait_listening(self.port)


class Load:
    """One message, again and again, from 127.0.0.1."""

    def __init__(self, directory, name, octets):
        self.path = os.path.join(directory, name)
        self.size = len(octets)
        with open(self.path, "wb") as file:
            file.write(octets.replace(b"\r\n", b"\n"))

    def send(self, bench, count, connections=CONNECTIONS):
        """Seconds and CPU-ms, all in all."""
        before, began = bench.cpu(), time.monotonic()
        run = subprocess.run(
            [find("smtp-source"), "-d", "-s", str(connections), "-m",
             str(count), "-f", sender(0), "-t", RECIPIENT, "-M",
             "mail.example.net", "-F", self.path,
             f"{HOST}:{bench.direct}"], capture_output=True, text=True,
            check=False)
        if run.returncode != 0:
            raise SystemExit(f"smtp-source: {run.stderr}")
        return time.monotonic() - began, bench.cpu() - before

    def greet(self, bench):
        """Greylisting lets it through from now on."""
        for _ in range(2):
            with bench.filterd.connect("127.0.0.1") as client:
                client.envelope(sender(0), RECIPIENT)
            time.sleep(1.1)
