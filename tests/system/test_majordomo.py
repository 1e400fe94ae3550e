# SPDX-License-Identifier: MIT
"""The Majordomo port of a real node: both versions, both forms, bad input, junk, worker deaths."""
import json
import os
import signal
import threading
import time
import unittest

import msgpack
import zmq

from majordomo import Client
from node import IS_ASAN, SLOW, Node, wait_for

CODE = {"language": "c", "code": "int main(void) { return 0; }"}


def long_source(functions):
    """A packed body that takes a while to parse and is answered shortly."""
    return msgpack.packb({"language": "c", "code": "int f(int a) { return a; }\n" * functions,
                          "options": {"max_nodes": 10}})


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def client(self):
        client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(client.socket.close)
        return client

    def error(self, tool, *body):
        reply = self.client().raw_01(tool, *body)
        self.assertIs(reply["success"], False)
        return reply["error"]

    def test_version_01_with_json_is_answered_with_json(self):
        reply = self.client().call_01("code_parse", CODE)

        self.assertIs(reply["success"], True)
        self.assertTrue(reply["result"]["root"].startswith("(translation_unit"))
        self.assertIs(reply["from_cache"], False)
        self.assertEqual(sorted(reply["metrics"]), ["attempts", "exec_us", "queue_us", "worker"])
        self.assertEqual(reply["metrics"]["attempts"], 1)

    def test_version_02_with_messagepack_is_answered_with_messagepack(self):
        reply = self.client().call_02("code_parse", CODE)

        self.assertIs(reply["success"], True)
        self.assertEqual(reply["result"]["language"], "c")

    def test_every_call_has_a_task_id_of_its_own(self):
        client = self.client()
        ids = {client.call_02("code_parse", CODE)["task_id"] for _ in range(20)}
        ids |= {client.call_02("no_such_tool", CODE)["task_id"] for _ in range(5)}

        self.assertEqual(len(ids), 25)

    def test_options_frame_gives_many_calls_on_one_socket(self):
        client = self.client()
        for i in range(50):
            options = b"TRP1" + msgpack.packb({"id": f"call-{i}", "deadline_ms": 20000})
            client.send(b"MDPC02", b"\x01", b"code_parse", options, msgpack.packb(CODE))
        seen = set()
        for _ in range(50):
            frames = client.receive()
            self.assertEqual(len(frames), 5)
            self.assertEqual(frames[3][:4], b"TRP1")
            seen.add(msgpack.unpackb(frames[3][4:])["id"])

        self.assertEqual(len(seen), 50)
        self.assertTrue(client.is_silent())

    def test_bad_options_name_the_member(self):
        error = self.error("code_parse", b"TRP1" + msgpack.packb({"deadline_ms": -1}), json.dumps(CODE).encode())

        self.assertEqual((error["code"], error["path"]), ("E_BAD_PAYLOAD", "options.deadline_ms"))

    def test_unknown_tool_offers_near_names(self):
        error = self.error("code_pars", b"{}")

        self.assertEqual(error["code"], "E_UNKNOWN_TOOL")
        self.assertEqual(error["tools"], ["code_parse"])

    def test_unsupported_language_lists_the_supported_ones(self):
        error = self.error("code_parse", json.dumps({"language": "cobol", "code": "x"}).encode())

        self.assertEqual(error["code"], "E_UNSUPPORTED_LANGUAGE")
        self.assertIn("rust", error["supported"])

    def test_body_that_is_no_map_is_refused(self):
        for body in (b"", b"[1]", b"hello", b"\x93\x01\x02\x03", b"\xc1", b"{", b'{"a": ', b"\x82\xa1a\x01"):
            with self.subTest(body=body):
                self.assertEqual(self.error("code_parse", body)["code"], "E_BAD_BODY")
        self.assertEqual(self.error("code_parse", b"{}", b"{}")["code"], "E_BAD_BODY")
        self.assertEqual(self.error("code_parse")["code"], "E_BAD_BODY")

    def test_missing_and_ill_typed_members_name_path_rule_and_value(self):
        missing = self.error("code_parse", json.dumps({"language": "c"}).encode())
        self.assertEqual((missing["code"], missing["path"], missing["value"]), ("E_BAD_PAYLOAD", "code", "missing"))

        wrong = self.error("code_parse", json.dumps({"language": "c", "code": 7}).encode())
        self.assertEqual((wrong["code"], wrong["path"], wrong["value"]), ("E_BAD_PAYLOAD", "code", "7"))
        self.assertTrue(wrong["rule"])

    def test_source_that_is_not_utf_8_names_the_byte(self):
        body = msgpack.packb({"language": "c", "code": b"int \xff;".decode("utf-8", "surrogateescape")},
                             unicode_errors="surrogateescape")
        error = self.error("code_parse", body)

        self.assertEqual((error["code"], error["path"], error["offset"]), ("E_BAD_PAYLOAD", "code", 4))

    def test_source_over_4_mib_is_too_large(self):
        error = self.error("code_parse", json.dumps({"language": "c", "code": "x" * (4 * 1024 * 1024 + 1)}).encode())

        self.assertEqual((error["code"], error["limit"]), ("E_TOO_LARGE", 4 * 1024 * 1024))

    def test_body_over_the_limit_of_the_port_is_too_large(self):
        error = self.error("code_parse", b"{" + b" " * (17 * 1024 * 1024) + b"}")

        self.assertEqual(error["code"], "E_TOO_LARGE")

    def test_junk_is_dropped_in_silence_and_harms_nobody(self):
        client = self.client()
        for frames in ([b"x"], [b"", b"MDPC01"], [b"MDPC02", b"\x09", b"code_parse", b"{}"],
                       [b"", b"MDPC07", b"a", b"b"], [b"MDPC02", b"\x01", b"bad\nname", b"{}"],
                       [os.urandom(3000)] * 5):
            client.send(*frames)

        self.assertTrue(client.is_silent())
        self.assertIs(client.call_01("code_parse", CODE)["success"], True)
        self.assertGreaterEqual(self.node.events("junk_dropped")[-1]["messages"], 4)  # of 6: lines at 1, 2, 4

    def test_mmi_service_knows_tools_with_workers(self):
        client = self.client()
        for body, code in ((b"code_parse", b"200"), (b"nothing", b"404")):
            client.send(b"", b"MDPC01", b"mmi.service", body)
            self.assertEqual(client.receive()[3], code)
        client.send(b"", b"MDPC01", b"mmi.weather", b"")
        self.assertEqual(client.receive()[3], b"501")

    def test_client_that_leaves_before_its_answer_harms_nobody(self):
        for _ in range(20):
            with Client(self.node.endpoints["majordomo"]) as client:
                client.send(b"MDPC02", b"\x01", b"code_parse", msgpack.packb(CODE))
                client.socket.setsockopt(zmq.LINGER, 200)  # let the request out

        self.assertIs(self.client().call_01("code_parse", CODE)["success"], True)


