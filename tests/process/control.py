"""Who commands filterd over its socket, and what they are told."""

# SPDX-License-Identifier: BSD-2-Clause

import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import termios
import threading
import time

from daemon import (PATIENCE, Backend, Filterd, Skip, free_port, message, run,
                    running, wait_until)

NOBODY = 65534


def socket_of(filterd):
    return filterd.directory / "state" / "control"


def connect(filterd):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(str(socket_of(filterd)))
    return client


# Said where older generations are as slow to go as this machine is busy.
WAITS = "two older generations have not drained yet\n"


def stopped_check(filterd):
    """The process that checks a configuration, stopped; None: there is none."""
    pid = filterd.process.pid
    task = pathlib.Path(f"/proc/{pid}/task/{pid}")
    for child in (task / "children").read_text().split():
        path = pathlib.Path(f"/proc/{child}")
        try:
            if (path / "comm").read_text() == "filterd-check\n":
                os.kill(int(child), signal.SIGSTOP)
                time.sleep(0.01)
                if " T " in (path / "stat").read_text():
                    return int(child)
        except (OSError, ProcessLookupError):
            continue
    return None


def begin_reload(filterd):
    """Who asked for a reload, and the process that checks it, stopped."""
    for _ in range(100):
        client = connect(filterd)
        client.sendall(b"reload\n")
        while not select.select([client], [], [], 0)[0]:
            check = stopped_check(filterd)
            if check is not None:
                return client, check
        client.close()
    raise AssertionError("no check was caught")


def rest(client):
    """All that comes until the other side closes."""
    octets = b""
    try:
        while part := client.recv(65536):
            octets += part
    except ConnectionResetError:
        pass  # something was left unread there
    return octets


def outcome(client):
    """Behind what it may say of waiting."""
    return json.loads(rest(client).splitlines()[-1])


def ask(filterd, octets):
    with connect(filterd) as client:
        client.sendall(octets)
        return [json.loads(line) for line in rest(client).splitlines()]


def ctl(filterd, *arguments, **options):
    program = pathlib.Path(filterd.program).parent / "filterctl"
    return subprocess.run([program, *arguments, "-c", filterd.config],
                          capture_output=True, text=True, timeout=60,
                          check=False, **options)


def first_words(filterd):
    """What a new connection is told for MAIL."""
    with filterd.session() as session:
        session.ehlo()
        return session.mail("a@b.test")[0]


def reload_ok(program):
    """filterctl reload returns when the new rules hold for every connection, and tells what changed"""
    with running(program, workers=3) as (filterd, _):
        busy = filterd.session()
        busy.ehlo()
        assert busy.mail("a@b.test")[0] == 250
        for round in range(4):
            code = 550 if round % 2 == 0 else 250
            filterd.write('at mail { reject nope if not known auth.user }\n' if code == 550 else "")
            told = ctl(filterd, "reload")
            assert told.returncode == 0, told
            assert told.stderr in ("", WAITS), told
            change = ("added" if code == 550 else "removed") + ": if not known auth.user"
            assert told.stdout == (f"generation {round + 2} serves: reject "
                                   f"nope at mail {change}\n"), told.stdout
            for _ in range(10):
                assert first_words(filterd) == code
        assert filterd.log().count("reload result=ok") == 4
        assert "does not say" not in filterd.log()
        assert busy.rcpt("u@example.com")[0] == 250
        busy.close()


def reload_warns(program):
    """warnings of a configuration that is right are told, and nothing else is wrong"""
    with running(program) as (filterd, _):
        filterd.write("list nobody-asks of ip { 192.0.2.1 }\n")
        told = ctl(filterd, "reload")
        assert told.returncode == 0, told
        assert "warning" in told.stderr and "nobody-asks" in told.stderr
        assert "list nobody-asks" in told.stdout, told.stdout


def reload_refused(program):
    """what is refused is told with line and caret, exit 1, and nothing changes"""
    with running(program) as (filterd, backend):
        workers = filterd.children()
        filterd.write("at mail { reject nope if client.pi in ours }\n")
        told = ctl(filterd, "reload")
        assert told.returncode == 1, told
        assert told.stdout == "refused: generation 1 goes on\n", told.stdout
        assert re.search(r"filterd\.conf:\d+:\d+: error: .*client\.pi.*\n"
                         r"    at mail .*\n +\^~+", told.stderr), told.stderr
        checked = subprocess.run(
            [pathlib.Path(program).parent / "filterctl", "check",
             filterd.config], capture_output=True, text=True, check=False)
        assert told.stderr == checked.stderr, (told.stderr, checked.stderr)
        assert filterd.children() == workers
        filterd.send("goes on")
        assert backend.subjects() == ["goes on"]


