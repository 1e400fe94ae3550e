# SPDX-License-Identifier: MIT
"""Work that is done once for all who ask for it: results that are kept, calls that are joined, idempotency keys."""
import json
import os
import signal
import sys
import threading
import unittest

import msgpack

from majordomo import Client
from node import ROOT, Node, wait_for
from test_foreign import Worker

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))

import troupe_client  # noqa: E402
import troupe_worker  # noqa: E402

CONFIG = """
node
    name = cache
majordomo
    endpoint = "tcp://127.0.0.1:*"
cache
    entries_max = 20
    ttl_ms = 600000
    idem_ms = 600000
pools
    parser
        class = parser
        place = process
        min = 1
        cache = 1
        tools = "code_parse"
    echo
        foreign = 1
        options = 1
        tools = "echo"
    kept
        foreign = 1
        options = 1
        cache = 1
        tools = "kept bytes"
"""


def source(number):
    return {"language": "c", "code": f"int f{number}(void) {{ return {number}; }}"}


def slow_source():
    """A body small enough for the edge to key."""
    return {"language": "c", "code": "int f(int a) { return a; }\n" * 500}


class CacheNode(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)
        self.endpoint = self.node.endpoints["majordomo"]

    def client(self):
        client = Client(self.endpoint)
        self.addCleanup(client.socket.close)
        return client

    def pool(self, name="parser"):
        return next(pool for pool in self.node.ask("pools") if pool["name"] == name)

    def send_idem(self, client, key, body, service=b"code_parse"):
        client.send(b"MDPC02", b"\x01", service, b"TRP1" + msgpack.packb({"idem": key}), body)

    def stop_worker(self):
        """Holds the worker: what it gets stays under way."""
        victim = self.node.workers("parser")[0]["os_pid"]
        os.kill(victim, signal.SIGSTOP)
        self.addCleanup(lambda: os.path.exists(f"/proc/{victim}") and os.kill(victim, signal.SIGCONT))
        return victim


