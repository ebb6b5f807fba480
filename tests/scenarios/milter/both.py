# both.py: one filterd is asked by Postfix and by Sendmail; where they are asked
# the same, both have to do the same.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
from concurrent.futures import ThreadPoolExecutor

from lab.dns import text_record
from lab.failure import check, equal
from lab.program import HOST, wait_until
from lab.signer import key_record, sign

RECEIVED = b"from a.example by b.example; Sun, 22 Nov 2026 03:20:54 +0000"


class Server:
    """A mail server that asks `filterd`."""

    def __init__(self, program, filterd):
        self.program = program
        self.filterd = filterd
        self.name = program.kind
        self.seen = 0

    def say(self, message, recipients=("bob@example.com",),
            sender="alice@example.org"):
        """The last reply to one message."""
        with self.program.connect() as client:
            reply = client.envelope(sender, *recipients)
            return client.data(message) if reply.code == 250 else reply

    def deliver(self, message, *words, count=1):
        """What becomes of it."""
        reply = self.say(message, *words)
        equal(reply.code, 250, f"the code of {self.name}")
        self.seen += count
        return self.program.delivered(self.seen)[-count:]


def both(stage, policy, dns=None, **options):
    postfix = stage.postfix()
    sendmail = stage.sendmail(milter_port=postfix.milter_port)
    filterd = stage.filterd(
        policy, postfix, dns,
        more=f"listen milter {HOST}:{postfix.milter_port}", **options)
    return [Server(program, filterd) for program in (postfix, sendmail)]


def lines(*fields, body=b"hello"):
    return b"\r\n".join(fields + (b"", body, b""))


def story_repeated(stage):
    """of fields with one name, in any case, the right ones are changed"""
    for server in both(stage, """at message {
            rewrite remove-header("Received")
            rewrite remove-header("x-gone")
            rewrite change-header("X-Kind", "changed")
            rewrite change-header("X-Empty", "")
            rewrite change-header("X-Missing", "made") }"""):
        message, = server.deliver(lines(
            b"Received: " + RECEIVED,
            b"Authentication-Results: mx.example.com; spf=pass",
            b"Authentication-Results: one.example; spf=pass",
            b"X-Gone: 1", b"x-kind: one", b"X-GONE: 2", b"X-Kind: two",
            b"received: " + RECEIVED,
            b"AUTHENTICATION-RESULTS: MX.example.com; dkim=pass",
            b"X-Empty: full", b"X-Empty:", b"X-Gone:", b"X-gone:3",
            b"authentication-results:\r\n mx.example.com; arc=pass",
            b"Authentication-Results: two.example; spf=pass",
            b"From: alice@example.org", b"Subject: s"))
        own, = message.named("Received")
        check("by inner.example.com" in own, f"{server.name}: {own}")
        equal(message.named("X-Gone"), [], server.name)
        equal(message.named("X-Kind"), ["changed", "two"], server.name)
        equal(message.named("X-Empty"), ["", ""], server.name)
        equal([value.split(";")[0] for value in
               message.named("Authentication-Results")],
              ["mx.example.com", "one.example", "two.example"], server.name)
        equal(message.named("X-Missing"), ["made"], server.name)


def story_blanks(stage):
    """a signature over each blank and octet of header and body verifies"""
    fields = lines(
        b"From:alice@example.org", b"Subject:  \t two\r\n\t folds \r\n"
        b" and blanks ", b"To:bob", b"X-Long: " + b"x" * 900,
        b"Date:\r\n Sun, 22 Nov 2026 03:20:54 +0000",
        b"Message-ID:   <a@example.org>",
        b"X-Octets: Gr\xc3\xbc\xc3\x9fe \xff",
        body=b".\r\n..dot\r\n\r\nblanks  \r\n\ttab\t\r\n"
             b"Gr\xc3\xbc\xc3\x9fe \xff\r\n" + b"y" * 990 + b"\r\n\r\n\r\n")
    octets = sign(fields, "example.org", "one", header=b"simple")
    key = key_record("one", "example.org")
    dns = stage.nsd([text_record("one._domainkey.example.org", key)])
    servers = both(stage, """use dkim
        at message { reject bad if dkim.result != pass }""", dns)
    for server in servers:
        message, = server.deliver(octets)
        equal(message.body, octets.partition(b"\r\n\r\n")[2], server.name)


