# rules.py: what long policies and large lists cost.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import random
import resource
import statistics
import subprocess

from .bench import Bench, alternate, ratio
from .mail import messages
from .table import Bar

RULES = 10000
ENTRIES = 1000000
ROUNDS = 5
# By what is in them, which no message of ours is: its type, an entry, the rule.
LISTS = {
    "networks": ("ip", lambda number, _: f"10.{number >> 14 & 255}."
                 f"{number >> 6 & 255}.{number << 2 & 255}/30",
                 "    reject in-list if client.ip in kept\n"),
    "domains": ("domain", lambda number, chance:
                f"{chance.getrandbits(32):08x}.x{number}.example",
                "    reject in-list if mail.domain in kept\n"),
}


def rules(count):
    return "".join(f'    reject r{i} if mail.domain = "x{i}.example"\n'
                   for i in range(count))


def write_list(path, entry):
    chance = random.Random(1)
    with open(path, "w", encoding="ascii") as file:
        for number in range(ENTRIES):
            file.write(entry(number, chance) + "\n")


def load_time(bench):
    """CPU-seconds that `filterctl check` needs for its policy."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    ctl = os.path.join(bench.filterd.build, "filterd", "filterctl")
    before = spent()
    subprocess.run([ctl, "check", bench.filterd.file], check=True,
                   capture_output=True)
    return spent() - before


def compare(table, what, benches, mail, count):
    """The second one has more of something than the first."""
    for bench in benches:
        bench.greet(mail)
        bench.cost(mail, count, 10)
    few, many = alternate(ROUNDS, *(
        lambda bench=bench: bench.cost(mail, count, 10) for bench in benches))
    table.row(what, "CPU-ms", statistics.median(few), statistics.median(many),
              bar=Bar("<=", 1.1, 1.03, " x"), value=ratio(few, many))
    table.row("loading them", "CPU-s", load_time(benches[1]),
              bar=Bar("<", 2, 1))


def show_list(table, stage, dns, what, mail, count):
    kind, entry, rule = LISTS[what]
    path = os.path.join(stage.directory, what)
    write_list(path, entry)
    empty = Bench(stage, dns)
    rest = empty.memory()
    full = Bench(stage, dns, lists=f'list kept of {kind} from "{path}"',
                 rules=rule)
    added = full.memory() - rest
    compare(table, f"a list of none / of {ENTRIES:,} {what}", (empty, full),
            mail, count)
    table.row("each of them, in 2 workers", "octets", added / ENTRIES)
    for bench in (empty, full):
        bench.filterd.stop()


def measure(table, stage, dns, options):
    table.topic("By rules and lists; 2 KB, all checks")
    mail = messages(2000)
    benches = [Bench(stage, dns, rules=rules(count)) for count in (10, RULES)]
    compare(table, f"10 / {RULES:,} rules more", benches, mail,
            options.messages * 3 // 10)
    for bench in benches:
        bench.filterd.stop()
    for what in LISTS:
        show_list(table, stage, dns, what, mail, options.messages * 3 // 10)
