"""policy.py: a filterd.conf under way: statements, where each came from, and
what did not become one."""

# SPDX-License-Identifier: BSD-2-Clause

import re
import textwrap

STAGES = ["connect", "helo", "mail", "rcpt", "data", "message"]
WIDTH = 78
# What may be in a list, or an option's value.
KINDS = {"domain": re.compile(r"\.?[\w-]+(\.[\w-]+)*\.?$"),
         "field": re.compile(r"[\w-]+$"),
         "address": re.compile(r"[^\s@\"<>]+@[\w.-]+$")}
BARE = re.compile(r"[\w./:@-]+$")


def quoted(text):
    return '"%s"' % str(text).replace("\\", "\\\\").replace('"', '\\"')


def pattern(text):
    """Of a regular expression, whose backslashes are its own."""
    return '"%s"' % re.sub(r'(?<!\\)"', r'\\"', text)


def plain(text):
    """For a reply: braces are no facts, and it is ASCII on one line."""
    text = text.replace("{", "{{").replace("}", "}}")
    return re.sub(r"[^ -~]+", "?", text)


def either(*conditions):
    """One condition of several; `and` binds closer than `or`."""
    if len(conditions) == 1:
        return conditions[0]
    return "(" + " or ".join(conditions) + ")"


def value(text):
    return text if BARE.match(text) else quoted(text)


def wrapped(text, indent, hanging=""):
    return textwrap.wrap(text, WIDTH, initial_indent=indent,
                         subsequent_indent=indent + hanging,
                         break_long_words=False, break_on_hyphens=False)


def remark(where, indent=""):
    """Each source in a comment of its own."""
    return [line for source in where.split(", ") if source
            for line in wrapped(source, indent + "# ")]


class Block:
    """A statement with options, each below its sources."""

    def __init__(self, head):
        self.head = head
        self.options = []

    def lines(self):
        if not self.options:
            return [self.head]
        lines = [self.head + " {"]
        for option, where in self.options:
            lines += remark(where, "    ")
            lines += ["    " + option] if '"' in option \
                else wrapped(option, "    ", "    ")
        return lines + ["}"]


class Policy:
    def __init__(self):
        self.settings = {}
        self.listens = []
        self.dns = Block("dns")
        self.uses = {}
        self.names = []  # lists and lets, in the order of their use
        self.stages = {stage: [] for stage in STAGES}
        self.taken = set()
        self.lost, self.unknown, self.needless = [], [], []
        self.advice = []

    # ---- statements --------------------------------------------------------

    def set(self, word, text, where):
        before = self.settings.setdefault(word, (text, where))
        if before[0] != text:
            self.lose(where, "%s is %s already, by %s" % (word, *before))

    def ask(self, word, text, where):
        """An option of `dns`."""
        for option, before in self.dns.options:
            if option.split()[0] == word:
                if option != word + " " + text:
                    self.lose(where, "it is %s already, by %s"
                              % (option, before))
                return
        self.dns.options.append((word + " " + text, where))

    def listen(self, lines, where):
        self.listens.append((where, lines))

    def use(self, plugin, name=None, where=None):
        head = "use " + plugin + (" as " + name if name else "")
        block = self.uses.setdefault(name or plugin, (Block(head), []))
        if where and where not in block[1]:
            block[1].append(where)
        return block[0]

    def option(self, plugin, text, where):
        self.use(plugin).options.append((text, where))

    def unique(self, name):
        """A name of a list, a let or a rule that nobody has yet."""
        number, found = 1, name
        while found in self.taken:
            number += 1
            found = "%s-%d" % (name, number)
        self.taken.add(found)
        return found

    def fit(self, kind, values, where):
        """Those that the language would take."""
        odd = [item for item in values if kind in KINDS
               and not KINDS[kind].match(item)]
        for item in odd:
            self.lose(where, "%s is no %s" % (item, kind))
        return [item for item in values if item not in odd]

    def list(self, name, kind, values, where):
        """Its name. What the language would not take is left out."""
        name = self.unique(name)
        values = [re.sub(r"^\*\.", ".", item) for item in values]
        text = " ".join(value(item) for item in
                        self.fit(kind, values, where))
        lines = ["list %s of %s {" % (name, kind)] + wrapped(text, "    ")
        self.names.append((name, where, lines + ["}"]))
        return name

    def let(self, name, conditions, where):
        """Any of them."""
        name = self.unique(name)
        text = "\n     or ".join(conditions)
        self.names.append(
            (name, where, ("let %s = %s" % (name, text)).split("\n")))
        return name

    def rule(self, stage, verdict, name, conditions, where, reply=None):
        lines = ["    %s %s" % (verdict, self.unique(name))]
        lines += self.condition(conditions)
        if reply:
            lines.append("           reply " + reply)
        self.stages[stage].append((where, lines))

    def rewrite(self, stage, action, conditions, where):
        self.stages[stage].append(
            (where, ["    rewrite " + action] + self.condition(conditions)))

    @staticmethod
    def condition(conditions):
        words = ["if"] + ["and"] * len(conditions)
        return ["           %s %s" % pair for pair in zip(words, conditions)]

    # ---- what is left ------------------------------------------------------

    def lose(self, where, why):
        self.lost.append("%s: %s" % (where, why))

    def not_known(self, where):
        self.unknown.append("%s: no setting that is known here" % where)

    def need_not(self, where, why):
        self.needless.append("%s: %s" % (where, why))

    def advise(self, text):
        if text not in self.advice:
            self.advice.append(text)

    # ---- text --------------------------------------------------------------

    def statements(self):
        for word, (text, where) in self.settings.items():
            yield where, ["set %s %s" % (word, value(text))]
        yield from self.listens
        if self.dns.options:
            yield "", self.dns.lines()
        for block, sources in self.uses.values():
            yield ", ".join(sources), block.lines()
        yield from self.used_names()
        for stage, rules in self.stages.items():
            if rules:
                yield "", list(self.stage(stage, rules))

    def used_names(self):
        """Those that a rule asks for, or one of them that it does."""
        text = "\n".join(line for rules in self.stages.values()
                         for _, lines in rules for line in lines)
        used = []
        for name, where, lines in reversed(self.names):
            if re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(name), text):
                used.append((where, lines))
                text += "\n".join(lines)
        return reversed(used)

    @staticmethod
    def stage(stage, rules):
        yield "at %s {" % stage
        for where, lines in rules:
            yield from remark(where, "    ")
            yield from lines
        yield "}"

    def report(self):
        for title, items in (("Not carried over", self.unknown + self.lost),
                             ("Needs nothing", self.needless),
                             ("Outside of this file", self.advice)):
            if items:
                yield ["---- %s" % title] + items

    def text(self, sources):
        lines = ["# By contrib/migrate, from"]
        lines += ["#   " + source for source in sources]
        for where, statement in self.statements():
            lines += [""] + remark(where) + statement
        for title, *items in self.report():
            lines += ["", "# " + title]
            for item in items:
                lines += wrapped(item, "#   ", "  ")
        return "\n".join(lines) + "\n"
