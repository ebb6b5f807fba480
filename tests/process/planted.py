"""A copy of filterd that lies where it finds the plugin `trouble`, as if both were
a build tree; and who greets it."""

# SPDX-License-Identifier: BSD-2-Clause

import atexit
import pathlib
import shutil
import socket
import sys
import tempfile

TREE = pathlib.Path(tempfile.mkdtemp(prefix="filterd-tree-"))
atexit.register(shutil.rmtree, TREE, True)
RULES = (
    'use trouble {{ motto "{motto}" {more} }}\n'
    "at helo {{\n"
    '  reject never if trouble.motto = "never"\n'
    '  reject asked if helo.name = "motto.test" reply 550 5.7.1 "{{trouble.motto}}"\n'
    "}}\n"
)


def plant(program):
    """A tree with the program and the plugin; the program in it."""
    (TREE / "filterd").mkdir()
    (TREE / "plugins" / "trouble").mkdir(parents=True)
    (TREE / "build.ninja").touch()
    shutil.copy(program, TREE / "filterd" / "filterd")
    shutil.copy(sys.argv[2], TREE / "plugins" / "trouble" / "trouble.so")
    TREE.chmod(0o755)
    (TREE / "motto").write_text("through the bundle")
    return str(TREE / "filterd" / "filterd")


def rules(motto="motto", more=""):
    return RULES.format(motto=TREE / motto, more=more)


def greet(filterd, name):
    """The reply to EHLO; "" where the connection ended."""
    with socket.create_connection(("127.0.0.1", filterd.port), 30) as client:
        stream = client.makefile("rb")
        stream.readline()
        client.sendall(b"HELO " + name.encode() + b"\r\n")
        try:
            return stream.readline().decode()
        except ConnectionResetError:
            return ""
