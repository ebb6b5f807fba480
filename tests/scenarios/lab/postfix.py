# postfix.py: Postfix as the mail server behind, with everything of its own:
# configuration, queue, log, mailboxes.
#
# SPDX-License-Identifier: BSD-2-Clause
import email
import os
import pwd
import re
import shutil
import signal
import subprocess

from .failure import Missing
from .message import Delivered
from .program import (HOST, PATIENCE, Program, children, command_name, find,
                      free_port, wait_until)
from .smtp import SmtpClient

HOSTNAME = "inner.example.com"

MAIN = """
compatibility_level = 3.6
service_throttle_time = 1s
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/maillog
maillog_file_prefixes = {directory}
myhostname = {hostname}
mydestination =
inet_protocols = all
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8 [::1]/128
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_forbid_bare_newline_exclusions =
milter_protocol = 6
milter_default_action = tempfail
milter_command_timeout = 30s
smtpd_timeout = 60s
virtual_mailbox_domains = example.com example.net
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = regexp:{directory}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
message_size_limit = 52428800
hopcount_limit = 200
local_header_rewrite_clients =
virtual_mailbox_limit = 0
relay_domains = forwarded.example
transport_maps = inline:{{ elsewhere.example=virtual:,
    forwarded.example=smtp:[{host}]:{next_port} }}
smtp_send_xforward_command = yes
cyrus_sasl_config_path = {directory}/sasl
"""

