# matrix.py: which scenario says the same on which wire: as a run finds it, and
# as docs/wires.md keeps it.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re

from .excuses import reasons
from .failure import equal

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3)
PAGE = os.path.join(ROOT, "docs", "wires.md")
WIRES = ("smtp", "lmtp", "postfix", "milter")
LINE = re.compile(r"^# matrix (\S+) (\S+) (.+)$", re.M)
ROW = re.compile(r"^\| (\S+/\S+) +\| " + " \\| ".join(["([^|]+)"] * len(WIRES))
                 + r" \|$", re.M)

TEXT = """# One scenario, four wires

Each `tests/scenarios/*/*.scenario` is played by an SMTP client (smtp), by an
LMTP client (lmtp), through a Postfix that asks filterd by the milter protocol
(postfix), and by Debian's miltertest, which asks as a mail server does (milter).
Verdicts, rules, replies of refusals, envelopes and the octets delivered have to
be those of the first. `same but` names what the wire cannot express; `-` a story
that it cannot tell. `contrib/wires --write` writes this page anew after
`contrib/test`.

{table}

## Reasons

{reasons}
"""


def cell(excuses):
    absent = excuses.listed or excuses.forbidden
    if absent is not None:
        return f"- {absent.name}"
    return " ".join(["same but", *sorted(excuses.names)]) if excuses.names \
        else "same"


def note(name, wire, excuses):
    """For who reads the run; and it has to be what is kept."""
    found = cell(excuses)
    print(f"# matrix {name} {wire} {found}")
    equal(found, kept().get((name, wire)), "the cell in docs/wires.md "
          "(expected is what is kept; contrib/wires --write)")


def is_scenario(name):
    return os.path.exists(os.path.join(ROOT, "tests", "scenarios",
                                       name + ".scenario"))


def noted(text):
    """Scenario and wire: what a run has said of them."""
    return {(name, wire): found for name, wire, found in LINE.findall(text)}


def kept():
    try:
        with open(PAGE, encoding="utf-8") as file:
            rows = ROW.findall(file.read())
    except FileNotFoundError:
        return {}
    return {(row[0], wire): found.strip()
            for row in rows for wire, found in zip(WIRES, row[1:])}


def names(cells):
    return sorted({name for name, _ in cells})


def table(cells):
    rows = [["scenario", *WIRES]]
    rows += [[name] + [cells.get((name, wire), "failed") for wire in WIRES]
             for name in names(cells)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(text.ljust(width) for text, width
                                       in zip(row, widths)) + " |"
                     for row in rows)


def explanations():
    return "\n".join(f"- {reason.name} ({', '.join(reason.wires)}): "
                     f"{reason.text}" for reason in reasons())


def page(cells):
    return TEXT.format(table=table(cells), reasons=explanations())
