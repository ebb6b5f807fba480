"""What filterd says and does when it starts, well or badly."""

# SPDX-License-Identifier: BSD-2-Clause

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from daemon import (
    Backend,
    Filterd,
    Skip,
    free_port,
    run,
    running,
    sound,
    wait_until,
)


def refused(program, text, *arguments):
    """The exit status and what was said, of a configuration of that text."""
    filterd = Filterd(program, Backend())
    try:
        filterd.config.write_text(text.replace("STATE", str(filterd.directory)))
        result = subprocess.run(
            arguments or [program, "-c", str(filterd.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=60,
            text=True,
        )
        return result.returncode, result.stderr, str(filterd.config)
    finally:
        filterd.clean()


BASE = (
    'set state-directory "STATE/state"\n'
    "store memory\n"
    "set workers 1\n"
    "list ours of domain { example.com }\n"
    "at rcpt { reject relay if rcpt.domain not in ours }\n"
)


def mail_passes(program):
    """mail passes to the backend, and its reply to the client"""
    with running(program) as (filterd, backend):
        filterd.send("hello")
        assert backend.subjects() == ["hello"], backend.subjects()
        assert b"Received: " in backend.messages[0]
        assert 'reply="250 2.0.0 taken"' in filterd.log()


def relay_refused(program):
    """a rule of the policy decides"""
    with running(program) as (filterd, backend):
        with filterd.session() as session:
            session.ehlo()
            session.mail("sender@example.org")
            code, text = session.rcpt("user@elsewhere.test")
        assert code == 550, (code, text)
        assert "rule=relay" in filterd.log()


def plugins_load(program):
    """plugins are loaded by the check and by the workers"""
    with running(program, "use spf\nuse dkim\nuse dmarc\nuse greylist\n") as (
        filterd,
        backend,
    ):
        filterd.send("with plugins")
        assert backend.subjects() == ["with plugins"]
        assert b"Authentication-Results: " in backend.messages[0]


def version_and_help(program):
    """--version and --help say what they should, on standard output"""
    out = subprocess.run([program, "--version"], capture_output=True, text=True)
    assert out.returncode == 0 and re.match(r"filterd \d+\.\d+", out.stdout)
    out = subprocess.run([program, "--help"], capture_output=True, text=True)
    assert out.returncode == 0 and "--config=FILE" in out.stdout


def no_file(program):
    """a file that is not there is named"""
    status, said, _ = refused(program, "", program, "-c", "/nonexistent/f.conf")
    assert status == 1
    assert "/nonexistent/f.conf" in said and "No such file" in said, said


def broken_file(program):
    """a broken configuration is shown with its line and a caret"""
    status, said, path = refused(
        program, BASE + "listen smtp 127.0.0.1:0\nat rcpt { reject x if }\n"
    )
    assert status == 1
    assert f"{path}:7:" in said and "^" in said, said


def broken_plugin_option(program):
    """what only a plugin's table can know is found, too"""
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + "use greylist { delai 5m }\n",
    )
    assert status == 1
    assert f"{path}:8:" in said and "`delay`" in said, said


def missing_plugin(program):
    """a plugin that is not there is named, with its place"""
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + "use nosuchthing\n",
    )
    assert status == 1
    assert f"{path}:8:5: error" in said and "nosuchthing" in said, said


