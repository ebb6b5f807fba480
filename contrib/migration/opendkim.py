"""opendkim.py: opendkim.conf(5): what is signed for whom, and what becomes of
mail whose signatures do not pass."""

# SPDX-License-Identifier: BSD-2-Clause

import collections
import os
import re

from . import reader
from .policy import pattern, quoted
from .rows import Program, needless, none, option, switch, to
from .reader import Unreadable

LUA = none("there are no scripts; rules say it, or a plugin")
LDAP = none("nothing is read from LDAP")
OWN_SERVICE = needless("filterd has a user, a process and files of its own")
OWN_LOG = needless("there is one line in the log for each decision")
RESTART = needless("the master starts a worker anew, with pauses")
FAILURE_REPORTS = switch("reports on single messages are not made")
EXPERIMENT = none("an experiment of OpenDKIM that nothing here is like")
STATISTICS = none("`/metrics` counts instead")
HOSTS = "a `list`, and a `let` that is true for its hosts"
ON = "`%s` at message, if `dkim.result` is %s"

VERDICTS = {"a": None, "d": "discard", "q": "quarantine", "r": "reject",
            "t": "tempfail"}
# The rule's setting, what OpenDKIM does without it, and which results it means.
RESULTS = [
    ("On-BadSignature", "accept", "fail"),
    ("On-KeyNotFound", "accept", "permerror"),
    ("On-NoSignature", "accept", "none"),
    ("On-DNSError", "tempfail", "temperror"),
]


def canonicalization(text):
    """One word is the header's; a body without one is simple."""
    header, _, body = text.lower().partition("/")
    return "%s/%s" % (header, body or "simple")


def authserv_id(program, setting):
    if setting.value != "HOSTNAME":
        program.policy.set("authserv-id", setting.value, setting.where)


def dns_timeout(program, setting):
    program.policy.ask("timeout", "%ds" % int(setting.value), setting.where)


def nameservers(program, setting):
    servers = re.split(r"[\s,]+", setting.value)
    program.policy.ask("resolver", " ".join(
        server + "@53" for server in servers), setting.where)


def trust_anchor(program, setting):
    if os.path.exists(setting.value):
        program.policy.ask("trust-anchor", quoted(setting.value),
                           setting.where)
    else:
        program.policy.lose(setting.where, "%s is not there" % setting.value)


def fields(word):
    """A list of header fields; `*` begins a change of OpenDKIM's own."""
    def act(program, setting):
        names = program.keys(setting)
        if "*" in names or any(name[:1] in "+-" for name in names):
            program.policy.lose(setting.where, "it changes OpenDKIM's own "
                                "list: write all names after `%s`" % word)
            return
        names = program.policy.fit(
            "field", [name for name in names if name != "."], setting.where)
        if names:
            program.policy.option("dkim", " ".join([word] + names),
                                  setting.where)
    return to("`use dkim { %s }`; not where it begins with `*`" % word, act)


