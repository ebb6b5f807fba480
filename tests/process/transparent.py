"""`source client` in network namespaces of the test's own: filterd in one, its
backend in the other, which sees the client's address."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from daemon import PATIENCE, free_port, run, wait_until

HERE = pathlib.Path(__file__).resolve()
INSIDE = "FILTERD_TEST_NAMESPACE"
# What the backend does: each connection's peer is a line of its output.
SINK = """
import socketserver
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        print(self.client_address[0], flush=True)
        say = lambda text: self.wfile.write(text + b"\\r\\n")
        say(b"220 sink")
        data = False
        for line in self.rfile:
            if data:
                data = line != b".\\r\\n"
                if not data:
                    say(b"250 2.0.0 taken")
            elif line[:4].upper() == b"QUIT":
                return
            else:
                data = line[:4].upper() == b"DATA"
                say(b"354 go on" if data else b"250 2.0.0 fine")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    address_family = %s
server = Server((%r, 25), Session)
print("listens", flush=True)
server.serve_forever()
"""


def sh(line):
    subprocess.run(line, shell=True, check=True)


def in_namespace(pid, line):
    sh(f"nsenter -t {pid} -n {line}")


class Net:
    """The backend's namespace, and the way there."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sleep", "300"], stdin=subprocess.DEVNULL
        )
        wait_until(self._apart, "there is a namespace")
        pid = self.holder.pid
        sh("ip link set lo up")
        sh("ip link add gate type veth peer name mail")
        sh(f"ip link set mail netns {pid}")
        sh("ip link set gate up")
        sh("ip addr add 10.77.0.1/24 dev gate")
        sh("ip -6 addr add fd77::1/64 dev gate nodad")
        in_namespace(pid, "ip link set lo up")
        in_namespace(pid, "ip link set mail up")
        in_namespace(pid, "ip addr add 10.77.0.2/24 dev mail")
        in_namespace(pid, "ip -6 addr add fd77::2/64 dev mail nodad")
        in_namespace(pid, "ip route add default via 10.77.0.1")
        in_namespace(pid, "ip -6 route add default via fd77::1")
        for family in ("", "-6"):
            sh(f"ip {family} rule add iif gate lookup 100")
            sh(f"ip {family} route add local default dev lo table 100")

    def _apart(self):
        own = os.readlink("/proc/self/ns/net")
        return os.readlink(f"/proc/{self.holder.pid}/ns/net") != own

    def sink(self, address):
        family = "10" if ":" in address else "2"
        sink = subprocess.Popen(
            ["nsenter", "-t", str(self.holder.pid), "-n", sys.executable,
             "-c", SINK % (family, address)],
            stdout=subprocess.PIPE, text=True)
        assert sink.stdout.readline() == "listens\n"
        return sink

    def close(self):
        self.holder.kill()
        self.holder.wait()


NET = None


class Gate:
    """filterd in front of a sink, told by PROXY who its clients are."""

    def __init__(self, program, backend, options, settings=""):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="filterd-net-"))
        self.directory.chmod(0o755)
        self.port = free_port()
        self.sink = NET.sink(backend.strip("[]"))
        config = self.directory / "filterd.conf"
        config.write_text(
            f"{settings}set hostname mx.example.com\nset workers 1\n"
            f'set state-directory "{self.directory}/state"\nstore memory\n'
            f"listen smtp 127.0.0.1:{self.port} {{ proxy-from 127.0.0.1 }}\n"
            f"backend smtp {backend}:25 {{ {options} connect-timeout 3s }}\n"
        )
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "-c", config], stderr=self.log, stdout=self.log)
        wait_until(self._serves, "filterd serves")

    def text(self):
        return (self.directory / "log").read_text(encoding="utf-8")

    def _serves(self):
        assert self.process.poll() is None, self.text()
        return "started version" in self.text()

    def deliver(self, client):
        """The reply to RCPT, or to the message where that is taken."""
        local = "::1" if ":" in client else "127.0.0.1"
        family = "TCP6" if ":" in client else "TCP4"
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as c:
            stream = c.makefile("rwb")

            def say(line):
                stream.write(line.encode() + b"\r\n")
                stream.flush()
                while (reply := stream.readline())[3:4] == b"-":
                    pass
                return reply.decode()

            say(f"PROXY {family} {client} {local} 4444 25")
            for line in ("EHLO c.test", "MAIL FROM:<a@c.test>",
                         "RCPT TO:<b@mx.test>"):
                reply = say(line)
            if not reply.startswith("2"):
                return reply
            say("DATA")
            return say("Subject: x\r\n\r\nx\r\n.")

    def peers(self):
        """Whom the backend has seen so far."""
        self.sink.terminate()
        self.sink.wait()
        return self.sink.stdout.read().split()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.sink.kill()
        self.sink.wait()
        self.log.close()
        shutil.rmtree(self.directory)


