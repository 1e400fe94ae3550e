# SPDX-License-Identifier: MIT
"""Who counts as alive, on both sides: workers of other programs to a node, and a node to the workers of the examples;
and how long a request waits for a tool's first worker."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import msgpack
import zmq

from majordomo import Client
from node import ROOT, SLOW, Node, wait_for
from test_foreign import CONFIG, Worker

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))

import troupe_worker  # noqa: E402

NODE_WORKER = """
const { Worker } = require('./troupe_client');
const worker = new Worker(process.argv[2], 'upper', (body) => body.text.toUpperCase(), { heartbeat: 20, liveness: 20 });
process.stdin.resume().on('end', () => worker.stop());
"""

class PortTest(unittest.TestCase):
    def start(self, config=CONFIG):
        self.node = Node(config)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def client(self):
        client = Client(self.endpoint)
        self.addCleanup(client.socket.close)
        return client

    def worker(self, service, version=2):
        worker = Worker(self.endpoint, service, version)
        self.addCleanup(worker.socket.close)
        return worker

    def served(self, service):
        client = self.client()
        client.send(b"", b"MDPC01", b"mmi.service", service.encode())
        return client.receive()[3] == b"200"


class ToANode(PortTest):
    def test_any_command_is_as_good_as_a_heartbeat(self):
        self.start()
        worker, client = self.worker("keen"), self.client()
        client.send(b"MDPC02", b"\x01", b"keen", b"go")
        address, _ = worker.work()
        for i in range(8):  # more than it may be silent
            while worker.receive() != [b"MDPW02", b"\x05"]:
                pass
            worker.answer(address, b"%d" % i, command="partial")
            self.assertEqual(client.receive(), [b"MDPC02", b"\x02", b"keen", b"%d" % i])
        worker.answer(address, b"end")
        self.assertEqual(client.receive(), [b"MDPC02", b"\x03", b"keen", b"end"])

    def test_a_task_of_a_silent_worker_goes_to_the_next(self):
        self.start()
        silent, client = self.worker("keen"), self.client()
        client.send(b"MDPC02", b"\x01", b"keen", b"go")
        old, _ = silent.work()
        second = self.worker("keen")
        address, body = second.work()  # which answers heartbeats
        self.assertEqual(body, [b"go"])
        silent.answer(old, b"too late")
        second.answer(address, b"done")
        self.assertEqual(client.receive(), [b"MDPC02", b"\x03", b"keen", b"done"])
        self.assertTrue(client.is_silent())

    def test_a_command_of_the_other_version_ends_the_worker(self):
        self.start()
        for version, heartbeat in ((1, [b"MDPW02", b"\x05"]), (2, [b"", b"MDPW01", b"\x04"])):
            worker = self.worker("keen", version)
            wait_for(lambda: self.served("keen"), what="the worker")
            worker.send(*heartbeat)
            self.assertEqual(worker.next()[0], "disconnect")
            wait_for(lambda: not self.served("keen"), what="its end")


class FirstWorker(PortTest):
    WAITS = CONFIG.replace("    liveness = 3\n", "    liveness = 3\n    unknown_wait_ms = {ms}\n")

    def test_a_tool_that_nobody_knows_waits_for_one_where_it_is_configured(self):
        self.start(self.WAITS.replace("{ms}", "60000"))
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"novel", b"go")
        self.assertTrue(client.is_silent())
        worker = self.worker("novel")
        address, body = worker.work()
        worker.answer(address, b"done")
        self.assertEqual((body, client.receive()[3]), ([b"go"], b"done"))

    def test_it_waits_as_long_as_that_and_then_there_is_no_such_tool(self):
        self.start(self.WAITS.replace("{ms}", "100"))
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"novel", b"\x80")
        reply = msgpack.unpackb(client.receive()[3])
        self.assertEqual(reply["error"]["code"], "E_UNKNOWN_TOOL")
        self.assertGreaterEqual(reply["metrics"]["queue_us"], 100000)

    def test_else_it_is_refused_at_once_until_a_worker_came_and_then_waits_as_any_other(self):
        self.start()
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"novel", b"{}")
        self.assertEqual(json.loads(client.receive()[3])["error"]["code"], "E_UNKNOWN_TOOL")
        worker = self.worker("novel")
        wait_for(lambda: self.served("novel"), what="the worker")
        worker.command("disconnect")
        wait_for(lambda: not self.served("novel"), what="its end")
        client.send(b"MDPC02", b"\x01", b"novel", b"again")
        self.assertTrue(client.is_silent())
        second = self.worker("novel")
        address, body = second.work()
        second.answer(address, b"done")
        self.assertEqual((body, client.receive()[3]), ([b"again"], b"done"))


class OfANode(unittest.TestCase):
    """A ROUTER that plays the node: what the workers of the examples do when it is silent or sends them away."""

    def setUp(self):
        context = zmq.Context()
        self.addCleanup(context.term)
        self.router = context.socket(zmq.ROUTER)
        self.addCleanup(self.router.close, 0)
        self.endpoint = f"tcp://127.0.0.1:{self.router.bind_to_random_port('tcp://127.0.0.1')}"

    def next(self, *wanted, of=None):
        """The routing id of the next message of these frames, of any or of that one; others are heartbeats."""
        while True:
            self.assertTrue(self.router.poll(20000 * SLOW), f"{wanted}")
            head, *frames = self.router.recv_multipart()
            if frames == list(wanted) and of in (None, head):
                return head
            self.assertEqual(frames, [b"MDPW02", b"\x05"])

    def comes_again_and_again(self):
        ready = (b"MDPW02", b"\x01", b"upper")
        first = self.next(*ready)
        second = self.next(*ready)  # the router was silent
        self.assertNotEqual(first, second)
        for _ in range(60):  # more than it may be silent
            self.router.send_multipart([second, b"MDPW02", b"\x05"])
            self.next(b"MDPW02", b"\x05", of=second)
        self.router.send_multipart([second, b"MDPW02", b"\x02", b"address", b"", b'{"text": "a"}'])
        self.next(b"MDPW02", b"\x04", b"address", b"", self.answer, of=second)
        self.router.send_multipart([second, b"MDPW02", b"\x06"])
        third = self.next(*ready)
        self.assertNotEqual(second, third)

    def test_the_worker_of_python_comes_again(self):
        self.answer = b'{"success": true, "result": "A"}'
        worker = troupe_worker.Worker(self.endpoint, "upper", lambda body: body["text"].upper(), heartbeat=0.02,
                                      liveness=20)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)
        self.comes_again_and_again()

    @unittest.skipIf(shutil.which("npm") is None, "npm is not installed: apt-get install npm")
    def test_the_worker_of_node_comes_again(self):
        self.answer = b'{"success":true,"result":"A"}'
        folder = tempfile.mkdtemp(prefix="troupe-worker-")
        self.addCleanup(shutil.rmtree, folder)
        for name in ("troupe_client.js", "package.json"):
            shutil.copy(os.path.join(ROOT, "examples", "clients", "node", name), folder)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)
        with open(os.path.join(folder, "worker.js"), "w", encoding="utf-8") as file:
            file.write(NODE_WORKER)
        worker = subprocess.Popen(["node", "worker.js", self.endpoint], cwd=folder, stdin=subprocess.PIPE)
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        self.addCleanup(worker.stdin.close)
        self.comes_again_and_again()


if __name__ == "__main__":
    unittest.main()
