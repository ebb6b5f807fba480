"""policyd_spf.py: policyd-spf.conf(5) of spf-engine, as a policy service and as
a milter, and postfix-policyd-spf-perl(1), which has two files instead."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import re

from . import reader
from .opendkim import OWN_LOG, OWN_SERVICE
from .policy import either, plain, quoted
from .rows import Program, needless, none, option, to

LOCAL = ["127.0.0.0/8", "::1"]
SKIPPED = "a `list`, and a `let` that no SPF rule concerns"
REASON = "Message {rejectdefer} due to: {spf}."
# Which results are refused.
REFUSED = {
    "fail": ["fail"],
    "null": ["fail"],
    "softfail": ["fail", "softfail"],
    "spf_not_pass": ["fail", "softfail", "neutral", "permerror"],
    "false": [],
    "no_check": [],
}


def authserv_id(program, setting):
    if setting.value.upper() != "HOSTNAME":
        program.policy.set("authserv-id", setting.value, setting.where)


def budget(program, setting):
    program.policy.ask("budget", "%ds" % int(setting.value), setting.where)


TABLE = {
    "debugLevel": OWN_LOG,
    "TestOnly": to("`would` at all SPF rules, where it is 0"),
    "defaultSeedOnly": to("as TestOnly"),
    "HELO_reject": to("`reject` at rcpt, by `spf.helo`: Fail is fail, "
                      "Softfail also softfail, SPF_Not_Pass also neutral and "
                      "permerror, Null is fail with `mail.from = \"\"`; no "
                      "rule for False and No_Check"),
    "HELO_pass_restriction": none("restriction classes are Postfix's: say "
                                  "what it does as a rule on `spf.helo`"),
    "Mail_From_reject": to("`reject` at rcpt, by `spf.result`, as "
                           "HELO_reject"),
    "Mail_From_pass_restriction": none("restriction classes are Postfix's: "
                                       "say what it does as a rule on "
                                       "`spf.result`"),
    "No_Mail": to("`would` at the rules that reject: no fact says that a "
                  "record is `v=spf1 -all`"),
    "Reject_Not_Pass_Domains": to("`reject` at rcpt, if `mail.domain` is in "
                                  "a `list` and `spf.result` softfail or "
                                  "neutral"),
    "PermError_reject": to("`reject` at rcpt, if one of the two is "
                           "permerror"),
    "TempError_Defer": to("`tempfail` at rcpt, if one of the two is "
                          "temperror"),
    "Prospective": none("filterd judges who comes, not who is sent to; "
                        "`filterctl try` does it for one message"),
    "skip_addresses": to(SKIPPED),
    "Whitelist": to(SKIPPED),
    "HELO_Whitelist": to("as Domain_Whitelist_PTR, by the client's "
                         "confirmed name, which is what its greeting should "
                         "be; not by an A record alone"),
    "Domain_Whitelist": none("no other domain's record is evaluated for a "
                             "client: write its networks into the list of "
                             "Whitelist"),
    "Domain_Whitelist_PTR": to("`client.fcrdns and client.name in`, the "
                               "domains and what is below them"),
    "SPF_Enhanced_Status_Codes": to("5.7.23 and 4.7.24 in the replies; 5.7.1 "
                                    "and 4.7.1 for No"),
    "Header_Type": to("SPF is `rewrite spf.received()`; AR is there without "
                      "a setting, also for None"),
    "Hide_Receiver": option("spf", "receiver %s", lambda text: "unknown"),
    "Authserv_Id": to("`set authserv-id`", authserv_id),
    "Lookup_Time": to("`dns { budget }`", budget),
    "Whitelist_Lookup_Time": needless("`dns { budget }` is for all lookups"),
    "Void_Limit": option("spf", "void-limit %d", int),
    "Mock": needless("a milter of Postfix sees every field of ours"),
    "QueueID": OWN_LOG,
    "Reason_Message": to("the text of the replies, without {url}"),
    "Per_User": none("write rules with `rcpt.to`: `and rcpt.to not in`"),
    "Socket": needless("`listen` has an address of its own, so that both may "
                       "run for a while"),
    "PidFile": OWN_SERVICE,
    "UserID": OWN_SERVICE,
    "UMask": OWN_SERVICE,
    "InternalHosts": to(SKIPPED),
    "MacroList": none("macros are no facts: say it by `client.ip` or "
                      "`auth.user`"),
    "MacroListVerify": none("as MacroList"),
}

PERL_TABLE = {
    "exempt_spf_addresses": to("the networks of that file: " + SKIPPED),
    "exempt_spf_domains": to("`mail.domain` in that `let`"),
    "-v": OWN_LOG,
}


def results(fact, names):
    return either(*["%s = %s" % (fact, name) for name in names])


class Spf(Program):
    """What both have: rules at rcpt, and who is left alone."""

    def refuse(self, verdict, name, condition, where):
        fact = "spf.helo" if name == "spf-helo" else "spf.result"
        reason = self.harmless(verdict)
        if reason:
            verdict, where = "would " + verdict, where + ", " + reason.where
        self.policy.rule("rcpt", verdict, name,
                         [condition] + self.guards, where,
                         self.reply(verdict.split()[-1], fact))

    def exempt(self, found, where):
        return ["not " + self.policy.let("spf-exempt", found, where)] \
            if found else []


class PolicydSpf(Spf):
    title = "policyd-spf"
    table = TABLE
    settings_of = staticmethod(reader.assignments)

    def is_true(self, name):
        return self.text(name, "").lower() in ("true", "yes", "1")

    def items(self, name):
        return [item for item in re.split(r"[\s,]+", self.text(name, ""))
                if item]

    def harmless(self, verdict):
        """The setting that keeps it from being carried out."""
        only = self.get("TestOnly") or self.get("defaultSeedOnly")
        if only and only.value == "0":
            return only
        return self.get("No_Mail") if verdict == "reject" \
            and self.is_true("No_Mail") else None

    def reply(self, verdict, fact):
        word, code, status, old = {
            "reject": ("rejected", "550", "5.7.23", "5.7.1"),
            "tempfail": ("deferred", "451", "4.7.24", "4.7.1")}[verdict]
        if self.text("SPF_Enhanced_Status_Codes", "yes").lower() == "no":
            status = old
        text = re.sub(r"[^.]*\{url\}", "", self.text("Reason_Message", REASON))
        parts = [plain(part) for part in
                 re.split(r"\{rejectdefer\}|\{spf\}", text)]
        words = [{"{rejectdefer}": word, "{spf}": "SPF {%s}" % fact}[found]
                 for found in re.findall(r"\{rejectdefer\}|\{spf\}", text)]
        text = parts[0] + "".join(
            one + other for one, other in zip(words, parts[1:]))
        return "%s %s %s" % (code, status, quoted(text.strip() or "SPF"))

    # ---- everything --------------------------------------------------------

    def carry(self, guards=()):
        self.settle()
        self.policy.use("spf", where=self.title)
        self.guards = self.left_alone() + list(guards)
        if self.is_true("No_Mail"):
            self.policy.lose(self.where("No_Mail"), TABLE["No_Mail"].text)
        helo = self.identity("HELO_reject", "spf.helo", "spf-helo")
        mail = self.identity("Mail_From_reject", "spf.result", "spf-fail")
        self.not_pass_domains()
        self.errors([fact for fact, wanted in
                     (("spf.helo", helo), ("spf.result", mail)) if wanted])
        if self.text("Header_Type", "SPF").upper() == "SPF":
            self.policy.rewrite("message", "spf.received()",
                                self.guards, self.where("Header_Type"))

    def left_alone(self):
        names = ("skip_addresses", "Whitelist", "InternalHosts")
        skipped = self.items(names[0]) if self.get(names[0]) else LOCAL
        hosts = reader.Hosts(skipped + self.items(names[1])
                             + self.items(names[2]))
        found = hosts.conditions(self.policy, "spf-skipped",
                                 self.where(*names))
        for name in ("HELO_Whitelist", "Domain_Whitelist_PTR"):
            if self.items(name):
                found.append("client.fcrdns and client.name in "
                             + self.policy.list(
                                 "spf-" + name.lower().replace("_", "-"),
                                 "domain", reader.domains(self.items(name)),
                                 self.where(name)))
        return self.exempt(found, self.where(
            *names, "HELO_Whitelist", "Domain_Whitelist_PTR"))

    def identity(self, setting, fact, name):
        """Whether that identity may be refused at all."""
        word = self.text(setting, "Fail").lower()
        wanted = REFUSED.get(word)
        if wanted is None:
            self.policy.lose(self.where(setting), "there is no such choice")
            wanted = REFUSED["fail"]
        if wanted:
            condition = results(fact, wanted)
            if word == "null":
                condition += ' and mail.from = ""'
            elif fact == "spf.result":
                condition += ' and mail.from != ""'
            self.refuse("reject", name, condition, self.where(setting))
        return word not in ("false", "no_check")

    def not_pass_domains(self):
        names = self.items("Reject_Not_Pass_Domains")
        if names:
            where = self.where("Reject_Not_Pass_Domains")
            domains = self.policy.list("spf-strict", "domain", names, where)
            self.refuse("reject", "spf-not-pass", "mail.domain in %s and %s"
                        % (domains, results("spf.result",
                                            ["softfail", "neutral"])), where)

    def errors(self, facts):
        for setting, verdict, result in (
                ("PermError_reject", "reject", "permerror"),
                ("TempError_Defer", "tempfail", "temperror")):
            if facts and self.is_true(setting):
                self.refuse(verdict, "spf-" + result, either(
                    *["%s = %s" % (fact, result) for fact in facts]),
                    self.where(setting))


class PerlSpf(Spf):
    title = "postfix-policyd-spf-perl"
    table = PERL_TABLE

    def read(self, folder):
        self.present = True
        for name in ("exempt_spf_addresses", "exempt_spf_domains"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                self.sources.append(path)
                with open(path, encoding="utf-8", errors="replace") as file:
                    self.take(reader.Setting(name, file.read(), path))

    def items(self, name):
        return [item for item in re.split(r"[\s,]+", self.text(name, ""))
                if item]

    def harmless(self, _):
        return None

    def reply(self, verdict, fact):
        text = "SPF {%s}" % fact
        return {"reject": '550 5.7.23 "%s: {spf.explanation}"' % text,
                "tempfail": '451 4.7.24 "%s"' % text}[verdict]

    def carry(self, guards=()):
        self.settle()
        self.policy.use("spf", where=self.title)
        found = reader.Hosts(
            LOCAL + self.items("exempt_spf_addresses")).conditions(
                self.policy, "spf-skipped", self.where("exempt_spf_addresses"))
        domains = self.items("exempt_spf_domains")
        if domains:
            found.append("known mail.domain and mail.domain in " + self.policy.list(
                "spf-domains", "domain", domains,
                self.where("exempt_spf_domains")))
        self.guards = self.exempt(found, self.title) + list(guards)
        for verdict, result in (("reject", "fail"), ("tempfail", "temperror")):
            self.refuse(verdict, "spf-" + result, either(
                "spf.helo = " + result, "spf.result = " + result), self.title)
        self.policy.rewrite("message", "spf.received()", self.guards,
                            self.title)
