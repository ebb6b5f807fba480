"""What a plugin in trouble does to the others."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import shutil
import signal
import subprocess
import sys
import urllib.request

from daemon import Backend, Filterd, free_port, run, running, wait_until
from planted import TREE, greet, plant, rules

FILTERCTL = os.path.join(os.path.dirname(sys.argv[1]), "filterctl")

# With a sanitizer in it, a worker that crashes exits.
CRASHED = (r"worker-lost pid=\d+ (signal=(SEGV|ABRT|FPE|BUS)|exit=1) (core=yes )?"
           r"plugin=trouble hook=helo session=[0-9a-f]+-")


def file_option(program):
    """a file that only a plugin asks for is read by the master"""
    (TREE / "motto").chmod(0o600)
    user = "set user nobody\n" if os.geteuid() == 0 else ""
    with running(program, user + rules()) as (filterd, _):
        reply = greet(filterd, "motto.test")
        assert reply.startswith("550 5.7.1 through the bundle"), reply


def file_missing(program):
    """one that cannot be read is reported where it stands"""
    filterd = Filterd(program, Backend(), rules("nowhere"))
    try:
        filterd.start(wait=False)
        assert filterd.process.wait(30) == 1
        log = filterd.log()
        assert f"{filterd.config}:10:" in log, log
        assert "nowhere" in log and "No such file" in log, log
    finally:
        filterd.clean()


def start_fails(program):
    """a plugin that fails to start in a worker ends it well, whatever others spawned"""
    (TREE / "spawn").write_text("spawn")
    (TREE / "fail").write_text("fail")
    uses = (f'use trouble as one {{ motto "{TREE}/spawn" }}\n'
            f'use trouble as two {{ motto "{TREE}/fail" }}\n')
    filterd = Filterd(program, Backend(), uses, workers=1)
    try:
        filterd.start(wait=False)
        assert filterd.process.wait(30) == 1
        log = filterd.log()
        assert "no luck here" in log and "could not start" in log, log
        assert "exit=1" in log and "signal=" not in log, log
        assert "ERROR" not in log, log
    finally:
        filterd.clean()


# A file, how filterctl names who crashes with it, and how the log does.
EARLY = [
    ("crash", "`trouble` crashed in its `start`: SIGSEGV", ", in `start` of plugin `trouble`"),
    ("describe", "`trouble` crashed in its `describe`: SIGSEGV",
     ", in `describe` of plugin `trouble`"),
    ("early", "`early.so` crashed in its `loading`: SIGSEGV",
     ", in `loading` of plugin `early.so`"),
    ("leave", "`trouble` called exit() in its `start`",
     "be checked: it ended, in `start` of plugin `trouble`"),
    ("leave-at-once", "`trouble` called _exit() in its `start`",
     "be checked: it ended, in `start` of plugin `trouble`"),
]


def start_crashes(program):
    """a plugin that crashes when the configuration is checked is named with its hook"""
    (TREE / "plugins" / "early").mkdir()
    shutil.copy(sys.argv[5], TREE / "plugins" / "early" / "early.so")
    filterctl = shutil.copy(FILTERCTL, TREE / "filterd" / "filterctl")
    for name, said, logged in EARLY:
        (TREE / name).write_text(name)
        text = "use early\n" if name == "early" else rules(name)
        (TREE / "early.conf").write_text(text)
        done = subprocess.run([filterctl, "check", TREE / "early.conf"], timeout=60,
                              stderr=subprocess.PIPE, encoding="utf-8")
        assert done.returncode == 2 or done.returncode < 0, done
        assert done.stderr.count("filterctl: ") == 1, done.stderr
        assert f"filterctl: plugin {said}\n" in done.stderr, done.stderr
        filterd = Filterd(program, Backend(), text)
        try:
            filterd.start(wait=False)
            assert filterd.process.wait(30) == 1
            assert logged in filterd.log(), filterd.log()
        finally:
            filterd.crashes = True
            filterd.clean()


def crash(program):
    """a plugin that crashes is named with hook and session, and costs one worker"""
    deeds = ["crash", "abort", "divide", "overflow", "thread"]
    with running(program, rules(), workers=1) as (filterd, backend):
        filterd.crashes = True
        for number, deed in enumerate(deeds, 1):
            assert greet(filterd, deed + ".test") == "", deed
            filterd.wait_log(CRASHED, number)
            filterd.send(deed)
        assert backend.subjects() == deeds
        filterd.wait_log(r"plugin=trouble workers-lost=3 .*`isolation process`")


def end(program):
    """one that ends its worker is named, too, however it does"""
    with running(program, rules(), workers=1) as (filterd, _):
        filterd.crashes = True
        for number, deed in enumerate(["exit", "exit-at-once"], 1):
            assert greet(filterd, deed + ".test") == ""
            filterd.wait_log(r"worker-lost pid=\d+ exit=\d+ plugin=trouble hook=helo "
                             r"session=[0-9a-f]+-", number)
            filterd.send(deed)


def killed(program):
    """one that is not at work when its worker is killed is not named"""
    with running(program, rules(), workers=1) as (filterd, _):
        filterd.crashes = True
        greet(filterd, "client.test")
        os.kill(filterd.children()[0], signal.SIGKILL)
        filterd.wait_log(r"worker-lost pid=\d+ signal=KILL restart-ms=")


def hold(program):
    """one that holds the loop is named with hook and session"""
    with running(program, rules(), workers=1) as (filterd, _):
        greet(filterd, "hold.test")
        filterd.wait_log(r"held session=[0-9a-f]+-\S+ by=trouble hook=helo ms=\d+")


def write_beyond(program):
    """one that writes beyond its state is found out, and its facts are unknown"""
    extra = 'at helo { reject known if known trouble.motto reply 550 5.7.1 "known" }\n'
    with running(program, rules() + extra, workers=1) as (filterd, backend):
        assert greet(filterd, "beyond.test").startswith("250 ")
        filterd.wait_log(r"session=[0-9a-f]+-\S+ plugin=trouble text=\"helo: it wrote "
                         r"beyond the 8 octets of its session_size")
        assert greet(filterd, "client.test").startswith("550 5.7.1 known")


def hang(program):
    """a plugin that hangs is named, its worker ended and replaced"""
    deeds = ["hang", "sleep"]
    with running(program, rules(), workers=1) as (filterd, backend):
        for deed in deeds:
            worker = filterd.children()[0]
            assert greet(filterd, deed + ".test") == ""
            filterd.wait_log(r"watchdog plugin=trouble hook=helo session=[0-9a-f]+-\S+ "
                             rf'text="worker {worker} hangs')
            filterd.wait_log(rf"worker-lost pid={worker} signal=ABRT .*"
                             r'reason="hangs: its loop does not turn" plugin=trouble '
                             r"hook=helo session=[0-9a-f]+-")
            filterd.send(deed)
        assert backend.subjects() == deeds


def share_given_back(program):
    """the sessions of a worker that died no longer count"""
    port = free_port()
    with running(
        program, rules() + f"listen http 127.0.0.1:{port}\n", workers=1
    ) as (filterd, _):

        def open_sessions():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
                for line in page.read().decode().split("\n"):
                    if line.startswith("filterd_sessions "):
                        return int(line.split()[1])

        sessions = [filterd.session() for _ in range(3)]
        wait_until(lambda: open_sessions() == 3, "three sessions are open")
        filterd.crashes = True
        assert greet(filterd, "crash.test") == ""
        wait_until(lambda: open_sessions() == 0, "none is counted")
        for session in sessions:
            session.close()


def lies(program):
    """a plugin whose tables lie is refused with words"""
    for library, words in ((sys.argv[3], "no such type for fact"),
                           (sys.argv[4], "and is smaller")):
        (TREE / "plugins" / "liar").mkdir(exist_ok=True)
        shutil.copy(library, TREE / "plugins" / "liar" / "liar.so")
        filterd = Filterd(program, Backend(), "use liar\n")
        try:
            filterd.start(wait=False)
            assert filterd.process.wait(30) == 1
            log = filterd.log()
            assert f"{filterd.config}:10:" in log and words in log, log
            assert "signal" not in log, log
        finally:
            filterd.clean()


def main():
    sys.argv[1] = plant(sys.argv[1])
    run([file_option, file_missing, start_fails, start_crashes, crash, end, killed, hold, write_beyond, hang,
         share_given_back, lies])


main()
