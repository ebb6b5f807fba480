#!/usr/bin/python3
"""manual.py: the manual pages know every setting, fact, option, limit and
line of the log.

The sources' tables are read as text: each row's name has to stand in the page,
with its default. BAD INPUT of filterd(8), WHERE OTHERS DIFFER of
filterd-spf-others(7), WHERE THE WIRES DIFFER of filterd-milter(7) and RECIPES of
filterd-cookbook(7) are written anew by --write.
"""

# SPDX-License-Identifier: BSD-2-Clause

import configparser
import re
import sys

import tree

sys.path.insert(0, str(tree.ROOT / "tests/scenarios"))

from lab import excuses, matrix  # noqa: E402

CONF = "docs/filterd.conf.5"
DAEMON = "docs/filterd.8"
CONTROL = "docs/filterctl.1"
SPF = "docs/filterd-spf-others.7"
MILTER = "docs/filterd-milter.7"
WIRES = "docs/wires.md"
COOKBOOK = "docs/filterd-cookbook.7"

# MACRO("name", FILTERD_TYPE, field, "default"
SETTING = re.compile(
    r'\b(SET|LISTEN|BACKEND|DNS|STORE|REDIS|USE)\("([\w-]+)", FILTERD_(\w+), \w+, '
    r'(?:NULL|"([^"]*)")')
SECTIONS = {"SET": "set", "LISTEN": "listen", "BACKEND": "backend",
            "DNS": "dns", "STORE": "store",
            "REDIS": "store", "USE": "PLUGINS"}
TABLE = r"\b%s\s+\w+\[[^\]]*\] = \{(.*?)^\};"
ROW = re.compile(r'(?:^    |= )\{\s*(?:\.name = )?"([\w.-]+)"', re.M)
# What a limit is in the text of filterd(8).
LIMITS = {
    "SMTP_LINE_LIMIT": "2048 octets",
    "SMTP_JUNK_LIMIT": "100",
    "HELO_LIMIT": "255 octets",
    "MAIL_HEADER_LIMIT": "256 KiB",
    "MAIL_FIELD_LIMIT": "1000",
    "HOP_LIMIT": "100",
    "PROXY_V1_LIMIT": "107",
    "PROXY_V2_LIMIT": "4112",
    "XCLIENT_VALUE_LIMIT": "255 octets",
    "SMTP_AUTH_LIMIT": "12288 octets",
    "SMTP_USER_LIMIT": "255 octets",
    "AUTH_ROUNDS": "10",
    "AUTH_LIMIT": "500 octets",
    "TLS_TIMEOUT": "30 s",
    "PEER_CHAIN_LIMIT": "64 KiB",
    "REFUSED_LIMIT": "64",
    "VISITORS_LIMIT": "65536",
    "DELEGATION_REQUEST_LIMIT": "32768",
    "DELEGATION_LINE_LIMIT": "4096 octets",
    "DELEGATION_ATTRIBUTES_LIMIT": "100",
    "DELEGATION_MEMORY_LIMIT": "4000",
    "DELEGATION_FIELD_LIMIT": "1800 octets",
    "DELEGATION_REQUEST_TIME": "30 s",
    "HEALTH_LIMIT": "256",
    "HEALTH_FIRST_PAUSE": "1 s",
    "HEALTH_LONGEST_PAUSE": "30 s",
    "STRESS": "90",
    "LEND_TIME": "5 s",
    "EDIT_LIMIT": "1000",
    "MAIL_REPLY_PARSE_LINE": "2048 octets",
    "MAIL_REPLY_LINES": "64",
    "DNS_FLIGHTS_LIMIT": "8192",
    "RECORD_LINE_LIMIT": "32768 octets",
    "RECORD_TEXT_LIMIT": "2048 octets",
    "RECORD_ANSWER_LIMIT": "512 octets",
    "DNS_CACHE_ENTRIES": "20000",
    "DNS_RECORDS_LIMIT": "1000",
    "STORE_KEY_LIMIT": "512 octets",
    "STORE_ENTRIES": "1000000",
    "HOST_STREAMS": "256",
    "HOST_STREAMS_CALL": "4",
    "FILTERD_STREAM_LINE": "8192 octets",
    "BUFFER_LIMIT": "65536",
    "REPORT_ROW_LIMIT": "100000",
    "REPORT_DESTINATION_LIMIT": "10",
    "COMPILE_FILES": "1000",
    "COMPILE_INCLUDE_DEPTH": "16",
    "COMPILE_LIST_SIZE": "4000000",
    "COMPILE_NESTING": "64",
    "COMPILE_ERRORS": "50",
    "COMPILE_PATTERNS": "20000",
    "PATTERN_MATCH_LIMIT": "100000",
    "PATTERN_LIST_GIVE_UPS": "32",
    "HOLD_LIMIT": "50",
    "GENERATION_PATIENCE": "10",
    "CULPRIT_LOSSES": "3",
    "TABLE_ROWS_LIMIT": "256",
    "FRAME_ITEMS_LIMIT": "10000",
    "CHANNELS_LIMIT": "100000",
    "LINK_HOOK_TIME": "60 s",
    "LINK_START_TIME": "30 s",
    "ISOLATED_FILES": "64",
    "ISOLATED_CPU": "30",
    "GENERATION_PLUGIN_PAUSE": "5 s",
    "TABLE_NAME_LIMIT": "64 octets",
    "TABLE_TEXT_LIMIT": "64 KiB",
    "CONTROL_CLIENTS": "64",
    "CONTROL_WAITING": "48",
    "CONTROL_WORD_LIMIT": "32 octets",
    "CONTROL_TIME": "5 s",
    "DRAIN_WORD_TIME": "5 s",
}
UNITS = {"KiB": 1024, "octets": 1, "": 1, "s": 1000}
PROXY_V2_HEADER = 16
BAD_WIDTH = 42
BAD_TABLE = """.TS
tab(|);
lw(%d)2 lw(16)2 l.
\\fIwhat\\fP|\\fIreply\\fP|\\fIrule\\fP""" % BAD_WIDTH


