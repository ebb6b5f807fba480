# play.py: plays a scenario over a wire and looks at what came of it.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import shlex
import time

from .account import Account
from .dns import text_record
from .failure import Failure, check, equal
from .filterd import parse_line
from .program import wait_until
from .scenario import Broken, Step
from .signer import key_record, private_key, verify, verify_by_perl
from .wires import WIRES

# What a step is answered unless the scenario says otherwise.
YES = {"client": 220, "helo": 250, "mail": 250, "rcpt": 250, "message": 250,
       "reset": 250, "quit": 221, "long": 250}
# Lines of the log that are no decisions: a story has to announce them.
TROUBLE = ("backend", "store", "proxy", "rewrite", "accept", "hook", "plugin")


class Play:
    def __init__(self, scenario, stage, excuses):
        self.scenario = scenario
        self.excuses = excuses
        self.stage = stage
        self.sent = []  # messages that were answered 250
        self.open = False
        self.keys = {}
        self.account = Account(excuses.fields)
        self.build_parts()

    # ---- parts -------------------------------------------------------------

    def build_parts(self):
        scenario, stage = self.scenario, self.stage
        for name, text in scenario.files.items():
            with open(os.path.join(stage.directory, name), "w",
                      encoding="utf-8") as file:
                file.write(text)
        for message in scenario.messages.values():
            for selector, domain in message.signatures:
                self.keys[f"{selector}._domainkey.{domain}"] = \
                    key_record(selector, domain)
        for line in scenario.parts.get("key", []):
            self.write_key(*line.split())
        self.dns = self.build_dns()
        self.wire = WIRES[stage.options.wire](stage)
        self.backend = self.build_backend()
        self.filterd = stage.filterd(
            scenario.policy, self.backend, self.dns,
            listen="\n".join(scenario.parts.get("listen", [])),
            identity=scenario.part("identity", "xclient"),
            to_backend=" ".join(scenario.parts.get("backend-option", [])),
            workers=scenario.part("workers", 1),
            dns_options=scenario.part("dns-options", "timeout 2s budget 5s"),
            **self.wire.listener())
        self.wire.filterd = self.filterd

    def write_key(self, domain, selector, kind="rsa"):
        """SELECTOR.pem beside the configuration, its record in the DNS."""
        self.keys[f"{selector}._domainkey.{domain}"] = \
            key_record(selector, domain, kind)
        with open(os.path.join(self.stage.directory, selector + ".pem"),
                  "wb") as file:
            file.write(private_key(selector, domain, kind))

    def build_dns(self):
        if self.scenario.part("dns") == "silent":
            return self.stage.silence()
        records = self.scenario.zone + [text_record(name, text)
                                        for name, text in self.keys.items()]
        return self.stage.nsd(records, self.scenario.parts.get("broken", []))

    def build_backend(self):
        backend = self.wire.build_backend(self.scenario.part("backend"))
        for line in self.scenario.parts.get("fault", []):
            step, action, *match = shlex.split(line)
            backend.fault(step, action.encode().decode("unicode_escape"),
                          *match)
        return backend

    # ---- the dialogue ------------------------------------------------------

    def perform(self):
        for step in self.scenario.dialogue:
            try:
                self.take(step)
            except Failure as failure:
                raise Failure(f"{step.line}\n{failure}\n"
                              f"{self.wire.story()}") from None
        if self.open:
            self.wire.quit()

    def take(self, step):
        act = getattr(self, "do_" + step.word.replace("-", "_"), None)
        if act is None:
            raise Broken(f"{self.scenario.path}: no such step: {step.line}")
        reply = act(step)
        if reply is not None:
            self.account.take_reply(step, reply)
            self.excuses.ask(step.line,
                             lambda line: self.compare(Step(line), reply))

    def compare(self, step, reply):
        expected = step.expectation
        code = expected.code if expected else YES.get(step.word, reply.code)
        equal(reply.code, code, f"the code of {str(reply)!r}")
        if expected is None:
            return
        if expected.enhanced:
            equal(reply.enhanced, expected.enhanced, "the enhanced code")
        for text in expected.texts:
            check(text in reply.text, f"{text!r} is not in {reply.text!r}")
        if expected.rule:
            self.compare_rule(expected, reply)

    def compare_rule(self, expected, reply):
        """The log tells the rule; a refusal names the line of the log. What the
        backend said is told as it was said."""
        if reply.code >= 400 and expected.rule != "-backend":
            check(reply.session, f"no session id in {str(reply)!r}")
            lines = self.filterd.wait_line(rule=expected.rule,
                                           session=reply.session)
            check(lines[-1]["reply"].startswith(str(reply.code)),
                  f"the log has the reply {lines[-1]['reply']!r}")
        else:
            self.filterd.wait_line(rule=expected.rule)

    def do_client(self, step):
        if self.open:
            self.wire.quit()
        self.open = True
        return self.wire.connect(step.argument)

    def do_helo(self, step):
        return self.wire.helo(step.argument)

    def do_helo_plain(self, step):
        return self.wire.helo(step.argument, extended=False)

    def do_mail(self, step):
        return self.wire.mail(*step.path())

    def do_rcpt(self, step):
        return self.wire.rcpt(*step.path())

    def do_message(self, step):
        message = self.scenario.messages[step.argument]
        reply = self.wire.message(message.octets)
        if reply.code == 250:
            self.sent.append(message)
        return reply

    def do_reset(self, _):
        return self.wire.reset()

    def do_quit(self, _):
        self.open = False
        return self.wire.quit()

    def do_closed(self, _):
        self.open = False
        check(self.wire.closed(), "the connection is still open")

    def do_say(self, step):
        return self.wire.say(step.argument)

    def do_raw(self, step):
        octets = step.words()[0].encode("latin-1").decode("unicode_escape")
        return self.wire.raw(octets.encode("latin-1"))

    def do_long(self, step):
        """NOOP in a line of so many octets and CR LF."""
        line = "NOOP " + "x" * (int(step.argument) - len("NOOP "))
        return self.wire.say(line)

    def do_second(self, step):
        """Another client, which comes while the first is there."""
        return self.wire.second(step.argument)

    def do_reply(self, _):
        return self.wire.reply()

    def do_wait(self, step):
        time.sleep(float(step.argument))

    def do_restart(self, _):
        if self.open:
            self.wire.quit()
            self.open = False
        self.filterd.stop()
        self.filterd.start()

    # ---- afterwards --------------------------------------------------------

    def look(self):
        for checks, module in ((self.scenario.delivered, self.look_delivered),
                               (self.scenario.log, self.look_log),
                               (self.scenario.dns, self.look_dns)):
            module(checks)
        self.look_trouble()

    def settle(self, other):
        """Nothing more can come. It is the same that came by another wire."""
        self.filterd.stop()
        self.account.take_log(self.filterd.lines())
        if other is not None:
            self.account.compare(other, self.excuses)
        self.excuses.check_used()

    def look_trouble(self):
        announced = " ".join(self.scenario.log)
        for line in self.filterd.text().splitlines():
            parsed = parse_line(line)
            if parsed and parsed["event"] in TROUBLE:
                check(parsed["event"] in announced,
                      f"an unannounced line in the log: {line}")

    def look_delivered(self, lines):
        expected = len(self.sent)
        for line in lines:
            if line.startswith("messages "):
                expected = int(line.split()[1])
        messages = self.wire.delivered(expected)
        equal(len(messages), expected, "messages delivered")
        self.account.take_messages(messages)
        index = 0
        for line in lines:
            word, _, argument = line.partition(" ")
            if word == "message":
                index = int(argument) - 1
            elif word != "messages":
                self.excuses.ask(line, lambda line, index=index: self.look_at(
                    messages[index], line, index))

    def look_at(self, message, line, index):
        word, _, argument = line.partition(" ")
        look = getattr(self, "see_" + word.replace("-", "_"), None)
        if look is None:
            raise Broken(f"{self.scenario.path}: no such question: {word}")
        try:
            look(message, argument, index)
        except Failure as failure:
            head = message.octets.partition(b"\r\n\r\n")[0]
            raise Failure(f"{word} {argument}: {failure}\n"
                          + head[:4000].decode("utf-8", "replace")) from None

    def see_from(self, message, argument, _):
        equal(message.sender, argument.strip("<>"), "reverse-path")

    def see_to(self, message, argument, _):
        order = list if self.wire.ordered else sorted
        equal(order(message.recipients), order(argument.split()), "recipients")

    def see_top(self, message, argument, _):
        names = [name for name, _ in message.fields]
        expected = argument.split()
        equal(names[:len(expected)], expected, "the fields on top")

    def see_has(self, message, argument, _):
        name, _, value = argument.partition(": ")
        found = message.named(name)
        check(any(value in text for text in found), f"found {found}")

    def see_lacks(self, message, argument, _):
        name, _, value = argument.partition(": ")
        found = [text for text in message.named(name) if value in text]
        check(not found, f"found {found}")

    def see_is(self, message, argument, _):
        """The first field of that name, white space aside."""
        name, _, value = argument.partition(": ")
        found = message.named(name)
        check(found, "there is none")
        equal(re.sub(r"\s+", " ", found[0]), value, name)

    def see_matches(self, message, argument, _):
        name, _, pattern = argument.partition(": ")
        found = message.named(name)
        check(any(re.fullmatch(pattern, re.sub(r"\s+", " ", text))
                  for text in found), f"found {found}")

    def see_count(self, message, argument, _):
        name, number = argument.split()
        equal(len(message.named(name)), int(number), name)

    def see_body(self, message, argument, index):
        equal(argument, "same", "what `body` is asked")
        sent = self.sent[index].body
        if not sent.endswith(b"\r\n"):
            sent += b"\r\n"
        check(message.body == sent,
              f"{len(message.body)} octets, sent {len(sent)}")

    def see_contains(self, message, argument, _):
        octets = argument.encode().decode("unicode_escape").encode("latin-1")
        check(octets in message.octets, f"{message.octets!r}")

    def see_verifies(self, message, argument, _):
        """By the signatures of just these domains."""
        equal(verify(message.octets, self.keys), argument.split(),
              "domains that verify")

    def see_verifies_too(self, message, argument, _):
        """The same by another verifier."""
        equal(verify_by_perl(message.octets, self.keys), argument.split(),
              "domains that verify by Mail::DKIM")

    def see_xclient(self, message, argument, _):
        name, _, value = argument.partition("=")
        equal(message.xclient.get(name), value, f"XCLIENT {name}")

    def see_xclient_none(self, message, _argument, _index):
        equal(message.xclient, {}, "XCLIENT")

    def see_postfix(self, _message, argument, _):
        wait_until(lambda: argument in self.backend.log_text(),
                   f"Postfix's log has {argument}")

    def look_log(self, lines):
        for line in lines:
            self.excuses.ask(line, self.look_log_line)

    def look_log_line(self, line):
        word, *tokens = shlex.split(line)
        times = int(tokens.pop(0)) if word == "times" else None
        found = len(self.log_lines(tokens))
        if word == "lacks" or times is not None:
            equal(found, times or 0, f"lines of the log with {tokens}")
        else:
            self.wait_log(tokens)

    def wait_log(self, tokens):
        event, fields = self.question(tokens)
        self.filterd.wait_line(event, **fields)

    def log_lines(self, tokens):
        event, fields = self.question(tokens)
        return self.filterd.lines(event, **fields)

    @staticmethod
    def question(tokens):
        event = tokens[0] if tokens and "=" not in tokens[0] else None
        pairs = [token.split("=", 1) for token in tokens if "=" in token]
        return event, {name.replace("-", "_"): value for name, value in pairs}

    def look_dns(self, lines):
        for line in lines:
            word, number = line.split()
            equal(word, "queries", "what [dns] is asked")
            equal(self.dns.queries(), int(number), "DNS queries")
