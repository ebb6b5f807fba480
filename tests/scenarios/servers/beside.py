# beside.py: Exim and OpenSMTPD as the mail server behind. What differs between
# them is in a table.
#
# SPDX-License-Identifier: BSD-2-Clause
import smtplib

from lab.authority import Authority
from lab.failure import check, equal
from lab.octets import BODY, EIGHTBIT, HEADER, MESSAGE, check_same
from lab.program import HOST, PATIENCE, free_port, wait_until

SENDER = "alice@example.org"
RECIPIENT = "bob@example.com"


class Case:
    def __init__(self, kind, extensions, lacks):
        self.kind = kind
        self.extensions = extensions  # that go on to the client
        self.lacks = lacks

    def begin(self, stage, *chain_and_key, **options):
        """The server, and filterd in front of it."""
        server = getattr(stage, self.kind)(*chain_and_key)
        options.setdefault("identity", "none")
        return server, stage.filterd(backend=server, **options)


CASES = (
    Case("exim", ("8BITMIME", "SMTPUTF8", "DSN", "SIZE 52428800"),
         ("PIPECONNECT",)),
    Case("opensmtpd", ("8BITMIME", "DSN", "SIZE 52428800"), ("SMTPUTF8",)),
)


def say_all(client, *commands):
    """The commands in one packet; a reply to each."""
    client.send(b"".join(command.encode() + b"\r\n" for command in commands))
    return [client.reply() for _ in commands]


# ---- what each has to do; the first line tells it of %s ----------------------


def octets(case, stage):
    """%s gets a message octet by octet, dots, folds, blanks and long lines"""
    server, filterd = case.begin(stage)
    equal(filterd.deliver(MESSAGE).code, 250, "the message")
    delivered = server.delivered(1)[0]
    check_same(delivered, MESSAGE)
    equal(delivered.sender, SENDER, "reverse-path")
    equal(delivered.recipients, [RECIPIENT], "recipients")


def eightbit(case, stage):
    """%s gets 8 bits as they are, under BODY=8BITMIME"""
    server, filterd = case.begin(stage)
    with filterd.connect() as client:
        client.envelope(SENDER)
        client.say("RSET")
        client.say(f"MAIL FROM:<{SENDER}> BODY=8BITMIME SIZE={len(EIGHTBIT)}")
        client.say(f"RCPT TO:<{RECIPIENT}>")
        equal(client.data(EIGHTBIT).code, 250, client.story())
    check_same(server.delivered(1)[0], EIGHTBIT)


def chunks(case, stage):
    """%s hears DATA where the client says BDAT, and gets the same message"""
    server, filterd = case.begin(stage)
    with filterd.connect() as client:
        equal(client.envelope(SENDER, RECIPIENT).code, 250, client.story())
        for at in range(0, len(MESSAGE), 700):
            piece = MESSAGE[at:at + 700]
            client.send(b"BDAT %d\r\n" % len(piece) + piece)
            equal(client.reply().code, 250, "a chunk")
        equal(client.say("BDAT 0 LAST").code, 250, client.story())
        equal(client.say("MAIL FROM:<>").code, 250, client.story())
        client.say(f"RCPT TO:<{RECIPIENT}>")
        unended = MESSAGE[:-2]
        client.send(b"BDAT %d LAST\r\n" % len(unended) + unended)
        equal(client.reply().code, 250, client.story())
    found = server.delivered(2)
    for message in found:
        check_same(message, MESSAGE)
    equal(sorted(message.sender for message in found), ["", SENDER],
          "reverse-paths")


def pipelined(case, stage):
    """%s and envelopes in one packet; what it refuses is what the client hears"""
    server, filterd = case.begin(stage)
    with filterd.connect() as client:
        client.envelope(SENDER)
        client.say("RSET")
        codes = [reply.code for reply in say_all(
            client, f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{RECIPIENT}>",
            "RCPT TO:<nobody@example.com>", "RCPT TO:<x@elsewhere.example>",
            "RCPT TO:<carol@example.net>", "DATA")]
        equal(codes, [250, 250, 550, 550, 250, 354], client.story())
        client.send(b"\r\nhello\r\n.\r\nRSET\r\nQUIT\r\n")
        equal([client.reply().code for _ in range(3)], [250, 250, 221],
              client.story())
    found = sorted(message.recipients[0] for message in server.delivered(2))
    equal(found, [RECIPIENT, "carol@example.net"], "recipients")
    filterd.wait_line("rejected", rule="-backend")


def refused_all(case, stage):
    """%s refuses every recipient: its words, and no message"""
    server, filterd = case.begin(stage)
    with filterd.connect() as client:
        reply = client.envelope(SENDER, "nobody@example.com")
        equal(reply.code, 550, client.story())
        equal(client.say("DATA").code, 554, client.story())
    equal(filterd.deliver(MESSAGE).code, 250, "the next message")
    equal(len(server.delivered(1)), 1, "messages")


def extensions(case, stage):
    """%s's extensions are offered to the client, and no others"""
    _, filterd = case.begin(stage)
    with filterd.connect() as client:
        client.reply()
        lines = client.say("EHLO mail.example.org").lines
        words = [line[4:] for line in lines]
        for extension in case.extensions:
            check(extension in words, f"no {extension}: {lines}")
        for extension in case.lacks:
            check(extension not in words, f"{extension}: {lines}")
        equal(client.say(f"MAIL FROM:<{SENDER}> SIZE=60000000").code, 552,
              client.story())


