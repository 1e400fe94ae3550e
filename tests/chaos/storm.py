# SPDX-License-Identifier: MIT
"""Everything at once against one node, and whether each task came to exactly one end.

The faults: workers are killed, stopped and let go on; workers of another program answer late, twice, to
nobody, or leave; one client asks for far more than the queue takes; clients leave without waiting; others
cancel; the port and the control socket get bytes that are no message; the router itself crashes.

The account is kept on both sides. Each client knows what it asked, by an id of its own: one answer for
each, with the content that only this task could give or a code that says why not, before the deadline that
it named. The node knows what it accepted: all of it is answered, nothing waits or runs, and every message
inside is in one column of the ledger.
"""
import collections
import itertools
import json
import os
import random
import signal
import socket as tcp
import time

import msgpack
import zmq

from node import SLOW, Node, wait_for

CONFIG = """
node
    name = storm
majordomo
    endpoint = "tcp://127.0.0.1:*"
    heartbeat_ms = 100
tree
    intensity = 1000000
pools
    parser
        class = parser
        place = process
        min = 3
        inflight_max = 2
        queue_max = 100
        queue_ms = 5000
        run_ms = 700
        attempts_max = 5
        intensity = 1000000
        backoff_ms = 1
        backoff_max_ms = 20
        tools = code_parse
    echo
        foreign = 1
        options = 1
        queue_max = 100
        queue_ms = 5000
        run_ms = 700
        attempts_max = 5
        tools = echo
"""
DEADLINE_MS = 4000
LATE_MS = 1500  # an answer may be under way for so long, and the reader of it busy
REASONS = {  # ends that are right while all this goes on; any other is a failure of the node
    "E_BUSY", "E_TIMEOUT", "E_WORKER_LOST", "E_CANCELLED", "E_UNAVAILABLE", "E_EXPIRED", "E_POISON"}
NOT_ACCEPTED = {"E_BUSY", "E_UNAVAILABLE"}


class Account:
    """What became of every call of the clients that stay."""

    def __init__(self, deadline_ms=DEADLINE_MS):
        self.deadline_ms = deadline_ms  # of each call
        self.open = {}  # id -> (when it was sent, expected)
        self.ended = set()
        self.sent = self.answered = self.doubled = self.wrong = self.late = self.unknown = 0
        self.reasons = collections.Counter()
        self.slowest_ms = 0.0
        self.first_fault = None

    def fault(self, kind, text):
        setattr(self, kind, getattr(self, kind) + 1)
        self.first_fault = self.first_fault or f"{kind}: {text}"

    def begin(self, name, expected):
        self.sent += 1
        self.open[name] = (time.monotonic(), expected)

    def end(self, name, reply):
        """One final answer. `reply`: a map with `error`, or what the tool made."""
        if name not in self.open:
            self.fault("doubled" if name in self.ended else "unknown", name)
            return
        sent_at, expected = self.open.pop(name)
        self.ended.add(name)
        took_ms = 1000 * (time.monotonic() - sent_at)
        self.slowest_ms = max(self.slowest_ms, took_ms)
        if took_ms > self.deadline_ms + LATE_MS * SLOW:
            self.fault("late", f"{name} after {took_ms:.0f} ms")
        error = reply.get("error")
        if error is None:
            self.answered += 1
            if reply["value"] != expected:
                self.fault("wrong", f"{name}: {reply['value']!r} instead of {expected!r}")
            return
        self.reasons[error["code"]] += 1
        if error["code"] not in REASONS or not error["message"]:
            self.fault("wrong", f"{name}: {error}")

    def refused(self):
        return sum(self.reasons[code] for code in NOT_ACCEPTED)