def told(program, backend, options, clients, settings=""):
    gate = Gate(program, backend, options, settings)
    try:
        replies = [gate.deliver(client) for client in clients]
        return replies, gate.peers(), gate.text()
    finally:
        gate.close()


def client_v4(program):
    """the backend sees the address of each client, and an own one asks first"""
    clients = ["198.51.100.9", "198.51.100.9", "203.0.113.7"]
    replies, peers, text = told(program, "10.77.0.2", "source client", clients)
    assert all(reply.startswith("250 2.0.0 taken") for reply in replies), (
        replies, text)
    assert peers == ["10.77.0.1"] + clients, peers


def client_v6(program):
    """the same over IPv6"""
    replies, peers, text = told(
        program, "[fd77::2]", "source client", ["2001:db8::9"])
    assert replies[0].startswith("250"), (replies, text)
    assert peers[-1] == "2001:db8::9", peers


def unprivileged(program):
    """workers that became another user keep what it takes, and nothing else"""
    settings = "set user nobody\n"
    gate = Gate(program, "10.77.0.2", "source client", settings)
    try:
        reply = gate.deliver("198.51.100.9")
        assert reply.startswith("250"), (reply, gate.text())
        children = pathlib.Path(
            f"/proc/{gate.process.pid}/task/{gate.process.pid}/children")
        for pid in children.read_text(encoding="ascii").split():
            status = pathlib.Path(f"/proc/{pid}/status").read_text("ascii")
            caps = dict(line.split(":\t") for line in status.splitlines()
                        if line.startswith("Cap"))
            assert int(caps["CapPrm"], 16) == 1 << 12, caps
            assert int(caps["CapInh"], 16) == 0, caps
        assert gate.peers()[-1] == "198.51.100.9"
    finally:
        gate.close()


def other_family(program):
    """a client of another family than the backend's is 451, and told of nobody"""
    replies, peers, text = told(
        program, "10.77.0.2", "source client", ["2001:db8::9"])
    assert replies[0].startswith("451 4.3.0"), replies
    assert "another family" in text, text
    assert set(peers) <= {"10.77.0.1"}, peers


def one_address(program):
    """source ADDRESS is one of our own"""
    sh("ip addr add 10.77.0.9/24 dev gate")
    replies, peers, text = told(
        program, "10.77.0.2", "source 10.77.0.9", ["198.51.100.9"])
    assert replies[0].startswith("250"), (replies, text)
    assert set(peers) == {"10.77.0.9"}, peers


def missing(program):
    """without CAP_NET_ADMIN filterd does not start, and says why"""
    config = pathlib.Path(tempfile.mkdtemp(prefix="filterd-net-")) / "f.conf"
    config.write_text(
        f'set user nobody\nset state-directory "{config.parent}"\nstore memory\n'
        f"listen smtp 127.0.0.1:{free_port()}\n"
        "backend smtp 10.77.0.2:25 { source client }\n")
    done = subprocess.run(
        ["capsh", "--drop=cap_net_admin", "--", "-c",
         f"exec {program} -c {config}"],
        capture_output=True, text=True, timeout=PATIENCE, check=False)
    shutil.rmtree(config.parent)
    assert done.returncode == 1, done
    assert "5:29: error: `source client` needs CAP_NET_ADMIN" in done.stderr, (
        done.stderr)


TESTS = [client_v4, client_v6, unprivileged, other_family, one_address]
if shutil.which("capsh"):
    TESTS.append(missing)


def can_make_namespaces():
    return (os.geteuid() == 0 and shutil.which("ip")
            and subprocess.run(["unshare", "-n", "ip", "link", "add", "gate",
                                "type", "veth", "peer", "name", "mail"],
                               stderr=subprocess.DEVNULL,
                               check=False).returncode == 0)


def main():
    global NET
    if INSIDE not in os.environ:
        if not can_make_namespaces():
            print("1..0 # SKIP only root makes network namespaces")
            return
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])
    NET = Net()
    try:
        run(TESTS)
    finally:
        NET.close()


main()
