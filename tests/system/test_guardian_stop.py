# SPDX-License-Identifier: MIT
"""The guardian does not run for a while, as under SIGSTOP or a starved machine, and workers die meanwhile."""
import os
import signal
import unittest

from node import Node, wait_for
from test_upgrade import CONFIG, Load


class GuardianStop(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)
        self.guardian = self.node.process.pid
        self.addCleanup(self.wake)  # runs first: a stopped one would not end

    def wake(self):
        self.node.process.send_signal(signal.SIGCONT)  # unless it has ended

    def kill_worker(self):
        victim = self.node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGKILL)
        return victim

    def expect_replaced(self, victim):
        wait_for(lambda: [row["state"] for row in self.node.workers("parser")].count("idle") == 2 and
                 victim["os_pid"] not in [row["os_pid"] for row in self.node.workers("parser")], 30.0,
                 "a worker in the place of the dead one")

    def expect_no_failure(self, load):
        self.assertEqual(load.faults, [])
        self.assertGreater(len(load.replies), 0)
        self.assertEqual(load.replies.count(False), 0)

    def test_a_death_in_a_short_stop_has_its_exact_reason(self):
        with Load(self.node.endpoints["majordomo"]) as load:
            os.kill(self.guardian, signal.SIGSTOP)
            victim = self.kill_worker()
            served = len(load.replies)
            wait_for(lambda: len(load.replies) > served + 100, what="replies of the other worker")
            self.wake()
            self.expect_replaced(victim)

        self.expect_no_failure(load)
        self.assertEqual([row["reason"] for row in self.node.events("child_terminated")], ["signal 9 (Killed)"])

    def test_in_a_long_stop_the_task_in_hand_goes_to_another_and_the_log_says_why(self):
        with Load(self.node.endpoints["majordomo"]) as load:
            os.kill(self.guardian, signal.SIGSTOP)
            victim = self.kill_worker()
            row = wait_for(lambda: self.node.events("actor_written_off"), 30.0, "the end of the grace")[0]
            self.wake()
            self.expect_replaced(victim)

        self.assertEqual((row["child"], row["os_pid"], row["why"]),
                         (victim["name"], victim["os_pid"], "the guardian is silent"))
        self.expect_no_failure(load)
        self.assertEqual([row["reason"] for row in self.node.events("child_terminated")],
                         ["noconnection: the guardian is silent"])

    def test_a_node_stops_while_its_guardian_does_not(self):
        os.kill(self.guardian, signal.SIGSTOP)
        with self.node.start_command("stop") as command:
            wait_for(lambda: self.node.events("node_stopped"), 30.0, "the node's end")
            self.wake()

            self.assertEqual(command.wait(30.0), 0)
        self.assertEqual(self.node.wait_ended(), 0)


if __name__ == "__main__":
    unittest.main()