def taken_port(program):
    """a taken port is named with the place of its listen"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said, path = refused(
            program,
            BASE + f"backend smtp 127.0.0.1:1\nlisten smtp 127.0.0.1:{port}\n",
        )
    assert status == 1
    assert f"{path}:7:1: error" in said, said
    assert f"127.0.0.1:{port}" in said and "in use" in said, said


def nothing_to_do(program):
    """a file without listen or backend says what is missing"""
    status, said, _ = refused(program, BASE)
    assert status == 1
    assert "`listen smtp`" in said and "`backend`" in said, said


NOT_YET = [
    ("listen policy 127.0.0.1:0 { proxy-from 127.0.0.1 }\n", "proxy-from"),
    ("listen policy 127.0.0.1:0 { xclient-from ::1 }\n", "xclient-from"),
    ("listen http 127.0.0.1:0 { xforward-from ::1 }\n", "xforward-from"),
    (
        "listen http 127.0.0.1:0 { tls required\n"
        'certificate "/etc/passwd" key "/etc/passwd" }\n',
        "tls",
    ),
]


def not_yet(program):
    """what this version cannot do is refused where it stands, never ignored"""
    rest = "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
    for text, word in NOT_YET:
        status, said, path = refused(program, BASE + rest + text)
        assert status == 1, text
        source = [line for line in text.split("\n") if word in line][0]
        line = 8 + text[: text.index(source)].count("\n")
        column = source.index(word) + 1
        assert f"{path}:{line}:{column}: error" in said, (text, said)
        assert "^" + "~" * (len(word) - 1) in said, (text, said)


def redis_by_name(program):
    """a store that is no address is refused where it stands"""
    text = BASE.replace("store memory", "store redis localhost:6379")
    status, said, path = refused(
        program, text + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
    )
    assert status == 1 and f"{path}:2:13: error" in said, said


def twins(program):
    """an address that is listened on twice is refused"""
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:2\nbackend smtp 127.0.0.1:1\n"
        + "listen smtp 127.0.0.1:2\n",
    )
    assert status == 1 and f"{path}:8:1: error" in said, said


def lmtp_port(program):
    """LMTP is refused on the port of SMTP"""
    status, said, path = refused(
        program,
        BASE + "listen lmtp 127.0.0.1:25\nbackend lmtp 127.0.0.1:1\n",
    )
    assert status == 1 and f"{path}:6:1: error" in said, said
    assert "port 25" in said, said


def plugin_file(program):
    """a missing list file is named where it stands"""
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + 'list more of ip from "nowhere"\n',
    )
    assert status == 1 and f"{path}:8:" in said and "nowhere" in said, said


def no_such_user(program):
    """a user who is not there is named where it stands"""
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + "set user nobody-of-that-name\n",
    )
    assert status == 1 and f"{path}:8:5: error" in said, said
    checked, told, other = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + "set user nobody-of-that-name\nset wrokers 1\n",
    )
    assert checked == 1 and f"{other}:9:5: error" in told, told
    assert "nobody-of-that-name" not in told, told


def open_block(program):
    """a block that is not closed is told where it opens, with all other errors"""
    status, said, path = refused(
        program,
        BASE
        + "set wrokers 1\nlisten smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + "at rcpt {\n    reject x if rcpt.domian = \"a\"\n",
    )
    assert status == 1, said
    for place in ["6:5: error: ", "10:17: error: "]:
        assert f"{path}:{place}" in said, said
    assert "the block opened in line 9 is not closed" in said, said


@contextlib.contextmanager
def within_reach(program, plugin):
    """A copy as if in a build tree: the real one may lie in a home that others
    cannot enter."""
    with tempfile.TemporaryDirectory(prefix="filterd-tree-") as name:
        tree = pathlib.Path(name)
        built = pathlib.Path(program).resolve().parents[1]
        (tree / "filterd").mkdir()
        (tree / "plugins").mkdir()
        (tree / "build.ninja").touch()
        shutil.copy(program, tree / "filterd" / "filterd")
        shutil.copy(
            built / "plugins" / plugin / f"{plugin}.so",
            tree / "plugins" / f"{plugin}.so",
        )
        tree.chmod(0o755)
        yield str(tree / "filterd" / "filterd")


def becomes_nobody(program):
    """set user: workers, observer and state belong to that user, for good"""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    port = free_port()
    extra = (
        f"set user nobody\nlisten http 127.0.0.1:{port}\nuse greylist\n"
        "set quarantine spool\n"
    )
    with within_reach(program, "greylist") as copy, running(copy, extra) as (
        filterd,
        backend,
    ):
        filterd.send("as nobody")
        assert backend.subjects() == ["as nobody"]
        children = filterd.children("filterd-")
        assert len(children) == 3, children
        for child in children:
            status = open(f"/proc/{child}/status").read()
            assert re.search(r"^Uid:\t65534\t65534\t65534\t65534$", status, re.M)
            assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
            assert re.search(r"^CapEff:\t0+$", status, re.M)
        state = os.stat(filterd.directory / "state")
        assert state.st_uid == 65534
        kept = os.stat(filterd.directory / "state" / "quarantine")
        assert (kept.st_uid, kept.st_mode & 0o7777) == (65534, 0o700)
        assert "runs as root" not in filterd.log()


def root_warns(program):
    """root without set user is warned, once"""
    if os.geteuid() != 0:
        raise Skip("only root is warned")
    with running(program) as (filterd, _):
        assert filterd.log().count("runs as root") == 1


@contextlib.contextmanager
def with_descriptors(program, soft, hard):
    """The same program with fewer of them."""
    with tempfile.TemporaryDirectory(prefix="filterd-few-") as name:
        wrapper = pathlib.Path(name) / "filterd"
        wrapper.write_text(
            "#!/bin/sh\n"
            f"ulimit -Sn {soft}\nulimit -Hn {hard}\n"
            f'exec "{program}" "$@"\n'
        )
        wrapper.chmod(0o755)
        yield str(wrapper)


def few_descriptors(program):
    """the limit of open files is raised; more sessions than that are warned of"""
    with with_descriptors(program, 100, 512) as wrapper:
        with running(wrapper, "set max-sessions 897\n") as (filterd, _):
            for child in filterd.children("filterd-worker"):
                limits = open(f"/proc/{child}/limits").read()
                assert re.search(r"^Max open files +512 +512 ", limits, re.M)
            said = filterd.log()
            assert said.count(" limits ") == 1, said
            assert "max-sessions is 897" in said and "for 896;" in said, said
        with running(wrapper, "set max-sessions 896\n") as (filterd, _):
            assert " limits " not in filterd.log()


def observer(program):
    """/metrics and /healthz are served"""
    port = free_port()
    with running(program, f"listen http 127.0.0.1:{port}\n") as (filterd, _):
        filterd.send("counted")
        base = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(base + "/healthz") as answer:
            assert answer.status == 200 and answer.read() == b"ok\n"
        with urllib.request.urlopen(base + "/metrics") as answer:
            text = answer.read().decode()
        assert "\nfilterd_accepted_total 1\n" in text, text
        try:
            urllib.request.urlopen(base + "/etc/passwd")
            raise AssertionError("served what is not there")
        except urllib.error.HTTPError as error:
            assert error.code == 404


def rule_counter(page, stage, rule, verdict, mode):
    found = re.search(
        f'^filterd_rule_total{{stage="{stage}",rule="{rule}",'
        f'verdict="{verdict}",mode="{mode}"}} (\\d+)$',
        page,
        re.M,
    )
    return found and int(found.group(1))


def rules_counted(program):
    """each rule is counted, over workers and reloads"""
    port = free_port()
    policy = (
        f"listen http 127.0.0.1:{port}\n"
        "at mail { canary 0.001% reject few\n would reject shadow\n"
        " until 2001-01-31 reject old }\n"
    )

    def page():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.read().decode()

    def count(*labels):
        return rule_counter(page(), *labels)

    with running(program, policy) as (filterd, _):
        assert count("rcpt", "relay", "reject", "applied") == 0
        for _ in range(3):
            filterd.send("passes")
        assert count("mail", "few", "reject", "canary-out") == 3
        assert count("mail", "few", "reject", "applied") == 0
        assert count("mail", "shadow", "reject", "would") == 3
        assert count("mail", "shadow", "reject", "applied") is None
        assert count("mail", "old", "reject", "expired") == 3
        assert "\nfilterd_end_of_data_seconds_count 3\n" in page()
        log = filterd.log()
        assert log.count("rule=few stage=mail mode=canary-out") == 3, log
        assert "rule=old" not in log, log
        filterd.write(policy.replace("would reject shadow", "would reject new"))
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")

        def is_new():
            try:
                return count("mail", "new", "reject", "would") == 0
            except ConnectionError:
                return False  # the observer before it took the connection along

        wait_until(is_new, "the new rule")
        filterd.send("after")
        assert count("mail", "few", "reject", "canary-out") == 4
        assert count("mail", "new", "reject", "would") == 1


def notifies(program):
    """the service manager is told READY and STOPPING"""
    filterd = Filterd(program, Backend())
    path = str(filterd.directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(30)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            filterd.start()
            lines = manager.recv(4096).decode().split("\n")
            assert "READY=1" in lines, lines
            assert f"MAINPID={filterd.process.pid}" in lines, lines
            filterd.signal(signal.SIGHUP)
            assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096).startswith(b"READY=1")
            assert filterd.stop() == 0
            assert manager.recv(4096) == b"STOPPING=1"
            sound(filterd)
        finally:
            del os.environ["NOTIFY_SOCKET"]
            filterd.clean()


def inherits(program):
    """a socket that systemd opened is served"""
    filterd = Filterd(program, Backend())
    with socket.create_server(("127.0.0.1", filterd.port)) as given:

        def become():
            os.dup2(given.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ["LISTEN_FDS"] = "1"
            os.environ["LISTEN_PID"] = str(os.getpid())

        log = open(filterd.log_path, "ab")
        filterd.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "{program}" -c "{filterd.config}"'],
            stderr=log,
            preexec_fn=become,
            close_fds=False,
        )
        try:
            filterd.wait_log(" started ")
            filterd.send("inherited")
            assert filterd.backend.subjects() == ["inherited"]
            assert filterd.stop() == 0
            sound(filterd)
        finally:
            filterd.clean()


def socket_access(program):
    """mode, owner and group of a unix socket hold, and follow a reload"""
    if os.geteuid() != 0:
        raise Skip("only root can give a socket away")
    with running(program) as (filterd, _):
        path = filterd.directory / "socket"

        def listen(options):
            filterd.write(f'listen lmtp "unix:{path}" {{ {options} }}\n')
            filterd.signal(signal.SIGHUP)
            filterd.wait_log("reload result=ok", count=listen.reloads)
            listen.reloads += 1
            found = path.stat()
            return found.st_mode & 0o777, found.st_uid, found.st_gid

        listen.reloads = 1
        assert listen("mode 0600") == (0o600, 0, 0)
        found = listen("mode 666 owner nobody group nogroup")
        assert found == (0o666, 65534, 65534), found
    status, said, path = refused(
        program,
        BASE
        + "listen smtp 127.0.0.1:0\nbackend smtp 127.0.0.1:1\n"
        + 'listen lmtp "unix:STATE/socket" { owner no-such-name }\n',
    )
    assert status == 1 and f"{path}:8:" in said and "no-such-name" in said, said


def policy_alone(program):
    """a policy service needs no backend; it is asked over IPv6, too"""
    if not socket.has_ipv6:
        raise Skip("this machine has no IPv6")
    filterd = Filterd(program, Backend())
    port = free_port()
    request = (
        "request=smtpd_access_policy\nprotocol_state=RCPT\n"
        "client_address=192.0.2.1\nrecipient=a@elsewhere.test\n\n"
    )
    try:
        filterd.config.write_text(
            BASE.replace("STATE", str(filterd.directory))
            + f"listen policy [::1]:{port}\n"
        )
        filterd.start()
        with socket.create_connection(("::1", port), 30) as client:
            client.sendall(request.encode())
            answer = client.recv(4096).decode()
        assert answer.startswith("action=550 5.7.1 "), answer
        assert answer.endswith("]\n\n"), answer
        assert filterd.stop() == 0
        sound(filterd)
    finally:
        filterd.clean()


def json_log(program):
    """set log json makes every line of every process an object"""
    import json

    with running(program, "set log json\n") as (filterd, _):
        filterd.send("json")
        filterd.wait_log('"event":"accepted"')
        lines = [l for l in filterd.log().split("\n") if l.startswith("{")]
        events = [json.loads(line)["event"] for line in lines]
        assert "started" in events and "accepted" in events, events


def idle_memory(program):
    """master and two workers cost less than 40 MB when idle"""
    with running(program, "use spf\nuse dkim\nuse dmarc\nuse greylist\n") as (
        filterd,
        _,
    ):
        filterd.send("warm")
        total = 0
        for pid in [filterd.process.pid] + filterd.children("filterd-"):
            rollup = open(f"/proc/{pid}/smaps_rollup").read()
            pss = int(re.search(r"^Pss: +(\d+)", rollup, re.M).group(1))
            print(f"# {pid}: {pss} KB")
            total += pss
        print(f"# PSS of all processes: {total} KB", flush=True)
        maps = open(f"/proc/{filterd.process.pid}/maps").read()
        if "asan" in maps and total >= 40 * 1024:
            raise Skip("a sanitizer needs more")
        assert total < 40 * 1024, total


run(
    [
        mail_passes,
        relay_refused,
        plugins_load,
        version_and_help,
        no_file,
        broken_file,
        broken_plugin_option,
        missing_plugin,
        taken_port,
        nothing_to_do,
        not_yet,
        redis_by_name,
        twins,
        lmtp_port,
        plugin_file,
        no_such_user,
        open_block,
        becomes_nobody,
        root_warns,
        few_descriptors,
        observer,
        rules_counted,
        notifies,
        inherits,
        socket_access,
        policy_alone,
        json_log,
        idle_memory,
    ]
)
