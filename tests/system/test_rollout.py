# SPDX-License-Identifier: MIT
"""A second pool of real workers beside the first: compared, then given a share, then all; and back."""
import json
import os
import signal
import unittest
from unittest import mock

from majordomo import Client
from node import Node, wait_for

CONFIG = """
node
    name = rollout
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    old
        class = parser
        place = pool
        tools = "code_parse"
    new
        class = parser
        place = process
        rollout_tools = "code_parse"
"""
CODE = {"language": "c", "code": "int main(void) { return 0; }"}


class Rollout(unittest.TestCase):
    variables, options = {}, ""

    def setUp(self):
        with mock.patch.dict(os.environ, self.variables):
            self.node = Node(CONFIG + self.options)
        self.addCleanup(self.node.close)
        self.client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(self.client.socket.close)
        wait_for(lambda: all(pool["workers"] for pool in self.node.ask("pools")), what="both workers")

    def rollout(self, *arguments):
        done = self.node.command("rollout", *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return json.loads(done.stdout)

    def workers(self, count=50):
        """Who answered so many calls."""
        replies = [self.client.call_01("code_parse", CODE) for _ in range(count)]
        self.assertTrue(all(reply["success"] for reply in replies))
        return [reply["metrics"]["worker"].split(".")[0] for reply in replies]


class Commands(Rollout):
    def test_compared_results_of_two_pools_are_equal_and_the_first_answers(self):
        self.rollout("code_parse", "100", "compare")
        self.assertEqual(set(self.workers()), {"old"})
        row = wait_for(lambda: next((row for row in self.rollout() if row["equal"] == 50), None), what="50 comparisons")
        self.assertEqual((row["different"], row["incomplete"], row["skipped"]), (0, 0, 0))
        self.assertEqual([side["calls"] for side in row["sides"]], [50, 50])
        for side in row["sides"]:
            self.assertGreater(side["p50_us"], 0)
            self.assertLessEqual(side["p50_us"], side["p95_us"])
            self.assertLessEqual(side["p95_us"], side["p99_us"])
            self.assertGreater(side["rss_bytes"], 0)
            self.assertEqual((side["errors"], side["crashes"]), (0, 0))
        table = self.node.command("rollout").stdout
        for word in ("code_parse", "old", "new", "compared 100 %"):
            self.assertIn(word, table)

    def test_share_is_taken_grows_and_goes_back_at_once(self):
        self.assertEqual(set(self.workers()), {"old"})
        self.rollout("code_parse", "50", "take")
        self.assertEqual(set(self.workers(200)), {"old", "new"})
        self.rollout("code_parse", "100")
        self.assertEqual(set(self.workers()), {"new"})
        self.rollout("code_parse", "off")
        self.assertEqual(set(self.workers()), {"old"})
        for setting in ("queue_max=50", "rollout_share=100"):
            self.assertEqual(self.node.command("set", "new", setting).returncode, 0)
        self.assertEqual(set(self.workers()), {"new"})

    def test_kills_of_the_second_pools_workers_are_nothing_to_clients_while_it_is_compared(self):
        self.rollout("code_parse", "100", "compare")
        for _ in range(3):
            pid = wait_for(lambda: [row["os_pid"] for row in self.node.workers("new") if row["os_pid"]],
                           what="a process")[0]
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(set(self.workers(20)), {"old"})
        self.assertEqual(self.rollout()[0]["sides"][0]["errors"], 0)

    def test_mistakes_are_told(self):
        for arguments, text in ((("nothing", "10"), "rollout_tools"), (("code_parse", "200"), "0 to 100"),
                                (("code_parse", "10", "both"), "compare or take")):
            done = self.node.command("rollout", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)

    def test_stop_does_not_wait_for_shadows(self):
        self.rollout("code_parse", "100", "compare")
        pid = wait_for(lambda: [row["os_pid"] for row in self.node.workers("new") if row["os_pid"]],
                       what="a process")[0]
        os.kill(pid, signal.SIGSTOP)
        self.workers(5)
        self.assertEqual(self.node.command("stop").returncode, 0)
        self.node.wait_ended()
        self.assertIn("drained", self.node.log())


class FlagOn(Rollout):
    variables = {"USE_WORKER_POOL": "true"}

    def test_use_worker_pool_true_takes_all(self):
        self.assertEqual(set(self.workers()), {"new"})


class FlagOff(Rollout):
    variables = {"USE_WORKER_POOL": "yes"}
    options = "        rollout_share = 100\n        rollout_mode = take\n"  # the variable stands above the file

    def test_anything_else_leaves_the_old_way(self):
        self.assertEqual(set(self.workers()), {"old"})


class NoFlag(FlagOff):
    variables = {}

    def test_anything_else_leaves_the_old_way(self):
        self.assertEqual(set(self.workers()), {"new"}, "what the file says")


class Mistakes(unittest.TestCase):
    def test_rollout_of_a_tool_that_no_other_pool_has_is_refused(self):
        node = Node(CONFIG.replace('rollout_tools = "code_parse"', 'rollout_tools = "code_prase"'), expect_ready=False)
        self.addCleanup(node.close)
        node.wait_ended()
        self.assertIn("code_prase", node.log())


if __name__ == "__main__":
    unittest.main()
