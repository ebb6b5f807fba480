# traffic.py: how octets travel: pipelining, IPv6, large messages.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import threading

from lab.failure import check, equal
from lab.scenario import filler

MESSAGE = b"From: alice@example.org\r\nSubject: traffic\r\n\r\nhello\r\n"
MEGABYTE = 1 << 20


def story_pipelining(stage):
    """commands in one packet are answered in order, a refused recipient loses nobody else"""
    sink = stage.sink()
    sink.fault("rcpt", "550 5.1.1 no", match="nobody@")
    filterd = stage.filterd(backend=sink)
    with filterd.connect() as client:
        client.reply()
        client.say("EHLO mail.example.org")
        for _ in range(2):
            client.send(b"MAIL FROM:<alice@example.org>\r\n"
                        b"RCPT TO:<nobody@example.com>\r\n"
                        b"RCPT TO:<bob@example.com>\r\n"
                        b"RCPT TO:<carol@example.com>\r\nDATA\r\n")
            codes = [client.reply().code for _ in range(5)]
            equal(codes, [250, 550, 250, 250, 354], "replies")
            client.send(MESSAGE + b".\r\n")
            equal(client.reply().code, 250, "the message")
        client.send(b"RSET\r\nNOOP\r\nQUIT\r\n")
        equal([client.reply().code for _ in range(3)], [250, 250, 221], "end")
        check(client.closed(), "closed after QUIT")
    equal([kept.recipients for kept in sink.delivered()],
          [["bob@example.com", "carol@example.com"]] * 2, "recipients")


def story_octet_by_octet(stage):
    """a dialogue that comes octet by octet means the same"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    with filterd.connect() as client:
        client.reply()
        for line in (b"EHLO mail.example.org\r\n",
                     b"MAIL FROM:<alice@example.org>\r\n",
                     b"RCPT TO:<bob@example.com>\r\n", b"DATA\r\n",
                     MESSAGE + b"..\r\n.\r\n"):
            for octet in line:
                client.socket.sendall(bytes([octet]))
            reply = client.reply()
        equal(reply.code, 250, str(reply))
    equal(sink.delivered()[0].body, b"hello\r\n.\r\n", "the body")


def story_ipv6(stage):
    """an IPv6 listener serves IPv6 clients, each by its own address"""
    sink = stage.sink()
    filterd = stage.filterd(
        'at rcpt { accept v6 if client.ip = 2001:db8::9 reject others }'
        .replace(" reject", "\nreject"), sink, host="::1")
    reply = filterd.deliver(MESSAGE, client="2001:db8::9")
    equal(reply.code, 250, str(reply))
    reply = filterd.deliver(MESSAGE, client="2001:db8::a")
    equal(reply.code, 550, str(reply))
    equal(sink.delivered()[0].xclient["ADDR"], "IPV6:2001:db8::9", "ADDR")


def story_large(stage):
    """twenty megabytes go through octet for octet, and the worker does not grow by them"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    equal(filterd.deliver(MESSAGE).code, 250, "a small one first")
    before = filterd.memory()
    message = MESSAGE + filler(20 * MEGABYTE)
    peak = [0]
    done = threading.Event()

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], filterd.memory())
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        reply = filterd.deliver(message)
    finally:
        done.set()
        watcher.join()
    equal(reply.code, 250, str(reply))
    check(sink.delivered()[1].body == message.partition(b"\r\n\r\n")[2],
          "the body has changed")
    grown = (peak[0] - before) / MEGABYTE
    check(grown < 8, f"the worker grew by {grown:.1f} MB")
    print(f"# 20 MB message: the worker grew by {grown:.1f} MB")


def story_disk_full(stage):
    """a full spool is 452 4.3.1 after the end of the message, and small mail flows on"""
    sink = stage.sink()
    filterd = stage.filterd_at_rest(backend=sink)
    filterd.file_limit = 2 * MEGABYTE
    stage.add(filterd)
    reply = filterd.deliver(MESSAGE + filler(4 * MEGABYTE))
    equal((reply.code, reply.enhanced), (452, "4.3.1"), str(reply))
    check(reply.session, f"a session id in {reply}")
    equal(filterd.deliver(MESSAGE).code, 250, "a small one")
    equal(len(sink.delivered()), 1, "messages kept")


def story_many(stage):
    """forty clients at once, each with its own message: each gets there once"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink, workers=2)
    replies = {}

    def deliver(number):
        text = MESSAGE.replace(b"hello", b"number %d" % number)
        replies[number] = filterd.deliver(text).code
    threads = [threading.Thread(target=deliver, args=(number,))
               for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(set(replies.values()), {250}, "replies")
    equal(sorted(kept.body for kept in sink.delivered()),
          sorted(b"number %d\r\n" % number for number in range(40)),
          "messages kept")


def story_no_file_left(stage):
    """nothing of a message stays behind in the state directory"""
    sink = stage.sink()
    filterd = stage.filterd(backend=sink)
    before = sorted(os.listdir(filterd.state))
    equal(filterd.deliver(MESSAGE + filler(MEGABYTE)).code, 250, "the message")
    equal(sorted(os.listdir(filterd.state)), before, "the state directory")
