# SPDX-License-Identifier: MIT
"""The life of a node's processes: idle, stopped, killed from every side."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from majordomo import Client
from node import PROGRAM, WORKSHOP, Node, descendants, wait_for

CODE = {"language": "json", "code": "[1]"}


def cpu_ms(pids):
    """CPU time of processes so far, user and system."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def switches(pids):
    """Context switches of all threads: each is a wake-up."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


def gone(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}") and not is_zombie(pid)] == []


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def node_process(node):
    """The node itself: the guardian's child that has threads."""
    for pid in descendants(node.process.pid):
        if len(os.listdir(f"/proc/{pid}/task")) > 3:
            return pid
    raise AssertionError("no process of the node has threads")


class Life(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)

    def call(self):
        with Client(self.node.endpoints["majordomo"]) as client:
            return client.call_01("code_parse", CODE)

    def assert_nothing_left(self, family):
        wait_for(lambda: gone(family), what="the end of all processes")
        left = os.listdir(self.node.run_dir) if os.path.exists(self.node.run_dir) else []
        self.assertEqual(left, [])

    def test_idle_node_uses_no_cpu(self):
        self.assertIs(self.call()["success"], True)
        time.sleep(1)  # what the call set going comes to rest
        family = self.node.family()
        cpu, woken = cpu_ms(family), switches(family)
        time.sleep(10)  # the measure itself: an idle stretch

        self.assertLessEqual(cpu_ms(family) - cpu, 10)
        self.assertLess(switches(family) - woken, 100)

    def test_sigterm_leaves_no_process_and_no_file(self):
        family = self.node.family()

        self.assertEqual(self.node.stop(signal.SIGTERM), 0)
        self.assert_nothing_left(family)
        self.assertEqual(self.node.events("child_shutdown_error"), [], "one did not end within its limit")

    def test_node_whose_log_has_no_reader_is_served_by_live_workers_and_leaves_nothing(self):
        reader, writer = os.pipe()
        second = Node(expect_ready=False, log=writer)
        self.addCleanup(second.close)
        os.close(writer)
        second.read_ready()
        os.close(reader)
        victim = second.kill_worker("parser")

        second.wait_replaced(victim)
        family = second.family()
        self.assertEqual(second.stop(signal.SIGTERM), 0)
        wait_for(lambda: gone(family), what="the end of all processes")
        self.assertFalse(os.path.exists(second.run_dir))

    def test_second_interrupt_ends_at_once_though_a_worker_is_stopped(self):
        family = self.node.family()
        os.kill(self.node.workers("parser")[0]["os_pid"], signal.SIGSTOP)
        with Client(self.node.endpoints["majordomo"]) as client:
            for _ in range(2):
                client.send(b"", b"MDPC01", b"code_parse", b'{"language": "json", "code": "[]"}')
            wait_for(lambda: self.node.ask("pools")[0]["running"] > 0, what="a running task")
            self.node.send_signal(signal.SIGINT)
            wait_for(lambda: self.node.events("draining"), what="the drain")
            self.node.send_signal(signal.SIGINT)

            self.node.wait_ended(10)
        self.assert_nothing_left(family)

    def test_stopped_worker_is_killed_at_its_limit(self):
        self.node.close()
        self.node = Node(WORKSHOP.replace("class = parser\n", "class = parser\n        shutdown_ms = 300\n"))
        self.addCleanup(self.node.close)
        family = self.node.family()
        os.kill(self.node.workers("parser")[0]["os_pid"], signal.SIGSTOP)

        self.assertEqual(self.node.stop(signal.SIGTERM, 15), 0)
        self.assert_nothing_left(family)
        killed = [(event["child"], event["reason"]) for event in self.node.events("child_shutdown_error")]
        self.assertIn(("parser.1", "killed"), killed)

    def test_worker_that_ignores_sigterm_is_killed_at_its_limit(self):
        path = os.path.join(self.node.folder, "deaf.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\ntrap '' TERM\nexec {PROGRAM} --worker\n")
        os.chmod(path, 0o700)
        with Node(WORKSHOP, [f"pools.parser.program={path}", "pools.parser.shutdown_ms=300"]) as node:
            deaf = node.workers("parser")[0]["os_pid"]
            with open(f"/proc/{deaf}/status", encoding="utf-8") as file:
                ignored = [int(line.split()[1], 16) for line in file if line.startswith("SigIgn:")][0]
            self.assertTrue(ignored & 1 << signal.SIGTERM - 1)
            os.kill(deaf, signal.SIGSTOP)

            asked = node.command("child", "terminate", "pool.parser", "parser.1")

            self.assertEqual(asked.returncode, 0, asked.stderr)
            self.assertTrue(gone([deaf]))
            self.assertEqual([row["child"] for row in node.events("child_shutdown_error")], ["parser.1"])

    def test_killed_node_is_started_again_and_serves(self):
        old = node_process(self.node)
        workers = {row["os_pid"] for pool in ("parser", "transform", "match") for row in self.node.workers(pool)}
        control = self.node.endpoints["control"]
        os.kill(old, signal.SIGKILL)

        wait_for(lambda: gone(workers | {old}), what="the end of the old workers")
        self.assertEqual(self.node.endpoints["control"], control)
        rows = wait_for(lambda: self.ready_workers(), 15, "workers of the new node")
        self.assertTrue(workers.isdisjoint(row["os_pid"] for row in rows))

    def ready_workers(self):
        try:
            rows = [row for row in self.node.ask("ps") if row["place"] == "process" and row["state"] != "starting"]
        except AssertionError:
            return None
        return rows if len(rows) >= 4 else None

    def test_nothing_survives_a_killed_guardian(self):
        family = self.node.family()
        os.kill(self.node.process.pid, signal.SIGKILL)

        wait_for(lambda: gone(family), what="the end of all processes")

    def test_new_node_starts_after_a_killed_guardian(self):
        family = self.node.family()
        os.kill(self.node.process.pid, signal.SIGKILL)
        self.node.process.wait()
        wait_for(lambda: gone(family), what="the end of all processes")

        with Node(folder=self.node.folder) as second:
            self.assertEqual(len(second.workers("parser")), 2)

    def test_second_node_on_the_same_folder_names_the_holder(self):
        second = Node(folder=self.node.folder, expect_ready=False)

        self.assertNotEqual(second.wait_ended(10), 0)
        self.assertIn(str(self.node.process.pid), second.log())
        second.close()
        self.assertIs(self.call()["success"], True)

    def test_node_without_standard_files_serves_and_stops(self):
        self.node.close()
        run_dir = os.path.join(self.node.folder, "run")
        os.makedirs(self.node.folder)
        self.addCleanup(shutil.rmtree, self.node.folder, True)
        with open(self.node.config_path, "w", encoding="utf-8") as file:
            file.write(WORKSHOP)
        process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", self.node.program, "run",
                                    self.node.config_path, "--set", f"node.run_dir={run_dir}"])
        self.addCleanup(process.kill)
        control = f"ipc://{run_dir}/control"

        def serves():
            done = subprocess.run([self.node.program, "call", "code_parse", json.dumps(CODE), "--control", control],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return done.returncode == 0
        wait_for(serves, what="an answer")
        family = [process.pid] + descendants(process.pid)
        cpu = cpu_ms(family)
        time.sleep(0.5)  # a stretch without work

        self.assertLess(cpu_ms(family) - cpu, 100)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 0)

    def test_many_kills_leave_no_descriptor_and_no_process_behind(self):
        self.node.close()
        self.node = Node(settings=["pools.parser.backoff_max_ms=50"])  # a streak of kills waits ever longer
        self.addCleanup(self.node.close)
        node = node_process(self.node)
        self.node.wait_replaced(self.node.kill_worker("transform"))
        before = len(os.listdir(f"/proc/{node}/fd"))
        for _ in range(20):
            self.node.wait_replaced(self.node.kill_worker("parser"))

        self.assertLessEqual(len(os.listdir(f"/proc/{node}/fd")), before + 2)
        self.assertEqual(len(descendants(self.node.process.pid)), 5)


if __name__ == "__main__":
    unittest.main()
