# SPDX-License-Identifier: BSD-2-Clause
"""What may be odd about a signature, its key or its message: one row each, with
the section that says what becomes of it, and who of the others is wrong there.
"""
import collections
import re
import time

PASS, NOT = "pass", "not"
DKIMPY, PERL = "dkimpy", "Mail::DKIM"
BOTH = DKIMPY + "+" + PERL

# `wrong`: who of the others says something else there. `slot`: what it changes;
# of each slot there is one twist in a message.
Twist = collections.namedtuple("Twist", "name expect section change wrong slot")
TWISTS = []


def twist(name, expect, section, change, wrong="", slot=None):
    TWISTS.append(Twist(name, expect, section, change, wrong.split("+"),
                        slot or name))


def tag(name, expect, section, wrong="", **tags):
    """Tags that are other than usual; `_` stands for none."""
    def change(plan):
        for key, value in tags.items():
            value = value(plan) if callable(value) else value
            plan.tags[key] = None if value == "_" else value
    slots = {"t": "time", "x": "time", "i": "key", "a": "key"}
    twist(name, expect, section, change, wrong, slots.get(name[0], name[:2]))


def more(name, expect, section, text, wrong=""):
    twist(name, expect, section, lambda plan: plan.more.append(text), wrong,
          "more")


def record(name, expect, section, text, wrong=""):
    """The whole record; KEY stands for the key."""
    def change(plan):
        plan.record_text = text
    twist("key " + name, expect, section, change, wrong, "key")


def after(name, expect, section, change, wrong=""):
    """What becomes of the signed message; expect may ask the plan."""
    def add(plan):
        plan.after.append(change)
    twist("then " + name, expect, section, add, wrong, "then")


def relaxed_header(plan):
    return PASS if plan.canon.startswith("relaxed") else NOT


def relaxed_body(plan):
    return PASS if plan.canon.endswith("/relaxed") else NOT


def attribute(**values):
    def change(plan):
        for name, value in values.items():
            setattr(plan, name, value)
    return change


# ---- tags (RFC 6376 3.2, 3.5) -----------------------------------------------

NOW = int(time.time())
tag("v= absent", NOT, "6376 3.5", PERL, v="_")
tag("v=2", NOT, "6376 3.5", v="2")
tag("v=01", NOT, "6376 3.5", v="01")
tag("a= absent", NOT, "6376 3.5", a="_")
tag("a=rsa-sha1", NOT, "8301 3.1", BOTH, a="rsa-sha1")
tag("a= in capitals", NOT, "6376 3.2", a="RSA-SHA256", wrong=PERL)
tag("a=rsa-md5", NOT, "6376 6.1.1", a="rsa-md5")
tag("a=ed25519-sha256 over RSA's", NOT, "8463 3", a="ed25519-sha256",
    wrong=DKIMPY)
tag("b= is no base64", NOT, "6376 3.5", b="!!!!")
tag("b= of somebody else", NOT, "6376 6.1.3", b="QUJD" * 85 + "QQ==")
tag("bh= absent", NOT, "6376 3.5", bh="_", wrong=PERL)
tag("bh= of something else", NOT, "6376 6.1.3", bh="A" * 43 + "=")
tag("bh= is short", NOT, "6376 6.1.3", bh="AAAA")
tag("d= in capitals", PASS, "6376 3.5", d="EXAMPLE.Org")
tag("d= absent", NOT, "6376 3.5", d="_")
tag("d= empty", NOT, "6376 3.5", d="")
tag("d= with a dot at its end", NOT, "6376 3.5", d="example.org.", wrong=DKIMPY)
tag("d= with two dots", NOT, "6376 3.5", d="example..org")
tag("d= folded", NOT, "6376 3.5", d="example\r\n .org")
tag("d= with a comment", NOT, "6376 3.5", d="example.org(x)")
tag("d= quoted", NOT, "6376 3.5", d='"example.org"')
tag("s= in capitals", PASS, "6376 3.5", s=lambda p: p.selector)
tag("s= absent", NOT, "6376 3.5", s="_")
tag("s= with a dot at its end", NOT, "6376 3.5", s=lambda p: p.selector + ".")
tag("s= folded", NOT, "6376 3.5", s=lambda p: p.selector + "\r\n x")
tag("h= absent", NOT, "6376 3.5", h="_")
tag("h= empty", NOT, "6376 3.5", h="")
tag("i= is d=", PASS, "6376 3.5", i="@example.org")
tag("i= below d=", PASS, "6376 3.5", i="a@Mail.Example.ORG")
tag("i= quoted printable", PASS, "6376 2.11", i="a=20b@example.org")
tag("i= with an at, quoted printable", PASS, "6376 2.11",
    i="a=40b@example.org")
