# SPDX-License-Identifier: MIT
"""Figures of pools and workers as people see them: snapshot, balance, select, logs, cores."""
import json
import os
import unittest

from majordomo import Client
from node import Node, wait_for

CONFIG = """
node
    name = balance
    log_level = debug
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        strategy = round_robin
        min = 3
        pin = yes
        cache = 1
        tools = "code_parse"
"""


def code(number):
    return {"language": "c", "code": f"int f{number}(void) {{ return {number}; }}"}


class Balance(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)
        self.client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(self.client.socket.close)
        wait_for(lambda: len(self.workers()) == 3, what="three workers")

    def workers(self):
        return self.node.ask("pools")[0]["workers"]

    def command(self, *arguments):
        done = self.node.command(*arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return json.loads(done.stdout)

    def test_snapshot_has_real_figures(self):
        for i in range(6):
            self.client.call_01("code_parse", code(i % 3))
        self.client.call_01("code_parse", {"language": "c"})
        shown = self.command("snapshot")
        self.assertEqual(shown["workers"], {"total": 3, "healthy": 3})
        tasks = {name: shown["tasks"][name] for name in ("total", "completed", "failed", "queued", "pending")}
        self.assertEqual(tasks, {"total": 7, "completed": 6, "failed": 1, "queued": 0, "pending": 0})
        self.assertAlmostEqual(shown["performance"]["success_rate"], 6 / 7)
        self.assertGreater(shown["performance"]["avg_execution_time_ms"], 0)
        self.assertGreater(shown["performance"]["avg_queue_time_ms"], 0)
        self.assertEqual((shown["cache"]["hits"], shown["cache"]["entries"]), (3, 3))
        self.assertGreater(shown["timestamp"], 1600000000000)
        row = self.node.ask("pools")[0]
        self.assertEqual((row["healthy"], sum(worker["failed"] for worker in row["workers"])), (3, 1))
        self.assertIn("performance.p99_ms", self.node.command("snapshot").stdout)

    def test_worker_that_died_is_not_healthy(self):
        self.node.kill_worker("parser")
        seen = wait_for(lambda: self.command("snapshot")["workers"]["healthy"] == 3, what="it to be back")
        self.assertTrue(seen)

    def test_round_robin_is_spread_evenly_and_said_to_be_efficient(self):
        for i in range(120):
            self.client.call_01("code_parse", code(i))
        pool = self.command("balance")[0]
        self.assertEqual([worker["done"] for worker in pool["workers"]], [40, 40, 40])
        self.assertGreater(pool["efficiency"], 0.95)
        self.assertNotIn("rebalance", [row["code"] for row in pool["recommendations"]])

    def test_uneven_distribution_is_seen_and_explained(self):
        self.assertEqual(self.node.command("set", "parser", "strategy=weighted").returncode, 0)
        self.assertEqual(self.node.command("set", "parser", "weights=1000 1 1").returncode, 0)
        for i in range(120):
            self.client.call_01("code_parse", code(i))
        self.assertEqual(self.node.command("set", "parser", "strategy=least_loaded").returncode, 0)
        pool = self.command("balance")[0]
        self.assertLess(pool["efficiency"], 0.8)
        self.assertIn("rebalance", [row["code"] for row in pool["recommendations"]])
        self.assertIn("parser: rebalance: ", self.node.command("balance").stdout)

    def test_select_names_who_would_be_next_by_any_strategy(self):
        names = {worker["id"] for worker in self.workers()}
        for strategy in ("round_robin", "least_loaded", "least_matches", "weighted", "two_choices", "hash"):
            self.assertIn(self.command("select", "parser", strategy)["worker"], names)
        by_key = {self.command("select", "parser", "hash", "k")["worker"] for _ in range(3)}
        self.assertEqual(len(by_key), 1)
        for arguments, text in ((("nobody",), "no pool"), (("parser", "best"), "strategy")):
            done = self.node.command("select", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)

    def test_log_tells_the_life_of_workers_and_tasks(self):
        self.client.call_01("code_parse", code(1))
        assigned, done = self.node.events("task_assigned")[0], self.node.events("task_done")[0]
        self.assertEqual(assigned["task_id"], done["task_id"])
        self.assertEqual((assigned["worker"], done["worker"]), ("parser.1", "parser.1"))
        self.assertGreater(done["duration_us"], 0)
        started = [event for event in self.node.events("child_started") if event["child"].startswith("parser.")]
        self.assertEqual({event["program"] for event in started}, {os.path.realpath(self.node.program)})
        self.node.kill_worker("parser")
        again = wait_for(lambda: self.node.events("child_restarting"), what="the restart in the log")
        self.assertIn("parser.1", json.dumps(again))

    def test_workers_are_pinned_to_cores_but_the_first(self):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            self.skipTest("one core")
        for row in self.node.workers("parser"):
            allowed = os.sched_getaffinity(row["os_pid"])
            self.assertEqual(len(allowed), 1)
            self.assertNotIn(cores[0], allowed)


if __name__ == "__main__":
    unittest.main()
