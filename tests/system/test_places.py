# SPDX-License-Identifier: MIT
"""One definition in three places: examples/places."""
import os
import signal
import unittest

from node import PROGRAM, ROOT, Node, wait_for

PLACES = os.path.join(os.path.dirname(PROGRAM), "examples", "places")
CONFIG = os.path.join(ROOT, "examples", "places", "places.conf")


def config():
    with open(CONFIG, encoding="utf-8") as file:
        return file.read()


class Places(unittest.TestCase):
    def test_one_class_runs_in_the_pool_in_a_thread_and_in_a_process(self):
        with Node(config(), program=PLACES) as node:
            wait_for(lambda: node.events("told"), what="an answer of all three")
            rows = {row["name"]: row for row in node.ask("ps")}
            places = [rows[name]["place"] for name in ("shared", "alone", "apart")]
            owners = {rows[name]["os_pid"] for name in ("shared", "alone", "apart")}

            self.assertEqual(places, ["pool", "thread", "process"])
            self.assertEqual(len(owners), 3, "the thread and the process show their own numbers")
            self.assertIn("say 3 of 3", node.events("told")[0]["detail"])
            self.assertIn("thread", node.command("tree").stdout)
            classes = [row for row in node.ask("classes") if row["class"] == "teller"]
            self.assertEqual(sum(row["actors"] for row in classes if row["runs"] == "here"), 1)
            self.assertEqual(sum(row["actors"] for row in classes if row["runs"] == "elsewhere"), 2)
            self.assertEqual(node.stop(), 0)

    def test_a_member_that_crashed_is_one_again_when_it_is_back(self):
        with Node(config(), program=PLACES) as node:
            wait_for(lambda: node.events("told"), what="an answer of all three")
            before = {row["name"]: row for row in node.ask("ps")}["apart"]["os_pid"]
            told = len(node.events("told"))

            os.kill(before, signal.SIGKILL)

            wait_for(lambda: {row["name"]: row for row in node.ask("ps")}.get("apart", {}).get("os_pid", before)
                     not in (0, before), what="another process")
            wait_for(lambda: len(node.events("told")) > told + 1, what="answers of all three again")
            self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