def reload_unplayable(program):
    """an address that cannot be had is told, exit 1"""
    with running(program) as (filterd, _), socket.create_server(
        ("127.0.0.1", 0)
    ) as taken:
        filterd.write(f"listen smtp 127.0.0.1:{taken.getsockname()[1]}\n")
        told = ctl(filterd, "reload")
        assert told.returncode == 1 and "in use" in told.stderr, told


def unreadable_words(program):
    """a file whose every statement is broken still leads to the daemon"""
    with running(program) as (filterd, _):
        state = filterd.directory / "state"
        filterd.config.write_text(
            f'nonsense {{ ]\nset state-directory "{state}"\nset workers many\n')
        told = ctl(filterd, "reload")
        assert told.returncode == 1 and "nonsense" in told.stderr, told


def reloads_coalesce(program):
    """many who ask at once share reloads, and each is told of one that began after"""
    with running(program) as (filterd, _):
        filterd.write("at mail { reject nope if not known auth.user }\n")
        clients = [connect(filterd) for _ in range(30)]
        for client in clients:
            client.sendall(b"reload\n")
        for client in clients:
            (line,) = rest(client).splitlines()
            assert json.loads(line)["result"] == "ok", line
            client.close()
        assert filterd.log().count("reload result=ok") <= 3
        assert first_words(filterd) == 550


def asks_while_it_runs(program):
    """who asks while a reload is under way is told of the next one"""
    with running(program) as (filterd, _):
        filterd.write("at mail { reject one }\n")
        first, check = begin_reload(filterd)
        filterd.write("at mail { reject two }\n")
        with first, connect(filterd) as second:
            second.sendall(b"reload\n")
            time.sleep(0.2)
            os.kill(check, signal.SIGCONT)
            before = outcome(first)["generation"]
            told = outcome(second)
        assert "reject one at mail: name one -> two" in told["changes"], told
        assert told["generation"] == before + 1


def waits_for_drains(program):
    """while two generations drain, who asks for a reload is told why it takes long"""
    with running(program) as (filterd, _):
        busy = []
        for generation in (2, 3):
            session = filterd.session()
            session.ehlo()
            session.mail("a@b.test")
            busy.append(session)
            assert ask(filterd, b"reload\n")[0]["generation"] == generation
        with connect(filterd) as client:
            client.sendall(b"reload\n")
            assert b"have not drained" in client.recv(1000)
            busy[0].close()
            assert json.loads(rest(client))["result"] == "ok"
        busy[1].close()


def deaf_worker(program):
    """a worker that does not hear that it drains is named, and holds a reload up for 5 s at most"""
    with running(program, workers=1) as (filterd, _):
        (deaf,) = filterd.children()
        os.kill(deaf, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            told = ctl(filterd, "reload")
            assert told.returncode == 0, told
            assert 4 < time.monotonic() - begin < 20
        finally:
            os.kill(deaf, signal.SIGCONT)
        said = filterd.log().index(f"{deaf} of generation 1 does not say")
        assert said < filterd.log().index("reload result=ok")


def dead_worker(program):
    """a worker that is killed while it is waited for holds nobody up"""
    with running(program, workers=1) as (filterd, _), connect(filterd) as client:
        (deaf,) = filterd.children()
        os.kill(deaf, signal.SIGSTOP)
        client.sendall(b"reload\n")
        wait_until(lambda: len(filterd.children()) == 2, "the new one is there")
        os.kill(deaf, signal.SIGKILL)
        assert json.loads(rest(client))["result"] == "ok"
        assert "does not say" not in filterd.log()


def garbage(program):
    """what is no word is refused in words, whatever its octets are"""
    with running(program) as (filterd, _):
        for octets in (b"relaod\n", b"\n", b"\0\n", b"reload" * 1000,
                       b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096) + b"\n"):
            (line,) = ask(filterd, octets)
            assert "word" in line["error"], (octets[:40], line)
        assert "reload" not in filterd.log()


def says_nothing(program):
    """who says nothing is gone after 5 s, and was in nobody's way"""
    with running(program) as (filterd, backend), connect(filterd) as silent:
        begin = time.monotonic()
        assert ask(filterd, b"reload\n")[-1]["result"] == "ok"
        filterd.send("meanwhile")
        assert rest(silent) == b""
        assert 4 < time.monotonic() - begin < 15
        assert backend.subjects() == ["meanwhile"]


