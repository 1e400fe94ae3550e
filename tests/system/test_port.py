# SPDX-License-Identifier: MIT
"""Hostile messages on the Majordomo port: dropped, counted, and `troupe port` shows how many."""
import json
import os
import random
import unittest

from majordomo import Client
from node import WORKSHOP, Node, wait_for

READY_02 = [b"MDPW02", b"\x01", b"crawl"]


class Port(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(WORKSHOP)
        cls.addClassCleanup(cls.node.close)

    def client(self):
        client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(client.socket.close)
        return client

    def figures(self):
        return json.loads(self.node.command("port", "--json").stdout)

    def counted(self, figure, messages):
        """Sends them, and waits until so many more are counted."""
        before = self.figures()[figure]
        client = self.client()
        for frames in messages:
            client.send(*frames)
        wait_for(lambda: self.figures()[figure] == before + len(messages), 20, f"{len(messages)} more {figure}")
        self.assertEqual(self.client().call_02("code_parse", {"language": "json", "code": "[1]"})["success"], True)
        return client

    def test_what_fits_no_message_is_junk(self):
        client = self.counted("junk", [
            [b""], [b"", b""], [b"MDPC02"], [b"MDPC02", b"\x01"], [b"MDPC02", b"\x02", b"x", b"y"],
            [b"MDPC02", b"\x01\x01", b"x"], [b"MDPC03", b"\x01", b"x"], [b"", b"MDPC01"],
            [b"", b"MDPC02", b"\x01", b"x"],
            [b"MDPC01", b"x", b"y"], [b"MDPC02", b"\x01", b""], [b"MDPC02", b"\x01", b"n" * 256, b"{}"],
            [b"MDPC02", b"\x01", b"\xff", b"{}"], [b"MDPC02", b"\x01", b"a\nb", b"{}"],
            [b"MDPW02"], [b"MDPW02", b"\x00"], [b"MDPW02", b"\x07"], [b"MDPW02", b"\x01"], [b"MDPW02", b"\x01", b""],
            [b"MDPW02", b"\x01", b"a", b"b"], [b"MDPW02", b"\x04", b"a", b"b", b"c"], [b"MDPW02", b"\x05", b"x"],
            [b"", b"MDPW01"], [b"", b"MDPW01", b"\x06"], [b"", b"MDPW01", b"\x03", b"a"]])
        self.assertTrue(client.is_silent())

    def test_random_frames_kill_nothing(self):
        random.seed(11)
        self.counted("junk", [[os.urandom(random.randrange(40)) + b"!" for _ in range(random.randrange(1, 9))]
                              for _ in range(2000)])

    def test_ten_thousand_frames_are_one_dropped_message(self):
        for head in ([b"MDPC02", b"\x01", b"code_parse"], [b"", b"MDPW01", b"\x02"], []):
            self.counted("oversized", [head + [b"x"] * 10000])

    def test_workers_that_break_the_protocol_are_sent_away(self):
        for frames in ([b"MDPW02", b"\x05"], [b"MDPW02", b"\x04", b"a", b"", b"c"], [b"MDPW02", b"\x01", b"mmi.x"],
                       [b"MDPW02", b"\x01", b"code_parse"]):
            client = self.counted("sent_away", [frames])
            self.assertEqual(client.receive(), [b"MDPW02", b"\x06"])
        client = self.counted("sent_away", [[b"", b"MDPW01", b"\x04"]])
        self.assertEqual(client.receive(), [b"", b"MDPW01", b"\x05"])

    def test_a_second_ready_ends_the_worker(self):
        client = self.client()
        client.send(*READY_02)
        wait_for(lambda: self.figures()["workers"] == 1, what="the worker")
        client.send(*READY_02)
        wait_for(lambda: self.figures()["workers"] == 0, what="its end")
        self.assertEqual(client.receive(), [b"MDPW02", b"\x06"])

    def test_the_table_names_each_figure(self):
        shown = self.node.command("port").stdout
        for figure in self.figures():
            self.assertIn(figure, shown)


if __name__ == "__main__":
    unittest.main()