TABLE = {
    "AllowSHA1Only": needless("there is always SHA-256"),
    "AlwaysAddARHeader": needless("there is always a result"),
    "AuthservID": to("`set authserv-id`", authserv_id),
    "AuthservIDWithJobID": switch("the session's id is in Received"),
    "AutoRestart": RESTART,
    "AutoRestartCount": RESTART,
    "AutoRestartRate": RESTART,
    "Background": OWN_SERVICE,
    "BaseDirectory": to("the folder of relative paths"),
    "BodyLengthDB": none("the whole body is signed, always"),
    "BogusKey": needless("such a signature does not pass"),
    "CaptureUnknownErrors": switch("what cannot be judged is 451"),
    "Canonicalization": option("dkim", "canonicalization %s",
                               canonicalization),
    "ChangeRootDirectory": OWN_SERVICE,
    "ClockDrift": option("dkim", "clock-drift %ds", int),
    "Diagnostics": switch("z= would publish the header"),
    "DiagnosticDirectory": none("`dkim.problem` tells why"),
    "DisableCryptoInit": OWN_SERVICE,
    "DNSConnect": switch("TCP is used where an answer does not fit"),
    "DNSTimeout": to("`dns { timeout }`", dns_timeout),
    "Domain": to("`use dkim { key }` with Selector and KeyFile"),
    "DomainKeysCompat": switch("DomainKeys is historic (RFC 4870)"),
    "DontSignMailTo": to("`and rcpt.to not in` at the signing rule"),
    "EnableCoredumps": needless("the unit's LimitCORE"),
    "ExemptDomains": to("`and header.from.domain not in` at all rules"),
    "ExternalIgnoreList": needless("it only kept the log silent"),
    "FinalPolicyScript": LUA,
    "FixCRLF": switch("`set line-endings normalize` is the nearest"),
    "IdentityHeader": EXPERIMENT,
    "IdentityHeaderRemove": EXPERIMENT,
    "IgnoreMalformedMail": switch("`header.from.problem` is what is wrong"),
    "Include": to("the settings of that file"),
    "InternalHosts": to(HOSTS + ", which are signed for; 127.0.0.1 without"),
    "KeepAuthResults": switch("forged results in our name are removed"),
    "KeepTemporaryFiles": switch("`filterctl try --message-out` shows a "
                                 "message as it is signed"),
    "KeyFile": to("`use dkim { key }` with Domain and Selector"),
    "KeyTable": to("`use dkim { key }`, for each that SigningTable names; "
                   "not for keys that stand in the table itself"),
    "LDAPAuthMechanism": LDAP,
    "LDAPAuthName": LDAP,
    "LDAPAuthRealm": LDAP,
    "LDAPAuthUser": LDAP,
    "LDAPBindPassword": LDAP,
    "LDAPBindUser": LDAP,
    "LDAPDisableCache": LDAP,
    "LDAPKeepaliveIdle": LDAP,
    "LDAPKeepaliveInterval": LDAP,
    "LDAPKeepaliveProbes": LDAP,
    "LDAPTimeout": LDAP,
    "LDAPUseTLS": LDAP,
    "LogResults": OWN_LOG,
    "LogWhy": needless("`filterctl try` tells why"),
    "MacroList": none("macros are no facts: say it by `client.ip` or "
                      "`auth.user`"),
    "MaximumHeaders": none("the limit is 256 KiB"),
    "MaximumSignaturesToVerify": option("dkim", "signatures %d", int),
    "MaximumSignedBytes": none("the whole body is signed, always"),
    "MilterDebug": OWN_LOG,
    "Minimum": none("the whole body has to be signed, unless "
                    "`use dkim { partial-body allow }`", ("0",)),
    "MinimumKeyBits": option("dkim", "minimum-key-bits %d", int),
    "Mode": to("without s no signing rule, without v no refusal"),
    "MTA": none("one `listen` is one daemon: say it by `client.ip` or "
                "`auth.user`"),
    "MTACommand": needless("`filterctl report` speaks SMTP"),
    "MultipleSignatures": to("each row of SigningTable signs, not the first "
                             "that fits"),
    "MustBeSigned": none("`dkim.problem` tells what a signature leaves "
                         "uncovered; nothing refuses it"),
    "Nameservers": to("`dns { resolver }`", nameservers),
    "NoHeaderB": switch("header.b is always there (RFC 6008)"),
    "OmitHeaders": none("`use dkim { sign-headers }` names what is signed"),
    "On-BadSignature": to(ON % ("VERDICT", "fail")),
    "On-Default": to("those of these that are not set"),
    "On-DNSError": to(ON % ("VERDICT", "temperror") + "; tempfail without"),
    "On-InternalError": needless("what cannot be judged is 451"),
    "On-KeyNotFound": to(ON % ("VERDICT", "permerror")),
    "On-NoSignature": to(ON % ("VERDICT", "none")),
    "On-Security": needless("bad input has a table in filterd(8)"),
    "On-SignatureError": needless("what is to be signed and cannot be is 451"),
    "OversignHeaders": fields("oversign"),
    "PeerList": to(HOSTS + ", which no rule of these concerns"),
    "PidFile": OWN_SERVICE,
    "POPDBFile": none("POP before SMTP: `auth.user` is who may send"),
    "Quarantine": to(ON % ("quarantine", "fail")),
    "QueryCache": needless("answers are cached as long as they hold"),
    "RedirectFailuresTo": none("no rule replaces all recipients; "
                               "`quarantine` is the nearest"),
    "RemoveARAll": switch("results of other names are left as they are"),
    "RemoveARFrom": none("those of our authserv-id are removed; no others"),
    "RemoveOldSignatures": to("`rewrite remove-header(\"DKIM-Signature\")`"),
    "ReplaceHeaders": EXPERIMENT,
    "ReplaceRules": EXPERIMENT,
    "ReportAddress": FAILURE_REPORTS,
    "ReportBccAddress": FAILURE_REPORTS,
    "RequestReports": FAILURE_REPORTS,
    "RequiredHeaders": to("`reject` at message, by `header.from.problem`; "
                          "other fields are not counted"),
    "RequireSafeKeys": needless("keys are read before privileges are "
                                "dropped: let root alone read them"),
    "ResignAll": EXPERIMENT,
    "ResignMailTo": EXPERIMENT,
    "ResolverConfiguration": none("`dns` has the settings of the resolver"),
    "ResolverTracing": switch("each answer is in `filterctl try`"),
    "ScreenPolicyScript": LUA,
    "SelectCanonicalizationHeader": none("no message chooses how it is "
                                         "signed"),
    "Selector": to("`use dkim { key }` with Domain and KeyFile"),
    "SenderHeaders": none("the author is who From names"),
    "SenderMacro": EXPERIMENT,
    "SendReports": FAILURE_REPORTS,
    "SetupPolicyScript": LUA,
    "SignatureAlgorithm": needless("rsa-sha256 or ed25519-sha256, by the "
                                   "key"),
    "SignatureTTL": option("dkim", "signature-lifetime %ds", int),
    "SignHeaders": fields("sign-headers"),
    "SigningTable": to("`rewrite dkim.sign()` at mail where each domain has "
                       "its own keys; else `rewrite dkim.sign(D, S)` at "
                       "message, for each row"),
    "SMTPURI": EXPERIMENT,
    "Socket": needless("`listen` has an address of its own, so that both may "
                       "run for a while"),
    "SoftStart": LDAP,
    "SoftwareHeader": switch("Received names what handled the message"),
    "Statistics": STATISTICS,
    "StatisticsName": STATISTICS,
    "StatisticsPolicyScript": STATISTICS,
    "StatisticsPrefix": STATISTICS,
    "StrictHeaders": to("as RequiredHeaders"),
    "StrictTestMode": needless("for tests"),
    "SubDomains": to("`.domain` in the list of the signing rule"),
    "Syslog": OWN_LOG,
    "SyslogFacility": OWN_LOG,
    "SyslogName": OWN_LOG,
    "SyslogSuccess": OWN_LOG,
    "TemporaryDirectory": needless("the spool is in `set state-directory`"),
    "TestDNSData": needless("for tests; `filterctl try --zone`"),
    "TestPublicKeys": needless("for tests; `filterctl try --zone`"),
    "TrustAnchorFile": to("`dns { trust-anchor }`", trust_anchor),
    "TrustSignaturesFrom": none("`dkim.domains` has whose signatures passed; "
                                "a rule may ask which"),
    "UMask": OWN_SERVICE,
    "UnprotectedKey": none("what counts is the signature, not whether the "
                           "DNS answer with its key was signed"),
    "UserID": OWN_SERVICE,
    "VBR-Certifiers": none("Vouch By Reference (RFC 5518) is not asked"),
    "VBR-PurgeFields": none("Vouch By Reference (RFC 5518) is not asked"),
    "VBR-TrustedCertifiers": none("Vouch By Reference (RFC 5518) is not "
                                  "asked"),
    "VBR-TrustedCertifiersOnly": none("Vouch By Reference (RFC 5518) is not "
                                      "asked"),
    "VBR-Type": none("Vouch By Reference (RFC 5518) is not asked"),
    "WeakSyntaxChecks": needless("From has to be one field with one author"),
}

