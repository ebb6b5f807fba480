# backends.py: Postfix as a backend that speaks TLS.
#
# SPDX-License-Identifier: BSD-2-Clause
import os

from lab.authority import Authority
from lab.failure import check, equal
from lab.postfix import Postfix
from lab.program import HOST

MESSAGE = b"From: alice@example.org\r\nSubject: tls\r\n\r\nhello\r\n"
MAIN = """
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {key} {chain}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
"""
MASTER = "tlsmgr unix - - n 1000? 1 tlsmgr\n"


def prepare(stage, *hosts):
    """Postfix that takes mail over TLS only, and who signed its certificate."""
    authority = Authority(stage.directory)
    chain, key = authority.issue("inner", *hosts)
    postfix = Postfix(stage.directory)
    for name, text in (("main.cf", MAIN.format(key=key, chain=chain)),
                       ("master.cf", MASTER)):
        with open(os.path.join(postfix.directory, name), "a",
                  encoding="utf-8") as file:
            file.write(text)
    return stage.add(postfix), authority


def story_verified(stage):
    """tls verified: the client's name and the message reach Postfix over TLS"""
    postfix, authority = prepare(stage, HOST, "inner.example.com")
    filterd = stage.filterd(
        backend=postfix, to_backend=f'tls verified ca "{authority.file}"')
    for _ in range(2):
        equal(filterd.deliver(MESSAGE).code, 250, "the message")
    equal(len(postfix.delivered(2)), 2, "messages delivered")
    log = postfix.log_text()
    check("TLS connection established from" in log and "TLSv1.3" in log, log)
    check("client=unknown[198.51.100.9]" in log, log)


def story_by_name(stage):
    """tls verified: a name of our own choice, not the address"""
    postfix, authority = prepare(stage, "inner.example.com")
    filterd = stage.filterd(backend=postfix, to_backend=(
        f'tls verified ca "{authority.file}" name inner.example.com'))
    equal(filterd.deliver(MESSAGE).code, 250, "the message")


def story_wrong_host(stage):
    """tls verified: another host's certificate is a backend fault, 451, and says why"""
    postfix, authority = prepare(stage, "outer.example.com")
    filterd = stage.filterd(
        backend=postfix, to_backend=f'tls verified ca "{authority.file}"')
    reply = filterd.deliver(MESSAGE)
    equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
    check(any("mismatch" in line["text"]
              for line in filterd.wait_line("backend")), filterd.text())


def story_stranger(stage):
    """tls verified: a certificate of an authority that nobody knows is none"""
    postfix, _ = prepare(stage, HOST)
    filterd = stage.filterd(backend=postfix, to_backend="tls verified")
    equal(filterd.deliver(MESSAGE).code, 451, "the message")
    equal(postfix.delivered(), [], "messages delivered")


def story_required(stage):
    """tls required: any certificate will do, but not clear text"""
    postfix, _ = prepare(stage, "outer.example.com")
    filterd = stage.filterd(backend=postfix, to_backend="tls required")
    equal(filterd.deliver(MESSAGE).code, 250, "the message")


def story_off(stage):
    """tls off: a backend that wants TLS says so, and the client hears it"""
    postfix, _ = prepare(stage, HOST)
    filterd = stage.filterd(backend=postfix, identity="none")
    equal(filterd.deliver(MESSAGE).code, 530, "the backend's reply")


def story_plain_backend(stage):
    """tls required: a backend without TLS is a fault, 451; opportunistic takes it"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink, to_backend="tls required")
    equal(filterd.deliver(MESSAGE).code, 451, "required")
    filterd.options["to_backend"] = "tls opportunistic"
    filterd.configure("")
    filterd.reload()
    filterd.wait_line("reload", result="ok")
    equal(filterd.deliver(MESSAGE).code, 250, "opportunistic")
