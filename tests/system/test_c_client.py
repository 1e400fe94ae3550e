# SPDX-License-Identifier: MIT
"""The C client (runtime/tools.h): its examples, which are linked with libzmq alone, against a real node."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from node import PROGRAM, ROOT, Node, wait_for

sys.path.insert(0, os.path.join(ROOT, "examples", "clients", "python"))

from troupe_worker import Worker  # noqa: E402

BUILD = os.path.dirname(PROGRAM)
CONFIG = """
node
    name = clients
majordomo
    endpoint = "ipc://{folder}/port"
    heartbeat_ms = 100
    liveness = 20
{keys}
pools
    foreign
        foreign = 1
        options = 1
        tools = "count gate"
        cancel_ms = 50
    parser
        class = parser
        place = process
        tools = "code_parse"
"""


def count(body):
    yield from range(body["to"])
    return "end"


class CClient(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="troupe-clients-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start_node(self, keys=""):
        text = CONFIG.replace("{keys}", keys).replace("{folder}", self.folder)
        node = Node(text)
        self.addCleanup(node.close)
        self.endpoint = node.endpoints["majordomo"]
        return node

    def serve(self, tool, function):
        worker = Worker(self.endpoint, tool, function, heartbeat=0.1, liveness=20)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(worker.stop)

    def run_example(self, name, *arguments):
        return subprocess.run([os.path.join(BUILD, "examples", name), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)

    def keygen(self, name):
        path = os.path.join(self.folder, name)
        made = subprocess.run([PROGRAM, "keygen", path], check=True, stdout=subprocess.PIPE, text=True)
        return path, made.stdout.strip()

    def test_the_example_parses_a_file(self):
        self.start_node()
        path = os.path.join(self.folder, 'a"b.json')
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"ü": "\\u0001\\"", "tab":\t1}')

        done = self.run_example("parse", path, self.endpoint)

        self.assertEqual(done.returncode, 0, done.stderr)
        tree = json.loads(done.stdout)
        self.assertEqual((tree["language"], tree["root"].count("(pair")), ("json", 2))

    def test_an_error_of_the_tool_is_told(self):
        self.start_node()
        done = self.run_example("stream", "code_parse", '{"language": "latin", "code": ""}', self.endpoint)
        self.assertEqual(done.returncode, 1)
        self.assertIn("E_UNSUPPORTED_LANGUAGE", done.stderr)
        done = self.run_example("stream", "code_pares", "{}", self.endpoint)
        self.assertIn("E_UNKNOWN_TOOL", done.stderr)

    def test_partial_answers_are_printed_as_they_come(self):
        self.start_node()
        self.serve("count", count)
        done = self.run_example("stream", "count", '{"to": 3}', self.endpoint)
        self.assertEqual((done.stdout, done.returncode), ('0\n1\n2\n"end"\n', 0), done.stderr)

    def test_ctrl_c_cancels_the_call(self):
        node = self.start_node()
        go = threading.Event()

        def gate(_):
            yield "in"
            go.wait()

        self.serve("gate", gate)
        self.addCleanup(go.set)
        process = subprocess.Popen([os.path.join(BUILD, "examples", "stream"), "gate", "{}", self.endpoint],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), '"in"\n')
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertIn("E_CANCELLED", errors)

        def is_free():
            row = next(row for row in node.ask("pools") if "gate" in row["tools"])
            return row["running"] == 0 and row["failed"] == 1
        wait_for(is_free, what="the end of the cancelled task")

    def test_keys_let_in_and_keep_out(self):
        node_file, server = self.keygen("node.key")
        known_file, known = self.keygen("known.key")
        unknown_file, _ = self.keygen("unknown.key")
        with open(os.path.join(self.folder, "keys"), "w", encoding="utf-8") as file:
            file.write(f'known\n    public_key = "{known}"\n    tools = "code_parse"\n')
        self.start_node(f'    curve_secret = "{node_file}"\n    keys = "{self.folder}/keys"')
        body = '{"language": "json", "code": "[1]"}'

        done = self.run_example("stream", "code_parse", body, self.endpoint, known_file, server)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.run_example("stream", "count", body, self.endpoint, known_file, server)
        self.assertIn("E_FORBIDDEN", done.stderr)
        done = self.run_example("stream", "code_parse", body, self.endpoint, unknown_file, server)
        self.assertIn("E_KEY", done.stderr)

    def test_the_library_needs_libzmq_alone(self):
        linked = subprocess.run(["readelf", "-d", os.path.join(BUILD, "examples", "parse")], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        needed = re.findall(r"NEEDED.*\[lib(\w+)", linked)
        self.assertIn("zmq", needed)
        self.assertLessEqual(set(needed) - {"asan", "ubsan", "tsan", "m", "pthread"}, {"zmq", "c"})


if __name__ == "__main__":
    unittest.main()
