# spf_cases.py: random questions for check_host(), each with a DNS of its own,
# and how to make one smaller.
#
# SPDX-License-Identifier: BSD-2-Clause
import dataclasses
import ipaddress
import random
import re
import zlib

# Names below it exist or not by a sum of their octets: a macro that comes to
# another name comes to another result.
DICE = ".m.example"
SENDER = "d0.example"
DOMAINS = [f"d{number}.example" for number in range(6)]
HOSTS = [f"h{number}.example" for number in range(6)]
VOID = ["void0.example", "void1.example", "void2.example", "void3.example"]
CLIENTS = ["192.0.2.1", "192.0.2.129", "198.51.100.7", "2001:db8::1",
           "2001:db8:0:1::1", "::ffff:192.0.2.1", "127.0.0.1", "::1"]
LOCALS = ["a", "strong-bad", "a.b-c+d", "A_B"] * 6 + [
    "", "x%y", "user=tag/ext", "..", "a@b", "%{d}", "a,b", "-", "~!*'()",
    "l" * 64, "bj\u00f6rn"]
HELOS = ["h.example", "H.Example", "localhost", "[192.0.2.1]", SENDER,
         "d1.example.", "bad..example", "a_b.example", "l" * 64 + ".example",
         "xn--bcher-kva.example", "-.example", "h.example.1", "h example"]
SENDERS = [SENDER] * 80 + [
    "D0.Example", "a_b.example", "example", "bad..example", ".example",
    "l" * 64 + ".example", "[192.0.2.1]", "b\u00fccher.example",
    "xn--bcher-kva.example", "a_b.example", ("l" * 60 + ".") * 5 + "example"]
NAME = re.compile(r"[A-Za-z0-9._-]+[a-z]")
QUALIFIERS = ["", "", "", "-", "~", "?", "+"]
DIRT = " .:/=%{}-_,\t\x00\xe9\x7f~+?0@9aA\n\"\\"


@dataclasses.dataclass
class Case:
    """records: [owner, type, value]; of MX the value is [preference, name], of
    TXT its strings, an octet a character. Of types TIMEOUT and SERVFAIL it is
    the type that gets no answer."""
    client: str
    helo: str
    sender: str
    records: list

    def __str__(self):
        lines = [f"client {self.client}, HELO {self.helo!r}, "
                 f"MAIL FROM:<{self.sender}>"]
        lines += ["%s %s %s" % (owner, kind, quoted(value))
                  for owner, kind, value in self.records]
        return "\n".join(lines)

    def replace(self, **changes):
        return dataclasses.replace(self, **changes)


def quoted(value):
    if not isinstance(value, list):
        return value
    if isinstance(value[0], int):
        return "%d %s" % tuple(value)
    return " ".join('"%s"' % "".join(
        char if " " <= char <= "~" and char not in '"\\'
        else "\\%03d" % ord(char) for char in text) for text in value)


def reverse_name(client):
    address = ipaddress.ip_address(client)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).reverse_pointer


# ---- making ----------------------------------------------------------------


