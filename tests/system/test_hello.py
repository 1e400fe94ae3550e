# SPDX-License-Identifier: MIT
"""The first actor of the README: its own program, in the pool and in a process."""
import os
import unittest

from node import PROGRAM, ROOT, Node, wait_for

HELLO = os.path.join(os.path.dirname(PROGRAM), "examples", "hello")
FOLDER = os.path.join(ROOT, "examples", "hello")


class Hello(unittest.TestCase):
    def test_first_actor_runs_in_the_pool_and_in_a_process(self):
        with open(os.path.join(FOLDER, "hello.conf"), encoding="utf-8") as file:
            config = file.read()
        with Node(config, program=HELLO) as node:
            wait_for(lambda: len({row["pid"] for row in node.events("hello")}) == 2, what="hello from two processes")
            rows = {row["name"]: row for row in node.ask("ps")}

            self.assertEqual((rows["here"]["place"], rows["apart"]["place"]), ("pool", "process"))
            self.assertNotEqual(rows["here"]["os_pid"], rows["apart"]["os_pid"])
            self.assertEqual(node.command("tree").returncode, 0)
            self.assertEqual(node.stop(), 0)

    def test_it_is_under_40_lines(self):
        with open(os.path.join(FOLDER, "hello.c"), encoding="utf-8") as file:
            self.assertLess(len(file.readlines()), 40)

    def test_pools_in_a_program_without_a_router_are_refused(self):
        config = "pools\n    p\n        class = greeter\n        tools = t\n"
        with Node(config, program=HELLO, expect_ready=False) as node:
            self.assertEqual(node.wait_ended(), 2)
            self.assertIn("router_class", node.log())


if __name__ == "__main__":
    unittest.main()
