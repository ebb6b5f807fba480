# auth.py: clients that authenticate to Postfix behind, by swaks and smtplib.
#
# SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import hmac
import smtplib
import ssl
import subprocess

from lab.authority import Authority
from lab.failure import check, equal
from lab.postfix import PASSWORD, USER
from lab.program import HOST, find, free_port

MESSAGE = b"From: alice@example.com\r\nSubject: submission\r\n\r\nhello\r\n"
POLICY = """
list ours of domain { example.com }
at rcpt {
    accept known if known auth.user
    reject relay if rcpt.domain not in ours reply 550 5.7.1 "no relay"
}
"""


class Submission:
    """Postfix, and filterd in front of it with a listener that has STARTTLS."""

    def __init__(self, stage, more=""):
        authority = Authority(stage.directory)
        chain, key = authority.issue("mx", "mx.example.com")
        self.trust = ssl.create_default_context(cafile=authority.file)
        self.trust.check_hostname = False
        self.port = free_port()
        self.postfix = stage.postfix()
        self.filterd = stage.filterd(
            f'listen smtp {HOST}:{self.port} {{ tls opportunistic '
            f'certificate "{chain}" key "{key}" {more} }}\n{POLICY}',
            self.postfix.open_to_users())

    def connect(self, secure=True):
        client = smtplib.SMTP(HOST, self.port, "mail.example.org", timeout=30)
        client.ehlo()
        if secure:
            client.starttls(context=self.trust)
            client.ehlo()
        return client

    def swaks(self, *words):
        run = subprocess.run(
            [find("swaks"), "--server", f"{HOST}:{self.port}", "--from",
             "alice@example.com", "--to", "carol@elsewhere.example", "--helo",
             "mail.example.org", "--auth-user", USER, *words],
            capture_output=True, text=True, timeout=60, check=False)
        return run.returncode, run.stdout

    def check_silent(self):
        """No secret is in any log."""
        encoded = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        for secret in (PASSWORD, encoded,
                       base64.b64encode(PASSWORD.encode()).decode()):
            check(secret not in self.filterd.text(), "a secret in the log")


def scram(client, password, method="SCRAM-SHA-256", name="sha256"):
    """RFC 5802; the last reply."""
    def h(key, text):
        return hmac.digest(key, text, name)
    bare = f"n={USER},r=fyko".encode()
    first = base64.b64encode(b"n,," + bare).decode()
    _, challenge = client.docmd("AUTH", f"{method} {first}")
    server = base64.b64decode(challenge)
    words = dict(word.split(b"=", 1) for word in server.split(b","))
    salted = hashlib.pbkdf2_hmac(name, password.encode(),
                                 base64.b64decode(words[b"s"]),
                                 int(words[b"i"]))
    last = b"c=biws,r=" + words[b"r"]
    key = h(salted, b"Client Key")
    signature = h(hashlib.new(name, key).digest(),
                  b",".join((bare, server, last)))
    proof = bytes(a ^ b for a, b in zip(key, signature))
    code, text = client.docmd(
        base64.b64encode(last + b",p=" + base64.b64encode(proof)).decode())
    return client.docmd("") if code == 334 else (code, text)


def story_swaks(stage):
    """swaks authenticates by PLAIN, LOGIN and CRAM-MD5, and may then relay"""
    submission = Submission(stage)
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        status, text = submission.swaks("--tls", "--auth", mechanism,
                                        "--auth-password", PASSWORD)
        equal(status, 0, text)
    for kept in submission.postfix.delivered(3):
        check("with ESMTPSA id" in kept.named("Received")[0], "Received")
        equal(kept.recipients, ["carol@elsewhere.example"], "recipients")
    lines = submission.filterd.wait_line("accepted", auth=USER)
    equal(len(lines), 3, "messages of that user")
    check(f"sasl_username={USER}" in submission.postfix.log_text(), "the name")
    submission.check_silent()


def story_scram(stage):
    """SCRAM is relayed, with its challenges, and a wrong password fails in it"""
    submission = Submission(stage)
    for method, name in (("SCRAM-SHA-1", "sha1"), ("SCRAM-SHA-256", "sha256")):
        with submission.connect() as client:
            check(method in client.esmtp_features["auth"], "the offer")
            equal(scram(client, "wrong", method, name)[0], 535, "wrong")
            equal(scram(client, PASSWORD, method, name)[0], 235, "right")
            client.sendmail("alice@example.com", "dan@elsewhere.example",
                            MESSAGE)
    equal(len(submission.postfix.delivered(2)), 2, "messages")


def story_wrong_password(stage):
    """a wrong password is told by Postfix, logged without it, and lets nobody relay"""
    submission = Submission(stage)
    with submission.connect() as client:
        try:
            client.login(USER, "wr0ng Pa55")
            check(False, "it was let in")
        except smtplib.SMTPAuthenticationError as error:
            equal(error.smtp_code, 535, error)
        equal(client.mail("alice@example.com")[0], 250, "MAIL")
        equal(client.rcpt("dan@elsewhere.example")[0], 550, "the relay")
        equal(client.rcpt("dan@example.com")[0], 250, "our own")
    line = submission.filterd.wait_line("auth", result="no")[0]
    check("user" not in line and line["reply"].startswith("535"), line)
    check("wr0ng" not in submission.filterd.text(), "a secret in the log")


def story_clear(stage):
    """in clear nobody is asked for a password, and none is taken"""
    submission = Submission(stage)
    with submission.connect(secure=False) as client:
        check(not client.has_extn("auth"), "AUTH is announced")
        code, text = client.docmd("AUTH", "PLAIN AGFsaWNlAHNlY3JldA==")
        equal((code, text[:6]), (538, b"5.7.11"), text)
    check("sasl" not in submission.postfix.log_text().lower(), "it was told")
