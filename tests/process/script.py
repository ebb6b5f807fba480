"""Scripts in the real daemon: what they find out, how they are reloaded, what
becomes of mail when they fail."""

# SPDX-License-Identifier: BSD-2-Clause

import re
import signal
import threading

from daemon import message, run, running

USE = """
use lua as mine {{ script "{directory}/mine.lua" }}
at mail {{ reject bad if mine.bad reply 550 5.7.1 "{{mine.word}}" }}
at message {{ reject body if mine.body reply 550 5.7.1 "in the body" }}
"""

SCRIPT = """
need "mail.from"
fact { name = "bad", type = "bool", stage = "mail", doc = "Of a test." }
fact { name = "word", type = "text", stage = "mail", doc = "Of a test." }
fact { name = "body", type = "bool", stage = "message", doc = "Of a test." }
function mail()
    publish("word", "WORD")
    publish("bad", lookup "mail.from" == "bad@b.test")
end
function body(chunk)
    message.text = ((message.text or "") .. chunk):sub(-1000)
end
function eom()
    BEFORE
    publish("body", message.text:find("WORD", 1, true) ~= nil)
end
"""


def write_script(filterd, word, before=""):
    text = SCRIPT.replace("WORD", word).replace("BEFORE", before)
    (filterd.directory / "mine.lua").write_text(text)


def started(program, before="", workers=2):
    """A filterd whose script is there before it starts."""
    context = running(program, workers=workers)
    filterd = context.filterd
    write_script(filterd, "first", before)
    filterd.write(USE.format(directory=filterd.directory))
    return context


def refused(filterd, sender="bad@b.test"):
    with filterd.session() as session:
        session.ehlo()
        code, text = session.mail(sender)
        assert code == 550, (code, text)
        return text.decode()


def a_script_judges(program):
    """a script finds out of envelope and body what rules ask for"""
    with started(program) as (filterd, backend):
        assert "first" in refused(filterd)
        filterd.send("fine")
        with filterd.session() as session:
            session.ehlo()
            session.mail("a@b.test")
            session.rcpt("u@example.com")
            code, text = session.data(message("x") + "the first of all\r\n")
            assert code == 550 and b"in the body" in text, (code, text)
        assert backend.subjects() == ["fine"]


def a_reload_takes_the_new_script(program):
    """a reload takes the script that is there; a session keeps the one it has"""
    with started(program) as (filterd, backend):
        busy = filterd.session()
        busy.ehlo()
        assert busy.mail("a@b.test")[0] == 250
        write_script(filterd, "second")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok generation=2")
        assert "second" in refused(filterd)
        assert busy.rcpt("u@example.com")[0] == 250
        code, text = busy.data(message("x") + "the first of all\r\n")
        assert code == 550 and b"in the body" in text, (code, text)


def a_broken_script_changes_nothing(program):
    """a broken script is refused with its line and its place in the file"""
    with started(program) as (filterd, _):
        script = filterd.directory / "mine.lua"
        script.write_text('fact { name = "bad", type = "boolean" }\n')
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(r"configuration .*filterd.conf:11:")
        assert re.search(r"mine.lua:1: no type `boolean`", filterd.log())
        script.write_text("while true do end")
        filterd.signal(signal.SIGHUP)
        filterd.wait_log(r"configuration .*works too long")
        assert "first" in refused(filterd)


def a_hook_that_fails(program):
    """a hook that fails leaves its facts unknown, and the mail goes on"""
    with started(program, 'error "broken"') as (filterd, backend):
        filterd.send("first")
        filterd.wait_log(r"plugin=mine text=\"eom: .*mine.lua:14: broken")
        assert backend.subjects() == ["first"]


def a_hook_that_never_ends(program):
    """a hook that never ends is ended; meanwhile others are served"""
    with started(program, "while true do end", workers=1) as (filterd, backend):
        senders = [
            threading.Thread(target=filterd.send, args=(f"first {i}",))
            for i in range(5)
        ]
        for sender in senders:
            sender.start()
        assert "first" in refused(filterd)
        for sender in senders:
            sender.join()
        filterd.wait_log(r"plugin=mine text=\"eom: .*works too long", 5)
        assert len(backend.subjects()) == 5
        assert len(filterd.children()) == 1


def sessions_do_not_meet(program):
    """what one session keeps no other sees, while both wait"""
    script = """
need "mail.from"
fact { name = "bad", type = "bool", stage = "mail", doc = "Of a test." }
fact { name = "word", type = "text", stage = "mail", doc = "Of a test." }
fact { name = "body", type = "bool", stage = "message", doc = "Of a test." }
function mail()
    message.from, session.from = lookup "mail.from", lookup "mail.from"
    for _ = 1, 20 do
        sleep(1)
        if message.from ~= lookup "mail.from" or session.from ~= message.from then
            return publish("bad", true)
        end
    end
    publish("bad", false)
end
function eom() publish("body", message.from ~= lookup "mail.from") end
"""
    with started(program, workers=1) as (filterd, backend):
        (filterd.directory / "mine.lua").write_text(script)
        filterd.signal(signal.SIGHUP)
        filterd.wait_log("reload result=ok")
        sessions = [filterd.session() for _ in range(40)]
        for session in sessions:
            session.ehlo()
        for number, session in enumerate(sessions):
            session.putcmd("mail", f"from:<s{number}@b.test>")
        for session in sessions:
            assert session.getreply()[0] == 250
        for number, session in enumerate(sessions):
            assert session.rcpt("u@example.com")[0] == 250
            assert session.data(message(f"m{number}"))[0] == 250
        assert len(backend.subjects()) == len(sessions)


run(
    [
        a_script_judges,
        a_reload_takes_the_new_script,
        a_broken_script_changes_nothing,
        a_hook_that_fails,
        a_hook_that_never_ends,
        sessions_do_not_meet,
    ]
)
