"""rows.py: what becomes of a setting, as a row of a table that the command
carries out and the manual page shows."""

# SPDX-License-Identifier: BSD-2-Clause

from . import reader

TO, NONE, NEEDLESS = "to", "none", "needless"


class Row:
    """`text`: what it becomes, or why it becomes nothing."""

    def __init__(self, kind, text, act=None, off=()):
        self.kind = kind
        self.text = text
        self.act = act
        self.off = off

    def sentence(self):
        return self.text if self.kind == TO else "none: " + self.text


def to(text, act=None):
    """`act(program, setting)`; without it the program looks at `given`."""
    return Row(TO, text, act)


def none(text, off=()):
    """Something is lost, unless the value begins with one of `off`."""
    return Row(NONE, text, off=off)


def switch(text):
    """As none(); nothing is lost where it is off."""
    return none(text, ("n", "f", "0"))


def needless(text):
    return Row(NEEDLESS, text)


def option(plugin, text, convert=str):
    """An option of a plugin by another name."""
    def act(program, setting):
        program.policy.option(plugin, text % convert(setting.value),
                              setting.where)
    return to("`use %s { %s }`" % (plugin, text.replace("%s", "N")), act)


def is_on(setting):
    """As the milters read a Boolean."""
    return setting is not None and setting.value[:1].lower() in ("t", "y", "1")


class Program:
    """Settings of one program, all of them in `given`; what its table does
    with them is done by settle(), once it is certain that it was in use."""

    table = {}
    settings_of = staticmethod(reader.words)

    def __init__(self, policy):
        self.policy = policy
        self.rows = {name.lower(): row for name, row in self.table.items()}
        self.settings = []
        self.given = {}
        self.present = False
        self.sources = []

    def read(self, path):
        self.present = True
        self.sources.append(path)
        for setting in self.settings_of(path):
            self.take(setting)

    def take(self, setting):
        self.settings.append(setting)
        self.given[setting.name.lower()] = setting

    def settle(self):
        for setting in self.settings:
            row = self.rows.get(setting.name.lower())
            if row is None:
                self.policy.not_known(setting.where)
            elif row.kind == NEEDLESS:
                self.policy.need_not(setting.where, row.text)
            elif row.kind == NONE:
                self.leave(row, setting)
            elif row.act is not None:
                self.act(row, setting)

    def act(self, row, setting):
        """Of one that is set twice the last counts."""
        if setting is not self.given[setting.name.lower()]:
            self.policy.lose(setting.where, "it is set again below")
            return
        try:
            row.act(self, setting)
        except ValueError:
            self.policy.lose(setting.where, "%s is no number" % setting.value)

    def leave(self, row, setting):
        if setting.value[:1].lower() in row.off:
            self.policy.need_not(setting.where, "it is off")
        else:
            self.policy.lose(setting.where, row.text)

    def get(self, name):
        return self.given.get(name.lower())

    def text(self, name, default=None):
        setting = self.get(name)
        return default if setting is None else setting.value

    def number(self, name, default):
        """As the default, where it is none."""
        text = self.text(name) or str(default)
        if text.isdecimal():
            return int(text)
        self.policy.lose(self.where(name), "%s is no number" % text)
        return default

    def on(self, name):
        return is_on(self.get(name))

    def where(self, *names):
        """The places of those that are set."""
        found = [self.get(name).where for name in names if self.get(name)]
        return ", ".join(found) or self.title + " has this without a setting"