tag("i= with an at, quoted", PASS, "6376 3.5", i='"a@b"@example.org')
tag("i= with two ats", NOT, "6376 3.5", BOTH, i="a@example.net@example.org")
tag("i= elsewhere", NOT, "6376 6.1.1", i="a@example.net")
tag("i= ends alike", NOT, "6376 6.1.1", i="a@notexample.org")
tag("i= above d=", NOT, "6376 6.1.1", i="@org")
tag("i= without an at", NOT, "6376 3.5", i="example.org")
tag("q=dns/txt", PASS, "6376 3.5", q="dns/txt")
tag("q= knows another, too", PASS, "6376 3.5", q="dns/x : dns/txt", wrong=BOTH)
tag("q= knows none of ours", NOT, "6376 3.5", q="http")
tag("q= empty", NOT, "6376 3.5", q="")
tag("t= and x=", PASS, "6376 3.5", t=str(NOW - 60), x=str(NOW + 600))
tag("t=0", PASS, "6376 3.5", t="0")
tag("t= to come", NOT, "6376 3.5", t=str(NOW + 86400), wrong=PERL)
tag("t= a little to come", PASS, "6376 3.5", t=str(NOW + 120))
tag("t= is a word", NOT, "6376 3.5", t="now", wrong=PERL)
tag("t= signed", NOT, "6376 3.5", t="+5", wrong=PERL)
tag("t= of 13 digits", NOT, "6376 3.5", t="1000000000000", wrong=PERL)
tag("x= over", NOT, "6376 3.5", x=str(NOW - 86400))
tag("x= just over", PASS, "6376 3.5", x=str(NOW - 120), wrong=PERL)
tag("x= of twelve digits", PASS, "6376 3.5", x="999999999999")
tag("x= of thirteen digits", NOT, "6376 3.5", x="9999999999999", wrong=BOTH)
tag("x= beyond 64 bits", NOT, "6376 3.5", x="99999999999999999999999",
    wrong=BOTH)
tag("x= before t=", NOT, "6376 3.5", t=str(NOW - 5), x=str(NOW - 10),
    wrong=DKIMPY)
tag("x= negative", NOT, "6376 3.5", x="-1")
tag("z= copies", PASS, "6376 3.5", z="From:a@b|Subject:=20x=3D")
twist("c= absent is simple", PASS, "6376 3.5", lambda plan: (
    attribute(canon="simple/simple")(plan), plan.tags.update(c=None)),
      slot="c=")
twist("c= absent is not relaxed", NOT, "6376 3.5", lambda plan: (
    attribute(canon="relaxed/relaxed")(plan), plan.tags.update(c=None)),
      slot="c=")
twist("c= of the header alone", PASS, "6376 3.5", lambda plan: (
    attribute(canon="relaxed/simple")(plan), plan.tags.update(c="relaxed")),
      slot="c=")
tag("c= unknown", NOT, "6376 3.5", c="nofws")
tag("c= in capitals", NOT, "6376 3.2", c="Relaxed/Relaxed", wrong=PERL)
tag("c= of three", NOT, "6376 3.5", c="simple/simple/simple")
tag("l= negative", NOT, "6376 3.5", l="-1", wrong=PERL)
tag("l= is a word", NOT, "6376 3.5", l="x", wrong=PERL)
tag("l= of two numbers", NOT, "6376 3.5", l="1 1", wrong=PERL)
tag("l= wraps at 2^32", NOT, "6376 3.5",
    l=lambda p: str(body_room(p) + 2 ** 32), wrong=BOTH)
tag("l= wraps at 2^64", NOT, "6376 3.5",
    l=lambda p: str(body_room(p) + 2 ** 64), wrong=BOTH)
tag("l= beyond the body", NOT, "6376 3.5", l=lambda p: str(body_room(p) + 1),
    wrong=BOTH)
# Whom an unsigned tail does not trouble.
tag("l= with noughts", PASS, "6376 3.5",
    l=lambda p: "000%d" % body_room(p), wrong=BOTH)
