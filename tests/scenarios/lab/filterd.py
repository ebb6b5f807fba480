# filterd.py: the gateway, the program itself, with a configuration of the
# test's own.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import signal
import subprocess

from .failure import Failure, check, equal
from .program import (HOST, Program, children, command_name, free_port,
                      memory, wait_until)
from .smtp import SmtpClient

# What a sanitizer or an assertion leaves behind.
CRASH = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:"
                   r"|assertion failed|CRITICAL|stack smashing")
FIELD = re.compile(r'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)')
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z ")

USE = re.compile(r"^(use \S+(?: as \S+)?)( *\{)?", re.M)
PROXIES = "    proxy-from 127.0.0.0/8 ::1"
CONFIGURATION = """set hostname mx.example.com
set state-directory "{state}"
set workers {workers}

listen {speaks} {address}:{port} {{
{trusted}
{listen}
}}
{more}
{backends}
dns {{ resolver "{resolver}" {dns} }}

{policy}
"""


def parse_line(line):
    """Event and fields of a line of the log; None for other output."""
    text = TIME.sub("", line)
    words = text.split(" ", 1)
    if text == line or not words[0]:
        return None
    fields = {name: value[1:-1] if value.startswith('"') else value
              for name, value in FIELD.findall(text)}
    fields["event"] = words[0]
    return fields


class Filterd(Program):
    """`options`: lines for the configuration's blocks, by name."""

    isolation = "none"  # of all plugins

    def __init__(self, directory, build, policy="", backend=None, dns=None,
                 **options):
        self.directory = directory
        self.build = build
        self.host = options.get("host", HOST)
        self.port = options.get("port") or free_port(self.host)
        self.speaks = options.get("speaks", "smtp")
        self.file = os.path.join(directory, "filterd.conf")
        self.state = os.path.join(directory, "state")
        self.backend = backend
        self.resolver = dns.resolver if dns else f"{HOST}@9"
        self.options = options
        super().__init__("filterd",
                         [os.path.join(build, "filterd", "filterd"), "-c",
                          self.file], directory,
                         {"ASAN_OPTIONS": "detect_leaks=1"})
        os.makedirs(self.state, exist_ok=True)
        self.configure(policy)

    # ---- configuration -----------------------------------------------------

    def backends(self):
        """One, or pairs of those that there are and their options."""
        if self.backend is None:
            return ""
        several = self.backend if isinstance(self.backend, list) \
            else [(self.backend, self.options.get("to_backend", ""))]
        identity = self.options.get("identity", "xclient")
        return "\n".join(
            f"backend {getattr(backend, 'speaks', 'smtp')} "
            f"{getattr(backend, 'address', '') or self.address_of(backend)} "
            f"{{ identity {identity} {more} }}"
            for backend, more in several)

    @staticmethod
    def address_of(backend):
        return f"{HOST}:{backend.port}"

    def configure(self, policy):
        self.write(CONFIGURATION.format(
            state=self.state, port=self.port,
            address=f"[{self.host}]" if ":" in self.host else self.host,
            workers=self.options.get("workers", 1), speaks=self.speaks,
            trusted=PROXIES if self.speaks in ("smtp", "lmtp") else "",
            listen=self.options.get("listen", ""),
            more=self.options.get("more", ""), backends=self.backends(),
            resolver=self.resolver, dns=self.options.get("dns_options", "timeout 2s budget 5s"),
            policy=policy))

    def write(self, text):
        if self.isolation != "none" and "isolation" not in text:
            text = USE.sub(self.isolate, text)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def isolate(self, use):
        """The beginning of a `use`, and of its block if it has one."""
        end = "" if use[2] else " }"
        return f"{use[1]} {{ isolation {self.isolation}{end}"

    # ---- life --------------------------------------------------------------

    def start(self):
        """Returns when all its processes are there."""
        before = len(self.lines("started"))
        super().start()
        self.wait_listening(self.port, self.host)
        wait_until(lambda: len(self.lines("started")) > before
                   or not self.running(), "filterd has started")
        check(self.running(), f"filterd ended:\n{self.tail()}")

    def workers(self):
        """Those that have been started and not yet ended."""
        return [pid for pid in children(self.pid)
                if command_name(pid).startswith("filterd-worker")]

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def memory(self):
        """Resident octets of all workers."""
        return sum(memory(pid) for pid in self.workers())

    def stop(self, patience=20):
        """Ends it; it must end well and have left no crash behind."""
        if self.process is None:
            return 0
        status = super().stop(patience)
        equal(status, 0, "filterd's exit status after SIGTERM")
        self.check_clean()
        return status

    def check_clean(self):
        match = CRASH.search(self.text())
        if match:
            start = max(self.text().find(match.group()) - 500, 0)
            raise Failure(f"filterd crashed:\n"
                          f"{self.text()[start:start + 6000]}")

    def connect(self, client="198.51.100.9", **options):
        return SmtpClient(self.host, self.port, client, **options)

    def deliver(self, message, recipient="bob@example.com",
                sender="alice@example.org", client="198.51.100.9"):
        """One message by a connection of its own; the last reply."""
        with self.connect(client) as connection:
            reply = connection.envelope(sender, recipient)
            if reply.code == 250:
                reply = connection.data(message)
            return reply

    # ---- what it says ------------------------------------------------------

    def lines(self, event=None, **fields):
        """The lines of the log that have these fields."""
        found = []
        for line in self.text().splitlines():
            parsed = parse_line(line)
            if parsed and (event is None or parsed["event"] == event) \
                    and all(parsed.get(name.replace("_", "-")) == value
                            for name, value in fields.items()):
                found.append(parsed)
        return found

    def wait_line(self, event=None, patience=5, **fields):
        """A line may be written a moment after the reply."""
        return wait_until(lambda: self.lines(event, **fields),
                          f"a line of the log: {event} {fields}", patience)

    def check_refused(self, patience=20):
        """Runs it: it must refuse its configuration. What it says."""
        run = subprocess.run(self.argv, capture_output=True, text=True,
                             timeout=patience, check=False)
        check(run.returncode == 1,
              f"exit status {run.returncode}, expected 1:\n{run.stderr}")
        return run.stderr
