"""manual.py: the tables as filterd-migration(7) has them."""

# SPDX-License-Identifier: BSD-2-Clause

import re

from . import opendkim, opendmarc, policyd_spf, postfix, postgrey

PAGES = [
    ("OpenDKIM", "opendkim.conf(5)", opendkim.TABLE),
    ("OpenDMARC", "opendmarc.conf(5)", opendmarc.TABLE),
    ("policyd-spf and pyspf-milter", "policyd-spf.conf(5)",
     policyd_spf.TABLE),
    ("postfix-policyd-spf-perl", "postfix-policyd-spf-perl(1)",
     policyd_spf.PERL_TABLE),
    ("postgrey", "postgrey(8)", postgrey.TABLE),
    ("Postfix", "postconf(5)", postfix.TABLE),
]
MACRO = re.compile(r"`([^`]*)`([.,;:]*)")


def escaped(text):
    return text.replace("\\", "\\e").replace("…", "\\&...")


def literal(text):
    """As the argument of a macro."""
    return '"%s"' % escaped(text).replace('"', '""')


def roff(text):
    """`code` becomes .Li; a line of text never begins with a control."""
    lines, end = [], 0
    for match in MACRO.finditer(text):
        lines.append(escaped(text[end:match.start()].strip()))
        lines.append(" ".join([".Li " + literal(match[1])] + list(match[2])))
        end = match.end()
    lines.append(escaped(text[end:].strip()))
    return [line for line in lines if line]


def table(rows):
    yield ".Bl -tag -width Ds"
    for name, row in rows.items():
        yield ".It Cm " + escaped(name).replace("-", "\\-")
        yield from roff(row.sentence() + ".")
    yield ".El"


def reference(page):
    return ".Xr %s %s" % re.match(r"(.*)\((\d)\)", page).groups()


def tables():
    lines = []
    for title, page, rows in PAGES:
        lines += [".Ss " + title, "What is set in", reference(page) + " :"]
        lines += table(rows)
    return "\n".join(lines)
