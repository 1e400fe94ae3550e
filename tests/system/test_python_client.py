# SPDX-License-Identifier: MIT
"""The Python clients and the Python worker of examples/clients against a real node."""
import asyncio
import json
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import msgpack
import zmq

from node import ROOT, Node, wait_for

PYTHON = os.path.join(ROOT, "examples", "clients", "python")
sys.path.insert(0, PYTHON)

import troupe_client  # noqa: E402
from troupe_client import AsyncClient, Client, ConnectionLost, ToolBusy, ToolError, ToolPartsLost  # noqa: E402
from troupe_worker import Worker  # noqa: E402

CONFIG = """
node
    name = clients
majordomo
    endpoint = "ipc://{folder}/port"
    heartbeat_ms = 100
    liveness = 20
pools
    foreign
        foreign = 1
        options = 1
        tools = "upper count gate frames fail"
        queue_max = 4
        cancel_ms = 50
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
JSON = {"language": "json", "code": "[1]"}


def count(body):
    for number in range(body["to"]):
        yield number
    return "end"


class Gate:
    """A function that waits until it is let go on."""

    def __init__(self):
        self.entered, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.serials = itertools.count(1)

    def __call__(self, body):
        self.entered.release()
        self.go.acquire()
        return next(self.serials)


class PythonClient(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="troupe-clients-")
        self.addCleanup(shutil.rmtree, folder)
        self.config = CONFIG.replace("{folder}", folder)  # an address that the next node can have, too
        self.node = Node(self.config)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def client(self):
        client = Client(self.endpoint)
        self.addCleanup(client.close)
        return client

    def serve(self, tool, function, **options):
        worker = Worker(self.endpoint, tool, function, heartbeat=0.1, liveness=20, **options)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)
        return worker

    def gate(self):
        gate = Gate()
        self.serve("gate", gate)
        self.addCleanup(gate.go.release, 100)
        return gate

    def test_many_calls_are_under_way_on_one_socket(self):
        client = self.client()
        calls = [client.start("code_parse", {"language": "json", "code": "[" + "1," * i + "1]"}) for i in range(60)]

        counts = [call.result()["root"].count("(number)") for call in reversed(calls)]

        self.assertEqual(counts, list(range(60, 0, -1)))
        self.assertEqual(client.unexpected, 0)

    def test_partial_answers_are_iterated(self):
        self.serve("count", count)
        client = self.client()

        self.assertEqual(list(client.stream("count", {"to": 3})), [0, 1, 2, "end"])
        self.assertEqual(client.call("count", {"to": 3}), "end")

        async def stream():
            async with AsyncClient(self.endpoint) as other:
                return [part async for part in other.stream("count", {"to": 3})]

        self.assertEqual(asyncio.run(stream()), [0, 1, 2, "end"])

    def test_frames_pass_as_they_are_with_options_and_without(self):
        self.serve("frames", lambda frames: [b"got", *frames], raw=True)
        self.serve("unlisted", lambda frames: [b"got", *frames], raw=True)
        client = self.client()

        self.assertEqual(client.call("frames", [b"\x00", b"b"]), [b"got", b"\x00", b"b"])
        wait_for(lambda: self.node.events("foreign_worker_came")[1:], what="both workers")
        self.assertEqual(client.call("unlisted", b"a", plain=True), [b"got", b"a"])

        async def plain():
            async with AsyncClient(self.endpoint) as other:
                return await other.call("unlisted", b"a", plain=True)

        self.assertEqual(asyncio.run(plain()), [b"got", b"a"])

    def test_errors_are_exceptions_of_python(self):
        client = self.client()
        self.serve("fail", lambda body: {}[body["key"]])
        cases = [("code_parse", {"language": "json"}, ValueError, "E_BAD_PAYLOAD"),
                 ("code_pase", {}, LookupError, "E_UNKNOWN_TOOL"),
                 ("fail", {"key": "k"}, ToolError, "E_FAILED")]
        for tool, body, kind, code in cases:
            with self.subTest(tool=tool), self.assertRaises(kind) as caught:
                client.call(tool, body)
            self.assertEqual(caught.exception.code, code)

    def test_time_limit_raises_timeout_error(self):
        self.gate()
        with self.assertRaises(TimeoutError):
            self.client().call("gate", {}, timeout=0.2)

        async def limited():
            async with AsyncClient(self.endpoint) as client:
                await client.call("gate", {}, timeout=0.2)

        with self.assertRaises(TimeoutError):
            asyncio.run(limited())

    def test_cancel_takes_the_task_from_the_queue(self):
        gate, client = self.gate(), self.client()
        first, second = client.start("gate", {"n": 1}), client.start("gate", {"n": 2})
        gate.entered.acquire()

        second.cancel()
        gate.go.release()

        self.assertEqual(first.result(), 1)
        with self.assertRaises(ToolError) as caught:
            second.result()
        self.assertEqual(caught.exception.code, "E_CANCELLED")
        self.assertEqual(client.call("mmi.queue", b"gate")[0], b"200")
        self.assertFalse(gate.entered.acquire(blocking=False))

    def test_cancelled_task_of_asyncio_cancels_its_call(self):
        gate = self.gate()

        async def cancelled():
            async with AsyncClient(self.endpoint) as client:
                first = asyncio.create_task(client.call("gate", {"n": 1}))
                await asyncio.to_thread(gate.entered.acquire)
                second = asyncio.create_task(client.call("gate", {"n": 2}))
                while b'"queued":1' not in (await client.call("mmi.queue", b"gate"))[1]:
                    pass
                second.cancel()
                while b'"queued":0' not in (await client.call("mmi.queue", b"gate"))[1]:
                    pass
                gate.go.release()
                return await first

        self.assertEqual(asyncio.run(asyncio.wait_for(cancelled(), 30)), 1)

    def test_busy_is_an_exception_or_with_retry_waited_for(self):
        gate, client = self.gate(), self.client()
        calls = [client.start("gate", {"n": 0})]
        gate.entered.acquire()
        calls += [client.start("gate", {"n": n}) for n in range(1, 5)]
        with self.assertRaises(ToolBusy):
            client.call("gate", {"n": 5})
        patient = client.start("gate", {"n": 5}, retry=True)
        wait_for(lambda: client.call("mmi.queue", b"gate") and patient.send_at, what="its refusal")

        gate.go.release(100)

        self.assertEqual(sorted([call.result() for call in calls] + [patient.result()]), [1, 2, 3, 4, 5, 6])

    def restart(self):
        """kill -9 of the node, and another at the same address."""
        self.node.close()
        self.node = Node(self.config)
        self.addCleanup(self.node.close)

    def test_lost_connection_fails_a_call_or_with_retry_is_made_up_for(self):
        gate, client = self.gate(), self.client()
        once = client.start("gate", {"n": 1})
        least = client.start("code_parse", JSON, retry=True)
        again = client.start("gate", {"n": 2}, retry=True)
        gate.entered.acquire()
        self.assertIn("number", least.result()["root"])

        self.restart()

        with self.assertRaises(ConnectionLost):
            once.result()
        gate.go.release(100)
        self.assertGreater(again.result(), 1)
        self.assertIn("number", client.call("code_parse", JSON)["root"])

    def test_lost_connection_is_made_up_for_with_asyncio_too(self):
        gate = self.gate()

        async def lost():
            async with AsyncClient(self.endpoint) as client:
                once = asyncio.create_task(client.call("gate", {"n": 1}))
                again = asyncio.create_task(client.call("gate", {"n": 2}, retry=True))
                await asyncio.to_thread(gate.entered.acquire)
                await asyncio.to_thread(self.restart)
                gate.go.release(100)
                results = await asyncio.gather(once, again, return_exceptions=True)
                return results, (await client.call("code_parse", JSON))["root"]

        (once, again), root = asyncio.run(asyncio.wait_for(lost(), 60))
        self.assertIsInstance(once, ConnectionLost)
        self.assertIsInstance(again, int)
        self.assertIn("number", root)

    def test_same_idempotency_key_is_done_once(self):
        gate, client = self.gate(), self.client()
        gate.go.release(100)

        answers = [client.call("gate", {"n": 1}, idem="the same") for _ in range(3)]

        self.assertEqual(answers, [1, 1, 1])

    def test_answers_that_are_none_are_counted_and_the_call_goes_on(self):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.setsockopt(zmq.LINGER, 0)
            port = router.bind_to_random_port("tcp://127.0.0.1")
            client = Client(f"tcp://127.0.0.1:{port}")
            self.addCleanup(client.close)
            call = client.start("upper", {"text": "a"}, timeout=20)
            head = self.receive(client, router)[:1]
            other = b"TRP1" + msgpack.packb({"id": [1]})
            for frames in ([b"\xff"], [b"MDPC02"], [b"MDPC02", b"\x09", b"upper", b"x"],
                           *([b"MDPC02", b"\x03", b"upper", options, b"x"] for options in (
                               b"TRP1", b"TRP1\xc1", b"TRP1\x93", b"TRP1\x81\x80\x01", b"TRP1\x91\x01", other))):
                router.send_multipart(head + frames)
            answer = msgpack.packb({"success": True, "result": "A"})
            options = b"TRP1" + msgpack.packb({"id": call.id})
            router.send_multipart(head + [b"MDPC02", b"\x03", b"upper", options, answer])

            self.assertEqual(call.result(), "A")
            self.assertEqual(client.unexpected, 9)

    def bind(self):
        """A ROUTER that plays the node, and where it is."""
        router = zmq.Context.instance().socket(zmq.ROUTER)
        self.addCleanup(router.close, 0)
        return router, f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"

    @staticmethod
    def send_answers(router, head, last, came):
        """As many partial answers as `came` says of each attempt, then the last one with `last` among its options."""
        for attempt, number in came:
            options = b"TRP1" + msgpack.packb({"id": "1", "attempt": attempt})
            for i in range(number):
                router.send_multipart([head, b"MDPC02", b"\x02", b"count", options, msgpack.packb(i)])
        options = b"TRP1" + msgpack.packb({"id": "1", **last})
        answer = msgpack.packb({"success": True, "result": "end"})
        router.send_multipart([head, b"MDPC02", b"\x03", b"count", options, answer])

    def test_partial_answers_that_were_lost_are_an_exception(self):
        for came, sent in (([(1, 1)], 3), ([(1, 3), (2, 2)], 3), ([(1, 3)], 1)):
            router, endpoint = self.bind()
            with Client(endpoint) as client:
                call = client.start("count", {}, timeout=20, stream=True)
                head = self.receive(client, router)[0]
                self.send_answers(router, head, {"attempt": 2, "parts": sent}, came)
                parts = []
                with self.assertRaises(ToolPartsLost) as caught:
                    parts.extend(call)
                self.assertEqual((caught.exception.code, caught.exception.result), ("E_PARTS_LOST", "end"))
                self.assertEqual(call.result(), "end")  # of who does not want them

    def test_partial_answers_that_came_are_none_lost_whatever_is_said(self):
        for last in ({"attempt": 2, "parts": 2}, {"attempt": 2, "parts": 0}, {"parts": True}, {"parts": "9"},
                     {"parts": -1}, {"parts": None}, {"attempt": [], "parts": {}}, {}):
            router, endpoint = self.bind()
            with Client(endpoint) as client:
                call = client.start("count", {}, timeout=20, stream=True)
                self.send_answers(router, self.receive(client, router)[0], last, [(1, 1), (2, 2)])
                self.assertEqual(list(call), [0, 0, 1, "end"])

    def test_partial_answers_that_were_lost_are_an_exception_with_asyncio_too(self):
        async def ask(client, router, iterate):
            async def answer():
                while not router.poll(0):
                    await asyncio.sleep(0.01)
                self.send_answers(router, router.recv_multipart()[0], {"attempt": 1, "parts": 3}, [(1, 2)])

            async with asyncio.timeout(20):
                task = asyncio.create_task(answer())
                if not iterate:
                    return await client.call("count", {}, stream=True)
                parts = []
                with self.assertRaises(ToolPartsLost) as caught:
                    async for part in client.stream("count", {}, stream=True):
                        parts.append(part)
                await task
                return parts, caught.exception.result

        async def run(iterate):
            router, endpoint = self.bind()
            async with AsyncClient(endpoint) as client:
                return await ask(client, router, iterate)

        self.assertEqual(asyncio.run(run(iterate=True)), ([0, 1], "end"))
        self.assertEqual(asyncio.run(run(iterate=False)), "end")  # it passes over them

    @staticmethod
    def receive(client, router):
        """What the client sent, which it does in its own time."""
        def received():
            client._turn(10)
            return router.recv_multipart() if router.poll(10) else None

        return wait_for(received, what="a request")

    def test_worker_example_serves_its_tool(self):
        example = subprocess.Popen([sys.executable, os.path.join(PYTHON, "upper.py"), self.endpoint])
        self.addCleanup(example.wait)
        self.addCleanup(example.kill)

        printed = self.node.command("call", "upper", '{"text": "some words"}')

        self.assertEqual(json.loads(printed.stdout), {"text": "SOME WORDS"}, printed.stderr)
        failed = self.node.command("call", "upper", "{}")
        self.assertEqual((failed.returncode, failed.stdout), (1, ""))
        self.assertIn("E_FAILED: KeyError: 'text'", failed.stderr)
        parts = list(self.client().stream("upper", {"text": "a b"}))
        self.assertEqual(parts, ["A", "B", {"text": "A B"}])

    def test_module_function_makes_one_call(self):
        self.assertIn("number", troupe_client.call("code_parse", JSON, self.endpoint)["root"])


if __name__ == "__main__":
    unittest.main()