Key = collections.namedtuple("Key", "domain selector file where")
# Whom a row of SigningTable means: its condition, or the whole domain.
Whom = collections.namedtuple("Whom", "condition domain")


def glob(text):
    """A pattern of a refile, of which only `*` is special."""
    inner = ".*".join(re.escape(part) for part in text.split("*"))
    return Whom("header.from.address matches " + pattern("(?i)^%s$" % inner),
                None)


def whom_by_pattern(text):
    local, _, domain = text.partition("@")
    if local == "*" and re.match(r"[\w.-]+$", domain):
        return Whom("header.from.domain = " + quoted(domain), domain.lower())
    if text == "*":
        return Whom(None, None)
    if "*" not in text:
        return Whom("header.from.address = " + quoted(text), None)
    return glob(text)


def whom_by_key(text):
    """Of a table that is not one of patterns; `.domain` is what is below."""
    local, at, domain = text.rpartition("@")
    if text == "*":
        return Whom(None, None)
    if domain == "*":
        return glob(local + "@*")
    if at and not domain.startswith("."):
        return Whom("header.from.address = " + quoted(text), None)
    if text.startswith("."):
        return glob("*@*" + text)
    if domain.startswith("."):
        return glob("%s@*%s" % (local, domain))
    if not re.match(r"[\w.-]+$", text):
        return glob(text)
    return Whom("header.from.domain = " + quoted(text), text.lower())


