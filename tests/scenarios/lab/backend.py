# backend.py: the sink as a part of a test, and what it has taken.
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import sys

from . import sink
from .message import Delivered
from .program import HOST, Program, free_port


class Sink(Program):
    kind = "sink"

    def __init__(self, directory, name="sink"):
        self.directory = os.path.join(directory, name)
        self.port = free_port()
        super().__init__(name, [sys.executable, sink.__file__,
                                  self.directory, HOST, str(self.port)],
                         directory)
        for part in ("new", "tmp"):
            os.makedirs(os.path.join(self.directory, part))
        self.rows = []

    def start(self):
        super().start()
        self.wait_listening(self.port)

    def fault(self, step, action, match="", times=1 << 30):
        """From now on; `action` None takes all faults back."""
        row = {"step": step, "action": action, "match": match, "times": times,
               "serial": len(self.rows)}
        self.rows = self.rows + [row] if action is not None else []
        path = os.path.join(self.directory, "faults.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.rows, file)
        os.rename(path + ".new", path)

    def read(self, name):
        try:
            with open(os.path.join(self.directory, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def delivered(self, _count=0):
        """What it answered 250 to, in that order."""
        found = []
        for name in sorted(os.listdir(os.path.join(self.directory, "new"))):
            head, message = self.read(os.path.join("new", name)) \
                .split(b"\n", 1)
            envelope = json.loads(head)
            found.append(Delivered(message, envelope["to"], envelope["from"],
                                   envelope["xclient"]))
        return found

    def transcript(self):
        return self.read("transcript").decode().splitlines()

    def connections(self):
        """That got as far as EHLO. (Others only asked whether we live.)"""
        return sum(line.endswith(" connected") for line in self.transcript())

    def heard(self, verb):
        return [line for line in self.transcript()
                if line.split(" ", 1)[1].startswith(verb)]

    def violations(self):
        return self.read("violations").decode()
