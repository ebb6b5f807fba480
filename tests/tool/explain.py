#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl explain: what it shows, what tools get, and that all plugins have
told enough for it.

Usage: explain.py FILTERCTL
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PLUGINS = ["arc", "clamav", "dkim", "dmarc", "dnsbl", "greylist", "lookup",
           "lua", "ratelimit", "spamd", "spf", "uribl"]
HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = os.path.join(HERE, "../plugins/dkim/keys")
EXAMPLE_SCRIPT = os.path.join(HERE, "../../plugins/lua/scripts/helo.lua")
EXAMPLE_KEYS = {"s2026.pem": "rsa2048", "s2026e.pem": "ed25519.pem"}
# Of these types an option has a default, or has to be there.
MEASURED = ["bool", "int", "duration", "word"]
# All that an example without rules of its own for recipients is told.
RELAY = "no rule refuses on `rcpt.domain`"
COLUMNS = 80


class Explain:
    def __init__(self, filterctl):
        self.filterctl = filterctl

    def run(self, *arguments):
        done = subprocess.run([self.filterctl, *arguments], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def text(self, *arguments):
        status, out, err = self.run("explain", *arguments)
        assert (status, err) == (0, ""), (arguments, status, err)
        return out

    def tables(self, *arguments):
        return json.loads(self.text("--json", *arguments))


def overview_lists_the_plugins(explain):
    found = [row["plugin"] for row in explain.tables()["plugins"]]
    assert found == PLUGINS, found
    text = explain.text()
    for name in PLUGINS:
        assert re.search(r"^  %s +\w" % name, text, re.M), (name, text)


def a_page_fits_eighty_columns(explain):
    for name in [*PLUGINS, "core", "spf.result"]:
        for line in explain.text(name).splitlines():
            assert len(line) < COLUMNS, (name, line)
    for line in explain.text().splitlines():
        assert len(line) < COLUMNS, line


def a_plugin_is_its_tables(explain):
    text = explain.text("dnsbl")
    for part in [
            "dnsbl: ask DNS block and allow lists",
            "\n  zone NAME [ANSWER ...] [weight INT]\n",
            "\n      weight INT (1)\n", " From -1000 to 1000.",
            "[on WORD ...] [ask WORD] [test\n",
            "\n      ask registered | host (registered)\n",
            "\n  self-test BOOL (on)\n",
            "\n  From connect on\n  dnsbl.score",
            "\n  dnsbl.zones            list of text\n",
            "\n  filterd_dnsbl_suspended (by zone)\n",
            "\n  filterd_dnsbl_listed_total (by zone)\n",
            "\n  The method is `dnswl`, where a rule asked.\n",
            "It looks up `client.ip`, `client.name`",
            "\n\n  Where the plugin is used, too: `dkim.domains`.\n",
            "\nEXAMPLE\n  use dnsbl {\n"]:
        assert part in text, (part, text)


def bounds_have_the_units_of_the_file(explain):
    assert "\n  delay DURATION (5m)\n" in explain.text("greylist")
    text = re.sub(r"\s+", " ", explain.text("greylist"))
    assert "at least. From 1s to 1d." in text, text
    assert "\n  scan INT (2M)\n" in explain.text("uribl")
    assert "looked at. From 1 to 1G." in explain.text("uribl")


def a_long_default_is_told(explain):
    text = re.sub(r"\s+", " ", explain.text("dkim"))
    assert "Default: From Reply-To Subject Date" in text, text


def actions_have_their_arguments(explain):
    text = explain.text("dkim")
    assert "\n  rewrite dkim.sign()\n" in text, text
    assert "\n  rewrite dkim.sign(DOMAIN, TEXT)\n" in text, text


def a_fact_has_type_stage_and_words(explain):
    text = re.sub(r"\s+", " ", explain.text("spf.result"))
    assert text.startswith(" spf.result (word, from mail on) "), text
    assert "`softfail`, `temperror` or `permerror`." in text, text
    text = re.sub(r"\s+", " ", explain.text("greylist.state"))
    assert text.endswith(" To ask writes to the store. "), text


def a_fact_of_the_core_needs_no_plugin(explain):
    assert "client.ip (ip, from connect on)" in explain.text("client.ip")
    assert "score (int, from connect on)" in explain.text("score")
    text = explain.text("core")
    stages = re.findall(r"^  From (\w+) on$", text, re.M)
    assert stages == ["connect", "helo", "mail", "rcpt", "message"], stages
    assert re.search(r"^  rcpt\.to +address$", text, re.M), text


def tools_get_the_rows(explain):
    assert explain.tables("spf.helo")["since"] == "helo"
    assert explain.tables("spf.helo")["words"][2] == "pass"
    core = {row["name"]: row for row in explain.tables("core")["facts"]}
    assert core["mail.from"]["type"] == "address", core["mail.from"]
    uribl = explain.tables("uribl")
    zone, domains = uribl["options"][:2]
    assert zone["group"][0]["required"] and zone["many"], zone
    assert (domains["low"], domains["high"]) == (1, 100), domains
    dkim = explain.tables("dkim")
    assert dkim["methods"] == ["dkim"], dkim
    assert [a["arguments"] for a in dkim["actions"]] \
        == [[], ["domain", "text"]], dkim
    needs = {row["fact"]: row for row in explain.tables("dmarc")["needs"]}
    assert needs["spf.result"]["optional"], needs
    assert needs["dkim.domains"]["type"] == "list", needs


def instances_of_a_file_by_their_names(explain):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("use spf as mine use greylist { delay 1m }\n")
        file.flush()
        of_file = ["-c", file.name]
        rows = explain.tables(*of_file)["plugins"]
        assert [row["plugin"] for row in rows] == ["mine", "greylist"], rows
        assert "mine.result" in explain.text(*of_file, "mine")
        assert explain.tables(*of_file, "mine.result")["type"] == "word"
        assert explain.text(*of_file, "spf") == explain.text(*of_file, "mine")
        assert explain.tables(*of_file, "spf.helo")["name"] == "mine.helo"
        status, _, err = explain.run("explain", *of_file, "dkim")
        assert status == 1 and "no plugin or fact `dkim`" in err, err
        status, _, err = explain.run("explain", *of_file, "--manual", "mine")
        assert status == 2 and "--manual is of a plugin" in err, err
    status, out, err = explain.run("explain", "-c", file.name)
    assert (status, out) == (1, "") and "No such file" in err, err


def rules_that_tell_recipients_apart_are_listed(explain):
    """Of the message's rules, with the facts of the recipient; no others."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("list vip of address { a@example.com }\n"
                   "let dear = rcpt.to in vip or rcpt.domain = \"example.org\"\n"
                   "at rcpt { score 7 weak if client.tls = no\n"
                   "  reject relay if rcpt.domain != \"example.com\" }\n"
                   "at message {\n"
                   "  reject strict if message.size > 5 and not dear\n"
                   "  reject early if score > 5 and client.fcrdns = no\n"
                   "  pass all if message.size > 7\n}\n")
        file.flush()
        rows = explain.tables("-c", file.name)["recipients"]
        assert rows == [
            {"rule": "strict", "stage": "message", "file": file.name, "line": 6,
             "facts": ["rcpt.to", "rcpt.domain"]},
            {"rule": "early", "stage": "message", "file": file.name, "line": 7,
             "facts": ["score"]}], rows
        text = explain.text("-c", file.name)
        assert "\n\n  strict at message (rcpt.to, rcpt.domain)\n" in text, text
        assert "\n  early at message (score)\n" in text, text
        assert "452 4.5.3" in text and "relay" not in text, text
        for line in text.splitlines():
            assert len(line) < COLUMNS, line


def recipients_that_are_judged_alike_are_no_news(explain):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("at mail { score 7 weak if client.tls = no }\n"
                   "at rcpt { reject x if rcpt.domain != \"example.com\" }\n"
                   "at message { reject early if score > 5 }\n")
        file.flush()
        assert explain.tables("-c", file.name)["recipients"] == []
        assert "RECIPIENTS" not in explain.text("-c", file.name)
    assert "recipients" not in explain.tables()


def texts_of_an_instance_have_its_name(explain):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("use dnsbl as bl use greylist as grey use dkim as sig\n"
                   "use dnsbl as two use spf use spf as other\n")
        file.flush()
        of_file = ["-c", file.name]
        text = explain.text(*of_file, "bl")
        for line in ["bl: ask DNS block and allow lists about the client and "
                     "its domains (dnsbl)",
                     "As `bl.score`, of the name in the greeting.",
                     "too: `sig.domains`.", "use dnsbl as bl {",
                     "if bl.score >= 5", "listed: {bl.reason}",
                     "filterd_dnsbl_suspended (by zone)"]:
            assert line in text, (line, text)
        assert "dnsbl." not in text, text
        assert "As `two.score`" in explain.text(*of_file, "two")
        assert "mains (dnsbl)" in explain.text(*of_file)
        text = explain.text(*of_file, "grey")
        assert "tempfail greylist if grey.state = new" in text, text
        rows = explain.tables(*of_file, "bl")
        assert rows["metrics"][0]["name"] == "filterd_dnsbl_suspended", rows
        assert "spf.result" in explain.text(*of_file, "spf")
        assert "other.result" not in explain.text(*of_file, "spf")
        assert "spf.result" not in explain.text(*of_file, "other")


def a_misspelt_name_is_told(explain):
    for wrong, right in [("dkmi", "dkim"), ("spf.reslut", "spf.result"),
                         ("clent.ip", "client.ip"), ("coer", "core"),
                         ("greylist.stat", "greylist.state")]:
        status, out, err = explain.run("explain", wrong)
        assert (status, out) == (1, ""), (wrong, status, out)
        assert "`%s`; did you mean `%s`?" % (wrong, right) in err, err
    status, out, err = explain.run("explain", "nothing-like-that-at-all")
    assert status == 1 and "lists what there is" in err, err


def wrong_arguments_are_of_no_use(explain):
    for arguments in (["a", "b"], ["--nonsense"], ["--manual"],
                      ["--json", "--manual", "spf"]):
        status, out, err = explain.run("explain", *arguments)
        assert (status, out) == (2, "") and err, (arguments, status, out)
    assert explain.run("explain", "--manual", "nothing")[0] == 1


# ---- what plugins tell ------------------------------------------------------


def options_of(rows, path):
    for row in rows:
        yield path + row["name"], row
        yield from options_of(row.get("group", []), path + row["name"] + ".")


def assert_sentence(doc, where):
    assert doc and doc.endswith("."), (where, doc)
    assert not doc[0].islower() and doc.count("`") % 2 == 0, (where, doc)


def each_row_has_a_sentence(explain):
    for plugin in PLUGINS:
        tables = explain.tables(plugin)
        for path, row in options_of(tables["options"], plugin + " "):
            assert_sentence(row["doc"], path)
        for row in tables["facts"] + tables["actions"] + tables["metrics"]:
            assert_sentence(row["doc"], row["name"])
    for row in explain.tables("core")["facts"]:
        assert_sentence(row["doc"], row["name"])


def each_option_that_is_measured_has_a_default(explain):
    for plugin in PLUGINS:
        for path, row in options_of(explain.tables(plugin)["options"],
                                    plugin + " "):
            assert row["type"] not in MEASURED or row["required"] \
                or row["default"] is not None, path


def each_plugin_has_a_summary_and_a_description(explain):
    for plugin in PLUGINS:
        tables = explain.tables(plugin)
        assert not tables["summary"].endswith("."), tables["summary"]
        paragraphs = [p for p in tables["description"].split("\n\n")
                      if not p.startswith(" ")]
        for paragraph in paragraphs:
            assert paragraph.strip()[-1] in ".:" or paragraph[0].islower() \
                or paragraph.endswith("by"), (plugin, paragraph)
        lines = (tables["description"] + "\n" + tables["example"]).split("\n")
        for line in lines:
            assert not line.startswith("  ") or len(line) < 72, (plugin, line)


def each_example_is_right(explain):
    with tempfile.TemporaryDirectory() as folder:
        for name, key in EXAMPLE_KEYS.items():
            shutil.copy(os.path.join(KEYS, key), os.path.join(folder, name))
        shutil.copy(EXAMPLE_SCRIPT, folder)
        path = os.path.join(folder, "filterd.conf")
        for plugin in PLUGINS:
            with open(path, "w") as file:
                file.write(explain.tables(plugin)["example"].replace(
                    "/etc/filterd", folder))
            status, _, err = explain.run("check", path)
            warnings = [line for line in err.splitlines()
                        if "warning:" in line and RELAY not in line]
            assert status == 0 and not warnings, (plugin, err)


def a_manual_page_has_all_of_it(explain):
    for plugin in PLUGINS:
        page = explain.text("--manual", plugin)
        tables = explain.tables(plugin)
        for row in tables["options"]:
            assert "\n.It Cm \\&%s " % row["name"] in page, row["name"]
        for row in tables["facts"]:
            assert "\n.It %s Pq " % row["name"] in page, row["name"]
        for row in tables["metrics"]:
            assert "\n.It %s" % row["name"] in page, row["name"]
        for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "SEE ALSO"):
            assert "\n.Sh %s\n" % part in page, part
        assert tables["example"].split("\n", 1)[0] in page, plugin


def a_manual_page_has_the_date_that_packagers_say(explain):
    os.environ["SOURCE_DATE_EPOCH"] = "86400"
    page = explain.text("--manual", "spf")
    del os.environ["SOURCE_DATE_EPOCH"]
    assert page.startswith(".Dd 1970-01-02\n"), page[:80]


TESTS = [
    overview_lists_the_plugins,
    a_page_fits_eighty_columns,
    a_plugin_is_its_tables,
    bounds_have_the_units_of_the_file,
    a_long_default_is_told,
    actions_have_their_arguments,
    a_fact_has_type_stage_and_words,
    a_fact_of_the_core_needs_no_plugin,
    tools_get_the_rows,
    instances_of_a_file_by_their_names,
    rules_that_tell_recipients_apart_are_listed,
    recipients_that_are_judged_alike_are_no_news,
    texts_of_an_instance_have_its_name,
    a_misspelt_name_is_told,
    wrong_arguments_are_of_no_use,
    each_row_has_a_sentence,
    each_option_that_is_measured_has_a_default,
    each_plugin_has_a_summary_and_a_description,
    each_example_is_right,
    a_manual_page_has_all_of_it,
    a_manual_page_has_the_date_that_packagers_say,
]


def main():
    explain = Explain(sys.argv[1])
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(explain)
            print("ok %d %s" % (number, name))
        except AssertionError as error:
            failed += 1
            print("not ok %d %s\n# %r" % (number, name, error))
    return 1 if failed else 0


sys.exit(main())