class Grammar:
    """Everything follows from seed and number."""

    def __init__(self, seed, number):
        self.dice = random.Random("%s/%d" % (seed, number))
        self.records = []

    def chance(self, share):
        return self.dice.random() < share

    def pick(self, choices):
        return self.dice.choice(choices)

    def case(self):
        client = self.pick(CLIENTS)
        domain = self.pick(SENDERS)
        sender = "%s@%s" % (self.pick(LOCALS), domain)
        helo = "h.example" if self.chance(0.7) else self.pick(HELOS)
        if self.chance(0.12):
            sender, helo = "", self.pick([SENDER, helo])
        for name in [domain, *DOMAINS]:
            if NAME.fullmatch(name):
                self.publish(name)
        for name in HOSTS:
            self.host(name, client)
        self.pointers(client)
        self.explanations()
        self.silence()
        return Case(client, helo, sender, self.records)

    def add(self, owner, kind, value):
        if [owner, kind, value] not in self.records:
            self.records.append([owner, kind, value])

    # ---- the DNS around the records ----

    def publish(self, name):
        if any(owner == name and kind == "TXT"
               for owner, kind, _ in self.records) or self.chance(0.03):
            return
        if self.chance(0.05):
            self.add(name, "TXT", [self.pick(
                ["v=spf10 +all", "v=spf1+all", "spf2.0/pra +all", "",
                 "V=SPF1 -all", "v=spf1", "v=spf1 ", " v=spf1 -all"])])
        for _ in range(2 if self.chance(0.02) else 1):
            self.add(name, "TXT", self.strings(self.record()))
        if self.chance(0.4):
            self.host(name, self.pick(CLIENTS))
        for _ in range(self.pick([0, 1, 1, 2, 2, 3, 10, 11])
                       if self.chance(0.4) else 0):
            self.add(name, "MX", [self.dice.randrange(20), self.pick(
                HOSTS + [f"mx{self.dice.randrange(12)}.example"])])

    def host(self, name, client):
        if self.chance(0.1):
            return
        if self.chance(0.08) and name in HOSTS:
            self.add(name, "CNAME", self.pick(HOSTS + VOID))
            return
        addresses = self.dice.sample(CLIENTS[:5], self.dice.randrange(3))
        for address in addresses + [client] * self.chance(0.3):
            if not address.startswith("::"):
                self.add(name, "AAAA" if ":" in address else "A", address)

    def pointers(self, client):
        for _ in range(self.pick([0, 1, 1, 2, 3, 12])):
            self.add(reverse_name(client), "PTR", self.pick(
                HOSTS + DOMAINS + VOID + ["sub.d0.example"]))

    def explanations(self):
        for _ in range(self.pick([0, 1, 1, 1, 2])):
            self.add("e.example", "TXT", self.strings(self.explanation()))

    def explanation(self):
        words = [self.pick(["no", "100%%", "%_", "%-", "see", "%{c}", "%{r}",
                            "%{t}", self.macro(), self.macro()])
                 for _ in range(self.dice.randrange(6))]
        text = " ".join(words)
        return self.mutate(text) if self.chance(0.05) else text

    def silence(self):
        if self.chance(0.12):
            owner, kind, _ = self.pick(self.records)
            if kind in ("A", "AAAA", "MX", "PTR", "TXT"):
                self.add(owner, self.pick(["TIMEOUT", "SERVFAIL"]), kind)

    # ---- records ----

    def strings(self, text):
        """As TXT has them: 255 octets at most."""
        found = []
        while len(text) > 255 or text and self.chance(0.05):
            cut = min(255, self.dice.randrange(1, len(text) + 1))
            found.append(text[:cut])
            text = text[cut:]
        return found + [text]

    def record(self):
        terms = [self.term() for _ in range(self.dice.randrange(5))]
        if self.chance(0.5):
            terms.append(self.pick(QUALIFIERS) + "all")
        if self.chance(0.02):
            terms[:0] = ["ip4:203.0.113.%d" % number
                         for number in range(self.dice.randrange(20, 90))]
        if self.chance(0.03):
            terms[:0] = [self.pick(["a:h0.example", "mx:d1.example", "ptr",
                                    "exists:void0.example"])
                         for _ in range(self.dice.randrange(2, 13))]
        if self.chance(0.03):
            self.dice.shuffle(terms)
        gap = "  " if self.chance(0.03) else " "
        text = gap.join(["v=spf1", *terms]) + " " * self.chance(0.03)
        return self.mutate(text) if self.chance(0.03) else text

    def mutate(self, text):
        where = self.dice.randrange(len(text) + 1)
        kind = self.dice.randrange(3)
        there = "" if kind == 0 else self.pick(DIRT)
        return text[:where] + there + text[where + (kind < 2):]

    def term(self):
        makers = [(4, self.ip4), (3, self.ip6), (5, self.a), (4, self.mx),
                  (3, self.ptr), (5, self.exists), (7, self.include),
                  (3, self.redirect), (3, self.exp), (1, self.unknown)]
        weights, calls = zip(*makers)
        maker, = self.dice.choices(calls, weights)
        text = maker()
        if maker not in (self.redirect, self.exp, self.unknown):
            text = self.pick(QUALIFIERS) + text
        if self.chance(0.03):
            text = "".join(self.pick([char.upper(), char]) for char in text)
        return text

    def ip4(self):
        length = self.pick(["", "", "/32", "/25", "/24", "/8", "/0"])
        if self.chance(0.02):
            length = self.pick(["/33", "/032", "/", "/-1", "//24", "/4294967320",
                                "/24/", "/ 24"])
        address = self.pick(["192.0.2.1", "192.0.2.0", "198.51.100.7",
                             "203.0.113.5"])
        if self.chance(0.02):
            address = self.pick(["192.0.2", "192.0.2.256", "192.0.02.1", "",
                                 "1.2.3.4.5", "::1", "192.0.2.1.", "0xc0000201"])
        return "ip4:" + address + length

    def ip6(self):
        length = self.pick(["", "", "/128", "/64", "/33", "/0"])
        if self.chance(0.02):
            length = self.pick(["/129", "/064", "/", "//64", "/64//64"])
        address = self.pick(["2001:db8::1", "2001:DB8::", "::1", "::",
                             "2001:db8:0:1::", "::ffff:192.0.2.1",
                             "2001:db8:0:0:0:0:0:1"])
        if self.chance(0.02):
            address = self.pick(["2001:db8::1::", ":::", "192.0.2.1", "12345::",
                                 "fe80::1%lo", "1:2:3:4:5:6:7:8:9", "::g",
                                 "1::2:3:4:5:6:7:8", "2001:db8::192.0.2.1"])
        return "ip6:" + address + length

    def lengths(self):
        if self.chance(0.02):
            return self.pick(["/33", "//129", "/", "//", "/24/64", "/024",
                              "//24/24", "/24//", "/a"])
        return self.pick(["", "", "", "/24", "/0", "//64", "//0", "/24//64",
                          "/32//128", "/0//0"])

    def a(self):
        return "a" + self.target(HOSTS + DOMAINS) + self.lengths()

    def mx(self):
        return "mx" + self.target(DOMAINS) + self.lengths()

    def ptr(self):
        return "ptr" + self.target(["example", "H1.example", *DOMAINS])

    def exists(self):
        return "exists:" + (self.spec() if self.chance(0.7)
                            else self.pick(HOSTS + VOID))

    def include(self):
        return "include:" + self.domain(DOMAINS)

    def redirect(self):
        return "redirect=" + self.domain(DOMAINS)

    def exp(self):
        return "exp=" + self.domain(["e.example"])

    def unknown(self):
        return self.pick(["x", "x-y.z_1", "a.b"] * 4 + ["default", "op", "1x"]) \
            + "=" + self.pick(["", "-all", self.macro(), "a:b/c", "="] * 3
                              + ["%"])

    def target(self, names):
        return ":" + self.domain(names) if self.chance(0.6) else ""

    def domain(self, names):
        if self.chance(0.1):
            return self.spec()
        if self.chance(0.02):
            return self.pick(["", "example", "h0.example.", "192.0.2.1",
                              "h0.example:25", "bad..example", "h0.-x", ".",
                              "l" * 64 + ".example", "h0.example,", "%",
                              ("l" * 63 + ".") * 4 + "example", "a.b.1x"])
        if self.chance(0.08):
            return self.pick(VOID)
        return self.pick(names)

    # ---- macros ----

    def spec(self):
        parts = [self.pick(["x", "_spf", "%%", "%_", "%-", "A", "a-b", "%{l}",
                            "{", "!"]) if self.chance(0.25) else self.macro()
                 for _ in range(self.dice.randrange(1, 4))]
        text = self.pick([".", ".", ".", "", "-"]).join(parts)
        return text if self.chance(0.1) else text + DICE

    def macro(self):
        letter = self.pick("sslloddiiphv")
        if self.chance(0.1):
            letter = self.pick("SLODIPHV" * 4 + "crtx")
        digits = self.pick(["", "", "1", "2", "9", "20"])
        if self.chance(0.02):
            digits = self.pick(["0", "00", "01", "128", "4294967297"])
        ends = "".join(self.dice.choices(".-+,/_=", k=self.pick(
            [0, 0, 0, 1, 1, 2])))
        if self.chance(0.01):
            ends = self.pick(["|", "r", "R", " ", "}"])
        return "%{" + letter + digits + self.pick(["", "", "r", "R"]) + ends \
            + "}"


