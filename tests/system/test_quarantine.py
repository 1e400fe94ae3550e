# SPDX-License-Identifier: MIT
"""A child that brings its node down again and again runs in a process of its own from then on."""
import json
import os
import signal
import tempfile
import unittest

from ill import IllNode, rows_of
from majordomo import Client
from node import wait_for

CONFIG = """
node
    name = ill
    threads = 1
    edge_stuck_ms = 300
majordomo
    endpoint = "tcp://127.0.0.1:*"
tree
    children
        well
            class = ill
            options
                name = well
        a
            class = CLASS
            place = PLACE
            options
                name = a
pools
    sick
        class = ill_worker
        place = pool
        min = 2
        tools = ill
"""


class Quarantine(unittest.TestCase):
    def start(self, class_name="ill", place="pool", settings=()):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
        config = CONFIG.replace("CLASS", class_name).replace("PLACE", place)
        return self.enterContext(IllNode(config, folder, settings))

    def place_of(self, node, name):
        row = node.rows()[name]
        return row["place"], row["quarantined"]

    def test_a_child_that_ends_its_node_three_times_gets_a_process(self):
        node = self.start()
        for illness in ("segv", "abort"):
            node.kill_node("a", illness)
            self.assertEqual(self.place_of(node, "a"), ("pool", False))

        node.kill_node("a", "segv")

        self.assertEqual(self.place_of(node, "a"), ("process", True))
        self.assertEqual(self.place_of(node, "well"), ("pool", False))
        died = node.events("node_died")
        self.assertEqual([(row["child"], row["class"], row["deaths"]) for row in died],
                         [("tree.children.a", "ill", n) for n in (1, 2, 3)])
        self.assertEqual(died[0]["address"], "0x10")
        report = node.events("child_quarantined")
        self.assertEqual([(row["child"], row["deaths"]) for row in report], [("tree.children.a", 3)])
        self.assertIn("process (quarantined)", node.command("tree").stdout)

        node.fall_ill("a", "segv")  # its own process now, not the node's
        wait_for(lambda: node.rows()["a"]["restarts"] == 1, what="its restart")
        self.assertEqual(len(node.events("node_died")), 3)
        self.assertIn("signal 11", node.rows()["a"]["last_reason"])

    def test_a_start_by_hand_puts_it_back(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))
        config = CONFIG.replace("CLASS", "ill").replace("PLACE", "pool")
        with IllNode(config, folder, ["node.quarantine_after=1"]) as node:
            node.kill_node("a", "segv")
            self.assertEqual(self.place_of(node, "a"), ("process", True))
            self.assertEqual(node.stop(), 0)

        with IllNode(config, folder) as node:
            self.assertEqual(self.place_of(node, "a"), ("pool", False))

    def test_a_stack_that_overflows_is_blamed_in_each_place(self):
        for place in ("pool", "thread"):
            with self.subTest(place=place):
                node = self.start(place=place, settings=["node.quarantine_after=1"])

                node.kill_node("a", "overflow")

                self.assertEqual(node.events("node_died")[0]["child"], "tree.children.a")
                self.assertEqual(self.place_of(node, "a"), ("process", True))

    def test_a_child_answers_for_what_it_spawns(self):
        node = self.start("ill_parent", settings=["node.quarantine_after=1"])

        node.kill_node("a", "segv")

        self.assertEqual(node.events("node_died")[0]["class"], "ill_child")
        self.assertEqual(self.place_of(node, "a"), ("process", True))

    def test_workers_of_a_pool_are_counted_and_moved_together(self):
        node = self.start()
        for _ in range(3):
            with Client(node.endpoints["majordomo"]) as client:
                deaths = len(node.events("node_died"))
                client.send(b"", b"MDPC01", b"ill", json.dumps({"illness": "segv"}).encode())
                wait_for(lambda deaths=deaths: len(node.events("node_died")) > deaths, what="the death of the node")
            node.read_ready()

        rows = node.rows()
        self.assertEqual([self.place_of(node, name) for name in ("sick.1", "sick.2")], [("process", True)] * 2)
        with Client(node.endpoints["majordomo"]) as client:
            answer = client.call_01("ill", {"illness": "none"})
        self.assertIn(answer["result"]["os_pid"], [rows[name]["os_pid"] for name in ("sick.1", "sick.2")])
        self.assertEqual(node.events("child_quarantined")[0]["child"], "pools.sick")

    def test_a_class_of_the_edge_stays_and_the_log_says_why(self):
        node = self.start("ill_edge", settings=["node.quarantine_after=1"])

        node.kill_node("a", "segv")

        self.assertEqual(self.place_of(node, "a"), ("pool", False))
        self.assertEqual(node.events("child_not_quarantined")[0]["why"], "its class runs in the node only")

    def test_signals_from_outside_blame_nobody(self):
        node = self.start(settings=["node.quarantine_after=1"])
        for number in (signal.SIGKILL, signal.SIGSEGV):
            deaths = len(node.events("node_died"))
            os.kill(node.ask("ping")["os_pid"], number)
            wait_for(lambda deaths=deaths: len(node.events("node_died")) > deaths, what="the death of the node")
            node.read_ready()

        self.assertEqual([row["child"] for row in node.events("node_died")], ["", ""])
        self.assertEqual(node.events("child_quarantined"), [])

    def test_two_bad_children_are_both_moved_before_the_node_is_given_up(self):
        node = self.start()
        for name in ("a", "well"):
            for _ in range(3):
                node.kill_node(name, "abort")

        rows = rows_of(node.ask("tree"))
        self.assertEqual([rows[name]["place"] for name in ("a", "well")], ["process"] * 2)


if __name__ == "__main__":
    unittest.main()
