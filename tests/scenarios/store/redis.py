# redis.py: gateways that share what they know by a Redis server: greylisting,
# a server that dies in traffic, a cluster.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import threading
import time

from lab.authority import Authority
from lab.backend import Sink
from lab.dns import Nsd
from lab.failure import check, equal
from lab.filterd import Filterd
from lab.program import HOST, free_port, wait_until
from lab.redis import Cluster, Redis

MESSAGE = b"From: alice@example.org\r\nSubject: store\r\n\r\nhello\r\n"
PASSWORD = "correct-horse-battery"
POLICY = """
store redis {address} {{ {options} }}
use greylist {{ delay 1s }}
at rcpt {{
{rules}
    tempfail greylist if greylist.state = new or greylist.state = early
}}
"""
DEFERS = "    tempfail blind if not known greylist.state"


def gateway(stage, name, address, options="", rules=""):
    """A filterd with a directory and a sink of its own."""
    directory = os.path.join(stage.directory, name)
    os.makedirs(directory)
    policy = POLICY.format(address=address, options=options, rules=rules)
    sink = stage.add(Sink(directory))
    dns = stage.add(Nsd(directory, ()))
    return stage.add(Filterd(directory, stage.options.build, policy, sink,
                             dns))


def code(filterd, recipient="bob@example.com"):
    return filterd.deliver(MESSAGE, recipient).code


def story_shared(stage):
    """greylisting is shared: who was put off here may pass there"""
    redis = stage.add(Redis(stage.directory))
    one = gateway(stage, "one", redis.address)
    two = gateway(stage, "two", redis.address)
    equal(code(one), 451, "the first attempt, here")
    equal(code(two), 451, "the second one, there, too early")
    equal(len(two.wait_line("tempfailed", greylist="early")), 1, "it is known")
    time.sleep(1)
    equal(code(two), 250, "the third one, there")
    equal(code(one), 250, "and here")
    equal(len(one.wait_line("accepted", greylist="known")), 1, "it is known")
    keys = redis.keys()
    check(keys and all(key.startswith("filterd:greylist:") for key in keys),
          str(keys))
    check(all(int(redis.say("PTTL", key)) > 0 for key in keys), "they end")


def story_login(stage):
    """a user, a password, a database, a prefix, a socket; the password is told to nobody"""
    acl = (f"user filterd on >{PASSWORD} ~mx:* "
           "+get +set +eval +incrby +pexpire +ping +select")
    redis = stage.add(Redis(stage.directory, settings=[acl]))
    file = os.path.join(stage.directory, "password")
    with open(file, "w", encoding="utf-8") as password:
        password.write(PASSWORD + "\n")
    options = f'user filterd password "{file}" database 2 prefix mx:'
    one = gateway(stage, "one", f'"unix:{redis.directory}/socket"', options)
    equal(code(one), 451, "the first attempt")
    check(not one.lines("store"), "nothing is wrong")
    check(redis.say("-n", "2", "KEYS", "mx:greylist:*"), "it is there")
    with open(file, "w", encoding="utf-8") as password:
        password.write(PASSWORD[:-1] + "\n")
    one.stop()
    one.start()
    equal(code(one), 250, "with a wrong password mail flows")
    line = one.wait_line("store")[0]
    check("WRONGPASS" in line["text"], str(line))
    check(PASSWORD[:-1] not in one.text(), "the password is in the log")


def story_tls(stage):
    """tls verified: the password goes to nobody but the host of the certificate"""
    authority = Authority(stage.directory)
    chain, key = authority.issue("redis", HOST)
    port = free_port()
    redis = stage.add(Redis(stage.directory, settings=[
        f"tls-port {port}", f"tls-cert-file {chain}", f"tls-key-file {key}",
        f"tls-ca-cert-file {authority.file}", "tls-auth-clients no",
        f"requirepass {PASSWORD}"]))
    file = os.path.join(stage.directory, "password")
    with open(file, "w", encoding="utf-8") as password:
        password.write(PASSWORD)
    options = f'password "{file}" tls verified ca "{authority.file}"'
    one = gateway(stage, "one", f"{HOST}:{port}", options)
    for number in range(5):
        equal(code(one, f"user{number}@example.com"), 451, "an attempt")
    check(not one.lines("store"), "nothing is wrong")
    two = gateway(stage, "two", f"{HOST}:{port}",
                  options + " name other.example.com")
    equal(code(two), 250, "with another host's certificate mail flows")
    check("certificate" in two.wait_line("store")[0]["text"], "it says why")
    redis.say("-a", PASSWORD, "ACL", "LOG", "RESET")
    three = gateway(stage, "three", redis.address, f'password "{file}" '
                    "tls required")
    equal(code(three), 250, "where no TLS is spoken mail flows")
    equal(redis.say("-a", PASSWORD, "ACL", "LOG"), "", "who tried to enter")


