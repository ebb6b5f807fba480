"""What becomes of sessions when workers die, configurations change, and
filterd ends."""

# SPDX-License-Identifier: BSD-2-Clause

import errno
import os
import re
import signal
import smtplib
import socket
import threading
import time

from daemon import free_port, message, run, running, wait_until


def still_serves(filterd, backend, subject):
    filterd.send(subject)
    assert subject in backend.subjects(), backend.subjects()


def killed_worker(program):
    """a worker that is killed is replaced at once, and mail goes on"""
    with running(program) as (filterd, backend):
        workers = filterd.children()
        assert len(workers) == 2, workers
        os.kill(workers[0], signal.SIGKILL)
        filterd.wait_log(rf"worker-lost pid={workers[0]} signal=KILL")

        def replaced():
            now = filterd.children()
            return len(now) == 2 and workers[0] not in now

        wait_until(replaced, "two workers are there again", 5)
        for number in range(6):
            still_serves(filterd, backend, f"after {number}")


def all_killed(program):
    """connections made while no worker lives are served by the next one"""
    with running(program) as (filterd, backend):
        for worker in filterd.children():
            os.kill(worker, signal.SIGKILL)
        still_serves(filterd, backend, "nobody there")


def dies_again(program):
    """a worker that keeps dying young is started again after a pause"""
    with running(program, workers=1) as (filterd, _):
        for _ in range(3):
            worker = wait_until(filterd.children, "a worker is there")[0]
            os.kill(worker, signal.SIGKILL)
            filterd.wait_log(rf"worker-lost pid={worker} ")
        pauses = re.findall(r"worker-lost .*restart-ms=(\d+)", filterd.log())
        assert int(pauses[0]) == 0, pauses
        assert 500 < int(pauses[1]) <= 1000, pauses
        assert 1500 < int(pauses[2]) <= 2000, pauses


def killed_in_data(program):
    """kill -9 in the middle of a message: no reply, nothing delivered"""
    with running(program, workers=1) as (filterd, backend):
        with socket.create_connection(("127.0.0.1", filterd.port)) as client:
            stream = client.makefile("rb")
            stream.readline()
            for line in [b"HELO c", b"MAIL FROM:<a@b.test>", b"RCPT TO:<u@example.com>", b"DATA"]:
                client.sendall(line + b"\r\n")
                reply = stream.readline()
                assert reply[:1] in b"23", reply
            client.sendall(b"Subject: half\r\n\r\nhalf of")
            os.kill(filterd.children()[0], signal.SIGKILL)
            client.settimeout(30)
            try:
                assert stream.readline() == b""
            except ConnectionResetError:
                pass
        still_serves(filterd, backend, "whole")
        assert backend.subjects() == ["whole"]


def master_killed(program):
    """nobody outlives a master that is killed"""
    port = free_port()
    run_it = running(program, f"listen http 127.0.0.1:{port}\n")
    filterd, _ = run_it.__enter__()
    try:
        children = filterd.children("filterd-")
        assert len(children) == 3
        filterd.process.kill()
        filterd.process.wait()

        def gone():
            return not any(os.path.exists(f"/proc/{c}/exe") for c in children)

        wait_until(gone, "all children are gone", 5)
    finally:
        filterd.clean()


def killed_master_swept(program):
    """what a killed master left in memory is removed by the next one"""
    filterd, _ = running(program, "use greylist\n").__enter__()
    try:
        start = f"filterd-{filterd.process.pid}-"
        filterd.send("kept")
        filterd.process.kill()
        filterd.process.wait()
        assert [e for e in os.listdir("/dev/shm") if e.startswith(start)]
        with running(program):
            assert not [e for e in os.listdir("/dev/shm") if e.startswith(start)]
    finally:
        filterd.clean()


def reload_warns(program):
    """warnings of a configuration that is put into force are logged"""
    with running(program) as (filterd, _):
        filterd.write("list nobody-asks of ip { 192.0.2.1 }\n")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        assert re.search(r"configuration text=.*nobody-asks", filterd.log())


def reload_tells(program):
    """a reload tells what is different, also that nothing is"""
    with running(program, "list l of ip { 192.0.2.1 }\nat mail { reject a if "
                 "client.ip in l }\n") as (filterd, _):
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok generation=2 changes=nothing\n")
        filterd.write("list l of ip { 192.0.2.1 192.0.2.2 }\nset max-errors 3\n"
                      "at mail { reject b if client.ip in l }\n")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(
            'generation=3 changes="reject a at mail: name a -> b; '
            'list l \\+1; set max-errors 20 -> 3"\n')
        filterd.write("at mail { reject")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=refused")
        filterd.write("".join(f"list l{i} of ip {{ }}\n" for i in range(500)))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(r'generation=4 changes="[^\n]*; and \d+ more"\n')


