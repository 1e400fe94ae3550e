# SPDX-License-Identifier: MIT
"""Pools as those who use them were promised: sizes, states, bursts, and a node without its build tools."""
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import unittest

from majordomo import Client
from node import Node, PROGRAM, SLOW, wait_for

CONFIG = """
node
    name = pools
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = {least}
        max = {most}
        idle_ms = {idle}
        probe_ms = 600000
        cache = {cache}
        tools = "code_parse"
"""


def code(number):
    return {"language": "c", "code": f"int f{number}(void) {{ return {number}; }}"}


class Pool(unittest.TestCase):
    def start(self, *settings, least=1, most=4, idle=300000, cache=0):
        self.node = Node(CONFIG.format(least=least, most=most, idle=idle, cache=cache), settings)
        self.addCleanup(self.node.close)
        self.client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(self.client.socket.close)

    def pool(self):
        return self.node.ask("pools")[0]

    def workers(self):
        return self.pool()["workers"]

    def states(self):
        return {worker["id"]: worker["state"] for worker in self.workers()}

    def processes(self):
        return [row["os_pid"] for row in self.node.workers("parser") if row["os_pid"]]

    def send(self, number, body=None):
        self.client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1\x81\xa2id" + bytes([0xa4]) + b"%04d" % number,
                         json.dumps(body or code(number)).encode())

    def receive(self, count):
        replies = [json.loads(self.client.receive()[-1]) for _ in range(count)]
        self.assertTrue(all(reply["success"] and reply["result"] is not None for reply in replies), replies)
        return replies


