# SPDX-License-Identifier: MIT
"""Mistakes that real supervisors of processes made, by their numbers; those of actors are in tests/supervisor."""
import os
import signal
import unittest

from majordomo import Client
from node import WORKSHOP, Node, descendants, wait_for

POOLS = ("parser", "transform", "match")
CODE = {"language": "json", "code": "[1]"}


def status_of(pid):
    """/proc/PID/status as a map; {} when there is none."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def gone(pids):
    return not any(status_of(pid).get("State", "Z")[0] != "Z" for pid in pids)


class Mistakes(unittest.TestCase):
    def start(self, config=WORKSHOP, settings=()):
        node = Node(config, settings)
        self.addCleanup(node.close)
        return node

    def workers(self, node):
        """Names and processes of all that are ready."""
        return {row["name"]: row["os_pid"] for row in node.ask("ps")
                if row["place"] == "process" and row["state"] != "starting" and row["os_pid"] != 0}

    def wait_others(self, node, old):
        """Workers of the same names in other processes."""
        def replaced():
            now = self.workers(node)
            return now.keys() == old.keys() and set(now.values()).isdisjoint(old.values()) and now
        return wait_for(replaced, what="other processes for all")

    def call(self, node):
        with Client(node.endpoints["majordomo"]) as client:
            answer = client.call_01("code_parse", CODE)
        return answer["success"], answer["result"]

    def test_m13_processes_end_with_the_supervisor_even_those_that_are_stopped(self):
        node = self.start()
        old = self.workers(node)
        os.kill(old["parser.1"], signal.SIGSTOP)

        os.kill(node.ask("ping")["os_pid"], signal.SIGKILL)

        wait_for(lambda: gone(old.values()), what="the end of the workers")

    def test_m13_processes_end_with_the_guardian_even_those_that_are_stopped(self):
        node = self.start()
        family = node.family()
        os.kill(self.workers(node)["parser.1"], signal.SIGSTOP)

        os.kill(node.process.pid, signal.SIGKILL)

        wait_for(lambda: gone(family), what="the end of all processes")

    def test_m16_w920_a_stop_whose_phases_have_no_limit_has_one_as_a_whole(self):
        node = self.start(WORKSHOP.replace("place = process\n", "place = process\n        shutdown_ms = -1\n"),
                          ["node.stop_ms=1000"])
        family = node.family()
        for pid in self.workers(node).values():
            os.kill(pid, signal.SIGSTOP)

        node.stop(signal.SIGTERM, 20)

        wait_for(lambda: gone(family), what="the end of all processes")

    def test_m18_deaths_that_are_told_of_at_once_are_all_seen(self):
        node = self.start()
        old = self.workers(node)
        guardian = node.process.pid
        os.kill(guardian, signal.SIGSTOP)
        for pid in old.values():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: gone(old.values()), what="the deaths, not yet collected")
        os.kill(guardian, signal.SIGCONT)

        self.wait_others(node, old)
        wait_for(lambda: not any(status_of(pid) for pid in old.values()), what="no zombie")

    def test_m19_workers_are_forked_where_no_context_lives(self):
        node = self.start()
        old = self.workers(node)
        before = self.call(node)
        for pid in old.values():
            os.kill(pid, signal.SIGKILL)

        new = self.wait_others(node, old)

        guardian = node.process.pid
        self.assertEqual(status_of(guardian)["Threads"], "1")
        self.assertEqual({status_of(pid)["PPid"] for pid in new.values()}, {str(guardian)})
        self.assertEqual(self.call(node), before)
        self.assertEqual(len(descendants(guardian)), 1 + len(new))


if __name__ == "__main__":
    unittest.main()
