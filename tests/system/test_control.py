# SPDX-License-Identifier: MIT
"""The control socket and the commands that people type, against real nodes."""
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

import msgpack
import zmq

from node import PROGRAM, SLOW, WORKSHOP, Node, wait_for

POOL = """
node
    name = control-test
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = pool
        min = 2
        max = 4
        tools = code_parse
"""


def exchange(endpoint, *frames, kind=zmq.DEALER):
    """Sends frames, returns those of the answer."""
    peer = zmq.Context.instance().socket(kind)
    peer.setsockopt(zmq.LINGER, 0)
    try:
        peer.connect(endpoint)
        peer.send_multipart(list(frames))
        if not peer.poll(int(10000 * SLOW)):
            raise AssertionError("no answer")
        return peer.recv_multipart()
    finally:
        peer.close()


def run(*arguments, stdin=None, **environment):
    """The program without a node."""
    return subprocess.run([PROGRAM, *arguments], env=dict(os.environ, **environment), input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30 * SLOW)


class Control(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(POOL)
        cls.endpoint = cls.node.endpoints["control"]

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def test_socket_is_for_its_owner_alone(self):
        mode = os.stat(self.endpoint.removeprefix("ipc://")).st_mode & 0o777

        self.assertEqual(mode, 0o600)

    def test_json_is_answered_in_json(self):
        answer = json.loads(exchange(self.endpoint, b'{"cmd":"ping"}')[0])

        self.assertTrue(answer["ok"])
        self.assertEqual(answer["result"]["guardian_pid"], self.node.process.pid)

    def test_messagepack_is_answered_in_messagepack(self):
        answer = msgpack.unpackb(exchange(self.endpoint, msgpack.packb({"cmd": "ps"}))[0])

        self.assertTrue(answer["ok"])
        self.assertIn("router", [row["name"] for row in answer["result"]])

    def test_empty_frame_of_a_req_socket_is_mirrored(self):
        answer = exchange(self.endpoint, b'{"cmd":"ping"}', kind=zmq.REQ)

        self.assertTrue(json.loads(answer[0])["ok"])

    def test_ps_rows_have_the_promised_members(self):
        for row in self.node.ask("ps"):
            self.assertLessEqual({"pid", "name", "class", "place", "os_pid", "state", "mailbox", "restarts"}, set(row))
            self.assertRegex(row["pid"], r"^<\d+\.\d+\.\d+\.\d+\.\d+>$")

    def test_ledger_adds_up_and_names_the_causes(self):
        self.node.ask("call", tool="code_parse", body={"filename": "a.json", "code": "{}"})

        ledger = self.node.ask("ledger")

        self.assertGreater(ledger["handled"], 0)
        self.assertEqual(sum(ledger["causes"].values()), ledger["dead"] + ledger["dropped"])
        self.assertIn("expired", ledger["causes"])

    def test_ledger_of_a_node_at_rest_always_adds_up(self):
        """The message that asks is in the control's hands when the books are looked at."""
        missing = [self.node.ask("ledger")["missing"] for _ in range(200)]

        self.assertEqual(missing, [0] * 200)

    def test_ledger_command_shows_the_books(self):
        done = self.node.command("ledger")

        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^sent +\d+$")
        self.assertRegex(done.stdout, r"(?m)^missing +-?\d+$")

    def test_dead_letters_have_a_listener_by_default(self):
        self.assertIn("dead_letters", [row["name"] for row in self.node.ask("ps")])

    def test_state_shows_what_an_actor_saves(self):
        answer = self.node.ask("state", who="dead_letters")
        done = self.node.command("state", answer["pid"], "--json")

        self.assertEqual((answer["class"], answer["version"]), ("dead_letters", 1))
        self.assertIsInstance(answer["state"], dict)
        self.assertEqual(json.loads(done.stdout)["class"], "dead_letters")

    def test_waits_shows_how_long_messages_of_an_actor_wait(self):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.node.ask, "waits", who="router", seconds=1)
            while not asked.done():
                self.node.ask("call", tool="code_parse", body={"filename": "a.json", "code": "{}"})
            answer = asked.result()

        self.assertGreater(answer["noted"], 0)
        self.assertGreaterEqual(answer["handled"], answer["noted"])
        self.assertEqual(sum(row["count"] for row in answer["histogram"]), answer["noted"])
        self.assertEqual((answer["class"], answer["seconds"], answer["ended"]), ("router", 1, False))
        self.assertLessEqual(answer["p50_ns"], answer["p90_ns"])
        self.assertLessEqual(answer["p99_ns"], answer["max_ns"])

    def test_waits_command_prints_a_histogram_and_says_what_is_wrong(self):
        done = self.node.command("waits", "control", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"in 1 s: handled \d+")
        self.assertRegex(done.stdout, r"(?m)^ *BELOW_MS +MESSAGES +UP_TO_PERCENT$")
        for arguments, code, words in (
                (("waits", "nobody"), 1, "E_NOT_FOUND"), (("waits", "<1.0.999.1.1>"), 1, "E_NOT_FOUND"),
                (("waits", "control", "0"), 2, "from 1 to 60"), (("waits", "control", "1x"), 2, "from 1 to 60")):
            failed = self.node.command(*arguments)
            self.assertEqual((failed.returncode, words in failed.stderr), (code, True), failed.stderr)

    def test_the_books_add_up_after_a_look_at_a_state(self):
        self.node.ask("state", who="dead_letters")

        self.assertEqual(self.node.ask("ledger")["missing"], 0)

    def test_state_of_nobody_and_of_a_class_without_save_is_an_error(self):
        for actor, code in (("nobody", "E_NOT_FOUND"), ("control", "E_UNSUPPORTED"),
                            ("<1.2.3.4.5>", "E_UNAVAILABLE")):
            answer = json.loads(self.node.ask_raw(json.dumps({"cmd": "state", "who": actor}).encode()))
            self.assertEqual(answer["error"]["code"], code)

    def test_tree_nests_workers_below_their_pool(self):
        tree = self.node.ask("tree")

        self.assertEqual(tree["id"], "root")
        self.assertLessEqual({"router", "intake", "control", "pool.parser"}, {row["id"] for row in tree["children"]})
        pool = next(child for child in tree["children"] if child["id"] == "pool.parser")
        self.assertEqual([worker["id"] for worker in pool["children"]], ["parser.1", "parser.2"])
        self.assertEqual({worker["state"] for worker in pool["children"]}, {"up"})

    def test_pools_counts_workers_and_tasks(self):
        before = self.node.ask("pools")[0]
        self.node.ask("call", tool="code_parse", body={"filename": "a.json", "code": "{}"})

        after = self.node.ask("pools")[0]

        self.assertEqual(after["name"], "parser")
        self.assertEqual(after["accepted"], before["accepted"] + 1)
        self.assertEqual([worker["id"] for worker in after["workers"]], ["parser.1", "parser.2"])

    def test_call_returns_the_whole_reply(self):
        reply = self.node.ask("call", tool="code_parse", body={"filename": "a.json", "code": "[1]"})

        self.assertEqual(set(reply), {"task_id", "success", "result", "from_cache", "metrics"})
        self.assertRegex(reply["task_id"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertIs(reply["success"], True)
        self.assertEqual(reply["result"]["language"], "json")
        self.assertIs(reply["from_cache"], False)
        self.assertEqual(set(reply["metrics"]), {"queue_us", "exec_us", "worker", "attempts"})
        self.assertIn(reply["metrics"]["worker"], ("parser.1", "parser.2"))

    def test_unknown_command_lists_the_known_ones(self):
        answer = json.loads(self.node.ask_raw(b'{"cmd":"dance"}'))

        self.assertEqual(answer["error"]["code"], "E_UNKNOWN_COMMAND")
        for verb in ("ping", "tree", "pools", "ps", "call", "stop"):
            self.assertIn(verb, answer["error"]["message"])

    def test_garbage_is_answered_with_an_error_and_harms_nothing(self):
        deep = b"\x81\xa3cmd" + b"\x91" * 5000
        for garbage in (b"", b"\x00\xff\xfe", b"{", b'{"cmd":', b'{"cmd":7}', b'{"cmd":""}', b"[1]", b"null",
                        b"\xdf\xff\xff\xff\xff", b"\xde\xff\xff", deep, b'{"cmd":"call"}',
                        b'{"cmd":"call","tool":"code_parse","body":[]}', b'{"cmd":"call","tool":7,"body":{}}',
                        b'{"cmd":"ping","cmd":"ps"}', os.urandom(65536)):
            with self.subTest(garbage[:20]):
                answer = self.node.ask_raw(garbage)
                try:
                    answer = json.loads(answer)
                except ValueError:
                    answer = msgpack.unpackb(answer)
                self.assertFalse(answer["ok"])
                self.assertIn(answer["error"]["code"], ("E_BAD_BODY", "E_BAD_REQUEST"))
        self.assertTrue(self.node.ask("ping"))

    def test_messages_of_other_shapes_are_dropped(self):
        peer = zmq.Context.instance().socket(zmq.DEALER)
        peer.setsockopt(zmq.LINGER, 0)
        try:
            peer.connect(self.endpoint)
            peer.send_multipart([b"one", b"two"])
            peer.send_multipart([b"", b"", b'{"cmd":"ping"}'])
            peer.send(b'{"cmd":"ping"}')
            self.assertTrue(peer.poll(int(10000 * SLOW)))
            self.assertTrue(json.loads(peer.recv())["ok"])
            self.assertFalse(peer.poll(100), "only the third was a request")
        finally:
            peer.close()

    def test_who_leaves_before_the_answer_harms_nothing(self):
        for _ in range(50):
            peer = zmq.Context.instance().socket(zmq.DEALER)
            peer.setsockopt(zmq.LINGER, 100)
            peer.connect(self.endpoint)
            peer.send(b'{"cmd":"tree"}')
            peer.close()

        self.assertTrue(self.node.ask("ping"))

    def test_bytes_that_are_no_zeromq_harm_nothing(self):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(self.endpoint.removeprefix("ipc://"))
            raw.sendall(os.urandom(4096))

        self.assertTrue(self.node.ask("ping"))

    def test_requests_beyond_the_limit_are_refused_not_lost(self):
        peer = zmq.Context.instance().socket(zmq.DEALER)
        peer.setsockopt(zmq.LINGER, 0)
        count = 1000
        try:
            peer.connect(self.endpoint)
            for _ in range(count):
                peer.send(b'{"cmd":"ping"}')
            answers = []
            while len(answers) < count:
                self.assertTrue(peer.poll(int(10000 * SLOW)), f"{len(answers)} of {count} answers")
                answers.append(json.loads(peer.recv()))
        finally:
            peer.close()
        for answer in answers:
            self.assertTrue(answer["ok"] or answer["error"]["code"] == "E_BUSY")

    def test_inquiries_leave_no_actor_behind(self):
        self.node.ask("tree")

        self.assertEqual([row for row in self.node.ask("ps") if row["class"] == "inquiry"], [])

    # ---- commands ----

    def test_tree_command_draws_the_tree(self):
        done = self.node.command("tree")

        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"root +up +supervisor")
        self.assertRegex(done.stdout, r"├─ pool\.parser +up")
        self.assertRegex(done.stdout, r"│  └─ parser\.2 +up +parser +pool")
        self.assertNotIn("\033", done.stdout, "no colours when it is no terminal")

    def test_ps_command_aligns_and_json_is_the_list(self):
        text = self.node.command("ps").stdout.splitlines()
        rows = json.loads(self.node.command("ps", "--json").stdout)

        self.assertEqual(len(text), len(rows) + 1)
        self.assertEqual(text[0].split()[:5], ["PID", "NAME", "CLASS", "PLACE", "OS_PID"])
        self.assertIsInstance(rows, list)

    def test_classes_show_busy_time_and_how_long_messages_wait(self):
        for _ in range(1500):  # some thousand messages of the node's actors: a few are sampled
            self.node.ask("ping")

        rows = {row["class"]: row for row in self.node.ask("classes")}
        control = rows["control"]
        self.assertEqual(control["actors"], 1)
        self.assertGreaterEqual(control["handled"], 1500)
        self.assertGreater(control["busy_ns"], 0)
        self.assertGreaterEqual(rows["inquiry"]["handled"] + rows["inquiry"]["actors"], 1)
        self.assertGreater(sum(row["sampled"] for row in rows.values()), 0)
        for row in rows.values():
            self.assertLessEqual(row["queue_p50_ns"], row["queue_p99_ns"])
            self.assertLessEqual(row["queue_p99_ns"], row["queue_max_ns"])
        self.assertGreater({row["name"]: row for row in self.node.ask("ps")}["control"]["busy_ns"], 0)

    def test_classes_command_aligns_and_json_is_the_list(self):
        text = self.node.command("classes").stdout.splitlines()
        rows = json.loads(self.node.command("classes", "--json").stdout)

        self.assertEqual(len(text), len(rows) + 1)
        self.assertEqual(text[0].split()[:4], ["CLASS", "RUNS", "ACTORS", "HANDLED"])

    def test_pools_command_shows_a_row_for_each(self):
        done = self.node.command("pools")

        self.assertRegex(done.stdout, r"parser +2 \(2-4\)")
        self.assertEqual(json.loads(self.node.command("pools", "--json").stdout)[0]["name"], "parser")

    def test_call_command_takes_json_from_argument_and_input(self):
        body = json.dumps({"filename": "a.json", "code": "[1]"})

        by_argument = self.node.command("call", "code_parse", body)
        by_input = self.node.command("call", "code_parse", "-", stdin=body)

        self.assertEqual(by_argument.returncode, 0, by_argument.stderr)
        self.assertEqual(json.loads(by_argument.stdout)["language"], "json")
        self.assertEqual(by_argument.stdout, by_input.stdout)

    def test_failed_task_is_told_on_standard_error(self):
        done = self.node.command("call", "code_parse", '{"filename":"a.json"}')

        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("E_BAD_PAYLOAD", done.stderr)
        self.assertIn("code", done.stderr)

    def test_failed_task_with_json_prints_the_reply(self):
        done = self.node.command("call", "--json", "no_such_tool")

        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "E_UNKNOWN_TOOL")

    def test_body_that_is_no_json_is_wrong_use(self):
        self.assertEqual(self.node.command("call", "code_parse", "{").returncode, 2)
        self.assertEqual(self.node.command("call", "code_parse", "-", stdin="").returncode, 2)

    def test_second_node_on_the_run_directory_names_the_first(self):
        done = run("run", self.node.config_path, "--set", f"node.run_dir={self.node.run_dir}")

        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.node.process.pid), done.stderr)
        self.assertTrue(self.node.ask("ping"), "the first goes on")


