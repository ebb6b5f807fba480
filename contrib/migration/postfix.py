"""postfix.py: main.cf and master.cf: which of the programs were asked, for
whom, in what order; and the lists that Postfix itself asked."""

# SPDX-License-Identifier: BSD-2-Clause

import itertools
import os
import re

from . import reader

from .reader import Setting
from .rows import Program, needless, none, to

# In the order in which Postfix goes through them at RCPT.
RESTRICTIONS = ["smtpd_client_restrictions", "smtpd_helo_restrictions",
                "smtpd_sender_restrictions", "smtpd_recipient_restrictions",
                "smtpd_relay_restrictions", "smtpd_data_restrictions",
                "smtpd_end_of_data_restrictions"]
MILTER = "milter_default_action=tempfail at the new entry of smtpd_milters: " \
    "without filterd nothing is accepted unjudged"
ANSWERS = 300  # of one list
WHOLE = [(0, 255)]
# What lists of domains have for those who test them.
TEST_ENTRIES = {"dbl.spamhaus.org": "dbltest.com",
                "multi.surbl.org": "surbl-org-permanent-test-point.com"}

TABLE = {
    "myhostname": to("`set hostname`"),
    "mynetworks": to("a `list`, where permit_mynetworks is asked"),
    "smtpd_milters": to("which milters were in use; the others stay"),
    "non_smtpd_milters": none("mail of this machine itself does not come by "
                              "SMTP: leave a milter there to sign it, or "
                              "name `listen milter` there too"),
    "milter_default_action": needless(MILTER),
    "milter_protocol": needless("6 is the default; leave it out"),
    "smtpd_client_restrictions": to("rules at rcpt, in their order"),
    "smtpd_helo_restrictions": to("rules at rcpt, in their order"),
    "smtpd_sender_restrictions": to("rules at rcpt, in their order"),
    "smtpd_relay_restrictions": to("rules at rcpt, in their order"),
    "smtpd_recipient_restrictions": to("rules at rcpt, in their order"),
    "smtpd_data_restrictions": to("rules at rcpt, in their order"),
    "smtpd_end_of_data_restrictions": to("rules at rcpt, in their order"),
    "check_policy_service": to("the rules of the program that answers there; "
                               "another one stays in main.cf"),
    "reject_rbl_client": to("`use dnsbl { zone }`, and `reject` at rcpt"),
    "reject_rhsbl_client": to("`use dnsbl { domain-zone … on name ask host }`, "
                              "and `reject` at rcpt"),
    "reject_rhsbl_helo": to("likewise `on helo`"),
    "reject_rhsbl_sender": to("likewise `on mail`"),
    "reject_rhsbl_recipient": none("no list is asked about recipients: stays "
                                   "in main.cf"),
    "reject_rhsbl_reverse_client": none("a name that does not lead back is no "
                                        "evidence: stays in main.cf"),
    "permit_dnswl_client": to("`use dnsbl { zone … weight -1 }`, and a `let` "
                              "that the later rules of this list do not "
                              "concern"),
    "permit_rhswl_client": to("likewise `domain-zone … on name`"),
    "permit_mynetworks": to("`client.ip in` in that `let`"),
    "permit_sasl_authenticated": to("`known auth.user` in that `let`"),
    "warn_if_reject": to("`would`"),
    "maps_rbl_reject_code": to("the code of those replies"),
    "default_rbl_reply": none("the text of those replies is fixed: write it "
                              "after `reply`"),
    "rbl_reply_maps": none("the text of those replies is fixed: write it "
                           "after `reply`"),
    "postscreen_dnsbl_sites": to("`use dnsbl as postscreen { zone … weight N "
                                 "}`"),
    "postscreen_dnsbl_threshold": to("`postscreen.score >= N`; 1 without"),
    "postscreen_dnsbl_action": to("`reject` at rcpt for enforce, at connect "
                                  "for drop, `would` for ignore"),
    "postscreen_dnsbl_allowlist_threshold": needless(
        "there are no tests after the greeting to be left out"),
    "postscreen_dnsbl_whitelist_threshold": needless(
        "there are no tests after the greeting to be left out"),
    "postscreen_dnsbl_reply_map": none("the name of the list is in the "
                                       "reply: write it after `reply`"),
    "postscreen_dnsbl_ttl": needless("answers hold as long as they say"),
    "postscreen_dnsbl_min_ttl": needless("answers hold as long as they say"),
    "postscreen_dnsbl_max_ttl": needless("answers hold as long as they say"),
    "postscreen_dnsbl_timeout": none("`dns { timeout }` is for all lookups"),
    "postscreen_greet_action": to("with `--proxy`: `reject` at rcpt, if "
                                  "`client.early-talker`"),
    "postscreen_greet_wait": to("with `--proxy`: `greeting-delay`; 6s "
                                "without"),
}
# What a command line of spawn(8) has in it, and whose it is: the first fits.
SPAWNED = [("policyd-spf-perl", "perl"), ("policyd-spf", "policyd-spf")]
OCTET = r"(?:\d+|\[\d+(?:\.\.\d+)?(?:;\d+(?:\.\.\d+)?)*\])"
FILTER = re.compile(r"%s(\.%s){3}$" % (OCTET, OCTET))
SITE = re.compile(r"(?P<zone>[\w.-]+)(=(?P<answers>[^*\s]+))?"
                  r"(\*(?P<weight>-?\d+))?$")