class Sizes(Pool):
    def grow(self):
        """Work for more workers than there may be; each is held as soon as it has a task of it."""
        body = {"language": "c", "code": "int f(int a) { return a; }\n" * 1000, "options": {"max_nodes": 10}}
        held = set()

        def hold():
            ready = {worker["id"] for worker in self.workers()}
            for row in self.node.workers("parser"):
                if row["name"] in ready and row["os_pid"] not in held | {0}:
                    os.kill(row["os_pid"], signal.SIGSTOP)
                    held.add(row["os_pid"])
            return len(held) == 4 and self.pool()["running"] == 4

        hold()
        for number in range(40):
            self.send(number, body)
        wait_for(hold, what="a task for each of four")
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        self.receive(40)

    def started(self):
        """Each start of a worker, by the log, which no brief one escapes."""
        return [event["child"] for event in self.node.events("child_started") if event["class"] == "parser"]

    def test_grows_from_one_to_four_and_never_to_five(self):
        self.start()
        self.assertEqual(self.started(), ["parser.1"])
        for _ in range(2):  # what the first time left to be started would be there by the end of the second
            self.grow()
            self.assertEqual(self.started(), ["parser.1", "parser.2", "parser.3", "parser.4"])
            self.assertEqual(len(self.workers()), 4)

    def test_idle_workers_are_suspended_down_to_the_minimum_and_are_back_on_demand(self):
        self.start(idle=200)
        for times in (1, 2):
            self.grow()
            wait_for(lambda: len(self.workers()) == 1, what="one worker left")
            self.assertEqual(len(self.node.events("pool_shrinks")), 3 * times)
            self.assertEqual(len(self.started()), 1 + 3 * times)

    def test_a_pool_that_scales_by_itself_does_so_before_a_task_waits_or_a_worker_idles_for_long(self):
        self.start("pools.parser.auto_scale=1", "pools.parser.inflight_max=10", "pools.parser.scale_ms=100", most=2)
        held = self.processes()[0]
        os.kill(held, signal.SIGSTOP)
        for i in range(9):
            self.send(i)
        wait_for(lambda: len(self.workers()) == 2, what="a second worker, above 80 %")
        self.assertEqual([self.pool()[figure] for figure in ("accepted", "running", "queued")], [9, 9, 0])

        os.kill(held, signal.SIGCONT)
        self.receive(9)
        wait_for(lambda: len(self.workers()) == 1, what="one worker, below 20 %")
        self.assertEqual(self.started(), ["parser.1", "parser.2"])

    def test_three_workers_start_and_each_answers(self):
        self.start(least=3, most=3)
        self.assertEqual(self.states(), {"parser.1": "idle", "parser.2": "idle", "parser.3": "idle"})
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for i in range(5):
            self.send(i)
        wait_for(lambda: self.pool()["accepted"] == 5, what="five tasks")
        pool = self.pool()
        self.assertEqual((pool["running"], pool["queued"]), (3, 2))
        self.assertEqual([(worker["state"], worker["running"]) for worker in pool["workers"]], [("busy", 1)] * 3)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual({reply["metrics"]["worker"] for reply in self.receive(5)},
                         {"parser.1", "parser.2", "parser.3"})
        wait_for(lambda: set(self.states().values()) == {"idle"}, what="all idle again")
        pool = self.pool()
        self.assertEqual((pool["running"], pool["queued"], pool["answered"]), (0, 0, 5))

    def test_all_first_workers_are_up_when_the_node_says_ready(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
        slow = os.path.join(folder, "slow.sh")
        with open(slow, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nsleep 0.3\nexec {PROGRAM} --worker\n")
        os.chmod(slow, 0o700)
        self.start(f"pools.parser.program={slow}", "pools.parser.processes=-1", least=3, most=3)
        branch = next(child for child in self.node.ask("tree")["children"] if child["id"] == "pool.parser")
        self.assertEqual([child["state"] for child in branch["children"]], ["up"] * 3)
        order = [json.loads(line) for line in self.node.log().splitlines()]
        names = [line["msg"] for line in order if line["msg"] == "node_ready" or line.get("class") == "parser"]
        self.assertEqual(names, ["child_started"] * 3 + ["node_ready"])

    def test_each_worker_is_a_process_of_its_own_and_restarted_alone(self):
        self.start(least=3, most=3)
        before = {row["name"]: row["os_pid"] for row in self.node.workers("parser")}
        self.assertEqual(len(set(before.values()) - {self.node.ask("ping")["os_pid"]}), 3)

        victim = self.node.kill_worker("parser", 1)
        self.node.wait_replaced(victim)

        rows = {row["name"]: row for row in self.node.workers("parser")}
        self.assertEqual({name: row["restarts"] for name, row in rows.items()},
                         {"parser.1": 0, "parser.2": 1, "parser.3": 0})
        self.assertEqual({name for name, row in rows.items() if row["os_pid"] == before[name]},
                         {"parser.1", "parser.3"})


class Load(Pool):
    def test_a_hundred_calls_at_once_have_a_hundred_results(self):
        self.start(least=2, most=2)
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for i in range(100):
            self.send(i, {"language": "c", "code": "int f(void) { return 1; }\n" * i})
        wait_for(lambda: self.pool()["accepted"] == 100, what="a hundred calls")
        self.assertEqual([self.pool()[figure] for figure in ("running", "queued", "answered")], [2, 98, 0])
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        functions = {}
        for _ in range(100):
            frames = self.client.receive()
            reply = json.loads(frames[-1])
            self.assertIs(reply["success"], True, reply)
            functions[int(frames[3][-4:])] = reply["result"]["root"].count("(function_definition")
        self.assertEqual(functions, {i: i for i in range(100)})
        self.assertTrue(self.client.is_silent())

    def test_four_of_five_calls_come_from_the_cache_after_warm_up(self):
        """Calls as people make them: the n-th most wanted of 200 is wanted 1/n as often."""
        self.start(cache=1)
        chance = random.Random(7)
        wanted = list(range(200))
        weights = [1 / (n + 1) for n in wanted]
        for number in chance.choices(wanted, weights, k=1000):
            self.client.call_01("code_parse", code(number))
        again = chance.choices(wanted, weights, k=500)
        replies = [self.client.call_01("code_parse", code(number)) for number in again]
        self.assertGreaterEqual(sum(reply["from_cache"] for reply in replies), 400)

    def test_nearly_all_tasks_are_done_while_a_worker_is_killed_again_and_again(self):
        self.start("pools.parser.backoff_max_ms=50", least=2)
        done = 0
        for turn in range(20):
            for i in range(50):
                self.send(i)
            victim = self.node.kill_worker("parser", turn % 2)
            done += sum(json.loads(self.client.receive()[-1])["success"] for _ in range(50))
            self.node.wait_replaced(victim)
        self.assertGreaterEqual(done, 999)


class Installed(unittest.TestCase):
    def test_node_starts_and_works_where_there_is_nothing_but_its_libraries(self):
        if os.geteuid() != 0:
            self.skipTest("chroot wants root")
        if "asan" in PROGRAM or "tsan" in PROGRAM:
            self.skipTest("a sanitizer wants more than libraries")
        root = tempfile.mkdtemp(prefix="troupe-test-")
        self.addCleanup(shutil.rmtree, root)
        listed = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout
        files = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
        for path in files:
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy(path, root + path)
        shutil.copy(PROGRAM, root + "/troupe")
        for folder in ("tmp", "run"):
            os.mkdir(f"{root}/{folder}")
        with open(root + "/node.conf", "w", encoding="utf-8") as file:
            file.write("node\n    name = bare\n    run_dir = /run/node\npools\n    matches\n        class = match\n"
                       "        place = process\n        tools = \"match_create match_state\"\n")
        with open(root + "/log", "wb") as log:
            node = subprocess.Popen(["chroot", root, "/troupe", "run", "/node.conf"], stdout=subprocess.PIPE,
                                    stderr=log)
        try:
            line = node.stdout.readline()
            with open(root + "/log", encoding="utf-8") as file:
                self.assertIn(b"ready", line, file.read())
            body = {"questions": [{"id": "q", "type": "boolean", "text": "?", "correct": ["true"]}]}
            call = ["chroot", root, "/troupe", "call", "match_create", json.dumps(body), "--json", "--control",
                    "ipc:///run/node/control"]
            done = subprocess.run(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30 * SLOW)
            reply = json.loads(done.stdout)
            self.assertIs(reply["success"], True, done)
            self.assertEqual(reply["metrics"]["worker"], "matches.1")
        finally:
            node.send_signal(signal.SIGTERM)
            node.wait(30)
            node.stdout.close()

    def test_program_of_a_worker_that_is_missing_is_named(self):
        config = CONFIG.format(least=1, most=1, idle=1000, cache=0).replace(
            "        min", "        program = /nowhere/troupe\n        min")
        node = Node(config, expect_ready=False)
        self.addCleanup(node.close)
        node.wait_ended()
        self.assertIn("/nowhere/troupe", node.log())


if __name__ == "__main__":
    unittest.main()
