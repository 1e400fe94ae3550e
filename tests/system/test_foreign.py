# SPDX-License-Identifier: MIT
"""Workers of other programs on the Majordomo port, frame by frame, in both versions."""
import json
import signal
import time
import unittest

import msgpack

from majordomo import Client
from node import SLOW, Node, wait_for

CONFIG = """
node
    name = foreign
majordomo
    endpoint = "tcp://127.0.0.1:*"
    heartbeat_ms = 100
    liveness = 3
pools
    echo
        foreign = 1
        tools = "echo"
        queue_max = 2
        queue_ms = 400
        run_ms = 700
        cancel_ms = 50
    keen
        foreign = 1
        options = 1
        tools = "keen"
    parser
        class = parser
        place = process
        tools = "code_parse"
"""


class Worker(Client):
    """What a worker in any language sends and gets, in version 0.1 or 0.2."""
    NUMBERS = {1: {"ready": 1, "request": 2, "final": 3, "heartbeat": 4, "disconnect": 5},
               2: {"ready": 1, "request": 2, "partial": 3, "final": 4, "heartbeat": 5, "disconnect": 6}}

    def __init__(self, endpoint, service, version):
        super().__init__(endpoint)
        self.head = [b"", b"MDPW01"] if version == 1 else [b"MDPW02"]
        self.numbers = self.NUMBERS[version]
        self.service = service.encode()
        self.command("ready", self.service)

    def command(self, name, *frames):
        self.send(*self.head, bytes([self.numbers[name]]), *frames)

    def next(self, seconds=20.0):
        """The next command that is no heartbeat, and its frames."""
        names = {number: name for name, number in self.numbers.items()}
        limit = time.monotonic() + seconds * SLOW
        while True:
            assert time.monotonic() < limit, f"nothing but heartbeats for {seconds} s"
            frames = self.receive(seconds)
            assert frames[:len(self.head)] == self.head, frames
            name = names[frames[len(self.head)][0]]
            if name != "heartbeat":
                return name, frames[len(self.head) + 1:]
            self.command("heartbeat")

    def has_work(self, seconds):
        """Whether a command that is no heartbeat comes within that time."""
        while not self.is_silent(seconds):
            if self.receive()[len(self.head)][0] != self.numbers["heartbeat"]:
                return True
        return False

    def work(self):
        """The address and the body of the next request."""
        name, (address, empty, *body) = self.next()
        assert name == "request" and empty == b"", (name, empty)
        return address, body

    def answer(self, address, *body, command="final"):
        self.command(command, address, b"", *body)


