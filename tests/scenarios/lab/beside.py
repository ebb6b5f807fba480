# beside.py: mail servers that cannot be installed beside Postfix: unpacked by
# contrib/install, each run in a mount namespace with users and folders of its
# own.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import shlex
import signal
import subprocess

from .failure import Missing
from .message import Delivered
from .program import (HOST, PATIENCE, Program, children, find, free_port,
                      wait_until)

UNPACKED = "/var/cache/filterd-tests"
HOSTNAME = "inner.example.com"
FIRST_USER = 64001


def may_mount():
    return subprocess.run([find("unshare"), "-m", "true"], check=False,
                          capture_output=True, timeout=10).returncode == 0


class Beside(Program):
    """`users`: those that its package would have made."""

    package = None
    users = ()

    def __init__(self, directory):
        if os.geteuid() != 0 or not may_mount():
            raise Missing(f"{self.package} needs root and mount namespaces")
        self.tree = os.path.join(UNPACKED, self.package)
        if not os.path.isdir(self.tree):
            raise Missing(f"{self.package} is not installed in {UNPACKED}")
        self.port = free_port()
        self.directory = os.path.join(directory, self.kind)
        os.makedirs(os.path.join(self.directory, "mail"))
        for part in (".", "mail"):
            os.chmod(os.path.join(self.directory, part), 0o755)
        super().__init__(self.kind, [find("unshare"), "-m", "/bin/sh", "-e",
                                     self.path("begin")], directory)
        self.write_accounts()

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def write_accounts(self):
        """The machine's, and its own above all others."""
        for table, row in (("passwd", "{}:x:{}:{}::/nonexistent:/bin/false"),
                           ("group", "{}:x:{}:")):
            with open(f"/etc/{table}", encoding="utf-8") as file:
                text = file.read()
            for number, user in enumerate(self.users, FIRST_USER):
                text += row.format(user, number, number) + "\n"
            self.write(table, text)

    def write_begin(self, mounts, argv):
        """What runs in the namespace: it ends by becoming the program."""
        lines = [f"mount --bind {shlex.quote(self.path(table))} /etc/{table}"
                 for table in ("passwd", "group")]
        self.write("begin", "\n".join(lines + mounts
                                      + ["exec " + shlex.join(argv)]) + "\n")

    def start(self):
        super().start()
        self.wait_listening(self.port)

    # ---- what it has -------------------------------------------------------

    def files(self):
        """In the maildir, the oldest first."""
        new = self.path("mail/box/new")
        if not os.path.isdir(new):
            return []
        return sorted((os.path.join(new, name) for name in os.listdir(new)),
                      key=lambda path: os.stat(path).st_mtime_ns)

    def delivered(self, count=0):
        wait_until(lambda: len(self.files()) >= count,
                   f"{self.kind} delivers {count} messages", PATIENCE)
        return [self.open(path) for path in self.files()]

    def open(self, path):
        with open(path, "rb") as file:
            octets = file.read().replace(b"\n", b"\r\n")
        message = Delivered(octets, [])
        message.recipients = [
            re.sub("[<>]", "", name) for name in
            message.named("Envelope-To") or message.named("Delivered-To")]
        message.sender = "".join(message.named("Return-Path")[:1]).strip("<>")
        return message.without_backend(HOSTNAME)


class Exim(Beside):
    kind = "exim"
    package = "exim4-daemon-light"
    users = ("Debian-exim",)
    configuration = """
primary_hostname = {hostname}
spool_directory = {directory}/spool
log_file_path = {directory}/spool/%slog
pid_file_path = {directory}/exim.pid
exim_path = {program}
local_interfaces = {host}
daemon_smtp_ports = {port}
message_size_limit = 50M
host_lookup =
rfc1413_hosts =
keep_environment =
chunking_advertise_hosts = *
dsn_advertise_hosts = *
pipelining_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = {tls_hosts}
{tls}
acl_smtp_mail = accept
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  deny message = no such mailbox
       local_parts = nobody
  defer message = not now
       local_parts = later
  accept domains = example.com : example.net
  deny message = relaying is not done here
begin routers
box:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = {directory}/mail/box
  return_path_add
  envelope_to_add
  user = Debian-exim
"""

    def __init__(self, directory, chain=None, key=None):
        super().__init__(directory)
        program = os.path.join(self.tree, "usr/sbin/exim4")
        self.write("exim.conf", self.configuration.format(
            hostname=HOSTNAME, directory=self.directory, host=HOST,
            port=self.port, program=program, tls_hosts="*" if chain else "",
            tls=f"tls_certificate = {chain}\ntls_privatekey = {key}"
            if chain else ""))
        os.chmod(self.path("exim.conf"), 0o644)
        os.mkdir(self.path("spool"))
        for path in (self.path("mail"), self.path("spool"), key):
            if path is not None:
                os.chown(path, FIRST_USER, FIRST_USER)
        self.write_begin([], [program, "-C", self.path("exim.conf"), "-bdf"])

    def stop(self, patience=PATIENCE):
        """Its sessions are processes that would outlive it."""
        for pid in children(self.pid) if self.running() else []:
            os.kill(pid, signal.SIGKILL)
        return super().stop(patience)

    def log_text(self):
        text = ""
        for name in ("main", "reject", "panic"):
            path = self.path(f"spool/{name}log")
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def tail(self, lines=40):
        return super().tail(lines) + self.log_text()


class OpenSmtpd(Beside):
    """Where it looks up names there are those of the file hosts only."""

    kind = "opensmtpd"
    package = "opensmtpd"
    users = ("opensmtpd", "opensmtpq")
    configuration = """
smtp max-message-size 50M
{tls}
listen on {host} port {port} {with_tls} hostname {hostname}
table nobodies {{ "@" = "nobody" }}
action box maildir "{directory}/mail/box" virtual <nobodies>
match from any for rcpt-to "nobody@example.com" reject
match from any for domain {{ "example.com", "example.net" }} action box
"""

    def __init__(self, directory, chain=None, key=None):
        super().__init__(directory)
        pki = f'pki inner cert "{chain}"\npki inner key "{key}"'
        self.write("smtpd.conf", self.configuration.format(
            hostname=HOSTNAME, directory=self.directory, host=HOST,
            port=self.port, tls=pki if chain else "",
            with_tls="tls pki inner" if chain else ""))
        os.chmod(self.path("smtpd.conf"), 0o644)
        self.write("hosts", f"{HOST} gateway.example.com\n")
        self.write("resolv.conf", "lookup file\n")
        os.chmod(self.path("mail"), 0o777)
        os.makedirs(self.path("spool/smtpd"), 0o711)
        self.write_begin(
            [f"mount --bind {shlex.quote(self.path(name))} /etc/{name}"
             for name in ("hosts", "resolv.conf")]
            + ["mount -t tmpfs none /var/lib",
               "mkdir -p /var/lib/opensmtpd/empty",
               f"mount --bind {shlex.quote(self.path('spool'))} /var/spool",
               "mount -t tmpfs none /run",
               f"mount --bind {self.tree}/usr/libexec /usr/libexec"],
            [f"{self.tree}/usr/sbin/smtpd", "-d", "-f",
             self.path("smtpd.conf")])