# ---- the answers of a list ---------------------------------------------------

def ranges(part):
    """`[2..4;8]` as pairs."""
    for item in part.strip("[]").split(";"):
        first, _, last = item.partition("..")
        yield int(first), int(last or first)


def answers(text):
    """A filter of Postfix, as dnsbl has it; None if there are too many."""
    if not FILTER.match(text):
        return None
    octets = [list(ranges(part)) for part in re.findall(OCTET, text)]
    if octets[2:] == [WHOLE, WHOLE]:
        ends, octets = ["0.0/16"], octets[:2]
    else:
        ends = [str(first) if first == last else "%d-%d" % (first, last)
                for first, last in octets.pop()]
    numbers = [[str(number) for first, last in octet
                for number in range(first, last + 1)] for octet in octets]
    found = [".".join(parts) for parts in itertools.product(*numbers, ends)]
    return found if len(found) <= ANSWERS else None


class Lists:
    """A `use dnsbl` for each kind of question and each set of permits."""

    def __init__(self, policy):
        self.policy = policy
        self.names = {}

    def name(self, kind, permits, would):
        key = (kind, tuple(permits), would)
        if key not in self.names:
            self.names[key] = self.policy.unique(kind)
        return self.names[key]

    def add(self, name, site, where, domain=None, weight=None):
        """Whether the list could be carried over."""
        match = SITE.match(site)
        found = answers(match["answers"]) if match and match["answers"] else []
        if match is None or found is None:
            self.policy.lose(where, "%s cannot be carried over" % site)
            return False
        text = ["domain-zone" if domain else "zone", match["zone"]] + found
        text += ["weight", weight or match["weight"] or "1"]
        if domain:
            text += ["on", domain, "ask", "host"]
            if match["zone"] in TEST_ENTRIES:
                text += ["test", TEST_ENTRIES[match["zone"]]]
            else:
                self.policy.advise(
                    "%s is asked only if it lists the domain `test`: else "
                    "name what it lists, after `test`" % match["zone"])
        block = self.policy.use("dnsbl", name, "Postfix")
        block.options.append((" ".join(text), where))
        return True


# ---- master.cf ---------------------------------------------------------------

class Service:
    def __init__(self, place, line):
        words = split(line)
        self.place = place
        self.name, self.kind = words[0], words[1]
        self.command = words[7:]
        self.overrides = [word.split("=", 1) for option, word in
                          zip(self.command, self.command[1:])
                          if option == "-o" and "=" in word]

    def argv(self):
        """Of spawn(8)."""
        found = [number for number, word in enumerate(self.command)
                 if word.startswith("argv=")]
        return [self.command[found[0]][5:]] + self.command[found[0] + 1:] \
            if found else []


def split(text):
    """By white space and commas, but for what is in braces."""
    return [word.strip("{} \t") for word in
            re.findall(r"\{[^}]*\}|[^\s,{}]+", text)]


def services(path):
    if not os.path.exists(path):
        return []
    return [Service(place, line) for place, line in reader.logical(path)
            if len(line.split()) >= 8]


# ---- main.cf -----------------------------------------------------------------

