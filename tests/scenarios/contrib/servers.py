# servers.py: what contrib has for Postfix, Sendmail, Exim and Dovecot, used as it
# lies there but for addresses.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re

from lab.beside import Exim
from lab.dovecot import Dovecot
from lab.failure import check, equal
from lab.filterd import Filterd
from lab.octets import MESSAGE, check_same
from lab.postfix import Postfix
from lab.program import HOST, free_port, wait_until
from lab.sendmail import STRANGER
from lab.smtp import SmtpClient

CLIENT, RECIPIENT = "198.51.100.9", "bob@example.com"


def shipped(stage, path, **places):
    """A file of contrib. `_25=port`: that one instead of port 25."""
    with open(os.path.join(stage.options.root, "contrib", path),
              encoding="utf-8") as file:
        text = file.read()
    for was, port in places.items():
        was = was.lstrip("_")
        check(was in text, f"{path} has port {was}")
        text = re.sub(rf"127\.0\.0\.1:{was}\b", f"{HOST}:{port}", text)
        text = re.sub(rf"(ports? = ){was}\b", rf"\g<1>{port}", text)
    return text


class Shipped(Filterd):
    """With a configuration of contrib, to which a test adds what it needs:
    a folder, and a DNS where bad.example sends no mail."""

    def __init__(self, stage, text, port):
        self.shipped = text
        super().__init__(stage.directory, stage.options.build,
                         dns=stage.nsd(['bad.example. TXT "v=spf1 -all"']))
        self.port = port

    def configure(self, policy):
        self.write(f'set state-directory "{self.state}"\nset workers 1\n'
                   f'dns {{ resolver "{self.resolver}" timeout 2s }}\n'
                   f'{self.shipped}')


class Told(Postfix):
    """With lines of contrib in one of its files."""

    def __init__(self, directory, file, lines):
        self.more = {file: lines}
        super().__init__(directory)

    def write(self, name, text):
        super().write(name, text + self.more.get(name, ""))


def in_front(stage, folder, **places):
    """filterd on a port 25 of its own, with clients from anywhere."""
    text = shipped(stage, f"{folder}/filterd.conf", **places)
    port = free_port()
    check("0.0.0.0:25\n" in text, "it listens on port 25")
    return stage.add(Shipped(stage, text.replace(
        "0.0.0.0:25", f"{HOST}:{port} {{ proxy-from 127.0.0.0/8 }}"), port))


def judges_and_delivers(filterd, server):
    equal(filterd.deliver(MESSAGE, sender="a@bad.example").code, 550, "SPF")
    equal(filterd.deliver(MESSAGE, "x@elsewhere.example").code, 550, "relay")
    equal(filterd.deliver(MESSAGE).code, 250, "the message")
    check_same(server.delivered(1)[0], MESSAGE)
    equal([line["rule"] for line in filterd.lines("rejected")],
          ["spf-fail", "relay"], "what was refused")


def postfix_behind(stage, folder):
    port = free_port()
    lines = shipped(stage, f"postfix/{folder}/master.cf", _10025=port)
    postfix = stage.add(Told(stage.directory, "master.cf", lines))
    postfix.wait_listening(port)
    filterd = in_front(stage, f"postfix/{folder}", _10025=port)
    judges_and_delivers(filterd, postfix)
    wait_until(lambda: f": client=unknown[{CLIENT}]" in postfix.log_text(),
               "Postfix knows the client")


def story_postfix_xclient(stage):
    """contrib/postfix/xclient works, and Postfix behind knows the client"""
    postfix_behind(stage, "xclient")


def story_postfix_proxy_protocol(stage):
    """contrib/postfix/proxy-protocol works, and Postfix behind knows the client"""
    postfix_behind(stage, "proxy-protocol")


def story_postfix_policy(stage):
    """contrib/postfix/policy works: Postfix asks filterd about recipients"""
    port = free_port()
    filterd = stage.add(Shipped(stage, shipped(
        stage, "postfix/policy/filterd.conf", _10040=port), port))
    postfix = stage.add(Told(stage.directory, "main.cf", shipped(
        stage, "postfix/policy/main.cf", _10040=port)))

    def said(sender, client, recipient=RECIPIENT):
        with SmtpClient(HOST, postfix.behind_proxy().port,
                        client) as connection:
            return connection.envelope(sender, recipient).code
    equal(said("a@bad.example", CLIENT), 550, "SPF")
    equal(said("a@good.example", CLIENT), 450, "greylisting")
    equal(said("a@bad.example", "127.0.0.9"), 250, "mynetworks")
    equal(said("a@good.example", CLIENT, "x@elsewhere.example"), 554, "relay")
    filterd.stop()
    equal(said("a@bad.example", CLIENT), 451, "without filterd")


