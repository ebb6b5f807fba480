#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl check names each mistake of a broken policy, and nothing besides.

Usage: broken.py FILTERCTL BROKEN.TXT [--write]

--write renews the notes in BROKEN.TXT; whether they are good is for people.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile


class Case:
    def __init__(self, head):
        self.name, _, tokens = head.partition(" @")
        self.tokens = [token.strip() for token in tokens.split(" ; ")]
        self.text, self.notes = [], []

    def octets(self):
        text = "\n".join(self.text).rstrip("\n") + "\n"
        if self.name.endswith("(binary)"):
            return text.strip().encode().decode("unicode_escape").encode("latin-1")
        if self.name.endswith("(escaped)"):
            text = text.encode().decode("unicode_escape")
        return text.encode()

    def wanted(self):
        escaped = self.name.endswith("(escaped)")
        return [
            token.encode().decode("unicode_escape") if escaped else token
            for token in self.tokens
        ]


def read(path):
    head, cases = [], []
    for line in path.read_text().split("\n"):
        if line.startswith("== "):
            cases.append(Case(line[3:]))
        elif not cases:
            head.append(line)
        elif line.startswith("--") or line.startswith("  :"):
            cases[-1].notes.append(line)
        else:
            cases[-1].text.append(line)
    return head, cases


def check(filterctl, folder, case, *options):
    (folder / "t.conf").write_bytes(case.octets())
    done = subprocess.run(
        [os.path.abspath(filterctl), "check", *options, "t.conf"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def underlined(case, note):
    lines = case.octets().decode("utf-8", "replace").lstrip("\ufeff").split("\n")
    line = lines[note["line"] - 1] if note["line"] <= len(lines) else ""
    return line[note["column"] - 1 : note["end"] - 1].rstrip("\r")


def told(case, notes):
    lines = []
    for note in notes:
        place = f"-- {note['line']}:{note['column']}"
        lines.append(f"{place} {note['severity']} {underlined(case, note)!r}")
        lines.append(f"  : {note['message']}")
        if note["suggestion"] is not None:
            lines.append(f"  : -> {note['suggestion']!r}")
        if note["hint"] is not None:
            lines.append(f"  : ({note['hint']})")
    return lines


def caret(block):
    """What is underlined in the text form: (severity, text)."""
    lines = block.split("\n")
    if len(lines) < 3 or "^" not in lines[2]:
        return None
    begin = lines[2].index("^")
    length = len(lines[2].strip())
    return lines[1][begin : begin + length]


def blocks(text):
    found = []
    for line in text.split("\n"):
        if line.startswith("t.conf:") or line.startswith("no-such"):
            found.append(line)
        elif found:
            found[-1] += "\n" + line
    return found


def play(filterctl, folder, case):
    """What is wrong with it, or None; and the notes."""
    status, out, err = check(filterctl, folder, case, "--json")
    notes = json.loads(out)["notes"]
    errors = [note for note in notes if note["severity"] == "error"]
    lines = told(case, notes)
    if status != 1 or err != "" or json.loads(out)["right"]:
        return f"--json: exit status {status}, {err}", lines
    found = sorted(underlined(case, note) for note in errors)
    if found != sorted(case.wanted()):
        return f"underlined: {found}, not {case.wanted()}", lines
    status, out, err = check(filterctl, folder, case)
    if status != 1 or out != "":
        return f"text: exit status {status}, {out}", lines
    told_text = blocks(err)
    if len(told_text) != len(notes):
        return f"text has {len(told_text)} notes, JSON {len(notes)}", lines
    for block, note in zip(told_text, notes):
        if f": {note['message']}\n" not in block + "\n":
            return f"text: {block!r}, JSON: {note!r}", lines
        if caret(block) not in (underlined(case, note), None, "^"):
            return f"the caret is under {caret(block)!r}: {block}", lines
    return None, lines


def write(path, head, cases, found):
    parts = ["\n".join(head).rstrip("\n")]
    for case in cases:
        title = case.name + " @" + "".join(
            (" ; " if i else " ") + token for i, token in enumerate(case.tokens)
        )
        text = "\n".join(case.text).rstrip("\n")
        parts.append("\n".join(["== " + title, text, *found[case.name]]))
    path.write_text("\n\n".join(parts) + "\n")


def main():
    filterctl, path = sys.argv[1], pathlib.Path(sys.argv[2])
    head, cases = read(path)
    found, failed = {}, 0
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "a name stands there twice"
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases, 1):
            wrong, lines = play(filterctl, pathlib.Path(folder), case)
            found[case.name] = lines
            if wrong is None and lines != case.notes and "--write" not in sys.argv:
                wrong = "\n# ".join(["the notes are:", *lines])
            failed += wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {number} {case.name}")
            if wrong:
                print("# " + wrong.replace("\n", "\n# "))
    if "--write" in sys.argv:
        write(path, head, cases, found)
    return 1 if failed else 0


sys.exit(main())
