"""opendmarc.py: opendmarc.conf(5): whose policy is followed, and for whom not.
"""

# SPDX-License-Identifier: BSD-2-Clause

import re
import socket

from . import reader
from .opendkim import (FAILURE_REPORTS, OWN_LOG, OWN_SERVICE, RESTART,
                       authserv_id, dns_timeout)
from .policy import plain, quoted
from .reader import Unreadable
from .rows import Program, needless, none, switch, to

REPLY = "rejected by DMARC policy for %s"
IGNORED = "a `list`, and a `let` that no DMARC rule concerns"


def public_suffixes(program, setting):
    program.policy.option("dmarc", "mode rfc7489", setting.where)


TABLE = {
    "AuthservID": to("`set authserv-id`", authserv_id),
    "AuthservIDWithJobID": switch("the session's id is in Received"),
    "AutoRestart": RESTART,
    "AutoRestartCount": RESTART,
    "AutoRestartRate": RESTART,
    "Background": OWN_SERVICE,
    "BaseDirectory": to("the folder of relative paths"),
    "ChangeRootDirectory": OWN_SERVICE,
    "CopyFailuresTo": to("`rewrite add-recipient()` at message, if "
                         "`dmarc.result` is fail"),
    "DomainWhitelist": to("`use arc { trusted }`, and the DMARC rules leave "
                          "alone what `arc.dmarc` says passed there"),
    "DomainWhitelistFile": to("as DomainWhitelist"),
    "DomainWhitelistSize": needless("it grows as needed"),
    "DNSTimeout": to("`dns { timeout }`", dns_timeout),
    "EnableCoredumps": needless("the unit's LimitCORE"),
    "FailureReports": FAILURE_REPORTS,
    "FailureReportsBcc": FAILURE_REPORTS,
    "FailureReportsOnNone": FAILURE_REPORTS,
    "FailureReportsSentBy": to("`use dmarc { report-contact }` with "
                               "HistoryFile; failure reports are not made"),
    "HistoryFile": to("`use dmarc { reports on }`; what is in the file is not "
                      "taken over"),
    "HoldQuarantinedMessages": to("`quarantine` at message, if "
                                  "`dmarc.disposition` is quarantine"),
    "IgnoreAuthenticatedClients": to("`known auth.user` in that `let`"),
    "IgnoreHosts": to(IGNORED + "; 127.0.0.1 without"),
    "IgnoreMailFrom": to("`header.from.domain` in that `let`"),
    "IgnoreMailTo": none("reports count every recipient; they do not name "
                         "any"),
    "MilterDebug": OWN_LOG,
    "PidFile": OWN_SERVICE,
    "PublicSuffixList": to("`use dmarc { mode rfc7489 }`, by the system's "
                           "list; without it the tree walk of RFC 9989",
                           public_suffixes),
    "RecordAllMessages": switch("reports are on domains that have a record"),
    "RejectFailures": to("`reject` at message, if `dmarc.disposition` is "
                         "reject, and `tempfail` for temperror"),
    "RejectMultiValueFrom": to("`reject` at message, if "
                               "`header.from.problem` is multiple; domains "
                               "are not compared"),
    "RejectString": to("the text of that reply"),
    "ReportCommand": needless("`filterctl report` speaks SMTP"),
    "RequiredHeaders": to("`reject` at message, by `header.from.problem`; "
                          "other fields are not counted"),
    "Socket": needless("`listen` has an address of its own, so that both may "
                       "run for a while"),
    "SoftwareHeader": switch("Received names what handled the message"),
    "SPFIgnoreResults": needless("SPF is our own, always"),
    "SPFSelfValidate": needless("SPF is our own, always"),
    "Syslog": OWN_LOG,
    "SyslogFacility": OWN_LOG,
    "TrustedAuthservIDs": needless("SPF and DKIM are our own, always"),
    "UMask": OWN_SERVICE,
    "UserID": OWN_SERVICE,
}


