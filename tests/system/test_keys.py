# SPDX-License-Identifier: MIT
"""CURVE keys on the Majordomo port: who is let in, and what each key may do."""
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import zmq

from node import PROGRAM, ROOT, Node, wait_for

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))
from troupe_client import AsyncClient, Client, Keys, ToolBusy, ToolForbidden  # noqa: E402  (the path above)
from troupe_worker import Worker  # noqa: E402

CONFIG = """
node
    name = keys
majordomo
    endpoint = "tcp://127.0.0.1:*"
    heartbeat_ms = 100
    liveness = 20
    curve_secret = "{folder}/node.key"
    keys = "{folder}/keys"
pools
    foreign
        foreign = 1
        options = 1
        tools = "upper"
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
KEYS = """
# who may do what
alice
    public_key = "{alice}"
    tools = "code_parse upper"
slow
    public_key = "{slow}"
    tools = "*"
    rate = 1
    burst = 2
worker
    public_key = "{worker}"
    serves = "upper"
"""
JSON = {"language": "json", "code": "[1]"}


def keygen(path):
    """A new pair by the command: (public, secret)."""
    made = subprocess.run([PROGRAM, "keygen", path], check=True, stdout=subprocess.PIPE, text=True)
    return Keys.load(path, made.stdout.strip())


class KeysOnThePort(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="troupe-keys-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        pairs = {name: keygen(os.path.join(cls.folder, f"{name}.key"))
                 for name in ("node", "alice", "slow", "worker", "stranger")}
        cls.pairs = {name: pair._replace(server=pairs["node"].public) for name, pair in pairs.items()}
        with open(os.path.join(cls.folder, "keys"), "w", encoding="utf-8") as file:
            file.write(KEYS.format(**{name: pair.public for name, pair in pairs.items()}))
        cls.node = Node(CONFIG.replace("{folder}", cls.folder))
        cls.addClassCleanup(cls.node.close)
        cls.endpoint = cls.node.endpoints["majordomo"]

    def client(self, name):
        client = Client(self.endpoint, keys=self.pairs[name])
        self.addCleanup(client.close)
        return client

    def serve(self, name):
        worker = Worker(self.endpoint, "upper", lambda body: body["text"].upper(), keys=self.pairs[name],
                        heartbeat=0.1, liveness=20)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)

    def test_known_key_is_served(self):
        self.assertIn("number", self.client("alice").call("code_parse", JSON)["root"])

    def test_unknown_key_is_a_permission_error(self):
        client = self.client("stranger")
        for _ in range(2):  # the first time by the node, then by what is known
            with self.assertRaises(PermissionError) as caught:
                client.call("code_parse", JSON)
            self.assertNotIsInstance(caught.exception, ToolForbidden)  # it is not even let in

    def test_the_client_of_asyncio_has_keys_and_their_errors_too(self):
        async def call(name):
            async with AsyncClient(self.endpoint, keys=self.pairs[name]) as client:
                return (await client.call("code_parse", JSON))["root"]

        self.assertIn("number", asyncio.run(call("alice")))
        for name, error in (("stranger", PermissionError), ("worker", ToolForbidden)):
            with self.assertRaises(error):
                asyncio.run(call(name))

    def test_wrong_key_of_the_node_and_no_key_get_no_answer(self):
        wrong = self.pairs["alice"]._replace(server=self.pairs["stranger"].public)
        for keys in (wrong, None):
            client = Client(self.endpoint, keys=keys)
            self.addCleanup(client.close)
            with self.subTest(keys=keys), self.assertRaises(OSError):
                client.call("code_parse", JSON, timeout=0.5)
        answered = zmq.Context.instance().socket(zmq.DEALER)
        answered.linger = 0
        answered.connect(self.endpoint)
        answered.send_multipart([b"MDPC02", b"\x01", b"mmi.service", b"code_parse"])
        self.assertFalse(answered.poll(300))
        answered.close()

    def test_tool_without_a_right_is_forbidden(self):
        with self.assertRaises(ToolForbidden) as caught:
            self.client("worker").call("code_parse", JSON)

        self.assertEqual(caught.exception.code, "E_FORBIDDEN")
        with self.assertRaises(ToolForbidden):
            self.client("alice").call("code_pars", JSON)

    def test_rate_is_held_for_the_key_and_not_for_its_connections(self):
        calls = [self.client("slow").start("code_parse", JSON) for _ in range(4)]
        codes = []
        for call in calls:
            try:
                call.result()
            except ToolBusy as error:
                codes.append(error.code)
                self.assertGreater(error.details["retry_after_ms"], 0)

        self.assertEqual(codes[-1:], ["E_RATE"])
        self.assertIn("number", self.client("slow").call("code_parse", JSON, retry=True)["root"])

    def test_worker_needs_the_right_to_serve(self):
        self.serve("alice")
        self.serve("worker")

        self.assertEqual(self.client("alice").call("upper", {"text": "a"}), "A")

        why = [event["why"] for event in self.node.events("worker_sent_away")]
        self.assertIn("its key has no right to serve this tool", why)
        self.assertEqual(len(self.node.events("foreign_worker_came")), 1)

    def test_key_file_is_for_its_owner_and_never_written_over(self):
        path = os.path.join(self.folder, "alice.key")
        again = subprocess.run([PROGRAM, "keygen", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(again.returncode, 1)
        self.assertIn("it exists", again.stderr)


class KeysReadAgain(unittest.TestCase):
    """SIGHUP after the file of keys has changed."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="troupe-keys-")
        self.addCleanup(shutil.rmtree, self.folder)
        pairs = {name: keygen(os.path.join(self.folder, f"{name}.key")) for name in ("node", "alice", "bob", "worker")}
        self.pairs = {name: pair._replace(server=pairs["node"].public) for name, pair in pairs.items()}
        self.write(alice="alice", worker="worker")
        self.node = Node(CONFIG.replace("{folder}", self.folder))
        self.addCleanup(self.node.close)

    def write(self, text="", **keys):
        with open(os.path.join(self.folder, "keys"), "w", encoding="utf-8") as file:
            file.write(text)
            for section, name in keys.items():
                public = self.pairs[name].public
                file.write(f'{section}\n    public_key = "{public}"\n    tools = "*"\n    serves = "*"\n')

    def reload(self, event="keys_changed"):
        count = len(self.node.events(event))
        self.node.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.node.events(event)) > count, what=event)

    def client(self, name):
        client = Client(self.node.endpoints["majordomo"], keys=self.pairs[name])
        self.addCleanup(client.close)
        return client

    def test_a_key_that_was_taken_back_has_no_rights_and_a_new_one_has(self):
        alice = self.client("alice")
        self.assertIn("number", alice.call("code_parse", JSON)["root"])
        self.write(bob="bob")
        self.reload()

        with self.assertRaises(ToolForbidden):  # its connection stays
            alice.call("code_parse", JSON)
        with self.assertRaises(PermissionError):
            self.client("alice").call("code_parse", JSON)
        self.assertIn("number", self.client("bob").call("code_parse", JSON)["root"])

    def test_another_key_under_the_same_name_is_another_key(self):
        alice = self.client("alice")
        alice.call("code_parse", JSON)
        self.write(alice="bob")
        self.reload()

        with self.assertRaises(ToolForbidden):
            alice.call("code_parse", JSON)
        self.assertIn("number", self.client("bob").call("code_parse", JSON)["root"])

    def test_workers_of_a_key_that_was_taken_back_are_sent_away(self):
        worker = Worker(self.node.endpoints["majordomo"], "upper", lambda body: body["text"].upper(),
                        keys=self.pairs["worker"], heartbeat=0.1, liveness=20)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)
        self.assertEqual(self.client("alice").call("upper", {"text": "a"}, retry=True), "A")
        self.write(alice="alice")
        self.reload()

        wait_for(lambda: any(event["why"] == "its key was taken back"
                             for event in self.node.events("foreign_worker_left")), what="its end")

    def test_a_faulty_file_changes_nothing(self):
        self.write("alice\n    public_key = short\n")
        self.reload("reload_refused")

        self.assertIn("number", self.client("alice").call("code_parse", JSON)["root"])