class Foreign(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def client(self):
        client = Client(self.endpoint)
        self.addCleanup(client.socket.close)
        return client

    def worker(self, service="echo", version=2):
        worker = Worker(self.endpoint, service, version)
        self.addCleanup(worker.socket.close)
        return worker

    def mmi(self, name, body):
        client = self.client()
        client.send(b"", b"MDPC01", name.encode(), body.encode())
        return client.receive()[3:]

    def wait_served(self, service, code=b"200"):
        wait_for(lambda: self.mmi("mmi.service", service)[0] == code, what=f"{code} for {service}")

    def pool(self, name):
        return next(pool for pool in self.node.ask("pools") if pool["name"] == name)

    def error(self, frames):
        return json.loads(frames[-1])["error"]

    def test_each_version_serves_clients_of_each_version(self):
        for version in (1, 2):
            service = f"upper{version}"
            worker = self.worker(service, version)
            self.wait_served(service)
            client = self.client()

            client.send(b"", b"MDPC01", service.encode(), b"one", b"two")
            address, body = worker.work()
            self.assertEqual(body, [b"one", b"two"])
            worker.answer(address, b"ONE", b"TWO")
            self.assertEqual(client.receive(), [b"", b"MDPC01", service.encode(), b"ONE", b"TWO"])

            client.send(b"MDPC02", b"\x01", service.encode(), b"\xff\x00")
            address, body = worker.work()
            self.assertEqual(body, [b"\xff\x00"])
            worker.answer(address, b"")
            self.assertEqual(client.receive(), [b"MDPC02", b"\x03", service.encode(), b""])

    def test_partial_answers_come_as_they_are_made_and_to_version_01_with_the_last(self):
        worker = self.worker()
        new, old = self.client(), self.client()
        new.send(b"MDPC02", b"\x01", b"echo", b"go")
        address, _ = worker.work()
        worker.answer(address, b"a", command="partial")
        self.assertEqual(new.receive(), [b"MDPC02", b"\x02", b"echo", b"a"])
        worker.answer(address, b"b", b"c", command="partial")
        self.assertEqual(new.receive(), [b"MDPC02", b"\x02", b"echo", b"b", b"c"])
        worker.answer(address, b"end")
        self.assertEqual(new.receive(), [b"MDPC02", b"\x03", b"echo", b"end"])

        old.send(b"", b"MDPC01", b"echo", b"go")
        address, _ = worker.work()
        worker.answer(address, b"a", command="partial")
        worker.answer(address, b"b", command="partial")
        worker.answer(address, b"end")
        self.assertEqual(old.receive(), [b"", b"MDPC01", b"echo", b"a", b"b", b"end"])

    def test_worker_has_one_task_at_a_time_and_the_others_wait(self):
        worker, clients = self.worker(), [self.client() for _ in range(3)]
        self.wait_served("echo")  # else the third may come before the worker, to a full queue
        for i, client in enumerate(clients):
            client.send(b"MDPC02", b"\x01", b"echo", b"%d" % i)
        seen = []
        for _ in clients:
            address, body = worker.work()
            self.assertFalse(worker.has_work(0.02))
            seen += body
            worker.answer(address, *body)
        self.assertEqual(sorted(seen), [b"0", b"1", b"2"])
        for i, client in enumerate(clients):
            self.assertEqual(client.receive()[3], b"%d" % i)

    def test_worker_that_comes_to_a_running_pool_takes_what_waits(self):
        self.node = Node(CONFIG, ["majordomo.heartbeat_ms=60000"] + [
            f"pools.echo.{limit}=60000" for limit in ("queue_ms", "run_ms")])
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]
        first, clients = self.worker(), [self.client() for _ in range(2)]
        self.wait_served("echo")
        clients[0].send(b"MDPC02", b"\x01", b"echo", b"0")
        address, _ = first.work()
        clients[1].send(b"MDPC02", b"\x01", b"echo", b"1")
        wait_for(lambda: self.pool("echo")["queued"] == 1, what="the task that waits")

        second = self.worker()
        other, body = second.work()

        self.assertEqual(body, [b"1"])
        self.assertEqual(self.mmi("mmi.workers", "echo"), [b"200", b'{"workers":2,"busy":2}'])
        second.answer(other, b"by the second")
        first.answer(address, b"by the first")
        self.assertEqual([client.receive()[3] for client in clients], [b"by the first", b"by the second"])

    def test_full_queue_and_long_waits_are_refused(self):
        client = self.client()
        for _ in range(3):
            client.send(b"MDPC02", b"\x01", b"echo", b"\x81\xa1a\x01")
        codes = [msgpack.unpackb(client.receive()[3])["error"]["code"] for _ in range(3)]
        self.assertEqual(codes, ["E_BUSY", "E_NO_WORKER", "E_NO_WORKER"])

    def test_task_of_a_worker_that_leaves_goes_to_the_next(self):
        first = self.worker()
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"echo", b"task")
        first.work()
        second = self.worker()
        first.command("disconnect")

        address, body = second.work()
        self.assertEqual(body, [b"task"])
        second.answer(address, b"done")
        self.assertEqual(client.receive()[3], b"done")

    def test_task_of_a_worker_whose_connection_ends_goes_to_the_next(self):
        first = self.worker()
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"echo", b"task")
        first.work()
        second = self.worker()
        first.socket.close()

        address, _ = second.work()
        second.answer(address, b"done")
        self.assertEqual(client.receive()[3], b"done")

    def test_silent_worker_is_sent_away(self):
        worker = self.worker()
        self.wait_served("echo")
        self.wait_served("echo", b"404")  # the worker answers no heartbeat
        self.assertEqual(worker.next()[0], "disconnect")
        self.assertIn("it was silent", [e["why"] for e in self.node.events("foreign_worker_left")])

    def test_heartbeats_go_both_ways_and_keep_an_idle_worker(self):
        worker = self.worker(version=1)
        for _ in range(8):
            self.assertEqual(worker.receive(), [b"", b"MDPW01", b"\x04"])
            worker.command("heartbeat")
        self.assertEqual(self.mmi("mmi.service", "echo"), [b"200"])

    def test_worker_over_the_run_limit_is_sent_away_and_its_late_answer_dropped(self):
        worker, client = self.worker(), self.client()
        client.send(b"MDPC02", b"\x01", b"echo", b"task")
        address, _ = worker.work()
        end = time.monotonic() + 20
        while client.is_silent(0.05) and time.monotonic() < end:
            worker.command("heartbeat")
        self.assertEqual(self.error(client.receive())["code"], "E_TIMEOUT")
        self.assertEqual(worker.next()[0], "disconnect")
        worker.answer(address, b"late")
        self.assertEqual(worker.next()[0], "disconnect")  # it is nobody now
        self.assertTrue(client.is_silent())

    def test_second_ready_and_what_only_a_broker_says_end_the_worker(self):
        for version in (1, 2):
            worker = self.worker(version=version)
            worker.command("ready", b"echo")
            self.assertEqual(worker.next()[0], "disconnect")
            worker = self.worker(version=version)
            worker.answer(b"x", b"y", command="request")
            self.assertEqual(worker.next()[0], "disconnect")
        self.wait_served("echo", b"404")

    def test_command_before_ready_is_answered_with_disconnect(self):
        client = self.client()
        client.send(b"", b"MDPW01", b"\x04")
        self.assertEqual(client.receive(), [b"", b"MDPW01", b"\x05"])
        client.send(b"MDPW02", b"\x04", b"0000000000000001", b"", b"answer")
        self.assertEqual(client.receive(), [b"MDPW02", b"\x06"])

    def test_names_of_the_broker_and_of_built_in_tools_may_not_be_served(self):
        for service in ("mmi.service", "mmi.mine", "code_parse"):
            for version in (1, 2):
                worker = self.worker(service, version)
                self.assertEqual(worker.next()[0], "disconnect")
        self.assertTrue(self.node.events("worker_sent_away"))

    def test_many_strangers_do_not_flood_the_log(self):
        client = self.client()
        for _ in range(300):
            client.send(b"MDPW02", b"\x05")
        for _ in range(300):
            client.receive()
        self.assertLessEqual(len(self.node.events("worker_sent_away")), 12)

    def test_options_frame_is_sent_on_only_where_the_pool_says_so(self):
        options = b"TRP1" + msgpack.packb({"id": "7", "priority": 9})
        for service, sent_on, head in (("keen", True, [b"TRP1" + msgpack.packb({"id": "7"})]), ("echo", True, [])):
            worker, client = self.worker(service), self.client()
            client.send(b"MDPC02", b"\x01", service.encode(), options, b"body")
            address, body = worker.work()
            self.assertEqual(body, [options, b"body"])
            worker.answer(address, b"done")
            self.assertEqual(client.receive(), [b"MDPC02", b"\x03", service.encode(), *head, b"done"])

    def test_deadline_shrinks_on_the_way_to_a_worker(self):
        worker, client = self.worker("keen"), self.client()
        for name in ("first", "second"):
            options = {"id": name, "deadline_ms": 60000, "priority": 7, "key": "k"}
            client.send(b"MDPC02", b"\x01", b"keen", b"TRP1" + msgpack.packb(options), b"body")
        left = []
        for _ in range(2):
            address, (options, body) = worker.work()
            options = msgpack.unpackb(options[4:])
            left.append(options.pop("deadline_ms"))
            self.assertEqual((options["priority"], options["key"], body), (7, "k", b"body"))
            taken = time.monotonic()
            wait_for(lambda: time.monotonic() > taken + 0.01, what="some time")
            worker.answer(address, b"done")
        self.assertTrue(60000 > left[0] > left[1] > 0, left)

    def test_cancelled_task_is_answered_and_its_worker_freed(self):
        worker, client = self.worker("keen"), self.client()
        options = b"TRP1" + msgpack.packb({"id": "mine"})
        client.send(b"MDPC02", b"\x01", b"keen", options, b"running")
        worker.work()
        client.send(b"MDPC02", b"\x01", b"keen", b"TRP1" + msgpack.packb({"id": "next"}), b"queued")
        other = self.client()
        other.send(b"MDPC02", b"\x01", b"mmi.cancel", b"mine")
        self.assertEqual(other.receive()[3], b"404")  # not its own

        for name in (b"next", b"mine"):
            client.send(b"MDPC02", b"\x01", b"mmi.cancel", name)
            replies = [client.receive(), client.receive()]
            codes = [json.loads(reply[-1]) for reply in replies if reply[2] == b"keen"]
            self.assertEqual(codes[0]["error"]["code"], "E_CANCELLED")
            self.assertEqual([reply[3] for reply in replies if reply[2] == b"mmi.cancel"], [b"200"])
        client.send(b"MDPC02", b"\x01", b"mmi.cancel", b"mine")
        self.assertEqual(client.receive()[3], b"404")
        self.assertEqual(worker.next()[0], "disconnect")  # it works on: another one takes its place

    def test_mmi_tells_workers_and_queue(self):
        worker, client = self.worker(), self.client()
        for _ in range(2):
            client.send(b"MDPC02", b"\x01", b"echo", b"task")
        worker.work()

        self.assertEqual(self.mmi("mmi.workers", "echo"), [b"200", b'{"workers":1,"busy":1}'])
        self.assertEqual(self.mmi("mmi.queue", "echo"), [b"200", b'{"queued":1,"running":1,"limit":2}'])
        self.assertEqual(self.mmi("mmi.queue", "nothing"), [b"404"])

    def test_pools_show_foreign_workers_and_their_work(self):
        worker, client = self.worker(), self.client()
        client.send(b"MDPC02", b"\x01", b"echo", b"task")
        address, _ = worker.work()
        self.assertEqual([w["state"] for w in self.pool("echo")["workers"]], ["busy"])
        worker.answer(address, b"done")
        client.receive()
        self.assertEqual(self.pool("echo")["answered"], 1)

    def test_call_command_reaches_a_foreign_tool(self):
        worker = self.worker()
        call = self.node.start_command("call", "echo", '{"a": 1}')
        address, body = worker.work()
        worker.answer(address, b'{"answer": 42}')
        out, _ = call.communicate(timeout=30)
        self.assertEqual(body, [b'{"a":1}'])
        self.assertIn("42", out)

    def test_stop_finishes_the_task_and_sends_the_worker_away(self):
        worker, client = self.worker(), self.client()
        client.send(b"MDPC02", b"\x01", b"echo", b"task")
        address, _ = worker.work()
        self.node.send_signal(signal.SIGTERM)
        wait_for(lambda: self.node.events("draining"), what="the drain")
        worker.answer(address, b"done")
        self.assertEqual(client.receive()[3], b"done")
        self.assertEqual(worker.next()[0], "disconnect")
        self.assertEqual(self.node.wait_ended(), 0)


if __name__ == "__main__":
    unittest.main()
