# lookup.py: recipients that a real Postfix is asked about.
#
# SPDX-License-Identifier: BSD-2-Clause
import threading

from lab.failure import check, equal
from lab.program import HOST, wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: x\r\n\r\nhello\r\n"
POLICY = """
use lookup {{ server {server} timeout 10s connections 2 {more} }}
at rcpt {{
    reject unknown if lookup.result = missing
           reply 550 5.1.1 "{{lookup.reply}}, remembered: {{lookup.cached}}"
    tempfail unsaid if not known lookup.result
           reply 451 4.7.1 "{{lookup.problem}}"
    tempfail all if lookup.result = catch-all
           reply 451 4.7.1 "it takes all, remembered: {{lookup.cached}}"
}}
"""


def gateway(stage, server, more="", **options):
    """In front of a sink, which takes everybody."""
    return stage.filterd(POLICY.format(server=server, more=more), stage.sink(),
                         **options)


def answer(filterd, recipient):
    with filterd.connect() as client:
        return client.envelope("alice@example.org", recipient)


def story_postfix(stage):
    """Postfix knows who exists, is asked once, and delivers nothing"""
    postfix = stage.postfix()
    filterd = gateway(stage, f"{HOST}:{postfix.port}", "probe off")
    for remembered in ("no", "yes"):
        reply = answer(filterd, "nobody@example.com")
        equal(reply.code, 550, "who does not exist")
        check(f"remembered: {remembered}" in reply.text, reply.text)
        check("unknown" in reply.text.lower(), reply.text)
        equal(answer(filterd, "bob@example.com").code, 250, "who does")
    reply = answer(filterd, "bob@other.example")
    equal(reply.code, 451, "what it does not relay")
    check("5.7.1" in reply.text, reply.text)
    equal(postfix.delivered(), [], "mail of ours")


def story_catch_all(stage):
    """a server that takes every recipient is found out, once a domain"""
    inner = stage.sink()
    filterd = gateway(stage, f"{HOST}:{inner.port}")
    reply = answer(filterd, "bob@example.com")
    check("takes all, remembered: no" in reply.text, reply.text)
    reply = answer(filterd, "carol@example.com")
    check("takes all, remembered: yes" in reply.text, reply.text)


def story_crowd(stage):
    """many who ask about one recipient at once are one question"""
    inner = stage.sink()
    filterd = gateway(stage, f"{HOST}:{inner.port}", "probe off")
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(
        answer(filterd, "bob@example.com").code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(codes, [250] * 12, "all are told")
    asked = len(inner.heard("MAIL"))
    equal(asked, 1, "conversations")


def story_dead(stage):
    """a server that is dead says nothing about anybody, until it is back"""
    inner = stage.sink()
    filterd = gateway(stage, f"{HOST}:{inner.port}", "probe off")
    inner.kill()
    reply = answer(filterd, "bob@example.com")
    equal(reply.code, 451, "put off")
    check("refused" in reply.text, reply.text)
    inner.start()
    wait_until(lambda: answer(filterd, "bob@example.com").code == 250,
               "it is asked again", 40)
    equal(len(filterd.wait_line("plugin", plugin="lookup")), 2,
          "the log tells it twice")
