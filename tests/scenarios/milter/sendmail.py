# sendmail.py: Sendmail keeps port 25 and asks: what only it does, or in its own
# way.
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import os
import signal
import ssl

from lab.authority import Authority
from lab.failure import check, equal
from lab.program import HOST, wait_until
from lab.sendmail import (CLIENT, CLIENT_NAME, HOME, HOSTNAME, PASSWORD,
                          STRANGER, USER)
from lab.smtp import SmtpClient

MESSAGE = b"From: alice@example.org\r\nSubject: hello\r\n\r\nhello\r\n"
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


def start(stage, policy, authority=None, **options):
    sendmail = stage.sendmail(authority)
    filterd = stage.filterd(
        policy, sendmail,
        more=f"listen milter {HOST}:{sendmail.milter_port}", **options)
    return sendmail, filterd


def said(sendmail, recipient="bob@example.com", **options):
    """The last reply to one message."""
    with sendmail.connect(**options) as client:
        reply = client.envelope("alice@example.org", recipient)
        return client.data(MESSAGE) if reply.code == 250 else reply


def story_connect(stage):
    """who is refused at connect gets no further, and names are confirmed ones"""
    sendmail, filterd = start(stage, f"""
        at connect {{ reject unwanted if client.ip = {STRANGER}
                     reply 554 5.7.1 "not you" }}""")
    with sendmail.connect(STRANGER) as client:
        equal(client.reply().code, 554, "the greeting")
    filterd.wait_line("rejected", rule="unwanted", client=STRANGER)
    equal(said(sendmail).code, 250, "the code of another")
    filterd.wait_line("accepted", client=CLIENT, name=CLIENT_NAME)


TOLD = """at rcpt { reject told reply "{auth.user}, {client.tls.version},
{client.tls.verified}, {client.name}, {mta.name}, {mta.daemon}, {mta.queue-id},
{client.sessions}" }""".replace("\n", " ")


def story_facts(stage):
    """TLS, user, name, daemon and queue are what Sendmail says of them"""
    authority = Authority(stage.directory)
    sendmail, filterd = start(stage, TOLD, authority)
    sendmail.open_to_users()
    with sendmail.connect() as client:
        client.reply()
        client.say("EHLO mail.example.org")
        equal(client.say("STARTTLS").code, 220, client.story())
        client.socket = ssl.create_default_context(
            cafile=authority.file).wrap_socket(
                client.socket, server_hostname="inner.example.com")
        client.say("EHLO mail.example.org")
        equal(client.say("AUTH PLAIN " + PLAIN).code, 235, client.story())
        client.say("MAIL FROM:<a@example.org>")
        reply = client.say("RCPT TO:<b@example.com>")
    queue = filterd.wait_line("rejected")[0]["queue"]
    check(f"{USER}, TLSv1.3, no, {CLIENT_NAME}, inner.example.com, MTA, "
          f"{queue}, 1 [" in reply.text.replace(f"@{HOSTNAME}", ""), str(reply))


def story_ipv6(stage):
    """a client of IPv6 has its address"""
    sendmail, filterd = start(stage, TOLD)
    with SmtpClient("::1", sendmail.port6) as client:
        reply = client.envelope("a@example.org", "b@example.com")
    check("-, -, no, localhost, inner.example.com, MTA6" in reply.text,
          str(reply))
    filterd.wait_line("rejected", client="::1")


def story_unix(stage):
    """a Unix socket serves as well"""
    sendmail = stage.sendmail(milter="INPUT_MAIL_FILTER(`filterd', "
                              f"`S=unix:{HOME}/socket, F=T')dnl")
    filterd = stage.filterd(
        'at message { rewrite add-header("X-New", "one") }', sendmail,
        more=f'listen milter "unix:{sendmail.path("socket")}"')
    equal(said(sendmail).code, 250, "the code")
    equal(sendmail.delivered(1)[0].named("X-New"), ["one"], "X-New")
    filterd.wait_line("accepted", client=CLIENT)


def story_program(stage):
    """what comes from the machine itself, without SMTP, is not asked about"""
    sendmail, filterd = start(stage, "at connect { reject all }")
    sendmail.run("-f", "root@example.org", "bob@example.com",
                 input="From: root@example.org\n\nhello\n")
    equal(len(sendmail.delivered(1)), 1, "messages delivered")
    equal(filterd.lines("rejected"), [], "what was asked")


def story_hold(stage):
    """the queue tells which rule holds a message"""
    sendmail, _ = start(stage, "at message { quarantine doubtful }")
    equal(said(sendmail).code, 250, "the code")
    listed = sendmail.run("-bp", "-qQ")
    check("QUARANTINE: doubtful" in listed, listed)


def story_dead(stage):
    """without filterd nothing is taken, and nothing is lost"""
    sendmail, filterd = start(stage, "at message { reject all }")
    filterd.stop()
    equal(said(sendmail).code, 451, "the code")
    equal(sendmail.delivered(), [], "what was delivered")


def story_killed(stage):
    """a worker that is killed under a message costs a 451"""
    sendmail, filterd = start(stage, "at message { accept all }")
    with sendmail.connect() as client:
        client.envelope("alice@example.org", "bob@example.com")
        worker, = filterd.workers()
        os.kill(worker, signal.SIGKILL)
        equal(client.data(MESSAGE).code, 451, "the code")
    wait_until(lambda: filterd.workers() not in ([], [worker]),
               "there is another worker")
    wait_until(lambda: said(sendmail).code == 250, "mail goes on")
    equal(len(sendmail.delivered(1)), 1, "messages delivered")


def story_reload(stage):
    """a session outlives a reload, and the next one has the new rules"""
    policy = "at rcpt { reject %s if rcpt.local = \"bob\" }"
    sendmail, filterd = start(stage, policy % "first")
    with sendmail.connect() as client:
        client.envelope("alice@example.org")
        filterd.configure(policy % "second")
        filterd.reload()
        filterd.wait_line("reload", result="ok")
        reply = client.say("RCPT TO:<bob@example.com>")
        filterd.wait_line("rejected", rule="first", session=reply.session)
        reply = said(sendmail)
        filterd.wait_line("rejected", rule="second", session=reply.session)
