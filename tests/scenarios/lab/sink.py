# sink.py: a mail server that keeps what it takes, checks each octet, and fails
# where it is told to.
#
# SPDX-License-Identifier: BSD-2-Clause
#
# As a program: sink.py DIRECTORY HOST PORT. What it took is in new/, a JSON
# envelope before the message; faults.json is read anew at each step.
import itertools
import json
import os
import re
import signal
import socketserver
import sys
import time

EXTENSIONS = ["PIPELINING", "SIZE 52428800", "8BITMIME",
              "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT",
              "ENHANCEDSTATUSCODES"]
END = b"\r\n.\r\n"
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0")


class Gone(Exception):
    """The connection is over."""


class Session(socketserver.StreamRequestHandler):
    """One connection of a client."""

    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.extensions = EXTENSIONS
        self.xclient = {}
        self.forget()

    def forget(self):
        self.sender, self.recipients = None, []

    def handle(self):
        try:
            self.note("connected")
            self.answer("banner", "220 sink.example ESMTP")
            while True:
                self.take_line()
        except (Gone, OSError):
            self.note("closed")

    def note(self, text):
        self.server.note(f"{self.client_address[1]} {text}")

    def take_line(self):
        line = self.rfile.readline()
        if not line:
            raise Gone
        if not line.endswith(b"\r\n") or BARE.search(line[:-2]):
            self.server.violation(line)
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        self.note(text)
        verb = text.split(" ")[0].lower()
        getattr(self, "say_" + verb, self.say_unknown)(text)

    # ---- faults ------------------------------------------------------------

    def answer(self, step, reply, text=""):
        """The reply, unless a fault is set for this step."""
        action = self.server.fault(step, text)
        if action is None:
            self.send(reply)
            return True
        self.note(f"fault {step} {action}")
        return self.fail(action)

    def fail(self, action):
        if action == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if action == "close":
            raise Gone
        if action == "hang":
            time.sleep(3600)
        if action == "endless":
            while True:
                self.wfile.write(b"250-more " + b"x" * 4000)
        self.send(action)
        return action[:1] in "23"

    def send(self, reply):
        self.wfile.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")

    # ---- commands ----------------------------------------------------------

    def say_ehlo(self, _):
        self.forget()
        lines = ["sink.example"] + self.extensions
        self.answer("ehlo", "\r\n".join(
            f"250{'-' if i < len(lines) - 1 else ' '}{line}"
            for i, line in enumerate(lines)))

    def say_helo(self, _):
        self.forget()
        self.answer("helo", "250 sink.example")

    def say_xclient(self, text):
        if self.answer("xclient", "220 sink.example ESMTP"):
            self.xclient = dict(pair.split("=", 1)
                                for pair in text.split(" ")[1:])

    def say_mail(self, text):
        if self.sender is not None:
            self.send("503 5.5.1 nested MAIL")
        elif self.answer("mail", "250 2.1.0 ok", text):
            self.sender = re.search("<(.*)>", text).group(1)

    def say_rcpt(self, text):
        if self.sender is None:
            self.send("503 5.5.1 MAIL first")
        elif self.answer("rcpt", "250 2.1.5 ok", text):
            self.recipients.append(re.search("<(.*)>", text).group(1))

    def say_data(self, _):
        if not self.recipients:
            self.send("503 5.5.1 RCPT first")
        elif self.answer("data", "354 go on"):
            self.take_message()

    def say_rset(self, _):
        self.forget()
        self.answer("rset", "250 2.0.0 ok")

    def say_noop(self, _):
        self.answer("noop", "250 2.0.0 ok")

    def say_quit(self, _):
        self.answer("quit", "221 2.0.0 bye")
        raise Gone

    def say_unknown(self, _):
        self.send("500 5.5.2 unknown")

    # ---- the message -------------------------------------------------------

    def take_message(self):
        message = bytearray(b"\r\n")
        fault = self.server.fault("body", "")
        while not message.endswith(END):
            line = self.rfile.readline()
            if not line:
                self.note("half a message")
                raise Gone
            message += line
            if fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        if BARE.search(message):
            self.server.violation(message[:200])
        text = re.sub(rb"(?m)^\.", b"", message[2:-3])
        if not self.server.fault_is("message", "late-close"):
            if not self.answer_message(text):
                return
        else:
            self.server.keep(self, text)
            raise Gone
        self.forget()

    def answer_message(self, text):
        action = self.server.fault("message", "")
        if action is None or action.startswith("2"):
            name = self.server.keep(self, text)
            self.send(action or f"250 2.0.0 kept as {name}")
            return True
        self.note(f"fault message {action}")
        self.forget()
        return self.fail(action)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, directory, host, port):
        self.directory = directory
        # A name is used once, also behind a death between two of them.
        names = os.listdir(os.path.join(directory, "new"))
        self.serials = itertools.count(max(map(int, names), default=0) + 1)
        self.used = {}
        super().__init__((host, port), Session)

    def note(self, text):
        with open(os.path.join(self.directory, "transcript"), "a",
                  encoding="utf-8") as file:
            file.write(text + "\n")

    def violation(self, octets):
        with open(os.path.join(self.directory, "violations"), "a",
                  encoding="utf-8") as file:
            file.write(repr(octets) + "\n")

    def faults(self):
        try:
            with open(os.path.join(self.directory, "faults.json"),
                      encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return []

    def fault_is(self, step, action):
        return any(row["step"] == step and row["action"] == action
                   for row in self.faults())

    def fault(self, step, text):
        for row in self.faults():
            if row["step"] != step or row.get("match", "") not in text:
                continue
            key = json.dumps(row)
            self.used[key] = self.used.get(key, 0) + 1
            if self.used[key] <= row.get("times", 1 << 30):
                return row["action"]
        return None

    def keep(self, session, text):
        name = f"{next(self.serials):06d}"
        envelope = {"from": session.sender, "to": session.recipients,
                    "xclient": session.xclient}
        path = os.path.join(self.directory, "tmp", name)
        with open(path, "wb") as file:
            file.write(json.dumps(envelope).encode() + b"\n" + text)
        os.rename(path, os.path.join(self.directory, "new", name))
        return name


def main():
    directory, host, port = sys.argv[1:]
    Server(directory, host, int(port)).serve_forever()


if __name__ == "__main__":
    main()
