#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The openspf suites through `filterctl try --json`, with a DNS of our own that
can be silent, too.

usage: suites.py FILTERCTL

Where tests/plugins/spf/conformance finds no suites, the tests are skipped.
"""
import importlib.machinery
import importlib.util
import ipaddress
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader(
    "openspf", str(HERE.parent / "plugins" / "spf" / "conformance"))
openspf = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("openspf", loader))
loader.exec_module(openspf)

NUMBERS = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
TYPES = {number: kind for kind, number in NUMBERS.items()}
NXDOMAIN = 3
POLICY = """set hostname mx.example.net
dns { timeout 700ms }
use spf { explanation on }
"""
MESSAGE = b"From: a@example.org\n\nx\n"

# ---- the DNS ---------------------------------------------------------------


def wire_name(text):
    labels = [label for label in text.encode().split(b".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_text(value):
    strings = value if isinstance(value, list) else [value]
    octets = [text.encode("latin-1", "replace") for text in strings]
    pieces = [text[at:at + 255] for text in octets
              for at in range(0, max(len(text), 1), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


DATA = {
    "A": lambda value: ipaddress.IPv4Address(value).packed,
    "AAAA": lambda value: ipaddress.IPv6Address(value).packed,
    "MX": lambda value: struct.pack(">H", value[0]) + wire_name(value[1]),
    "PTR": wire_name,
    "CNAME": wire_name,
    "TXT": wire_text,
}


def read_question(packet):
    """name in lower case on the wire, type, the octets of the question"""
    at = 12
    while packet[at]:
        at += packet[at] + 1
    kind = struct.unpack(">H", packet[at + 1:at + 3])[0]
    return packet[12:at + 1].lower(), TYPES.get(kind), packet[12:at + 5]


class Zone:
    """What one scenario says; `silent` has (name, type) that time out."""

    def __init__(self, data):
        self.records, self.silent = {}, set()
        for owner, entries in data.items():
            name = wire_name(owner).lower()
            pairs = openspf.records(entries)
            known = [kind for kind, _ in pairs]
            self.records.setdefault(name, []).extend(
                (kind, value) for kind, value in pairs if value != "TIMEOUT")
            self.silent |= {(name, kind) for kind, value in pairs
                            if value == "TIMEOUT"}
            if "TIMEOUT" in entries:
                self.silent |= {(name, kind) for kind in NUMBERS
                                if kind not in known}

    def exists(self, name):
        return any(owner == name or owner.endswith(name) and name in (
            owner[at:] for at in range(len(owner))) for owner in self.records)

    def find(self, name, kind):
        """Records on the way, by CNAMEs; None: silence."""
        found, seen = [], set()
        while name not in seen:
            seen.add(name)
            if (name, kind) in self.silent:
                return None
            here = self.records.get(name, [])
            found += [(name, k, v) for k, v in here if k == kind]
            target = [v for k, v in here if k == "CNAME" and kind != "CNAME"]
            if not target:
                break
            found.append((name, "CNAME", target[0]))
            name = wire_name(target[0]).lower()
        return found

    def answer(self, packet):
        name, kind, question = read_question(packet)
        found = self.find(name, kind)
        if found is None:
            return None
        code = 0 if found or self.exists(name) else NXDOMAIN
        head = packet[:2] + struct.pack(">HHHHH", 0x8480 | code, 1, len(found),
                                        0, 0)
        return head + question + b"".join(
            owner + struct.pack(">HHIH", NUMBERS[k], 1, 300, len(DATA[k](v)))
            + DATA[k](v) for owner, k, v in found)


class Server(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.zone = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.resolver = "127.0.0.1@%d" % self.socket.getsockname()[1]

    def run(self):
        while True:
            packet, peer = self.socket.recvfrom(65535)
            answer = self.zone.answer(packet)
            if answer is not None:
                self.socket.sendto(answer, peer)


# ---- the cases -------------------------------------------------------------


def ask(filterctl, config, resolver, case):
    done = subprocess.run(
        [filterctl, "try", "--json", "--config", config, "--resolver", resolver,
         "--client", case["host"], "--helo", case["helo"],
         "--from", case["mailfrom"] or "<>", "--to", "b@example.com"],
        input=MESSAGE, capture_output=True, check=False)
    if done.returncode != 0:
        return ["ended with %d" % done.returncode, done.stderr[-300:]]
    facts = json.loads(done.stdout)["facts"]
    return [facts["spf.result"] or "none", facts["spf.explanation"] or "-"]


def run_suite(filterctl, documents, config, server):
    passed, wrong = 0, []
    for document in documents:
        server.zone = Zone(document["zonedata"])
        for label, case in document["tests"].items():
            fault = openspf.judge(case, ask(filterctl, config, server.resolver,
                                            case))
            passed += fault is None
            wrong += [f"{label}: {fault}"] if fault else []
    return passed, wrong


def main():
    filterctl = sys.argv[1]
    suites = list(openspf.read_suites())
    if not suites:
        print("1..0 # SKIP python3-yaml or python3-spf is not installed")
        return 0
    server = Server()
    server.start()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "c")
        pathlib.Path(config).write_text(POLICY)
        for number, (name, documents) in enumerate(suites, 1):
            passed, wrong = run_suite(filterctl, documents, config, server)
            failed += bool(wrong)
            print("".join("# %s\n" % line for line in wrong), end="")
            print("%s %d - %s: %d of %d" % (
                "not ok" if wrong else "ok", number, name, passed,
                passed + len(wrong)), flush=True)
    print("1..%d" % len(suites))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
