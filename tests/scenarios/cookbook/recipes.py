# recipes.py: recipes of contrib/cookbook, as they lie there but for addresses,
# served by the real daemon to the mail that they are about.
#
# SPDX-License-Identifier: BSD-2-Clause
import hashlib
import os
import re

from lab.authority import Authority
from lab.dns import text_record
from lab.dovecot import Dovecot
from lab.failure import check, equal
from lab.filterd import Filterd
from lab.program import HOST, free_port
from lab.quarantine import Quarantine
from lab.redis import Redis
from lab.signer import key_record, private_key, sign, verify

SHOP, LIST, RELAY, SPOOF, LISTED, NAMELESS = (
    f"198.51.100.{last}" for last in (10, 78, 77, 20, 66, 99))
NAMES = {SHOP: "mail.shop.example", LIST: "mail.list.example",
         RELAY: "relay.forward.example", SPOOF: "host.evil.example",
         LISTED: "host.spam.example"}
RECORDS = [
    text_record("shop.example", f"v=spf1 ip4:{SHOP} -all"),
    text_record("_dmarc.shop.example", "v=DMARC1; p=reject"),
    text_record("list.example", f"v=spf1 ip4:{LIST} -all"),
    text_record("test.rhs.example.net", "test"),
    "2.0.0.127.bl.example.net. A 127.0.0.2",
    "66.100.51.198.bl.example.net. A 127.0.0.2",
    "66.100.51.198.bl.example.net. TXT \"it sent spam\"",
    "test.rhs.example.net. A 127.0.1.2",
    "test.uribl.example.net. A 127.0.0.2",
    "bad.example.uribl.example.net. A 127.0.0.2",
]
BROKEN = ["broken.example"]
JOE = "joe@example.com"


def turned(address):
    return ".".join(reversed(address.split(".")))


def records():
    found = RECORDS + [text_record("s1._domainkey.shop.example",
                                   key_record("s1", "shop.example"))]
    for address, name in NAMES.items():
        found += [f"{turned(address)}.in-addr.arpa. PTR {name}.",
                  f"{name}. A {address}"]
    return found


class Recipe(Filterd):
    """Its listener is for clients from anywhere; what else it has of a site
    is in the test's directory."""

    def __init__(self, stage, name, server, directory, dns, store=None):
        self.stage, self.recipe, self.server = stage, name, server
        self.store = store
        super().__init__(directory, stage.options.build, dns=dns)

    def configure(self, policy):
        path = os.path.join(self.stage.options.root, "contrib", "cookbook",
                            self.recipe + ".conf")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for pattern, instead in [
                (r"^set user .*\n", ""), (r"^listen http .*\n", ""),
                (r"/etc/filterd/", self.directory + "/"),
                (r"^listen smtp \[::\]:25 \{[^}]*\}\n", ""),
                (r"^listen smtp (0\.0\.0\.0:587) ", f"listen smtp {HOST}:0 "),
                (r"^    proxy-from .*\n", ""),
                (r"^listen smtp 0\.0\.0\.0:25 \{",
                 f"listen smtp {HOST}:{self.port} {{\n    "
                 "proxy-from 127.0.0.0/8"),
                (r"^listen smtp 192\.0\.2\.5:25$",
                 f"listen smtp {HOST}:{self.port} "
                 "{ proxy-from 127.0.0.0/8 }"),
                (r"^store redis [^}]*\}\n", f"store redis {self.store}\n"),
                (r"^backend .*\n", "")]:
            text = re.sub(pattern, instead, text, flags=re.M)
        check(str(self.port) in text, f"it listens: {text}")
        self.write(f'set state-directory "{self.state}"\nset workers 1\n'
                   f'dns {{ resolver "{self.resolver}" timeout 2s }}\n'
                   f"{self.behind()}\n{text}")

    def behind(self):
        speaks = getattr(self.server, "speaks", "smtp")
        address = getattr(self.server, "address", "") \
            or f"{HOST}:{self.server.port}"
        return f"backend {speaks} {address} {{ }}"


def serve(stage, name, server):
    Authority(stage.directory).issue("mx", "mx.example.com")
    return stage.add(Recipe(stage, name, server, stage.directory,
                            stage.nsd(records(), BROKEN)))


