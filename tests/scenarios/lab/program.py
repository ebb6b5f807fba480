# program.py: a part that runs as a process of its own: start, wait, end, kill.
#
# SPDX-License-Identifier: BSD-2-Clause
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

from .failure import Failure, Missing

PATIENCE = 20  # seconds; only broken parts take that long
PR_SET_PDEATHSIG = 1
LISTEN = "0A"
_libc = ctypes.CDLL(None)

# Tests that run at the same time must not take each other's ports.
HOST = f"127.{os.getpid() >> 14 & 63 | 64}.{os.getpid() >> 7 & 127}." \
       f"{os.getpid() & 127 | 128}"


def find(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def free_port(host=HOST):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        return listener.getsockname()[1]


def wait_until(condition, what, patience=PATIENCE):
    """The first value of `condition` that is true."""
    end = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {patience} s")
        time.sleep(0.005)
    return value


def as_in_proc(host):
    """An address as /proc/net/tcp has it: words in the machine's order."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    octets = socket.inet_pton(family, host)
    words = [octets[i:i + 4][::-1] for i in range(0, len(octets), 4)]
    return b"".join(words).hex().upper()


def listening(host, port):
    """Whether somebody listens there, found out without a connection."""
    local = f"{as_in_proc(host)}:{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for line in lines:
                words = line.split()
                if words[1] == local and words[3] == LISTEN:
                    return True
    return False


def children(pid):
    try:
        path = f"/proc/{pid}/task/{pid}/children"
        with open(path, encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def command_name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def memory(pid):
    """Resident octets."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """Its output goes to `log`; it ends with the test at the latest."""

    def __init__(self, name, argv, directory, environment=None):
        self.name = name
        self.argv = argv
        self.log = os.path.join(directory, name + ".log")
        self.environment = environment or {}
        self.process = None
        self.file_limit = None  # octets that a file of it may have

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment},
                restore_signals=False, preexec_fn=self.prepare_child)

    def prepare_child(self):
        """SIGXFSZ stays ignored, as Python has it: a write just fails."""
        die_with_parent()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if self.file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE,
                               (self.file_limit, self.file_limit))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_listening(self, port, host=HOST):
        def ready():
            if not self.running():
                raise Failure(f"{self.name} ended with "
                              f"{self.process.returncode}:\n{self.tail()}")
            return listening(host, port)
        wait_until(ready, f"{self.name} listens")

    def stop(self, patience=PATIENCE):
        """By SIGTERM. How it ended."""
        if self.running():
            self.process.terminate()
        return self.wait(patience)

    def wait(self, patience=PATIENCE):
        if self.process is None:
            return 0
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} did not end within {patience} s:\n"
                          f"{self.tail()}") from None

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def tail(self, lines=40):
        return "\n".join(self.text().splitlines()[-lines:])
