# ratelimit.py: workers, and gateways, that count together.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import threading

from lab.backend import Sink
from lab.dns import Nsd
from lab.failure import check, equal
from lab.filterd import Filterd
from lab.program import wait_until
from lab.redis import Redis

CLIENTS = 8
RECIPIENTS = 12
BURST = 20
WORKERS = 2
POLICY = """
{store}
use ratelimit {{ key client.ip rate 1 per 10h burst %d }}
use ratelimit as quick {{ key mail.from rate 20 per 2s burst 2 }}
at rcpt {{
    tempfail quick if quick.recipients-exceeded and mail.domain = "quick.example"
    tempfail too-many if ratelimit.recipients-exceeded
             reply 451 4.7.1 "{{ratelimit.recipients-level}} in {{ratelimit.recipients-wait}}"
    tempfail blind if not known ratelimit.recipients-exceeded
}}
""" % BURST


def gateway(stage, name, store):
    """A filterd with a directory and a sink of its own."""
    directory = os.path.join(stage.directory, name)
    os.makedirs(directory)
    sink = stage.add(Sink(directory))
    dns = stage.add(Nsd(directory, ()))
    return stage.add(Filterd(directory, stage.options.build,
                             POLICY.format(store=store), sink, dns,
                             workers=WORKERS))


def envelope(filterd, codes, client="198.51.100.9"):
    """Recipients until one is put off."""
    with filterd.connect(client) as connection:
        reply = connection.envelope("alice@example.org")
        for number in range(RECIPIENTS):
            if reply.code >= 400:
                break
            reply = connection.say(f"RCPT TO:<user{number}@example.com>")
            codes.append(reply.code)


def crowd(filterds):
    """All codes of clients that come at once."""
    codes = []
    threads = [threading.Thread(target=envelope,
                                args=[filterds[number % len(filterds)], codes])
               for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def check_count(codes, counters):
    passed = codes.count(250)
    equal(set(codes), {250, 451}, "replies")
    check(BURST <= passed <= BURST + counters - 1, f"{passed} have passed")


def story_workers(stage):
    """two workers count a client together, however many come at once"""
    filterd = gateway(stage, "one", "")
    check_count(crowd([filterd]), WORKERS)
    codes = []
    envelope(filterd, codes, "198.51.100.10")
    equal(codes, [250] * RECIPIENTS, "another client")
    line = filterd.wait_line("tempfailed", rule="too-many")[0]
    check("20 in 10h" in line["reply"], line["reply"])


def story_redis(stage):
    """two gateways of two workers count by one Redis; while it is dead nobody is limited"""
    redis = stage.add(Redis(stage.directory))
    one, two = (gateway(stage, name, f"store redis {redis.address}")
                for name in ("one", "two"))
    check_count(crowd([one, two]), 2 * WORKERS)
    keys = redis.keys()
    check(keys and all(":ratelimit:r" in key or ":quick:r" in key
                       for key in keys), str(keys))
    check(all(int(redis.say("PTTL", key)) > 0 for key in keys), "they end")
    redis.kill()
    codes = []
    envelope(one, codes)
    equal(set(codes), {451}, "put off by the rule that says so")
    check(one.wait_line("tempfailed", rule="blind"), "and by no other")


def story_leaks(stage):
    """what has run out is free again, soon"""
    filterd = gateway(stage, "one", "")

    def code():
        with filterd.connect() as client:
            return client.envelope("alice@quick.example",
                                   "bob@example.com").code

    wait_until(lambda: code() == 451, "the bucket is full")
    wait_until(lambda: code() == 250, "some has run out")


def story_facts_of_others(stage):
    """a key may be a fact of another plugin, and what is counted waits for it"""
    directory = os.path.join(stage.directory, "one")
    os.makedirs(directory)
    sink = stage.add(Sink(directory))
    dns = stage.add(Nsd(directory, ()))
    policy = ("use spf\n"
              "use ratelimit as each { key spf.result count messages "
              "rate 1 per 10h }\n"
              "at mail { tempfail too-many if each.messages-exceeded }\n")
    filterd = stage.add(Filterd(directory, stage.options.build, policy, sink,
                                dns, workers=WORKERS))

    def code(sender):
        with filterd.connect() as client:
            return client.envelope(sender).code

    equal([code("alice@example.org"), code("bob@example.org")], [250, 451],
          "the second with the same result")
    line = filterd.wait_line("tempfailed", rule="too-many")[0]
    check(line.get("spf"), str(line))


def story_what_stands_in_front(stage):
    """what `and` settles is not counted: so refusals are counted, and nothing else"""
    directory = os.path.join(stage.directory, "one")
    os.makedirs(directory)
    sink = stage.add(Sink(directory))
    dns = stage.add(Nsd(directory, ()))
    policy = ("use ratelimit as guesses { key client.ip rate 2 per 10h }\n"
              "at rcpt {\n"
              '    disconnect guesser if rcpt.local = "nobody"\n'
              "                          and guesses.recipients-exceeded\n"
              '    reject missing if rcpt.local = "nobody"\n'
              "}\n")
    filterd = stage.add(Filterd(directory, stage.options.build, policy, sink,
                                dns))
    codes = []
    with filterd.connect() as client:
        client.envelope("alice@example.org")
        for local in ("nobody", "a", "b", "c", "nobody", "d", "nobody"):
            codes.append(client.say(f"RCPT TO:<{local}@example.com>").code)
    equal(codes, [550, 250, 250, 250, 550, 250, 421], "replies")