def read(name):
    return (tree.ROOT / name).read_text()


def section(page, title):
    """From one .Ss or .Sh to the next."""
    found = re.search(r"^\.S[sh] %s\n(.*?)(?=^\.S[sh] )" % re.escape(title),
                      page, re.M | re.S)
    return found.group(1) if found else ""


def tables(path, kind):
    for found in re.findall(TABLE % kind, path.read_text(), re.M | re.S):
        yield from ROW.findall(found)


def settings():
    page = read(CONF)
    rows = SETTING.findall(
        re.sub(r"\s+", " ", read("policy/setting-tables.c")))
    if len(rows) < 20:
        yield "only %d settings were found in the sources" % len(rows)
    for macro, name, _, default in rows:
        text = section(page, SECTIONS[macro])
        item = re.search(r"^\.It .*?\b(?:Cm|,) %s\b.*$" % re.escape(name),
                         text, re.M)
        if item is None:
            yield "%s: nothing about %s of `%s`" % (CONF, name,
                                                    SECTIONS[macro])
        elif default and not item.group().endswith(
                ("Pq " + default, "Pq Pa " + default)):
            yield "%s: the default of %s is %s" % (CONF, name, default)


# "name", FILTERD_TYPE, FILTERD_STAGE
FACT = re.compile(r'\] = \{"([\w.-]+)", FILTERD_(\w+), FILTERD_(\w+),')


def core_facts():
    """Each below its stage, with its type, and none that is not there."""
    source = re.sub(r"\s+", " ", read("filterd/session/core.c"))
    facts = {name: (since.lower(), kind.lower())
             for name, kind, since in FACT.findall(source)}
    names = set(tables(tree.ROOT / "filterd/session/core.c", "FilterdFact"))
    if not names or names != set(facts):
        yield "the facts of the sources were not understood: %s" % (
            names ^ set(facts))
    told, stage = {}, None
    for line in section(read(CONF), "FACTS OF THE CORE").split("\n"):
        if line.startswith(".It Sy "):
            stage = line.split()[2]
        elif line.startswith(".It "):
            name, kind = line[4:].split(" Ta ")[:2]
            told[name] = (stage, kind)
    for name in sorted(set(facts) | set(told)):
        if told.get(name) != facts.get(name):
            yield "%s: %s is %s, not %s" % (CONF, name, facts.get(name),
                                            told.get(name))