more("a tag unknown", PASS, "6376 3.2", "zz=1")
more("a tag empty", PASS, "6376 3.2", "zz=")
more("a tag with equals", PASS, "6376 3.2", "zz=b=x=")
more("a tag like b= and bh=", PASS, "6376 3.2", "b2=x")
more("a tag B=", PASS, "6376 3.2", "B=x")
more("a tag with underscore", PASS, "6376 3.2", "z_z=1")
more("a tag with hyphen", NOT, "6376 3.2", "z-z=1", BOTH)
more("a tag of a digit", NOT, "6376 3.2", "1z=1", PERL)
more("a tag without value", NOT, "6376 3.2", "zz")
more("a tag without name", NOT, "6376 3.2", "=1", PERL)
more("an empty tag", NOT, "6376 3.2", "zz=1;;y=1", PERL)
more("a tag twice", NOT, "6376 3.2", "zz=1;zz=1", PERL)
twist("a= twice", NOT, "6376 3.2",
      lambda plan: plan.more.append("a=rsa-sha256"), PERL, "key")
twist("d= twice", NOT, "6376 3.2",
      lambda plan: plan.more.append("d=example.org"), PERL, "d=")
more("a control in a tag", NOT, "6376 3.2", "zz=\x01", BOTH)
more("DEL in a tag", NOT, "6376 3.2", "zz=\x7f", BOTH)
more("UTF-8 in a tag", PASS, "8616 5", "zz=\u00e9")
more("no UTF-8 in a tag", NOT, "8616 5", "zz=\udce9", BOTH)


def body_room(plan):
    from signer import body_length  # pylint: disable=import-outside-toplevel
    return body_length(plan)


def names(change):
    def apply(plan):
        change(plan.names)
    return apply


def no_from(chosen):
    chosen[:] = [name for name in chosen if name.lower() != "from"]


twist("h= without From", NOT, "6376 5.4, 6.1.1", names(no_from), BOTH,
      "h=")
twist("h= oversigns", PASS, "6376 5.4.2",
      names(lambda n: n.extend(["From", "Subject", "To", "Subject"])),
      slot="h=")
twist("h= has a field that is not there", PASS, "6376 5.4",
      names(lambda n: n.append("X-Not-There")))
twist("h= in odd case", PASS, "6376 3.5",
      names(lambda n: n.__setitem__(slice(None), [x.swapcase() for x in n])))
twist("h= folded", PASS, "6376 3.5",
      names(lambda n: n.__setitem__(0, n[0] + " \r\n\t")))
twist("h= ends with a colon", NOT, "6376 3.5", names(lambda n: n.append("")),
      wrong=BOTH)
twist("h= with a blank in a name", NOT, "6376 3.5",
      names(lambda n: n.append("X Y")), wrong=BOTH)
twist("blanks before each equals sign", PASS, "6376 3.2",
      attribute(space=(" ", " ", "  ")))
twist("folds before each equals sign", PASS, "6376 3.2",
      attribute(space=("\r\n\t", "\r\n ", "")))
twist("h= covers DKIM-Signature", PASS, "6376 5.4",
      names(lambda n: n.append("DKIM-Signature")), wrong=BOTH, slot="then")
twist("h= of a hundred names", PASS, "6376 3.5",
      names(lambda n: n.extend("X-%d" % i for i in range(100))))
# A limit of ours.
twist("h= of a thousand names", NOT, "6376 8.4",
      names(lambda n: n.extend("X-%d" % i for i in range(1000))), wrong=BOTH)


def partial(length):
    def change(plan):
        plan.length = length(plan)
    return change


twist("l= is all", PASS, "6376 3.5", partial(body_room), BOTH, "l=")
twist("l= leaves a tail", lambda p: NOT if body_room(p) > p.length else PASS,
      "6376 8.2", partial(lambda p: max(body_room(p) - 3, 0)), BOTH, "l=")
twist("l=0", lambda p: NOT if body_room(p) > 0 else PASS, "6376 8.2",
      partial(lambda p: 0), BOTH, "l=")


twist("field in capitals", PASS, "6376 3.5", attribute(name="DKIM-SIGNATURE"))
twist("field in small letters", PASS, "5322 1.2.2",
      attribute(name="dkim-signature"))
twist("field with a blank before its colon", PASS, "5322 4.5.8",
      attribute(name="DKIM-Signature "), wrong=BOTH)
