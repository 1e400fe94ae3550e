# SPDX-License-Identifier: MIT
"""Workers that run another build of the node's program, in which a struct has another layout."""
import os
import stat
import sys
import unittest

from majordomo import Client
from node import PROGRAM, Node, wait_for
from test_upgrade import Load

BUILD = [None, *(os.path.join(os.path.dirname(PROGRAM), "tests", f"layout-{number}") for number in (1, 2, 3))]
CONFIG = """
node
    name = layout
majordomo
    endpoint = "tcp://127.0.0.1:*"
tree
    children
        scale
            class = scale
pools
    gauge
        class = gauge
        place = PLACE
        min = 2
        tools = "weigh garble"
"""

# A worker that says hello as it should, then one frame, as bytes, that it should not.
ILL_WORKER = """#!{python}
import os, struct, zmq, msgpack
node, incarnation, token, _, run_dir = os.environ["TROUPE_WORKER"].split(":", 4)
node, incarnation, token = int(node), int(incarnation), bytes.fromhex(token)
socket = zmq.Context().socket(zmq.DEALER)
socket.setsockopt(zmq.ROUTING_ID, b"W" + struct.pack(">HI", node & 0xffff, incarnation) + token)
socket.connect("ipc://" + run_dir + "/link")
def frame(kind, body=b"", count=0, version=2):
    socket.send(struct.pack("<IBBHIIQQ", 0x4c505254, version, kind, count, len(body), 0, 0, 0) + body)
hello = msgpack.packb({{"token": token, "node": node, "incarnation": incarnation, "os_pid": os.getpid()}})
frame(1, hello, version={version})
welcome, start = socket.recv(), socket.recv()
frame(4)
pid = struct.pack("<IIII", node, 1, 1, incarnation)
frame(5, pid + pid + struct.pack("<QqIHBBII", 0, 0, 0, 0x1000, 0x10, 0, 8, 0) + bytes(8), count=1)
socket.recv()
"""


class Layout(unittest.TestCase):
    def start(self, place="process", settings=()):
        node = Node(CONFIG.replace("PLACE", place), settings, program=BUILD[1])
        self.addCleanup(node.close)
        return node

    def weigh(self, node, number):
        with Client(node.endpoints["majordomo"]) as client:
            return client.call_02("weigh", {"number": number})

    def expect_right(self, answer, builds, number):
        self.assertTrue(answer["success"], answer)
        self.assertIn(answer["result"].pop("build"), builds)
        self.assertEqual(answer["result"], {"number": number + 1, "celsius": 43.0, "idle": True, "sensor": 7})

    def test_a_struct_is_the_same_in_each_place(self):
        for place in ("pool", "thread", "process"):
            with self.subTest(place=place):
                self.expect_right(self.weigh(self.start(place), 5), (1,), 5)

    def test_a_struct_is_the_same_in_a_build_with_another_layout(self):
        node = self.start(settings=[f"pools.gauge.program={BUILD[2]}"])

        self.expect_right(self.weigh(node, 7), (2,), 7)

    def test_an_upgrade_to_another_layout_fails_no_task_and_changes_no_value(self):
        node = self.start()

        with Recorded(node.endpoints["majordomo"]) as load:
            run = node.command("upgrade", "gauge", BUILD[2], timeout=60)

        self.assertEqual((run.returncode, run.stdout), (0, "replaced 2\n"), run.stderr)
        self.assertEqual(load.faults, [])
        self.assertEqual({answer["result"]["build"] for answer in load.answers}, {1, 2})
        for answer in load.answers:
            self.expect_right(answer, (1, 2), 5)

    def test_an_upgrade_to_a_build_that_can_not_read_ours_is_rolled_back_and_says_why(self):
        node = self.start()

        with Recorded(node.endpoints["majordomo"]) as load:
            run = node.command("upgrade", "gauge", BUILD[3], timeout=60)

        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("the program needs measure.unit", run.stderr)
        self.assertIn("the pool is as it was", run.stderr)
        self.assertEqual([row["what"] for row in node.events("messages_do_not_fit")], ["measure.unit"])
        self.assertEqual(load.faults, [])
        self.assertGreater(len(load.answers), 0)
        for answer in load.answers:
            self.expect_right(answer, (1,), 5)

    def test_a_node_with_such_a_build_in_its_file_does_not_start_and_says_why(self):
        node = Node(CONFIG.replace("PLACE", "process"), [f"pools.gauge.program={BUILD[3]}"], program=BUILD[1],
                    expect_ready=False)
        self.addCleanup(node.close)

        self.assertNotEqual(node.wait_ended(), 0)
        self.assertIn("the program needs measure.unit", node.log())

    def test_garbage_with_the_tag_of_a_struct_is_refused_by_its_reader(self):
        node = self.start()

        with Client(node.endpoints["majordomo"]) as client:
            self.assertTrue(client.call_02("garble", {"number": 1})["success"])

        wait_for(lambda: len(node.events("not_weighed")) == 2, what="two refusals")
        self.expect_right(self.weigh(node, 9), (1,), 9)

    def expect_broken(self, node, version, reason):
        worker = os.path.join(node.folder, "worker.py")
        with open(worker, "w", encoding="utf-8") as file:
            file.write(ILL_WORKER.format(python=sys.executable, version=version))
        os.chmod(worker, stat.S_IRWXU)

        run = node.command("upgrade", "gauge", worker, timeout=60)

        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn(reason, run.stderr)
        self.assertIn(reason, [row["rule"] for row in node.events("worker_broke_protocol")])
        self.expect_right(self.weigh(node, 3), (1,), 3)

    def test_a_worker_that_sends_a_struct_as_it_is_in_memory_breaks_the_protocol(self):
        self.expect_broken(self.start(), 2, "a frame is ill-formed or out of order")

    def test_a_worker_with_another_version_of_the_link_is_told_so(self):
        self.expect_broken(self.start(), 1, "built with another version of the link")


class Recorded(Load):
    """Load whose whole answers are kept."""

    def __init__(self, endpoint):
        self.answers = []
        super().__init__(endpoint, call=("weigh", {"number": 5}))

    def run(self, endpoint):
        with Client(endpoint) as client:
            try:
                while not self.over.is_set():
                    self.answers.append(client.call_02(*self.call))
            except AssertionError as fault:
                self.faults.append(fault)


if __name__ == "__main__":
    unittest.main()