# Where the parser knows a word: a table of words, or a question for one.
WORD_TABLES = [
    ("policy/parse.c", r"\} statements\[\] = \{(.*?)\n\};", r'\{"(\w+)", '),
    ("policy/parse-prefix.c", r"\} words\[\] = \{(.*?)\n\};", r'\{"(\w+)", '),
    ("policy/parse-rule.c", r"policy_verdict_words\[\] = \{(.*?)\};", r'"(\w+)"'),
    ("policy/parse-rule.c", r"policy_stage_words\[\] = \{(.*?)\};", r'"(\w+)"'),
    ("policy/literal.c", r"literal_type_words\[\] = \{(.*?)\};", r'"(\w+)"'),
    ("policy/settings.c", r"wire_words\[\] = \{(.*?)\};", r'"(\w+)"'),
    ("policy/settings.c", r"store_words\[\] = \{(.*?)\};", r'"(\w+)"'),
    ("policy/lexer.c", r"\} signs\[\] = \{(.*?)\n\};", r'\{"([^"]+)", '),
]
ASKED = re.compile(r'\b(?:compile_at|expect_word)\(\s*compile, "(\w+)"'
                   r'|parse_chain\(\s*compile, \w+, "(\w+)"')


def parser_words():
    for path, table, word in WORD_TABLES:
        found = re.search(table, read(path), re.S)
        yield from re.findall(word, found.group(1)) if found else [path]
    for path in (tree.ROOT / "policy").glob("parse*.c"):
        if path.name != "parse-mend.c":
            for pair in ASKED.findall(path.read_text()):
                yield "".join(pair)


def grammar():
    """Its words are the parser's, and what it names it explains."""
    text = section(read(CONF), "GRAMMAR").split(".Bd", 1)[1].split(".Ed")[0]
    told = set(re.findall(r'"([^"]+)"', text))
    for word in sorted(told ^ set(parser_words())):
        yield "%s: GRAMMAR and the parser differ about `%s`" % (CONF, word)
    rest = re.sub(r'"[^"]+"', " ", text)
    rules = set(re.findall(r"^(\w+) +=", rest, re.M))
    for name in sorted(set(re.findall(r"\b[a-z]+\b", rest))
                       - rules - {"literal", "offset", "n", "value"}):
        yield "%s: GRAMMAR has no rule `%s`" % (CONF, name)


def plugins():
    """Their pages are made of their tables; this one says where to look."""
    page = read(CONF)
    for path in sorted((tree.ROOT / "plugins").glob("*/meson.build")):
        if "\n.It Xr filterd-%s 7\n" % path.parent.name not in page:
            yield "%s: nothing about %s" % (CONF, path.parent.name)


def bad_cell(text):
    """What does not fit into its column is a block, which is filled."""
    text = text.replace("\\", "\\e")
    return text if len(text) <= BAD_WIDTH else "T{\n%s\nT}" % text


def bad_input():
    """The section BAD INPUT, from the rows that are tested."""
    lines = []
    for line in read("tests/wire/bad-input.txt").splitlines():
        if line.startswith("= "):
            lines += [".TE"] * bool(lines) + [".Ss " + line[2:], BAD_TABLE]
        elif " => " in line and line[:1] not in " #":
            what, words = line.split(" => ")
            words = words.split(" ")
            rules = [word for word in words if word[0] == "-"]
            reply = ", ".join(words[:len(words) - len(rules)])
            reply = reply.replace(", ", " ", 1) if "." in reply else reply
            lines.append("|".join((bad_cell(what), reply, " ".join(rules))))
    return "\n".join(lines + [".TE"]) + "\n"


def bad_input_rows():
    page = read(DAEMON)
    table = bad_input()
    if table.count("|") < 2 * 80:
        yield "only %d rows of bad input were found" % (table.count("|") / 2)
    if table not in page:
        for line in table.splitlines():
            if line not in page:
                yield "%s: BAD INPUT lacks: %s" % (DAEMON, line)
        yield "%s: not as `tests/style/manual.py --write` has it" % DAEMON


