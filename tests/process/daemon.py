"""filterd as a test runs it: the real program, a backend, and TAP."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import pathlib
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 30


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s until {what}")


class Backend:
    """Takes mail and keeps it; can be made to wait before its last reply."""

    def __init__(self):
        self.messages = []
        self.hold = threading.Event()
        self.hold.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)
        except (OSError, ValueError):
            pass  # who was killed says no goodbye

    def _talk(self, stream):
        def say(line):
            stream.write(line.encode() + b"\r\n")
            stream.flush()

        say("220 backend ESMTP")
        for line in stream:
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                say("250-backend\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE")
            elif verb == b"DATA":
                say("354 go on")
                body = b""
                for part in stream:
                    if part == b".\r\n":
                        break
                    body += part
                else:
                    return
                self.hold.wait(PATIENCE)
                self.messages.append(body)
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                say("221 goodbye")
                return
            else:
                say("250 2.1.0 fine")

    def subjects(self):
        pattern = re.compile(rb"^Subject: (.*)\r$", re.M)
        return [
            match.group(1).decode()
            for message in list(self.messages)
            if (match := pattern.search(message))
        ]


class Filterd:
    """One running filterd, with a directory of its own."""

    def __init__(self, program, backend, extra="", workers=2):
        self.program = program
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="filterd-test-"))
        self.directory.chmod(0o755)
        self.port = free_port()
        self.backend = backend
        self.workers = workers
        self.config = self.directory / "filterd.conf"
        self.log_path = self.directory / "log"
        self.process = None
        self.crashes = False
        self.write(extra)

    def write(self, extra="", workers=None):
        self.config.write_text(
            f"set hostname mx.example.com\n"
            f"set workers {workers or self.workers}\n"
            f'set state-directory "{self.directory}/state"\n'
            f"store memory\n"
            f"listen smtp 127.0.0.1:{self.port}\n"
            f"backend smtp 127.0.0.1:{self.backend.port}\n"
            f"dns {{ resolver 127.0.0.1@9 timeout 200ms }}\n"
            f"list ours of domain {{ example.com }}\n"
            f"at rcpt {{ reject relay if rcpt.domain not in ours }}\n" + extra
        )

    def start(self, wait=True):
        self.log_file = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [self.program, "-c", str(self.config)],
            stderr=self.log_file,
            stdin=subprocess.DEVNULL,
        )
        if wait:
            self.wait_log(r"started[ \"]")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, pattern, count=1, seconds=PATIENCE):
        def there():
            if len(re.findall(pattern, self.log())) >= count:
                return True
            if self.process.poll() is not None:
                time.sleep(0.1)
                return len(re.findall(pattern, self.log())) >= count
            return False

        try:
            wait_until(there, f"the log has {pattern}", seconds)
        except AssertionError:
            lines = self.log().split("\n")[-40:]
            sys.stdout.write("".join(f"# {line}\n" for line in lines))
            raise

    def signal(self, number):
        self.process.send_signal(number)

    def children(self, name="filterd-worker"):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            comm, rest = stat[stat.index("(") + 1 :].rsplit(")", 1)
            state, parent = rest.split()[:2]
            if int(parent) == self.process.pid and state != "Z":
                if comm.startswith(name):
                    found.append(int(entry.name))
        return sorted(found)

    def plugins(self):
        return self.children("filterd-plugin")

    def session(self):
        return smtplib.SMTP("127.0.0.1", self.port, "client.test", timeout=PATIENCE)

    def send(self, subject, to="user@example.com"):
        with self.session() as session:
            session.sendmail("sender@example.org", [to], message(subject))

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def message(subject):
    return (
        f"From: sender@example.org\r\nTo: user@example.com\r\n"
        f"Subject: {subject}\r\n\r\nHello.\r\n"
    )


def sound(filterd):
    """Nothing in the log that a sanitizer or an assertion wrote, unless the
    test made a worker crash."""
    if filterd.crashes:
        return
    bad = re.findall(
        r"^.*(?:ERROR: \w+Sanitizer|runtime error|assertion failed|CRITICAL).*$",
        filterd.log(),
        re.M,
    )
    assert not bad, bad


class Skip(Exception):
    pass


def run(stories):
    """Each story is a function of (program); its docstring is its name."""
    program = sys.argv[1]
    failed = 0
    print(f"1..{len(stories)}", flush=True)
    for number, story in enumerate(stories, 1):
        name = story.__doc__.strip()
        try:
            story(program)
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as error:  # a story may fail in any way
            failed += 1
            for line in f"{type(error).__name__}: {error}".split("\n"):
                print(f"# {line}")
            print(f"not ok {number} - {name}", flush=True)
    sys.exit(1 if failed else 0)


def running(program, extra="", workers=2):
    """A context manager: backend and filterd, ended and looked at."""
    return _Running(program, extra, workers)


class _Running:
    def __init__(self, program, extra, workers):
        self.backend = Backend()
        self.filterd = Filterd(program, self.backend, extra, workers)

    def __enter__(self):
        try:
            return self.filterd.start(), self.backend
        except BaseException:
            self.filterd.clean()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                status = self.filterd.stop()
                sound(self.filterd)
                assert status == 0, f"exit status {status}"
            elif os.environ.get("FILTERD_TEST_LOG"):
                sys.stdout.write(
                    "".join(f"# {l}\n" for l in self.filterd.log().split("\n"))
                )
        finally:
            self.filterd.clean()
            self.backend.listener.close()
