# SPDX-License-Identifier: MIT
"""A few seconds of `./dev chaos`, and the router's crash by itself."""
import json
import os
import sys
import unittest

from node import ROOT, Node, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "chaos"))
import storm  # noqa: E402  (the path above)


# Limits that no task reaches, however busy the machine is: here each one is to be answered.
PATIENT = ["majordomo.heartbeat_ms=10000"] + [
    f"pools.{pool}.{limit}" for pool in ("parser", "echo")
    for limit in ("run_ms=120000", "queue_ms=120000", "attempts_max=50")]


class Chaos(unittest.TestCase):
    def test_every_task_ends_once_and_the_accounts_add_up(self):
        account = storm.run(4, 7)
        self.assertTrue(account["clean"], json.dumps(account, indent=1))
        self.assertGreater(account["answered"], 100)
        self.assertTrue({"kill", "stop", "crash_router", "garbage"} <= set(account["faults"]), account["faults"])

    def test_crashes_of_the_router_lose_no_accepted_task(self):
        with Node(storm.CONFIG, PATIENT) as node:
            wait_for(lambda: node.ask("pools")[0]["workers"], what="a worker")
            sky = storm.Storm(node, 3, is_rude=False, deadline_ms=120000)
            try:
                for _ in range(5):
                    for _ in range(10):
                        sky.turn(True)
                    wait_for(sky.crash_router, what="a router to crash")
                sky.calm()
                account = sky.account
                self.assertEqual((account.open, account.doubled, account.wrong, account.unknown), ({}, 0, 0, 0),
                                 account.first_fault)
                self.assertLessEqual(set(account.reasons), storm.NOT_ACCEPTED, "an accepted task failed")
            finally:
                sky.close()
            self.assertEqual(len(node.events("router_restarted")), 5)

    def test_debug_command_crashes_the_router_and_says_what_it_knows(self):
        with Node(storm.CONFIG) as node:
            done = node.command("debug", "crash-router")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            wait_for(lambda: node.events("router_restarted"), what="the next router")
            other = node.command("debug", "crash-node")
            self.assertNotEqual(other.returncode, 0)
            self.assertIn("crash-router", other.stderr)


if __name__ == "__main__":
    unittest.main()