class Cache(CacheNode):
    def test_second_identical_call_comes_from_the_cache_in_either_form(self):
        client = self.client()
        first = client.call_01("code_parse", source(1))
        second = client.call_01("code_parse", dict(reversed(source(1).items())))
        third = client.call_02("code_parse", source(1))

        self.assertEqual([r["from_cache"] for r in (first, second, third)], [False, True, True])
        self.assertEqual(second["result"], first["result"])
        self.assertEqual(third["result"]["root"], first["result"]["root"])
        self.assertEqual(len({r["task_id"] for r in (first, second, third)}), 3)
        self.assertEqual(self.pool()["workers"][0]["done"], 1)

    def test_errors_are_not_kept(self):
        client = self.client()
        for _ in range(2):
            reply = client.call_01("code_parse", {"language": "klingon", "code": ""})
            self.assertEqual((reply["success"], reply["from_cache"]), (False, False))

    def test_the_least_recently_used_is_dropped(self):
        client = self.client()
        for number in [*range(20), 0, 20]:
            client.call_02("code_parse", source(number))
        self.assertIs(client.call_02("code_parse", source(20))["from_cache"], True)
        self.assertIs(client.call_02("code_parse", source(0))["from_cache"], True)  # the first to come was used since
        self.assertIs(client.call_02("code_parse", source(1))["from_cache"], False)

    def test_the_bytes_that_are_configured_bound_what_is_kept(self):
        limit = 8192
        with Node(CONFIG, [f"cache.bytes_max={limit}", "cache.entries_max=10000"]) as node, \
                Client(node.endpoints["majordomo"]) as client:
            for number in range(60):
                self.assertIs(client.call_02("code_parse", source(number))["success"], True)
            figures = json.loads(node.command("cache", "--json").stdout)["results"]
            self.assertLessEqual(figures["bytes"], limit)
            self.assertGreater(figures["bytes"], limit / 2)
            self.assertGreater(figures["entries"], 1)
            self.assertEqual(figures["evictions"], 60 - figures["entries"])
            self.assertIs(client.call_02("code_parse", source(59))["from_cache"], True)
            self.assertIs(client.call_02("code_parse", source(0))["from_cache"], False)

    def test_what_is_kept_is_kept_for_the_time_that_is_configured(self):
        with Node(CONFIG, ["cache.ttl_ms=300"]) as node, Client(node.endpoints["majordomo"]) as client:
            self.assertIs(client.call_02("code_parse", source(1))["from_cache"], False)
            wait_for(lambda: not client.call_02("code_parse", source(1))["from_cache"], what="the end of its time")
            figures = json.loads(node.command("cache", "--json").stdout)["results"]
            self.assertEqual((figures["expirations"], figures["evictions"]), (1, 0))

    def test_identical_calls_under_way_are_made_once(self):
        clients = [self.client() for _ in range(5)]
        victim = self.stop_worker()
        for client in clients:
            client.send(b"MDPC02", b"\x01", b"code_parse", msgpack.packb(slow_source()))
        wait_for(lambda: self.pool()["accepted"] == 5, what="five calls")
        self.assertEqual((self.pool()["running"], self.pool()["queued"]), (1, 0))
        os.kill(victim, signal.SIGCONT)

        replies = [msgpack.unpackb(client.receive()[3]) for client in clients]
        self.assertEqual([r["success"] for r in replies], [True] * 5)
        self.assertEqual(len({r["task_id"] for r in replies}), 5)
        self.assertEqual(self.pool()["workers"][0]["done"], 1)

    def test_first_caller_that_gives_up_or_cancels_does_not_fail_the_others(self):
        first, second, third = self.client(), self.client(), self.client()
        victim = self.stop_worker()
        for client, options in ((first, {"id": "1", "deadline_ms": 200}), (second, {"id": "2"}), (third, {"id": "3"})):
            client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb(options),
                        msgpack.packb(slow_source()))
            wait_for(lambda: self.pool()["accepted"] > 0, what="the call")
        self.assertEqual(msgpack.unpackb(first.receive()[4])["error"]["code"], "E_TIMEOUT")
        second.send(b"MDPC02", b"\x01", b"mmi.cancel", b"2")
        codes = [second.receive(), second.receive()]
        self.assertIn(b"200", [frames[3] for frames in codes])
        os.kill(victim, signal.SIGCONT)

        self.assertIs(msgpack.unpackb(third.receive()[4])["success"], True)

    def test_work_survives_the_death_of_its_worker_for_all_who_wait(self):
        clients = [self.client() for _ in range(3)]
        victim = self.stop_worker()
        for client in clients:
            client.send(b"MDPC02", b"\x01", b"code_parse", msgpack.packb(slow_source()))
        wait_for(lambda: self.pool()["accepted"] == 3, what="three calls")
        os.kill(victim, signal.SIGKILL)

        for client in clients:
            self.assertIs(msgpack.unpackb(client.receive()[3])["success"], True)

    def test_same_idempotency_key_is_done_once_errors_included(self):
        for body in (source(1), {"language": "klingon", "code": ""}):
            key = str(len(body["code"]))
            replies = []
            for _ in range(3):
                client = self.client()
                self.send_idem(client, key, json.dumps(body).encode())
                replies.append(json.loads(client.receive()[4]))
            self.assertEqual([r["from_cache"] for r in replies], [False, True, True])
            self.assertEqual(len({json.dumps(r.get("result", r.get("error"))) for r in replies}), 1)
        self.assertEqual(self.pool()["workers"][0]["done"], 2)

    def test_same_idempotency_key_at_a_foreign_tool_is_done_once_and_answered_with_all_frames(self):
        worker = Worker(self.endpoint, "echo", 2)
        self.addCleanup(worker.socket.close)
        first, second, third = self.client(), self.client(), self.client()
        self.send_idem(first, "k", b"work", b"echo")
        address, _ = worker.work()
        self.send_idem(second, "k", b"work", b"echo")
        wait_for(lambda: self.pool("echo")["accepted"] == 2, what="the second")
        worker.answer(address, b"one", b"two")
        self.send_idem(third, "k", b"work", b"echo")

        for client in (first, second, third):
            self.assertEqual(client.receive()[4:], [b"one", b"two"])
        self.assertFalse(worker.has_work(0.1))

    def test_failed_attempts_of_the_router_may_be_made_again_under_the_same_key(self):
        client = self.client()
        self.stop_worker()
        client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb({"idem": "k", "deadline_ms": 100}),
                    json.dumps(source(1)).encode())
        self.assertEqual(json.loads(client.receive()[4])["error"]["code"], "E_TIMEOUT")
        os.kill(self.node.workers("parser")[0]["os_pid"], signal.SIGCONT)
        self.send_idem(client, "k", json.dumps(source(1)).encode())
        self.assertIs(json.loads(client.receive()[4])["success"], True)


