# SPDX-License-Identifier: MIT
"""Figures of pools and workers as people see them: snapshot, balance, select, logs, cores."""
import json
import os
import signal
import time
import unittest
from unittest import mock

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
        probe_ms = 600000
        cache = 1
        tools = "code_parse"
"""


def code(number):
    return {"language": "c", "code": f"int f{number}(void) {{ return {number}; }}"}


class BalanceNode(unittest.TestCase):
    def start(self, config=CONFIG, settings=(), **variables):
        with mock.patch.dict(os.environ, variables):
            self.node = Node(config, settings)
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


class Balance(BalanceNode):
    def setUp(self):
        self.start()

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
        figures = shown["cache"]
        self.assertEqual([figures[name] for name in ("hits", "misses", "entries", "evictions")], [3, 4, 3, 0])
        self.assertAlmostEqual(figures["hit_ratio"], 3 / 7)
        self.assertGreater(figures["bytes"], 0)
        self.assertGreater(shown["timestamp"], 1600000000000)
        row = self.node.ask("pools")[0]
        self.assertEqual((row["healthy"], sum(worker["failed"] for worker in row["workers"])), (3, 1))
        self.assertIn("performance.p99_ms", self.node.command("snapshot").stdout)

    def test_each_worker_has_its_figures(self):
        for i in range(3):
            self.client.call_01("code_parse", code(i))
        self.client.call_01("code_parse", {"language": "c"})  # an error, of the first again
        self.node.wait_replaced(self.node.kill_worker("parser", 1))
        wait_for(lambda: len(self.workers()) == 3, what="three workers")

        rows = {row["id"]: row for row in self.command("balance")[0]["workers"]}
        processes = {row["name"]: row for row in self.node.workers("parser")}
        first, again, third = (rows[f"parser.{i}"] for i in (1, 2, 3))
        self.assertEqual([row["state"] for row in (first, again, third)], ["idle"] * 3)
        self.assertEqual([row["done"] for row in (first, again, third)], [2, 0, 1])
        self.assertEqual([row["failed"] for row in (first, again, third)], [1, 0, 0])
        self.assertEqual([row["keys"] for row in (first, again, third)], [0] * 3)
        self.assertLess(again["up_ms"], min(first["up_ms"], third["up_ms"]))
        self.assertEqual([processes[f"parser.{i}"]["restarts"] for i in (1, 2, 3)], [0, 1, 0])
        for row in (first, third):
            with open(f"/proc/{processes[row['id']]['os_pid']}/statm", encoding="utf-8") as file:
                resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            self.assertGreater(2 * row["rss_bytes"], resident)
            self.assertLess(row["rss_bytes"], 2 * resident)
            self.assertGreater(row["use"], 0)
            self.assertLess(row["use"], 1)

    def test_capacity_in_use_and_what_waits_are_shown(self):
        held = [row["os_pid"] for row in self.node.workers("parser")]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        for i in range(5):
            self.client.send(b"", b"MDPC01", b"code_parse", json.dumps(code(i)).encode())
        wait_for(lambda: self.node.ask("pools")[0]["accepted"] == 5, what="five tasks")
        pool = self.command("balance")[0]
        self.assertEqual([row["state"] for row in pool["workers"]], ["busy"] * 3)
        self.assertEqual((pool["use"], pool["queued"]), (1, 2))
        self.assertIn("scale_out", [row["code"] for row in pool["recommendations"]])
        self.assertIsNone(self.command("select", "parser")["worker"])
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        for _ in range(5):
            self.client.receive()

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
        turns = []
        for i in range(4):
            turns.append(self.command("select", "parser", "round_robin")["worker"])
            self.assertEqual(self.client.call_01("code_parse", code(i))["metrics"]["worker"], turns[-1])
        self.assertEqual(turns, ["parser.1", "parser.2", "parser.3", "parser.1"])
        for setting in ("strategy=weighted", "weights=1 1 1000"):
            self.assertEqual(self.node.command("set", "parser", setting).returncode, 0)
        for i in range(4, 20):
            self.client.call_01("code_parse", code(i))
        self.assertEqual(self.command("select", "parser", "weighted")["worker"], "parser.3")
        self.assertNotEqual(self.command("select", "parser", "round_robin")["worker"], "parser.3", "it had the last")
        for arguments, text in ((("nobody",), "no pool"), (("parser", "best"), "strategy")):
            done = self.node.command("select", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)

    def test_log_tells_the_life_of_workers_and_tasks(self):
        begin = time.monotonic()
        self.client.call_01("code_parse", code(1))
        whole_us = 1e6 * (time.monotonic() - begin)
        assigned, done = self.node.events("task_assigned")[0], self.node.events("task_done")[0]
        self.assertEqual(assigned["task_id"], done["task_id"])
        self.assertEqual((assigned["worker"], done["worker"]), ("parser.1", "parser.1"))
        self.assertGreater(done["duration_us"], 0)
        self.assertLess(done["duration_us"], whole_us)
        started = [event for event in self.node.events("child_started") if event["child"].startswith("parser.")]
        self.assertEqual([event["child"] for event in started], ["parser.1", "parser.2", "parser.3"])
        self.assertEqual({event["program"] for event in started}, {os.path.realpath(self.node.program)})
        for line in self.node.log().splitlines():
            self.assertLess(abs(json.loads(line)["time"] / 1000 - time.time()), 3600)

    def test_log_tells_of_a_crash_and_of_the_restart_with_the_reason(self):
        victim = self.node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGSTOP)
        self.client.send(b"", b"MDPC01", b"code_parse", json.dumps(code(1)).encode())
        wait_for(lambda: self.node.events("task_assigned"), what="the task at the first worker")
        os.kill(victim["os_pid"], signal.SIGKILL)
        self.assertIs(json.loads(self.client.receive()[3])["success"], True)
        self.node.wait_replaced(victim)

        assigned = self.node.events("task_assigned")
        at_work, ended, restarting = (self.node.events(name)[0] for name in (
            "worker_died_at_work", "child_terminated", "child_restarting"))
        self.assertEqual([event["task_id"] for event in assigned], [at_work["task_id"]] * 2)
        self.assertEqual([event["child"] for event in (ended, restarting)], ["parser.1"] * 2)
        self.assertEqual(at_work["worker"], "parser.1")
        for event in (at_work, ended):
            self.assertIn("signal 9 (Killed)", event["reason"])
        wait_for(lambda: [event["restarts"] for event in self.node.events("child_started")
                          if event["child"] == "parser.1"] == [0, 1], what="the restart in the log")

    def test_workers_are_pinned_to_cores_but_the_first(self):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            self.skipTest("one core")
        for row in self.node.workers("parser"):
            allowed = os.sched_getaffinity(row["os_pid"])
            self.assertEqual(len(allowed), 1)
            self.assertNotIn(cores[0], allowed)


class Settings(BalanceNode):
    def test_worker_that_died_is_not_healthy(self):
        self.start(settings=["pools.parser.backoff_ms=600000", "pools.parser.backoff_max_ms=600000"])
        self.node.wait_replaced(self.node.kill_worker("parser"))
        wait_for(lambda: self.command("snapshot")["workers"] == {"total": 3, "healthy": 3}, what="it to be back")
        self.node.kill_worker("parser")  # the second death of a streak: its restart waits
        wait_for(lambda: self.command("snapshot")["workers"] == {"total": 3, "healthy": 2}, what="one that is missing")

    def test_variables_of_the_environment_stand_above_the_file(self):
        config = CONFIG.replace("log_level = debug", "log_level = warn")
        for variables, strategy, lines in (({}, "round_robin", 0),
                                           ({"LOG_LEVEL": "debug", "LOAD_BALANCING_STRATEGY": "least_connections"},
                                            "least_loaded", 1)):
            self.start(config, **variables)
            self.client.call_01("code_parse", code(1))
            self.assertEqual(self.command("balance")[0]["strategy"], strategy)
            self.assertEqual(len(self.node.events("task_done")), lines)


if __name__ == "__main__":
    unittest.main()