def thousand_connects(program):
    """a thousand who connect and say nothing keep nobody from being heard"""
    with running(program) as (filterd, _):
        crowd = [connect(filterd) for _ in range(1000)]
        try:
            begin = time.monotonic()
            told = ctl(filterd, "reload")
            assert told.returncode == 0, told
            assert time.monotonic() - begin < 20
            master = f"/proc/{filterd.process.pid}/fd"
            assert len(os.listdir(master)) < 150
        finally:
            for client in crowd:
                client.close()


def comes_and_goes(program):
    """who asks for a reload and goes has it all the same"""
    with running(program) as (filterd, _):
        with connect(filterd) as client:
            client.sendall(b"reload\n")
        filterd.wait_log("reload result=ok")


def whose(program):
    """the socket is mode 0600, and belongs to whom workers run as"""
    with running(program) as (filterd, _):
        status = os.stat(socket_of(filterd))
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_uid == os.geteuid()


def as_user(program):
    """with `set user` that user may command, and so may root"""
    if os.geteuid() != 0:
        raise Skip("only root can")
    with running(program, "set user nobody\n") as (filterd, _):
        filterd.config.chmod(0o644)
        assert os.stat(socket_of(filterd)).st_uid == NOBODY
        assert ctl(filterd, "reload").returncode == 0
        assert ctl(filterd, "reload", user=NOBODY, group=NOBODY,
                   extra_groups=[]).returncode == 0


def with_few_capabilities(program):
    """root without CAP_DAC_OVERRIDE, as the unit has it, serves and commands"""
    if os.geteuid() != 0:
        raise Skip("only root can")
    few = ["setpriv", "--bounding-set",
           "-all,+chown,+setuid,+setgid,+dac_read_search,+kill", "--"]
    if subprocess.run(few + ["true"], check=False).returncode != 0:
        raise Skip("no setpriv")
    run_it = running(program, "set user nobody\n")
    filterd = run_it.filterd
    state = filterd.directory / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    state.chmod(0o750)
    log = open(filterd.log_path, "ab")
    filterd.process = subprocess.Popen(few + [program, "-c", filterd.config],
                                       stderr=log)
    try:
        filterd.wait_log(r"started[ \"]")
        told = subprocess.run(
            few + [pathlib.Path(program).parent / "filterctl", "reload", "-c",
                   filterd.config], capture_output=True, text=True, check=False)
        assert told.returncode == 0, (told, filterd.log())
        assert filterd.stop() == 0
        assert not socket_of(filterd).exists()
    finally:
        filterd.clean()


def stranger(program):
    """whoever is neither root nor filterd's user is refused, even where the mode lets him in"""
    if os.geteuid() != 0:
        raise Skip("only root can become another")
    with running(program) as (filterd, _):
        (filterd.directory / "state").chmod(0o755)
        filterd.config.chmod(0o644)
        told = ctl(filterd, "reload", user=NOBODY, group=NOBODY,
                   extra_groups=[])
        assert told.returncode == 2 and "ermission" in told.stderr, told
        socket_of(filterd).chmod(0o666)
        told = ctl(filterd, "reload", user=NOBODY, group=NOBODY,
                   extra_groups=[])
        assert told.returncode == 2 and "only root" in told.stderr, told
        assert "reload" not in filterd.log()


def two_masters(program):
    """a second filterd of the same state directory is refused in words, and disturbs nobody"""
    with running(program) as (filterd, backend):
        other = Filterd(program, backend)
        text = other.config.read_text()
        other.config.write_text(text.replace(str(other.directory),
                                             str(filterd.directory)))
        second = subprocess.run([program, "-c", other.config],
                                capture_output=True, text=True, timeout=60,
                                check=False)
        other.clean()
        assert second.returncode == 1, second
        assert "another filterd has the state directory" in second.stderr
        assert ask(filterd, b"reload\n")[-1]["result"] == "ok"


def stale(program):
    """the socket of a master that was killed is replaced"""
    run_it = running(program)
    filterd = run_it.filterd.start()
    try:
        filterd.process.kill()
        filterd.process.wait()
        assert socket_of(filterd).exists()
        told = ctl(filterd, "reload")
        assert told.returncode == 3 and "no filterd answers" in told.stderr
        filterd.log_path.unlink()
        filterd.start()
        assert ask(filterd, b"reload\n")[-1]["result"] == "ok"
        assert filterd.stop() == 0
    finally:
        filterd.clean()


