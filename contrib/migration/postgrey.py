"""postgrey.py: postgrey(8): its command line, in /etc/default/postgrey, and its
whitelists."""

# SPDX-License-Identifier: BSD-2-Clause

import os
import re
import shlex

from . import reader
from .opendkim import OWN_LOG, OWN_SERVICE
from .policy import pattern, plain, quoted
from .reader import Setting, Unreadable
from .rows import Program, needless, none, option, to

LISTS = "/etc/postgrey"
REPLY = "Greylisted, please try again in %s seconds"
WHITE = "a `list`, a `matches` for patterns, and a `let` that is true for " \
    "them"
DEFERS = {"DEFER_IF_PERMIT", "DEFER", "DEFER_IF_REJECT"}


def window(text):
    return "%dh" % int(text[:-1]) if text.endswith("h") else "%dd" % int(text)


TABLE = {
    "--help": needless("for people"),
    "--version": needless("for people"),
    "--verbose": OWN_LOG,
    "--syslog-facility": OWN_LOG,
    "--quiet": OWN_LOG,
    "--unix": needless("`listen` has an address of its own, so that both may "
                       "run for a while"),
    "--socketmode": OWN_SERVICE,
    "--inet": needless("`listen` has an address of its own, so that both may "
                       "run for a while"),
    "--daemonize": OWN_SERVICE,
    "--pidfile": OWN_SERVICE,
    "--user": OWN_SERVICE,
    "--group": OWN_SERVICE,
    "--dbdir": none("its database is not read: all senders are new at first"),
    "--delay": option("greylist", "delay %ds", int),
    "--max-age": to("`use greylist { lifetime Nd white-lifetime Nd }`; 35d "
                    "without"),
    "--retry-window": option("greylist", "window %s", window),
    "--greylist-action": to("the code of the reply, if it is a number; "
                            "451 4.7.1 for DEFER and the like"),
    "--greylist-text": to("the text of the reply: %s is `{greylist.wait}`, "
                          "%r `{rcpt.domain}`"),
    "--lookup-by-subnet": needless("it is so"),
    "--ipv4cidr": to("`use greylist { network-v4 N }`"),
    "--ipv6cidr": to("`use greylist { network-v6 N }`"),
    "--lookup-by-host": to("`use greylist { keys network }` with 32 and 128 "
                           "bits"),
    "--privacy": none("the store has addresses as they are; its folder is "
                      "nobody else's"),
    "--hostname": needless("`set hostname`"),
    "--exim": OWN_SERVICE,
    "--whitelist-clients": to(WHITE),
    "--whitelist-recipients": to(WHITE),
    "--auto-whitelist-clients": to("`use greylist { white-after N }`; 5 "
                                   "without"),
    "--listen-queue-size": OWN_SERVICE,
    "--x-greylist-header": none("no field tells of the delay; the log does"),
}
SHORT = {"h": "help", "v": "verbose", "q": "quiet", "u": "unix", "i": "inet",
         "d": "daemonize"}
FLAGS = {"help", "version", "verbose", "quiet", "daemonize", "privacy",
         "lookup-by-subnet", "lookup-by-host", "exim"}

ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?$")
THREE = re.compile(r"\d{1,3}(\.\d{1,3}){2}$")


def long_name(word):
    """`--delay`, of any unambiguous beginning as getopt takes it."""
    name = word.lstrip("-")
    name = SHORT.get(name, name)
    fits = [row for row in TABLE if row[2:].startswith(name)]
    exact = "--" + name
    return exact if exact in TABLE or len(fits) != 1 else fits[0]


def options(text, place):
    """Of a command line."""
    words = shlex.split(text)
    while words:
        name, equals, rest = words.pop(0).partition("=")
        if not name.startswith("-"):
            continue
        name = long_name(name)
        if not equals and name[2:] not in FLAGS and words \
                and not words[0].startswith("-"):
            rest = words.pop(0)
        yield Setting(name, rest, place)


def commands(path):
    """Lines, and those that a quote or a backslash goes on over."""
    place, text = None, ""
    for where, line in reader.lines(path):
        place = place or where
        text += line
        if not text.endswith("\\") and text.count('"') % 2 == 0:
            yield place, text
            place, text = None, ""
        else:
            text = text.rstrip("\\") + " "
    if text:
        yield place, text + '"'