class Caller:
    """A client that keeps `window` calls of a tool under way."""
    numbers = itertools.count(1)

    def __init__(self, endpoint, tool, window, account, chance):
        self.tool, self.window, self.account, self.chance = tool, window, account, chance
        self.number, self.count, self.mine, self.asked_at = next(self.numbers), 0, set(), 0.0
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.connect(endpoint)

    def call(self):
        self.count += 1
        name = f"{self.number}-{self.count}"
        if self.tool == "echo":
            expected, body = name.encode(), name.encode()
        else:
            lines = self.chance.choice([1, 10, 100, 1000]) + self.count % 17
            expected, body = 1 + 4 * lines, msgpack.packb({"filename": "a.c", "code": "int x;" * lines})
        self.mine.add(name)
        self.account.begin(name, expected)
        self.send(self.tool, {"id": name, "deadline_ms": self.account.deadline_ms}, body)

    def send(self, tool, options, body):
        self.socket.send_multipart([b"MDPC02", b"\x01", tool.encode(), b"TRP1" + msgpack.packb(options), body])

    def fill(self):
        """One burst in 20 ms, so that a node that refuses at once is not asked for ever."""
        now = time.monotonic()
        if now >= self.asked_at + 0.02:
            self.asked_at = now
            while len(self.mine) < self.window:
                self.call()

    def cancel_one(self):
        if self.mine:
            self.send("mmi.cancel", {}, self.chance.choice(sorted(self.mine)).encode())

    def receive(self):
        """Books all answers that are here."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            _, kind, service, options, *body = frames
            if service.startswith(b"mmi."):
                continue
            assert kind == b"\x03", frames  # nobody here makes partial answers
            name = msgpack.unpackb(options[4:])["id"]
            self.mine.discard(name)
            self.account.end(name, self.meaning(body[0]))

    def meaning(self, body):
        if self.tool == "echo" and body[:1].isdigit():
            return {"value": body}
        reply = json.loads(body) if body[:1] == b"{" else msgpack.unpackb(body, strict_map_key=False)
        return {"value": reply["result"]["node_count"]} if reply.get("success") else {"error": reply["error"]}


class Stranger:
    """A worker of another program: mostly right, often slow, at times rude."""

    def __init__(self, endpoint, chance, is_rude):
        self.chance, self.is_rude, self.later = chance, is_rude, []  # later: (when, frames)
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.beat_at = 0.0
        self.socket.send_multipart([b"MDPW02", b"\x01", b"echo"])

    def receive(self):
        """False: it was sent away, or leaves."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return True
            if frames[1] == b"\x06":
                return False
            if frames[1] == b"\x02" and not self.work(frames[2], frames[-1]):
                return False

    def work(self, address, body):
        mood, now = self.chance.random() if self.is_rude else 0.5, time.monotonic()
        answer = [b"MDPW02", b"\x04", address, b"", body]
        if mood < 0.01:
            return False  # in the middle of its task
        if mood < 0.03:
            self.socket.send_multipart([b"MDPW02", b"\x04", b"nobody", b"", body])
        delay = 1.0 if mood > 0.99 else 0.1 if mood > 0.9 else 0.0  # the first is over its limit
        self.later.append((now + delay, answer))
        if 0.03 <= mood < 0.06:
            self.later.append((now + delay, answer))  # the same answer twice
        return True

    def turn(self, now):
        if now > self.beat_at:
            self.socket.send_multipart([b"MDPW02", b"\x05"])
            self.beat_at = now + 0.1
        for row in [row for row in self.later if row[0] <= now]:
            self.later.remove(row)
            self.socket.send_multipart(row[1])


