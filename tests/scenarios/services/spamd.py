# spamd.py: a real spamd and a real rspamd, side by side, that die and come
# back.
#
# SPDX-License-Identifier: BSD-2-Clause
from lab.failure import check, equal
from lab.program import wait_until
from lab.spamscan import SPAM, Rspamd, Spamd

HAM = b"From: alice@example.org\r\nSubject: x\r\n\r\nhello\r\n"
POLICY = """
use spamd {{ server {spamd} timeout 20s }}
use spamd as rspamd {{ protocol rspamd server {rspamd} timeout 20s }}
at message {{
    reject spam if spamd.score >= 5 and spamd.spam and rspamd.score = 7
           and rspamd.action = add-header and "FILTERD_SPAM" in rspamd.symbols
           reply 554 5.7.1 "{{spamd.points}} {{spamd.symbols}}, {{rspamd.points}} {{rspamd.symbols}}"
    tempfail unjudged if not known spamd.score or not known rspamd.score
             reply 451 4.7.1 "{{spamd.problem}}, {{rspamd.problem}}"
    rewrite add-header("X-Points", "{{spamd.points}} {{rspamd.points}} {{rspamd.action}}")
}}
"""


def start(stage):
    spamd = stage.add(Spamd(stage.directory))
    rspamd = stage.add(Rspamd(stage.directory))
    return spamd, rspamd, stage.filterd(
        POLICY.format(spamd=spamd.address, rspamd=rspamd.address),
        stage.sink(), stage.nsd())


def story_judge(stage):
    """both see the message, its client and its envelope"""
    filterd = start(stage)[2]
    equal(filterd.deliver(HAM).code, 250, "ham")
    check(b"X-Points: 0.50 0.25 no-action" in
          filterd.backend.delivered()[0].octets, "points of ham")
    reply = filterd.deliver(HAM + SPAM + b"\r\n")
    equal(reply.code, 554, "spam")
    check("8.00 FILTERD_FROM,FILTERD_SPAM,FILTERD_TRACE, "
          "7.75 FILTERD_SPAM,FILTERD_TRACE" in reply.text.replace(", F", ",F"),
          reply.text)
    large = HAM + (b"x" * 70 + b"\r\n") * 6000
    equal(filterd.deliver(large).code, 250, "several pieces")
    reply = filterd.deliver(large + large)
    equal(reply.code, 451, "over max-size")
    check("more than max-size" in reply.text, reply.text)


def story_dies(stage):
    """one that dies leaves its facts unknown, until it is back"""
    spamd, rspamd, filterd = start(stage)
    for part in (spamd, rspamd):
        part.kill()
        reply = filterd.deliver(HAM)
        equal(reply.code, 451, f"without {part.name}")
        # Its children may hold the socket a little longer.
        check(part.address in reply.text, reply.text)
        part.start()
        wait_until(lambda: filterd.deliver(HAM).code == 250, "it is back")
    equal(len(filterd.lines("plugin")), 4, "two went, two came back")
