#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks a node under load and prints the account.

    ./dev chaos --seconds 60 [--seed N] [--json]                                  all kinds of faults: storm.py
    ./dev chaos storm [--seconds 60] [--json]                                     deaths by thousands: deaths.py
    ./dev chaos [--kills 1000] [--every-ms 20] [--clients 8] [--seed N] [--json]  kills of workers alone

Of the last, which looks at the node's size as well: each client has one task under way at a time, whose
answer carries what only that task could give, so a lost task is a client that waits for ever and a doubled
one is an answer that nobody waits for. Exit status 1: a task was lost, doubled or failed, a process was left
as a zombie, or the node has grown.
"""
import argparse
import json
import os
import random
import signal
import sys
import time

import msgpack
import zmq

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import deaths  # noqa: E402
import storm as weather  # noqa: E402  (the path above)
from node import SLOW, Node, wait_for  # noqa: E402

CONFIG = """
node
    name = chaos
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 4
        tools = code_parse
        attempts_max = 100
        intensity = 1000000
        backoff_ms = 1
        backoff_max_ms = 5
"""
ANSWER_S = 30  # for one task, over all its attempts
DESCRIPTORS_MORE = 8  # of the node: sockets that are being closed
MEMORY_MORE_KB = 16 * 1024  # of the node's resident memory


class Client:
    """One DEALER with one task under way."""

    def __init__(self, endpoint, number):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.number, self.count, self.sent_at, self.expected = number, 0, None, None

    def send(self):
        self.count += 1
        lines = 1 + (self.number * 101 + self.count) % 199  # another one than the tasks before and beside it
        body = {"filename": "a.c", "code": "int x;" * lines}
        self.expected = 1 + 4 * lines  # nodes of its tree
        self.socket.send_multipart([b"MDPC02", b"\x01", b"code_parse", msgpack.packb(body)])
        self.sent_at = time.monotonic()

    def receive(self):
        """The reply map, None when there is none."""
        try:
            frames = self.socket.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            return None
        return msgpack.unpackb(frames[-1], strict_map_key=False)


class Account:
    def __init__(self):
        self.sent = self.answered = self.failed = self.doubled = self.lost = self.retried = 0
        self.slowest_ms = 0.0
        self.first_failure = None

    def is_clean(self):
        return not (self.failed or self.doubled or self.lost)


def take(client, reply, account):
    """Books one answer."""
    if client.expected is None:
        account.doubled += 1
        return
    if not reply.get("success"):
        account.failed += 1
        account.first_failure = account.first_failure or reply.get("error")
    elif reply["result"]["node_count"] != client.expected:
        account.doubled += 1  # the answer of another task
        return
    else:
        account.answered += 1
        account.retried += reply["metrics"]["attempts"] > 1
        account.slowest_ms = max(account.slowest_ms, 1000 * (time.monotonic() - client.sent_at))
    client.expected = None


def turn(clients, account, may_send, wait_ms):
    poller = zmq.Poller()
    by_socket = {}
    for client in clients:
        if client.expected is None and may_send:
            client.send()
            account.sent += 1
        by_socket[client.socket] = client
        poller.register(client.socket, zmq.POLLIN)
    for socket, _ in poller.poll(wait_ms):
        reply = by_socket[socket].receive()
        if reply is not None:
            take(by_socket[socket], reply, account)


def kill_one(node, chance):
    """kill -9 of a worker that is there; False: none is up just now."""
    rows = [row for row in node.workers("parser") if row["os_pid"] > 0]
    if not rows:
        return False
    try:
        os.kill(chance.choice(rows)["os_pid"], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def zombies(node):
    """Processes below the node's guardian that nobody waited for."""
    found = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            found += fields[0] == "Z" and int(fields[1]) in (node.process.pid, *node.family())
    return found


def size_of(pid):
    """(descriptors, resident kB) of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    return len(os.listdir(f"/proc/{pid}/fd")), resident


def sizes(node):
    ping = node.ask("ping")
    return {"node": size_of(ping["os_pid"]), "guardian": size_of(ping["guardian_pid"])}


def warm_up(clients, account):
    """What a node takes once, before it is measured."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        turn(clients, account, True, 10)


def storm(node, clients, options, account):
    chance = random.Random(options.seed)
    kills, next_at = 0, time.monotonic()
    while kills < options.kills:
        turn(clients, account, True, 2)
        if time.monotonic() >= next_at and kill_one(node, chance):
            kills += 1
            next_at = time.monotonic() + options.every_ms / 1000
    until = time.monotonic() + ANSWER_S * SLOW
    while any(client.expected for client in clients) and time.monotonic() < until:
        turn(clients, account, False, 10)
    account.lost = sum(client.expected is not None for client in clients)
    for _ in range(20):
        turn(clients, account, False, 10)  # answers that nobody waits for
    return kills


def run(options):
    account = Account()
    with Node(CONFIG) as node:
        clients = [Client(node.endpoints["majordomo"], number) for number in range(options.clients)]
        warm_up(clients, account)
        for _ in range(20):
            victim = node.kill_worker("parser")
            node.wait_replaced(victim)
        before, begun = sizes(node), time.monotonic()
        kills = storm(node, clients, options, account)
        seconds = time.monotonic() - begun
        wait_for(lambda: len([r for r in node.workers("parser") if r["state"] != "starting"]) == 4, what="all workers")
        left, after = zombies(node), sizes(node)
        for client in clients:
            client.socket.close()
        status = node.stop()
    grown = [f"{who}: {before[who]} to {after[who]} (descriptors, kB)" for who in before
             if after[who][0] > before[who][0] + DESCRIPTORS_MORE or after[who][1] > before[who][1] + MEMORY_MORE_KB]
    return {"kills": kills, "seconds": round(seconds, 1), "sent": account.sent, "answered": account.answered,
            "failed": account.failed, "lost": account.lost, "doubled": account.doubled, "retried": account.retried,
            "slowest_ms": round(account.slowest_ms, 1), "zombies": left, "before": before, "after": after,
            "grown": grown, "exit_status": status, "first_failure": account.first_failure,
            "clean": account.is_clean() and left == 0 and not grown and status == 0}


def main():
    parser = argparse.ArgumentParser(prog="./dev chaos")
    parser.add_argument("what", nargs="?", choices=["storm"])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--every-ms", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.what == "storm":
        account = deaths.run(options.seconds or 60)
    else:
        account = weather.run(options.seconds, options.seed) if options.seconds else run(options)
    if options.json:
        print(json.dumps(account))
    else:
        for name, value in account.items():
            print(f"{name:14} {value}")
    sys.exit(0 if account["clean"] else 1)


if __name__ == "__main__":
    main()