def reload_waits(program):
    """a third reload waits until one of two old generations has drained"""
    with running(program) as (filterd, backend):
        busy = []
        for generation in (2, 3):
            session = filterd.session()
            session.ehlo()
            session.mail("a@b.test")
            busy.append(session)
            filterd.signal(signal.SIGHUP)
            filterd.wait_log(f"reload result=ok generation={generation}")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload .*waits: 2 generations are draining")
        assert busy[0].rcpt("u@example.com")[0] == 250
        assert busy[0].data(message("oldest"))[0] == 250
        filterd.wait_log("reload result=ok generation=4")
        assert busy[1].rcpt("u@example.com")[0] == 250
        assert busy[1].data(message("older"))[0] == 250
        assert backend.subjects() == ["oldest", "older"]


def reload_changes(program):
    """SIGHUP puts a new configuration into force on the same socket"""
    with running(program) as (filterd, backend):
        old = filterd.children()
        filterd.write('at mail { reject nope reply 550 5.7.1 "changed" }\n')
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        filterd.wait_log("drained .*generation 1 is gone")
        assert not set(old) & set(filterd.children())
        with filterd.session() as session:
            session.ehlo()
            code, text = session.mail("a@b.test")
        assert code == 550 and b"changed" in text


def reload_workers(program):
    """a reload may change the number of workers and the addresses"""
    with running(program) as (filterd, backend):
        other = free_port()
        filterd.write(f"listen smtp 127.0.0.1:{other}\n", workers=3)
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        filterd.wait_log("drained ")
        assert len(filterd.children()) == 3
        with smtplib.SMTP("127.0.0.1", other) as session:
            session.sendmail("a@b.test", ["u@example.com"], message("other"))
        filterd.write(workers=1)
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok", 2)
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.1", other)) == errno.ECONNREFUSED
        still_serves(filterd, backend, "still here")


def reload_broken(program):
    """a broken configuration is reported, and the old one goes on"""
    with running(program) as (filterd, backend):
        workers = filterd.children()
        filterd.write("at rcpt {\n")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(
            r'reload result=refused generation=1 text="the generation goes on"')
        still_serves(filterd, backend, "old rules")
        assert filterd.children() == workers
        filterd.write()
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")


def reload_tells_all(program):
    """a refused reload has a line for each mistake that check tells, and no more"""
    with running(program) as (filterd, backend):
        filterd.write("set wrokers 3\nuse greylist { delai 5m }\n"
                      "at rcpt {\n    reject x if greylist.nothing = 1\n")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=refused")
        told = re.findall(r" configuration text=\"(.*)\"$", filterd.log(), re.M)
        words = ["wrokers", "delai", "greylist.nothing", "is not closed"]
        assert len(told) == len(words), told
        for word, line in zip(words, told):
            assert word in line and re.search(r"conf:\d+:\d+: error: ", line), told
        assert "\\x0a" not in filterd.log(), filterd.log()
        filterd.write("".join(f"set wrong{i} 1\n" for i in range(30)))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("and 10 more, which filterctl check shows")
        still_serves(filterd, backend, "old rules")


def reload_unplayable(program):
    """an address that cannot be had leaves the old generation alone"""
    with running(program) as (filterd, backend), socket.create_server(
        ("127.0.0.1", 0)
    ) as taken:
        filterd.write(f"listen smtp 127.0.0.1:{taken.getsockname()[1]}\n")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(r"configuration .*in use")
        filterd.wait_log(r"reload result=refused generation=1 ")
        still_serves(filterd, backend, "undisturbed")


def reload_keeps_transaction(program):
    """a transaction ends in its old generation; an idle client gets 421"""
    with running(program) as (filterd, backend):
        busy, idle = filterd.session(), filterd.session()
        busy.ehlo()
        idle.ehlo()
        assert busy.mail("a@b.test")[0] == 250
        assert busy.rcpt("u@example.com")[0] == 250
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        idle.sock.settimeout(10)
        code, text = idle.getreply()
        assert code == 421 and text.startswith(b"4.3.2"), (code, text)
        code, text = busy.data(message("old generation"))
        assert code == 250, (code, text)
        try:
            code = busy.noop()[0]
        except smtplib.SMTPServerDisconnected:
            code = 421
        assert code == 421
        filterd.wait_log("drained ")
        assert backend.subjects() == ["old generation"]


class Load:
    """Clients that send until told to stop; nothing may go wrong but 421."""

    def __init__(self, filterd, clients=4):
        self.filterd = filterd
        self.stop = threading.Event()
        self.sent, self.wrong = [], []
        self.threads = [
            threading.Thread(target=self.work, args=(n,)) for n in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, client):
        number = 0
        while not self.stop.is_set():
            subject = f"load-{client}-{number}"
            number += 1
            try:
                self.send(subject)
            except Exception as error:
                self.wrong.append(f"{subject}: {type(error).__name__} {error}")

    def send(self, subject):
        """Once, and again where the server was about to leave."""
        session = None
        while session is None:
            session = self.begin()
        code, text = session.rcpt("u@example.com")
        assert code == 250, (code, text)
        code, text = session.data(message(subject))
        assert code == 250, (code, text)
        self.sent.append(subject)
        session.close()

    def begin(self):
        """A session that has said MAIL; None: the server was about to leave."""
        try:
            session = self.filterd.session()
            session.ehlo()
            code, text = session.mail("a@b.test")
        except smtplib.SMTPServerDisconnected:
            return None
        except smtplib.SMTPConnectError as error:
            assert error.smtp_code == 421, error
            return None
        assert code in (250, 421), (code, text)
        return session if code == 250 else None

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


