# references.py: SMTP servers of another make, and what each took.
#
# SPDX-License-Identifier: BSD-2-Clause
import glob
import logging
import os
import re

from lab.postfix import HOSTNAME, Postfix, queue_id
from lab.program import HOST, free_port, wait_until

# As strict or lax as it comes, but never slow, and nothing is added or mended.
MAIN = """
local_header_rewrite_clients =
disable_mime_input_processing = yes
message_drop_headers =
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1001
smtpd_junk_command_limit = 1000
smtpd_forbid_bare_newline = no
smtpd_forbid_unauth_pipelining = no
smtpd_client_connection_count_limit = 0
smtpd_discard_ehlo_keywords = xclient xforward etrn vrfy
allow_percent_hack = no
swap_bangpath = no
recipient_delimiter =
"""
# The other door, to which clients come directly.
DOOR = """{host}:{port} inet n - n - - smtpd
  -o smtpd_forbid_bare_newline=normalize
  -o {{ smtpd_client_restrictions = check_client_access static:{{PREPEND X-Door: direct}} }}
"""
FIELD = rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*"


class Message:
    """One that was taken. Recipients are as if they had never been quoted."""

    def __init__(self, sender, recipients, content):
        self.sender = unquoted(sender)
        self.recipients = sorted(unquoted(one) for one in recipients)
        self.content = content

    @property
    def envelope(self):
        return (self.sender, tuple(self.recipients))

    def session(self):
        return int(re.search(r"s(\d+)-", self.recipients[0]).group(1))

    def lines(self):
        """Without empty ones, which Postfix puts in behind a header that ends
        in disorder."""
        return tuple(line for line in self.content.split(b"\r\n") if line)


def unquoted(address):
    local, at, domain = address.rpartition("@")
    if local[:1] == '"' == local[-1:]:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return local + at + domain.lower()


def without_received(content):
    """filterd's own."""
    return re.sub(rb"\AReceived: " + FIELD, b"", content, count=1)


class TwoDoors(Postfix):
    """Postfix, behind filterd and directly."""

    def __init__(self, directory):
        self.direct_port = free_port()
        super().__init__(directory)
        self.append("main.cf", MAIN)
        self.append("master.cf", DOOR.format(host=HOST, port=self.direct_port))

    def append(self, name, text):
        with open(os.path.join(self.directory, name), "a",
                  encoding="utf-8") as file:
            file.write(text)

    def taken(self):
        """Of both doors: those from behind filterd, then the others."""
        wait_until(self.queue_empty, "Postfix delivers what it has", 60)
        copies = {}
        for path in glob.glob(os.path.join(self.directory,
                                           "mail/box/new/*")):
            copies.setdefault(queue_id(path), []).append(path)
        doors = ([], [])
        for paths in copies.values():
            direct, message = self.read(paths)
            doors[direct].append(message)
        return doors

    def read(self, paths):
        recipients, direct = [], False
        for path in paths:
            with open(path, "rb") as file:
                octets = file.read().replace(b"\n", b"\r\n")
            head, _, content = octets.partition(b"Received: ")
            content = re.sub(rb"\A" + FIELD, b"", content)
            assert HOSTNAME.encode() in octets
            sender = re.search(rb"Return-Path: <(.*)>", head).group(1)
            recipients.append(re.search(rb"Delivered-To: (.*?)\r\n",
                                        head).group(1).decode())
            direct = b"X-Door: direct" in octets
            content = content.replace(b"X-Door: direct\r\n", b"", 1)
        return direct, Message(sender.decode(), recipients, content)


class Aiosmtpd:
    """In this process, with a thread of its own."""

    def __init__(self):
        from aiosmtpd.controller import Controller
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self.messages = []
        self.controller = Controller(self, hostname=HOST, port=free_port(),
                                     enable_SMTPUTF8=True)
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, _server, _session, envelope):
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        self.messages.append(Message(sender, envelope.rcpt_tos,
                                     envelope.content))
        return "250 2.0.0 taken"

    def stop(self):
        self.controller.stop()