def milter(stage, path, **changes):
    """filterd, with whom a mail server asks, and its port."""
    port = free_port()
    text = shipped(stage, f"{path}/filterd.conf", _8899=port)
    for was, now in changes.values():
        check(was in text, f"{path} has {was}")
        text = text.replace(was, now)
    return stage.add(Shipped(stage, text, port)), port


def story_postfix_milter(stage):
    """contrib/postfix/milter works: Postfix asks filterd at every step"""
    filterd, port = milter(stage, "postfix/milter")
    postfix = stage.add(Told(stage.directory, "main.cf", shipped(
        stage, "postfix/milter/main.cf", _8899=port)))

    def said(sender, client, recipient=RECIPIENT):
        with SmtpClient(HOST, postfix.behind_proxy().port,
                        client) as connection:
            reply = connection.envelope(sender, recipient)
            return connection.data(MESSAGE).code if reply.code == 250 \
                else reply.code
    equal(said("a@bad.example", CLIENT), 550, "SPF")
    equal(said("a@good.example", CLIENT, "x@elsewhere.example"), 554, "relay")
    equal(said("a@good.example", CLIENT), 250, "the message")
    equal(said("a@bad.example", "127.0.0.9"), 250, "mynetworks")
    first, second = postfix.delivered(2)
    check("spf=none" in first.named("Authentication-Results")[0], "the results")
    check(first.octets.endswith(MESSAGE) and second.octets.endswith(MESSAGE),
          "the message has been changed")
    filterd.stop()
    equal(said("a@good.example", CLIENT), 451, "without filterd")


def story_sendmail(stage):
    """contrib/sendmail works: Sendmail asks filterd at every step"""
    filterd, port = milter(stage, "sendmail",
                           ours=("127.0.0.0/8", "127.0.0.9"))
    with open(os.path.join(stage.options.root, "contrib",
                           "sendmail/filterd.m4"), encoding="utf-8") as file:
        lines = file.read().replace("8899@127.0.0.1", f"{port}@{HOST}")
    sendmail = stage.sendmail(milter=lines)

    def said(sender, client):
        with sendmail.connect(client) as connection:
            reply = connection.envelope(sender, RECIPIENT)
            return connection.data(MESSAGE).code if reply.code == 250 \
                else reply.code
    equal(said("a@bad.example", STRANGER), 550, "SPF")
    equal(said("a@good.example", STRANGER), 250, "the message")
    equal(said("a@bad.example", "127.0.0.9"), 250, "who sends through us")
    first, _ = sendmail.delivered(2)
    check("spf=none" in first.named("Authentication-Results")[0], "the results")
    filterd.stop()
    equal(said("a@good.example", STRANGER), 451, "without filterd")


def story_exim(stage):
    """contrib/exim works, and Exim behind knows the client"""
    port = free_port()
    lines = shipped(stage, "exim/exim.conf", _10025=port)

    class Shipping(Exim):
        package = "exim4-daemon-heavy"
        configuration = Exim.configuration.replace(
            "local_interfaces = {host}\ndaemon_smtp_ports = {port}\n",
            lines.replace("local_interfaces = 127.0.0.1",
                          f"local_interfaces = {HOST}"))

        def start(self):
            self.port = port
            super().start()

    exim = stage.add(Shipping(stage.directory))
    filterd = in_front(stage, "exim", _10025=port)
    judges_and_delivers(filterd, exim)
    wait_until(lambda: f"[{CLIENT}]" in exim.log_text(),
               "Exim knows the client")


def story_dovecot(stage):
    """contrib/dovecot works: to Dovecot's LMTP server, without another server"""
    port = free_port()
    lines = shipped(stage, "dovecot/dovecot.conf", _10024=port).replace(
        "address = 127.0.0.1", f"address = {HOST}")

    class Shipping(Dovecot):
        def write(self, name, text):
            text = text.replace("login_trusted_networks = 127.0.0.0/8\n", "")
            super().write(name, text + (
                lines if name == "dovecot.conf" else ""))

    dovecot = stage.add(Shipping(stage.directory))
    dovecot.wait_listening(port)
    filterd = in_front(stage, "dovecot", _10024=port)
    judges_and_delivers(filterd, dovecot)