class Life(unittest.TestCase):
    """Start, death of workers, stop."""

    def test_stop_command_waits_for_the_end_and_leaves_no_file(self):
        with Node(POOL) as node:
            done = node.command("stop")

            self.assertEqual((done.returncode, done.stdout), (0, "stopped\n"))
            self.assertEqual(node.wait_ended(), 0)
            self.assertFalse(os.path.exists(os.path.join(node.run_dir, "control")))

    def test_sigterm_and_sigint_stop_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Node(POOL) as node:
                family = node.family()
                self.assertEqual(node.stop(number), 0)
                for pid in family[1:]:
                    self.assertFalse(os.path.exists(f"/proc/{pid}"), "all of its processes are gone")

    def test_killed_worker_is_replaced_and_counted(self):
        config = POOL.replace("place = pool", "place = process")
        with Node(config) as node:
            victim = node.kill_worker("parser")

            replacement = node.wait_replaced(victim)

            self.assertEqual(replacement["restarts"], 1)
            ended = wait_for(lambda: node.events("child_terminated"), what="the report")
            self.assertEqual(ended[0]["child"], "parser.1")
            self.assertIn("signal 9", ended[0]["reason"])
            self.assertEqual(node.ask("call", tool="code_parse", body={"filename": "a.json", "code": "1"})["success"],
                             True)
            self.assertEqual(node.stop(), 0)

    def test_too_many_deaths_end_the_pool_then_come_back_by_its_parent(self):
        config = POOL.replace("place = pool", "place = process")
        with Node(config, ["pools.parser.intensity=1"]) as node:
            for _ in range(2):
                victim = node.kill_worker("parser")
                node.wait_replaced(victim)

            wait_for(lambda: node.events("supervisor_gave_up"), what="the pool's end")
            wait_for(lambda: len(node.workers("parser")) == 2, what="two workers again")
            self.assertEqual(node.events("supervisor_gave_up")[0]["supervisor"], "pool.parser")
            self.assertEqual(node.stop(), 0)

    def test_call_that_was_accepted_is_answered_though_the_node_stops(self):
        code = "int f(int a) { return a; }\n" * 8000
        request = json.dumps({"cmd": "call", "tool": "code_parse",
                              "body": {"language": "c", "code": code, "options": {"max_nodes": 10}}}).encode()
        with Node(POOL, ["pools.parser.min=1", "pools.parser.max=1"]) as node:
            peer = zmq.Context.instance().socket(zmq.DEALER)
            peer.setsockopt(zmq.LINGER, 0)
            try:
                peer.connect(node.endpoints["control"])
                for _ in range(12):
                    peer.send(request)
                wait_for(lambda: node.ask("pools")[0]["accepted"] == 12, what="12 accepted tasks")
                node.send_signal(signal.SIGTERM)
                for _ in range(12):
                    self.assertTrue(peer.poll(int(20000 * SLOW)), "an answer is missing")
                    self.assertTrue(json.loads(peer.recv())["result"]["success"])
            finally:
                peer.close()
            self.assertEqual(node.wait_ended(), 0)

    def test_pool_that_shrank_grows_again(self):
        options = ("keys_max = 1", "idle_ms = 100", "options", "    finished_ttl_s = 0")
        config = WORKSHOP.replace("keys_max = 2", "\n        ".join(options))
        question = {"id": "q", "type": "boolean", "text": "Is water wet?", "correct": ["true"]}
        with Node(config) as node:
            for round_number in range(3):
                matches = [node.ask("call", tool="match_create", body={"questions": [question]}) for _ in range(3)]
                self.assertEqual([reply["success"] for reply in matches], [True] * 3, (round_number, matches))
                self.assertEqual([row["name"] for row in node.workers("match")], ["match.1", "match.2", "match.3"])
                for reply in matches:
                    match = reply["result"]
                    node.ask("call", tool="match_end",
                             body={"match_id": match["match_id"], "host_key": match["host_key"]})
                wait_for(lambda: len(node.workers("match")) == 1, what="two workers less")
            self.assertEqual(node.stop(), 0)

    def test_text_ready_line_names_the_endpoints(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "node.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(POOL)
            process = subprocess.Popen([PROGRAM, "run", path, "--set", f"node.run_dir={folder}/run"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            try:
                line = process.stdout.readline()
                self.assertRegex(line, r"^ready control=ipc://\S+ majordomo=tcp://127\.0\.0\.1:\d+$")
            finally:
                process.terminate()
                self.assertEqual(process.wait(40 * SLOW), 0)
                process.stdout.close()

    def test_commands_find_the_one_node_of_the_user(self):
        with tempfile.TemporaryDirectory() as runtime:
            path = os.path.join(runtime, "node.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(POOL)
            env = {"XDG_RUNTIME_DIR": runtime, "TROUPE_CONTROL": ""}
            nodes = []
            try:
                for name in ("one", "two"):
                    nodes.append(subprocess.Popen([PROGRAM, "run", path, "--set", f"node.name={name}"],
                                                  env=dict(os.environ, **env), stdout=subprocess.PIPE,
                                                  stderr=subprocess.DEVNULL, text=True))
                    self.assertTrue(nodes[-1].stdout.readline().startswith("ready"))
                    done = run("ps", **env)
                    if name == "one":
                        self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.returncode, 1, "two nodes: which one?")
                self.assertRegex(done.stderr, r"(?s)2 nodes run in .*/one/control.*|.*/two/control.*")
            finally:
                for node in nodes:
                    node.terminate()
                    node.wait(40 * SLOW)
                    node.stdout.close()


class WithoutNode(unittest.TestCase):
    @unittest.skipIf(os.getuid() != 0, "only root can give a folder away")
    def test_commands_do_not_look_into_a_folder_that_another_user_made(self):
        with tempfile.TemporaryDirectory() as runtime:
            folder = os.path.join(runtime, "troupe")
            with Node(POOL, settings=[f"node.run_dir={folder}/one"]):
                self.assertEqual(run("ps", XDG_RUNTIME_DIR=runtime, TROUPE_CONTROL="").returncode, 0)
                os.chown(folder, 65534, -1)

                done = run("ps", XDG_RUNTIME_DIR=runtime, TROUPE_CONTROL="")

                self.assertEqual(done.returncode, 1)
                self.assertIn("no node runs", done.stderr)

    def test_no_node_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as runtime:
            for arguments in (["tree"], ["ps", "--json"], ["call", "x"], ["stop"]):
                done = run(*arguments, XDG_RUNTIME_DIR=runtime, TROUPE_CONTROL="")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("run CONF", done.stderr)

    def test_dead_endpoint_is_told_at_once(self):
        done = run("ps", "--control", "ipc:///nonexistent/control")

        self.assertEqual(done.returncode, 1)
        self.assertIn("no node at ipc:///nonexistent/control", done.stderr)

    def test_wrong_use_is_status_2(self):
        for arguments in ([], ["dance"], ["run"], ["run", "a", "b"], ["ps", "--set", "a=b"], ["ps", "--nonsense"],
                          ["tree", "x"], ["call"], ["run", "--control", "x", "c"], ["help", "dance"]):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments).returncode, 2)

    def test_every_command_has_help(self):
        rows = re.findall(r"^  ([a-z]+)( \S.*\S)? {2,}(\S.*)$", run("help").stdout, re.MULTILINE)

        self.assertEqual(len(rows), len(re.findall(r"^  [a-z]", run("help").stdout, re.MULTILINE)))
        self.assertIn("run", [name for name, _, _ in rows])
        for name, arguments, text in rows:
            done = run(name, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"troupe {name}{arguments}", done.stdout)
            self.assertIn(f"\n{text}.\n", done.stdout)

    def test_config_and_messages_print_pages(self):
        self.assertIn("| `name` |", run("config").stdout)
        self.assertIn("min", {row["option"] for row in json.loads(run("config", "--json").stdout)})
        self.assertIn("task_run", run("messages").stdout)

    def test_configuration_error_names_file_line_option_rule(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "node.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(POOL.replace("min = 2", "min = two"))
            done = run("run", path, "--set", f"node.run_dir={folder}/run")

            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, rf"^{path}:10: pools\.parser\.min: ")
            self.assertFalse(os.path.exists(f"{folder}/run"), "nothing was started")

    def test_control_endpoint_that_is_none_is_told_as_such(self):
        done = run("ps", "--control", "nonsense")

        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nonsense", done.stderr)
        self.assertNotIn("did not answer", done.stderr)

    def test_missing_file_and_wrong_override_are_configuration_errors(self):
        self.assertEqual(run("run", "/nonexistent.conf").returncode, 2)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(POOL)
            file.flush()
            self.assertEqual(run("run", file.name, "--set", "pools.parser.nonsense=1").returncode, 2)
            self.assertEqual(run("run", file.name, "--set", "nonsense").returncode, 2)


if __name__ == "__main__":
    unittest.main()