def mail(author, subject="a mail", body="hello\r\n"):
    return (f"From: Alice <{author}>\r\nTo: {JOE}\r\nSubject: {subject}\r\n"
            "Date: Sun, 22 Nov 2026 03:20:54 +0000\r\n"
            f"Message-ID: <1@example.org>\r\n\r\n{body}").encode()


def signed(body="hello\r\n"):
    return sign(mail("a@shop.example", body=body), "shop.example", "s1")


def changed_by_list():
    return signed().replace(b"hello\r\n", b"hello\r\n-- \r\na footer\r\n")


def said(filterd, client, sender, message, recipient=JOE):
    reply = filterd.deliver(message, recipient, sender, client)
    return reply.code, reply.enhanced


def marks(delivered):
    return [message.named("X-Filterd-Quarantine") for message in delivered]


def is_usual(filterd):
    """What each recipe for mail from outside makes of it."""
    ours = "a@shop.example"
    for client, sender, message, expected in [
            (SHOP, ours, signed(), (250, "2.0.0")),
            (RELAY, ours, signed(), (250, "2.0.0")),
            (LIST, "owner@list.example", changed_by_list(), (250, "2.0.0")),
            (SPOOF, ours, mail(ours), (550, "5.7.23")),
            (LISTED, ours, signed(), (554, "5.7.1")),
            (NAMELESS, "x@unknown.example", mail("x@unknown.example"),
             (451, "4.7.1")),
            (RELAY, "x@list.example", mail("x@broken.example"),
             (451, "4.4.3"))]:
        equal(said(filterd, client, sender, message), expected,
              f"{sender} from {client}")
    equal(said(filterd, SHOP, ours, signed(), "x@elsewhere.example"),
          (550, "5.7.1"), "a relay")


def story_small_office(stage):
    """small-office: honest and forwarded mail, a list's with a mark, no spoofed mail"""
    sink = stage.sink()
    filterd = serve(stage, "small-office", sink)
    is_usual(filterd)
    equal(marks(sink.delivered()), [[], [], ["dmarc"]], "marks")
    equal(said(filterd, "192.0.2.9", "joe@example.com", mail(JOE),
               "x@elsewhere.example"), (250, "2.0.0"), "the office itself")


def story_several_gateways(stage):
    """several-gateways: what is refused is the same on each, who waited at one has waited at all, and without Redis mail flows"""
    sink, dns = stage.sink(), stage.nsd(records(), BROKEN)
    redis = stage.add(Redis(stage.directory))
    gateways = []
    for name in ("one", "two"):
        directory = os.path.join(stage.directory, name)
        os.makedirs(directory)
        Authority(directory).issue("mx", "mx.example.com")
        gateways.append(stage.add(Recipe(stage, "several-gateways", sink,
                                         directory, dns, redis.address)))
    for filterd in gateways:
        is_usual(filterd)
    for filterd, state in zip(gateways, ("new", "early")):
        filterd.wait_line("tempfailed", rule="greylist", greylist=state)
    before = len(sink.delivered())
    redis.kill()
    for filterd in gateways:
        equal(said(filterd, NAMELESS, "x@unknown.example",
                   mail("x@unknown.example")), (250, "2.0.0"), "no Redis")
    equal(len(sink.delivered()), before + 2, "delivered")


def story_dovecot(stage):
    """dovecot: the same, into mailboxes; who is not there or has no room is told so"""
    server = stage.add(Dovecot(stage.directory, False))
    server.speaks = "lmtp"
    filterd = serve(stage, "dovecot", server)
    ours = "a@shop.example"
    bob = "bob@example.com"
    for client, sender, message, recipient, expected in [
            (SHOP, ours, signed(), bob, (250, "2.0.0")),
            (LIST, "owner@list.example", changed_by_list(), bob,
             (250, "2.0.0")),
            (SHOP, ours, signed(), "nobody@example.com", (550, "5.1.1")),
            (SHOP, ours, signed(), "full@example.com", (552, "5.2.2")),
            (SPOOF, ours, mail(ours), bob, (550, "5.7.23")),
            (SHOP, ours, signed(), "x@elsewhere.example", (550, "5.7.1"))]:
        equal(said(filterd, client, sender, message, recipient), expected,
              f"{sender} from {client} to {recipient}")
    equal(sorted(marks(server.delivered(2))), [[], ["dmarc"]], "marks")