def reload_under_load(program):
    """reloads under load lose no message and break no transaction"""
    with running(program) as (filterd, backend):
        load = Load(filterd)
        try:
            for round in range(12):
                filterd.write("set log text\n" * (round % 2) if round % 3 else "nonsense\n")
                filterd.signal(signal.SIGHUP)
                time.sleep(0.25)
            filterd.write()
            filterd.signal(signal.SIGHUP)
            filterd.wait_log("reload result=ok", 3)
        finally:
            load.end()
        print(f"# {len(load.sent)} messages", flush=True)
        assert not load.wrong, load.wrong[:5]
        assert sorted(load.sent) == sorted(backend.subjects())


def kills_under_load(program):
    """kill -9 of workers under load: what was answered 250 was delivered"""
    with running(program) as (filterd, backend):
        load = Load(filterd)
        kills = 0
        try:
            for _ in range(6):
                time.sleep(0.3)
                for worker in filterd.children()[:1]:
                    os.kill(worker, signal.SIGKILL)
                    kills += 1
        finally:
            load.end()
        print(f"# {len(load.sent)} messages, {len(load.wrong)} cut off", flush=True)
        missing = set(load.sent) - set(backend.subjects())
        assert not missing, missing
        filterd.wait_log("worker-lost", kills)
        assert kills > 2 and load.sent


def reloads_coalesce(program):
    """many SIGHUPs at once are few reloads"""
    with running(program) as (filterd, backend):
        for _ in range(50):
            filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        time.sleep(1)
        assert filterd.log().count("reload result=") <= 4
        still_serves(filterd, backend, "calm")


def usr1_is_nothing(program):
    """SIGUSR1 and SIGUSR2 do nothing"""
    with running(program) as (filterd, backend):
        filterd.signal(signal.SIGUSR1)
        filterd.signal(signal.SIGUSR2)
        still_serves(filterd, backend, "calm")


def term_drains(program):
    """SIGTERM waits for the transaction that runs, and closes idle ones"""
    with running(program) as (filterd, backend):
        busy, idle = filterd.session(), filterd.session()
        busy.ehlo()
        busy.mail("a@b.test")
        busy.rcpt("u@example.com")
        idle.ehlo()
        filterd.signal(signal.SIGTERM)
        filterd.wait_log("draining")
        assert idle.getreply()[0] == 421

        def refused():
            try:
                socket.create_connection(("127.0.0.1", filterd.port), 1).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_until(refused, "new connections are refused", 5)
        assert filterd.process.poll() is None
        assert busy.data(message("last"))[0] == 250
        assert filterd.process.wait(10) == 0
        assert "stopped" in filterd.log()
        assert backend.subjects() == ["last"]


def term_twice(program):
    """a second SIGTERM ends transactions where they stand"""
    with running(program) as (filterd, backend):
        busy = filterd.session()
        busy.ehlo()
        busy.mail("a@b.test")
        filterd.signal(signal.SIGTERM)
        filterd.wait_log("draining")
        time.sleep(0.5)
        assert filterd.process.poll() is None
        begin = time.monotonic()
        filterd.signal(signal.SIGTERM)
        assert filterd.process.wait(10) == 0
        assert time.monotonic() - begin < 4


def drain_timeout(program):
    """sessions that go on after drain-timeout are ended"""
    with running(program, "set drain-timeout 1s\n") as (filterd, _):
        busy = filterd.session()
        busy.ehlo()
        busy.mail("a@b.test")
        filterd.signal(signal.SIGTERM)
        assert filterd.process.wait(10) == 0
        assert busy.getreply()[0] == 421


def nothing_left(program):
    """the store in memory is gone with filterd"""
    with running(program, "use greylist\n") as (filterd, _):
        pid = filterd.process.pid
        there = [e for e in os.listdir("/dev/shm") if e.startswith(f"filterd-{pid}-")]
        assert len(there) == 1, there
        filterd.send("kept")
        filterd.stop()
        assert not os.path.exists(f"/dev/shm/{there[0]}")


run(
    [
        killed_worker,
        all_killed,
        dies_again,
        killed_in_data,
        master_killed,
        killed_master_swept,
        reload_warns,
        reload_tells,
        reload_waits,
        reload_changes,
        reload_workers,
        reload_broken,
        reload_tells_all,
        reload_unplayable,
        reload_keeps_transaction,
        reload_under_load,
        kills_under_load,
        reloads_coalesce,
        usr1_is_nothing,
        term_drains,
        term_twice,
        drain_timeout,
        nothing_left,
    ]
)
