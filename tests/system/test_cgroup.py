# SPDX-License-Identifier: MIT
"""Control groups of version 2 with the controllers of memory and processes, by real nodes. A kernel whose controllers
are taken by version 1, or a folder that takes no group, leaves these out: ./dev cgroup runs them anywhere."""
import errno
import json
import os
import signal
import subprocess
import tempfile
import unittest

from ill import ILL, IllNode
from node import IS_ASAN, wait_for
from test_kills import is_alive

MEMORY = 100 << 20
CONFIG = f"""
node
    name = groups
tree
    children
        a
            class = ill
            place = process
            memory = {MEMORY}
            backoff_ms = 1
            backoff_max_ms = 1
            options
                name = a
"""


def tree_of_groups():
    """The folder of our own group in the tree of version 2, or None."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [words[1] for words in map(str.split, file) if words[2] == "cgroup2"]
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        own = [line.strip()[3:] for line in file if line.startswith("0::/")]
    return os.path.normpath(mounts[0] + own[0]) if mounts and own else None


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def group_of(pid):
    return [line[3:] for line in read(f"/proc/{pid}/cgroup").splitlines() if line.startswith("0::")][0]


def removed(group):
    """Whether it could be: who was killed in it holds it for a moment after it is in no list."""
    try:
        os.rmdir(group)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


class Groups(unittest.TestCase):
    """Each in a group of its own, which it has been given as by systemd's Delegate=yes."""
    runs_as = ""

    def setUp(self):
        parent = tree_of_groups()
        if parent is None or "memory" not in read(parent, "cgroup.controllers").split():
            self.skipTest("no memory controller in a control group of version 2 here")
        self.group = os.path.join(parent, f"troupe-test-{os.getpid()}")
        try:
            with open(os.path.join(parent, "cgroup.subtree_control"), "w", encoding="utf-8") as file:
                file.write("+memory +pids")
            os.mkdir(self.group)
        except OSError as error:
            self.skipTest(f"no control group may be made here: {error}")
        self.addCleanup(self.remove)
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="troupe-test-"))

    def remove(self):
        """Also when the test has failed."""
        for folder, _, _ in os.walk(self.group, topdown=False):
            with open(os.path.join(folder, "cgroup.kill"), "w", encoding="utf-8") as file:
                file.write("1")
            wait_for(lambda folder=folder: removed(folder), what="the end of a group")

    def give(self):
        os.setxattr(self.group, "user.delegate", b"1")

    def inside(self, program):
        """A program that is run in the group."""
        path = os.path.join(self.folder, "inside.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho 0 > {self.group}/cgroup.procs || exit 9\n"
                       f"exec {self.runs_as} {program} \"$@\"\n")
        os.chmod(path, 0o700)
        return path

    def start(self, *settings):
        node = self.enterContext(IllNode(CONFIG, self.folder, settings, program=self.inside(ILL)))
        node.program = ILL  # for commands
        return node

    def enforced(self, node, who="a"):
        return json.loads(node.command("limits", who, "--json").stdout)["enforced"]

    def group_of_worker(self):
        return [folder for folder, _, _ in os.walk(self.group) if os.path.basename(folder).startswith("w.")][0]

    def test_a_guardian_that_is_given_its_group_makes_room_for_limits_and_goes_back(self):
        self.give()
        node = self.start()

        self.assertRegex(group_of(node.process.pid), r"/troupe-groups-[0-9a-f]{8}/guardian$")
        self.assertEqual(group_of(node.ask("ping")["os_pid"]), group_of(node.process.pid))
        self.assertIn("memory_cgroup", self.enforced(node))
        self.assertNotIn("memory_data", self.enforced(node))
        self.assertEqual(node.stop(), 0)

        self.assertEqual(read(self.group, "cgroup.subtree_control").strip(), "")
        self.assertEqual([name for name in os.listdir(self.group) if name.startswith("troupe")], [])

    @unittest.skipIf(IS_ASAN, "the sanitizer takes more memory than the limit")
    def test_a_worker_over_its_memory_ends_by_its_group_and_says_so(self):
        self.give()
        node = self.start()
        self.assertEqual(read(self.group_of_worker(), "memory.max").strip(), str(MEMORY))

        node.fall_ill("a", "eat")

        row = wait_for(lambda: (row := node.rows()["a"])["restarts"] == 1 and row["state"] == "up" and row,
                       what="the restart")
        self.assertEqual(row["last_reason"], "memory_limit: of its control group")

    def test_in_a_group_that_was_not_given_the_limit_is_the_process_own(self):
        node = self.start()

        self.assertIn("memory_data", self.enforced(node))
        self.assertNotIn("memory_cgroup", self.enforced(node))
        self.assertEqual(group_of(node.process.pid).rsplit("/", 1)[1], os.path.basename(self.group))
        self.assertEqual(read(self.group, "cgroup.subtree_control").strip(), "")

    def test_a_group_with_others_in_it_is_left_as_it_is(self):
        self.give()
        other = subprocess.Popen([self.inside("sleep"), "1000"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        wait_for(lambda: str(other.pid) in read(self.group, "cgroup.procs").split(), what="the other process")
        node = self.start()

        self.assertIn("memory_data", self.enforced(node))
        self.assertEqual(read(self.group, "cgroup.subtree_control").strip(), "")

    def test_more_processes_than_allowed_are_refused_and_all_end_with_the_worker(self):
        self.give()
        program = os.path.join(self.folder, "forks.sh")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nsetsid sleep 1000 &\nexec {ILL} --worker\n")
        os.chmod(program, 0o755)
        node = self.start("tree.children.a.processes=4", f"tree.children.a.program={program}")
        group = self.group_of_worker()
        own = read(group, "cgroup.procs").split()
        more = subprocess.run(["sh", "-c", f"echo 0 > {group}/cgroup.procs\n" + "sleep 1000 2>/dev/null &\n" * 20],
                              stderr=subprocess.PIPE, text=True)
        inside = read(group, "cgroup.procs").split()

        self.assertEqual(set(self.enforced(node)) & {"processes_count", "processes_end"},
                         {"processes_count", "processes_end"})
        worker = [row["os_pid"] for row in node.ask("ps") if row["name"] == "a"][0]
        self.assertIn(str(worker), own)
        self.assertEqual(len(own), 2)  # it, and what it started
        self.assertNotEqual(more.returncode, 0)
        self.assertIn("Cannot fork", more.stderr)
        self.assertGreater(len(inside), 2)  # and what could be started here
        os.kill(worker, signal.SIGKILL)

        wait_for(lambda: not os.path.exists(group), what="the end of the group")
        self.assertFalse(any(is_alive(int(pid)) for pid in inside))


class GroupsOfAUser(Groups):
    """The same of a node that is not root's: the group and what shapes it are the user's, and nothing above it is."""
    USER = 65534  # nobody
    runs_as = f"setpriv --reuid={USER} --regid={USER} --clear-groups"

    def setUp(self):
        super().setUp()
        os.chown(self.folder, self.USER, self.USER)
        if subprocess.run([*self.runs_as.split(), "test", "-x", ILL], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("nobody may not run the program here")

    def give(self):
        super().give()
        for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(os.path.join(self.group, name), self.USER, self.USER)

    def test_the_node_is_not_roots(self):
        node = self.start()

        self.assertEqual({os.stat(f"/proc/{pid}").st_uid for pid in node.family()}, {self.USER})


if __name__ == "__main__":
    unittest.main()