def differences():
    """The section WHERE OTHERS DIFFER, from the table of differential-spf."""
    table = configparser.RawConfigParser(delimiters=("=",))
    table.read_string(read("tests/fuzz/spf-differences.ini"))
    lines = [".Bl -tag -width Ds"]
    for name in table.sections():
        row = table[name]
        says = re.sub(r"(?<=[.:;]) ", "\n", row["says"].replace("\\", "\\e"))
        lines += [".It %s Pq %s ; %s" % (name, row["peer"], row["section"]),
                  says[0].upper() + says[1:]]
        if row["mistaken"] == "-":
            lines.append("The text allows both.")
    return "\n".join(lines + [".El"]) + "\n"


def differences_rows():
    if differences() not in read(SPF):
        yield "%s: not as `tests/style/manual.py --write` has it" % SPF


def wires():
    """The section WHERE THE WIRES DIFFER, from wires.ini."""
    lines = [".Bl -tag -width Ds"]
    for reason in excuses.reasons():
        lines += [".It %s Pq %s" % (reason.name, ", ".join(reason.wires)),
                  reason.text[0].upper() + reason.text[1:] + "."]
    return "\n".join(lines + [".El"]) + "\n"


def wires_rows():
    """The cells are found out by the scenarios; the rest is seen from here."""
    if wires() not in read(MILTER):
        yield "%s: not as `tests/style/manual.py --write` has it" % MILTER
    cells = matrix.kept()
    played = sorted("%s/%s" % (path.parent.name, path.stem) for path in
                    (tree.ROOT / "tests/scenarios").glob("*/*.scenario"))
    if matrix.names(cells) != played:
        yield "%s: its rows are not the scenarios" % WIRES
    if matrix.page(cells) != read(WIRES):
        yield "%s: not as `contrib/wires --write` has it" % WIRES
    words = " ".join(cells.values()).split()
    for reason in excuses.reasons():
        if reason.name not in words:
            yield "wires.ini: %s excuses nothing" % reason.name


# What each recipe says of itself, in this order.
RECIPE = ["Situation", "Spoofed mail", "Forwarders", "Lists",
          "When something fails"]


def recipe_files():
    listed = re.findall(r"'([\w-]+\.conf)'", read("contrib/cookbook/meson.build"))
    return [tree.ROOT / "contrib/cookbook" / name for name in listed]


def roff(text):
    text = text.replace("\\", "\\e")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def recipe(path):
    """Its heading, its paragraphs by name, its rules."""
    head, rest = re.fullmatch(r"((?:#[^\n]*\n)+)(.*)", path.read_text(),
                              re.S).groups()
    title, *paragraphs = re.sub(r"(?m)^# ?", "", head).strip().split("\n\n")
    rules = rest[re.search(r"^(let|at) ", rest, re.M).start():]
    return (title, [text.split(": ", 1) for text in paragraphs],
            rules[:rules.index("\ntest ")].rstrip() + "\n")


def cookbook():
    """The section RECIPES, from the files."""
    lines = []
    for path in recipe_files():
        title, paragraphs, rules = recipe(path)
        name, sentence = title.split(": ", 1)
        lines += [".Ss " + name, sentence[0].upper() + sentence[1:], ".Pp",
                  ".Pa " + path.name, ".Bl -tag -width Ds"]
        for word, text in paragraphs:
            text = re.sub(r"(?<=[.:;]) (?=\S)", "\n", text.replace("\n", " "))
            lines += [".It " + word, roff(text[0].upper() + text[1:])]
        lines += [".El", ".Bd -literal", roff(rules) + ".Ed"]
    return "\n".join(lines) + "\n"


