# notices.py: DSN, with Postfix behind, which writes what was asked for.
#
# SPDX-License-Identifier: BSD-2-Clause
import smtplib

from lab.failure import check, equal
from lab.program import HOST, free_port, wait_until

MESSAGE = (b"From: alice@example.com\r\nSubject: notices\r\n\r\n"
           b"hello\r\n")


def mails(postfix):
    texts = []
    for path in postfix.files():
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return texts


def story_success(stage):
    """Postfix reports the delivery that was asked about, by id and by name"""
    postfix = stage.postfix()
    port = free_port()
    stage.filterd(f"listen smtp {HOST}:{port} {{ }}\n", postfix)
    with smtplib.SMTP(HOST, port) as client:
        client.ehlo("mail.example.org")
        check(client.has_extn("dsn"), "DSN is not announced")
        equal(client.mail("alice@example.com",
                          ["RET=HDRS", "ENVID=id+2B42>"])[0], 250, "MAIL")
        equal(client.rcpt("bob@example.com",
                          ["NOTIFY=SUCCESS,FAILURE",
                           "ORCPT=rfc822;Robert+2Bx@example.com"])[0], 250,
              "RCPT")
        equal(client.rcpt("carol@example.com", ["NOTIFY=NEVER"])[0], 250,
              "RCPT")
        equal(client.data(MESSAGE)[0], 250, "DATA")
    wait_until(lambda: len(mails(postfix)) == 3, "two messages and a notice")
    notices = [text for text in mails(postfix)
               if "Original-Envelope-Id:" in text]
    equal(len(notices), 1, "notices")
    for text in ("Original-Envelope-Id: id+42>",
                 "Original-Recipient: rfc822;Robert+x@example.com",
                 "Action: delivered"):
        check(text in notices[0], f"{text!r} is not in {notices[0]}")
    check("carol@example.com" not in notices[0], notices[0])


def story_none(stage):
    """a backend without DSN: none is offered, and parameters are 555"""
    port = free_port()
    stage.filterd(f"listen smtp {HOST}:{port} {{ }}\n", stage.sink())
    with smtplib.SMTP(HOST, port) as client:
        client.ehlo("mail.example.org")
        check(not client.has_extn("dsn"), "DSN is announced")
        client.esmtp_features["dsn"] = ""
        equal(client.mail("alice@example.com", ["RET=HDRS"])[0], 555, "MAIL")
        equal(client.docmd("MAIL FROM:<alice@example.com> SMTPUTF8")[0], 553,
              "MAIL")
        equal(client.mail("alice@example.com")[0], 250, "MAIL")
        equal(client.rcpt("bob@example.com", ["NOTIFY=NEVER"])[0], 555, "RCPT")
