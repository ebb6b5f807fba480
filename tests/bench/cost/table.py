# table.py: figures, each with the bar that it has to pass, if there is one.
#
# SPDX-License-Identifier: BSD-2-Clause
import operator

PASSES = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}


class Bar:
    """`moon` is harder than `bar`."""

    def __init__(self, relation, bar, moon=None, unit=""):
        self.relation, self.bar, self.moon = relation, bar, moon
        self.unit = unit

    def __str__(self):
        texts = [f"{self.relation} {limit:g}{self.unit}"
                 for limit in (self.bar, self.moon) if limit is not None]
        return ", ".join(texts)

    def judge(self, value):
        passes = PASSES[self.relation]
        if not passes(value, self.bar):
            return "MISSED"
        if self.moon is not None and passes(value, self.moon):
            return "moonshot"
        return "met"


def number(value):
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


class Table:
    """Prints each row as it comes, and knows what was missed."""

    def __init__(self):
        self.missed = []

    def head(self, *words):
        print(f"{words[0]:<52} {words[1]:>21} {words[2]:<8} {words[3]:<16} "
              f"{words[4]}".rstrip(), flush=True)

    def topic(self, text):
        print(f"\n{text}", flush=True)

    def row(self, what, unit, *figures, bar=None, value=None):
        """`value` is what the bar is about; the last figure unless given."""
        told = [one if isinstance(one, str) else number(one)
                for one in figures]
        verdict = ""
        if bar is not None:
            judged = bar.judge(figures[-1] if value is None else value)
            self.missed += [what] if judged == "MISSED" else []
            verdict = judged if value is None \
                else f"{judged}: {number(value)}{bar.unit}"
        self.head("  " + what, " / ".join(told), unit, str(bar or ""), verdict)