class Postfix(Program):
    title = "Postfix"
    table = TABLE

    def __init__(self, policy):
        super().__init__(policy)
        self.parameters = {}
        self.services = []
        self.screen = False
        self.lists = Lists(policy)
        self.own_networks = None
        self.greeting_delay = None
        self.asked = set()
        self.programs = {}

    def read(self, folder):
        path = os.path.join(folder, "main.cf")
        for place, line in reader.logical(path):
            name, _, text = line.partition("=")
            self.parameters[name.strip()] = Setting(name.strip(), text.strip(),
                                                    place)
        self.present = True
        self.sources.append(path)
        master = os.path.join(folder, "master.cf")
        self.services = services(master)
        if self.services:
            self.sources.append(master)
        self.read_services()
        for setting in self.parameters.values():
            if setting.name in TABLE:
                self.take(setting._replace(value=self.expand(setting.value)))

    def read_services(self):
        """What port 25 has of its own counts; what others have is told."""
        entry = [service for service in self.services
                 if service.kind == "inet" and service.name.split(":")[-1]
                 in ("smtp", "25")]
        self.screen = any("postscreen" in service.command[:1]
                          for service in entry)
        behind = [service for service in self.services
                  if service.kind == "pass"] if self.screen else []
        for service in self.services:
            for name, text in service.overrides:
                if name not in TABLE:
                    continue
                if service in (behind or entry):
                    self.parameters[name] = Setting(name, text, service.place)
                elif name == "smtpd_milters" or name in RESTRICTIONS:
                    self.policy.lose("%s %s" % (service.place, name),
                                     "%s has its own, which stays"
                                     % service.name)

    def expand(self, text, depth=0):
        def one(match):
            setting = self.parameters.get(match[1] or match[2] or match[3])
            return setting.value if setting else ""
        found = re.sub(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))", one, text)
        return self.expand(found, depth + 1) \
            if found != text and depth < 10 else found

    # ---- who was in use ----------------------------------------------------

    def uses_milter(self, program):
        """By the port or the last part of the path of its socket."""
        end = socket_end(program.text("Socket", ""))
        entries = split(self.text("smtpd_milters", ""))
        found = [entry for entry in entries
                 if end and socket_end(entry.split(",")[0]) == end]
        self.asked.update(found)
        return bool(found)

    def other_milters(self):
        return [entry for entry in split(self.text("smtpd_milters", ""))
                if entry not in self.asked]

    def service_behind(self, address):
        """Which of the programs answers a policy request there."""
        postgrey = self.programs.get("postgrey")
        if postgrey and postgrey.address and socket_end(address) \
                == socket_end(postgrey.address):
            return postgrey
        name = address.split(":", 1)[-1].split("/")[-1]
        for service in self.services:
            if service.name == name and service.argv():
                return self.spawned(service.argv())
        return None

    def spawned(self, argv):
        for word, name in SPAWNED:
            if any(word in part for part in argv[:2]):
                return self.programs.get(name)
        return None

    def argv(self, name):
        """How master.cf spawns it; nothing if it does not."""
        for service in self.services:
            for word, program in SPAWNED:
                if any(word in part for part in service.argv()[:2]):
                    if program == name:
                        return service.argv()
                    break
        return []

    # ---- restrictions ------------------------------------------------------

    def carry(self, front):
        """`front`: filterd is to stand there, not postscreen."""
        self.settle()
        name = self.get("myhostname")
        if name and self.policy.fit("domain", [name.value], name.where):
            self.policy.set("hostname", name.value, name.where)
        if self.screen:
            self.postscreen()
        if self.screen and front:
            self.early_talkers()
        for name in RESTRICTIONS:
            if self.get(name):
                self.restrictions(self.get(name))

    def networks(self):
        """A let, declared once; None if there are none."""
        if not self.own_networks:
            entries = split(self.text("mynetworks", "127.0.0.0/8 [::1]/128"))
            others = [entry for entry in entries
                      if reader.network(entry.lstrip("!")) is None]
            for entry in others:
                self.policy.lose(self.where("mynetworks"),
                                 "%s is no network" % entry)
            self.own_networks = reader.Hosts(
                [entry for entry in entries if entry not in others]).declare(
                    self.policy, "mynetworks", self.where("mynetworks"))
        return self.own_networks

    def restrictions(self, setting):
        """The rules of one list; what it permits ends that list only."""
        permits, words = [], split(setting.value)
        would, declared = False, None
        while words:
            word = words.pop(0)
            where = "%s %s" % (setting.where, word)
            if word == "warn_if_reject":
                would = True
                continue
            if not words and word in WITH_ARGUMENT:
                self.policy.lose(where, "what it is to ask is missing")
            elif word in PERMITS:
                permits += PERMITS[word](self, words, where)
                declared = None
            elif word in ACTS:
                if permits and declared is None:
                    declared = ["not " + self.policy.let(
                        "permitted", permits, setting.where)]
                ACTS[word](self, words, where, declared or [], would)
            elif word.startswith(("check_", "permit")) and word != "permit":
                self.policy.lose(where, "stays in main.cf, and what it "
                                 "permits is judged all the same")
            would = False

    def ask(self, words, where, guards, would):
        address = words.pop(0).split(",")[0]
        program = self.service_behind(address)
        if program is None or not program.present:
            self.policy.lose(where, "%s is another's, and stays" % address)
        elif program not in self.asked:
            self.asked.add(program)
            program.carry(guards)

    def reject_listed(self, words, where, guards, would, kind=None):
        site = words.pop(0)
        name = self.lists.name({None: "rbl", "name": "rhsbl-name",
                                "helo": "rhsbl-helo",
                                "mail": "rhsbl-sender"}[kind], guards, would)
        first = name not in self.policy.uses
        if not self.lists.add(name, site, where, kind, "1") or not first:
            return
        prefix = {"helo": "helo-", "mail": "mail-"}.get(kind, "")
        code = self.number("maps_rbl_reject_code", 554)
        self.policy.rule(
            "rcpt", "would reject" if would else "reject", name + "-listed",
            ["%s.%sscore >= 1" % (name, prefix)] + guards, where,
            '%d 5.7.1 "Service unavailable; blocked using {%s.%szones}: '
            '{%s.%sreason}"' % (code, name, prefix, name, prefix))

    def permit_listed(self, words, where, kind=None):
        name = self.lists.name("dnswl", [], False)
        there = self.lists.add(name, words.pop(0), where, kind, "-1")
        return ["known %s.allowed and %s.allowed" % (name, name)] if there \
            else []

    # ---- postscreen --------------------------------------------------------

    def postscreen(self):
        setting = self.get("postscreen_dnsbl_sites")
        there = [self.lists.add("postscreen", site, setting.where)
                 for site in split(setting.value if setting else "")]
        if any(there):
            stage, verdict = self.screened("postscreen_dnsbl_action")
            self.policy.rule(
                stage, verdict, "postscreen-listed",
                ["postscreen.score >= %d" % self.number(
                    "postscreen_dnsbl_threshold", 1)] + self.strangers(),
                self.where("postscreen_dnsbl_sites",
                           "postscreen_dnsbl_threshold",
                           "postscreen_dnsbl_action"),
                '%s 5.7.1 "Service unavailable; client [{client.ip}] blocked '
                'using {postscreen.zones}"'
                % ("554" if stage == "connect" else "550"))

    def strangers(self):
        """postscreen leaves mynetworks alone."""
        return ["not " + self.networks()] if self.networks() else []

    def screened(self, name):
        action = self.text(name, "ignore").lower()
        return ("connect" if action == "drop" else "rcpt",
                "would reject" if action == "ignore" else "reject")

    def early_talkers(self):
        if not self.get("postscreen_greet_action"):
            return
        _, verdict = self.screened("postscreen_greet_action")
        self.policy.rule("rcpt", verdict, "early-talker",
                         ["client.early-talker"] + self.strangers(),
                         self.where("postscreen_greet_action"))
        wait = self.text("postscreen_greet_wait", "6s")
        self.greeting_delay = wait if re.match(r"\d+[smh]$", wait) else "6s"


