#!/usr/bin/python3
# crowd.py: holds connections behind EHLO; says how many, and, once told to end,
# how many are still there.
#
#   crowd.py HOST PORT COUNT PART
#
# SPDX-License-Identifier: BSD-2-Clause
import resource
import select
import socket
import sys

SOURCES = 50  # addresses of each part


def connect(host, port, part, number):
    """Behind the whole reply to EHLO; None: it was not let in."""
    client = socket.socket()
    client.bind((f"127.9.{1 + part}.{1 + number % SOURCES}", 0))
    client.connect((host, port))
    said = client.recv(512)
    if not said.startswith(b"220"):
        return None
    client.sendall(b"EHLO idle.example.net\r\n")
    said = b""
    while b"\n250 " not in b"\n" + said:
        octets = client.recv(4096)
        if not octets:
            return None
        said += octets
    return client


def is_there(client):
    """It has been told nothing since, not even that it is over."""
    poll = select.poll()
    poll.register(client, select.POLLIN)
    return not poll.poll(0)


def main():
    host, port, count, part = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = [connect(host, int(port), int(part), number)
               for number in range(int(count))]
    clients = [client for client in clients if client is not None]
    print(len(clients), flush=True)
    sys.stdin.readline()
    print(sum(map(is_there, clients)), flush=True)


main()
