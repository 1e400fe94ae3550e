# SPDX-License-Identifier: MIT
"""The clients of the examples, each in a program of its own (driver.py, driver.js, driver.c), while the node is
restarted at the same port, stopped, or answers garbage. All go through the same at the same time."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import msgpack
import zmq

from node import PROGRAM, ROOT, SLOW, Node, wait_for

SYSTEM = os.path.join(ROOT, "tests", "system")
CLIENTS = os.path.join(ROOT, "examples", "clients")
sys.path.insert(0, os.path.join(CLIENTS, "python"))

import troupe_worker  # noqa: E402

CONFIG = """
node
    name = faults
majordomo
    endpoint = "tcp://127.0.0.1:{port}"
pools
    foreign
        foreign = 1
        options = 1
        tools = "late"
        queue_ms = 60000
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
PARSE = {"language": "json", "code": "[1]"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Driver:
    """One client. `call` starts a call, `outcome` waits for what became of it."""

    def __init__(self, name, command, cwd=None):
        self.name = name
        env = dict(os.environ, PYTHONPATH=os.path.join(CLIENTS, "python"))
        self.process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def call(self, tool, body, timeout_ms=60000, retry=False):
        self.process.stdin.write(f"{tool} {timeout_ms} {int(retry)} {json.dumps(body)}\n")
        self.process.stdin.flush()

    def outcome(self):
        """("ok", result) or ("error", class, code, message)."""
        line = self.process.stdout.readline().rstrip("\n")
        if line.startswith("ok "):
            return "ok", json.loads(line[3:])
        return tuple(line.split(" ", 3))

    def close(self):
        self.process.kill()
        self.process.communicate()


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="troupe-clients-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        if shutil.which("npm") is None:
            return
        shutil.copy(os.path.join(SYSTEM, "driver.js"), cls.folder)
        for name in ("troupe_client.js", "package.json"):
            shutil.copy(os.path.join(CLIENTS, "node", name), cls.folder)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=cls.folder, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def setUp(self):
        self.config = CONFIG.replace("{port}", str(free_port()))

    def start_node(self):
        self.node = Node(self.config)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def start(self, endpoint):
        script = os.path.join(SYSTEM, "driver.py")
        drivers = [Driver("sync", [sys.executable, script, "sync", endpoint]),
                   Driver("asyncio", [sys.executable, script, "asyncio", endpoint]),
                   Driver("c", [os.path.join(os.path.dirname(PROGRAM), "tests", "driver"), endpoint])]
        if shutil.which("npm") is not None:
            drivers.append(Driver("node", ["node", "driver.js", endpoint], cwd=self.folder))
        for driver in drivers:
            self.addCleanup(driver.close)
        return drivers

    def expect_parsed(self, drivers):
        for driver in drivers:
            driver.call("code_parse", PARSE)
        for driver in drivers:
            outcome = driver.outcome()
            self.assertEqual((outcome[0], "number" in str(outcome[1])), ("ok", True), (driver.name, outcome))

    def waiting(self):
        return next(pool for pool in self.node.ask("pools") if "late" in pool["tools"])["queued"]

    def expect(self, drivers, wanted, text):
        """Each ends with its language's own error, whose message has that text."""
        for driver in drivers:
            outcome = driver.outcome()
            with self.subTest(driver.name, outcome=outcome):
                self.assertEqual(outcome[:2 + (driver.name == "c")], ("error", *wanted[driver.name]))
                self.assertIn(text, outcome[3])

    LOST = {"sync": ["ConnectionLost"], "asyncio": ["ConnectionLost"], "node": ["ConnectionLost"],
            "c": ["tool", "E_CONNECTION"]}
    LATE = {"sync": ["TimeoutError"], "asyncio": ["TimeoutError"], "node": ["TimeLimit"], "c": ["tool", "E_NO_ANSWER"]}

    def test_a_call_is_done_at_most_once_and_the_next_finds_the_new_node(self):
        self.start_node()
        drivers = self.start(self.endpoint)
        self.expect_parsed(drivers)
        for driver in drivers:
            driver.call("late", {"by": driver.name})
        wait_for(lambda: self.waiting() == len(drivers), what="the calls")

        self.node.close()

        self.expect(drivers, self.LOST, "connection")
        self.start_node()
        self.assertEqual(self.waiting(), 0)
        self.expect_parsed(drivers)

    def test_with_retry_it_is_sent_again_to_the_new_node(self):
        self.start_node()
        drivers = self.start(self.endpoint)
        for driver in drivers:
            driver.call("late", {"by": driver.name}, retry=True)
        wait_for(lambda: self.waiting() == len(drivers), what="the calls")

        self.node.close()
        self.start_node()
        wait_for(lambda: self.waiting() == len(drivers), 30, "the calls at the new node")
        done = []
        worker = troupe_worker.Worker(self.endpoint, "late", lambda body: (done.append(body["by"]), body)[1])
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)

        for driver in drivers:
            self.assertEqual(driver.outcome(), ("ok", {"by": driver.name}))
        self.assertEqual(sorted(done), sorted(driver.name for driver in drivers))
        self.expect_parsed(drivers)

    def test_a_node_that_is_not_there_yet_is_waited_for(self):
        drivers = self.start(f"tcp://127.0.0.1:{self.config.split('127.0.0.1:')[1].split(chr(34))[0]}")
        for driver in drivers:
            driver.call("code_parse", PARSE, retry=True)
        self.start_node()
        for driver in drivers:
            self.assertEqual(driver.outcome()[0], "ok", driver.name)

    def test_a_stopped_node_costs_a_call_its_time_limit_and_no_more(self):
        self.start_node()
        drivers = self.start(self.endpoint)
        self.expect_parsed(drivers)
        pid = self.node.ask("ping")["os_pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            for driver in drivers:
                driver.call("code_parse", {"language": "json", "code": "{}"}, timeout_ms=300)
            self.expect(drivers, self.LATE, "code_parse")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.expect_parsed(drivers)  # and not what was asked for while it was stopped

    def test_garbage_ends_one_call_at_most(self):
        context = zmq.Context()
        self.addCleanup(context.term)
        router = context.socket(zmq.ROUTER)
        self.addCleanup(router.close, 0)
        port = router.bind_to_random_port("tcp://127.0.0.1")
        drivers = self.start(f"tcp://127.0.0.1:{port}")
        for driver in drivers:
            with self.subTest(driver.name):
                driver.call("t", {"n": 1})
                head, options = self.take(router)
                self.answer_garbage(router, head)
                own = [*head, b"MDPC02", b"\x03", b"t", b"TRP1" + msgpack.packb({"id": options["id"]})]
                if driver.name == "c":  # which gives bytes as they are, and a reply's value as that
                    router.send_multipart([*own, b'"x"'])
                    self.assertEqual(driver.outcome(), ("ok", "x"))
                else:
                    router.send_multipart([*own, b"\xc1\xff"])
                    outcome = driver.outcome()
                    self.assertEqual((outcome[0], outcome[2]), ("error", "E_BAD_REPLY"), outcome)

                driver.call("t", {"n": 2})
                head, options = self.take(router)
                router.send_multipart([*head, b"MDPC02", b"\x03", b"t", b"TRP1" + msgpack.packb({"id": options["id"]}),
                                       b'{"success": true, "result": {"n": 2}}'])
                self.assertEqual(driver.outcome(), ("ok", {"n": 2}))

    def take(self, router):
        """The routing id and the options of the next request."""
        self.assertTrue(router.poll(20000 * SLOW), "a request")
        head, _, _, _, options, *_ = router.recv_multipart()
        return [head], msgpack.unpackb(options[4:])

    @staticmethod
    def answer_garbage(router, head):
        options = (b"TRP1", b"TRP1\xc1", b"TRP1\x93", b"TRP1\x81\x80\x01", b"TRP1\x91\x01",
                   b"TRP1" + msgpack.packb({"id": [1]}), b"TRP1" + msgpack.packb({"id": "777"}))
        for frames in ([b""], [b"\xff"], [b"MDPC02"], [b"MDPC02", b"\x03"], [b"MDPC02", b"", b"t"],
                       [b"MDPC02", b"\x03", b"t"], [b"MDPC02", b"\x09", b"t", b"x"], [b"MDPC01", b"\x03", b"t", b"x"],
                       *([b"MDPC02", b"\x03", b"t", option, b"x"] for option in options),
                       *([b"MDPC02", b"\x03", b"t", option] for option in options)):
            router.send_multipart(head + frames)


class Twins(unittest.TestCase):
    def test_the_second_of_one_routing_id_is_nobody_until_the_first_has_left(self):
        with Node(CONFIG.replace("{port}", "*")) as node, zmq.Context() as context:
            first, second = (self.connect(context, node) for _ in range(2))
            self.assertEqual(self.parse(first), b"\x03")
            self.assertIsNone(self.parse(second, 300))
            self.assertEqual(self.parse(first), b"\x03")
            first.close(0)
            second.close(0)
            self.assertEqual(wait_for(lambda: self.parse_anew(context, node)), b"\x03")

    def parse_anew(self, context, node):
        """By a new connection: one that comes before the first's end is noticed is nobody for good."""
        with self.connect(context, node) as client:
            return self.parse(client, 300)

    @staticmethod
    def connect(context, node):
        client = context.socket(zmq.DEALER)
        client.setsockopt(zmq.ROUTING_ID, b"twin")
        client.setsockopt(zmq.LINGER, 0)
        client.connect(node.endpoints["majordomo"])
        return client

    @staticmethod
    def parse(client, limit_ms=20000):
        client.send_multipart([b"MDPC02", b"\x01", b"code_parse", json.dumps(PARSE).encode()])
        return client.recv_multipart()[1] if client.poll(limit_ms) else None


if __name__ == "__main__":
    unittest.main()