class KeysInTheConfiguration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="troupe-keys-")
        self.addCleanup(shutil.rmtree, self.folder)
        keygen(os.path.join(self.folder, "node.key"))

    def refused(self, config):
        path = os.path.join(self.folder, "node.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.replace("{folder}", self.folder))
        done = subprocess.run([PROGRAM, "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=30)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_open_address_without_keys_is_refused_with_its_line(self):
        for address in ("tcp://*:0", "tcp://0.0.0.0:*", "tcp://[::]:0"):
            said = self.refused(f'majordomo\n    endpoint = "{address}"\n')
            self.assertIn("node.conf:2", said)
            self.assertIn("insecure = 1", said)

    def test_open_address_is_taken_when_told_so(self):
        with Node('majordomo\n    endpoint = "tcp://0.0.0.0:*"\n    insecure = 1\n') as node:
            self.assertIn("majordomo", node.endpoints)

    def test_fault_in_the_file_of_keys_is_told_with_its_line(self):
        for keys, line in (('a\n    public_key = "short"\n', 2), ("a\n    tools = x\n    colour = red\n", 3)):
            with open(os.path.join(self.folder, "keys"), "w", encoding="utf-8") as file:
                file.write(keys)
            self.assertIn(f"keys:{line}", self.refused(CONFIG))

    def test_secret_that_is_missing_is_refused(self):
        os.remove(os.path.join(self.folder, "node.key"))

        self.assertIn("node.key", self.refused(CONFIG))


if __name__ == "__main__":
    unittest.main()
