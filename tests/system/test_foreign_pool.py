# SPDX-License-Identifier: MIT
"""A pool of foreign workers gets what pools of ours get: strategies, order for each key, priorities, limits."""
import json
import unittest

import msgpack

from majordomo import OnOneNode
from node import wait_for
from test_foreign import Worker

CONFIG = """
node
    name = foreign
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    sticky
        foreign = 1
        options = 1
        tools = "sticky"
        strategy = hash
    ordered
        foreign = 1
        options = 1
        tools = "ordered"
        order = key
    brief
        foreign = 1
        options = 1
        tools = "brief"
        attempts_max = 2
        run_ms = 60000
"""


class ForeignPool(OnOneNode):
    config = CONFIG

    def workers(self, tool, count):
        workers = [Worker(self.endpoint, tool, 2) for _ in range(count)]
        for worker in workers:
            self.addCleanup(worker.socket.close)
        wait_for(lambda: len(self.pool(tool)["workers"]) == count, what="the workers")
        return workers

    def pool(self, tool):
        return next(pool for pool in self.node.ask("pools") if pool["name"] == tool)

    def send(self, tool, body, **options):
        frame = b"TRP1" + msgpack.packb({"id": body.decode(), **options})
        self.client.send(b"MDPC02", b"\x01", tool.encode(), frame, body)

    def answers(self, count):
        """The body of each answer by its call."""
        answers = [self.client.receive() for _ in range(count)]
        return {msgpack.unpackb(frames[3][4:])["id"]: frames[4] for frames in answers}

    def wait_for_work(self, workers):
        """Which of the workers got a request: its number, address and body."""
        def got():
            for i, worker in enumerate(workers):
                while worker.socket.poll(0):
                    frames = worker.receive()
                    if frames[1] == b"\x02":
                        return i, frames[2], frames[5]
            return None
        return wait_for(got, what="a request")

    def test_a_key_stays_with_its_worker_by_hash(self):
        workers = self.workers("sticky", 3)
        holders = {}
        for number in range(40):
            key = f"key-{number % 10}"
            self.send("sticky", b"%d" % number, key=key)
            i, address, _ = self.wait_for_work(workers)
            self.assertEqual(holders.setdefault(key, i), i)
            workers[i].answer(address, b"done")
            self.client.receive()
        self.assertGreater(len(set(holders.values())), 1)

    def test_tasks_of_one_key_run_one_after_another(self):
        workers = self.workers("ordered", 2)
        for body, key in ((b"a1", "a"), (b"a2", "a"), (b"b1", "b")):
            self.send("ordered", body, key=key)
        first, second = sorted((self.wait_for_work(workers) for _ in range(2)), key=lambda got: got[2])
        self.assertEqual(([first[2], second[2]], sorted([first[0], second[0]])), ([b"a1", b"b1"], [0, 1]))
        workers[second[0]].answer(second[1], b"done")
        self.assertEqual(self.answers(1), {"b1": b"done"})
        self.assertFalse(workers[second[0]].has_work(0.05))  # it is free, and the key is not
        workers[first[0]].answer(first[1], b"done")
        i, address, body = self.wait_for_work(workers)
        self.assertEqual(body, b"a2")
        workers[i].answer(address, b"done")
        self.assertEqual(self.answers(2), {"a1": b"done", "a2": b"done"})

    def test_a_higher_priority_goes_first(self):
        worker, = self.workers("sticky", 1)
        self.send("sticky", b"at work")
        address, _ = worker.work()
        for body, options in ((b"low", {"priority": 0}), (b"usual", {}), (b"high", {"priority": 9})):
            self.send("sticky", body, **options)
        wait_for(lambda: self.pool("sticky")["queued"] == 3, what="three that wait")
        seen = []
        for _ in range(3):
            worker.answer(address, b"done")
            address, frames = worker.work()
            seen.append(frames[1])
        worker.answer(address, b"done")
        self.assertEqual(seen, [b"high", b"usual", b"low"])
        self.assertEqual(len(self.answers(4)), 4)

    def test_attempts_are_bounded_by_their_number_and_the_deadline(self):
        self.send("brief", b"{}1")
        for _ in range(2):
            worker = Worker(self.endpoint, "brief", 2)
            worker.work()
            worker.socket.close()
        error = json.loads(self.answers(1)["{}1"])["error"]
        self.assertEqual((error["code"], error["attempts"]), ("E_WORKER_LOST", 2))

        first, second = self.workers("brief", 2)
        self.send("brief", b"{}2", deadline_ms=2000)
        i, _, _ = self.wait_for_work([first, second])
        (first, second)[i].command("disconnect")
        (second, first)[i].work()
        error = json.loads(self.answers(1)["{}2"])["error"]
        self.assertEqual(error["code"], "E_TIMEOUT")  # of the task, not of this attempt: that has a minute


if __name__ == "__main__":
    unittest.main()