def story_dies(stage):
    """Redis dies in traffic and comes back: nobody waits, mail flows, the log tells it twice"""
    redis = stage.add(Redis(stage.directory))
    one = gateway(stage, "one", redis.address)
    equal(code(one), 451, "while it lives")
    codes, slowest, over = [], [0.0], threading.Event()

    def traffic():
        number = 0
        while not over.is_set():
            began = time.monotonic()
            codes.append(code(one, f"user{number}@example.com"))
            slowest[0] = max(slowest[0], time.monotonic() - began)
            number += 1

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: codes.count(451) > 10, "it is greylisted")
    redis.kill()
    wait_until(lambda: codes.count(250) > 10, "mail flows")
    redis.start()
    before = codes.count(451)
    wait_until(lambda: codes.count(451) > before + 10, "greylisted again")
    over.set()
    for thread in threads:
        thread.join()
    check(set(codes) == {250, 451}, str(set(codes)))
    equal(len(one.backend.delivered()), codes.count(250), "none is lost")
    check(slowest[0] < 2, f"one waited {slowest[0]:.1f} s")
    lines = [line["text"] for line in one.wait_line("store")]
    equal(len(lines), 2, str(lines))
    equal(lines[1], "it works again", str(lines))
    check(one.running(), "filterd has ended")


# Strangers as a flood of greylisting leaves them, by a script for its speed.
FLOOD = """for i = ARGV[1], ARGV[1] + 4999 do
    redis.call('SET', 'filterd:greylist:flood' .. i, '0 1800000000000', 'PX', 60000)
end"""
STRANGERS = 100000
ROOM = 8 << 20  # octets


def number_of(redis, name):
    return int(re.search(rf"\b{name}:(\d+)", redis.say("INFO"))[1])


def story_flood(stage):
    """a flood of strangers in a Redis with maxmemory pushes out strangers"""
    redis = stage.add(Redis(stage.directory, settings=[
        f"maxmemory {ROOM}", "maxmemory-policy volatile-ttl"]))
    one = gateway(stage, "one", redis.address)
    equal(code(one), 451, "the first attempt")
    time.sleep(1)
    equal(code(one), 250, "the second one")
    for number in range(0, STRANGERS, 5000):
        redis.say("EVAL", FLOOD, "0", str(number))
    wait_until(lambda: number_of(redis, "used_memory") < ROOM + (1 << 20),
               "it is bounded")
    check(number_of(redis, "evicted_keys") > 0, "some have been pushed out")
    equal(code(one), 250, "whom it knows it still knows")
    equal(code(one, "new@example.com"), 451, "and it learns")


def story_full(stage):
    """a Redis that has no room is a failure: mail flows, and the log says why"""
    redis = stage.add(Redis(stage.directory, settings=["maxmemory 1"]))
    one = gateway(stage, "one", redis.address)
    for number in range(5):
        equal(code(one, f"user{number}@example.com"), 250, "mail flows")
    check("OOM" in one.wait_line("store")[0]["text"], "it says why")
    equal(redis.say("CONFIG", "SET", "maxmemory", "0"), "OK", "there is room")
    wait_until(lambda: code(one, f"late{time.monotonic()}@example.com") == 451,
               "it is greylisted again")


def story_defers(stage):
    """with Redis gone mail is put off where the policy says so, at once"""
    one = gateway(stage, "one", f"{HOST}:9", rules=DEFERS)
    for number in range(5):
        began = time.monotonic()
        equal(code(one, f"user{number}@example.com"), 451, "put off")
        check(time.monotonic() - began < 1, "and it took its time")
    equal(len(one.wait_line("tempfailed", rule="blind")), 5, "by the rule")
    equal(len(one.lines("store")), 1, "lines that tell of it")


def story_cluster(stage):
    """a cluster: keys go where their slots are; a dead third leaves the others"""
    cluster = stage.add(Cluster(stage.directory))
    one = gateway(stage, "one", cluster.nodes[0].address)
    two = gateway(stage, "two", cluster.nodes[1].address,
                  f"node {cluster.nodes[2].address}")
    people = [f"user{number}@example.com" for number in range(20)]
    for person in people:
        equal(code(one, person), 451, f"{person}, the first attempt")
    check(all(node.keys() for node in cluster.nodes), "each has some")
    time.sleep(1)
    for person in people:
        equal(code(two, person), 250, f"{person}, there")
    check(not one.lines("store") and not two.lines("store"), "all is well")
    cluster.nodes[2].kill()
    codes = {code(one, f"other{number}@example.com") for number in range(20)}
    check(codes <= {250, 451}, str(codes))
    check(250 in codes, "what the dead one had is unknown")
