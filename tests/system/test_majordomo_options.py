# SPDX-License-Identifier: MIT
"""The options frame, frame by frame: each answer to a request that has one begins with one, and names its call."""
import json
import os
import sys
import unittest

import msgpack

from majordomo import OnOneNode
from node import ROOT

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))

import troupe_client  # noqa: E402

CONFIG = """
node
    name = options
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    keen
        foreign = 1
        options = 1
        tools = "keen"
        queue_max = 1
    plain
        foreign = 1
        tools = "plain"
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
CODE = {"language": "c", "code": "int f;"}


def packed(**options):
    return b"TRP1" + msgpack.packb(options)


class Options(OnOneNode):
    config = CONFIG

    def ask(self, tool, options, *body):
        """The options of the answer, and its body frames."""
        self.client.send(b"MDPC02", b"\x01", tool, options, *body)
        frames = self.client.receive()
        self.assertEqual((frames[:3], frames[3][:4]), ([b"MDPC02", b"\x03", tool], b"TRP1"))
        return msgpack.unpackb(frames[3][4:]), frames[4:]

    def refused(self, tool, options, *body):
        told, (reply,) = self.ask(tool, options, *body)
        return told, json.loads(reply)["error"]

    def test_each_answer_names_its_call(self):
        for tool, body, code in ((b"code_parse", b"{}", "E_BAD_PAYLOAD"), (b"code_parse", b"[", "E_BAD_BODY"),
                                 (b"nothing", b"{}", "E_UNKNOWN_TOOL")):
            for name in ("7", "x" * 64, "\u00e4\u65e5", "\x01"):
                told, error = self.refused(tool, packed(id=name), body)
                self.assertEqual((told, error["code"]), ({"id": name}, code))
        self.assertEqual(self.ask(b"mmi.service", packed(id="a"), b"code_parse"), ({"id": "a"}, [b"200"]))
        self.assertEqual(self.ask(b"mmi.nothing", packed(id="b"), b""), ({"id": "b"}, [b"501"]))
        told, (reply,) = self.ask(b"code_parse", packed(id="c"), json.dumps(CODE).encode())
        self.assertEqual((told, json.loads(reply)["success"]), ({"id": "c"}, True))

    def test_a_refusal_of_bad_options_names_its_call_where_the_id_is_sound(self):
        for path, value in (("priority", 10), ("deadline_ms", 0), ("deadline_ms", 86400001), ("key", ""),
                            ("key", "k" * 65), ("idem", "i" * 129), ("stream", 1), ("colour", "red")):
            options = {path: value}
            for frame in (packed(id="7", **options), packed(**options, id="7")):
                for tool in (b"keen", b"code_parse", b"nothing"):
                    told, error = self.refused(tool, frame, b"{}")
                    self.assertEqual((error["code"], error["path"]), ("E_BAD_PAYLOAD", f"options.{path}"))
                    self.assertEqual(told, {"id": "7"}, options)
        for frame in (packed(id="x" * 65), packed(id=""), packed(id=7), packed(id="a\0b"), packed(id=None, priority=10),
                      b"TRP1", b"TRP1\xc1", b"TRP1\x91\x01", b"TRP1\x82\xa2id\xa17", packed(id="7") + b"\x00",
                      packed(id="7", key="k" * 4096), b'TRP1{"id": "7"}' + b" " * 4096):
            told, error = self.refused(b"code_parse", frame, b"{}")
            self.assertEqual((told, error["code"]), ({}, "E_BAD_PAYLOAD"), frame)

    def test_clients_hear_of_bad_options_at_once(self):
        with troupe_client.Client(self.endpoint) as client:
            for options in ({"priority": 10}, {"colour": "red"}, {"key": "k" * 65}):
                with self.assertRaises(troupe_client.ToolInput):
                    client.call("code_parse", CODE, timeout=60, **options)
            self.assertEqual(client.unexpected, 0)

    def test_escapes_of_json_do_not_make_them_too_large(self):
        options = {"id": "\u0001" * 64, "key": "\u0001" * 64, "idem": "\u0001" * 128, "deadline_ms": 60000,
                   "priority": 9, "stream": True}
        told, error = self.refused(b"code_parse", b"TRP1" + json.dumps(options).encode(), b"{}")
        self.assertEqual((told["id"], error["code"], error["path"]), ("\u0001" * 64, "E_BAD_PAYLOAD", "code"))

    def test_a_refusal_has_the_form_of_the_body_behind_them(self):
        for tool, options in ((b"keen", packed(id="7", deadline_ms=1)), (b"nothing", packed(id="7"))):
            _, (reply,) = self.ask(tool, options, b"\x81\xa1a\x01")
            self.assertIs(msgpack.unpackb(reply)["success"], False)
            for body in ([b'{"a": 1}'], [b"no map"], [b""], []):
                _, error = self.refused(tool, options, *body)
                self.assertTrue(error["code"])
        _, (reply,) = self.ask(b"keen", packed(id="7", deadline_ms=1), b"\x81\xa1a\x01", b"two", b"three")
        self.assertEqual(msgpack.unpackb(reply)["error"]["code"], "E_EXPIRED")


if __name__ == "__main__":
    unittest.main()
