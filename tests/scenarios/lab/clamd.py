# clamd.py: ClamAV's daemon, which knows one signature.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import pwd

from .program import HOST, Program, find, free_port

VIRUS = b"filterd's own test virus, harmless"
NAME = "Filterd.Test.UNOFFICIAL"

CONFIGURATION = """
Foreground yes
DatabaseDirectory {directory}/base
LocalSocket {directory}/socket
LocalSocketMode 666
TCPAddr {host}
TCPSocket {port}
User {user}
StreamMaxLength {limit}
CommandReadTimeout {patience}
DisableCache yes
"""


class Clamd(Program):
    """`limit`: octets that it takes; `patience`: seconds without any."""

    def __init__(self, directory, limit="1M", patience=30):
        self.directory = os.path.join(directory, "clamd")
        self.port = free_port()
        base = os.path.join(self.directory, "base")
        os.makedirs(base)
        with open(os.path.join(base, "test.ndb"), "w",
                  encoding="ascii") as file:
            file.write(f"Filterd.Test:0:*:{VIRUS.hex()}\n")
        conf = os.path.join(self.directory, "clamd.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                directory=self.directory, host=HOST, port=self.port,
                limit=limit, patience=patience,
                user=pwd.getpwuid(os.getuid()).pw_name))
        super().__init__("clamd", [find("clamd"), "-c", conf], directory)

    @property
    def unix(self):
        return f"unix:{self.directory}/socket"

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    def start(self):
        super().start()
        self.wait_listening(self.port)