def notices(case, stage):
    """%s is told what notices are wanted"""
    server, filterd = case.begin(stage)
    port = free_port()
    filterd.configure(f"listen smtp {HOST}:{port} {{ }}\n")
    filterd.reload()
    filterd.wait_line("reload", result="ok")
    with smtplib.SMTP(HOST, port) as client:
        client.ehlo("mail.example.org")
        equal(client.mail(SENDER, ["RET=HDRS", "ENVID=x+2By"])[0], 250, "MAIL")
        equal(client.rcpt(RECIPIENT, ["NOTIFY=NEVER",
                                      "ORCPT=rfc822;bob@example.org"])[0],
              250, "RCPT")
        equal(client.data(MESSAGE)[0], 250, "DATA")
        equal(client.mail(SENDER, ["RET=ALL"])[0], 501, "MAIL")
    check_same(server.delivered(1)[0], MESSAGE)


def identities(server):
    """The left sides of the Message-IDs that it has delivered."""
    return {message.named("Message-ID")[0].strip("<>").split("@")[0]
            for message in server.delivered()}


def restarted(case, stage):
    """%s goes and comes again: 451 meanwhile, nothing is lost"""
    server, filterd = case.begin(stage)
    before, after = (MESSAGE.replace(b"octets@", name + b"@")
                     for name in (b"before", b"after"))
    equal(filterd.deliver(before).code, 250, "before")
    server.delivered(1)
    server.stop()
    reply = filterd.deliver(MESSAGE)
    equal((reply.code, reply.enhanced), (451, "4.3.0"), str(reply))
    server.start()
    equal(filterd.deliver(after).code, 250, "after")
    wait_until(lambda: identities(server) >= {"before", "after"},
               f"{case.kind} delivers both", PATIENCE)
    # What it had not yet noted as delivered it delivers once more.
    equal(identities(server), {"before", "after"}, "messages")


def many_recipients(case, stage):
    """%s takes a hundred recipients and five hundred lines in one transaction"""
    server, filterd = case.begin(stage)
    names = [f"user{i}@example.com" for i in range(100)]
    text = HEADER + b"\r\n" + BODY * 38
    with filterd.connect() as client:
        client.envelope(SENDER)
        client.say("RSET")
        replies = say_all(client, f"MAIL FROM:<{SENDER}>",
                          *(f"RCPT TO:<{name}>" for name in names))
        equal({reply.code for reply in replies}, {250}, "replies")
        equal(client.data(text).code, 250, "the message")
    found = server.delivered(100)
    equal(sorted(message.recipients[0] for message in found), sorted(names),
          "recipients")
    check_same(found[0], text)


ACTS = (octets, eightbit, chunks, pipelined, refused_all, extensions, notices,
        restarted, many_recipients)


def tell(case, act):
    def story(stage):
        act(case, stage)
    story.__name__ = f"story_{case.kind}_{act.__name__}"
    story.__doc__ = act.__doc__ % case.kind
    return story


for _case in CASES:
    for _act in ACTS:
        globals()[f"story_{_case.kind}_{_act.__name__}"] = \
            tell(_case, _act)


def story_exim_tls(stage):
    """exim hears everything over TLS, verified, and opportunistically"""
    authority = Authority(stage.directory)
    pair = authority.issue("inner", HOST)
    server, filterd = CASES[0].begin(
        stage, *pair, to_backend=f'tls verified ca "{authority.file}"')
    equal(filterd.deliver(MESSAGE).code, 250, "verified")
    filterd.options["to_backend"] = "tls opportunistic"
    filterd.configure("")
    filterd.reload()
    filterd.wait_line("reload", result="ok")
    equal(filterd.deliver(MESSAGE).code, 250, "opportunistic")
    for message in server.delivered(2):
        check_same(message, MESSAGE)
    check("TLS" in server.tail(), server.tail())


def story_exim_smtputf8(stage):
    """exim and an address in UTF-8 under SMTPUTF8"""
    server, filterd = CASES[0].begin(stage)
    with filterd.connect() as client:
        client.envelope(SENDER)
        client.say("RSET")
        equal(client.say("MAIL FROM:<grüße@example.org> SMTPUTF8 "
                         "BODY=8BITMIME").code, 250, client.story())
        equal(client.say("RCPT TO:<用户@example.com>").code, 250,
              client.story())
        equal(client.data(EIGHTBIT).code, 250, client.story())
    delivered = server.delivered(1)[0]
    check_same(delivered, EIGHTBIT)
    equal(delivered.recipients, ["用户@example.com"], "recipients")


def story_exim_later(stage):
    """exim says 451 to one recipient: the client hears it, the other is served"""
    server, filterd = CASES[0].begin(stage)
    with filterd.connect() as client:
        equal(client.envelope(SENDER, RECIPIENT).code, 250, client.story())
        reply = client.say("RCPT TO:<later@example.com>")
        equal((reply.code, reply.text), (451, "not now"), client.story())
        equal(client.data(MESSAGE).code, 250, client.story())
    equal(server.delivered(1)[0].recipients, [RECIPIENT], "recipients")


def story_opensmtpd_smtputf8(stage):
    """opensmtpd has no SMTPUTF8, so an address in UTF-8 is 553 here"""
    _, filterd = CASES[1].begin(stage)
    with filterd.connect() as client:
        client.envelope(SENDER)
        client.say("RSET")
        for parameters in ("", " SMTPUTF8"):
            reply = client.say(f"MAIL FROM:<grüße@example.org>{parameters}")
            equal((reply.code, reply.enhanced), (553, "5.6.7"), str(reply))