def thrown(case, kind, name):
    """The record below DICE that a question asks for; None: there is none."""
    cast = zlib.crc32(name.encode("utf-8", "surrogateescape"))
    if cast & 1:
        return None
    ip6 = ":" in case.client and "." not in case.client
    values = {"A": "127.0.0.2" if cast & 2 or ip6 else "192.0.2.1",
              "AAAA": "2001:db8::1",
              "TXT": [["v=spf1 -all", "v=spf1 +all", "v=spf1 a",
                       "v=spf1 ?all"][cast >> 1 & 3]]}
    return [name, kind, values[kind]] if kind in values else None


# ---- making smaller --------------------------------------------------------


def without(items, index):
    return items[:index] + items[index + 1:]


def smaller_texts(text):
    terms = text.split(" ")
    for index in range(len(terms) - 1, 0, -1):
        yield " ".join(without(terms, index))
    for index, term in enumerate(terms):
        if index and term[:1] in tuple("+-~?"):
            yield " ".join(terms[:index] + [term[1:]] + terms[index + 1:])


def smaller(case):
    """Cases with one thing less."""
    for index in range(len(case.records) - 1, -1, -1):
        yield case.replace(records=without(case.records, index))
    for index, (owner, kind, value) in enumerate(case.records):
        if kind != "TXT":
            continue
        text = "".join(value)
        joined = [[text]] if len(value) > 1 and len(text) < 256 else []
        for new in joined + [[less] for less in smaller_texts(text)
                             if len(less) < 256]:
            yield case.replace(records=case.records[:index] + [
                [owner, kind, new]] + case.records[index + 1:])
    local, _, domain = case.sender.rpartition("@")
    if domain and local != "a":
        yield case.replace(sender="a@" + domain)
    if domain and case.helo != "h.example":
        yield case.replace(helo="h.example")