def story_bare(stage):
    """a message without header, and one without body, are judged and changed"""
    servers = both(stage, """use dkim
        at message { rewrite add-header("X-New", "one") }""")
    for server in servers:
        for octets in (b"\r\nhello\r\n", b"", b"\r\n", b"hello\r\n",
                       b"From: a@example.org\r\n", b"X:\r\n",
                       b"From: a@example.org\r\n\r\n"):
            message, = server.deliver(octets)
            check(b"\r\nX-New: one\r\n" in message.octets,
                  f"{server.name}: {octets} became {message.octets}")


def story_many_fields(stage):
    """large fields and many are seen whole, or refused"""
    long = b"X-Large: " + b"x" * 900
    servers = both(stage, """at message {
        rewrite remove-header("X-Large")
        rewrite change-header("X-End", "changed") }""")
    for server, line, lines_most in zip(servers, (75, 25), (200, 25)):
        for fields in ([long + (b"\r\n " + b"x" * 900) * line],
                       [b"X-%d: a" % n for n in range(990)],
                       [long] * lines_most):
            message, = server.deliver(lines(*fields, b"X-End: one"))
            equal(message.named("X-Large"), [], server.name)
            equal(message.named("X-End"), ["changed"], server.name)
        reply = server.say(lines(*[b"X-%d: a" % n for n in range(1200)]))
        equal(reply.code, 552, f"the code of {server.name}")
        server.filterd.wait_line("rejected", rule="-header")


# Sender and recipient as told, and as the policy has them.
ODD = [
    ("", "bob@example.com", "", "bob@example.com"),
    ('"a b"@example.org', '"c d"@example.com', '"a b"@example.org',
     '"c d"@example.com'),
    ('"a\\"b"@example.org', '"c"@example.com', '"a\\"b"@example.org',
     "c@example.com"),
    ("@relay.example:a@example.org", "@example.net:b@example.com",
     "a@example.org", "b@example.com"),
    ("a@[192.0.2.1]", "bob@example.com", "a@[192.0.2.1]", "bob@example.com"),
    ("A+b=c@EXAMPLE.ORG", "Bob@EXAMPLE.COM", "A+b=c@EXAMPLE.ORG",
     "Bob@EXAMPLE.COM"),
]


def story_addresses(stage):
    """odd addresses are judged as they are, and taken away as they were told"""
    policy = """at rcpt { discard quietly if helo.name = "gone.example" }
        at message { rewrite add-header("X-From", "<{mail.from}>")
                     rewrite add-header("X-To", "<{rcpt.to}>") }"""
    for server in both(stage, policy):
        for sender, recipient, has_sender, has_recipient in ODD:
            message, = server.deliver(lines(b"X: y"), (recipient,), sender)
            equal((message.named("X-From"), message.named("X-To")),
                  ([f"<{has_sender}>"], [f"<{has_recipient}>"]), server.name)
            with server.program.connect() as client:
                client.envelope(sender, recipient, helo="gone.example")
                equal(client.data(lines(b"X: y")).code, 250, server.name)
        equal(len(server.program.delivered(len(ODD))), len(ODD), server.name)


# Greeting, local parts of sender and recipient, and the last reply; Sendmail
# puts the recipient before its words.
STAGES = [
    ("helo.example", "a", "b", ["550 5.7.2 no helo"]),
    ("a.example", "mail", "b", ["451-4.7.3 100% later", "451 4.7.3 surely"]),
    ("a.example", "a", "rcpt", ["550 5.7.4 no rcpt"]),
    ("a.example", "data", "b", ["554 5.7.5 no data"]),
    ("a.example", "message", "b", ["554-5.7.6 no 100%s %d %% message",
                                   "554-5.7.6 ", "554 5.7.6   three"]),
    ("a.example", "end", "b", ["421 4.7.6 go"]),
]


