# programs.py: clients as people have them: swaks, smtp-source, curl, smtplib.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import smtplib
import subprocess

from lab.authority import Authority
from lab.failure import check, equal
from lab.octets import BODY, HEADER, MESSAGE, check_same
from lab.program import HOST, find, free_port

SENDER = "alice@example.org"
RECIPIENT = "bob@example.com"
HELO = "mail.example.org"
RULES = """at rcpt { reject never if rcpt.local = "never" }
at message { rewrite add-header("X-Client", "{client.ip} {helo.name}") }
"""
NAMED = 'at message { rewrite add-header("X-Client", "{client.name}") }'


class Front:
    """A sink, filterd before it, and a listener of our own options."""

    def __init__(self, stage, listen="", rules=RULES):
        self.stage = stage
        self.port = free_port()
        self.sink = stage.sink()
        self.filterd = stage.filterd(
            f"listen smtp {HOST}:{self.port} {{ {listen} }}\n{rules}",
            self.sink)

    def file(self, octets):
        path = os.path.join(self.stage.directory, "message.eml")
        with open(path, "wb") as file:
            file.write(octets)
        return path

    def run(self, status, *words):
        run = subprocess.run(words, capture_output=True, text=True, timeout=60,
                             check=False, errors="replace")
        equal(run.returncode, status,
              f"{' '.join(words)}\n{run.stdout}{run.stderr}")
        return run.stdout

    def swaks(self, *words, status=0):
        return self.run(status, find("swaks"), "--server",
                        f"{HOST}:{self.port}", "--helo", HELO, "--from",
                        SENDER, "--to", RECIPIENT, *words)

    def only(self):
        found = self.sink.delivered()
        equal(len(found), 1, "messages")
        return found[0]


# ---- swaks -------------------------------------------------------------------


def swaks_message(front):
    """swaks counts its lines with LF and stuffs the dots itself."""
    return "@" + front.file(MESSAGE.replace(b"\r\n", b"\n"))


def story_swaks_data(stage):
    """swaks --data: dots, folds and blanks arrive as they are in the file"""
    front = Front(stage)
    front.swaks("--data", swaks_message(front))
    # Behind what it reads from a file swaks has a line end of its own.
    check_same(front.only(), MESSAGE + b"\r\n", ["x-client"])


def story_swaks_pipeline(stage):
    """swaks --pipeline, of three recipients one refused"""
    front = Front(stage)
    output = front.swaks("--pipeline", "--to",
                         f"{RECIPIENT},never@example.com,carol@example.com",
                         "--data", swaks_message(front))
    check("PIPELINING" in output and "<** 550" in output, output)
    equal(front.only().recipients, [RECIPIENT, "carol@example.com"],
          "recipients")


def story_swaks_refused(stage):
    """swaks: all recipients refused is its exit status 24"""
    front = Front(stage)
    front.swaks("--to", "never@example.com", status=24)
    equal(front.sink.delivered(), [], "messages")


def story_swaks_tls(stage):
    """swaks --tls, --tls-on-connect, and a cipher of its own"""
    authority = Authority(stage.directory)
    chain, key = authority.issue("mx", HOST, "mx.example.com")
    pair = f'certificate "{chain}" key "{key}"'
    front = Front(stage, f"tls required {pair}")
    verified = ("--tls-verify", "--tls-ca-path", authority.file)
    front.swaks("--tls", *verified)
    front.swaks("--tls", "--tls-protocol", "tlsv1_2", "--tls-cipher",
                "ECDHE-ECDSA-AES256-GCM-SHA384")
    front.swaks("--tls", "--pipeline")
    front.swaks(status=23)
    front.filterd.configure(f"listen smtp {HOST}:{front.port} "
                            f"{{ tls implicit {pair} }}\n")
    front.filterd.reload()
    front.filterd.wait_line("reload", result="ok")
    front.swaks("--tls-on-connect", *verified)
    equal(len(front.sink.delivered()), 4, "messages")


