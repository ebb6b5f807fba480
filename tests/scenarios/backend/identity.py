# identity.py: Postfix behind is told who the client is, and says so in its log.
#
# SPDX-License-Identifier: BSD-2-Clause
from lab.failure import check, equal
from lab.program import wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: identity\r\n\r\nhello\r\n"


def wait_logged(postfix, text):
    wait_until(lambda: text in postfix.log_text(),
               f"Postfix logs {text!r}")


def two_messages(filterd, client):
    """In one session."""
    with filterd.connect(client) as connection:
        for reply in (connection.envelope("alice@example.org",
                                          "bob@example.com"),
                      connection.data(MESSAGE),
                      connection.say("MAIL FROM:<alice@example.org>"),
                      connection.say("RCPT TO:<carol@example.com>"),
                      connection.data(MESSAGE)):
            check(reply.code < 400, str(reply))


def refused_relay(filterd, client):
    with filterd.connect(client) as connection:
        reply = connection.envelope("alice@example.org",
                                    "someone@elsewhere.example")
        equal(reply.code, 554, str(reply))


def tell_by_proxy(stage, identity, **options):
    postfix = stage.postfix()
    filterd = stage.filterd(backend=postfix.behind_proxy(), identity=identity,
                            **options)
    two_messages(filterd, "198.51.100.9")
    equal(filterd.deliver(MESSAGE, client="2001:db8::9").code, 250, "IPv6")
    refused_relay(filterd, "203.0.113.7")
    postfix.delivered(3)
    for text in (": client=unknown[198.51.100.9]",
                 ": client=unknown[2001:db8::9]",
                 "RCPT from unknown[203.0.113.7]: 554"):
        wait_logged(postfix, text)
    check("client=unknown[127.0.0.1]" not in postfix.log_text(),
          "mail came from nobody but clients")
    equal(filterd.lines("backend"), [], "faults")


def story_proxy_v1(stage):
    """PROXY v1 tells Postfix each client's own address, and Postfix refuses for itself"""
    tell_by_proxy(stage, "proxy-v1")


def story_proxy_v2(stage):
    """PROXY v2 tells Postfix each client's own address, and Postfix refuses for itself"""
    tell_by_proxy(stage, "proxy-v2")


def story_proxy_missing(stage):
    """a Postfix that takes no PROXY header is a fault, and nothing is delivered"""
    postfix = stage.postfix()
    filterd = stage.filterd(backend=postfix, identity="proxy-v1")
    with filterd.connect() as connection:
        reply = connection.envelope("alice@example.org", "bob@example.com")
        equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
    filterd.wait_line("backend")
    equal(postfix.delivered(), [], "messages")


def story_xforward(stage):
    """XFORWARD tells Postfix whose message it is, for each on a connection used again"""
    postfix = stage.postfix()
    filterd = stage.filterd(backend=postfix, identity="xforward")
    two_messages(filterd, "198.51.100.9")
    equal(filterd.deliver(MESSAGE, client="2001:db8::9").code, 250, "IPv6")
    postfix.delivered(3)
    wait_logged(postfix, "orig_client=unknown[2001:db8::9]")
    text = postfix.log_text()
    equal(text.count("orig_client=unknown[198.51.100.9]"), 2, text)
    equal(text.count(": connect from"), 1, "connections")
    equal(filterd.lines("backend"), [], "faults")


def story_xclient_in(stage):
    """a trusted peer tells by XCLIENT whose mail follows, and Postfix behind hears it"""
    postfix = stage.postfix()
    filterd = stage.filterd(backend=postfix, identity="xclient",
                            listen="xclient-from 192.0.2.1")
    with filterd.connect("192.0.2.1") as connection:
        equal(connection.reply().code, 220, "greeting")
        reply = connection.say("XCLIENT ADDR=198.51.100.9 "
                               "NAME=mail.example.org")
        equal(reply.code, 220, str(reply))
        for line in ("EHLO mail.example.org", "MAIL FROM:<a@example.org>",
                     "RCPT TO:<bob@example.com>"):
            equal(connection.say(line).code, 250, line)
        equal(connection.data(MESSAGE).code, 250, "the message")
    postfix.delivered(1)
    wait_logged(postfix, ": client=mail.example.org[198.51.100.9]")
    with filterd.connect("192.0.2.2") as connection:
        connection.reply()
        reply = connection.say("XCLIENT ADDR=198.51.100.9")
        equal((reply.code, reply.enhanced), (550, "5.7.0"), str(reply))
