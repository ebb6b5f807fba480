# dovecot.py: Dovecot's LMTP server as the mail server behind.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re

from .beside import HOSTNAME
from .failure import Missing
from .message import Delivered
from .program import HOST, Program, find, free_port, wait_until

OWNER = 65534  # nobody, like the mail
CONFIGURATION = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = /dev/stderr
hostname = {hostname}
protocols = lmtp
listen = {host}
ssl = no
login_trusted_networks = 127.0.0.0/8
mail_location = maildir:{directory}/mail/%u
mailbox_list_index = no
mail_plugins = quota
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
}}
plugin {{
  quota = maildir:User quota
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  chroot =
  process_min_avail = 1
  inet_listener lmtp {{
    address = {host}
    port = {port}
  }}
  unix_listener {directory}/lmtp {{
    mode = 0666
  }}
}}
"""


class Dovecot(Program):
    """`users` have a mailbox; those of `full` have no room in it."""

    kind = "dovecot"
    speaks = "lmtp"
    users = ("bob", "carol", "dave")
    full = ("full",)

    def __init__(self, directory, unix=False):
        if os.geteuid() != 0:
            raise Missing("Dovecot can be started by root only")
        if not os.path.exists("/usr/lib/dovecot/lmtp"):
            raise Missing("dovecot-lmtpd is not installed")
        self.directory = os.path.join(directory, "dovecot")
        self.port = free_port()
        self.socket = os.path.join(self.directory, "lmtp")
        self.address = f'"unix:{self.socket}"' if unix \
            else f"{HOST}:{self.port}"
        super().__init__("dovecot", [find("dovecot"), "-c",
                                     os.path.join(self.directory,
                                                  "dovecot.conf"), "-F"],
                         directory)
        self.prepare()

    def prepare(self):
        for part in ("run", "state", "mail"):
            os.makedirs(os.path.join(self.directory, part))
        os.chmod(self.directory, 0o755)
        os.chown(os.path.join(self.directory, "mail"), OWNER, OWNER)
        rows = [f"{user}@example.com::{OWNER}:{OWNER}::{self.directory}::"
                for user in self.users]
        rows += [f"{user}@example.com::{OWNER}:{OWNER}::{self.directory}::"
                 "userdb_quota_rule=*:storage=1B" for user in self.full]
        self.write("users", "\n".join(rows) + "\n")
        self.write("dovecot.conf", CONFIGURATION.format(
            directory=self.directory, hostname=HOSTNAME, host=HOST,
            port=self.port))

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def start(self):
        super().start()
        self.wait_listening(self.port)

    # ---- what it has -------------------------------------------------------

    def files(self):
        """In all maildirs, the oldest first."""
        found = []
        for folder, _, names in os.walk(os.path.join(self.directory, "mail")):
            if folder.endswith("/new"):
                found += [os.path.join(folder, name) for name in names]
        return sorted(found, key=lambda path: os.stat(path).st_mtime_ns)

    def delivered(self, count=0):
        wait_until(lambda: len(self.files()) >= count,
                   f"Dovecot delivers {count} messages")
        return [self.open(path) for path in self.files()]

    @staticmethod
    def open(path):
        """mail/USER/new/FILE, with LF or with CR LF."""
        with open(path, "rb") as file:
            octets = re.sub(rb"\r?\n", b"\r\n", file.read())
        message = Delivered(octets, [])
        user = path.split("/")[-3]
        message.recipients = [user]
        message.sender = message.named("Return-Path")[0].strip("<>")
        return message.without_backend(HOSTNAME)
