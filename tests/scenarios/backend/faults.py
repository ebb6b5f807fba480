# faults.py: whatever happens to the backend, wherever: 4xx, and no mail is lost
# or made up.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import signal

from lab.failure import check, equal
from lab.program import wait_until
from lab.sink import BARE

MESSAGE = b"From: alice@example.org\r\nSubject: fault\r\n\r\nhello\r\n"
TIMEOUTS = ("connect-timeout 500ms command-timeout 500ms data-timeout 500ms")
OVERSIZED = "550 " + "x" * 5000

STEPS = ("banner", "ehlo", "xclient", "mail", "rcpt", "data", "message")
# What is no reply, or none that may stand there.
FAULTS = {
    "die": "killed",
    "close": "closing the connection",
    "hang": "silent",
    "endless": "sending without end",
    "421 4.3.2 going down": "going down",
    "garbage": "talking nonsense",
    "999 what": "answering 999",
    OVERSIZED: "sending a reply of 5000 octets",
}
# A reply that a step cannot have.
WRONG = {"banner": "554 5.3.2 no", "ehlo": "454 4.3.2 no",
         "xclient": "550 5.7.0 no", "mail": "354 go on", "rcpt": "354 go on",
         "data": "250 2.0.0 what", "message": "354 go on"}


def attempt(filterd, faulty, fault):
    """One message through the fault; the last reply."""
    reply = filterd.deliver(MESSAGE)
    check(400 <= reply.code < 500, f"{faulty}, {fault}: {reply}")
    equal(reply.enhanced, "4.3.0", f"{faulty}, {fault}: enhanced code")


def ready(stage, sink):
    return stage.filterd(backend=sink, to_backend=TIMEOUTS)


def again(sink, filterd, died=False, silent=False):
    """The backend is well again: so is the way to it, at once but for one that
    was silent."""
    sink.fault(None, None)
    if died:
        sink.wait()
        sink.start()
    if silent:
        wait_until(lambda: filterd.deliver(MESSAGE).code == 250,
                   "the backend is up again")
        return
    reply = filterd.deliver(MESSAGE)
    equal(reply.code, 250, f"the reply after the fault: {reply}")


def through(stage, fault):
    sink = stage.sink()
    filterd = ready(stage, sink)
    for kept, step in enumerate(STEPS, 1):
        before = len(sink.delivered())
        sink.fault(step, fault)
        attempt(filterd, step, FAULTS.get(fault, fault))
        equal(len(sink.delivered()), before, f"{step}: messages kept")
        again(sink, filterd, died=fault == "die", silent=fault == "hang")
        equal(len(sink.delivered()), kept, f"after {step}: messages kept")


def define(fault, sentence):
    def story(stage):
        through(stage, fault)
    story.__doc__ = f"a backend {sentence} at any step is 451 4.3.0, and a " \
                    "later try succeeds"
    story.__name__ = "story_" + sentence.replace(" ", "_")
    return story


for _fault, _sentence in FAULTS.items():
    globals()["story_" + _sentence.replace(" ", "_")] = define(_fault,
                                                               _sentence)


def story_wrong(stage):
    """a reply that its step cannot have is 451 4.3.0 at each step"""
    sink = stage.sink()
    filterd = ready(stage, sink)
    for step, reply in WRONG.items():
        sink.fault(step, reply)
        attempt(filterd, step, reply)
        again(sink, filterd)


def story_dies_in_body(stage):
    """a backend killed in the middle of the message leaves no half of it"""
    sink = stage.sink()
    filterd = ready(stage, sink)
    sink.fault("body", "die")
    attempt(filterd, "body", "killed")
    again(sink, filterd, died=True)
    equal([kept.body for kept in sink.delivered()], [b"hello\r\n"],
          "messages kept")


def story_late(stage):
    """a backend that keeps the message and dies before its 250 may get it twice, never none"""
    sink = stage.sink()
    filterd = ready(stage, sink)
    sink.fault("message", "late-close")
    attempt(filterd, "message", "closed after keeping it")
    again(sink, filterd)
    equal(len(sink.delivered()), 2, "messages kept (RFC 1047)")


def finish(client, step):
    """The rest of the dialogue; where it can be said again it may succeed."""
    if step == "data":
        client.send(MESSAGE + b".\r\n")
        return client.reply()
    reply = client.say("RCPT TO:<carol@example.com>")
    return client.data(MESSAGE) if reply.code == 250 else reply


def story_postfix_killed(stage):
    """Postfix killed at each step costs the client a 4xx at most, and the mail gets there"""
    postfix = stage.postfix()
    filterd = ready(stage, postfix)
    for count, step in enumerate(("mail", "rcpt", "data"), 1):
        with filterd.connect() as client:
            client.envelope("alice@example.org")
            if step != "mail":
                client.say("RCPT TO:<bob@example.com>")
            if step == "data":
                equal(client.say("DATA").code, 354, "DATA")
            for pid in postfix.sessions():
                os.kill(pid, signal.SIGKILL)
            reply = finish(client, step)
        check(reply.code == 250 or reply.code // 100 == 4, f"{step}: {reply}")
        # Postfix takes a second before it starts another.
        wait_until(lambda: filterd.deliver(MESSAGE).code == 250,
                   "Postfix serves again")
        check(len(postfix.delivered(count)) >= count, "messages delivered")


def story_down(stage):
    """filterd starts and greets while its backend is down: 451 4.3.0, and later all is well"""
    sink = stage.sink()
    sink.kill()
    filterd = ready(stage, sink)
    for _ in range(2):
        with filterd.connect() as client:
            reply = client.envelope("alice@example.org", "bob@example.com")
        equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
    filterd.wait_line("backend")
    sink.start()
    equal(filterd.deliver(MESSAGE).code, 250, "the retry")
    equal(len(sink.delivered()), 1, "messages kept")


def story_nothing_of_refused(stage):
    """clients that are refused before RCPT passes cost the backend no word"""
    sink = stage.sink()
    filterd = stage.filterd(
        'at rcpt { reject no if client.ip = 198.51.100.9 }', sink)
    for _ in range(5):
        reply = filterd.deliver(MESSAGE)
        equal(reply.code, 550, str(reply))
    check(not sink.heard("MAIL") and not sink.heard("XCLIENT"),
          "\n".join(sink.transcript()))
    check(sink.connections() <= 1, f"{sink.connections()} connections")


def story_reuse(stage):
    """twenty messages of twenty clients go over one connection to the backend"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    for number in range(20):
        reply = filterd.deliver(MESSAGE, client=f"198.51.100.{number + 1}")
        equal(reply.code, 250, str(reply))
    equal(sink.connections(), 1, "connections to the backend")
    equal([kept.xclient["ADDR"] for kept in sink.delivered()],
          [f"198.51.100.{number + 1}" for number in range(20)],
          "the clients that it was told of")


def story_closed_idle(stage):
    """a kept connection that the backend has closed is not noticed by the client"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    equal(filterd.deliver(MESSAGE).code, 250, "the first")
    sink.kill()
    sink.start()
    equal(filterd.deliver(MESSAGE).code, 250, "after the backend's restart")
    equal(len(sink.delivered()), 2, "messages kept")


def story_failure_class(_stage):
    """the sink notices what is not canonical"""
    for octets in (b"a\nb", b"a\rb", b"a\0b", b"\n"):
        check(BARE.search(octets), repr(octets))
    check(not BARE.search(b"a\r\nb\r\n"), "CR LF is canonical")
