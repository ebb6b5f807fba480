# clients.py: clients that speak TLS: Python's, openssl s_client, swaks.
#
# SPDX-License-Identifier: BSD-2-Clause
import hashlib
import os
import pwd
import shutil
import ssl
import subprocess
import time

from lab.authority import Authority
from lab.failure import Missing, check, equal
from lab.program import HOST, find, free_port, wait_until
from lab.smtp import SmtpClient

MESSAGE = b"From: alice@example.org\r\nSubject: tls\r\n\r\nhello\r\n"
# Octets that an idle connection may cost.
IDLE = 60000


class Listener:
    """A second `listen`, without PROXY, whose clients speak TLS."""

    def __init__(self, stage, mode="opportunistic", more=""):
        self.authority = Authority(stage.directory)
        self.port = free_port()
        self.chain, self.key = self.authority.issue("mx", "mx.example.com")
        self.mode = mode
        self.more = more

    def text(self):
        return (f"listen smtp {HOST}:{self.port} {{ tls {self.mode} "
                f'certificate "{self.chain}" key "{self.key}" {self.more} }}\n')

    def context(self, *pair):
        context = ssl.create_default_context(cafile=self.authority.file)
        if pair:
            context.load_cert_chain(*pair)
        return context

    def connect(self, host="mx.example.com", context=None, **options):
        """Up to the handshake."""
        client = SmtpClient(HOST, self.port, **options)
        if self.mode != "implicit":
            client.reply()
            client.say("EHLO mail.example.org")
            equal(client.say("STARTTLS").code, 220, client.story())
        client.socket = (context or self.context()).wrap_socket(
            client.socket, server_hostname=host)
        return client


