#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every policy that we ship has tests of its own, and they pass; those of the
cookbook are checked without a warning, too.

Usage: shipped.py FILTERCTL SOURCE
"""
import datetime
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Of the machine that a recipe is written for.
LISTS = {
    "recipients": "joe@example.com",
    "whitelist_networks": "203.0.113.9",
    "whitelist_clients": ".big.example",
    "whitelist_recipients": "alarm@example.com",
    "redis.password": "secret",
}
KEYS = {"s2026.pem": ["-algorithm", "RSA"],
        "s2026e.pem": ["-algorithm", "ED25519"]}


def policies(source):
    """But for the template's, which needs the plugin that comes of it."""
    found = [path for path in sorted((source / "contrib").rglob("filterd.conf"))
             if path.parent.name != "plugin-template"]
    return [source / "policy" / "default.policy"] + found


def recipes(source):
    return sorted((source / "contrib" / "cookbook").glob("*.conf"))


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def furnish(folder):
    """What a recipe has in /etc/filterd."""
    for name, text in LISTS.items():
        pathlib.Path(folder, name).write_text(text + "\n")
    for name, words in KEYS.items():
        openssl("genpkey", *words, "-out", f"{folder}/{name}")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
            f"{folder}/mx.key", "-out", f"{folder}/mx.pem", "-subj",
            "/CN=mx.example.com")
    shutil.copy(f"{folder}/mx.pem", f"{folder}/redis-ca.pem")


def fitted(path, folder):
    """For this machine, and for a day on which nothing is over yet."""
    text = path.read_text()
    later = datetime.date.today() + datetime.timedelta(days=60)
    for pattern, instead in [
            (r"/etc/filterd/", f"{folder}/"), (r"^set user .*$", ""),
            (r"\{ group postfix mode 0660 \}", ""),
            (r"^(\s*)until \S+", rf"\1until {later}")]:
        text = re.sub(pattern, instead, text, flags=re.M)
    copy = pathlib.Path(folder, path.name)
    copy.write_text(text)
    return copy


def run(filterctl, command, path):
    done = subprocess.run([filterctl, command, path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, text=True)
    return done.returncode, done.stdout


def tested(filterctl, path):
    """In a folder of its own, with the file that contrib/quickstart makes."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "zone").write_text("")
        copy = shutil.copy(path, folder)
        status, said = run(filterctl, "test", copy)
    return status == 0 and "PASS" in said, said


def cooked(filterctl, path, folder):
    copy = fitted(path, folder)
    status, said = run(filterctl, "test", copy)
    checked, problems = run(filterctl, "check", copy)
    good = status == 0 and said.count("PASS") >= 5 and checked == 0 \
        and not re.search(r"\b(warning|error):", problems)
    return good, said + problems


def main():
    filterctl, source = sys.argv[1], pathlib.Path(sys.argv[2])
    found, cookbook = policies(source), recipes(source)
    failed = 0
    print("1..%d" % (len(found) + len(cookbook)))
    with tempfile.TemporaryDirectory() as folder:
        furnish(folder)
        for number, path in enumerate(found + cookbook, 1):
            good, said = cooked(filterctl, path, folder) \
                if path in cookbook else tested(filterctl, path)
            failed += not good
            print("%s %d %s" % ("ok" if good else "not ok", number,
                                path.relative_to(source)))
            if not good:
                print("".join("# " + line for line in
                              said.splitlines(keepends=True)))
    return 1 if failed or len(cookbook) < 12 else 0


sys.exit(main())
