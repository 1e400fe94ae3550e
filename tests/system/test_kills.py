# SPDX-License-Identifier: MIT
"""kill -9 of guardian, node and workers, in any order: nothing survives, and the next start works."""
import itertools
import os
import signal
import tempfile
import unittest

from majordomo import Client
from node import Node, descendants, wait_for

CONFIG = """
node
    name = kills
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 2
        tools = "code_parse"
"""
CODE = {"language": "c", "code": "int main(void) { return 0; }"}
PARTS = ("guardian", "node", "workers")
ORDERS = [order for size in (1, 2, 3) for order in itertools.permutations(PARTS, size)]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Kills(unittest.TestCase):
    """What dies without its guardian is started again; with it, nothing is left."""

    def kill(self, pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it went with one that was killed before

    def check_serves(self, node):
        client = Client(node.endpoints["majordomo"])
        try:
            self.assertIs(client.call_01("code_parse", CODE)["success"], True)
        finally:
            client.socket.close()

    def parts_of(self, node):
        workers = wait_for(lambda: [pids for pids in [[row["os_pid"] for row in node.workers("parser")]]
                                    if len(pids) == 2 and all(pids)], what="two workers")[0]
        root = [pid for pid in descendants(node.process.pid) if pid not in workers]
        self.assertEqual(len(root), 1)
        return {"guardian": [node.process.pid], "node": root, "workers": workers}

    def check_order(self, order, folder):
        with Node(CONFIG, folder=folder) as node:
            parts = self.parts_of(node)
            everybody = sum(parts.values(), [])
            for part in order:
                self.kill(parts[part])
            if "guardian" in order:
                node.wait_ended()
                wait_for(lambda: not any(map(is_alive, everybody)), what="the end of all")
            else:
                gone = [pid for part in order for pid in parts[part]]
                wait_for(lambda: not any(map(is_alive, gone)), what="their end")
                if "node" in order:
                    node.read_ready()
                    wait_for(lambda: not any(map(is_alive, parts["workers"])), what="the orphans' end")
                self.check_serves(node)
        with Node(CONFIG, folder=folder) as node:
            self.check_serves(node)
            self.assertEqual(node.stop(), 0)
            self.assertFalse(os.path.exists(node.run_dir))

    def test_every_order_of_every_choice(self):
        self.assertEqual(len(ORDERS), 15)
        for order in ORDERS:
            with self.subTest(order=order), tempfile.TemporaryDirectory() as folder:
                self.check_order(order, folder)


if __name__ == "__main__":
    unittest.main()