def gone(program):
    """the socket is gone with filterd, which was told to end"""
    with running(program) as (filterd, _):
        assert socket_of(filterd).exists()
        assert filterd.stop() == 0
        assert not socket_of(filterd).exists()
        told = ctl(filterd, "reload")
        assert told.returncode == 3 and "no filterd answers" in told.stderr


def successor(program):
    """while one drains, another may have its state directory, and keeps the socket"""
    with running(program) as (filterd, backend):
        busy = filterd.session()
        busy.ehlo()
        busy.mail("a@b.test")
        filterd.signal(signal.SIGTERM)
        filterd.wait_log("draining")
        old = filterd.process
        filterd.log_path = filterd.directory / "second"
        filterd.start()
        assert busy.rcpt("u@example.com")[0] == 250
        assert busy.data(message("last"))[0] == 250
        assert old.wait(PATIENCE) == 0
        assert ask(filterd, b"reload\n")[-1]["result"] == "ok"


def ends_meanwhile(program):
    """who waits for a reload when filterd ends is told so"""
    with running(program) as (filterd, _):
        client, check = begin_reload(filterd)
        with client:
            filterd.signal(signal.SIGTERM)
            assert outcome(client) == {"error": "filterd ends"}


def moves(program):
    """a new state directory has the socket from then on"""
    with running(program) as (filterd, _):
        text = filterd.config.read_text()
        filterd.config.write_text(text.replace("/state\"", "/other\""))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        assert not socket_of(filterd).exists()
        assert ctl(filterd, "reload").returncode == 0
        assert (filterd.directory / "other" / "control").exists()


def long_path(program):
    """a state directory whose name is too long for a socket's address has one all the same"""
    with running(program) as (filterd, _):
        text = filterd.config.read_text()
        deep = filterd.directory / ("a" * 100) / ("b" * 100)
        filterd.config.write_text(
            text.replace(f"{filterd.directory}/state", str(deep)))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        assert (deep / "control").exists()
        assert ctl(filterd, "reload").returncode == 0


def unwritable(program):
    """where no socket can be made mail goes on, and the log says why there is none"""
    run_it = running(program)
    filterd, backend = run_it.filterd, run_it.backend
    (filterd.directory / "state").mkdir()
    (filterd.directory / "state" / "control").write_text("mine\n")
    with run_it:
        assert re.search(r"^\S+ control text=.*control.*in use", filterd.log(),
                         re.M), filterd.log()
        filterd.send("all the same")
        assert backend.subjects() == ["all the same"]
        assert socket_of(filterd).read_text() == "mine\n"


def status_of(filterd):
    """What `filterctl status --json` says, by its exit status."""
    told = ctl(filterd, "status", "--json")
    return told.returncode, json.loads(told.stdout)


def status_well(program):
    """status of a filterd that is well: exit 0, and what there is of it"""
    with running(program, "use spf as mine\nuse greylist { isolation process }\n",
                 workers=2) as (filterd, backend):
        filterd.send("counted")
        busy = filterd.session()
        busy.ehlo()
        wait_until(lambda: status_of(filterd)[1]["sessions"] == 1,
                   "the session is seen")
        code, said = status_of(filterd)
        assert (code, said["well"], said["problems"]) == (0, True, []), said
        assert said["pid"] == filterd.process.pid
        (serves,) = said["generations"]
        assert (serves["number"], serves["state"]) == (1, "serves")
        kinds = [one["kind"] for one in serves["processes"]]
        assert kinds == ["worker"] * 2 + ["plugin"] * 2, kinds
        assert [one["pid"] for one in serves["processes"][:2]] \
            == filterd.children()
        assert all(one["memory"] > 1000000 for one in serves["processes"])
        assert serves["plugins"] == [
            {"name": "mine", "plugin": "spf", "isolation": "none"},
            {"name": "greylist", "plugin": "greylist", "isolation": "process"},
        ], serves["plugins"]
        assert said["configuration"]["file"] == str(filterd.config)
        assert said["configuration"]["sha256"] == hashlib.sha256(
            filterd.config.read_bytes()).hexdigest()
        (one,) = said["backends"]
        assert one["up"] and one["address"] == f"127.0.0.1:{backend.port}"
        assert said["counts"]["accepted"] == 1, said["counts"]
        assert said["store"]["kind"] == "memory"
        assert said["dns"]["resolver"] == ["127.0.0.1@9"]
        told = ctl(filterd, "status")
        assert told.returncode == 0 and " is well\n" in told.stdout, told
        assert "greylist in processes of its own" in told.stdout
        assert "has changed" not in told.stdout
        filterd.config.write_text(filterd.config.read_text() + "\n")
        assert "has changed" in ctl(filterd, "status").stdout
        busy.close()