def story_swaks_xclient(stage):
    """swaks --xclient: whom it speaks for is the client; what is not legal is refused"""
    front = Front(stage, "xclient-from 127.0.0.0/8", NAMED)
    front.swaks("--xclient-addr", "192.0.2.7", "--xclient-name",
                "mx.example.net", "--xclient-helo", HELO)
    check_client(front.only(), "mx.example.net")
    front.filterd.wait_line("accepted", client="192.0.2.7", helo=HELO)
    front.swaks("--xclient", "ADDR=192.0.2.7 ADDR=192.0.2.8",
                "--xclient-no-verify", status=33)


def check_client(message, said):
    equal(message.named("X-Client"), [said], "what filterd knows")


def story_swaks_proxy(stage):
    """swaks --proxy, versions 1 and 2: whom it speaks for is the client"""
    front = Front(stage, "proxy-from 127.0.0.0/8")
    addresses = ("--proxy-source", "192.0.2.7", "--proxy-source-port", "4000",
                 "--proxy-dest", "192.0.2.25", "--proxy-dest-port", "25")
    for version in ("1", "2"):
        words = ("--proxy-version", version, "--proxy-family",
                 "TCP4" if version == "1" else "AF_INET", *addresses)
        if version == "2":
            words += ("--proxy-protocol", "STREAM", "--proxy-command", "PROXY")
        front.swaks(*words)
    first, second = front.sink.delivered()
    for message in (first, second):
        check_client(message, f"192.0.2.7 {HELO}")
    front.swaks("--proxy-version", "1", "--proxy", "TCP4 nonsense", status=6)


def story_swaks_attach(stage):
    """swaks --attach: an attachment of a megabyte arrives whole"""
    front = Front(stage)
    name = os.path.join(stage.directory, "attached")
    with open(name, "wb") as file:
        file.write(bytes(range(256)) * 4096)
    front.swaks("--attach", "@" + name, "--body", "see there")
    message = front.only()
    check(len(message.body) > 1 << 20, f"{len(message.body)} octets")
    equal(message.recipients, [RECIPIENT], "recipients")


# ---- smtp-source -------------------------------------------------------------


def source(front, *words):
    return front.run(0, find("smtp-source"), "-f", SENDER, "-t", RECIPIENT,
                     "-M", HELO, *words, f"{HOST}:{front.port}")


def story_source_sessions(stage):
    """smtp-source: 20 sessions at a time, a message each"""
    front = Front(stage)
    source(front, "-s", "20", "-m", "40")
    equal(len(front.sink.delivered()), 40, "messages")
    equal(len(front.filterd.lines("accepted")), 40, "decisions")


def story_source_messages(stage):
    """smtp-source -d: many messages a session"""
    front = Front(stage)
    source(front, "-d", "-s", "4", "-m", "40")
    equal(len(front.sink.delivered()), 40, "messages")
    sessions = {line["session"] for line in front.filterd.lines("accepted")}
    equal(len(sessions), 4, "sessions")


def story_source_recipients(stage):
    """smtp-source -r: 500 recipients a message"""
    front = Front(stage)
    source(front, "-r", "500", "-m", "2")
    equal([len(set(message.recipients)) for message in front.sink.delivered()],
          [500, 500], "recipients")


def story_source_sizes(stage):
    """smtp-source -l: from one octet to four megabytes"""
    front = Front(stage)
    sizes = (1, 1000, 65536, 300000, 4 << 20)
    for size in sizes:
        source(front, "-l", str(size))
    kept = front.sink.delivered()
    equal(len(kept), len(sizes), "messages")
    for message, size in zip(kept, sizes):
        check(size - 1000 <= len(message.body) <= size + 1000,
              f"{len(message.body)} octets of {size}")


# ---- curl ---------------------------------------------------------------------


