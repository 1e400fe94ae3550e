# SPDX-License-Identifier: MIT
"""The file over which worker processes talk to their node, and those who have no business there."""
import os
import socket
import unittest

import zmq

from majordomo import Client
from node import Node, wait_for

CODE = {"language": "c", "code": "int main(void) { return 0; }"}
SILENT = 200


class Link(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.path = os.path.join(cls.node.run_dir, "link")

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def expect_service(self):
        """Calls are answered, and a worker that dies is there again: it comes by this file."""
        self.node.wait_replaced(self.node.kill_worker("parser"))
        with Client(self.node.endpoints["majordomo"]) as client:
            self.assertIs(client.call_02("code_parse", CODE)["success"], True)

    def connect(self):
        raw = socket.socket(socket.AF_UNIX)
        self.addCleanup(raw.close)
        raw.settimeout(10)
        raw.connect(self.path)
        return raw

    def test_only_its_owner_may_connect(self):
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_garbage_is_hung_up_on(self):
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\xff" + os.urandom(4000)):
            raw = self.connect()
            raw.sendall(garbage)
            with self.assertRaises((ConnectionError, StopIteration)):
                while True:
                    if not raw.recv(4096):
                        raise StopIteration
        self.expect_service()

    def test_a_zeromq_peer_that_is_no_worker_is_not_listened_to(self):
        with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
            stranger.setsockopt(zmq.LINGER, 0)
            stranger.setsockopt(zmq.ROUTING_ID, b"W\0\1\0\0\0\1" + os.urandom(16))
            stranger.connect("ipc://" + self.path)
            for frames in ([b""], [b"\x81\xa3cmd\xa4stop"], [os.urandom(70000)] * 3, [b"x"] * 2000):
                stranger.send_multipart(frames)
            wait_for(lambda: self.node.events("link_stranger"), what="a word about the stranger")
            self.assertEqual(stranger.poll(0), 0)
        self.expect_service()

    def test_many_that_connect_and_say_nothing_keep_no_worker_out(self):
        for _ in range(SILENT):
            self.connect()
        self.expect_service()

    def test_a_worker_has_no_thread_of_a_library(self):
        names = []
        for row in self.node.workers("parser"):
            for thread in os.listdir(f"/proc/{row['os_pid']}/task"):
                with open(f"/proc/{row['os_pid']}/task/{thread}/comm", encoding="utf-8") as file:
                    names.append(file.read().strip())
        self.assertTrue(names, "there are workers")
        self.assertFalse([name for name in names if name.startswith("ZMQ")], names)


if __name__ == "__main__":
    unittest.main()
