# SPDX-License-Identifier: MIT
"""A node that may open too few files: refused before anything starts, or short of them while it runs."""
import os
import re
import shlex
import stat
import subprocess
import tempfile
import unittest

import msgpack

from majordomo import Client
from node import PROGRAM, Node, descendants, wait_for

CONFIG = """
node
    name = files
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 2
        tools = code_parse
"""
CODE = {"language": "json", "code": "[1]"}


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="troupe-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def limited(self, option, files):
        """A program that is ours with so many open files at most."""
        path = os.path.join(self.folder, f"limited{option}{files}.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nulimit {option} {files}\nexec {shlex.quote(PROGRAM)} \"$@\"\n")
        os.chmod(path, stat.S_IRWXU)
        return path

    def start(self, option, files):
        node = Node(CONFIG, program=self.limited(option, files))
        self.addCleanup(node.close)
        return node

    def call(self, node):
        with Client(node.endpoints["majordomo"]) as client:
            return client.call_02("code_parse", CODE)["success"]

    def open_files(self, node):
        return max(len(os.listdir(f"/proc/{pid}/fd")) for pid in descendants(node.process.pid))

    def refusal(self, files):
        path = os.path.join(self.folder, "node.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        run_dir = os.path.join(self.folder, "run")
        run = subprocess.run([self.limited("-n", files), "run", path, "--set", f"node.run_dir={run_dir}"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertFalse(os.path.exists(run_dir))
        return run.stderr

    def test_a_node_with_too_few_is_refused_with_how_many_it_needs(self):
        for files in (10, 24):
            with self.subTest(files=files):
                line = self.refusal(files)
                needed = int(re.search(r"the node needs (\d+) open files", line).group(1))
                self.assertIn(f"may have {files}:", line)
                self.assertIn(f"`ulimit -n {needed}`", line)
                self.assertEqual(line.count("\n"), 1)

    def test_with_as_many_as_it_asks_for_it_serves(self):
        needed = int(re.search(r"`ulimit -n (\d+)`", self.refusal(24)).group(1))

        self.assertTrue(self.call(self.start("-n", needed)))

    def test_a_low_soft_limit_is_raised(self):
        self.assertTrue(self.call(self.start("-Sn", 24)))

    def test_more_clients_than_there_are_files_do_not_end_it_and_make_room_when_they_go(self):
        node = self.start("-n", 70)
        clients = [Client(node.endpoints["majordomo"]) for _ in range(100)]
        for client in clients:
            client.send(b"MDPC02", b"\x01", b"code_parse", msgpack.packb(CODE))
        wait_for(lambda: any(client.socket.poll(0) for client in clients), what="an answer")
        wait_for(lambda: self.open_files(node) == 70, what="the last file")
        for client in clients:
            client.socket.close()

        self.assertTrue(wait_for(lambda: self.call(node), what="an answer to another client"))
        self.assertEqual(node.events("node_died"), [])


if __name__ == "__main__":
    unittest.main()