class Postgrey(Program):
    title = "postgrey"
    table = TABLE

    def __init__(self, policy):
        super().__init__(policy)
        self.clients, self.recipients = [], []
        self.address = None

    def read(self, path):
        """/etc/default/postgrey, which a shell reads."""
        self.sources.append(path)
        for place, line in commands(path):
            name, _, text = line.partition("=")
            text = " ".join(shlex.split(text, comments=True))
            if name == "POSTGREY_OPTS":
                self.read_options(text, place)
            elif name == "POSTGREY_TEXT":
                self.take(Setting("--greylist-text", text.replace("%H", "%r"),
                                  place))
            else:
                self.take(Setting(name, text, place))

    def read_options(self, text, place):
        self.present = True
        for setting in options(text, place):
            self.take(setting)
            if setting.name in ("--inet", "--unix"):
                self.address = setting.value
            many = {"--whitelist-clients": self.clients,
                    "--whitelist-recipients": self.recipients}
            if setting.name in many:
                many[setting.name].append(setting.value)

    # ---- everything --------------------------------------------------------

    def carry(self, guards=()):
        self.settle()
        self.times(self.policy.use("greylist", where=self.title))
        white = [self.white_clients(), self.white_recipients()]
        conditions = ["not " + name for name in white if name]
        self.policy.rule(
            "rcpt", "tempfail", "greylist", conditions + list(guards)
            + ["(greylist.state = new or greylist.state = early)"],
            self.where("--greylist-action", "--greylist-text"), self.reply())

    def times(self, use):
        def say(text, *names):
            use.options.append((text, self.where(*names)))
        age = self.number("--max-age", 35)
        say("lifetime %dd" % age, "--max-age")
        say("white-lifetime %dd" % age, "--max-age")
        say("white-after %d" % self.number("--auto-whitelist-clients", 5),
            "--auto-whitelist-clients")
        alone = self.get("--lookup-by-host")
        if alone:
            say("keys network", "--lookup-by-host")
        for version, bits, most in (("4", 24, 32), ("6", 64, 128)):
            name = "--ipv%scidr" % version
            if alone or self.get(name):
                say("network-v%s %d" % (version, most if alone else
                                        self.number(name, bits)),
                    *["--lookup-by-host"] if alone else [name])

    def reply(self):
        action = self.text("--greylist-action", "DEFER_IF_PERMIT")
        code = "451 4.7.1"
        if re.match(r"4\d\d$", action):
            code = "%s 4.7.1" % action
        elif action.upper() not in DEFERS:
            self.policy.lose(self.where("--greylist-action"),
                             "it is answered %s" % code)
        text = plain(self.text("--greylist-text", REPLY))
        text = text.replace("%s seconds", "%s")
        return "%s %s" % (code, quoted(
            text.replace("%s", "{greylist.wait}")
            .replace("%r", "{rcpt.domain}")))

    # ---- whitelists --------------------------------------------------------

    def entries(self, kind, given):
        """Without the option both files of the folder are read."""
        default = os.path.join(LISTS, "whitelist_" + kind)
        for path in given or [default, default + ".local"]:
            if not given and not os.path.exists(path):
                continue
            self.sources.append(path)
            try:
                yield from reader.lines(path)
            except Unreadable as error:
                self.policy.lose(self.where("--whitelist-" + kind), str(error))

    def whitelist(self, kind, given, sort):
        """What `sort` makes of the entries: conditions, or lists' items."""
        found, sources = {}, len(self.sources)
        for place, text in self.entries(kind, given):
            sorted_as = None if re.search(r"\s", text) else sort(text)
            if sorted_as is None:
                self.policy.lose("%s %s" % (place, text),
                                 "this is no entry that is known here")
            else:
                found.setdefault(sorted_as[0], []).append(sorted_as[1])
        return found, ", ".join(self.sources[sources:])

    def white_clients(self):
        found, where = self.whitelist("clients", self.clients, client)
        conditions = []
        if "ip" in found:
            conditions.append("client.ip in " + self.policy.list(
                "greylist-networks", "ip", found["ip"], where))
        if "name" in found:
            conditions.append("client.fcrdns and client.name in "
                              + self.policy.list(
                                  "greylist-names", "domain",
                                  reader.domains(found["name"]), where))
        conditions += ["client.fcrdns and client.name matches " + item
                       for item in found.get("pattern", [])]
        return self.policy.let("greylist-clients", conditions, where) \
            if conditions else None

    def white_recipients(self):
        found, where = self.whitelist("recipients", self.recipients, recipient)
        conditions = []
        if "name" in found:
            conditions.append("rcpt.domain in " + self.policy.list(
                "greylist-domains", "domain", reader.domains(found["name"]),
                where))
        conditions += ["rcpt.to matches " + item
                       for item in found.get("pattern", [])]
        return self.policy.let("greylist-recipients", conditions, where) \
            if conditions else None


def client(text):
    regular = re.match(r"/(\S+)/$", text)
    if regular:
        return "pattern", pattern("(?i)" + regular.group(1))
    if THREE.match(text):
        text += ".0/24"
    if ADDRESS.match(text) or ":" in text:
        found = reader.network(text)
        return ("ip", reader.spelled(found)) if found else None
    return ("name", text) if re.match(r"[\w.-]*[a-z][\w.-]*$", text, re.I) \
        else None


def recipient(text):
    regular = re.match(r"/(\S+)/$", text)
    if regular:
        return "pattern", pattern("(?i)" + regular.group(1))
    local, at, domain = text.partition("@")
    if not at:
        return "name", text
    end = re.escape(domain) + "$" if domain else ""
    return "pattern", pattern(r"(?i)^%s(\+[^@]+)?@%s"
                              % (re.escape(local), end))