class OpenDmarc(Program):
    title = "OpenDMARC"
    table = TABLE

    def carry(self):
        self.settle()
        for plugin in ("spf", "dkim", "dmarc"):
            self.policy.use(plugin, where="OpenDMARC")
        self.guards = self.ignored() + self.sealed()
        self.report()
        self.reject_by_header()
        self.follow()

    def items(self, name):
        text = self.text(name, "")
        return [item.strip() for item in text.split(",") if item.strip()]

    def file_items(self, name):
        setting = self.get(name)
        if setting is None:
            return []
        try:
            return reader.keys(setting._replace(value="file:" + setting.value),
                               self.text("BaseDirectory", "/"))
        except Unreadable as error:
            self.policy.lose(setting.where, str(error))
            return []

    def ignored(self):
        hosts = self.file_items("IgnoreHosts") if self.get("IgnoreHosts") \
            else ["127.0.0.1"]
        found = reader.Hosts(hosts).conditions(
            self.policy, "dmarc-ignored", self.where("IgnoreHosts"))
        if self.on("IgnoreAuthenticatedClients"):
            found.append("known auth.user")
        authors = self.items("IgnoreMailFrom")
        if authors:
            found.append("known header.from.domain and header.from.domain in "
                         + self.policy.list(
                "dmarc-authors", "domain", authors,
                self.where("IgnoreMailFrom")))
        names = ("IgnoreHosts", "IgnoreAuthenticatedClients", "IgnoreMailFrom")
        return ["not " + self.policy.let("dmarc-exempt", found,
                                         self.where(*names))] if found else []

    def sealed(self):
        names = ("DomainWhitelist", "DomainWhitelistFile")
        domains = self.policy.fit(
            "domain", self.items(names[0]) + self.file_items(names[1]),
            self.where(*names))
        if not domains:
            return []
        self.policy.use("arc", where="OpenDMARC")
        self.policy.option("arc", "trusted " + " ".join(domains),
                           self.where(*names))
        return ["not (known arc.dmarc and arc.dmarc = pass)"]

    def report(self):
        if not self.get("HistoryFile"):
            return
        where = self.where("HistoryFile", "FailureReportsSentBy")
        given = self.text("FailureReportsSentBy")
        contact = given or "postmaster@" + socket.getfqdn()
        if not self.policy.fit("address", [contact], where):
            return
        if given is None:
            self.policy.lose(where, "who may be asked about reports is a "
                             "guess: %s" % contact)
        self.policy.option("dmarc", "reports on", where)
        self.policy.option("dmarc", "report-contact " + quoted(contact), where)
        self.policy.advise(
            "Reports are sent by filterd-report.timer of systemd, not by "
            "opendmarc-reports")

    def reject_by_header(self):
        for name, problem in (("RejectMultiValueFrom", "= multiple"),
                              ("RequiredHeaders", "!= none")):
            if self.on(name):
                self.policy.rule("message", "reject", "dmarc-from",
                                 ["header.from.problem " + problem]
                                 + self.guards, self.where(name),
                                 '550 5.7.1 "the From header field is '
                                 '{header.from.problem}"')

    def follow(self):
        copy = self.get("CopyFailuresTo")
        if copy and self.policy.fit("address", [copy.value], copy.where):
            self.policy.rewrite("message", "add-recipient(%s)"
                                % quoted(copy.value),
                                ["dmarc.result = fail"] + self.guards,
                                copy.where)
        if self.on("RejectFailures"):
            self.reject()
        if self.on("HoldQuarantinedMessages"):
            self.policy.rule("message", "quarantine", "dmarc-quarantine",
                             ["dmarc.disposition = quarantine"] + self.guards,
                             self.where("HoldQuarantinedMessages"))

    def reject(self):
        where = self.where("RejectFailures", "RejectString")
        text = plain(self.text("RejectString", REPLY).strip('"'))
        self.policy.rule("message", "tempfail", "dmarc-temperror",
                         ["dmarc.result = temperror"] + self.guards, where)
        self.policy.rule(
            "message", "reject", "dmarc-reject",
            ["dmarc.disposition = reject"] + self.guards, where,
            "550 5.7.1 " + quoted(re.sub("%s", "{header.from.domain}", text)))