# Those who authenticate may send to elsewhere.example.
SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {directory}/sasl/users
mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
"""
USER, PASSWORD = "alice", "Pa55 w0rd!"

MASTER = """
{host}:{port} inet n - n - - smtpd
{host}:{proxy_port} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
{host}:{auth_port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject_unauth_destination
{host}:{front_port} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_relay_restrictions=check_client_access,static:OK,reject
  -o smtpd_milters=inet:{host}:{milter_port}
  -o milter_content_timeout=17s
postlog unix-dgram n - n - 1 postlogd
pickup  unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil   unix - - n - 1 anvil
virtual unix - n n - - virtual
smtp    unix - - n - - smtp
retry   unix - - n - - error
error   unix - - n - - error
"""

# Everybody has a mailbox but nobody.
MAILBOXES = """
if !/^nobody@/
/@/ box/
endif
"""

TAKEN = re.compile(r"postfix/qmgr\[\d+\]: (\w+): from=.*queue active")
REMOVED = re.compile(r"postfix/qmgr\[\d+\]: (\w+): removed")
ARRIVED = re.compile(r": (\w+): client=")
QUEUE_ID = re.compile(rb"\(Postfix\)\s+with \w+\s+id (\w+)")


def queue_id(path):
    with open(path, "rb") as file:
        return QUEUE_ID.search(file.read()).group(1).decode("ascii")


class Door:
    """Another port of a mail server."""

    def __init__(self, port):
        self.port = port


class Postfix(Program):
    kind = "postfix"

    def __init__(self, directory):
        if os.geteuid() != 0:
            raise Missing("Postfix can be started by root only")
        self.directory = os.path.join(directory, "postfix")
        self.port = free_port()
        self.proxy_port = free_port()
        self.auth_port = free_port()
        self.front_port = free_port()
        self.milter_port = free_port()  # where its front asks a milter
        self.next_port = free_port()  # of whom it sends forwarded.example to
        super().__init__("postfix", [find("postfix"), "-c", self.directory,
                                     "start-fg"], directory)
        self.prepare(pwd.getpwnam("postfix"))

    def prepare(self, owner):
        for part in (".", "queue", "data", "mail", "sasl"):
            os.makedirs(os.path.join(self.directory, part), exist_ok=True)
        for part in ("data", "mail"):
            os.chown(os.path.join(self.directory, part), owner.pw_uid,
                     owner.pw_gid)
        values = {"directory": self.directory, "hostname": HOSTNAME,
                  "host": HOST, "port": self.port,
                  "proxy_port": self.proxy_port,
                  "auth_port": self.auth_port,
                  "front_port": self.front_port,
                  "milter_port": self.milter_port,
                  "next_port": self.next_port,
                  "uid": owner.pw_uid, "gid": owner.pw_gid}
        self.write("main.cf", MAIN.format(**values))
        self.write("master.cf", MASTER.format(**values))
        self.write("mailboxes", MAILBOXES)
        self.write("sasl/smtpd.conf", SASL.format(**values))

    def open_to_users(self):
        """Where clients may authenticate, as USER."""
        users = os.path.join(self.directory, "sasl", "users")
        if not os.path.exists(users):
            subprocess.run([find("saslpasswd2"), "-p", "-c", "-f", users,
                            "-u", HOSTNAME, USER], input=PASSWORD, text=True,
                           check=True)
            shutil.chown(users, "postfix")
        return Door(self.auth_port)

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def start(self):
        super().start()
        self.wait_listening(self.port)

    def masters(self):
        """What does the work is a child of the script that we started, and
        would outlive it."""
        return [pid for pid in children(self.pid)
                if command_name(pid) == "master"]

    def signal_masters(self, number):
        for pid in self.masters() if self.running() else []:
            os.kill(pid, number)

    def stop(self, patience=PATIENCE):
        self.signal_masters(signal.SIGTERM)
        return self.wait(patience)

    def kill(self):
        self.signal_masters(signal.SIGKILL)
        super().kill()

    def forget(self):
        """Mailboxes and log are empty again, for the next test."""
        wait_until(self.queue_empty, "Postfix delivers what it has")
        mail = os.path.join(self.directory, "mail")
        for name in os.listdir(mail):
            shutil.rmtree(os.path.join(mail, name))
        with open(self.maillog(), "r+", encoding="utf-8") as file:
            file.truncate()

    def connect(self, client="198.51.100.9", **options):
        """As a client of the mail server that asks a milter."""
        return SmtpClient(HOST, self.front_port, client, **options)

    def held(self):
        """The queue ids of what is on hold."""
        return sorted(os.listdir(os.path.join(self.directory, "queue",
                                              "hold")))

    def release(self):
        """What is on hold goes on."""
        for command in (["postsuper", "-H", "ALL"], ["postqueue", "-f"]):
            subprocess.run([find(command[0]), "-c", self.directory,
                            *command[1:]], check=True, capture_output=True)

    def behind_proxy(self):
        """Where each connection has to begin with a PROXY header."""
        return Door(self.proxy_port)

    def sessions(self):
        """The processes that talk to clients."""
        return [pid for master in self.masters() for pid in children(master)
                if command_name(pid) == "smtpd"]

    # ---- what it has -------------------------------------------------------

    def maillog(self):
        return os.path.join(self.directory, "maillog")

    def log_text(self):
        with open(self.maillog(), encoding="utf-8") as file:
            return file.read()

    def queue_empty(self):
        text = self.log_text()
        return set(TAKEN.findall(text)) <= set(REMOVED.findall(text))

    def delivered(self, count=0):
        """What is in the mailboxes, once there are `count` messages."""
        wait_until(lambda: len(self.files()) >= count and self.queue_empty(),
                   f"Postfix delivers {count} messages")
        return [self.open(path) for path in self.in_order()]

    def copies(self, count):
        """The same with the queue id of each, once there are `count` ids."""
        wait_until(lambda: len(self.identities()) >= count
                   and self.queue_empty(), f"Postfix delivers {count} messages")
        return [(queue_id(path), self.open(path)) for path in self.in_order()]

    def identities(self):
        return {queue_id(path) for path in self.files()}

    def files(self):
        new = os.path.join(self.directory, "mail", "box", "new")
        if not os.path.isdir(new):
            return []
        paths = [os.path.join(new, name) for name in os.listdir(new)]
        return sorted(paths, key=os.path.getmtime)

    def in_order(self):
        """As they came: deliveries overtake each other."""
        arrived = ARRIVED.findall(self.log_text())
        return sorted(self.files(),
                      key=lambda path: arrived.index(queue_id(path)))

    def open(self, path):
        with open(path, "rb") as file:
            octets = file.read().replace(b"\n", b"\r\n")
        fields = email.message_from_bytes(octets)
        sender = str(fields["Return-Path"]).strip("<>")
        return Delivered(octets, [fields["X-Original-To"]], sender) \
            .without_backend(HOSTNAME)

    def violations(self):
        return ""
