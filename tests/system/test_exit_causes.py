# SPDX-License-Identifier: MIT
"""What a supervisor does by the cause of an end, in a whole node: a limit of memory grows, or a child stays down."""
import json
import subprocess
import tempfile
import unittest

from ill import ILL, IllNode
from node import IS_ASAN, wait_for

CONFIG = """
node
    name = causes
tree
    children
        a
            class = ill
            place = process
            backoff_ms = 1
            backoff_max_ms = 1
            options
                name = a
"""
MEMORY = 67108864
RAISE = ("tree.children.a.on_memory=raise", f"tree.children.a.memory={MEMORY}",
         f"tree.children.a.memory_ceiling={MEMORY * 2}")


class ExitCauses(unittest.TestCase):
    def start(self, *settings):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
        return self.enterContext(IllNode(CONFIG, folder, settings))

    def wait_up(self, node, restarts):
        return wait_for(lambda: node.rows()["a"]["state"] == "up" and node.rows()["a"]["restarts"] == restarts,
                        what=f"restart {restarts}")

    def limit_in_force(self, node):
        return json.loads(node.command("limits", "a", "--json").stdout)["limits"]["memory"]

    @unittest.skipIf(IS_ASAN, "the sanitizer takes more memory than the limit")
    def test_a_limit_of_memory_is_raised_up_to_its_ceiling_and_then_the_child_stays_down(self):
        node = self.start(*RAISE)
        found = [self.limit_in_force(node)]
        for restarts in (1, 2):
            node.fall_ill("a", "eat")
            self.wait_up(node, restarts)
            found.append(self.limit_in_force(node))

        node.fall_ill("a", "eat")
        wait_for(lambda: node.events("child_not_restarted"), what="the end at the ceiling")

        raised = MEMORY + MEMORY // 100 * 50
        self.assertEqual(found, [MEMORY, raised, 2 * MEMORY])
        self.assertEqual([row["memory"] for row in node.events("child_restarting")], found[1:])
        self.assertEqual(node.rows()["a"]["state"], "idle")
        self.assertIn("memory", node.rows()["a"]["last_reason"])

    @unittest.skipIf(IS_ASAN, "the sanitizer takes more memory than the limit")
    def test_a_restart_by_hand_begins_with_the_limit_of_the_file_again(self):
        node = self.start(*RAISE)
        node.fall_ill("a", "eat")
        self.wait_up(node, 1)

        node.command("child", "terminate", "root", "a")
        node.command("child", "restart", "root", "a")

        self.assertEqual(self.limit_in_force(node), MEMORY)

    def test_a_child_whose_configuration_is_wrong_stays_down(self):
        node = self.start("tree.children.a.on_config=never")

        node.fall_ill("a", "misconfigured")

        wait_for(lambda: node.events("child_not_restarted"), what="the report")
        self.assertEqual(node.rows()["a"]["state"], "idle")
        self.assertEqual(node.command("child", "restart", "root", "a").returncode, 0)
        self.assertEqual(node.rows()["a"]["state"], "up")

    def test_what_would_be_ignored_is_refused_with_its_place(self):
        for settings, option in ((RAISE[:2], "on_memory"), (RAISE[:1] + RAISE[2:], "on_memory"),
                                 (RAISE[1:], "memory_ceiling"), (("tree.children.a.on_crash=raise",), "on_crash")):
            with self.subTest(settings=settings), tempfile.TemporaryDirectory() as folder:
                with open(f"{folder}/node.conf", "w", encoding="utf-8") as file:
                    file.write(CONFIG)
                run = subprocess.run([ILL, "run", file.name, *(word for s in settings for word in ("--set", s))],
                                     capture_output=True, text=True, timeout=30)

                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertIn(f"tree.children.a.{option}: expected", run.stderr)


if __name__ == "__main__":
    unittest.main()