class Unread(unittest.TestCase):
    CALLS = 200
    SOURCE = msgpack.packb({"language": "c", "code": "int f(int a) { return a; }\n" * 700})

    def resident_mb(self, node):
        with open(f"/proc/{node.ask('ping')['os_pid']}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

    def calls_in_flight(self, socket):
        """All calls at once: what their requests take in the node is the same whoever reads the answers."""
        for _ in range(self.CALLS):
            socket.send_multipart([b"MDPC02", b"\x01", b"code_parse", self.SOURCE])

    def test_replies_of_a_client_that_never_reads_are_bounded_by_their_bytes(self):
        with Node(settings=["majordomo.unread_max=1048576"]) as node, Client(node.endpoints["majordomo"]) as other:
            size = len(msgpack.packb(other.call_02("code_parse", msgpack.unpackb(self.SOURCE))))
            replies_mb = self.CALLS * size / 2 ** 20
            self.assertGreater(replies_mb, 32)  # many times what the kernel's buffers hold
            with zmq.Context() as context, context.socket(zmq.DEALER) as eager:
                eager.setsockopt(zmq.RCVHWM, 0)  # read by its thread, however slow we are
                eager.setsockopt(zmq.LINGER, 0)
                eager.connect(node.endpoints["majordomo"])
                self.calls_in_flight(eager)
                wait_for(lambda: node.ask("pools")[0]["answered"] == self.CALLS + 1, 60, "all answers")
            before, seen = self.resident_mb(node), len(node.events("replies_unread"))
            with zmq.Context() as context, context.socket(zmq.DEALER) as deaf:
                deaf.setsockopt(zmq.RCVHWM, 1)
                deaf.setsockopt(zmq.RCVBUF, 65536)
                deaf.setsockopt(zmq.LINGER, 0)
                deaf.connect(node.endpoints["majordomo"])
                self.calls_in_flight(deaf)
                wait_for(lambda: node.ask("pools")[0]["answered"] == 2 * self.CALLS + 1, 60, "all answers")
                dropped = wait_for(lambda: node.events("replies_unread")[seen:], 10, "a dropped reply")

                self.assertEqual(dropped[0]["unread_max"], 1048576)
                self.assertTrue(dropped[0]["client"])
                if not IS_ASAN:  # which keeps what was freed
                    self.assertLess(self.resident_mb(node) - before, replies_mb / 2)  # without the bound: all of them
                self.assertIs(other.call_02("code_parse", CODE)["success"], True)

                whole, least = 0, 1048576 // size + 1
                while deaf.poll(500 if whole >= least else 10000 * SLOW):
                    reply = msgpack.unpackb(deaf.recv_multipart()[3])
                    self.assertIs(reply["success"], True)
                    whole += 1
                self.assertGreaterEqual(whole, least)
                self.assertLess(whole, self.CALLS)


class Deaths(unittest.TestCase):
    def parse_while_killing(self, node, calls, kills):
        """Many calls on one socket while workers die; the replies by id."""
        replies = {}

        def run():
            body = long_source(2000)
            with Client(node.endpoints["majordomo"]) as client:
                for i in range(calls):
                    client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb({"id": str(i)}), body)
                for _ in range(calls):
                    frames = client.receive(60)
                    call = msgpack.unpackb(frames[3][4:])["id"]
                    replies.setdefault(call, []).append(msgpack.unpackb(frames[4], strict_map_key=False))
                self.assertTrue(client.is_silent())

        caller = threading.Thread(target=run)
        caller.start()
        for i in range(kills):
            node.wait_replaced(node.kill_worker("parser", i % 2))
        caller.join()
        return replies

    def test_every_task_is_answered_once_when_workers_are_killed(self):
        with Node(settings=["pools.parser.attempts_max=5"]) as node:  # one task may meet all four kills
            replies = self.parse_while_killing(node, 150, 4)

            self.assertEqual(len(replies), 150)
            self.assertTrue(all(len(each) == 1 for each in replies.values()))
            self.assertTrue(all(each[0]["success"] for each in replies.values()))
            pool = next(pool for pool in node.ask("pools") if pool["name"] == "parser")
            self.assertEqual((pool["queued"], pool["running"]), (0, 0))

    def test_task_of_a_killed_worker_is_done_by_another_at_the_second_attempt(self):
        with Node(settings=["pools.parser.probe_ms=600000"]) as node, Client(node.endpoints["majordomo"]) as client:
            processes = {row["name"]: row["os_pid"] for row in node.workers("parser")}
            for pid in processes.values():
                os.kill(pid, signal.SIGSTOP)
            client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: node.ask("pools")[0]["running"] == 1, what="the task at a worker")
            states = {worker["id"]: worker["state"] for worker in node.ask("pools")[0]["workers"]}
            self.assertEqual(sorted(states.values()), ["busy", "idle"])
            busy, idle = sorted(states, key=states.get)

            os.kill(processes[busy], signal.SIGKILL)
            wait_for(lambda: node.ask("pools")[0]["retried"] == 1, what="the second attempt")
            os.kill(processes[idle], signal.SIGCONT)
            reply = json.loads(client.receive()[3])

            self.assertIs(reply["success"], True)
            self.assertEqual((reply["metrics"]["attempts"], reply["metrics"]["worker"]), (2, idle))
            self.assertTrue(client.is_silent())

    def test_match_of_a_killed_worker_ends_with_a_reason(self):
        with Node() as node, Client(node.endpoints["majordomo"]) as client:
            question = {"id": "q", "type": "boolean", "text": "Is water wet?", "correct": ["true"]}
            created = client.call_01("match_create", {"questions": [question]})["result"]
            joined = client.call_01("match_join", {"match_id": created["match_id"], "name": "Ada"})
            self.assertIs(joined["success"], True)
            node.wait_replaced(node.kill_worker("match"))

            error = client.call_01("match_state", {"match_id": created["match_id"]})["error"]

            self.assertEqual(error["code"], "E_WORKER_LOST")
            self.assertIn("signal 9", error["reason"])

    def test_worker_over_its_run_limit_is_replaced_and_its_task_fails(self):
        settings = ["pools.parser.run_ms=300", "pools.parser.min=1", "pools.parser.probe_ms=600000"]
        with Node(settings=settings) as node, Client(node.endpoints["majordomo"]) as client:
            victim = node.workers("parser")[0]
            os.kill(victim["os_pid"], signal.SIGSTOP)

            reply = client.call_01("code_parse", CODE)

            self.assertEqual(reply["error"]["code"], "E_TIMEOUT")
            self.assertEqual(reply["error"]["limit_ms"], 300)
            node.wait_replaced(victim)
            self.assertIs(client.call_01("code_parse", CODE)["success"], True)

    def test_full_queue_is_refused_at_once_and_the_accepted_are_answered(self):
        with Node(settings=["pools.parser.min=1", "pools.parser.queue_max=3"]) as node, \
                Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            for i in range(10):
                options = b"TRP1" + msgpack.packb({"id": str(i)})
                client.send(b"MDPC02", b"\x01", b"code_parse", options, msgpack.packb(CODE))
            refused = [msgpack.unpackb(client.receive()[4], strict_map_key=False) for _ in range(6)]
            os.kill(worker["os_pid"], signal.SIGCONT)
            answered = [msgpack.unpackb(client.receive()[4], strict_map_key=False) for _ in range(4)]

            self.assertEqual({reply["error"]["code"] for reply in refused}, {"E_BUSY"})
            self.assertTrue(all(reply["error"]["retry_after_ms"] > 0 for reply in refused))
            self.assertTrue(all(reply["success"] for reply in answered))

    def test_queue_that_is_nearly_full_is_warned_of_once_before_anybody_is_refused(self):
        with Node(settings=["pools.parser.min=1", "pools.parser.max=1", "pools.parser.queue_max=10"]) as node, \
                Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            for i in range(11):  # one of them is with the worker
                options = b"TRP1" + msgpack.packb({"id": str(i)})
                client.send(b"MDPC02", b"\x01", b"code_parse", options, msgpack.packb(CODE))
            wait_for(lambda: node.ask("pools")[0]["queued"] == 10, what="all of them")
            warned = node.events("queue_nearly_full")
            os.kill(worker["os_pid"], signal.SIGCONT)

            self.assertEqual([(event["pool"], event["limit"]) for event in warned], [("parser", 10)])
            self.assertLess(warned[0]["queued"], 10)
            replies = [msgpack.unpackb(client.receive()[4], strict_map_key=False) for _ in range(11)]
            self.assertTrue(all(reply["success"] for reply in replies))

    def test_task_whose_deadline_passes_at_a_busy_worker_is_never_started(self):
        settings = ["pools.parser.min=1", "pools.parser.max=1", "pools.parser.inflight_max=4"]
        with Node(settings=settings) as node, Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            for options in ({"id": "first"}, {"id": "second", "deadline_ms": 200}):
                client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb(options), msgpack.packb(CODE))

            late = msgpack.unpackb(client.receive()[4], strict_map_key=False)
            self.assertEqual(node.ask("pools")[0]["running"], 2)  # the worker has them both
            os.kill(worker["os_pid"], signal.SIGCONT)
            first = msgpack.unpackb(client.receive()[4], strict_map_key=False)
            wait_for(lambda: node.ask("pools")[0]["running"] == 0, what="the place of the one that expired")

            self.assertEqual(late["error"]["code"], "E_TIMEOUT")
            self.assertIs(first["success"], True)
            row = node.ask("pools")[0]["workers"][0]
            self.assertEqual((row["done"], node.workers("parser")[0]["os_pid"]), (1, worker["os_pid"]))

    def test_task_that_waits_too_long_is_refused(self):
        with Node(settings=["pools.parser.min=1", "pools.parser.queue_ms=200"]) as node, \
                Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())

            waited = json.loads(client.receive()[3])
            os.kill(worker["os_pid"], signal.SIGCONT)
            done = json.loads(client.receive()[3])

            self.assertEqual(waited["error"]["code"], "E_NO_WORKER")
            self.assertGreaterEqual(waited["error"]["waited_ms"], 200)
            self.assertIs(done["success"], True)

    def test_metrics_tell_the_time_in_the_queue_and_in_the_tool(self):
        with Node(settings=["pools.parser.min=1", "pools.parser.probe_ms=600000"]) as node, \
                Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            begin = time.monotonic()
            for _ in range(2):
                client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: node.ask("pools")[0]["queued"] == 1, what="a task that waits")
            waits = time.monotonic()
            node.ask("ping")  # it takes a while
            waited_us = 1e6 * (time.monotonic() - waits)
            os.kill(worker["os_pid"], signal.SIGCONT)
            first, second = (json.loads(client.receive()[3])["metrics"] for _ in range(2))
            whole_us = 1e6 * (time.monotonic() - begin)

            self.assertGreater(second["queue_us"], waited_us)
            self.assertGreater(second["queue_us"], first["queue_us"])
            for metrics in (first, second):
                self.assertGreater(metrics["exec_us"], 0)
                self.assertLess(metrics["queue_us"] + metrics["exec_us"], whole_us)
                self.assertEqual((metrics["worker"], metrics["attempts"]), ("parser.1", 1))
            long = client.call_02("code_parse", msgpack.unpackb(long_source(2000)))["metrics"]
            self.assertGreater(long["exec_us"], min(first["exec_us"], second["exec_us"]))

    def test_slow_work_of_one_pool_holds_up_no_other(self):
        with Node(settings=["pools.parser.probe_ms=600000"]) as node, Client(node.endpoints["majordomo"]) as slow, \
                Client(node.endpoints["majordomo"]) as client:
            held = [row["os_pid"] for row in node.workers("parser")]
            for pid in held:
                os.kill(pid, signal.SIGSTOP)
            for _ in range(5):
                slow.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: node.ask("pools")[0]["accepted"] == 5, what="the slow work")

            question = {"id": "q", "type": "boolean", "text": "Is water wet?", "correct": ["true"]}
            for _ in range(6):
                self.assertIs(client.call_01("match_create", {"questions": [question]})["success"], True)
            pool = node.ask("pools")[0]
            self.assertEqual((pool["running"], pool["queued"], pool["answered"]), (2, 3, 0))
            self.assertTrue(slow.is_silent(0))

            for pid in held:
                os.kill(pid, signal.SIGCONT)
            self.assertTrue(all(json.loads(slow.receive()[3])["success"] for _ in range(5)))

    def test_pool_grows_to_its_maximum_and_then_says_no(self):
        with Node() as node, Client(node.endpoints["majordomo"]) as client:
            question = {"id": "q", "type": "boolean", "text": "Is water wet?", "correct": ["true"]}
            replies = [client.call_01("match_create", {"questions": [question]}) for _ in range(7)]

            self.assertEqual([reply["success"] for reply in replies], [True] * 6 + [False])
            self.assertEqual(replies[6]["error"]["code"], "E_NO_CAPACITY")
            self.assertEqual(len(node.workers("match")), 3)

    def test_new_match_waits_for_a_worker_that_is_restarted(self):
        settings = ["pools.match.min=2", "pools.match.max=2", "pools.match.keys_max=1", "pools.match.backoff_ms=1000"]
        with Node(settings=settings) as node, Client(node.endpoints["majordomo"]) as client:
            question = {"id": "q", "type": "boolean", "text": "Is water wet?", "correct": ["true"]}
            self.assertIs(client.call_01("match_create", {"questions": [question]})["success"], True)
            full = next(row["id"] for row in node.ask("pools")[2]["workers"] if row["keys"] == 1)
            index = next(i for i, row in enumerate(node.workers("match")) if row["name"] != full)
            node.wait_replaced(node.kill_worker("match", index))
            node.kill_worker("match", index)  # the second death of a streak: its restart waits
            wait_for(lambda: len(node.ask("pools")[2]["workers"]) == 1, what="the pool without its second worker")

            self.assertIs(client.call_01("match_create", {"questions": [question]})["success"], True)

    def test_worker_that_waits_for_its_restart_is_no_reason_to_grow(self):
        settings = ["pools.parser.min=1", "pools.parser.max=2", "pools.parser.backoff_ms=20000"]
        with Node(settings=settings) as node, Client(node.endpoints["majordomo"]) as client:
            first = node.workers("parser")[0]
            os.kill(first["os_pid"], signal.SIGSTOP)
            for _ in range(2):
                client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: len(node.ask("pools")[0]["workers"]) == 2, what="the second worker")
            os.kill(first["os_pid"], signal.SIGCONT)
            for _ in range(2):
                client.receive()
            node.wait_replaced(node.kill_worker("parser", 1))
            node.kill_worker("parser", 1)  # the second death of a streak: its restart waits
            wait_for(lambda: len(node.ask("pools")[0]["workers"]) == 1, what="the pool without its second worker")

            for _ in range(100):
                client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            replies = [json.loads(client.receive()[3]) for _ in range(100)]

            self.assertTrue(all(reply["success"] for reply in replies))
            self.assertEqual(len(node.events("pool_grows")), 1)