class Storm:
    def __init__(self, node, seed, is_rude=True, deadline_ms=DEADLINE_MS):
        self.node, self.chance, self.is_rude = node, random.Random(seed), is_rude
        self.endpoint = node.endpoints["majordomo"]
        self.account, self.faults = Account(deadline_ms), collections.Counter()
        self.callers = [self.caller("code_parse", 1) for _ in range(4)] + [self.caller("echo", 4) for _ in range(3)]
        self.callers += [self.caller("code_parse", 300), self.caller("echo", 300)]  # the greedy ones
        self.strangers = [Stranger(self.endpoint, self.chance, is_rude) for _ in range(3)]
        self.stopped = []  # (until when, pid)
        self.workers_at, self.pids = 0.0, []

    def caller(self, tool, window):
        return Caller(self.endpoint, tool, window, self.account, self.chance)

    # ---- faults ----

    def pick(self):
        """The process of some worker, 0: none is known."""
        now = time.monotonic()
        if now > self.workers_at:
            self.workers_at = now + 0.1
            self.pids = [row["os_pid"] for row in self.node.workers("parser") if row["os_pid"] > 0]
        return self.chance.choice(self.pids) if self.pids else 0

    def signal(self, pid, number):
        """False: it has ended since. The pids are those of children that the guardian has not yet waited for
        a tenth of a second ago; the kernel gives a number to another process only after all others."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self):
        pid = self.pick()
        return pid != 0 and self.signal(pid, signal.SIGKILL)

    def stop(self):
        pid = self.pick()
        if pid == 0 or not self.signal(pid, signal.SIGSTOP):
            return False
        seconds = self.chance.choice([0.02, 0.1, 0.5, 1.5])
        self.stopped.append((time.monotonic() + seconds, pid))
        return True

    def go_on(self, now):
        for row in [row for row in self.stopped if row[0] <= now]:
            self.stopped.remove(row)
            self.signal(row[1], signal.SIGCONT)

    def crash_router(self):
        answer = json.loads(self.node.ask_raw(b'{"cmd":"router","body":{"action":"crash"}}'))
        return answer.get("ok", False)  # else the next one is not up yet

    def garbage(self):
        """Frames that are no message, and bytes that are no frames."""
        noise = [os.urandom(self.chance.choice([0, 1, 5, 300])) for _ in range(self.chance.randrange(1, 6))]
        heads = ([], [b"MDPC02"], [b"", b"MDPC01"], [b"MDPW02", b"\x04"], [b"MDPC02", b"\x01", b"code_parse"],
                 [b"MDPC02", b"\x01", b"echo", b"TRP1" + os.urandom(9)], [b"", b"MDPW01", b"\x01"])
        with zmq.Context.instance().socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 100)
            socket.connect(self.endpoint)
            socket.send_multipart(self.chance.choice(heads) + noise)
        host, port = self.endpoint.removeprefix("tcp://").rsplit(":", 1)
        with tcp.create_connection((host, int(port)), timeout=5) as stream:
            stream.sendall(os.urandom(self.chance.choice([1, 64, 5000])))
        self.node.ask_raw(json.dumps(os.urandom(9).hex()).encode())  # an error, not silence
        return True

    def vanish(self):
        """A client that leaves while its tasks are under way; the node alone can account for them."""
        leaver = Caller(self.endpoint, self.chance.choice(["code_parse", "echo"]), 0, Account(), self.chance)
        for _ in range(5):
            leaver.call()
        leaver.socket.close(linger=100)
        return True

    def cancel(self):
        self.chance.choice(self.callers).cancel_one()
        return True

    def leave(self):
        """A worker of another program goes away and comes again."""
        self.replace(self.chance.choice(self.strangers))
        return True

    def replace(self, stranger):
        self.strangers.remove(stranger)
        stranger.socket.close()
        self.strangers.append(Stranger(self.endpoint, self.chance, self.is_rude))

    WEIGHTS = {"kill": 6, "stop": 4, "crash_router": 1, "garbage": 4, "vanish": 4, "cancel": 6, "leave": 1}

    def strike(self):
        """One fault by chance; first one of each kind."""
        rest = [name for name in self.WEIGHTS if not self.faults[name]]
        name = rest[0] if rest else self.chance.choices(list(self.WEIGHTS), self.WEIGHTS.values())[0]
        self.faults[name] += getattr(self, name)()

    # ---- running ----

    def turn(self, may_send):
        now, poller = time.monotonic(), zmq.Poller()
        self.go_on(now)
        for stranger in self.strangers:
            stranger.turn(now)
        for caller in self.callers:
            if may_send:
                caller.fill()
        for one in self.callers + self.strangers:
            poller.register(one.socket, zmq.POLLIN)
        ready = {socket for socket, _ in poller.poll(5)}
        for caller in self.callers:
            if caller.socket in ready:
                caller.receive()
        for stranger in [one for one in self.strangers if one.socket in ready]:
            if not stranger.receive():
                self.replace(stranger)
                self.faults["worker_left"] += 1

    def blow(self, seconds):
        """The faults, one in about 30 ms."""
        end, next_at = time.monotonic() + seconds, 0.0
        while time.monotonic() < end:
            self.turn(True)
            if time.monotonic() >= next_at:
                self.strike()
                next_at = time.monotonic() + self.chance.uniform(0, 0.06)

    def calm(self):
        """No faults and no new tasks, until every call has its end; then a while for what comes twice."""
        for _, pid in self.stopped:
            self.signal(pid, signal.SIGCONT)
        self.stopped = []
        until = time.monotonic() + (self.account.deadline_ms + 2 * LATE_MS * SLOW) / 1000
        while self.account.open and time.monotonic() < until:
            self.turn(False)
        self.settle(lambda: all(p["queued"] + p["running"] == 0 for p in self.pools()))
        self.settle(lambda: False, seconds=0.5)

    def settle(self, condition, seconds=10.0):
        """Goes on without faults until condition(), looked at each tenth of a second, or for so long."""
        until, look_at = time.monotonic() + seconds * SLOW, 0.0
        while time.monotonic() < until:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + 0.1
                if condition():
                    return
            self.turn(False)

    def pools(self):
        return wait_for(lambda: self.try_ask("pools"), what="the router")

    def try_ask(self, verb):
        """None while who would answer is not up."""
        answer = json.loads(self.node.ask_raw(json.dumps({"cmd": verb}).encode()))
        return answer["result"] if answer.get("ok") else None

    def close(self):
        for one in self.callers + self.strangers:
            one.socket.close()


def unaccounted(node):
    """Messages that are in no column of the ledger when all is quiet."""
    ledger = node.ask("ledger")  # which waits a little for a quiet moment
    for _ in range(50 * int(SLOW)):
        if ledger["missing"] == 0:
            break
        ledger = node.ask("ledger")
    return ledger["missing"]


def run(seconds, seed):
    """The account, as a map; `clean` says whether it is right."""
    with Node(CONFIG) as node:
        wait_for(lambda: [row for row in node.ask("pools") if row["name"] == "parser"][0]["workers"], what="a worker")
        storm = Storm(node, seed)
        storm.blow(seconds)
        storm.calm()
        account = storm.account
        pools, missing = storm.pools(), unaccounted(node)
        status = json.loads(node.command("call", "code_parse", '{"language":"c","code":"int x;"}', "--json").stdout)
        storm.close()
        exit_status = node.stop()
    keys = ("name", "accepted", "answered", "failed", "retried", "refused", "late", "queued", "running")
    rows = [{key: pool[key] for key in keys} for pool in pools]
    result = {"seconds": seconds, "seed": seed, "faults": dict(storm.faults), "sent": account.sent,
              "answered": account.answered, "failed_with_reason": dict(account.reasons), "lost": len(account.open),
              "doubled": account.doubled, "unknown": account.unknown, "wrong": account.wrong, "late": account.late,
              "slowest_ms": round(account.slowest_ms), "pools": rows, "ledger_missing": missing,
              "works_afterwards": status["success"], "exit_status": exit_status, "first_fault": account.first_fault}
    adds_up = account.sent == account.answered + sum(account.reasons.values())
    all_ended = all(row["accepted"] == row["answered"] and row["queued"] + row["running"] == 0 for row in rows)
    result["clean"] = bool(adds_up and all_ended and missing == 0 and status["success"] and exit_status == 0 and not (
        account.doubled or account.unknown or account.wrong or account.late))
    return result
