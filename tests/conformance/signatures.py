#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""DKIM signatures that others made, odd in one or two ways, judged by filterd, by
dkimpy and by Mail::DKIM.

usage: signatures.py FILTERCTL [--messages N] [--seed S] [--only N] [--keep DIR]

filterd has to say what RFC 6376 and its updates say (twists.py has the section);
where another verifier says otherwise, twists.py has to know. A random N of the
combinations, after each twist alone.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import signer
except ImportError:
    print("1..0 # SKIP python3-dkim and python3-nacl are not installed")
    sys.exit(0)
import twists
from twists import DKIMPY, PASS, PERL, TWISTS

POLICY = "set hostname mx.example.net\nuse dkim { }\nset line-endings reject\n"
ATTEMPTS = 30


class Case:
    def __init__(self, number, seed, chosen):
        self.number, self.twists = number, chosen
        self.plan = signer.Plan(random.Random(f"{seed}/{number}"),
                                "main%d" % number)
        for one in chosen:
            one.change(self.plan)
        # Others read the plan before the message is changed behind it.
        self.expect = twists.expected(self.plan, chosen)
        self.message = signer.sign(self.plan)
        self.zone = "".join(signer.zone_lines(self.plan))
        self.ours = self.problem = None
        self.theirs = {}

    def name(self):
        return " + ".join(one.name for one in self.twists) or "nothing odd"

    def excused(self, who):
        return any(who in one.wrong for one in self.twists) or (
            who == DKIMPY and self.plan.misleads_dkimpy)

    def faults(self):
        """What nobody knows of."""
        if (self.ours == "pass") != (self.expect == PASS):
            yield "filterd: %s (%s)" % (self.ours, self.problem)
        for who, passes in self.theirs.items():
            if passes != (self.expect == PASS) and not self.excused(who):
                yield "%s: %s" % (who, "pass" if passes else "no pass")


def choose(dice, number):
    """Each alone, then two or three at random."""
    if number == 0:
        return []
    if number <= len(TWISTS):
        return [TWISTS[number - 1]]
    chosen = {}
    for one in dice.sample(TWISTS, dice.choice([0, 2, 2, 3])):
        chosen.setdefault(one.slot, one)
    return list(chosen.values())


def make_case(seed, number):
    """Some twists exclude each other: then other ones."""
    dice = random.Random(f"{seed}:{number}")
    for _ in range(ATTEMPTS):
        chosen = choose(dice, number)
        try:
            return Case(number, seed, chosen)
        except (ValueError, KeyError, AttributeError):
            continue
    raise RuntimeError("no case %d" % number)


def ask_filterd(case, filterctl, folder):
    zone = os.path.join(folder, "zone")
    with open(zone, "w", encoding="ascii") as file:
        file.write(case.zone)
    done = subprocess.run(
        [filterctl, "try", "--json", "--config", os.path.join(folder, "c"),
         "--zone", zone, "--client", "192.0.2.1", "--from", "a@example.org",
         "--to", "b@example.com"],
        input=case.message, capture_output=True, check=False)
    if done.returncode != 0:
        case.ours, case.problem = "ended", done.stderr.decode()[-500:]
        return
    facts = json.loads(done.stdout)["facts"]
    mine = [text for text in facts["dkim.results"]
            if text.split(":")[2] == case.plan.selector]
    case.ours = mine[0].split(":")[0] if mine else "none"
    case.problem = facts["dkim.problem"]


def ask_all(cases, filterctl):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "c"), "w", encoding="ascii") as file:
            file.write(POLICY)
        paths = [os.path.join(folder, str(case.number)) for case in cases]
        for case, path in zip(cases, paths):
            ask_filterd(case, filterctl, folder)
            case.theirs[DKIMPY] = signer.ask_dkimpy(case.plan, case.message)
            with open(path, "wb") as file:
                file.write(case.message)
        if signer.has_perl():
            said = signer.ask_perl([case.plan for case in cases], paths, folder)
            for case, passes in zip(cases, said):
                if case.plan.kind == "rsa":
                    case.theirs[PERL] = passes


def parse():
    parser = argparse.ArgumentParser(prog="signatures.py")
    parser.add_argument("filterctl")
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--seed", default="6376")
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", metavar="DIR")
    return parser.parse_args()


def keep(case, folder):
    base = os.path.join(folder, str(case.number))
    with open(base + ".eml", "wb") as file:
        file.write(case.message)
    with open(base + ".zone", "w", encoding="ascii") as file:
        file.write(case.zone)


def main():
    options = parse()
    numbers = [options.only] if options.only is not None \
        else range(len(TWISTS) + 1 + options.messages)
    cases = [make_case(options.seed, number) for number in numbers]
    ask_all(cases, options.filterctl)
    wrong = collections.Counter()
    for case in cases:
        for fault in case.faults():
            print("# %d: %s: expected %s; %s" % (case.number, case.name(),
                                                case.expect, fault))
            wrong[fault.split(":")[0]] += 1
        if options.keep and list(case.faults()):
            keep(case, options.keep)
    passed = sum(case.expect == PASS for case in cases)
    print("%s 1 - %d signatures, %d of them good, are judged by the RFC" % (
        "not ok" if wrong["filterd"] else "ok", len(cases), passed))
    others = sum(wrong.values()) - wrong["filterd"]
    print("%s 2 - where dkimpy and Mail::DKIM say otherwise is known" % (
        "not ok" if others else "ok"))
    print("1..2")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
