#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""filterctl replay and filterctl explain --session: decision logs, read again.

Usage: replay.py FILTERCTL
"""
import json
import os
import subprocess
import sys
import tempfile

CORE = {
    "client.ip": "198.51.100.9", "client.port": 2525, "client.tls": False,
    "client.early-talker": False, "helo.name": "mail.example.org",
    "mail.from": "a@example.org", "mail.domain": "example.org",
    "mail.local": "a", "auth.user": None, "score": 0, "mail.size": 1000,
}
MESSAGE = {"message.size": 1000, "message.id": "<1@x>",
           "header.from.domain": "example.org", "rcpt.count": 1}
STAGES = ["connect", "helo", "mail", "rcpt", "data", "message"]


def recipient(to, index=0, **facts):
    local, domain = to.split("@")
    own = {"rcpt.to": to, "rcpt.domain": domain, "rcpt.local": local,
           "rcpt.count": index}
    own.update({name.replace("_", "."): value for name, value in facts.items()})
    return {"to": to, "index": index, "facts": own}


def decision(number, verdict="accept", rule=None, reached="message", to=None,
             facts=None, without=(), **more):
    """A line, as filterd writes it."""
    event = {"accept": "accepted", "reject": "rejected", "pass": "passed",
             "tempfail": "tempfailed", "quarantine": "quarantined",
             "discard": "discarded"}[verdict]
    known = dict(CORE)
    if reached == "message":
        known.update(MESSAGE)
    if reached in ("connect", "helo"):
        for name in [name for name in known if name.startswith("mail.")]:
            del known[name]
    known.update(facts or {})
    for name in without:
        known.pop(name, None)
    line = {"v": 1, "time": "2026-11-22T09:30:%02d.123Z" % (number % 60),
            "session": "52a5bed32a-%x" % number, "transaction": 1,
            "event": event, "verdict": verdict, "rule": rule,
            "stage": reached, "reached": reached, "wire": "smtp",
            "client": known["client.ip"], "helo": "mail.example.org",
            "from": "a@example.org", "facts": known,
            "recipients": [recipient("b@example.com")] if to is None else to,
            "rules": [], "unknown": {}, "dns": [], "hooks": [], "ms": 3}
    line.update(more)
    return {name: value for name, value in line.items() if value is not None}


class World:
    def __init__(self, filterctl, folder):
        self.filterctl, self.folder = filterctl, folder

    def path(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run(self, *arguments, standard=None):
        done = subprocess.run([self.filterctl] + list(arguments),
                              input=standard, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120,
                              env=dict(os.environ, NO_COLOR="1"))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def log(self, lines, name="decisions.log"):
        return self.path(name, "".join(
            (line if isinstance(line, str) else json.dumps(line)) + "\n"
            for line in lines))

    def replay(self, policy, lines, *arguments):
        """The exit status and the JSON object."""
        path = self.path("new.conf", policy)
        status, out, err = self.run("replay", "--json", "--policy", path,
                                    *arguments, self.log(lines))
        assert status in (0, 1), (status, err)
        return status, json.loads(out)


def changes(result):
    """(old, new): how often."""
    def words(verdict):
        return "%s %s" % (verdict["verdict"], verdict["rule"] or "-")

    return {(words(one["old"]), words(one["new"])): one["count"]
            for one in result["changes"]}


def expect(result, **numbers):
    found = {name: result[name] for name in numbers}
    assert found == numbers, (found, numbers, result)


# ---- replay ---------------------------------------------------------------


def nothing_changes(world):
    """the same rules change nothing, and the exit status says so"""
    policy = 'use spf\nat rcpt { reject no if spf.result = fail ' \
             'reject relay if rcpt.domain != "example.com" }'
    lines = [decision(i, facts={"spf.result": "pass"}) for i in range(5)]
    lines += [decision(9, "reject", "no", "rcpt", facts={"spf.result": "fail"})]
    lines += [decision(10, "reject", "relay", "rcpt",
                       [recipient("x@y.example")],
                       {"spf.result": "neutral"})]
    status, result = world.replay(policy, lines)
    assert status == 0, result
    expect(result, decisions=7, same=7, changed=0, unsaid=0, lines=7, broken=0)
    assert result["from"] == "2026-11-22T09:30:00.123Z", result
    assert result["to"] == "2026-11-22T09:30:10.123Z", result


def counted(world):
    """each change is counted by what it was and what it would be"""
    policy = 'use spf\n' \
             'at rcpt { reject soft if spf.result = softfail ' \
             'reply 550 5.7.1 "{spf.result} of {mail.domain}" ' \
             'tempfail wait if spf.result = temperror }'
    lines = []
    for number, word in enumerate(["pass"] * 4 + ["softfail"] * 3
                                  + ["temperror"] * 2):
        lines.append(decision(number, facts={"spf.result": word}))
    lines += [decision(20 + i, "reject", "spf-fail", "rcpt",
                       facts={"spf.result": "fail"}) for i in range(5)]
    lines += [decision(30, "reject", "wait", "rcpt",
                       facts={"spf.result": "temperror"})]
    status, result = world.replay(policy, lines, "--examples", "2")
    assert status == 1
    expect(result, decisions=15, same=4, changed=11, unsaid=0)
    assert changes(result) == {
        ("reject spf-fail", "accept -"): 5,
        ("accept -", "reject soft"): 3,
        ("accept -", "tempfail wait"): 2,
        ("reject wait", "tempfail wait"): 1,
    }, result
    assert [len(one["examples"]) for one in result["changes"]] == [2, 2, 2, 1]
    example = result["changes"][1]["examples"][0]
    assert example["session"] == "52a5bed32a-4", example
    assert example["from"] == "a@example.org", example
    assert example["to"] == "b@example.com", example
    assert example["reply"] == "550 5.7.1 softfail of example.org", example


def unsaid(world):
    """what was not recorded is counted by fact, and is neither yes nor no"""
    policy = 'use spf\nuse dkim\nat rcpt { reject no if spf.result = fail }\n' \
             'at message { reject d if dkim.result = fail and message.size > 5 }'
    lines = [decision(0, facts={"spf.result": "fail"}),
             decision(1), decision(2),
             decision(3, "reject", "old", "rcpt",
                      facts={"spf.result": "pass"}),
             decision(4, facts={"spf.result": "pass", "dkim.result": "pass"}),
             decision(5, facts={"spf.result": None, "dkim.result": "fail",
                                "message.size": 3}),
             decision(6, facts={"spf.result": "pass", "message.size": 3})]
    status, result = world.replay(policy, lines)
    assert status == 1
    expect(result, decisions=7, same=3, changed=1, unsaid=3)
    assert changes(result) == {("accept -", "reject no"): 1}, result
    assert result["missing"] == {"spf.result": 2, "dkim.result": 1,
                                 "message.size": 1}, result


def known_or_not(world):
    """`known` of what was not recorded cannot be said; of null it is no"""
    policy = "use spf\nat rcpt { reject k if known spf.result " \
             "reject u if not known auth.user }"
    lines = [decision(0), decision(1, facts={"spf.result": None}),
             decision(2, facts={"spf.result": "none"}),
             decision(3, without=["auth.user"], facts={"spf.result": None})]
    _, result = world.replay(policy, lines)
    expect(result, decisions=4, same=0, changed=2, unsaid=2)
    assert changes(result) == {("accept -", "reject u"): 1,
                               ("accept -", "reject k"): 1}, result
    assert result["missing"] == {"spf.result": 1, "auth.user": 1}, result


def early_refusals(world):
    """who was refused early is judged as far as it was known"""
    policy = "at connect { reject net if client.ip in 203.0.113.0/24 }\n" \
             "at rcpt { reject later if rcpt.domain = \"x.example\" }"
    lines = [decision(0, "reject", "net", "connect", [],
                      {"client.ip": "203.0.113.5"}),
             decision(1, "reject", "net", "connect", [])]
    _, result = world.replay(policy, lines)
    expect(result, decisions=2, same=1, changed=0, unsaid=1)
    assert result["missing"] == {"rcpt.domain": 1}, result
    _, result = world.replay("at connect { accept all }", lines)
    expect(result, decisions=2, changed=2, unsaid=0)
    assert changes(result) == {("reject net", "accept all"): 2}, result


def others(world):
    """what limits and backends decided stays, unless a rule comes before"""
    lines = [decision(0, "reject", "-backend", "rcpt"),
             decision(1, "tempfail", "-limit-time", "mail", []),
             decision(2, "pass", None, "rcpt", event="passed")]
    _, result = world.replay("at message { reject all }", lines)
    expect(result, decisions=3, same=3)
    _, result = world.replay(
        'at mail { reject m if mail.domain = "example.org" }', lines)
    assert changes(result) == {("reject -backend", "reject m"): 1,
                               ("tempfail -limit-time", "reject m"): 1,
                               ("pass -", "reject m"): 1}, result


def language(world):
    """lists, lists from files, maps, lets, scores and lists as facts"""
    world.path("friends", "192.0.2.0/24\n198.51.100.9\n")
    world.path("weights", "example.org 3\nother.example 9\n")
    policy = 'use dkim\nlist friends of ip from "friends"\n' \
             'map weights of domain to int from "weights"\n' \
             'let heavy = weights[mail.domain] > 2\n' \
             'at mail { score 2 friend if client.ip in friends ' \
             'score 3 heavy if heavy }\n' \
             'at message { quarantine seen if score = 5 and ' \
             '"signer.example" in dkim.domains ' \
             'reject all if score > 4 }'
    policy = policy.replace('"signer.example" in dkim.domains',
                            'dkim.domains in signers')
    policy = "list signers of domain { signer.example }\n" + policy
    both = {"dkim.domains": ["x.example", "signer.example"]}
    lines = [decision(0, facts=both),
             decision(1, facts={"dkim.domains": []}),
             decision(2, facts=dict(both, **{"client.ip": "203.0.113.1"})),
             decision(3, facts=dict(both, **{"mail.domain": "x.example"})),
             decision(4), decision(5, facts={"score": 5, "client.ip": "::1"})]
    _, result = world.replay(policy, lines)
    expect(result, decisions=6, same=3, changed=2, unsaid=1)
    assert changes(result) == {("accept -", "quarantine seen"): 1,
                               ("accept -", "reject all"): 1}, result
    assert result["missing"] == {"dkim.domains": 1}, result


def open_score(world):
    """a score that rests on what was not recorded cannot be compared"""
    policy = "use spf\nat mail { score 2 s if spf.result = fail }\n" \
             "at message { reject b if score > 1 }"
    _, result = world.replay(policy, [decision(0)])
    expect(result, decisions=1, unsaid=1)
    assert result["missing"] == {"spf.result": 1}, result


def prefixes(world):
    """`would` changes nothing; `until` goes by the day it was; `canary` by the
    sender"""
    many = [decision(i, facts={"client.ip": "192.0.%d.1" % i})
            for i in range(100)]
    _, result = world.replay("at mail { would reject w }", many)
    expect(result, same=100)
    _, result = world.replay("at mail { until 2026-11-21 reject w }", many)
    expect(result, same=100)
    _, result = world.replay("at mail { until 2026-11-22 reject w }", many)
    expect(result, changed=100)
    _, result = world.replay("at mail { canary 50% reject w }", many)
    assert 20 < result["changed"] < 80, result
    _, again = world.replay("at mail { canary 50% reject w }", many)
    assert again["changes"] == result["changes"]


def watched(world):
    """lines of rules that were only watched are no decisions"""
    lines = [decision(0, "reject", "w", mode="would", event="would"),
             decision(0)]
    status, result = world.replay("at rcpt { }", lines)
    assert status == 0
    expect(result, decisions=1, would=1, same=1)


def recipients(world):
    """each recipient is judged, and whom the rules tell apart is split"""
    to = [recipient("b@example.com"), recipient("c@example.com", 1),
          recipient("d@example.com", 2)]
    policy = 'at rcpt { reject c if rcpt.local = "c" }'
    _, result = world.replay(policy, [decision(0, to=to, more=4)])
    expect(result, decisions=3, same=2, **{"left-out": 4})
    assert changes(result) == {("accept -", "reject c"): 1}, result
    policy = 'at message { reject d if rcpt.local = "d" and message.size > 5 }'
    _, result = world.replay(policy, [decision(0, to=to)])
    assert changes(result) == {("accept -", "tempfail -group"): 1}, result
    _, result = world.replay(policy, [decision(0, to=to, each=True)])
    assert changes(result) == {("accept -", "reject d"): 1}, result
    policy = 'at rcpt { reject many if rcpt.count > 1 }\n' \
             'at message { reject three if rcpt.count = 3 }'
    _, result = world.replay(policy, [decision(
        0, to=to, facts={"rcpt.count": 3})])
    assert changes(result) == {("accept -", "reject many"): 1,
                               ("accept -", "reject three"): 2}, result


def stages(world):
    """quarantine holds unless a later stage refuses; pass and accept leave"""
    lines = [decision(0)]
    for policy, words in [
            ("at mail { quarantine q } at message { accept a }", "quarantine q"),
            ("at mail { quarantine q } at message { reject r }", "reject r"),
            ("at mail { quarantine q } at rcpt { quarantine p }",
             "quarantine p"),
            ("at mail { pass p } at rcpt { discard d }", "discard d"),
            ("at connect { accept a } at rcpt { reject r }", "accept a"),
            ("at helo { discard d } at rcpt { reject r }", "discard d"),
            ("at message { pass p reject r }", "pass p"),
            ("at connect { disconnect d }", "disconnect d")]:
        _, result = world.replay(policy, lines)
        assert changes(result) == {("accept -", words): 1}, (policy, result)


def selected(world):
    """--since, --until and --rule choose"""
    lines = [decision(i, "reject" if i % 2 else "accept",
                      "odd" if i % 2 else None, "rcpt") for i in range(20)]
    policy = "at rcpt { reject all }"
    _, result = world.replay(policy, lines, "--since", "2026-11-22T09:30:05Z",
                             "--until", "2026-11-22T09:30:15Z")
    expect(result, decisions=10, changed=10)
    _, result = world.replay(policy, lines, "--since", "2026-11-23")
    expect(result, decisions=0)
    _, result = world.replay(policy, lines, "--rule", "odd")
    assert changes(result) == {("reject odd", "reject all"): 10}, result
    _, result = world.replay(policy, lines, "--rule", "all")
    expect(result, changed=20)
    _, result = world.replay(policy, lines, "--rule", "typo")
    expect(result, decisions=0)


def broken(world):
    """broken lines are counted, the first is named, the others are judged"""
    good = json.dumps(decision(0))
    lines = [good, good[:100], "", "{}", '{"v":2}', "\x00", "x" * 2000000,
             good.replace('"time": "2026', '"time": "never'), good,
             '{"v":1,"time":"2026-11-22T09:30:00.123Z"}', "[" * 100000,
             good.replace('"spf.result"', '"nonsense"'), good[:-1]]
    status, result = world.replay("at rcpt { }", lines)
    expect(result, decisions=3, broken=9)
    assert result["first-broken"].endswith("decisions.log:2: is no JSON")
    path = world.log([good])
    with open(path, "a") as file:
        file.write(good[:50])
    _, out, _ = world.run("replay", "--json", "--policy",
                          os.path.join(world.folder, "new.conf"), path)
    assert json.loads(out)["first-broken"].endswith(":2: has no end")


def types(world):
    """a fact of another type than recorded was not recorded"""
    policy = 'at rcpt { reject a if client.port = 5 reject b if client.tls }'
    _, result = world.replay(policy, [
        decision(0, facts={"client.port": "5"}),
        decision(1, facts={"client.tls": "yes"}),
        decision(2, facts={"client.port": [5]})])
    expect(result, unsaid=3)
    assert result["missing"] == {"client.port": 2, "client.tls": 1}, result


def octets(world):
    """octets that are not UTF-8 match as they did"""
    helo = "".join(chr(0xef00 + octet) for octet in b"\xff\xfe") + "x"
    _, result = world.replay('at helo { reject h if helo.name = "x" '
                             'reject m if helo.name matches "^..x$" }',
                             [decision(0, facts={"helo.name": helo})])
    assert result["decisions"] == 1, result


def many_files(world):
    """several files, standard input, and text for people"""
    policy = world.path("new.conf", "at rcpt { reject all }")
    one = world.log([decision(0), decision(1)], "one.log")
    other = world.log([decision(2)], "other.log")
    status, out, err = world.run(
        "replay", "--policy", policy, "--examples", "1", one, "-", other,
        standard=json.dumps(decision(3)).encode() + b"\n")
    assert status == 1
    assert "      4 decisions\n      4 would change\n" in out, out
    assert "      4 accept -> reject all at rcpt\n" in out, out
    assert "52a5bed32a-0 198.51.100.9 <a@example.org> -> <b@example.com>" \
        in " ".join(out.split()), out
    assert "4 lines in" in err, err
    status, _, err = world.run("replay", "--policy", policy, one, "/nowhere")
    assert status == 2 and "/nowhere" in err, err
    status, _, err = world.run("replay", "--policy", one, one)
    assert status == 2, err
    for arguments in (["--policy", policy], [one],
                      ["--policy", policy, "--since", "soon", one],
                      ["--policy", policy, "--examples", "-1", one]):
        status, _, err = world.run("replay", *arguments)
        assert status == 2 and "filterctl replay: " in err, (arguments, err)


# ---- explain --session ----------------------------------------------------


def looked(stage, verdict, rule, truth, mode="applied"):
    return {"stage": stage, "verdict": verdict, "rule": rule,
            "would": mode == "would", "mode": mode, "truth": truth}


def explained(world):
    """why, from the configuration and the log, in either of its files"""
    conf = world.path(
        "filterd.conf", 'set state-directory "%s"\nuse spf\n'
        'at connect { accept ours if client.ip in 192.0.2.0/24 }\n'
        'at mail { would reject old-rule if spf.result = none }\n'
        'at rcpt { reject spf-fail if spf.result = fail and not known '
        'auth.user reject changed if spf.result = pass }' % world.folder)
    wanted = decision(
        7, "reject", "spf-fail", "rcpt", facts={"spf.result": "fail"},
        reply="550 5.7.23 no [52a5bed32a-7]",
        unknown={"auth.user": "failed"},
        rules=[looked("connect", "accept", "ours", "no"),
               looked("mail", "reject", "old-rule", "no", "would"),
               looked("rcpt", "reject", "gone", "unknown"),
               looked("rcpt", "reject", "changed", "yes"),
               looked("rcpt", "reject", "spf-fail", "yes")],
        dns=[{"name": "example.org", "type": "TXT", "status": "answer",
              "answer": '"v=spf1 -all"', "ms": 12, "cached": False}],
        hooks=[{"plugin": "spf", "stage": "mail", "ms": 13}])
    world.log([decision(1), wanted, decision(0x77)], "decisions.log.2")
    world.log([decision(8)], "decisions.log")
    for number in ("52a5bed32a-7", "[52a5bed32a-7]"):
        status, out, err = world.run("explain", "--session", number, "-c", conf)
        assert status == 0, err
        for part in ("2026-11-22T09:30:07.123Z rejected spf-fail at rcpt\n",
                     "  550 5.7.23 no [52a5bed32a-7]\n",
                     "client=198.51.100.9", "  at connect\n",
                     "    no       accept ours\n",
                     "client.ip in 192.0.2.0/24: no, client.ip is",
                     "would reject old-rule", "no such rule any more",
                     "the rule was another one then",
                     "    yes      reject spf-fail\n",
                     "spf.result = fail: yes",
                     "  spf.result = fail\n", "auth.user = unknown (failed)",
                     'example.org TXT: "v=spf1 -all", 12 ms\n',
                     "spf at mail: 13 ms\n", "Recipient b@example.com"):
            assert part in out, (part, out)
        assert out.count("another one then") == 1, out
        assert "52a5bed32a-77" not in out and "52a5bed32a-8" not in out
    status, out, _ = world.run("explain", "--session", "52a5bed32a-7", "--log",
                               os.path.join(world.folder, "decisions.log"))
    assert status == 0 and "    yes      reject spf-fail\n" in out, out
    assert "any more" not in out
    status, out, _ = world.run("explain", "--json", "--session",
                               "52a5bed32a-7", "-c", conf)
    found = json.loads(out)
    assert found["decisions"][0]["decision"] == wanted, found
    assert found["decisions"][0]["rules"][-1]["why"], found


def not_found(world):
    """a session that is not there: where it was looked for, and how far back"""
    path = world.log([decision(5)])
    status, out, err = world.run("explain", "--session", "0-1", "--log", path)
    assert status == 1 and not out, (status, out)
    assert path in err and "back to 2026-11-22T09:30:05.123Z" in err, err
    status, _, err = world.run("explain", "--session", "0-1", "--log",
                               "/nowhere/decisions.log")
    assert status == 1 and "without any decision" in err, err
    off = world.path("off.conf", "set decision-log off")
    for arguments in (["--session", "x y", "--log", path], ["--session", "0-1"],
                      ["--log", path], ["--session", "0-1", "-c", off],
                      ["--session", "0-1", "-c", "/nowhere"],
                      ["--session", "0-1", "--log", path, "spf"]):
        status, _, err = world.run("explain", *arguments)
        assert status == 2 and err, (arguments, status, err)


def terminal(world):
    """what strangers wrote does not reach the terminal as it is"""
    evil = "\x1b]0;evil\x07\x9b31m\u202e"
    line = decision(5, facts={"helo.name": evil}, helo=evil, reply=evil,
                    to=[recipient("b" + evil + "@x.example")], rule=evil,
                    dns=[{"name": evil, "type": evil, "answer": evil,
                          "ms": 1, "cached": True}])
    line["from"] = evil
    line["facts"][evil] = evil
    line["rules"] = [looked("rcpt", evil, evil, evil), looked(evil, "x", "y", "no")]
    path = world.log([line])
    _, shown, _ = world.run("explain", "--session", "52a5bed32a-5", "--log",
                            path)
    policy = world.path("new.conf", "at rcpt { reject no }")
    _, changed, _ = world.run("replay", "--policy", policy, path)
    for out in (shown, changed):
        assert out and all(c == "\n" or " " <= c <= "~" for c in out), repr(out)


def only_broken(world):
    """logs with broken lines and nothing else are no answer"""
    policy = world.path("new.conf", "at rcpt { reject no }")
    path = world.log(["event=accepted verdict=accept", "{"])
    status, _, err = world.run("replay", "--policy", policy, path)
    assert status == 2, status
    assert "there is no decision in these logs" in err, err
    status, _, err = world.run("replay", "--policy", policy, world.log([]))
    assert status == 0 and "no decision" not in err, (status, err)


STORIES = [nothing_changes, counted, unsaid, known_or_not, early_refusals,
           others, language, open_score, prefixes, watched, recipients, stages,
           selected, broken, types, octets, many_files, explained, not_found,
           terminal, only_broken]


def main():
    failed = 0
    print("1..%d" % len(STORIES))
    for number, story in enumerate(STORIES, 1):
        name = " ".join(story.__doc__.split())
        with tempfile.TemporaryDirectory() as folder:
            try:
                story(World(sys.argv[1], folder))
                print("ok %d - %s" % (number, name))
            except Exception as error:  # a story may fail in any way
                failed += 1
                for line in repr(error).split("\n"):
                    print("# %s" % line[:4000])
                print("not ok %d - %s" % (number, name))
    sys.exit(1 if failed else 0)


main()