def fingerprint(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def shown(client):
    octets = client.socket.getpeercert(binary_form=True)
    return hashlib.sha256(octets).hexdigest()


def deliver(client):
    """On a connection whose handshake is done."""
    for command in ("EHLO mail.example.org", "MAIL FROM:<alice@example.org>",
                    "RCPT TO:<bob@example.com>"):
        equal(client.say(command).code, 250, client.story())
    return client.data(MESSAGE)


def story_message(stage):
    """a message over STARTTLS is delivered, and Received tells version and cipher"""
    listener, sink = Listener(stage), stage.sink()
    stage.filterd(listener.text(), sink)
    with listener.connect() as client:
        cipher = client.socket.cipher()[0]
        equal(deliver(client).code, 250, client.story())
    kept = sink.delivered()[0]
    for text in (b"with ESMTPS id", b"(using TLSv1.3 with cipher "
                 + cipher.encode() + b")"):
        check(text in kept.octets, f"{text} is not in {kept.octets}")


def story_implicit(stage):
    """a message over TLS from the first octet on"""
    listener, sink = Listener(stage, "implicit"), stage.sink()
    stage.filterd(listener.text(), sink)
    with listener.connect() as client:
        equal(client.reply().code, 220, client.story())
        equal(deliver(client).code, 250, client.story())
    equal(len(sink.delivered()), 1, "messages kept")


def story_old_version(stage):
    """TLS 1.2 is spoken, TLS 1.1 is not"""
    listener = Listener(stage)
    stage.filterd(listener.text(), stage.sink())
    context = listener.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with listener.connect(context=context) as client:
        equal(client.socket.version(), "TLSv1.2", "version")
        equal(deliver(client).code, 250, client.story())
    run = s_client(listener, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    check(run.returncode != 0, run.stdout)


def s_client(listener, *words, say=b"QUIT\n"):
    return subprocess.run(
        [find("openssl"), "s_client", "-starttls", "smtp", "-connect",
         f"{HOST}:{listener.port}", "-CAfile", listener.authority.file,
         "-crlf", "-ign_eof", *words],
        input=say, capture_output=True, timeout=30, check=False)


def story_s_client(stage):
    """openssl s_client trusts the chain, and may not renegotiate"""
    listener = Listener(stage)
    stage.filterd(listener.text(), stage.sink())
    run = s_client(listener, "-verify_return_error", "-verify_hostname",
                   "mx.example.com")
    check(b"Verify return code: 0 (ok)" in run.stdout
          and b"221 2.0.0" in run.stdout, run.stdout.decode())
    run = subprocess.run(
        [find("openssl"), "s_client", "-starttls", "smtp", "-connect",
         f"{HOST}:{listener.port}", "-tls1_2"],
        input=b"R\n", capture_output=True, timeout=30, check=False)
    check(b"no renegotiation" in run.stderr, run.stderr.decode())


def story_session(stage):
    """a session is taken up again by its listener, by no other"""
    listener = Listener(stage)
    other = free_port()
    stage.filterd(listener.text() + listener.text().replace(
        f":{listener.port} ", f":{other} "), stage.sink())
    context = listener.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session, taken = None, []
    for port in (listener.port, listener.port, other):
        client = SmtpClient(HOST, port)
        client.reply()
        client.say("STARTTLS")
        client.socket = context.wrap_socket(
            client.socket, server_hostname="mx.example.com", session=session)
        taken.append(client.socket.session_reused)
        session = client.socket.session
        equal(deliver(client).code, 250, client.story())
        client.close()
    equal(taken, [False, True, False], "taken up again")


def story_new_keys(stage):
    """new keys in the midst of a session"""
    listener = Listener(stage)
    stage.filterd(listener.text(), stage.sink())
    with subprocess.Popen(
            [find("openssl"), "s_client", "-starttls", "smtp", "-connect",
             f"{HOST}:{listener.port}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        for line in [b"K\n", b"k\n"] * 20 + [b"NOOP\r\n"]:
            client.stdin.write(line)
            client.stdin.flush()
            time.sleep(0.005)
        while line := client.stdout.readline():
            if line.startswith(b"250 2.0.0 ok"):
                break
        client.kill()
    check(line, "a reply to NOOP")


def story_by_name(stage):
    """certificates go by the name that the client asks for; the first for others"""
    listener = Listener(stage)
    other = listener.authority.issue("other", "mail.example.net",
                                     "*.example.net")
    listener.more = f'certificate "{other[0]}" key "{other[1]}"'
    stage.filterd(listener.text(), stage.sink())
    context = listener.context()
    context.check_hostname = False
    for host, chain in (("mx.example.com", listener.chain),
                        ("mail.example.net", other[0]),
                        ("any.example.net", other[0]),
                        ("elsewhere.example", listener.chain),
                        (None, listener.chain)):
        with listener.connect(host, context) as client:
            equal(shown(client), fingerprint(chain), f"asked for {host}")


def story_client_certificate(stage):
    """a client's certificate is a fact, verified or not; none is none"""
    listener = Listener(stage)
    stranger = Authority(stage.directory, "stranger")
    friend = listener.authority.issue("friend", "friend.example.org")
    foreign = stranger.issue("foreign", "foreign.example.org")
    listener.more = ("client-certificates on client-ca "
                     f'"{listener.authority.file}"')
    filterd = stage.filterd(listener.text() + """
        at mail { reject told if known client.tls.certificate
                  reply 550 5.7.1 "{client.tls.subject} {client.tls.verified} {client.tls.certificate}"
                  reject none reply 550 5.7.1 "{client.tls.certificate} {client.tls.verified}" }
        """, stage.sink())
    for pair, said in ((friend, f"CN=friend yes {fingerprint(friend[0])}"),
                       (foreign, f"CN=foreign no {fingerprint(foreign[0])}"),
                       ((), "- no")):
        with listener.connect(context=listener.context(*pair)) as client:
            client.say("EHLO mail.example.org")
            reply = client.say("MAIL FROM:<alice@example.org>")
            check(said in str(reply), f"{said} is not in {reply}")
    equal(len(filterd.lines("tls")), 0, "failed handshakes")


def story_swaks(stage):
    """swaks delivers where TLS is required, and is told so where it does not speak it"""
    listener, sink = Listener(stage, "required"), stage.sink()
    stage.filterd(listener.text(), sink)
    words = [find("swaks"), "--server", f"{HOST}:{listener.port}", "--from",
             "alice@example.org", "--to", "bob@example.com", "--helo",
             "mail.example.org"]
    run = subprocess.run(words + ["--tls"], capture_output=True, text=True,
                         timeout=60, check=False)
    equal(run.returncode, 0, run.stdout)
    run = subprocess.run(words, capture_output=True, text=True, timeout=60,
                         check=False)
    check("530 5.7.0" in run.stdout, run.stdout)
    equal(len(sink.delivered()), 1, "messages kept")


def story_reload(stage):
    """a reload shows the new certificate, and cuts off nobody"""
    listener, sink = Listener(stage), stage.sink()
    filterd = stage.filterd(listener.text(), sink)
    with listener.connect() as client:
        equal(shown(client), fingerprint(listener.chain), "the old one")
        client.say("EHLO mail.example.org")
        client.say("MAIL FROM:<alice@example.org>")
        listener.authority.issue("mx", "mx.example.com")
        filterd.reload()
        filterd.wait_line("reload", result="ok")
        with listener.connect() as second:
            equal(shown(second), fingerprint(listener.chain), "the new one")
            equal(deliver(second).code, 250, second.story())
        equal(client.say("RCPT TO:<bob@example.com>").code, 250,
              client.story())
        equal(client.data(MESSAGE).code, 250, client.story())
        reply = client.reply()
        equal((reply.code, reply.enhanced), (421, "4.3.2"), str(reply))
    equal(len(sink.delivered()), 2, "messages kept")


def story_wrong_key(stage):
    """a key of another certificate is refused where it stands; a reload keeps what there was"""
    listener = Listener(stage)
    good = listener.key
    other = listener.authority.issue("other", "mx.example.com")
    filterd = stage.filterd_at_rest(listener.text(), stage.sink())
    listener.key = other[1]
    filterd.configure(listener.text())
    text = filterd.check_refused()
    check("is not the certificate's key" in text and other[1] in text, text)
    check(" key " in text and "^~~" in text and "PRIVATE" not in text, text)
    listener.key = good
    filterd.configure(listener.text())
    stage.add(filterd)
    shutil.copy(other[1], good)
    filterd.reload()
    filterd.wait_line("reload", result="refused")
    with listener.connect() as client:
        equal(deliver(client).code, 250, client.story())


def story_expired(stage):
    """a certificate that has expired is warned of, and shown"""
    listener = Listener(stage)
    listener.authority.issue("mx", "mx.example.com", days=-1)
    filterd = stage.filterd(listener.text(), stage.sink())
    check("warning: clients will not like" in filterd.text()
          and "it expired on 2" in filterd.text(), filterd.text())
    check(b"certificate has expired" in s_client(listener).stdout, "s_client")


def story_private_key(stage):
    """workers without privileges serve with a key that only root can read"""
    if os.geteuid() != 0:
        raise Missing("only root can drop privileges")
    listener = Listener(stage)
    os.chmod(listener.key, 0o600)
    user = pwd.getpwnam("nobody").pw_name
    os.chmod(stage.theatre.directory, 0o755)
    filterd = stage.filterd_at_rest(listener.text() + f"set user {user}\n",
                                    stage.sink())
    shutil.rmtree(filterd.state)
    stage.add(filterd)
    with open(f"/proc/{filterd.workers()[0]}/status", encoding="ascii") as file:
        check(f"Uid:\t{pwd.getpwnam(user).pw_uid}\t" in file.read(), "user")
    with listener.connect() as client:
        equal(deliver(client).code, 250, client.story())


def story_idle(stage):
    """an idle connection under TLS costs little"""
    listener = Listener(stage)
    filterd = stage.filterd(listener.text(), stage.sink())
    context, clients = listener.context(), []
    for _ in range(20):
        clients.append(listener.connect(context=context))
    before = filterd.memory()
    for _ in range(200):
        clients.append(listener.connect(context=context))
        clients[-1].say("EHLO mail.example.org")
    each = (filterd.memory() - before) // 200
    print(f"# {each} octets each")
    for client in clients:
        client.close()
    if not sanitized(filterd):
        check(each <= IDLE, f"{each} octets each")


def sanitized(filterd):
    with open(filterd.argv[0], "rb") as file:
        return b"__asan_init" in file.read()