for size in (512, 768):
    twist("key of %d bits" % size, NOT, "8301 3.2", attribute(bits=size), PERL,
          "key")
for size in (1024, 4096):
    twist("key of %d bits" % size, PASS, "8301 3.2", attribute(bits=size),
          slot="key")


def ed25519(plan):
    plan.kind, plan.record["k"] = "ed25519", "ed25519"


def untold(plan):
    plan.kind = "ed25519"
    del plan.record["k"]


twist("Ed25519", PASS, "8463 3", ed25519, slot="key")
twist("Ed25519, key without k=", NOT, "8463 4", untold, slot="key")

# ---- key records (RFC 6376 3.6.1, 3.6.2) ------------------------------------

record("alone", PASS, "6376 3.6.1", "p=KEY")
record("with v= first", PASS, "6376 3.6.1", "v=DKIM1; p=KEY")
record("with v= last", NOT, "6376 3.6.1", "p=KEY; v=DKIM1", wrong=BOTH)
record("v=DKIM2", NOT, "6376 3.6.1", "v=DKIM2; p=KEY")
record("v=dkim1", NOT, "6376 3.6.1", "v=dkim1; p=KEY")
record("v= empty", NOT, "6376 3.6.1", "v=; p=KEY", wrong=PERL)
record("blanks", PASS, "6376 3.2", " v = DKIM1 ;\tk = rsa ; p = KEY ; ")
record("k=ed25519", NOT, "8463 4", "k=ed25519; p=KEY")
record("k= unknown", NOT, "6376 3.6.1", "k=dsa; p=KEY")
record("k= in capitals", NOT, "6376 3.2", "k=RSA; p=KEY")
record("h=sha256", PASS, "6376 3.6.1", "h=sha256; p=KEY")
record("h=sha1", NOT, "6376 3.6.1", "h=sha1; p=KEY", wrong=DKIMPY)
record("h= of two", PASS, "6376 3.6.1", "h=sha1 : sha256; p=KEY", wrong=PERL)
record("h= of unknown ones and ours", PASS, "6376 3.6.1", "h=x:sha256; p=KEY")
record("s=email", PASS, "6376 3.6.1", "s=email; p=KEY")
record("s=*", PASS, "6376 3.6.1", "s=*; p=KEY")
record("s= of two", PASS, "6376 3.6.1", "s=x : email; p=KEY", wrong=BOTH)
record("s=other", NOT, "6376 3.6.1", "s=other; p=KEY")
record("s=tlsrpt", NOT, "8460 3", "s=tlsrpt; p=KEY")
record("t=y", PASS, "6376 3.6.1", "t=y; p=KEY")
record("t=s", PASS, "6376 3.6.1", "t=s; p=KEY")
record("t=y:s:x", PASS, "6376 3.6.1", "t=y : s : x; p=KEY")
record("g= is not known any more", PASS, "6376 C", "g=bob; p=KEY", wrong=PERL)
record("g= empty", PASS, "6376 C", "v=DKIM1; g=; k=rsa; p=KEY", wrong=PERL)
record("n=", PASS, "6376 3.6.1", "n=any=20note, p is there; p=KEY")
record("unknown tags", PASS, "6376 3.6.1", "zz=1; p=KEY; y=")
record("p= absent", NOT, "6376 3.6.1", "v=DKIM1; k=rsa")
record("p= empty", NOT, "6376 3.6.1", "v=DKIM1; p=")
record("p= is no base64", NOT, "6376 3.6.1", "p=***")
record("p= is cut", NOT, "6376 3.6.1", "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")
record("p= with junk behind", NOT, "6376 3.6.1", "p=KEYAAAA", wrong=BOTH)
record("p= twice", NOT, "6376 3.2", "p=KEY; p=KEY", wrong=PERL)
record("two semicolons", NOT, "6376 3.2", "v=DKIM1;; p=KEY", wrong=PERL)
record("two semicolons at its end", NOT, "6376 3.2", "v=DKIM1; p=KEY;;",
    wrong=PERL)
record("empty", NOT, "6376 6.1.2", "")
record("is SPF", NOT, "6376 6.1.2", "v=spf1 -all")
record("without an equals", NOT, "6376 3.2", "v=DKIM1; rsa; p=KEY")
record("quoted once more", NOT, "6376 3.2", '"v=DKIM1; p=KEY"', wrong=PERL)
record("with backslashes", NOT, "6376 3.2", "v=DKIM1\\; k=rsa\\; p=KEY")
record("of 5 kB", PASS, "6376 3.6.1", "n=" + "x" * 5000 + "; p=KEY")