def story_stages(stage):
    """at each stage a refusal is said in our words, on all lines, with its code"""
    policy = """
        at helo { reject helo if helo.name = "helo.example"
                  reply 550 5.7.2 "no helo" }
        at mail { tempfail mail if mail.local = "mail"
                  reply 451 4.7.3 "100% later\\nsurely" }
        at rcpt { reject rcpt if rcpt.local = "rcpt"
                  reply 550 5.7.4 "no rcpt" }
        at data { reject data if mail.local = "data"
                  reply 554 5.7.5 "no data" }
        at message {
            disconnect end if mail.local = "end" reply 421 4.7.6 "go"
            reject message if mail.local = "message"
                   reply 554 5.7.6 "no 100%s %d %% message\\n\\n  three" }"""
    for server in both(stage, policy):
        for helo, sender, recipient, told in STAGES:
            with server.program.connect() as client:
                reply = client.envelope(f"{sender}@example.org",
                                        f"{recipient}@example.com", helo=helo)
                if reply.code == 250:
                    reply = client.data(lines(b"From: a@example.org"))
                equal(client.say("QUIT").code if reply.code != 421
                      else 221 * client.closed(), 221, "the end")
            equal([line.split(" [")[0].replace(
                f"<{recipient}@example.com>... ", "")
                for line in reply.lines], told, server.name)
        equal(len(server.filterd.lines("rejected")), len(
            server.filterd.lines("tempfailed")) * 4, "refusals")


def story_long_reply(stage):
    """a reply of many and long lines keeps within 512 octets, and has its end"""
    text = "100% " * 300 + "%" * 600 + "\\n" + "line\\n" * 50 + "last"
    for server in both(stage, f"""at message {{ reject no
            reply 550 5.7.1 "{text}" }}"""):
        reply = server.say(lines(b"From: a@example.org"))
        equal((reply.code, reply.enhanced), (550, "5.7.1"), server.name)
        check("last [" in reply.lines[-1], f"{server.name}: {reply}")


def story_many_recipients(stage):
    """of several hundred recipients those that are discarded are taken away"""
    recipients = [f"{'go' if n % 5 else 'stay'}{n}@example.com"
                  for n in range(200)]
    for server in both(stage, """
            at rcpt { discard quietly if rcpt.local matches "^go" }
            at message { rewrite add-recipient("more@example.com") }"""):
        before = len(server.program.delivered())
        equal(server.say(lines(b"From: a@example.org"), recipients).code, 250,
              server.name)
        wait_until(lambda: sum(len(message.recipients) for message in
                               server.program.delivered()[before:]) >= 41,
                   server.name)
        got = sum((message.recipients for message
                   in server.program.delivered()[before:]), [])
        equal(sorted(got), sorted([name for name in recipients if
                                   name[0] == "s"] + ["more@example.com"]),
              server.name)


def story_group(stage):
    """recipients that are judged differently come in transactions of their own"""
    recipients = [f"{kind}{n}@example.com" for n in range(8)
                  for kind in ("open", "strict")]
    for server in both(stage, """
            at rcpt { accept lenient if rcpt.local matches "^open" }
            at message { reject no }"""):
        with server.program.connect() as client:
            client.envelope("a@example.org")
            codes = [client.say(f"RCPT TO:<{name}>").code
                     for name in recipients]
            equal(codes, [250, 452] * 8, server.name)
            equal(client.data(lines(b"From: a@example.org")).code, 250,
                  server.name)


def story_all_discarded(stage):
    """where each recipient is discarded the message is taken, and nobody gets it"""
    for server in both(stage, 'at rcpt { discard quietly }'):
        equal(server.say(lines(b"From: a@example.org"),
                         ["a@example.com", "b@example.com"]).code, 250,
              server.name)
        equal(server.program.delivered(), [], server.name)


