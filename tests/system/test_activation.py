# SPDX-License-Identifier: MIT
"""Socket activation: the port for clients is a socket that somebody else opened."""
import os
import signal
import socket
import tempfile
import unittest

from majordomo import Client
from node import PROGRAM, Node

CONFIG = """
node
    name = activation
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
CODE = {"language": "c", "code": "int main(void) { return 0; }"}
# Puts the descriptors named on its command line where systemd puts them, and becomes the program.
LAUNCHER = """#!/usr/bin/python3 -I
import os
fds = [int(fd) for fd in os.environ.pop("TEST_FDS").split()]
for at, fd in enumerate([os.dup(fd) for fd in fds]):
    os.dup2(fd, 100 + at)
for at in range(len(fds)):
    os.dup2(100 + at, 3 + at, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
import sys
os.execv({program!r}, [{program!r}] + sys.argv[1:])
"""


class Activation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.listener = self.listen()

    def listen(self, address="127.0.0.1"):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind((address, 0))
        listener.listen(16)
        return listener

    def start(self, sockets, names=None, expect_ready=True):
        launcher = os.path.join(self.folder.name, "launch")
        with open(launcher, "w", encoding="utf-8") as file:
            file.write(LAUNCHER.format(program=PROGRAM))
        os.chmod(launcher, 0o700)
        for each in sockets:
            each.set_inheritable(True)
        os.environ["TEST_FDS"] = " ".join(str(each.fileno()) for each in sockets)
        if names is not None:
            os.environ["LISTEN_FDNAMES"] = names
        try:
            node = Node(CONFIG, program=launcher, folder=self.folder.name, expect_ready=expect_ready,
                        inherit=[each.fileno() for each in sockets])
        finally:
            del os.environ["TEST_FDS"]
            os.environ.pop("LISTEN_FDNAMES", None)
        self.addCleanup(node.close)
        return node

    def endpoint(self):
        return f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"

    def call(self, endpoint):
        client = Client(endpoint)
        self.addCleanup(client.socket.close)
        self.assertIs(client.call_01("code_parse", CODE)["success"], True)

    def test_clients_are_served_on_the_socket_that_was_given(self):
        node = self.start([self.listener])

        self.assertEqual(node.endpoints["majordomo"], self.endpoint())
        self.call(self.endpoint())

    def test_the_next_node_serves_it_again(self):
        node = self.start([self.listener])
        os.kill(node.family()[1], signal.SIGKILL)

        self.call(self.endpoint())  # it waits in the socket's queue, if it must

    def test_of_several_the_one_of_its_name_is_taken(self):
        node = self.start([self.listen(), self.listener], "other:majordomo")

        self.assertEqual(node.endpoints["majordomo"], self.endpoint())
        self.assertEqual(len(node.events("listener_refused")), 1)

    def test_one_that_other_computers_reach_needs_keys(self):
        node = self.start([self.listen("0.0.0.0")], expect_ready=False)

        self.assertEqual(node.wait_ended(), 1)
        self.assertIn("insecure", node.events("majordomo_not_bound")[0]["error"])

    def test_what_does_not_listen_is_refused(self):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(datagrams.close)

        node = self.start([datagrams])

        self.assertEqual(len(node.events("listener_refused")), 1)
        self.call(node.endpoints["majordomo"])


if __name__ == "__main__":
    unittest.main()