def curl(front, *words, status=0, scheme="smtp"):
    return front.run(status, find("curl"), "-sS", "--url",
                     f"{scheme}://{HOST}:{front.port}/{HELO}", "--mail-from",
                     SENDER, *words)


def story_curl(stage):
    """curl: a message with dots, of three recipients one refused"""
    front = Front(stage)
    curl(front, "--mail-rcpt", RECIPIENT, "--mail-rcpt", "never@example.com",
         "--mail-rcpt", "carol@example.com", "--mail-rcpt-allowfails", "-T",
         front.file(MESSAGE))
    message = front.only()
    check_same(message, MESSAGE, ["x-client"])
    equal(message.recipients, [RECIPIENT, "carol@example.com"], "recipients")
    curl(front, "--mail-rcpt", "never@example.com", "-T",
         front.file(MESSAGE), status=55)


def story_curl_tls(stage):
    """curl --ssl-reqd trusts our chain"""
    authority = Authority(stage.directory)
    chain, key = authority.issue("mx", HOST)
    front = Front(stage, f'tls required certificate "{chain}" key "{key}"')
    words = ("--ssl-reqd", "--cacert", authority.file, "--mail-rcpt",
             RECIPIENT, "-T", front.file(MESSAGE))
    curl(front, *words)
    check_same(front.only(), MESSAGE, ["x-client"])


def story_curl_newlines(stage):
    """curl: a file with bare LF is refused; with --crlf it is mail"""
    front = Front(stage)
    text = HEADER.replace(b"\r\n", b"\n") + b"\nhello\n.\nMAIL FROM:<>\n"
    words = ("--mail-rcpt", RECIPIENT, "-T", front.file(text))
    curl(front, *words, status=8)
    front.filterd.wait_line("rejected", rule="-newline")
    equal(front.sink.delivered(), [], "messages")
    curl(front, "--crlf", *words)
    check_same(front.only(), text.replace(b"\n", b"\r\n"), ["x-client"])


# ---- smtplib ------------------------------------------------------------------


def story_smtplib_injected(stage):
    """smtplib with a newline in an address: a session of one client stays one"""
    front = Front(stage)
    with smtplib.SMTP(HOST, front.port) as client:
        client.ehlo(HELO)
        client.send(f"MAIL FROM:<{SENDER}>\nRCPT TO:<{RECIPIENT}>\r\n")
        equal(client.getreply()[0], 500, "a line with LF in it")
        equal(client.getreply()[0], 503, "what came behind it")
        equal(client.docmd("NOOP")[0], 250, "NOOP")


def story_smtplib_binary(stage):
    """smtplib: octets of all kinds under 8BITMIME, a NUL refused"""
    front = Front(stage)
    octets = bytes(octet for octet in range(1, 256) if octet not in (10, 13))
    text = HEADER + b"\r\n" + octets + b"\r\n" + BODY
    with smtplib.SMTP(HOST, front.port) as client:
        client.sendmail(SENDER, [RECIPIENT], text, ["BODY=8BITMIME"])
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        equal(client.data(text + b"\0\r\n")[0], 550, "a NUL")
        equal(client.docmd("NOOP")[0], 250, "NOOP")
    check_same(front.only(), text, ["x-client"])


def story_smtplib_verbs(stage):
    """smtplib: VRFY, EXPN, HELP, HELO and verbs in lower case, then a message"""
    front = Front(stage)
    with smtplib.SMTP(HOST, front.port) as client:
        equal(client.helo("x")[0], 250, "HELO")
        equal([client.verify("bob")[0], client.expn("all")[0],
               client.docmd("help")[0], client.docmd("turn")[0],
               client.docmd("rset")[0]], [252, 502, 214, 502, 250], "codes")
        equal(client.sendmail(SENDER, [RECIPIENT], MESSAGE), {}, "refused")
    check_same(front.only(), MESSAGE, ["x-client"])
