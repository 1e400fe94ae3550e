# SPDX-License-Identifier: MIT
"""The command `child`: what one may ask the supervisors of a node."""
import json
import unittest

from node import Node


class Child(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)

    def ask(self, *arguments):
        return json.loads(self.node.command("child", *arguments, "--json").stdout)

    def test_children_are_counted_and_listed(self):
        count = self.ask("count", "pool.parser")
        rows = self.ask("which", "pool.parser")["children"]

        self.assertEqual(count["specs"], len(rows))
        self.assertEqual(count["active"], len([r for r in rows if r["state"] == "up"]))
        self.assertEqual((count["supervisors"], count["workers"]), (0, len(rows)))
        root = self.ask("count", "root")
        self.assertEqual((root["supervisors"], root["workers"]), (3, root["specs"] - 3))  # the pools
        self.assertEqual(self.ask("spec", "pool.parser", rows[0]["id"])["restart"], "permanent")

    def test_terminated_child_of_the_root_is_started_again_when_asked(self):
        before = self.ask("which", "root")["children"]
        pool = [r["id"] for r in before if r["id"].startswith("pool.")][-1]

        self.assertEqual(self.ask("terminate", "root", pool)["outcome"], "ok")
        self.assertEqual([r["state"] for r in self.ask("which", "root")["children"] if r["id"] == pool], ["idle"])
        again = self.ask("restart", "root", pool)

        self.assertEqual(again["outcome"], "ok")

    def test_waits_of_an_actor_in_a_process_are_refused_with_what_to_do(self):
        failed = self.node.command("waits", "parser.1")

        self.assertEqual(failed.returncode, 1)
        self.assertIn("E_UNSUPPORTED", failed.stderr)
        self.assertIn("`pools` shows", failed.stderr)

    def test_mistakes_are_told(self):
        unknown = self.node.command("child", "delete", "root", "nobody")
        action = self.node.command("child", "frobnicate", "root")
        supervisor = self.node.command("child", "count", "nobody")

        self.assertEqual((unknown.returncode, unknown.stdout.strip()), (1, "not_found"))
        self.assertIn("which or count", action.stderr)
        self.assertIn("no supervisor `nobody`", supervisor.stderr)


if __name__ == "__main__":
    unittest.main()