class LargeBodies(CacheNode):
    """Over 16 KiB: read by an actor on the pool threads, not on the edge."""

    @staticmethod
    def large(number):
        return {"language": "c", "code": f"/* {number} {'x' * 40000} */ int f;", "options": {"max_nodes": 10}}

    def test_large_body_comes_from_the_cache_in_either_form(self):
        client = self.client()
        first = client.call_01("code_parse", self.large(1))
        again = client.call_01("code_parse", dict(reversed(self.large(1).items())))
        other = client.call_01("code_parse", self.large(2))
        self.assertEqual([reply["from_cache"] for reply in (first, again, other)], [False, True, False])
        self.assertEqual(first["result"], again["result"])
        client.send(b"", b"MDPC01", b"code_parse", msgpack.packb(self.large(1)))
        self.assertIs(msgpack.unpackb(client.receive()[3])["from_cache"], True)

    def test_requests_of_one_client_keep_their_order_across_sizes(self):
        client = self.client()
        client.call_01("code_parse", source(0))
        names = []
        for i in range(20):
            names.append(f"n{i}")
            body = self.large(i) if i % 3 == 0 else source(i + 1)
            client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb({"id": names[-1]}),
                        json.dumps(body).encode())
        answered = [msgpack.unpackb(client.receive()[3][4:])["id"] for _ in names]
        self.assertEqual(answered, names)

    def test_call_can_be_cancelled_while_its_body_is_read(self):
        client = self.client()
        client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb({"id": "a"}),
                    json.dumps(self.large(1)).encode())
        client.send(b"MDPC02", b"\x01", b"mmi.cancel", b"a")
        frames = [client.receive(), client.receive()]
        self.assertIn(b"200", [frame for message in frames for frame in message])

    def snapshot(self):
        return json.loads(self.node.command("snapshot", "--json").stdout)["tasks"]

    def test_stop_waits_for_bodies_that_are_being_read(self):
        client = self.client()
        for i in range(10):
            client.send(b"", b"MDPC01", b"code_parse", json.dumps(self.large(i)).encode())
        client.send(b"", b"MDPC01", b"mmi.service", b"code_parse")
        early = []  # answers before that of the last question, when all bodies have come
        while not early or early[-1][2] != b"mmi.service":
            early.append(client.receive())
        self.node.send_signal(signal.SIGTERM)
        codes = [json.loads(frames[3]) for frames in early[:-1]]
        codes += [json.loads(client.receive()[3]) for _ in range(10 - len(codes))]
        self.assertTrue(all(reply["success"] or reply["error"]["code"] == "E_BUSY" for reply in codes))
        self.node.wait_ended()

    def test_broken_large_bodies_are_refused_with_the_place_and_others_go_on(self):
        client = self.client()
        whole = json.dumps(self.large(1)).encode()
        for broken in (whole[:-1], whole + b"}", b"\xff" + whole, whole.replace(b"int f", b"\xff\xfe"),
                       msgpack.packb(self.large(1))[:-3]):
            client.send(b"", b"MDPC01", b"code_parse", broken)
            reply = client.receive()[3]
            reply = json.loads(reply) if reply[:1] == b"{" else msgpack.unpackb(reply)
            self.assertEqual(reply["error"]["code"], "E_BAD_BODY", broken[:20])
        self.assertIs(client.call_01("code_parse", source(3))["success"], True)


