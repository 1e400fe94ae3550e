# SPDX-License-Identifier: MIT
"""Real crashes of real workers: what is said of them, and their replay, which ends in the same way."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from node import IS_ASAN, PROGRAM, Node, wait_for
from test_upgrade import Load

CRASH = os.path.join(os.path.dirname(PROGRAM), "tests", "crash")
CONFIG = """
node
    name = crash
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    crash
        class = crash
        place = process
        attempts_max = 1
        black_box = 32768
        tools = "add fault twice leave hang tick"
"""
SYMBOL = re.compile(r"#\d+ .*\bwrite_where_nothing_is\b")


class Crash(unittest.TestCase):

    def setUp(self):
        if IS_ASAN:  # these crashes are meant: no report of them is a failure
            reports = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
            self.enterContext(mock.patch.dict(os.environ, ASAN_OPTIONS=f"log_path={reports}/report"))
        self.node = Node(CONFIG, program=CRASH)
        self.addCleanup(self.node.close)

    def call(self, tool, n=0, **members):
        return self.node.command("call", tool, json.dumps({"n": n, **members}))

    def add(self, *numbers):
        for number in numbers:
            self.assertEqual(self.call("add", number).returncode, 0)

    def crash(self, tool, n=0):
        """The line of the log about the box of the worker that died of this call."""
        self.assertNotEqual(self.call(tool, n).returncode, 0)
        return wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

    def why(self, who):
        run = self.node.command("why", who, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)


class Reasons(Crash):

    def test_a_fault_is_told_with_its_address_and_with_what_was_in_hand(self):
        self.add(3, 4)

        kept = self.crash("fault")
        box = self.why(kept["file"])

        if not IS_ASAN:
            self.assertEqual(kept["reason"], "signal 11 (Segmentation fault): at address 0x1007")
            self.assertEqual(box["death"]["address"], 0x1007)
        self.assertEqual(box["in_hand"]["turn"], 3)
        self.assertEqual([record["payload"]["tool"] for record in box["records"] if record["kind"] == "message"],
                         ["add", "add", "fault"])
        lines = [json.loads(record["line"]) for record in box["records"] if record["kind"] == "log"]
        self.assertEqual([line["sum"] for line in lines if line["msg"] == "added"], [3, 7])

    def test_an_error_that_nobody_caught_is_in_the_log_and_the_worker_is_back(self):
        victim = self.node.workers("crash")[0]

        kept = self.crash("fault")
        self.node.wait_replaced(victim)

        ended = self.node.events("child_terminated")[0]
        self.assertEqual((ended["child"], ended["class"], kept["child"]), ("crash.1", "crash", "crash.1"))
        self.assertIn(kept["reason"], ended["reason"])
        if not IS_ASAN:  # which has a say in how it ends
            self.assertIn("signal 11 (Segmentation fault): at address 0x1000", ended["reason"])
        wait_for(lambda: self.node.events("child_started")[-1]["restarts"] == 1, what="the restart in the log")
        self.add(1)

    def test_an_exit_is_told_with_its_code(self):
        self.assertEqual(self.crash("leave", 42)["reason"], "exit_code 42")

    def test_timers_and_lines_of_the_log_are_in_the_box_of_a_live_worker(self):
        self.assertEqual(self.call("tick").returncode, 0)

        def ticked():
            return "ticked" in json.dumps(self.why("crash.1")["records"])

        wait_for(ticked, what="the timer")

        records = self.why("crash.1")["records"]
        self.assertEqual([record["tag"] for record in records if record["kind"] == "timer"], [0x1000])

    def test_what_a_killed_worker_had_in_hand_is_known(self):
        with self.node.start_command("call", "hang", '{"n": 1}') as call:
            in_hand = wait_for(lambda: self.why("crash.1")["in_hand"], what="the message in hand")
            victim = self.node.kill_worker("crash")
            call.communicate(timeout=60)
        kept = wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

        box = self.why(str(victim["os_pid"]))

        self.assertEqual((kept["reason"], box["reason"]), ("signal 9 (Killed)",) * 2)
        self.assertEqual(box["in_hand"]["turn"], in_hand["turn"])
        self.assertEqual(box["records"][-1]["payload"]["tool"], "hang")
        self.assertIn("in hand: message", self.node.command("why", str(victim["os_pid"])).stdout)

    def test_a_worker_that_breaks_the_protocol_is_told_so(self):
        stranger = os.path.join(self.node.folder, "stranger.py")
        with open(stranger, "w", encoding="utf-8") as file:
            file.write(STRANGER)
        os.chmod(stranger, stat.S_IRWXU)
        node = Node(CONFIG, ["pools.crash.program=" + stranger, "pools.crash.intensity=0"], program=CRASH,
                    expect_ready=False)
        self.addCleanup(node.close)

        broken = wait_for(lambda: node.events("worker_broke_protocol"), 30, what="the breach")[0]

        self.assertEqual(broken["rule"], "a frame is ill-formed or out of order")
        wait_for(lambda: "protocol: a frame is ill-formed" in node.log(), what="the reason")


# Says who it is as a worker does, with its identity, and then nothing that a node understands.
STRANGER = """#!/usr/bin/python3
import os, time, zmq
node, incarnation, token, fd, run_dir = os.environ["TROUPE_WORKER"].split(":", 4)
socket = zmq.Context().socket(zmq.DEALER)
socket.routing_id = (b"W" + (int(node) & 0xffff).to_bytes(2, "big") + int(incarnation).to_bytes(4, "big")
                     + bytes.fromhex(token))
