"""The decision log of a running filterd: who writes it, what becomes of it."""

# SPDX-License-Identifier: BSD-2-Clause

import json
import os
import pathlib
import signal
import smtplib
import socket
import subprocess
import threading

from daemon import free_port, run, running, wait_until


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
        lines.sort(key=lambda line: line["time"])  # each worker writes its own
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


ZONE = """$ORIGIN example.
$TTL 300
good TXT "v=spf1 ip4:127.0.0.0/8 -all"
bad TXT "v=spf1 -all"
"""
CHECKED = """use spf
use greylist { delay 5m }
at rcpt {
    reject spf-fail if spf.result = fail reply 550 5.7.23 "{mail.domain} says no"
    tempfail spf-broken if spf.result = temperror
    tempfail grey if rcpt.local = "grey" and greylist.state = new
    pass picky if rcpt.local = "picky"
}
at message {
    would reject watched if message.size > 10
    reject picked if rcpt.local = "picky"
}
"""


def ctl(filterd, *arguments):
    done = subprocess.run(
        [pathlib.Path(filterd.program).parent / "filterctl", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def refused(filterd, sender, *recipients):
    """The session that the last reply names."""
    with filterd.session() as session:
        session.ehlo()
        session.mail(sender)
        for recipient in recipients:
            code, text = session.rcpt(recipient)
        if code == 250:
            code, text = session.data("Subject: x\r\n\r\nHello.\r\n")
        assert code >= 400, (code, text)
        return text.decode().split("[")[-1].rstrip("]")


def checked(program):
    """whatever was decided is explained, and judged again, by other rules too"""
    with running(program, CHECKED) as (filterd, _):
        zone = filterd.directory / "zone"
        zone.write_text(ZONE)
        text = filterd.config.read_text()
        filterd.config.write_text(
            text.replace("timeout 200ms", "timeout 2s").replace(
                "dns {", f'dns {{ zone "{zone}"'))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        filterd.wait_log("generation 1 is gone")
        ids = {
            "rejected spf-fail at rcpt": refused(filterd, "a@bad.example",
                                                 "u@example.com"),
            "tempfailed grey at rcpt": refused(filterd, "a@good.example",
                                               "grey@example.com"),
            "tempfailed spf-broken at rcpt": refused(filterd, "a@dead.test",
                                                     "u@example.com"),
            "rejected picked at message": refused(filterd, "a@good.example",
                                                  "picky@example.com"),
            "split -group at rcpt": refused(filterd, "a@good.example",
                                            "u@example.com",
                                            "picky@example.com"),
        }
        with filterd.session() as session:
            session.sendmail("a@good.example", ["u@example.com"],
                             "Subject: taken\r\n\r\nHello.\r\n")
        filterd.stop()
        parts = {
            "rejected spf-fail at rcpt": ["spf.result = fail: yes",
                                          "bad.example TXT: \"v=spf1 -all\""],
            "tempfailed grey at rcpt": ["greylist.state = new: yes",
                                        "greylist at rcpt: ",
                                        "greylist.wait = 5m"],
            "tempfailed spf-broken at rcpt": ["spf.result = temperror: yes",
                                              "dead.test TXT: "],
            "rejected picked at message": ["would reject watched",
                                           "rcpt.local = picky"],
            "split -group at rcpt": ["Recipient picky@example.com"],
        }
        for words, number in ids.items():
            status, out, err = ctl(filterd, "explain", "--session", number,
                                   "-c", str(filterd.config))
            assert status == 0, err
            for part in [words] + parts[words]:
                assert part in out, (part, out)
            assert "no such rule" not in out and "another one" not in out, out
            kept = ctl(filterd, "explain", "--session", f"[{number}-1]",
                       "-c", str(filterd.config))
            assert kept[:2] == (0, out), kept
        status, out, err = ctl(filterd, "explain", "--session", "00-0",
                               "-c", str(filterd.config))
        assert status == 1 and ": 1 file, which" in err, err
        replay = ["replay", "--json", "--policy", str(filterd.config)]
        logs = [str(path) for path in files(filterd)]
        status, out, err = ctl(filterd, *replay, *logs)
        result = json.loads(out)
        assert status == 0 and result["same"] == 6, (err, result)
        assert result["would"] == 2 and result["broken"] == 0, result
        filterd.config.write_text(
            filterd.config.read_text()
            .replace("would reject watched", "reject watched")
            .replace("tempfail spf-broken", "reject spf-broken")
            .replace("reject spf-fail if", "would reject spf-fail if"))
        status, out, err = ctl(filterd, *replay, *logs)
        result = json.loads(out)
        assert status == 1, err
        found = {(one["old"]["rule"], one["new"]["verdict"],
                  one["new"]["rule"]): one["count"]
                 for one in result["changes"]}
        assert found == {(None, "reject", "watched"): 1,
                         ("spf-broken", "reject", "spf-broken"): 1,
                         ("picked", "reject", "watched"): 1}, found
        assert result["unsaid"] == 1, result
        assert result["missing"] == {"message.size": 1}, result


def policy_service(program):
    """a policy service: what was told of a recipient, with its facts"""
    port = free_port()
    with running(program, f"listen policy 127.0.0.1:{port}\n") as (filterd, _):
        with socket.create_connection(("127.0.0.1", port)) as client:
            stream = client.makefile("rb")
            for domain, action in [("example.com", b"DUNNO"),
                                   ("elsewhere.example", b"5")]:
                client.sendall((
                    "request=smtpd_access_policy\nprotocol_state=RCPT\n"
                    "protocol_name=ESMTP\nclient_address=192.0.2.7\n"
                    "client_name=unknown\nhelo_name=c.example\n"
                    f"sender=a@b.example\nrecipient=u@{domain}\n"
                    "instance=1.2\n\n").encode())
                line = stream.readline()
                assert action in line, line
                stream.readline()
        filterd.stop()
        lines = read(filterd)
        assert [line["wire"] for line in lines] == ["policy"] * len(lines)
        told = {line["recipients"][0]["to"]: line["verdict"]
                for line in lines if line["recipients"]}
        assert told == {"u@example.com": "pass",
                        "u@elsewhere.example": "reject"}, lines
        assert lines[0]["facts"]["client.ip"] == "192.0.2.7", lines


run([checked, policy_service, logged, stopped, reloaded, put_aside, renamed, killed, unwritable,
     listens_elsewhere])
