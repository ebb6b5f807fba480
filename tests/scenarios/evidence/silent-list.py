# silent-list.py: a list that says nothing costs one deadline, however many
# there are, and is unknown by itself.
#
# SPDX-License-Identifier: BSD-2-Clause
import time
import urllib.request

from lab.dns import Names
from lab.failure import check
from lab.program import HOST, free_port, wait_until

SILENT = ["a.silent.example", "b.silent.example", "c.silent.example"]
LISTED = {"2.0.0.127.bl.example", "9.100.51.198.bl.example",
          "10.100.51.198.bl.example"}
TIMEOUT = 1
POLICY = """use dnsbl {
%s
    zone bl.example weight 5
    zone gone.example weight 5
}
at rcpt { reject listed if dnsbl.score >= 5
          reply 554 5.7.1 "{dnsbl.score} {dnsbl.failed}" }
""" % "\n".join(f"    zone {name} weight 5" for name in SILENT)


def name_of(question):
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += question[at] + 1
    return ".".join(labels).lower(), question[12:at + 5]


def answer(question):
    """None for a silent list; else listed, or no such name."""
    name, section = name_of(question)
    if name.endswith("silent.example"):
        return None
    if name not in LISTED or section[-4:-2] != b"\0\1":
        return question[:2] + b"\x84\x03\0\1\0\0\0\0\0\0" + section
    return question[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + section \
        + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2"


def refused(filterd, address):
    """What a client is told, and how long that takes."""
    start = time.monotonic()
    with filterd.connect(address) as client:
        reply = client.envelope("a@x.example", "b@example.com")
    return reply, time.monotonic() - start


def story_silent(stage):
    """three silent lists cost one deadline, and a listing elsewhere counts"""
    http = free_port()
    filterd = stage.filterd(f"listen http {HOST}:{http}\n" + POLICY,
                            stage.sink(), stage.add(Names(answer)),
                            dns_options=f"timeout {TIMEOUT}s budget 5s")
    refused(filterd, "198.51.100.9")
    reply, took = refused(filterd, "198.51.100.10")
    check("5 " + ",".join(SILENT + ["gone.example"]) in reply.text,
          f"the reply is {reply.text!r}")
    check(took < 2 * TIMEOUT, f"it took {took:.2f} s")
    wait_until(lambda: 'filterd_dnsbl_suspended{instance="dnsbl",'
               'zone="gone.example"} 1\n' in metrics(http),
               "the list that has died is in the metrics")
    check('filterd_dnsbl_listed_total{instance="dnsbl",zone="bl.example"} 2\n'
          in metrics(http), metrics(http))


def metrics(port):
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics") as page:
        return page.read().decode()
