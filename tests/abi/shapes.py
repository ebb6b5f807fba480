#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""No struct of plugin.h changes its shape, but that those which say so grow at
their end, and no enumerator its number: by a table of offsets that the compiler
makes of each frozen header and of today's, and by abidiff.

Usage: shapes.py SOURCE

What would break plugins is tried, too: each table has to see it.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# They have a size of their own, or only filterd makes them.
GROWING = ["FilterdHost", "FilterdPlugin", "FilterdOutcome", "FilterdDescribe",
           "FilterdCall"]
# What must not happen, as a change of today's header: a pattern, and what takes
# its place; then what the table of offsets says of it.
BREAKS = [
    ("a member changes places",
     r"(    void \(\*prefetch\)[^;]*;\n)((?:.|\n)*?)(    int64_t \(\*now\)"
     r"\(FilterdCall \*call\);\n)", r"\3\2\1", "FilterdHost.prefetch"),
    ("a member is gone",
     r"    FilterdHook \*sign_end;\n", "", "FilterdPlugin.sign_end"),
    ("a member gets between",
     r"(    const char \*summary;)", r"    int added;\n\1",
     "FilterdPlugin.summary"),
    ("a row grows",
     r"(    FilterdType items; [^\n]*\n    unsigned flags;\n)",
     r"\1    void *more;\n", "sizeof FilterdFact"),
    ("a member gets another type",
     r"uint32_t ttl;", "uint64_t ttl;", "FilterdDnsAnswer.ttl"),
    ("an enumerator gets between",
     r"(    FILTERD_DNS_BOGUS,)", r"    FILTERD_DNS_NEW,\n\1",
     "FILTERD_DNS_BOGUS"),
]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def bodies(text, kind):
    """(name, what is between the outermost braces) of each struct or enum."""
    for match in re.finditer(r"\b%s (\w+) \{" % kind, text):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield match[1], text[match.end():end - 1]


def members(body):
    body = re.sub(r"union \{([^}]*)\};", r"\1", body)
    for declaration in body.split(";"):
        pointer = re.search(r"\(\*(\w+)\)", declaration)
        if pointer:
            yield pointer[1]
            continue
        for part in declaration.split(","):
            name = re.search(r"(\w+)\s*(\[\w+\])?\s*$", part)
            if name:
                yield name[1]


def questions(text):
    """What a program prints of that header: {name: C expression}."""
    text = without_comments(text)
    asked = {}
    for name, body in bodies(text, "struct"):
        asked["sizeof " + name] = "sizeof(struct %s)" % name
        for member in members(body):
            asked["%s.%s" % (name, member)] \
                = "offsetof(struct %s, %s) * 1000 + sizeof(((struct %s *)0)" \
                  "->%s)" % (name, member, name, member)
    for _, body in bodies(text, "enum"):
        for name in re.findall(r"\b(FILTERD_\w+)\b(?=\s*[,=}]|\s*$)", body):
            asked[name] = name
    return asked


def answers(header, asked):
    """{name: number}; what this header does not have is missing."""
    with open(header) as file:
        known = questions(file.read())
    lines = ['    printf("%s\\t%%ld\\n", (long)(%s));' % (name, asked[name])
             for name in asked if name in known]
    program = "#include <filterd/plugin.h>\n#include <stdio.h>\nint main(void)" \
              "{\n%s\n}\n" % "\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "table")
        root = os.path.dirname(os.path.dirname(os.path.abspath(header)))
        subprocess.run(["cc", "-I" + root, *flags_of_glib(), "-xc", "-", "-o", out],
                       input=program.encode(), check=True)
        said = subprocess.run([out], check=True, stdout=subprocess.PIPE)
    rows = (line.split("\t") for line in said.stdout.decode().splitlines())
    return {name: int(number) for name, number in rows}


def changes(frozen, header):
    """What today's header has otherwise than the frozen one."""
    with open(frozen) as file:
        asked = questions(file.read())
    then, now = answers(frozen, asked), answers(header, asked)
    assert len(then) > 150, len(then)
    for name, number in then.items():
        grows = name.startswith("sizeof ") and name.split()[1] in GROWING
        if name not in now or now[name] < number \
                or (now[name] != number and not grows):
            yield name


