# SPDX-License-Identifier: MIT
"""Handlers that do not return, in a whole node: written off at a stop, killed at its limit, or the node's end."""
import os
import signal
import tempfile
import unittest

from node import PROGRAM, Node, wait_for

STUCK = os.path.join(os.path.dirname(PROGRAM), "tests", "stuck")
CONFIG = """
node
    name = stuck
    threads = 1
    stuck_ms = 100
tree
    children
        a
            class = CLASS
            shutdown_ms = 100
        b
            class = CLASS
            shutdown_ms = 100
"""


class Stuck(unittest.TestCase):
    def start(self, class_name, *settings):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
        with open(os.path.join(folder, "stick"), "wb"):
            pass
        before = os.getcwd()
        os.chdir(folder)  # the node looks for the file where it runs
        try:
            return self.enterContext(Node(CONFIG.replace("CLASS", class_name), settings, program=STUCK, folder=folder))
        finally:
            os.chdir(before)

    def test_a_stop_goes_on_without_pool_children_that_do_not_return(self):
        node = self.start("stuck", "node.kill_grace_ms=100", "node.stop_ms=60000")
        wait_for(lambda: len(node.events("handler_stuck")) == 2, what="two stuck handlers, with one thread")

        node.process.send_signal(signal.SIGTERM)

        self.assertEqual(node.process.wait(30), 0)
        self.assertEqual(2, len(node.events("actor_written_off")))
        self.assertEqual(["killed: stuck"] * 2, [row["reason"] for row in node.events("child_shutdown_error")])
        self.assertEqual(1, len(node.events("handlers_left_behind")))
        self.assertIn("wait_for_ever", node.events("handler_stuck")[0]["calls"])

    def test_a_stop_that_takes_too_long_ends_at_its_limit(self):
        node = self.start("stuck", "node.kill_grace_ms=3600000", "node.stop_ms=500")
        wait_for(lambda: len(node.events("handler_stuck")) == 2, what="two stuck handlers")

        node.process.send_signal(signal.SIGTERM)

        self.assertNotEqual(node.process.wait(30), 0)
        self.assertEqual([], node.events("actor_written_off"))

    def test_the_edge_answers_while_all_threads_are_stuck(self):
        node = self.start("stuck", "node.kill_grace_ms=100", "node.stop_ms=60000")
        wait_for(lambda: len(node.events("handler_stuck")) == 2, what="two stuck handlers")
        rows = {row["name"]: row for row in node.ask("ps")}

        self.assertEqual(["running", "running"], [rows[name]["state"] for name in ("a", "b")])

    def test_a_stuck_edge_ends_the_node_which_is_started_again(self):
        node = self.start("stuck_edge", "node.edge_stuck_ms=300")

        wait_for(lambda: node.events("node_aborts"), what="the end of the node")
        node.read_ready()

        self.assertEqual("edge", node.events("edge_stuck")[0]["thread"])
        self.assertIn("wait_for_ever", node.events("edge_stuck")[0]["calls"])
        self.assertIn("a", [row["name"] for row in node.ask("ps")])
        self.assertEqual(node.stop(), 0)

    def write_off(self, node, child):
        """It is asked to end, killed, and does not return."""
        written_off = len(node.events("actor_written_off"))
        asked = node.start_command("child", "terminate", "root", child)
        wait_for(lambda: len(node.events("actor_written_off")) > written_off, what=f"the write-off of {child}")
        asked.kill()  # who was asked may be gone
        asked.communicate()

    def stick(self, place, *settings):
        """A node whose two children do not return."""
        node = self.start("stuck", "node.kill_grace_ms=100", "node.stop_ms=60000", f"tree.children.a.place={place}",
                          f"tree.children.b.place={place}", *settings)
        wait_for(lambda: len(node.events("stuck_now")) == 2, what="two stuck handlers")
        return node

    def test_a_written_off_child_is_counted_and_the_node_goes_on_at_its_bound(self):
        for place in ("pool", "thread"):
            with self.subTest(place=place):
                node = self.stick(place, "node.stuck_max=1")
                before = node.ask("ping")

                self.write_off(node, "a")

                wait_for(lambda: "killed: stuck" in [row["reason"] for row in node.events("child_shutdown_error")],
                         what="the report")
                after = node.ask("ping")
                self.assertEqual((before["written_off"], after["written_off"]), (0, 1))
                self.assertEqual(after["os_pid"], before["os_pid"])

    def test_one_more_than_the_bound_ends_the_node_and_blames_that_child(self):
        for place, bound in (("pool", 1), ("thread", 1), ("pool", 0), ("thread", 0)):
            with self.subTest(place=place, bound=bound):
                node = self.stick(place, f"node.stuck_max={bound}")
                os.remove(os.path.join(node.folder, "stick"))  # the next node is well
                before = node.ask("ping")["os_pid"]

                for child in ("a", "b")[:bound + 1]:
                    self.write_off(node, child)
                wait_for(lambda: node.events("node_died"), what="the end of the node")
                node.read_ready()

                self.assertEqual([row["why"] for row in node.events("node_aborts")], ["stuck_max"])
                blamed = [(row["class"], row["child"]) for row in node.events("node_died")]
                self.assertEqual(blamed, [("stuck", "tree.children." + "ab"[bound])])
                self.assertNotEqual(node.ask("ping")["os_pid"], before)
                self.assertEqual(node.ask("ping")["written_off"], 0)


if __name__ == "__main__":
    unittest.main()