twist("key p= with blanks", PASS, "6376 3.6.1",
      lambda plan: plan.record.update(p=" KEY \t"), slot="key")
twist("key absent", NOT, "6376 6.1.2", attribute(records=[], alias=False),
      slot="key")
twist("key several times", NOT, "6376 3.6.2.2",
      attribute(records=["p=KEY", "p="]), wrong=BOTH, slot="key")
twist("key t=s, i= below", NOT, "6376 3.6.1", lambda plan: (
    plan.record_more.append("t=s"), plan.tags.update(i="@a.example.org")),
      wrong=DKIMPY, slot="key")
twist("key t=s, i= is d=", PASS, "6376 3.6.1", lambda plan: (
    plan.record_more.append("t=s"), plan.tags.update(i="x@Example.org")),
      slot="key")

# ---- afterwards -------------------------------------------------------------


def edit(name, change):
    """The last field of that name, which h= covers."""
    def apply(fields, body):
        at = max(i for i, field in enumerate(fields)
                 if field[0].lower() == name)
        fields[at] = change(list(fields[at]))
        return fields, body
    return apply


def value(function):
    return lambda field: [field[0], function(field[1])]


after("From is another", NOT, "6376 6.1.3",
      edit("from", value(lambda v: " m@example.org")))
after("Subject says more", NOT, "6376 6.1.3",
      edit("subject", value(lambda v: v + "!")))
after("Subject is gone", NOT, "6376 6.1.3", lambda fields, body: (
    [f for f in fields if f[0].lower() != "subject"], body))
after("X-Other is another", PASS, "6376 5.4",
      edit("x-other", value(lambda v: " new")))
after("a field on top", PASS, "6376 5.4",
      lambda fields, body: ([["X-New", " 1"]] + fields, body))
after("To has more blanks", relaxed_header, "6376 3.4",
      edit("to", value(lambda v: " \t" + v.lstrip(" \t") + "  ")))
after("Date's name in capitals", relaxed_header, "6376 3.4",
      edit("date", lambda f: ["DATE", f[1]]))
after("From's colon has a blank", relaxed_header, "6376 3.4.2",
      edit("from", lambda f: [f[0] + " ", f[1]]), DKIMPY)
after("another From on top", NOT, "6376 8.15",
      lambda fields, body: ([["From", " m@example.net"]] + fields, body),
      wrong=PERL)
after("another From at the end", NOT, "6376 5.4.2",
      lambda fields, body: (fields + [["From", " m@example.net"]], body))
after("a line that is no field", NOT, "5322 2.2", lambda fields, body: (
    fields[:2] + [[fields[2][0], fields[2][1] + "\r\nno field"]] + fields[3:],
    body), wrong=PERL)
after("the body is another", NOT, "6376 6.1.3",
      lambda fields, body: (fields, "x" + body))
after("the body has more", NOT, "6376 6.1.3",
      lambda fields, body: (fields, body + "x\r\n"))
after("the body has empty lines behind", PASS, "6376 3.4.3",
      lambda fields, body: (fields, body + "\r\n\r\n"))
after("the body has blank lines behind", relaxed_body, "6376 3.4.4",
      lambda fields, body: (fields, body + " \t\r\n \r\n"))
after("lines of the body end with blanks", lambda p: PASS if not re.search(
    "[^\r\n]", p.body) else relaxed_body(p), "6376 3.4.4",
      lambda fields, body: (fields, re.sub(r"(?<=[^\r\n])\r\n", " \r\n", body)))
after("a second signature, broken", PASS, "6376 6.1", lambda fields, body: (
    [["DKIM-Signature", " v=1; a=rsa-sha256"]] + fields, body))
after("signatures of strangers on top", PASS, "6376 6.1",
      lambda fields, body: ([["DKIM-Signature",
                              " v=1; a=rsa-sha256; d=stranger%d.example; s=x; "
                              "h=from; bh=%s=; b=AAAA" % (i, "A" * 43)]
                             for i in range(30)] + fields, body))


def expected(plan, twists):
    """PASS where all do."""
    said = [t.expect(plan) if callable(t.expect) else t.expect
            for t in twists]
    return NOT if NOT in said else PASS