class Stops(unittest.TestCase):
    def test_task_that_outlasts_the_stop_is_answered_with_the_reason(self):
        with Node(settings=["node.stop_ms=1500"]) as node, Client(node.endpoints["majordomo"]) as client:
            for row in node.workers("parser"):
                os.kill(row["os_pid"], signal.SIGSTOP)
            for _ in range(5):
                client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: node.ask("pools")[0]["accepted"] == 5, what="5 accepted tasks")
            node.send_signal(signal.SIGTERM)
            replies = [json.loads(client.receive()[3]) for _ in range(5)]

            self.assertEqual({reply["error"]["code"] for reply in replies}, {"E_CANCELLED"})
            self.assertIn("stopped", replies[0]["error"]["message"])
            node.wait_ended()

    def test_interrupt_drains_what_was_accepted(self):
        with Node(settings=["pools.parser.min=1"]) as node, Client(node.endpoints["majordomo"]) as client:
            body = long_source(3000)
            for i in range(40):
                client.send(b"MDPC02", b"\x01", b"code_parse", b"TRP1" + msgpack.packb({"id": str(i)}), body)
            wait_for(lambda: node.ask("pools")[0]["accepted"] == 40, what="40 accepted tasks")
            family = node.family()
            node.send_signal(signal.SIGINT)
            replies = [client.receive(30) for _ in range(40)]

            self.assertEqual(node.wait_ended(), 0)
            self.assertTrue(all(msgpack.unpackb(frames[4], strict_map_key=False)["success"] for frames in replies))
            self.assertEqual([pid for pid in family if os.path.exists(f"/proc/{pid}")], [])
            self.assertEqual(os.listdir(node.run_dir) if os.path.exists(node.run_dir) else [], [])

    def test_node_whose_tree_gives_up_while_it_drains_does_not_end_well(self):
        settings = ["tree.intensity=0", "pools.parser.intensity=0", "pools.parser.min=1"]
        with Node(settings=settings) as node, Client(node.endpoints["majordomo"]) as client:
            worker = node.workers("parser")[0]
            os.kill(worker["os_pid"], signal.SIGSTOP)
            client.send(b"", b"MDPC01", b"code_parse", json.dumps(CODE).encode())
            wait_for(lambda: node.ask("pools")[0]["running"] == 1, what="a running task")
            node.send_signal(signal.SIGINT)
            wait_for(lambda: node.events("draining"), what="the drain")
            os.kill(worker["os_pid"], signal.SIGKILL)

            self.assertEqual(node.wait_ended(), 1)


if __name__ == "__main__":
    unittest.main()
