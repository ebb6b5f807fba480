"""The decision log of a running filterd: who writes it, what becomes of it."""

# SPDX-License-Identifier: BSD-2-Clause

import json
import os
import signal
import smtplib
import socket
import threading

from daemon import run, running, wait_until


def files(filterd):
    """The decision log, the oldest file first."""
    state = filterd.directory / "state"
    aside = [p for p in state.glob("decisions.log.*")]
    aside.sort(key=lambda path: -int(path.suffix[1:]))
    now = state / "decisions.log"
    return aside + ([now] if now.exists() else [])


def read(filterd):
    """All whole lines."""
    found = []
    for path in files(filterd):
        for line in path.read_bytes().split(b"\n")[:-1]:
            assert len(line) < 32768, len(line)
            found.append(json.loads(line))
    return found


def subjects_logged(filterd):
    return {line.get("message-id") for line in read(filterd)}


def send(filterd, number, to="user@example.com"):
    with filterd.session() as session:
        session.sendmail(
            "sender@example.org",
            [to],
            f"Message-ID: <{number}@x>\r\nSubject: {number}\r\n\r\nHello.\r\n",
        )


def logged(program):
    """what is decided stands there within seconds, for our eyes only"""
    with running(program) as (filterd, _):
        send(filterd, 1)
        try:
            send(filterd, 2, "u@elsewhere.example")
            raise AssertionError("relayed")
        except smtplib.SMTPRecipientsRefused as refused:
            reply = refused.recipients["u@elsewhere.example"][1].decode()
        lines = wait_until(lambda: len(read(filterd)) == 2 and read(filterd),
                           "two lines are there")
        assert lines[0]["event"] == "accepted", lines[0]
        assert lines[0]["message-id"] == "<1@x>", lines[0]
        assert lines[0]["facts"]["mail.from"] == "sender@example.org"
        assert lines[1]["verdict"] == "reject" and lines[1]["rule"] == "relay"
        assert lines[1]["reply"].endswith(reply), (lines[1]["reply"], reply)
        assert lines[1]["session"] in reply
        assert lines[1]["recipients"][0]["facts"]["rcpt.to"] == "u@elsewhere.example"
        assert lines[1]["rules"] == [{"stage": "rcpt", "verdict": "reject",
                                      "rule": "relay", "would": False, "mode": "applied",
                                      "truth": "yes"}], lines[1]["rules"]
        mode = files(filterd)[0].stat().st_mode & 0o777
        assert mode == 0o600, oct(mode)


def stopped(program):
    """a stop loses nothing"""
    with running(program) as (filterd, _):
        for number in range(20):
            send(filterd, number)
        filterd.stop()
        assert len(read(filterd)) == 20


def reloaded(program):
    """a reload loses nothing, whatever the old workers still decide"""
    with running(program) as (filterd, _):
        session = filterd.session()
        session.ehlo()
        session.mail("a@b.example")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok generation=2")
        session.rcpt("u@example.com")
        session.data("Message-ID: <old@x>\r\n\r\nHello.\r\n")
        session.close()
        send(filterd, "new")
        filterd.wait_log("generation 1 is gone")
        filterd.stop()
        assert subjects_logged(filterd) == {"<old@x>", "<new@x>"}


def put_aside(program):
    """several workers put it aside at its size, and nothing is lost or torn"""
    extra = "set decision-log-size 20k\nset decision-log-files 500\n"
    with running(program, extra, workers=3) as (filterd, _):
        senders = [
            threading.Thread(
                target=lambda first=first: [send(filterd, first + i) for i in range(40)]
            )
            for first in (0, 100, 200)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        filterd.stop()
        assert len(files(filterd)) > 1, files(filterd)
        assert len(subjects_logged(filterd)) == 120


def renamed(program):
    """whoever renames it need not say so"""
    with running(program) as (filterd, _):
        send(filterd, 1)
        path = filterd.directory / "state" / "decisions.log"
        wait_until(path.exists, "it is there")
        wait_until(lambda: len(read(filterd)) == 1, "a line is there")
        path.rename(path.with_name("decisions.log.1"))
        send(filterd, 2)
        wait_until(path.exists, "it is there again")
        wait_until(lambda: len(read(filterd)) == 2, "the other line is there")


def killed(program):
    """kill -9 tears no line, and costs what was not written yet at most"""
    with running(program, workers=2) as (filterd, _):
        filterd.crashes = True
        stop = threading.Event()
        sent = set()

        def keep_sending(first):
            number = first
            while not stop.is_set():
                try:
                    send(filterd, number)
                    sent.add(f"<{number}@x>")
                except (smtplib.SMTPException, OSError):
                    pass
                number += 1

        senders = [threading.Thread(target=keep_sending, args=(first,))
                   for first in (0, 1000000)]
        for sender in senders:
            sender.start()
        for _ in range(6):
            before = len(read(filterd))
            wait_until(lambda: len(read(filterd)) > before + 20, "lines come")
            for worker in filterd.children()[:1]:
                os.kill(worker, signal.SIGKILL)
        stop.set()
        for sender in senders:
            sender.join()
        filterd.stop()
        for path in files(filterd):
            assert path.read_bytes().endswith(b"\n"), path
        found = subjects_logged(filterd)
        assert len(found) > 120, (len(found), len(sent))


def unwritable(program):
    """mail goes on where nothing can be written, and the log says why"""
    with running(program) as (filterd, backend):
        state = filterd.directory / "state"
        path = state / "decisions.log"
        path.unlink(missing_ok=True)
        path.mkdir()
        send(filterd, 1)

        def told():
            send(filterd, 2)
            return "decision-log" in filterd.log()

        wait_until(told, "the log says so")
        assert backend.subjects()
        path.rmdir()
        wait_until(lambda: path.exists(), "it is written again")
        wait_until(lambda: "<1@x>" in subjects_logged(filterd), "nothing was lost")


def listens_elsewhere(program):
    """LMTP: a line for each recipient, with a verdict of its own"""
    with running(program) as (filterd, backend):
        port = filterd.port
        filterd.config.write_text(
            filterd.config.read_text().replace("listen smtp", "listen lmtp")
            + 'at message { reject no-b if rcpt.local = "b" }\n'
        )
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        with socket.create_connection(("127.0.0.1", port)) as client:
            stream = client.makefile("rb")
            client.sendall(
                b"LHLO c\r\nMAIL FROM:<a@b.example>\r\n"
                b"RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
            )
            while not stream.readline().startswith(b"354"):
                pass
            client.sendall(b"Subject: two\r\n\r\nHello.\r\n.\r\n")
            replies = [stream.readline()[:3], stream.readline()[:3]]
            assert replies == [b"250", b"550"], replies
        filterd.stop()
        lines = {line["recipients"][0]["to"]: line for line in read(filterd)}
        assert lines["a@example.com"]["verdict"] == "accept", lines
        assert lines["b@example.com"]["rule"] == "no-b", lines
        assert lines["b@example.com"]["each"] is True


run([logged, stopped, reloaded, put_aside, renamed, killed, unwritable,
     listens_elsewhere])
