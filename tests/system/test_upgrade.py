# SPDX-License-Identifier: MIT
"""A pool gets new workers while real clients give it tasks: none of these fails."""
import os
import shutil
import stat
import threading
import unittest

from majordomo import Client
from node import PROGRAM, Node, wait_for

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

    def new_program(self, before):
        """One that does something in a shell, and then is another program than the node's."""
        new, path = os.path.join(self.node.folder, "troupe-new"), os.path.join(self.node.folder, "new.sh")
        shutil.copy2(PROGRAM, new)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{before}\nexec {new} --worker\n")
        os.chmod(path, stat.S_IRWXU)
        return path

    def expect_as_it_was(self, run):
        self.assertEqual(run.returncode, 1)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertEqual(self.programs(), [os.path.realpath(PROGRAM)] * 2)

    def test_a_program_whose_workers_die_soon_is_rolled_back(self):
        self.node = self.enterContext(Node(CONFIG, ["pools.parser.processes=-1"]))
        bad = self.new_program("(sleep 0.1; kill -KILL $$) &")  # ready, and dead of a signal shortly after

        self.expect_as_it_was(self.node.command("upgrade", "parser", bad, timeout=60))

    def test_old_workers_that_were_stopped_are_started_again_when_a_later_new_one_fails(self):
        mark = os.path.join(self.node.folder, "begun")
        bad = self.new_program(f"if [ -e {mark} ]; then exit 3; fi; : > {mark}")  # the second one does not start

        with Load(self.node.endpoints["majordomo"]) as load:
            run = self.node.command("upgrade", "parser", bad, timeout=60)

        self.expect_as_it_was(run)
        self.expect_no_failure(load)
        for setting in ("max=3", "min=3"):
            self.assertEqual(self.node.command("set", "parser", setting).returncode, 0)
        wait_for(lambda: len([row for row in self.node.workers("parser") if row["os_pid"]]) == 3, what="a third")
        self.assertEqual(self.programs(), [os.path.realpath(PROGRAM)] * 3)  # those to come, too

    def test_a_pool_that_is_not_there_is_named(self):
        self.assertIn("no pool `nowhere`", self.node.command("restart", "nowhere").stderr)


if __name__ == "__main__":
    unittest.main()
