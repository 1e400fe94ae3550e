# SPDX-License-Identifier: MIT
"""A pool gets new workers while real clients give it tasks: none of these fails."""
import os
import shutil
import stat
import threading
import unittest

from majordomo import Client
from node import PROGRAM, Node

CONFIG = """
node
    name = upgrade
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 2
        tools = code_parse
"""


def grammars():
    """The folder that the program finds: beside it, or above it as for build/asan/troupe."""
    beside = os.path.join(os.path.dirname(PROGRAM), "grammars")
    return beside if os.path.isdir(beside) else os.path.join(os.path.dirname(PROGRAM), "..", "grammars")


class Load:
    """Clients that call without a pause, each in a thread of its own."""

    def __init__(self, endpoint, count=4, call=("code_parse", {"filename": "a.c", "code": "int x;"})):
        self.call = call
        self.replies, self.faults, self.over = [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(endpoint,)) for _ in range(count)]

    def run(self, endpoint):
        with Client(endpoint) as client:
            try:
                while not self.over.is_set():
                    self.replies.append(client.call_02(*self.call)["success"])
            except AssertionError as fault:
                self.faults.append(fault)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Upgrade(unittest.TestCase):

    def setUp(self):
        os.environ["TROUPE_GRAMMARS"] = grammars()  # a copy of the program is elsewhere
        self.addCleanup(os.environ.pop, "TROUPE_GRAMMARS")
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)

    def programs(self):
        return [os.readlink(f"/proc/{row['os_pid']}/exe") for row in self.node.workers("parser")]

    def expect_no_failure(self, load):
        self.assertEqual(load.faults, [])
        self.assertGreater(len(load.replies), 0)
        self.assertEqual(load.replies.count(False), 0)

    def test_an_upgrade_under_load_fails_no_task(self):
        new = os.path.join(self.node.folder, "troupe-new")
        shutil.copy2(PROGRAM, new)

        with Load(self.node.endpoints["majordomo"]) as load:
            run = self.node.command("upgrade", "parser", new, timeout=60)

        self.assertEqual((run.returncode, run.stdout), (0, "replaced 2\n"), run.stderr)
        self.expect_no_failure(load)
        self.assertEqual(self.programs(), [new, new])

    def test_after_an_upgrade_replacements_run_the_new_program(self):
        new = os.path.join(self.node.folder, "troupe-new")
        shutil.copy2(PROGRAM, new)
        self.assertEqual(self.node.command("upgrade", "parser", new, timeout=60).returncode, 0)

        self.node.wait_replaced(self.node.kill_worker("parser"))

        self.assertEqual(self.programs(), [new, new])

    def test_a_rolling_restart_under_load_fails_no_task(self):
        before = {row["os_pid"] for row in self.node.workers("parser")}

        with Load(self.node.endpoints["majordomo"]) as load:
            run = self.node.command("restart", "parser", "--rolling", timeout=60)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.expect_no_failure(load)
        self.assertFalse(before & {row["os_pid"] for row in self.node.workers("parser")})

    def test_a_program_that_does_not_start_leaves_the_pool_as_it_was(self):
        bad = os.path.join(self.node.folder, "bad.sh")
        with open(bad, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 3\n")
        os.chmod(bad, stat.S_IRWXU)
        before = self.programs()

        with Load(self.node.endpoints["majordomo"]) as load:
            run = self.node.command("upgrade", "parser", bad, timeout=60)

        self.assertEqual(run.returncode, 1)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertIn("exit_code 3", run.stderr)
        self.expect_no_failure(load)
        self.assertEqual(self.programs(), before)

    def test_a_program_whose_workers_die_soon_is_rolled_back(self):
        bad = os.path.join(self.node.folder, "brief.sh")
        with open(bad, "w", encoding="utf-8") as file:  # ready, and dead of a signal shortly after
            file.write(f"#!/bin/sh\n(sleep 0.1; kill -KILL $$) &\nexec {PROGRAM} --worker\n")
        os.chmod(bad, stat.S_IRWXU)
        node = Node(CONFIG, ["pools.parser.processes=-1"])
        self.addCleanup(node.close)

        run = node.command("upgrade", "parser", bad, timeout=60)

        self.assertEqual(run.returncode, 1)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertEqual([os.readlink(f"/proc/{row['os_pid']}/exe") for row in node.workers("parser")],
                         [os.path.realpath(PROGRAM)] * 2)

    def test_a_pool_that_is_not_there_is_named(self):
        self.assertIn("no pool `nowhere`", self.node.command("restart", "nowhere").stderr)


if __name__ == "__main__":
    unittest.main()
