# SPDX-License-Identifier: MIT
"""What the router does beside giving tasks to workers: poison, breaker, options at run time, priorities, turns."""
import json
import os
import random
import signal
import time
import unittest

import msgpack

from majordomo import Client
from node import SLOW, Node, wait_for

CONFIG = """
node
    name = router
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        attempts_max = 2
        breaker_failures = {breaker}
        breaker_ms = 300
        queue_max = 100
        tools = "code_parse"
"""
CODE = {"language": "c", "code": "int main(void) { return 0; }"}
LONG = {"language": "c", "code": "int f(int a) { return a; }\n" * 120000, "options": {"max_nodes": 10}}


class Router(unittest.TestCase):
    breaker, settings = 0, ()

    def setUp(self):
        self.node = Node(CONFIG.format(breaker=self.breaker), self.settings)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def client(self):
        client = Client(self.endpoint)
        self.addCleanup(client.socket.close)
        return client

    def pool(self):
        return self.node.ask("pools")[0]

    def worker_pid(self):
        """The process of the one worker, when it is up."""
        wait_for(lambda: self.pool()["workers"], what="a worker")
        return wait_for(lambda: [row["os_pid"] for row in self.node.workers("parser") if row["os_pid"]],
                        what="its process")[0]

    def set(self, setting):
        done = self.node.command("set", "parser", setting)
        self.assertEqual((done.returncode, done.stderr), (0, ""), setting)

    def hold(self):
        """Stops the worker; what it is given stays with it."""
        pid = self.worker_pid()
        os.kill(pid, signal.SIGSTOP)
        return pid

    def send(self, client, body, **options):
        client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb(options), json.dumps(body).encode())

    def crash_twice(self, client, number=signal.SIGABRT):
        """A task whose two workers die of a signal while they are at it; the reply."""
        end = time.monotonic() + 60 * SLOW
        while time.monotonic() < end:
            former, before = 0, self.pool()
            self.send(client, LONG)
            for attempt in range(2):
                wait_for(lambda: self.is_at_worker(before, attempt), what="the task at the worker, or its end")
                pid = wait_for(lambda: self.is_other(former), what="another worker")
                os.kill(pid, number)
                former = pid
                if self.pool()["answered"] > before["answered"]:
                    break
            reply = json.loads(client.receive()[-1])
            if not reply["success"]:
                return reply  # else a worker was quicker than the signal
        raise AssertionError("no task was caught at its worker")

    def is_at_worker(self, before, attempt):
        """In this attempt; or it is answered already."""
        pool = self.pool()
        is_there = pool["running"] == 1 and pool["retried"] == before["retried"] + attempt
        return is_there or pool["answered"] > before["answered"]

    def is_other(self, former):
        rows = [row["os_pid"] for row in self.node.workers("parser") if row["os_pid"] not in (0, former)]
        return rows[0] if rows else None


class Orders(Router):
    settings = ("node.log_level=debug",)

    def test_options_of_a_pool_are_set_at_run_time(self):
        for setting in ("strategy=round_robin", "queue_max=7", "weights=3 1", "slow_start_ms=100"):
            self.set(setting)
        client = self.client()
        self.assertIs(client.call_01("code_parse", CODE)["success"], True)
        client.send(b"", b"MDPC01", b"mmi.queue", b"code_parse")
        self.assertEqual(json.loads(client.receive()[4])["limit"], 7)

    def test_bad_settings_are_refused_with_the_rule(self):
        for arguments, text in ((("parser", "strategy=best"), "least_loaded"),
                                (("parser", "queue_max=-1"), "queue_max"),
                                (("parser", "tools=x"), "while the node runs"),
                                (("nobody", "queue_max=1"), "no pool"),
                                (("parser", "queue_max"), "OPTION=VALUE")):
            done = self.node.command("set", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)

    def test_cache_shows_its_figures_and_is_cleared(self):
        self.set("cache=1")
        client = self.client()
        for _ in range(3):
            client.call_01("code_parse", CODE)
        figures = json.loads(self.node.command("cache", "--json").stdout)["results"]
        self.assertEqual((figures["entries"], figures["hits"], figures["misses"]), (1, 2, 1))
        self.assertAlmostEqual(figures["hit_ratio"], 2 / 3)
        self.assertIn("results", self.node.command("cache", "clear").stdout)
        self.assertIs(client.call_01("code_parse", CODE)["from_cache"], False)

    def test_higher_priority_goes_first(self):
        client = self.client()
        pid = self.hold()
        self.send(client, CODE, id="first")
        wait_for(lambda: self.pool()["running"] == 1, what="the first at the worker")
        for name, priority in (("low", 1), ("middle", 4), ("high", 9)):
            self.send(client, CODE, id=name, priority=priority)
        wait_for(lambda: self.pool()["queued"] == 3, what="three in the queue")
        os.kill(pid, signal.SIGCONT)
        names = [msgpack.unpackb(client.receive()[3][4:])["id"] for _ in range(4)]
        self.assertEqual(names, ["first", "high", "middle", "low"])

    def test_greedy_client_does_not_starve_another(self):
        greedy, modest = self.client(), self.client()
        pid = self.hold()
        for i in range(40):
            self.send(greedy, CODE, id=str(i))
        wait_for(lambda: self.pool()["queued"] == 39, what="the greedy one's tasks")
        self.send(modest, CODE, id="mine")
        wait_for(lambda: self.pool()["queued"] == 40, what="the other's task")
        os.kill(pid, signal.SIGCONT)
        mine = json.loads(modest.receive()[-1])
        for _ in range(40):
            self.assertIs(json.loads(greedy.receive()[-1])["success"], True)
        given = [event["task_id"] for event in self.node.events("task_assigned")]
        self.assertEqual(len(given), 41)
        self.assertLessEqual(given.index(mine["task_id"]), 2)  # after the one that ran, and one turn of the other's