def story_hold(stage):
    """what is quarantined is held under the rule's name, and can be released"""
    for server in both(stage, "set quarantine spool\n"
                              "at message { quarantine doubtful }"):
        equal(server.say(lines(b"From: a@example.org")).code, 250, server.name)
        queue = server.filterd.wait_line("quarantined")[-1]["queue"]
        wait_until(lambda: server.program.held() == [queue], server.name)
        server.program.release()
        message, = server.program.delivered(1)
        equal(message.named("X-Filterd-Quarantine"), [], server.name)
        kept = os.listdir(os.path.join(server.filterd.state, "quarantine"))
        equal([name for name in kept if name != ".tally"], [], "kept here")


def story_envelope(stage):
    """the sender is another one, whatever MAIL said beside it, or none"""
    for server in both(stage, """at message {
            rewrite set-sender("") if mail.from = "null@example.org"
            rewrite set-sender("b@example.net")
                    if mail.from != "null@example.org" }"""):
        for number, (words, sender) in enumerate([
                ("<null@example.org>", ""),
                ("<a@example.org> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2By",
                 "b@example.net"), ("<> BODY=7BIT", "b@example.net")], 1):
            with server.program.connect() as client:
                client.envelope("a@example.org")
                client.say("RSET")
                equal(client.say("MAIL FROM:" + words).code, 250, server.name)
                client.say("RCPT TO:<bob@example.com> NOTIFY=FAILURE "
                           "ORCPT=rfc822;x@example.com")
                equal(client.data(lines(b"From: a@example.org")).code, 250,
                      server.name)
            equal(server.program.delivered(number)[-1].sender, sender,
                  f"{server.name}: {words}")


def story_waiting(stage):
    """a mail server that waits no longer than 17 s hears that there is life"""
    servers = both(stage, """use spf
        at message { reject dead if spf.result = temperror
                     reply 550 5.7.0 "dead" }""",
                   stage.silence(), dns_options="timeout 20s budget 24s")
    with ThreadPoolExecutor() as threads:
        replies = list(threads.map(
            lambda server: server.say(lines(b"From: a@example.org")), servers))
    equal([reply.text.split(" [")[0] for reply in replies], ["dead", "dead"],
          "the replies")


def story_body(stage):
    """the body is another one, however large it is"""
    policy = """use stranger
        at message {
            rewrite stranger.body("short", 1) if rcpt.local = "short"
            rewrite stranger.body(".a line of a long body", 9000)
                    if rcpt.local = "long"
            rewrite stranger.body("", 0) if rcpt.local = "none" }"""
    for server in both(stage, policy, build=stage.tree("stranger")):
        for name, body in (("short", b"short\r\n"), ("none", b""),
                           ("long", b".a line of a long body\r\n" * 9000)):
            message, = server.deliver(lines(b"From: a@example.org"),
                                      [name + "@example.com"])
            check(message.body == body,
                  f"{server.name}: {message.body[:100]} for {name}")


def story_chunks(stage):
    """a body in several pieces, and one behind an early accept, arrive whole"""
    body = b"\r\n".join(b"%d" % n + b"x" * 900 for n in range(400))
    for server in both(stage, """use dkim
            at rcpt { accept ours if rcpt.local = "ours" }"""):
        for name in ("ours", "others"):
            message, = server.deliver(lines(b"From: a@example.org", body=body),
                                      [name + "@example.com"])
            check(message.body == body + b"\r\n", server.name)


def story_newlines(stage):
    """of a bare CR or LF that is what is judged which Postfix makes of it"""
    postfix, sendmail = both(stage, """use dkim
        at message { rewrite remove-header("X-Gone")
                     rewrite change-header("X-Kind", "changed") }""")
    odd = lines(b"X-One: one\rX-Kind: no", b"X-Gone: one\nX-gone: two",
                b"X-Two:\r\n\t\r\n two", b"X-Kind: one",
                b"From: a@example.org", body=b"a\rb")
    message, = postfix.deliver(odd)
    equal((message.named("X-Gone"), message.named("X-Kind"), message.body),
          ([], ["changed"], b"a b\r\n"), "the message")
    equal(sendmail.say(odd).code, 421, "the code of Sendmail")
