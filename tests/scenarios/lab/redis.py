# redis.py: a Redis server, or a cluster of three.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import socket
import subprocess

from .failure import check
from .program import (HOST, PATIENCE, Program, find, free_port,
                      wait_until)

CLUSTER = 3
GOSSIP = 10000


def free_pair():
    """A port that is free, as is the one of a cluster's gossip with it."""
    while True:
        port = free_port()
        if port + GOSSIP > 65535:
            continue
        with socket.socket() as other:
            try:
                other.bind((HOST, port + GOSSIP))
            except OSError:
                continue
        return port


class Redis(Program):
    """`settings`: lines of its configuration."""

    def __init__(self, directory, name="redis", settings=()):
        self.port = free_pair()
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        file = os.path.join(self.directory, "redis.conf")
        lines = [f"bind {HOST}", f"port {self.port}", 'save ""',
                 "appendonly no", f"dir {self.directory}",
                 f"unixsocket {self.directory}/socket", *settings]
        with open(file, "w", encoding="utf-8") as conf:
            conf.write("\n".join(lines) + "\n")
        super().__init__(name, [find("redis-server"), file], directory)

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    def start(self):
        super().start()
        self.wait_listening(self.port)

    def say(self, *words):
        """What redis-cli answers to a command."""
        run = subprocess.run(
            [find("redis-cli"), "-s", f"{self.directory}/socket", *words],
            capture_output=True, text=True, check=False)
        return run.stdout.strip()

    def keys(self, pattern="*"):
        return self.say("KEYS", pattern).split()


class Cluster:
    """Three masters, each with a third of the slots."""

    def __init__(self, directory):
        settings = ["cluster-enabled yes", "cluster-node-timeout 2000",
                    f"cluster-announce-ip {HOST}"]
        self.nodes = [Redis(directory, f"redis-{number}", settings)
                      for number in range(CLUSTER)]
        self.name = "cluster"

    def start(self):
        for node in self.nodes:
            node.start()
        run = subprocess.run(
            [find("redis-cli"), "--cluster", "create",
             *[node.address for node in self.nodes], "--cluster-yes"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        check(run.returncode == 0, run.stdout + run.stderr)
        for node in self.nodes:
            wait_until(lambda at=node: "cluster_state:ok" in
                       at.say("CLUSTER", "INFO"), "the cluster stands")

    def stop(self):
        for node in self.nodes:
            node.stop()

    def kill(self):
        for node in self.nodes:
            node.kill()

    def tail(self):
        return "\n".join(node.tail() for node in self.nodes)
