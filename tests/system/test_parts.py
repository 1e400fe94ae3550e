# SPDX-License-Identifier: MIT
"""Partial answers of troupe's own tools (tool_part), by examples/primes, and `troupe call` with its options."""
import json
import os
import re
import signal
import sys
import threading
import unittest

import msgpack

from majordomo import Client
from node import PROGRAM, ROOT, SLOW, WORKSHOP, Node, wait_for

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))

import troupe_client  # noqa: E402
import troupe_worker  # noqa: E402

PRIMES = os.path.join(os.path.dirname(PROGRAM), "examples", "primes")
SHORT = {"to": 1000, "steps": 4}
PARTS = [{"done": 250, "found": 53}, {"done": 500, "found": 95}, {"done": 750, "found": 132}]
LAST = {"done": 1000, "found": 168}
LONG = {"to": 1000000000, "steps": 1000}  # minutes, the first step some milliseconds
SOME = {"to": 3000000, "steps": 1000}  # about a second
TOOL = b"primes_count"


class Parts(unittest.TestCase):
    def start(self, place="process", settings=()):
        with open(os.path.join(ROOT, "examples", "primes", "primes.conf"), encoding="utf-8") as file:
            config = file.read().replace("place = process", f"place = {place}")
        node = Node(config, settings, program=PRIMES)
        self.addCleanup(node.close)
        return node

    def connect(self, node):
        client = Client(node.endpoints["majordomo"])
        self.addCleanup(client.socket.close)
        return client

    def request(self, client, body, **options):
        frame = [b"TRP1" + msgpack.packb({"id": "7", **options})] if options else []
        client.send(b"MDPC02", b"\x01", TOOL, *frame, msgpack.packb(body))

    def next(self, client):
        """Kind, options and value of an answer to a request that had options."""
        frames = client.receive(60)
        self.assertEqual((frames[0], frames[2], frames[3][:4]), (b"MDPC02", TOOL, b"TRP1"))
        options = msgpack.unpackb(frames[3][4:])
        self.assertEqual(options.pop("id"), "7")
        return frames[1][0], options, [msgpack.unpackb(frame) for frame in frames[4:]]

    def test_they_come_before_the_last_answer_in_each_place(self):
        for place in ("pool", "thread", "process"):
            with self.subTest(place):
                client = self.connect(self.start(place))
                client.send(b"MDPC02", b"\x01", TOOL, msgpack.packb(SHORT))
                answers = [client.receive() for _ in range(4)]
                self.assertEqual([frames[:3] for frames in answers],
                                 [[b"MDPC02", kind, TOOL] for kind in (b"\x02", b"\x02", b"\x02", b"\x03")])
                self.assertEqual([msgpack.unpackb(frames[3]) for frames in answers[:3]], PARTS)
                self.assertEqual(msgpack.unpackb(answers[3][3])["result"], LAST)

    def test_the_last_answer_tells_how_many_were_sent(self):
        client = self.connect(self.start())
        for stream, attempt, told in (({}, {}, {"parts": 3}), ({"stream": True}, {"attempt": 1}, {"parts": 3}),
                                      ({"stream": False}, {}, {})):
            with self.subTest(stream):
                self.request(client, SHORT, priority=4, **stream)
                answers = [self.next(client) for _ in range(4 if told else 1)]
                self.assertEqual([options for _, options, _ in answers[:-1]], [attempt] * len(answers[:-1]))
                self.assertEqual(answers[-1][1], {**attempt, **told})
        self.request(client, {"to": 10, "steps": 1}, priority=4)
        self.assertEqual(self.next(client)[:2], (3, {}))  # none was sent, and nobody asked

    def test_they_leave_while_the_tool_still_works(self):
        node = self.start()
        client = self.connect(node)
        self.request(client, LONG, stream=True)
        self.assertEqual(self.next(client)[0], 2)  # the last one is minutes away
        self.assertEqual(node.ask("pools")[0]["running"], 1)
        client.send(b"MDPC02", b"\x01", b"mmi.cancel", b"7")
        while True:
            frames = client.receive()
            if frames[1:3] == [b"\x03", TOOL]:
                break
        self.assertEqual(msgpack.unpackb(frames[4])["error"]["code"], "E_CANCELLED")
        wait_for(lambda: node.ask("pools")[0]["running"] == 0, 30, "the end of the cancelled task")

    def test_the_form_is_that_of_the_request(self):
        client = self.connect(self.start())
        client.send(b"MDPC02", b"\x01", TOOL, json.dumps(SHORT).encode())
        self.assertEqual(json.loads(client.receive()[3]), PARTS[0])

    def test_a_client_of_0_1_gets_them_in_front_of_the_reply(self):
        client = self.connect(self.start())
        client.send(b"", b"MDPC01", TOOL, msgpack.packb(SHORT))
        frames = client.receive()
        self.assertEqual(frames[:3], [b"", b"MDPC01", TOOL])
        values = [msgpack.unpackb(frame) for frame in frames[3:]]
        self.assertEqual((values[:3], values[3]["result"]), (PARTS, LAST))

    def test_stream_false_is_the_last_answer_with_all_of_them(self):
        client = self.connect(self.start())
        self.request(client, SHORT, stream=False)
        kind, options, values = self.next(client)
        self.assertEqual((kind, options, values[:3], values[3]["result"]), (3, {}, PARTS, LAST))

    def kill_at_first_part(self, stream):
        node = self.start()
        client = self.connect(node)
        body = SOME if stream is not False else {**SOME, "steps": 100}
        self.request(client, body, **({} if stream is None else {"stream": stream}), priority=4)
        if stream is not False:
            self.assertEqual(self.next(client)[0], 2)
        else:
            wait_for(lambda: node.ask("pools")[0]["running"] == 1)
        node.kill_worker("primes")
        answers = [self.next(client)]
        while answers[-1][0] == 2:
            answers.append(self.next(client))
        return answers

    def test_stream_true_says_of_which_attempt_they_are(self):
        answers = self.kill_at_first_part(True)
        self.assertEqual(answers[-1][1], {"attempt": 2, "parts": 999})
        attempts = [options["attempt"] for kind, options, _ in answers if kind == 2]
        self.assertEqual(attempts, sorted(attempts))
        second = [values[0]["done"] for kind, options, values in answers if (kind, options.get("attempt")) == (2, 2)]
        self.assertEqual((second[0], len(second)), (3000, 999))
        self.assertEqual(answers[-1][2][0]["result"]["found"], 216816)
        self.assertEqual(answers[-1][2][0]["metrics"]["attempts"], 2)

    def test_without_it_a_task_whose_parts_went_out_is_not_tried_again(self):
        answers = self.kill_at_first_part(None)
        self.assertEqual(answers[-1][2][0]["error"]["code"], "E_WORKER_LOST")

    def test_with_stream_false_those_of_a_dead_attempt_are_dropped(self):
        answers = self.kill_at_first_part(False)
        self.assertEqual((len(answers), len(answers[0][2])), (1, 100))
        self.assertEqual(answers[0][2][-1]["result"]["found"], 216816)

    def test_parts_over_the_limit_are_refused(self):
        node = self.start(settings=("majordomo.body_max=1024",))
        client = self.connect(node)
        self.request(client, SOME, stream=False)
        self.assertEqual(self.next(client)[2][0]["error"]["code"], "E_TOO_LARGE")

    def test_a_router_that_crashes_loses_none_of_the_last_answers(self):
        node = self.start()
        client = self.connect(node)
        self.request(client, SOME, stream=True)
        self.assertEqual(self.next(client)[0], 2)
        node.command("debug", "crash-router")
        answer = self.next(client)
        while answer[0] == 2:
            answer = self.next(client)
        self.assertEqual(answer[2][0]["result"]["found"], 216816)

    def test_the_python_client_iterates_over_them(self):
        node = self.start()
        with troupe_client.Client(node.endpoints["majordomo"]) as client:
            self.assertEqual(list(client.stream("primes_count", SHORT)), [*PARTS, LAST])
            self.assertEqual(client.call("primes_count", SHORT), LAST)
            call = client.start("primes_count", SHORT, stream=True)
            self.assertEqual(list(call), [*PARTS, LAST])
            self.assertEqual(call.attempt, 1)