def status_drains(program):
    """status names generations that drain, with the sessions that they have left"""
    with running(program, workers=1) as (filterd, _):
        busy = filterd.session()
        busy.ehlo()
        busy.mail("a@b.test")
        assert ctl(filterd, "reload").returncode == 0
        wait_until(lambda: status_of(filterd)[1]["sessions"] == 1,
                   "the session is seen")
        code, said = status_of(filterd)
        assert code == 0, said
        new, old = said["generations"]
        assert (new["number"], new["state"], new["sessions"]) == (2, "serves", 0)
        assert (old["number"], old["state"], old["sessions"]) == (1, "drains", 1)
        assert 500 < old["seconds-left"] <= 600, old
        assert [one["kind"] for one in old["processes"]] == ["worker"], old
        busy.close()


def status_refused(program):
    """a configuration that was refused is a problem until one is taken"""
    with running(program) as (filterd, _):
        filterd.write("nonsense\n")
        assert ctl(filterd, "reload").returncode == 1
        code, said = status_of(filterd)
        assert code == 1 and not said["well"], said
        assert "was refused" in said["problems"][0], said
        told = ctl(filterd, "status")
        assert told.returncode == 1 and "is not well:\n" in told.stdout, told
        filterd.write()
        assert ctl(filterd, "reload").returncode == 0
        assert status_of(filterd)[0] == 0


def status_backend(program):
    """a backend that is down is a problem, with why"""
    with running(program) as (filterd, backend):
        shut(backend.listener)
        with filterd.session() as session:
            session.ehlo()
            session.mail("a@b.test")
            session.rcpt("u@example.com")
        code, said = status_of(filterd)
        assert code == 1, said
        (one,) = said["backends"]
        assert not one["up"] and "refused" in one["reason"], one
        assert any("is down" in problem for problem in said["problems"]), said


def status_worker(program):
    """a worker that hangs or is not there is a problem"""
    with running(program, workers=1) as (filterd, _):
        for _ in range(2):
            worker = wait_until(filterd.children, "a worker is there")[0]
            os.kill(worker, signal.SIGKILL)
            filterd.wait_log(rf"worker-lost pid={worker} ")
        code, said = status_of(filterd)
        assert code == 1 and "worker 1 is not there" in said["problems"], said
        wait_until(lambda: status_of(filterd)[0] == 0, "it is there again")
        (process,) = status_of(filterd)[1]["generations"][0]["processes"]
        assert process["lost"] == 2, process


def status_plugin(program):
    """processes of plugins that were lost are counted"""
    with running(program, "use spf { isolation process }\n", workers=1) as (
            filterd, _):
        (plugin,) = filterd.plugins()
        os.kill(plugin, signal.SIGKILL)
        filterd.wait_log("plugin-lost")
        wait_until(lambda: status_of(filterd)[0] == 0, "it is there again")
        _, said = status_of(filterd)
        lost = [one["lost"] for one in said["generations"][0]["processes"]]
        assert lost == [0, 1], said
        assert said["counts"]["plugin-processes-lost"] == 1, said


def status_store(program):
    """a store that does not work is a problem, as a worker says it"""
    with running(program, f"use greylist\n"
                 "at rcpt { tempfail later if greylist.state = new }\n") as (
            filterd, _):
        text = filterd.config.read_text()
        filterd.config.write_text(text.replace(
            "store memory", f"store redis 127.0.0.1:{free_port()}"))
        assert ctl(filterd, "reload").returncode == 0
        with filterd.session() as session:
            session.ehlo()
            session.mail("a@b.test")
            session.rcpt("u@example.com")
        wait_until(lambda: status_of(filterd)[0] == 1, "it is seen")
        _, said = status_of(filterd)
        assert any(problem.startswith("the store, says worker")
                   for problem in said["problems"]), said


