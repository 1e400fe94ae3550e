# SPDX-License-Identifier: MIT
"""Worker processes of a real node: their black boxes, their limits, and how they end."""
import json
import os
import signal
import subprocess
import sys
import unittest

from node import Node, wait_for

CONFIG = """
node
    name = workers
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 1
        memory = 268435456
        tools = code_parse
"""
BODY = json.dumps({"filename": "a.c", "code": "int x;"})


class Workers(unittest.TestCase):

    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)

    def why(self, who):
        run = self.node.command("why", who, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_why_shows_what_a_live_worker_was_given(self):
        self.assertEqual(self.node.command("call", "code_parse", BODY).returncode, 0)

        box = self.why("parser.1")

        self.assertTrue(box["alive"])
        self.assertIsNone(box["in_hand"])
        payloads = [record["payload"] for record in box["records"] if record["kind"] == "message"]
        self.assertEqual(payloads[-1]["tool"], "code_parse")

    def test_why_tells_of_a_worker_that_was_killed_by_force(self):
        self.assertEqual(self.node.command("call", "code_parse", BODY).returncode, 0)
        victim = self.node.kill_worker("parser")
        self.node.wait_replaced(victim)

        box = wait_for(lambda: self.why(str(victim["os_pid"])), what="the box of the dead")

        self.assertFalse(box["alive"])
        self.assertEqual(box["reason"], "signal 9 (Killed)")
        self.assertTrue(any(record["kind"] == "message" for record in box["records"]))
        text = self.node.command("why", str(victim["os_pid"])).stdout
        self.assertIn("signal 9 (Killed)", text)
        self.assertIn("code_parse", text)

    def test_a_signal_from_outside_names_its_sender(self):
        victim = self.node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGSEGV)
        self.node.wait_replaced(victim)

        self.assertIn(f"sent by process {os.getpid()}", self.why(str(victim["os_pid"]))["reason"])

    def test_a_box_in_a_file_needs_no_node(self):
        victim = self.node.kill_worker("parser")
        kept = wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

        run = self.node.command("why", kept["file"], "--json", "--control", "ipc:///nowhere")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["os_pid"], victim["os_pid"])

    def test_limits_says_what_holds(self):
        box = self.why("parser.1")
        text = self.node.command("limits", "parser.1").stdout

        self.assertEqual(box["limits"]["memory"], 268435456)
        self.assertTrue({"memory_data", "memory_cgroup"} & set(box["enforced"]))
        self.assertNotIn("memory", box["advisory"])
        self.assertIn("no_new_privs", box["enforced"])
        self.assertIn("enforced:", text)

    def test_who_is_no_worker_is_said_so(self):
        self.assertIn("no black box of one", self.node.command("why", "nobody").stderr)
        self.assertIn("not in a process of its own", self.node.command("why", "router").stderr)

    def test_a_limit_without_a_process_is_refused(self):
        node = Node(CONFIG, ["pools.parser.place=pool"], expect_ready=False)
        self.addCleanup(node.close)

        self.assertEqual(node.wait_ended(), 2)

        self.assertIn("limits only with `place = process`", node.log())

    def test_a_stopped_worker_is_replaced_when_it_owes_something(self):
        node = Node(CONFIG, ["pools.parser.probe_ms=50"])
        self.addCleanup(node.close)
        victim = node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGSTOP)

        run = node.command("call", "code_parse", BODY)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(node.events("worker_ended_by_probe")[0]["reason"], "stopped")

    def test_kills_under_load_lose_and_double_nothing(self):
        chaos = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "chaos.py")
        run = subprocess.run([sys.executable, chaos, "--kills", "40", "--json"], stdout=subprocess.PIPE, text=True)

        account = json.loads(run.stdout)

        self.assertEqual(run.returncode, 0, account)
        self.assertEqual((account["kills"], account["lost"], account["doubled"], account["zombies"]), (40, 0, 0, 0))
        self.assertEqual(account["answered"], account["sent"])


if __name__ == "__main__":
    unittest.main()
