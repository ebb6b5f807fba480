#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""DMARC records at random places of random trees: what filterd makes of a message
below them, and what a plain reading of RFC 9989 does.

usage: policies.py FILTERCTL [--messages N] [--seed S]
"""
import argparse
import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    import dkim
    import nacl.signing
except ImportError:
    print("1..0 # SKIP python3-dkim is not installed")
    sys.exit(0)

POLICY = """set hostname mx.example.net
use spf { }
use dkim { }
use dmarc { }
"""
KEY = nacl.signing.SigningKey(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.verify_key.encode()).decode()
PRIVATE = base64.b64encode(KEY.encode())
FOLDED = 50  # octets
LABELS = ["a", "b", "mail", "x-y", "_s", "xn--bcher-kva", "n" * 63, "0"]
TOPS = ["example", "co.example", "test", "deep.co.test"]

# ---- what is published ------------------------------------------------------


def record(dice):
    def pick(name, *words):
        return [f"{name}={dice.choice(words)}"] * (dice.random() < 0.4)
    tags = pick("p", "none", "quarantine", "reject", "Reject", "bogus", "") \
        + pick("sp", "none", "quarantine", "reject", "x") \
        + pick("np", "none", "quarantine", "reject", "reject ", "x") \
        + pick("adkim", "r", "s", "S", "x") + pick("aspf", "r", "s", "x") \
        + pick("t", "y", "n", "x") \
        + pick("rua", "mailto:r@example.org", "mailto:", "https://a.example/",
               "nonsense", "nonsense,mailto:r@example.org!10m") \
        + pick("zz", "1", "a=b") + pick("pct", "0", "100")
    if dice.random() < 0.35:
        tags.append("psd=" + dice.choice(["y", "n", "u", "Y", "x"]))
    if dice.random() < 0.5:
        tags.append("p=reject") if not any(
            tag.startswith("p=") for tag in tags) else None
    dice.shuffle(tags)
    head = dice.choice(["v=DMARC1"] * 12 + [
        "v = DMARC1", "V=DMARC1", "v=dmarc1", "v=DMARC2", " v=DMARC1",
        "v=DMARC1 x", "p=none;v=DMARC1", "v=spf1"])
    return dice.choice([";", "; ", " ; "]).join([head] + tags) \
        + dice.choice(["", ";", " ; ", ";;"])


def chain(dice, top):
    depth = dice.choice([0, 1, 1, 2, 2, 3, 5, 6, 7, 8, 9, 12])
    return [dice.choice(LABELS[:6] + LABELS[7:]) for _ in range(depth)] \
        + top.split(".")


def parents(name):
    return [".".join(name.split(".")[at:])
            for at in range(len(name.split(".")))]


class World:
    def __init__(self, dice):
        top = dice.choice(TOPS)
        names = [chain(dice, top) for _ in range(3)]
        base = names[0]
        # Relatives of the author.
        names += [base[at:] for at in range(len(base))]
        names += [[dice.choice(LABELS)] + base[at:] for at in range(len(base))]
        names = [".".join(labels) for labels in names if len(labels) > 1] \
            + ["elsewhere.example", "other.test"]
        self.author = names[0] if "." in names[0] else "a." + names[0]
        near = parents(self.author) + [dice.choice(names)]
        self.sender = dice.choice(near[:-2] + names)
        self.spf = dice.random() < 0.6 and "." in self.sender
        # dkimpy folds long names, which RFC 6376 does not allow.
        self.signers = [name for name in dice.sample(sorted(set(names)), 2)
                        if dice.random() < 0.5 and len(name) < FOLDED]
        self.records = {}
        for name in near + [self.sender] + self.signers:
            for at in parents(name):
                if dice.random() < 0.25 and len("_dmarc." + at) < 254:
                    self.records.setdefault(at, [record(dice)])
                    if dice.random() < 0.08:
                        self.records[at].append(record(dice))
        self.hosts = {at for at in parents(self.author)
                      if dice.random() < 0.3}

    def zone(self):
        for name, texts in self.records.items():
            for text in texts:
                yield f'_dmarc.{name}. 0 TXT "{text}"'
        for name in self.hosts:
            yield f"{name}. 0 A 192.0.2.9"
        if self.spf:
            yield f'{self.sender}. 0 TXT "v=spf1 ip4:192.0.2.1 -all"'
        for name in self.signers:
            yield f'k._domainkey.{name}. 0 TXT "k=ed25519; p={PUBLIC}"'

    def owners(self):
        return [line.split(". ")[0] for line in self.zone()]

    def message(self):
        text = f"From: a@{self.author}\r\nSubject: x\r\n\r\nHi\r\n".encode()
        for name in self.signers:
            text = dkim.sign(text, b"k", name.encode(), PRIVATE,
                             signature_algorithm=b"ed25519-sha256") + text
        return text


# ---- RFC 9989, as it reads --------------------------------------------------

WORDS = {"p": "none quarantine reject", "sp": "none quarantine reject",
         "np": "none quarantine reject", "adkim": "r s", "aspf": "r s",
         "t": "y n", "psd": "y n u"}
URI = re.compile(r"mailto:[^@,;!\s]+@[^@,;!\s]+(![0-9]+[kmgt]?)?$|"
                 r"(?!mailto:)[a-z][a-z0-9+.-]*:[^,;!\s]+$")


def parse(text):
    """4.7, 4.8: tags in small letters; None: no record. A value that is not
    valid is \"?\"."""
    head, *rest = text.split(";")
    if not re.fullmatch(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*", head):
        return None
    tags = {}
    for part in rest:
        match = re.fullmatch(r"\s*([A-Za-z]+)\s*=\s*(.*?)\s*", part)
        if match is None:
            continue
        name, value = match.group(1).lower(), match.group(2)
        if name in WORDS:
            value = value.lower()
            value = value if value in WORDS[name].split() else "?"
        tags[name] = value
    return tags


def lookup(world, name):
    found = [tags for tags in map(parse, world.records.get(name, []))
             if tags is not None]
    return found[0] if len(found) == 1 else None


def walk(world, start):
    """4.10: (name, record) from the longest."""
    found, name = [], start
    for _ in range(8):
        tags = lookup(world, name)
        if tags is not None:
            found.append((name, tags))
            if tags.get("psd") in ("y", "n"):
                break
        labels = name.split(".")
        if len(labels) == 1:
            break
        name = ".".join(labels[-7:] if len(labels) >= 8 else labels[1:])
    return found


def organization(world, start):
    """4.10.2"""
    found = walk(world, start)
    for name, tags in found:
        if tags.get("psd") == "n":
            return name
        if tags.get("psd") == "y" and name != start:
            return ".".join(start.split(".")[-len(name.split(".")) - 1:])
    return found[-1][0] if found else start


def discover(world):
    """4.10.1: the name and the record that apply."""
    found = dict(walk(world, world.author))
    suffix = [name for name, tags in found.items() if tags.get("psd") == "y"]
    for name in [world.author, organization(world, world.author)] + suffix:
        if name in found:
            return name, found[name]
    return None, None


def aligned(world, identifier, mode):
    if mode == "s":
        return identifier == world.author
    return organization(world, identifier) == organization(world, world.author)


def policy_of(world, name, tags):
    owners = world.owners()
    exists = any(owner == world.author or owner.endswith("." + world.author)
                 for owner in owners)
    tag = "p"
    if name != world.author:
        tag = "np" if not exists and "np" in tags else "sp"
    policy = tags.get(tag, tags.get("p", "none"))
    if tags.get("t") == "y":
        policy = {"reject": "quarantine", "quarantine": "none"}.get(policy,
                                                                    policy)
    return policy


def judge(world):
    """Result and disposition."""
    name, tags = discover(world)
    if name is None:
        return "none", "none"
    if "?" in (tags.get("p"), tags.get("sp"), tags.get("np")):
        if not any(URI.match(uri.strip())
                   for uri in tags.get("rua", "").split(",")):
            return "none", "none"
        tags = {key: value for key, value in tags.items()
                if key not in ("p", "sp", "np")}
    passes = [aligned(world, signer, tags.get("adkim", "r"))
              for signer in world.signers]
    if world.spf:
        passes.append(aligned(world, world.sender, tags.get("aspf", "r")))
    if any(passes):
        return "pass", "none"
    return "fail", policy_of(world, name, tags)


# ---- both -------------------------------------------------------------------


def ask(filterctl, folder, world):
    zone = os.path.join(folder, "zone")
    with open(zone, "w", encoding="ascii") as file:
        file.write("".join(line + "\n" for line in world.zone()))
    done = subprocess.run(
        [filterctl, "try", "--json", "--config", os.path.join(folder, "c"),
         "--zone", zone, "--client", "192.0.2.1", "--from",
         "a@" + world.sender if "." in world.sender else "<>", "--to",
         "b@example.com"],
        input=world.message(), capture_output=True, check=False)
    if done.returncode != 0:
        return "ended", done.stderr.decode()[-400:]
    facts = json.loads(done.stdout)["facts"]
    said = facts["dmarc.result"], facts["dmarc.disposition"]
    if said[0] in ("pass", "fail"):
        return said + (facts["dmarc.organization"],)
    return said


def main():
    parser = argparse.ArgumentParser(prog="policies.py")
    parser.add_argument("filterctl")
    parser.add_argument("--messages", type=int, default=150)
    parser.add_argument("--seed", default="9989")
    options = parser.parse_args()
    dice, wrong, seen = random.Random(options.seed), 0, {}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "c"), "w", encoding="ascii") as file:
            file.write(POLICY)
        for number in range(options.messages):
            world = World(dice)
            expect = judge(world)
            if expect[0] in ("pass", "fail"):
                expect += (organization(world, world.author),)
            said = ask(options.filterctl, folder, world)
            seen[expect[0]] = seen.get(expect[0], 0) + 1
            if said == expect:
                continue
            wrong += 1
            print(f"# {number}: {said}, not {expect}: {world.author} from "
                  f"{world.sender if world.spf else '-'} signed by "
                  f"{world.signers}\n#   " + "\n#   ".join(world.zone()))
    print("%s 1 - %d of %d policies are found and applied (%s)" % (
        "not ok" if wrong else "ok", options.messages - wrong,
        options.messages, ", ".join(f"{count} {result}" for result, count
                                    in sorted(seen.items()))))
    print("1..1")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