def cookbook_rows():
    present = sorted((tree.ROOT / "contrib/cookbook").glob("*.conf"))
    if sorted(recipe_files()) != present:
        yield "contrib/cookbook/meson.build: not the files of its folder"
    for path in present:
        said = [word for word, _ in recipe(path)[1]]
        if said != RECIPE:
            yield "%s: says %s" % (path.name, ", ".join(said))
    if cookbook() not in read(COOKBOOK):
        yield "%s: not as `tests/style/manual.py --write` has it" % COOKBOOK


def rewrite(name, begins, text):
    """Puts a text where the last of `begins` stands, up to the next .Sh."""
    page = read(name)
    begin = 0
    for line in begins:
        begin = page.index(line + "\n", begin)
    end = page.index(".Sh ", begin)
    (tree.ROOT / name).write_text(page[:begin] + text + page[end:])


def write():
    rewrite(DAEMON, [".Sh BAD INPUT", ".Ss Lines"], bad_input())
    rewrite(SPF, [".Sh WHERE OTHERS DIFFER", ".Bl -tag -width Ds"],
            differences())
    rewrite(MILTER, [".Sh WHERE THE WIRES DIFFER", ".Bl -tag -width Ds"],
            wires())
    rewrite(COOKBOOK, [".Sh RECIPES", ".Ss Small office"], cookbook())


def value_of(text):
    number, _, unit = text.partition(" ")
    return int(number) * UNITS[unit]


def limits():
    page = section(read(DAEMON), "LIMITS") \
        + read(DAEMON).split(".Sh LIMITS", 1)[1]
    found = {}
    for path, _ in tree.sources(["filterd", "policy"]):
        found.update(re.findall(r"^#define (\w+) (\d+)\b", path.read_text(),
                                re.M))
    for name, text in LIMITS.items():
        more = PROXY_V2_HEADER if name == "PROXY_V2_LIMIT" else 0
        if name not in found:
            yield "the sources have no %s" % name
        elif int(found[name]) + more != value_of(text):
            yield "%s is %s, the manual says %s" % (name, found[name], text)
        if text.split(" ")[0] not in page:
            yield "%s: nothing about %s" % (DAEMON, name)


def rules():
    """Names of rules that are none of the file."""
    page = read(DAEMON)
    for path, name in tree.sources(["filterd/session", "filterd/wire"]):
        for rule in re.findall(r'"(-[a-z][a-z-]+)"', path.read_text()):
            if rule not in page:
                yield "%s: nothing about the rule %s of %s" % (DAEMON, rule,
                                                               name)


def events():
    """The word that a line of the log begins with."""
    page = section(read(DAEMON), "LOG")
    for path, name in tree.sources(["filterd"]):
        for event in re.findall(
                r'log_(?:event|begin)\([^";]*?,\s*"([a-z-]+)"',
                path.read_text()):
            if not re.search(r"\b%s\b" % re.escape(event), page):
                yield "%s: nothing about the line %s of %s" % (DAEMON, event,
                                                               name)


def commands():
    page = read(CONTROL)
    for path, _ in tree.files(".c", parts=["filterd/tool"]):
        for option in re.findall(r'^\s+\{"([\w-]+)", \'?\w\'?, 0, G_OPTION',
                                 path.read_text(), re.M):
            if not re.search(r"Fl -%s\b" % option, page):
                yield "%s: nothing about --%s" % (CONTROL, option)
    for command in re.findall(r'\{"(\w+)", "', read("filterd/ctl.c")):
        if "\n.Cm %s\n" % command not in page:
            yield "%s: nothing about %s" % (CONTROL, command)


def main():
    tap = tree.Tap()
    tap.point("every setting, with its default", settings())
    tap.point("every fact of the core", core_facts())
    tap.point("the grammar, as the parser has it", grammar())
    tap.point("every plugin, and where its page is", plugins())
    tap.point("every limit, with its value", limits())
    tap.point("every row of bad input, as it is tested", bad_input_rows())
    tap.point("every known difference of SPF", differences_rows())
    tap.point("every difference of the wires", wires_rows())
    tap.point("every recipe", cookbook_rows())
    tap.point("every rule that is none of the file", rules())
    tap.point("every kind of line of the log", events())
    tap.point("every command, with its options", commands())
    tap.end()


if sys.argv[1:] == ["--write"]:
    write()
else:
    main()