def revisions(source):
    folder = os.path.join(source, "tests/abi")
    for name in sorted(os.listdir(folder)):
        if name.startswith("revision-") and name != "revision-0":
            yield os.path.join(folder, name, "filterd/plugin.h")


def broken_headers(source):
    """(what is broken, a header that has it, what changed)."""
    with open(source + "/filterd/plugin.h") as file:
        text = file.read()
    for what, pattern, instead, seen in BREAKS:
        broken, count = re.subn(pattern, instead, text, count=1)
        assert count == 1, what
        with tempfile.TemporaryDirectory() as folder:
            header = os.path.join(folder, "filterd/plugin.h")
            os.mkdir(os.path.dirname(header))
            with open(header, "w") as file:
                file.write(broken)
            yield what, header, seen


def offsets_are_as_ever(source):
    for frozen in revisions(source):
        changed = list(changes(frozen, source + "/filterd/plugin.h"))
        assert not changed, (frozen, changed)


def each_break_is_seen(source):
    frozen = list(revisions(source))[-1]
    for what, header, seen in broken_headers(source):
        assert seen in list(changes(frozen, header)), what


# ---- abidiff ----------------------------------------------------------------

# What its report may say; in front of the rest stands what is wrong.
HARMLESS = [
    r"\s*", r"(Leaf changes|Changed leaf types|Removed/Changed/Added) .*",
    r"'struct (%s) at .*' changed:" % "|".join(GROWING),
    r"'enum \w+ at .*' changed:", r"  type size hasn't changed",
    r"  \d+ (data member|enumerator) insertions?:",
    r"    '\w+::\w+' value '\d+'.*",
]
GROWS = re.compile(r"  type size changed from (\d+) to (\d+) \(in bits\)")
ADDED = re.compile(r"    '.*', at offset (\d+) \(in bits\) at .*")


def flags_of_glib():
    said = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], check=True,
                          stdout=subprocess.PIPE).stdout
    return said.decode().split()


def library(header, folder):
    """What abidiff reads of a header; a path."""
    out = os.path.join(folder, "%d.so" % len(os.listdir(folder)))
    root = os.path.dirname(os.path.dirname(os.path.abspath(header)))
    types = os.path.join(os.path.dirname(os.path.abspath(__file__)), "types.c")
    subprocess.run(["cc", "-g", "-shared", "-fPIC", "-I" + root,
                    *flags_of_glib(), types, "-o", out], check=True)
    return out


def faults(report):
    """Lines that tell of more than something new at an end."""
    size = 0
    for line in report.splitlines():
        grown, added = GROWS.fullmatch(line), ADDED.fullmatch(line)
        if grown and int(grown[1]) < int(grown[2]):
            size = int(grown[1])
        elif not (added and int(added[1]) >= size > 0) \
                and not any(re.fullmatch(known, line) for known in HARMLESS):
            yield line


def abidiff(frozen, header):
    """What it has against the change from one header to the other."""
    assert shutil.which("abidiff"), "no abidiff: contrib/install test"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["abidiff", "--leaf-changes-only", library(frozen, folder),
             library(header, folder)], stdout=subprocess.PIPE, check=False)
    told = done.stdout.decode()
    assert done.returncode in (0, 4, 12), (done.returncode, told)
    assert (done.returncode == 0) == ("struct" not in told), told
    return list(faults(told))


def abidiff_says_the_same(source):
    for frozen in revisions(source):
        told = abidiff(frozen, source + "/filterd/plugin.h")
        assert not told, (frozen, told)


def abidiff_sees_each_break(source):
    frozen = list(revisions(source))[-1]
    for what, header, _ in broken_headers(source):
        assert abidiff(frozen, header), what


def abidiff_sees_what_is_lost(source):
    told = abidiff(source + "/filterd/plugin.h", list(revisions(source))[0])
    assert [line for line in told if "deletion" in line], told


TESTS = [offsets_are_as_ever, each_break_is_seen, abidiff_says_the_same,
         abidiff_sees_each_break, abidiff_sees_what_is_lost]


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(sys.argv[1])
            print("ok %d %s" % (number, name), flush=True)
        except AssertionError as error:
            failed += 1
            told = str(error).replace("\\n", "\n").replace("\n", "\n# ")
            print("not ok %d %s\n# %s" % (number, name, told), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
