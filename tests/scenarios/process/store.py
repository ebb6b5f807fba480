# store.py: a store that cannot be used: mail flows, and the log tells it once.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import shutil

from lab.failure import check, equal

MESSAGE = b"From: alice@example.org\r\nSubject: store\r\n\r\nhello\r\n"
POLICY = """
store sqlite "{path}"
use greylist {{ delay 1h }}
at rcpt {{
    tempfail greylist if greylist.state = new or greylist.state = early
}}
"""


def prepare(stage):
    """The store's file, in a directory of its own."""
    directory = os.path.join(stage.directory, "store")
    os.makedirs(directory)
    return os.path.join(directory, "filterd.db")


def deliver_many(filterd, count, expected):
    for number in range(count):
        reply = filterd.deliver(MESSAGE, f"bob{number}@example.com")
        equal(reply.code, expected, str(reply))


def story_alive(stage):
    """with a store that works the same mail is greylisted"""
    filterd = stage.filterd(POLICY.format(path=prepare(stage)), stage.sink())
    deliver_many(filterd, 2, 451)
    check(not filterd.lines("store"), "nothing is wrong")


def story_garbage(stage):
    """a store that is garbage at start: mail flows, one line tells it"""
    path = prepare(stage)
    with open(path, "wb") as file:
        file.write(os.urandom(8192))
    filterd = stage.filterd(POLICY.format(path=path), stage.sink())
    deliver_many(filterd, 5, 250)
    equal(len(filterd.wait_line("store")), 1, "lines that tell of it")


def story_removed(stage):
    """a store whose directory is removed under it: mail flows or is deferred, never refused"""
    path = prepare(stage)
    filterd = stage.filterd(POLICY.format(path=path), stage.sink())
    deliver_many(filterd, 1, 451)
    shutil.rmtree(os.path.dirname(path))
    for number in range(5):
        reply = filterd.deliver(MESSAGE, f"carol{number}@example.com")
        check(reply.code in (250, 451), str(reply))
    check(len(filterd.lines("store")) <= 1, "one line at most")


def story_not_writable(stage):
    """a store that has no room: mail flows, one line tells it"""
    filterd = stage.filterd_at_rest(POLICY.format(path=prepare(stage)),
                                    stage.sink())
    filterd.file_limit = 16384
    stage.add(filterd)
    deliver_many(filterd, 5, 250)
    equal(len(filterd.wait_line("store")), 1, "lines that tell of it")


def story_overwritten(stage):
    """a store that is overwritten with garbage while in use: no 5xx, no crash, and a new start"""
    path = prepare(stage)
    filterd = stage.filterd(POLICY.format(path=path), stage.sink())
    deliver_many(filterd, 2, 451)
    with open(path, "r+b") as file:
        file.write(os.urandom(4096))
    for number in range(5):
        reply = filterd.deliver(MESSAGE, f"dave{number}@example.com")
        check(reply.code in (250, 451), str(reply))
    filterd.stop()
    filterd.start()
    check(filterd.deliver(MESSAGE).code in (250, 451), "after a new start")