class Unfair(Router):
    settings = ("pools.parser.fair=0", "pools.parser.min=2", "pools.parser.probe_ms=600000", "node.log_level=debug")

    def test_without_fairness_tasks_are_given_in_the_order_of_their_arrival_and_none_is_lost(self):
        chance, clients, sent = random.Random(11), [self.client() for _ in range(3)], []
        held = [row["os_pid"] for row in self.node.workers("parser")]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        for number in range(60):
            body = dict(CODE, code="int f(void) { return 0; }\n" * chance.randrange(200), options={"max_nodes": 10})
            sent.append((chance.choice(clients), number))
            self.send(sent[-1][0], body, id=str(number))
            wait_for(lambda: self.pool()["accepted"] == number + 1, what=f"task {number}")
        for pid in held:
            os.kill(pid, signal.SIGCONT)

        tasks = {}
        for client, _ in sent:
            frames = client.receive()
            reply = json.loads(frames[4])
            self.assertIs(reply["success"], True)
            tasks[reply["task_id"]] = int(msgpack.unpackb(frames[3][4:])["id"])
        self.assertTrue(all(client.is_silent(0) for client in clients))
        given = [tasks[event["task_id"]] for event in self.node.events("task_assigned")]
        self.assertEqual(given, list(range(60)))


class Scale(Router):
    def test_workers_are_recycled_one_at_a_time_with_the_next_one_first(self):
        self.set("recycle_tasks=10")
        client, least = self.client(), 1
        first = self.worker_pid()
        for _ in range(40):
            self.assertIs(client.call_01("code_parse", CODE)["success"], True)
            least = min(least, len([w for w in self.pool()["workers"] if w["state"] != "leaving"]))
        wait_for(lambda: self.is_other(first), what="the next worker")
        self.assertEqual(least, 1)
        self.assertTrue(self.node.events("worker_recycled"))
        self.assertEqual(self.pool()["failed"] + self.pool()["retried"], 0)

    def test_worker_over_its_memory_is_recycled(self):
        self.set("recycle_bytes=1000000")
        first = self.worker_pid()
        self.client().call_01("code_parse", CODE)
        wait_for(lambda: self.is_other(first), what="the next worker")
        self.assertEqual(self.node.events("worker_recycled")[0]["why"], "memory")


class Poison(Router):
    def test_task_that_kills_its_workers_is_set_aside_shown_and_dropped(self):
        error = self.crash_twice(self.client())["error"]
        self.assertEqual((error["code"], error["attempts"]), ("E_POISON", 2))
        self.assertIn("signal 6", error["reason"])

        rows = json.loads(self.node.command("poison", "--json").stdout)
        self.assertEqual([(r["tool"], r["attempts"], len(r["reasons"])) for r in rows], [("code_parse", 2, 2)])
        self.assertIn("signal 6", self.node.command("poison").stdout)
        shown = json.loads(self.node.command("poison", "show", rows[0]["task_id"]).stdout)
        self.assertEqual(shown["body"], LONG)
        self.assertEqual(self.node.command("poison", "drop", rows[0]["task_id"]).returncode, 0)
        self.assertEqual(json.loads(self.node.command("poison", "--json").stdout), [])
        self.assertIn("no task of that id", self.node.command("poison", "drop", rows[0]["task_id"]).stderr)

    def test_task_that_was_set_aside_is_tried_again_by_hand(self):
        self.crash_twice(self.client())
        row = json.loads(self.node.command("poison", "--json").stdout)[0]
        wait_for(lambda: self.pool()["workers"], what="a worker")
        done = self.node.command("poison", "replay", row["task_id"])
        reply = json.loads(done.stdout)
        self.assertIs(reply["success"], True)
        self.assertEqual(json.loads(self.node.command("poison", "--json").stdout), [])

    def test_workers_that_are_killed_from_outside_make_no_poison(self):
        client = self.client()
        error = self.crash_twice(client, signal.SIGKILL)["error"]
        self.assertEqual((error["code"], error["attempts"]), ("E_WORKER_LOST", 2))
        self.assertIn("signal 9", error["reason"])
        self.assertEqual(json.loads(self.node.command("poison", "--json").stdout), [])
        reply = client.call_01("code_parse", CODE)
        self.assertEqual((reply["success"], reply["result"]["language"]), (True, "c"))


class Breaker(Router):
    breaker = 2

    def test_pool_that_only_fails_rests_and_is_tried_again(self):
        client = self.client()
        self.crash_twice(client)
        refused = client.call_01("code_parse", CODE)
        if not refused["success"]:  # the rest may be over on a slow machine
            self.assertEqual(refused["error"]["code"], "E_BUSY")
            self.assertIn("keep failing", refused["error"]["message"])
            self.assertGreaterEqual(refused["error"]["retry_after_ms"], 1)
        self.assertTrue(self.node.events("breaker_open"))

        end = time.monotonic() + 30
        while not client.call_01("code_parse", CODE)["success"]:
            self.assertLess(time.monotonic(), end, "the breaker stays open")
        self.assertTrue(self.node.events("breaker_closed"))


if __name__ == "__main__":
    unittest.main()