def top_once(program):
    """top --batch shows what there was since the start: verdicts, rules, times"""
    with running(program, "use spf\nat mail { reject listed if mail.from = "
                 "\"bad@b.test\" or spf.result = fail\n"
                 "would reject watched }\n") as (filterd, _):
        for number in range(3):
            filterd.send(f"good {number}")
        with filterd.session() as session:
            session.ehlo()
            assert session.mail("bad@b.test")[0] == 550
        told = ctl(filterd, "top", "--batch")
        assert told.returncode == 0 and told.stderr == "", told
        assert "\x1b" not in told.stdout, told.stdout

        def row(name):
            (found,) = re.findall(rf"^{re.escape(name)} +(\S.*)$", told.stdout,
                                  re.M)
            return found.split()

        assert row("accepted")[1] == "3" and row("rejected")[1] == "1"
        assert row("mail     reject listed")[1] == "1", told.stdout
        assert row("mail     reject watched (would)")[1] == "3", told.stdout
        for name in ("end of data", "spf"):
            rate, median, most = row(name)
            assert float(rate) > 0, told.stdout
            assert median == "<1" or int(median) <= 12288, told.stdout
        assert ctl(filterd, "top", "-1").stdout.startswith("filterd ")


def top_live(program):
    """top goes on second by second, on a terminal it clears it, and ends with filterd"""
    with running(program) as (filterd, _):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
        tool = pathlib.Path(program).parent / "filterctl"
        top = subprocess.Popen([tool, "top", "-c", filterd.config],
                               stdout=slave, stderr=slave)
        os.close(slave)
        seen, end = b"", time.monotonic() + PATIENCE
        try:
            while seen.count(b"\x1b[H\x1b[2J") < 3:
                assert time.monotonic() < end, seen
                seen += os.read(master, 65536)
            filterd.stop()
            assert top.wait(PATIENCE) == 3
        finally:
            top.kill()
            top.wait()
            os.close(master)
        screens = seen.split(b"\x1b[H\x1b[2J")[1:]
        assert all(screen.startswith(b"filterd ") for screen in screens), seen
        assert all(screen.count(b"\n") < 30 for screen in screens), seen


def liar(program):
    """what a liar at the socket says is shown harmlessly, or refused"""
    for said, code in [
            (b"", 3), (b"nonsense\n", 2), (b"[1]\n", 1),
            (b'{"error":"\\u001b[2J"}\n', 2), (b'{"well":true}', 3),
            (b'{"well":true,"problems":[1,{}],"generations":[7],"backends":'
             b'[null],"dns":{"resolver":[1]},"version":"\\u001b[31m"}\n', 0),
            (b"x" * (17 << 20), 2)]:
        with Pretender(program, said) as filterd:
            told = ctl(filterd, "status")
            assert told.returncode == code, (said[:50], told)
            assert "\x1b" not in told.stdout + told.stderr, told


class Pretender:
    """Somebody else who listens at a control socket, and says that."""

    def __init__(self, program, said):
        self.said = said
        self.filterd = Filterd(program, Backend())
        path = socket_of(self.filterd)
        path.parent.mkdir()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self.filterd

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
                with client:
                    client.sendall(self.said)
                    client.shutdown(socket.SHUT_WR)
                    rest(client)
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def __exit__(self, *_):
        shut(self.listener)
        self.filterd.clean()


def shut(listener):
    """Also for whoever waits in accept()."""
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def one_at_a_time(program):
    """reloads by the socket under load lose no message"""
    with running(program) as (filterd, backend):
        sent, wrong, stop = [], [], threading.Event()

        def send():
            while not stop.is_set():
                subject = f"load-{len(sent)}"
                try:
                    filterd.send(subject)
                    sent.append(subject)
                except Exception as error:
                    if " 421" not in f" {error}" and "(421" not in f"{error}":
                        wrong.append(repr(error))

        thread = threading.Thread(target=send)
        thread.start()
        try:
            for _ in range(5):
                assert ask(filterd, b"reload\n")[-1]["result"] == "ok"
        finally:
            stop.set()
            thread.join(60)
        assert not wrong, wrong[:5]
        assert sent and set(sent) <= set(backend.subjects())


run(
    [
        reload_ok,
        reload_warns,
        reload_refused,
        reload_unplayable,
        unreadable_words,
        reloads_coalesce,
        asks_while_it_runs,
        waits_for_drains,
        deaf_worker,
        dead_worker,
        garbage,
        says_nothing,
        thousand_connects,
        comes_and_goes,
        whose,
        as_user,
        with_few_capabilities,
        stranger,
        two_masters,
        stale,
        gone,
        successor,
        ends_meanwhile,
        moves,
        long_path,
        unwritable,
        status_well,
        status_drains,
        status_refused,
        status_backend,
        status_worker,
        status_plugin,
        status_store,
        top_once,
        top_live,
        liar,
        one_at_a_time,
    ]
)