class ForeignCache(CacheNode):
    """A tool whose workers are foreign has the same cache: here the Python worker of the examples."""

    def setUp(self):
        super().setUp()
        self.runs = []
        self.gate = threading.Event()
        self.gate.set()
        for _ in range(2):
            self.serve("kept", self.work)

    def serve(self, tool, function, **options):
        worker = troupe_worker.Worker(self.endpoint, tool, function, **options)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)
        self.addCleanup(self.gate.set)
        return worker

    def work(self, body):
        self.runs.append(body)
        self.gate.wait(60)
        if body.get("parts"):
            return self.in_parts(body["parts"])
        if body.get("fail"):
            raise ValueError("wanted")
        return {"n": body["n"], "run": len(self.runs)}

    @staticmethod
    def in_parts(count):
        yield from range(count)
        return {"parts": count}

    def python(self):
        client = troupe_client.Client(self.endpoint)
        self.addCleanup(client.close)
        return client

    def cache(self):
        return json.loads(self.node.command("cache", "--json").stdout)

    def test_second_identical_call_is_not_made(self):
        client = self.python()
        first = client.call("kept", {"n": 1, "m": 2})
        self.assertEqual(client.call("kept", {"m": 2, "n": 1}), first)
        self.assertEqual(self.python().call("kept", {"n": 1, "m": 2}), first)
        self.assertEqual(len(self.runs), 1)
        self.assertNotEqual(client.call("kept", {"n": 2}), first)
        self.assertEqual(self.cache()["results"]["hits"], 2)

    @staticmethod
    def raw(client, body, decode):
        client.send(b"MDPC02", b"\x01", b"kept", body)
        return decode(client.receive()[3])

    def test_each_form_has_its_own_answer(self):
        client = self.client()
        for _ in range(2):
            self.assertEqual(self.raw(client, b'{"n": 1}', json.loads)["result"]["run"], 1)
            self.assertEqual(self.raw(client, msgpack.packb({"n": 1}), msgpack.unpackb)["result"]["run"], 2)
        self.assertEqual(len(self.runs), 2)

    def test_the_command_gets_the_whole_reply_from_it_too(self):
        first, second = (json.loads(self.node.command("call", "kept", '{"n": 1}', "--json").stdout) for _ in range(2))
        self.assertEqual((first["from_cache"], second["from_cache"]), (False, True))
        self.assertEqual(first["result"], second["result"])
        self.assertTrue(first["metrics"]["worker"].startswith("foreign."), first)
        self.assertGreater(first["metrics"]["exec_us"], 0)
        again = [self.node.command("call", "kept", '{"n": 3}', "--idem", "k") for _ in range(2)]
        self.assertEqual([json.loads(done.stdout) for done in again], [{"n": 3, "run": 2}] * 2)
        self.assertEqual(json.loads(self.python().call("kept", [b'{"n": 1}'])[0])["result"], first["result"]["result"])

    def test_large_bodies_are_known_too_whatever_they_are(self):
        client = self.python()
        long = "x" * 100000
        first = client.call("kept", {"n": 1, "text": long})
        self.assertEqual(client.call("kept", {"text": long, "n": 1}), first)
        self.assertNotEqual(client.call("kept", {"n": 1, "text": long + "y"}), first)
        self.assertEqual(len(self.runs), 2)
        for _ in range(2):
            self.assertFalse(self.raw(self.client(), b"\xc1" + long.encode(), msgpack.unpackb)["success"])
        done = self.node.command("call", "kept", json.dumps({"n": 9, "text": long}))
        self.assertEqual(json.loads(done.stdout)["n"], 9)

    def test_identical_calls_under_way_are_made_once(self):
        self.gate.clear()
        clients = [self.python() for _ in range(5)]
        calls = [client.start("kept", {"n": 1}) for client in clients]
        wait_for(lambda: self.runs, what="the first run")
        wait_for(lambda: self.cache()["joined"] == 4, what="the others to join")
        self.gate.set()
        self.assertEqual([call.result() for call in calls], [{"n": 1, "run": 1}] * 5)
        self.assertEqual(len(self.runs), 1)

    def test_errors_are_not_kept(self):
        client = self.python()
        for _ in range(2):
            with self.assertRaisesRegex(troupe_client.ToolError, "wanted"):
                client.call("kept", {"fail": True})
        self.assertEqual(len(self.runs), 2)

    def test_partial_answers_are_kept_with_the_last_one(self):
        client = self.python()
        for _ in range(2):
            self.assertEqual(list(client.stream("kept", {"parts": 3}, stream=True)), [0, 1, 2, {"parts": 3}])
        self.assertEqual(client.call("kept", {"parts": 3}), {"parts": 3})
        self.assertEqual(len(self.runs), 1)

    def test_more_parts_than_it_keeps_are_streamed_and_made_again(self):
        client = self.python()
        for _ in range(2):
            answers = list(client.stream("kept", {"parts": 2000}, stream=True))
            self.assertEqual(answers, [*range(2000), {"parts": 2000}])
        self.assertEqual(len(self.runs), 2)

    def test_bytes_that_are_no_map_are_known_as_they_are(self):
        self.serve("bytes", lambda frames: [*frames, b"%d" % self.count()], raw=True)
        client = self.python()
        self.assertEqual([client.call("bytes", [b"a", b"b"]) for _ in range(2)], [[b"a", b"b", b"1"]] * 2)
        self.assertEqual(client.call("bytes", [b"ab"]), [b"ab", b"2"])

    def test_large_requests_of_several_frames_are_known_by_their_bytes_and_cuts(self):
        self.serve("bytes", lambda frames: [b"%d" % len(frames), b"%d" % self.count()], raw=True)
        client, long = self.python(), b"x" * 100000
        for count, frames in enumerate(([long, b"b"], [long + b"b", b""], [b"", long, b"b"], [long, b"c"]), 1):
            for _ in range(2):
                self.assertEqual(client.call("bytes", frames), [b"%d" % len(frames), b"%d" % count])
        many = [b"1"] * 200 + [long]
        self.assertEqual([client.call("bytes", many) for _ in range(2)], [[b"201", b"5"]] * 2)
        old = self.client()
        old.send(b"", b"MDPC01", b"bytes", long, b"b")
        self.assertEqual(old.receive()[3:], [b"2", b"1"])

    def count(self):
        self.runs.append(None)
        return len(self.runs)


if __name__ == "__main__":
    unittest.main()