def story_bank(stage):
    """bank: nobody looks like us; what is doubtful is kept, and can be released"""
    sink = stage.sink()
    filterd = serve(stage, "bank", sink)
    quarantine = Quarantine(stage, filterd)
    doubtful, linked = changed_by_list(), signed("see http://bad.example/now\r\n")
    for client, sender, message, expected in [
            (SPOOF, "x@list.example", mail("board@example.com"),
             (550, "5.7.23")),
            (SPOOF, "x@unknown.example", mail("board@example.com"),
             (550, "5.7.26")),
            (SPOOF, "board@example.com", mail("board@example.com"),
             (550, "5.7.23")),
            (RELAY, "a@shop.example", signed(), (550, "5.7.23")),
            (SHOP, "x@clearing.example.org", mail("x@clearing.example.org"),
             (550, "5.7.10")),
            (SHOP, "x@broken.example", mail("x@broken.example"),
             (451, "4.4.3")),
            (SHOP, "a@shop.example", signed(), (250, "2.0.0")),
            (LIST, "owner@list.example", doubtful, (250, "2.0.0")),
            (SHOP, "a@shop.example", linked, (250, "2.0.0"))]:
        equal(said(filterd, client, sender, message), expected,
              f"{sender} from {client}")
    equal(len(sink.delivered()), 1, "delivered")
    equal([letter["rule"] for letter in quarantine.list()],
          ["unproven", "link"], "kept")
    quarantine.run("release", "--rule", "unproven")
    released = sink.delivered()[1]
    check(released.octets.endswith(doubtful), "octet by octet")
    equal(len(quarantine.files()), 1, "what is left")


def story_outgoing(stage):
    """outgoing: what leaves is ours, and is signed twice; a stranger gets nothing signed"""
    kinds = {"s2026": "rsa", "s2026e": "ed25519"}
    for selector, kind in kinds.items():
        with open(os.path.join(stage.directory, selector + ".pem"),
                  "wb") as file:
            file.write(private_key(selector, "example.com", kind))
    sink = stage.sink()
    filterd = serve(stage, "outgoing", sink)
    away, inside = "x@elsewhere.example", "192.0.2.9"
    for client, sender, author, recipient, expected in [
            (inside, JOE, JOE, away, (250, "2.0.0")),
            (inside, "", "mailer-daemon@example.com", away, (250, "2.0.0")),
            (inside, "ceo@bank.example", JOE, away, (550, "5.7.1")),
            (inside, JOE, "ceo@bank.example", away, (550, "5.7.1")),
            (SPOOF, JOE, JOE, JOE, (530, "5.7.0"))]:
        equal(said(filterd, client, sender, mail(author), recipient),
              expected, f"{author} from {client}")
    keys = {f"{selector}._domainkey.example.com":
            key_record(selector, "example.com", kind)
            for selector, kind in kinds.items()}
    for message in sink.delivered():
        equal(verify(message.octets, keys), ["example.com"] * 2, "signatures")
        equal(message.named("Authentication-Results"), [], "results")
    equal(len(sink.delivered()), 2, "messages")


def in_sample(client):
    """As filterd.conf(5) has it."""
    network = client.rsplit(".", 1)[0] + ".0/24"
    told = f"spf-fail {network} shop.example".encode()
    return int(hashlib.sha256(told).hexdigest()[:16], 16) % 100000 < 5000


def story_roll_out(stage):
    """roll-out: a sample of the senders is refused, each time the same; the others are only watched"""
    sink = stage.sink()
    filterd = serve(stage, "roll-out", sink)
    clients = [f"10.1.{number}.9" for number in range(60)]
    clients += [client for client in (f"10.2.{number}.9"
                                      for number in range(256))
                if in_sample(client)][:3]
    expected = [550 if in_sample(client) else 250 for client in clients]
    check(550 in expected and 250 in expected, str(expected))
    for _ in range(2):
        equal([said(filterd, client, "a@shop.example",
                    mail("a@shop.example"))[0] for client in clients],
              expected, "replies")
    watched = filterd.wait_line("would", rule="spf-fail")
    equal(len(watched), 2 * expected.count(250), "lines of the log")
    equal(marks(sink.delivered()), [[]] * len(watched), "marks")
    equal(len(filterd.lines("would", rule="dmarc-mark")), len(watched),
          "what DMARC would have done")