class CallCommand(unittest.TestCase):
    """`troupe call` and its options."""
    start = Parts.start

    def test_stream_prints_each_as_it_comes(self):
        node = self.start()
        done = node.command("call", "primes_count", json.dumps(SHORT), "--stream")
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], [*PARTS, LAST], done.stderr)
        done = node.command("call", "primes_count", json.dumps(SHORT), "--stream", "--json")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(rows[:3], [{"attempt": 1, "part": part} for part in PARTS])
        self.assertEqual(rows[3]["result"], LAST)
        done = node.command("call", "primes_count", json.dumps(SHORT))
        self.assertEqual(json.loads(done.stdout), LAST)

    def test_who_reads_slowly_gets_a_hundred_thousand(self):
        for place in ("pool", "process"):
            with self.subTest(place):
                node = self.start(place, ["pools.primes.run_ms=600000"])
                body = {"to": 200000, "steps": 100000}
                process = node.start_command("call", "primes_count", json.dumps(body), "--stream")
                self.addCleanup(process.kill)
                wait_for(lambda: node.ask("pools")[0]["answered"] == 1, 120, "the end of the task")
                printed, errors = process.communicate(timeout=120 * SLOW)
                done = [json.loads(line)["done"] for line in printed.splitlines()]
                self.assertEqual((done, errors), (list(range(2, 200001, 2)), ""))
                self.assertEqual(process.returncode, 0)

    def test_parts_that_are_lost_are_told(self):
        node = self.start()
        parts = [b"x" * (1 << 20)] * 64  # more than the control socket keeps
        worker = troupe_worker.Worker(node.endpoints["majordomo"], "flood", lambda _: iter(parts), raw=True)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)
        wait_for(lambda: any("flood" in pool["tools"] for pool in node.ask("pools")), 30, "the worker")

        process = node.start_command("call", "flood", "{}", "--stream")
        self.addCleanup(process.kill)
        wait_for(lambda: node.ask("pools")[-1]["answered"] == 1, 60, "the end of the task")
        printed, errors = process.communicate(timeout=60 * SLOW)

        seen = printed.splitlines()
        told = re.fullmatch(r"primes: (\d+) of 64 partial answers were lost: .*\n", errors)
        self.assertTrue(told, errors)
        self.assertEqual(len(seen) - 1 + int(told[1]), 64)
        self.assertGreaterEqual(len(seen), 32)
        self.assertEqual((seen[-1], process.returncode), ('""', 1))

    def test_its_end_cancels_the_task(self):
        node = self.start()
        for number in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(number):
                process = node.start_command("call", "primes_count", json.dumps(LONG), "--stream")
                self.addCleanup(process.kill)
                self.assertTrue(process.stdout.readline())
                self.assertEqual(node.ask("pools")[0]["running"], 1)
                process.send_signal(number)
                process.communicate(timeout=60 * SLOW)
                wait_for(lambda: node.ask("pools")[0]["running"] == 0, 30, "the end of the cancelled task")

    def test_the_time_limit_holds(self):
        done = self.start().command("call", "primes_count", json.dumps(LONG), "--timeout", "0.3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("E_TIMEOUT", done.stderr)

    def test_an_idempotency_key_gets_the_same_answer(self):
        node = self.start()
        bodies = (json.dumps(SHORT), json.dumps({"to": 10}))
        made = [node.command("call", "primes_count", body, "--idem", "k", "--json") for body in bodies]
        self.assertEqual([json.loads(done.stdout)["result"] for done in made], [LAST, LAST])
        self.assertTrue(json.loads(made[1].stdout)["from_cache"])

    def test_the_body_comes_from_a_file_or_standard_input(self):
        node = self.start()
        path = os.path.join(node.folder, "body.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(SHORT, file)
        self.assertEqual(json.loads(node.command("call", "primes_count", "@" + path).stdout), LAST)
        self.assertEqual(json.loads(node.command("call", "primes_count", "-", stdin=json.dumps(SHORT)).stdout), LAST)
        done = node.command("call", "primes_count", "@" + path + ".none")
        self.assertEqual(done.returncode, 2)
        self.assertIn("can't be read", done.stderr)

    def test_options_stay_with_a_body_that_the_intake_reads(self):
        with Node(WORKSHOP, ["pools.parser.cache=1"]) as node:
            code = "[" + "1," * 20000 + "1]"  # above what the edge reads
            body = json.dumps({"language": "json", "code": code, "options": {"max_nodes": 10}})
            made = [node.command("call", "code_parse", "-", "--json", *more, stdin=body)
                    for more in ((), ("--timeout", "30"), ("--idem", "k"), ("--timeout", "0.001"))]
            replies = [json.loads(done.stdout) for done in made]
            self.assertEqual([reply["from_cache"] for reply in replies[:3]], [False, True, False])
            node.command("set", "parser", "cache=0")
            late = json.loads(node.command("call", "code_parse", "-", "--json", "--idem", "k", stdin="{}").stdout)
            self.assertTrue(late["from_cache"] and late["success"])  # its key came through

    def test_wrong_options_are_told(self):
        node = self.start()
        for option, value in (("--timeout", "x"), ("--timeout", "0"), ("--timeout", "1e9"), ("--priority", "10"),
                              ("--priority", "high")):
            done = node.command("call", "primes_count", "{}", option, value)
            self.assertEqual(done.returncode, 2)
            self.assertIn(option, done.stderr)
        done = node.command("ps", "--stream")
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