def socket_end(text):
    """What two ways to write one socket have in common: its port, or the last
    parts of its path."""
    kind, _, rest = text.partition(":")
    if kind in ("inet", "inet6"):
        numbers = re.findall(r"(?:^|:)(\d+)(?:@|$)", rest)
        return numbers[-1] if numbers else None
    if re.match(r"\d+$", text) or re.search(r":\d+$", text):
        return text.rsplit(":", 1)[-1]
    path = rest if kind in ("unix", "local") else text
    return os.path.basename(path) or None


def listed(kind):
    return lambda self, *arguments: self.reject_listed(*arguments, kind=kind)


PERMITS = {
    "permit_mynetworks": lambda self, words, where:
        [self.networks()] if self.networks() else [],
    "permit_sasl_authenticated": lambda self, words, where:
        ["known auth.user"],
    "permit_dnswl_client": Postfix.permit_listed,
    "permit_rhswl_client": lambda self, words, where:
        self.permit_listed(words, where, "name"),
}


def stays(self, words, where, guards, would):
    word = where.split()[-1]
    self.policy.lose(where + " " + words.pop(0), TABLE[word].text)


ACTS = {
    "check_policy_service": Postfix.ask,
    "reject_rbl_client": listed(None),
    "reject_rhsbl_client": listed("name"),
    "reject_rhsbl_helo": listed("helo"),
    "reject_rhsbl_sender": listed("mail"),
    "reject_rhsbl_recipient": stays,
    "reject_rhsbl_reverse_client": stays,
}
WITH_ARGUMENT = {*ACTS, "permit_dnswl_client", "permit_rhswl_client"}
