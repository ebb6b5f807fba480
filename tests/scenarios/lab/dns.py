# dns.py: NSD with records of the test's own, or a server that says nothing.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import socket
import subprocess
import threading

from .program import HOST, Program, find, free_port, wait_until

TEXT_PIECE = 255

CONFIGURATION = """
server:
    ip-address: {host}@{port}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{directory}"
    database: ""
    pidfile: "{directory}/nsd.pid"
    xfrdfile: "{directory}/xfrd.state"
    zonelistfile: "{directory}/zone.list"
    rrl-ratelimit: 0
    verbosity: 1
remote-control:
    control-enable: yes
    control-interface: "{directory}/nsd.socket"
zone:
    name: "."
    zonefile: "root.zone"
"""

# No file: the server answers SERVFAIL.
BROKEN_ZONE = """
zone:
    name: "{name}"
    zonefile: "missing.zone"
"""

HEAD = """$ORIGIN .
$TTL 60
. IN SOA ns.example. hostmaster.example. 1 60 60 60 60
. IN NS ns.example.
ns.example. IN A 127.0.0.1
"""


def text_record(name, text):
    pieces = [text[i:i + TEXT_PIECE] for i in range(0, len(text), TEXT_PIECE)]
    return f"{name}. TXT " + " ".join(f'"{piece}"' for piece in pieces)


class Nsd(Program):
    def __init__(self, directory, records, broken=()):
        self.directory = os.path.join(directory, "nsd")
        os.makedirs(self.directory)
        self.port = free_port()
        self.configuration = os.path.join(self.directory, "nsd.conf")
        super().__init__("nsd", [find("nsd"), "-d", "-c", self.configuration],
                         directory)
        self.write("root.zone", HEAD + "\n".join(records) + "\n")
        self.write("nsd.conf", CONFIGURATION.format(
            host=HOST, port=self.port, directory=self.directory)
            + "".join(BROKEN_ZONE.format(name=name) for name in broken))

    @property
    def resolver(self):
        return f"{HOST}@{self.port}"

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def start(self):
        super().start()
        self.wait_listening(self.port)

    def queries(self):
        """How many have been asked since it was started."""
        def ask():
            run = subprocess.run(
                [find("nsd-control"), "-c", self.configuration,
                 "stats_noreset"], capture_output=True, text=True, check=False)
            for line in run.stdout.splitlines():
                if line.startswith("num.queries="):
                    return [int(line.split("=")[1])]
            return None
        return wait_until(ask, "nsd tells its statistics")[0]


class Silence:
    """A port that takes every question and answers none."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))

    @property
    def resolver(self):
        return f"{HOST}@{self.socket.getsockname()[1]}"

    def start(self):
        pass

    def stop(self):
        self.socket.close()

    def tail(self):
        return ""


class Names:
    """A resolver that is a function: of a question's octets, to those of its
    answer; None: it says nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.resolver = f"{HOST}@{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            question, peer = self.socket.recvfrom(4096)
            if not question:
                return
            threading.Thread(target=self.reply, args=(question, peer),
                             daemon=True).start()

    def reply(self, question, peer):
        octets = self.answer(question)
        if octets is not None:
            self.socket.sendto(octets, peer)

    def start(self):
        self.thread.start()

    def stop(self):
        if self.thread.is_alive():
            self.socket.sendto(b"", self.socket.getsockname())
            self.thread.join()

    def tail(self):
        return ""
