# SPDX-License-Identifier: MIT
"""Majordomo spelled out, frame by frame: what a client in any language would send."""
import json
import unittest

import msgpack
import zmq

from node import SLOW, Node


class Client:
    """A plain DEALER: nothing but frames."""

    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.send_multipart(list(frames))

    def receive(self, seconds=20.0):
        if not self.socket.poll(int(1000 * seconds * SLOW)):
            raise AssertionError(f"no reply within {seconds * SLOW:.0f} s")
        return self.socket.recv_multipart()

    def is_silent(self, seconds=0.3):
        return not self.socket.poll(int(1000 * seconds))

    def call_01(self, tool, body):
        """Version 0.1 with a JSON body; the reply map."""
        self.send(b"", b"MDPC01", tool.encode(), json.dumps(body).encode())
        frames = self.receive()
        assert frames[:3] == [b"", b"MDPC01", tool.encode()] and len(frames) == 4, frames
        return json.loads(frames[3])

    def call_02(self, tool, body):
        """Version 0.2 with a MessagePack body; the reply map."""
        self.send(b"MDPC02", b"\x01", tool.encode(), msgpack.packb(body))
        frames = self.receive()
        assert frames[:3] == [b"MDPC02", b"\x03", tool.encode()] and len(frames) == 4, frames
        return msgpack.unpackb(frames[3], strict_map_key=False)

    def raw_01(self, tool, *body):
        """Version 0.1 with body frames as they are; the body of the reply, decoded."""
        self.send(b"", b"MDPC01", tool.encode(), *body)
        body = self.receive()[-1]
        return json.loads(body) if body[:1] == b"{" else msgpack.unpackb(body, strict_map_key=False)


class OnOneNode(unittest.TestCase):
    """Tests that share a node of this configuration, each with a client of its own."""
    config = None

    @classmethod
    def setUpClass(cls):
        cls.node = Node(cls.config)
        cls.addClassCleanup(cls.node.close)
        cls.endpoint = cls.node.endpoints["majordomo"]

    def setUp(self):
        self.client = Client(self.endpoint)
        self.addCleanup(self.client.socket.close)