def precedence(text):
    """Which key of such a table is looked at first; longer ones before."""
    local, _, domain = text.rpartition("@")
    kinds = [local and domain != "*" and domain[:1] != ".",
             not local and text != "*" and text[:1] != ".",
             local and domain[:1] == ".", text[:1] == ".", local, True]
    return [bool(kind) for kind in kinds].index(True), -len(domain)


class OpenDkim(Program):
    title = "OpenDKIM"
    table = TABLE

    def base(self):
        return self.text("BaseDirectory", "/")

    def entries(self, setting):
        try:
            return reader.data_set(setting, self.base())
        except Unreadable as error:
            self.policy.lose(setting.where, str(error))
            return []

    def keys(self, setting):
        return [entry.key for entry in self.entries(setting)]

    def hosts(self, name, setting, default=()):
        where = setting.where if setting else self.where(name)
        found = self.keys(setting) if setting else list(default)
        return reader.Hosts(found).declare(
            self.policy, "dkim-" + name, where)

    # ---- everything --------------------------------------------------------

    def carry(self):
        self.settle()
        self.policy.use("dkim", where="OpenDKIM")
        mode = self.text("Mode", "sv").lower()
        peers = self.hosts("peers", self.get("PeerList"))
        internal = self.hosts("internal", self.get("InternalHosts"),
                              ["127.0.0.1"])
        self.outside = ["not " + peers] if peers else []
        self.outside += self.names_that("ExemptDomains", "domain",
                                        "header.from.domain", True)
        ours = [internal, "known auth.user"] if internal \
            else ["known auth.user"]
        self.ours = self.policy.let("dkim-ours", ours,
                                    self.where("InternalHosts"))
        if "s" in mode:
            self.sign()
        if "v" in mode:
            self.refuse()

    def names_that(self, name, kind, fact, missing=False):
        """A condition that keeps out what the data set has. `missing`: there
        may be no such fact, and then it is not in the set."""
        setting = self.get(name)
        given = self.keys(setting) if setting else []
        found = [item for item in given if "*" not in item]
        if found != given:
            self.policy.lose(setting.where, "patterns are not carried over")
        if not found:
            return []
        names = self.policy.list("dkim-" + name.lower(), kind, found,
                                 setting.where)
        return ["not (known %s and %s in %s)" % (fact, fact, names)] if missing \
            else ["%s not in %s" % (fact, names)]

    # ---- signing -----------------------------------------------------------

    def sign(self):
        self.conditions = [self.ours] + self.outside + self.names_that(
            "DontSignMailTo", "address", "rcpt.to")
        # What rests on From or on recipients is known at message only.
        self.late = len(self.conditions) > 1
        if self.get("SigningTable"):
            for name in ("Domain", "Selector", "KeyFile"):
                if self.get(name):
                    self.policy.need_not(self.where(name),
                                         "there is a SigningTable")
            done = self.sign_by_table()
        else:
            done = self.sign_by_domain()
        if done and self.on("RemoveOldSignatures"):
            self.policy.rewrite("message", 'remove-header("DKIM-Signature")',
                                self.conditions,
                                self.where("RemoveOldSignatures"))

    def add_key(self, key, identity=""):
        text = "key %s %s %s" % (key.domain, key.selector, quoted(key.file))
        if re.match(r"[\w.+-]*@[\w.-]+$", identity):
            text += " identity " + quoted(identity)
        if text not in [option for option, _ in
                        self.policy.use("dkim").options]:
            self.policy.option("dkim", text, key.where)
        if not os.path.exists(key.file):
            self.policy.lose(key.where, "the key %s is not here: put it there"
                             % key.file)

    def sign_all(self, where):
        """Each domain has its own keys, and all of these sign."""
        self.policy.rewrite("message" if self.late else "mail", "dkim.sign()",
                            self.conditions, where)

    def sign_by_domain(self):
        names = ("Domain", "Selector", "KeyFile")
        if not all(self.get(name) for name in names):
            self.policy.need_not(self.where(*names), "without Domain, "
                                 "Selector and KeyFile nothing is signed")
            return False
        where = self.where(*names)
        domains = self.policy.fit("domain", self.keys(self.get("Domain")),
                                  where)
        for domain in domains:
            self.add_key(Key(domain, self.text("Selector"), os.path.join(
                self.base(), self.text("KeyFile")), where))
        if self.on("SubDomains"):
            for domain in domains:
                self.sign_one(domain, self.text("Selector"),
                              ["header.from.domain in " + self.policy.list(
                                  "dkim-domains", "domain",
                                  reader.domains([domain]), where)],
                              self.where("Domain", "SubDomains"))
        elif domains:
            self.sign_all(where)
        return bool(domains)

    def sign_one(self, domain, selector, conditions, where):
        self.policy.rewrite("message", "dkim.sign(%s, %s)"
                            % (quoted(domain), quoted(selector)),
                            self.conditions + conditions, where)

    def key_table(self):
        setting = self.get("KeyTable")
        found = {}
        for entry in self.entries(setting) if setting else []:
            parts = [part.strip() for part in entry.value.split(":", 2)]
            if len(parts) < 3:
                self.policy.lose(entry.place, "no domain:selector:file")
            elif not re.match(r"(%|[\w.-]+):[\w.-]+$", ":".join(parts[:2])):
                self.policy.lose(entry.place, "no domain and selector")
            elif not re.match(r"\.{0,2}/", parts[2]):
                self.policy.lose(entry.place, "the key stands in the table: "
                                 "write it to a file")
            else:
                path = os.path.normpath(os.path.join(self.base(), parts[2]))
                found[entry.key] = Key(parts[0], parts[1], path,
                                       entry.place + " KeyTable")
        return found

    def table_rows(self):
        setting = self.get("SigningTable")
        entries = self.entries(setting)
        if reader.is_patterns(setting.value):
            return [(whom_by_pattern(entry.key), entry) for entry in entries]
        return [(whom_by_key(entry.key), entry) for entry in
                sorted(entries, key=lambda entry: precedence(entry.key))]

    def signed_rows(self):
        """(whom, key, identity, place), as far as there are keys."""
        table = self.key_table()
        for whom, entry in self.table_rows():
            name, identity = (re.split(r"[\s:]+", entry.value, maxsplit=1)
                              + [""])[:2]
            where = entry.place + " SigningTable"
            key = table.get(whom.domain if name == "%" and whom.domain
                            else name)
            if key is None:
                self.policy.lose(where, "there is no key %s" % name)
                continue
            if "%" in key.domain + key.file + identity:
                key, identity = self.filled(whom, key, identity, where)
            if key is not None:
                yield whom, key, identity, where

    def filled(self, whom, key, identity, where):
        """`%` is the author's domain, which only some rows name."""
        if whom.domain is not None:
            return key._replace(
                domain=key.domain.replace("%", whom.domain),
                file=key.file.replace("%", whom.domain)), \
                identity.replace("%", whom.domain)
        self.policy.lose(where, "% stands for domains that are not named here")
        return None if "%" in key.domain + key.file else key, ""

    def sign_by_table(self):
        rows = list(self.signed_rows())
        for _, key, identity, _ in rows:
            self.add_key(key, identity)
        whole = [whom.domain for whom, _, _, _ in rows]
        own = all(whom.domain == key.domain.lower() for whom, key, _, _ in rows)
        if rows and own and (self.on("MultipleSignatures")
                             or len(set(whole)) == len(whole)):
            self.sign_all(self.where("SigningTable", "MultipleSignatures"))
        else:
            self.sign_in_turn(rows)
        return bool(rows)

    def sign_in_turn(self, rows):
        """The first that fits, unless all do."""
        before = []
        multiple = self.get("MultipleSignatures")
        for whom, key, _, where in rows:
            if multiple:
                where += ", " + multiple.where
            conditions = [whom.condition] if whom.condition else []
            if not self.on("MultipleSignatures"):
                conditions += ["not " + other.condition for other in before
                               if not other.domain or not whom.domain
                               or other.domain == whom.domain]
            self.sign_one(key.domain, key.selector, conditions, where)
            if whom.condition is None and not self.on("MultipleSignatures"):
                break
            before.append(whom)

    # ---- refusing ----------------------------------------------------------

    def refuse(self):
        guards = ["not " + self.ours] + self.outside
        everything = self.get("On-Default")
        for name, default, result in RESULTS:
            setting = self.get(name) or everything
            word = setting.value if setting else default
            verdict = VERDICTS.get(word[:1].lower())
            if name == "On-BadSignature" and self.on("Quarantine"):
                verdict = verdict or "quarantine"
            if verdict:
                self.policy.rule(
                    "message", verdict, "dkim-" + result,
                    ["dkim.result = " + result] + guards,
                    self.where(name if self.get(name) else "On-Default",
                               *["Quarantine"] * self.on("Quarantine")))
        for name in ("RequiredHeaders", "StrictHeaders"):
            if self.on(name):
                self.policy.rule("message", "reject", "dkim-header",
                                 ["header.from.problem != none"] + guards,
                                 self.where(name))
