# xforward.py: Postfix in front, which tells by XFORWARD whose mail it sends.
#
# SPDX-License-Identifier: BSD-2-Clause
import smtplib

from lab.failure import check, equal
from lab.program import HOST, wait_until

MESSAGE = b"From: alice@example.org\r\nSubject: forwarded\r\n\r\nhello\r\n"
POLICY = """
at connect {
    reject listed if client.ip = 198.51.100.66 reply 550 5.7.1 "{client.ip}"
}
"""


def send(postfix, client, sender):
    """To Postfix in front, as that client."""
    with smtplib.SMTP(HOST, postfix.port, "lab.example.org",
                      timeout=30) as smtp:
        smtp.ehlo()
        code, text = smtp.docmd("XCLIENT", f"ADDR={client} "
                                "NAME=mail.example.org HELO=mail.example.org "
                                "PROTO=ESMTP")
        equal(code, 220, text)
        smtp.ehlo("mail.example.org")
        smtp.sendmail(sender, "bob@forwarded.example", MESSAGE)


def story_postfix_in_front(stage):
    """Postfix in front tells whose mail it sends, and it is judged as that client's"""
    postfix, sink = stage.postfix(), stage.sink()
    filterd = stage.filterd(
        f"listen smtp {HOST}:{postfix.next_port} "
        f"{{ xforward-from 127.0.0.0/8 }}\n{POLICY}", sink)
    send(postfix, "198.51.100.9", "alice@example.org")
    wait_until(lambda: len(sink.delivered()) == 1, "the message comes")
    kept = sink.delivered()[0]
    check("from mail.example.org (mail.example.org [198.51.100.9])"
          in " ".join(kept.named("Received")[0].split()), "Received")
    equal(kept.xclient.get("ADDR"), "198.51.100.9", "XCLIENT")
    send(postfix, "198.51.100.66", "")
    line = filterd.wait_line("rejected", rule="listed")[0]
    equal((line["client"], line["stage"]), ("198.51.100.66", "connect"), line)
    equal(len(sink.delivered()), 1, "messages")