socket.connect(f"ipc://{run_dir}/link")
socket.send(b"\\xff" * 40)
time.sleep(60)
"""


class Replay(Crash):

    def replay(self, file, *options, stdin="", program=CRASH):
        return subprocess.run([program, "replay", file, *options], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120,
                              env={**os.environ, "ASAN_OPTIONS": ""})

    def test_a_crash_comes_again_with_its_signal(self):
        self.add(3, 4)
        kept = self.crash("fault")

        run = self.replay(kept["file"])

        self.assertEqual(run.returncode, 1 if IS_ASAN else -signal.SIGSEGV, run.stderr)
        self.assertEqual(run.stdout.count("... handled"), 2, run.stdout)
        self.assertRegex(run.stdout, r"message 3: tag 0x\w+, \d+ bytes \.\.\. \Z")

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    @unittest.skipIf(IS_ASAN, "the sanitizer's own report is looked at below")
    def test_under_gdb_it_stops_in_the_function_at_the_address(self):
        self.add(3, 4)
        kept = self.crash("fault")

        run = self.replay(kept["file"], "--gdb", stdin="bt\np $_siginfo._sifields._sigfault.si_addr\nkill\nquit\n")

        self.assertIn("SIGSEGV", run.stdout)
        self.assertRegex(run.stdout, SYMBOL)
        self.assertIn("0x1007", run.stdout)

    def test_memory_freed_twice_aborts_again_and_a_sanitizer_says_where(self):
        kept = self.crash("twice")

        run = self.replay(kept["file"])

        if IS_ASAN:
            self.assertIn("attempting double-free", run.stderr)
            self.assertIn("free_twice", run.stderr)
        else:
            self.assertEqual(kept["reason"], "signal 6 (Aborted)")
            self.assertEqual(run.returncode, -signal.SIGABRT, run.stderr)

    def test_what_was_kept_in_part_is_left_out_and_counted(self):
        self.add(3)
        self.assertEqual(self.call("add", 4, text="x" * 50000).returncode, 0)
        self.add(5)
        self.node.kill_worker("crash")
        kept = wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

        run = self.replay(kept["file"])

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("replayed 2; left out: 1 that were kept in part, 0 of other actors", run.stdout)

    def test_a_program_without_the_class_says_so(self):
        kept = self.crash("leave", 3)

        run = self.replay(kept["file"], program=PROGRAM)

        self.assertEqual(run.returncode, 1)
        self.assertIn("this program has no class `crash`", run.stderr)


class Upgrade(Crash):
    """New versions that are worse in ways that show late."""

    def worse(self, how):
        path = os.path.join(self.node.folder, how)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexport {how}=1\nexec {CRASH} --worker\n")
        os.chmod(path, stat.S_IRWXU)
        return path

    def test_one_that_never_gets_ready_leaves_the_pool_as_it_was(self):
        node = Node(CONFIG, ["pools.crash.start_ms=300"], program=CRASH)
        self.addCleanup(node.close)
        before = [row["os_pid"] for row in node.workers("crash")]

        run = node.command("upgrade", "crash", self.worse("CRASH_SILENT"), timeout=60)

        self.assertEqual(run.returncode, 1)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertEqual([row["os_pid"] for row in node.workers("crash")], before)

    def test_one_that_dies_after_its_first_task_is_rolled_back_and_no_task_fails(self):
        node = Node(CONFIG, ["pools.crash.min=2", "pools.crash.attempts_max=10"], program=CRASH)
        self.addCleanup(node.close)

        with Load(node.endpoints["majordomo"], call=("add", {"n": 1})) as load:
            run = node.command("upgrade", "crash", self.worse("CRASH_AFTER_ONE"), timeout=60)

        self.assertEqual(run.returncode, 1)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertIn("signal 9", run.stderr)
        self.assertEqual((load.faults, load.replies.count(False)), ([], 0))
        self.assertGreater(len(load.replies), 0)
        self.assertEqual([row["name"] for row in node.workers("crash")], ["crash.1", "crash.2"])
        for row in node.workers("crash"):
            with open(f"/proc/{row['os_pid']}/environ", "rb") as file:
                self.assertNotIn(b"CRASH_AFTER_ONE", file.read())


if __name__ == "__main__":
    unittest.main()
