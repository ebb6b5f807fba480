"""reader.py: the files of others: settings with their places, data sets, and
lists of hosts."""

# SPDX-License-Identifier: BSD-2-Clause

import collections
import ipaddress
import os
import re


INCLUDES = 5  # as opendkim.conf(5) has it
OTHER_SET = re.compile(r"(db|dsn|ldap[si]?|lua|memcache|erlang|mdb|socket):",
                       re.I)


class Setting(collections.namedtuple("Setting", "name value place")):
    @property
    def where(self):
        return "%s %s" % (self.place, self.name)


class Entry(collections.namedtuple("Entry", "key value place")):
    """Of a data set."""


class Unreadable(Exception):
    pass


def lines(path):
    """(number, line), without comments and empty lines."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                line = line.split("#", 1)[0].strip()
                if line:
                    yield "%s:%d" % (path, number), line
    except OSError as error:
        raise Unreadable("%s: %s" % (path, error.strerror)) from None


def words(path, depth=0):
    """`Name value`, as opendkim.conf and opendmarc.conf; Include is done."""
    for place, line in lines(path):
        name, rest = (line.split(None, 1) + [""])[:2]
        setting = Setting(name, rest.strip(), place)
        if name.lower() == "include" and depth < INCLUDES:
            yield from words(setting.value, depth + 1)
        else:
            yield setting


def assignments(path):
    """`name = value`, as policyd-spf.conf."""
    for place, line in lines(path):
        name, equals, rest = line.partition("=")
        if equals:
            yield Setting(name.strip(), rest.strip(), place)
        else:
            yield Setting(line, "", place)


def logical(path):
    """Lines of main.cf and master.cf, with those that continue them."""
    found = None
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if line[0] in " \t" and found:
                found[1] += " " + line.strip()
                continue
            if found:
                yield tuple(found)
            found = ["%s:%d" % (path, number), line.strip()]
    if found:
        yield tuple(found)


# ---- data sets of OpenDKIM ---------------------------------------------------

def is_patterns(text):
    return text.lower().startswith("refile:")


def data_set(setting, base="/"):
    """Its entries, in the order of the file or the list."""
    text = setting.value
    path = re.sub(r"^(re)?file:", "", text, flags=re.I)
    if OTHER_SET.match(text) or text.endswith(".db"):
        raise Unreadable("a data set of this kind cannot be read here: %s"
                         % text.split(":", 1)[0])
    if path != text or text.startswith("/"):
        return [Entry(*(line.split(None, 1) + [""])[:2], place)
                for place, line in lines(os.path.join(base, path))]
    text = re.sub(r"^csl:", "", text, flags=re.I)
    return [Entry(*(item.strip().split("=", 1) + [""])[:2], setting.where)
            for item in text.split(",") if item.strip()]


def keys(setting, base="/"):
    return [entry.key for entry in data_set(setting, base)]


# ---- hosts -------------------------------------------------------------------

def network(text):
    """An address or a network in any of their spellings, else None."""
    try:
        found = ipaddress.ip_network(
            re.sub(r"[\[\]]", "", text), strict=False)
    except ValueError:
        return None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is not None and found.prefixlen >= 96:
        return ipaddress.ip_network((mapped, found.prefixlen - 96),
                                    strict=False)
    return found


def without(networks, gone):
    for item in networks:
        if item.version != gone.version or not item.overlaps(gone):
            yield item
        elif item.supernet_of(gone):
            yield from item.address_exclude(gone)


def spelled(item):
    return str(item) if item.prefixlen < item.max_prefixlen \
        else str(item.network_address)


def precise(signed):
    """What (network, wanted) amount to where the most precise one counts."""
    found = []
    for item, wanted in sorted(signed, key=lambda pair: pair[0].prefixlen):
        if not wanted:
            found = list(without(found, item))
        elif not any(item.version == other.version and item.subnet_of(other)
                     for other in found):
            found.append(item)
    return [spelled(item) for item in found]


class Hosts:
    """Entries as PeerList of OpenDKIM has them: addresses, networks, names,
    `.domain`, and those with `!` before them that are not meant."""

    def __init__(self, entries):
        networks, self.names, self.others = [], [], []
        for entry in entries:
            wanted, text = not entry.startswith("!"), entry.lstrip("!")
            found = network(text)
            if found is not None:
                networks.append((found, wanted))
            else:
                (self.names if wanted else self.others).append(text.lower())
        self.networks = precise(networks)

    def conditions(self, policy, name, where):
        """One of them is true for each; none if there is nobody."""
        found = []
        if self.networks:
            found.append("client.ip in " + policy.list(
                name + "-addresses", "ip", self.networks, where))
        if self.names:
            found.append("client.fcrdns and client.name in " + policy.list(
                name + "-names", "domain", self.names, where))
        if self.others and found:
            other = policy.list(name + "-others", "domain", self.others, where)
            found = ["not (client.fcrdns and client.name in %s) and (%s)"
                     % (other, " or ".join(found))]
        return found

    def declare(self, policy, name, where):
        """A let that is true for them; None if there is nobody."""
        found = self.conditions(policy, name, where)
        return policy.let(name, found, where) if found else None


def domains(names):
    """Each and what is below it."""
    for name in names:
        yield name.lstrip(".")
        yield "." + name.lstrip(".")
