# SPDX-License-Identifier: MIT
"""The Node client and the Node worker of examples/clients against a real node; the cases are in node_client.js."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from node import PROGRAM, ROOT, Node

CONFIG = """
node
    name = clients
majordomo
    endpoint = "ipc://{folder}/port"
    heartbeat_ms = 100
    liveness = 20
pools
    foreign
        foreign = 1
        options = 1
        tools = "upper gate frames nobody"
        cancel_ms = 50
    parser
        class = parser
        place = process
        tools = "code_parse"
"""
KEYS = """
majordomo
    endpoint = "tcp://127.0.0.1:*"
    curve_secret = "{folder}/node.key"
    keys = "{folder}/keys"
pools
    foreign
        foreign = 1
        options = 1
        tools = "upper"
"""


def keygen(path):
    """A new pair by the command: (public, secret)."""
    made = subprocess.run([PROGRAM, "keygen", path], check=True, stdout=subprocess.PIPE, text=True)
    with open(path, encoding="utf-8") as file:
        return made.stdout.strip(), re.search('secret-key = "(.*)"', file.read()).group(1)


@unittest.skipIf(shutil.which("npm") is None, "npm is not installed: apt-get install npm")
class NodeClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="troupe-clients-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.scripts = os.path.join(cls.folder, "node")
        shutil.copytree(os.path.join(ROOT, "examples", "clients", "node"), cls.scripts,
                        ignore=shutil.ignore_patterns("node_modules"))
        shutil.copy(os.path.join(ROOT, "tests", "system", "node_client.js"), cls.scripts)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=cls.scripts, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def setUp(self):
        self.config = CONFIG.replace("{folder}", self.folder)
        self.node = Node(self.config)
        self.addCleanup(lambda: self.node.close())
        self.endpoint = self.node.endpoints["majordomo"]

    def start(self, script, *arguments, env=None):
        return subprocess.Popen(["node", script, *arguments], cwd=self.scripts, env=env, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def found(self, case):
        return self.end(self.start("node_client.js", case, self.endpoint))

    def end(self, process, said=None):
        try:
            out, err = process.communicate(said, timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        self.assertEqual(process.returncode, 0, err)
        return json.loads(out)

    def test_many_calls_are_under_way_on_one_socket(self):
        self.assertEqual(self.found("many"), list(range(1, 61)))

    def test_worker_example_serves_its_tool_and_its_partial_answers_are_iterated(self):
        worker = self.start("upper.js", self.endpoint)

        self.assertEqual(self.found("stream"), ["A", "B", {"text": "A B"}])
        printed = self.node.command("call", "upper", '{"text": "some words"}')

        self.assertIn("SOME WORDS", printed.stdout, printed.stderr)
        worker.terminate()
        worker.communicate(timeout=30)
        self.assertEqual(worker.returncode, 0)

    def test_errors_have_the_code_of_the_node(self):
        codes = [error["code"] for error in self.found("errors")]

        self.assertEqual(codes, ["E_BAD_PAYLOAD", "E_UNKNOWN_TOOL", "E_EXPIRED"])

    def test_frames_pass_as_they_are(self):
        self.assertEqual(self.found("frames"), ["676f74", "00", "62"])

    def test_aborted_call_leaves_the_queue(self):
        self.assertEqual(self.found("cancel"), [1, "AbortError"])

    def test_same_idempotency_key_is_done_once(self):
        self.assertEqual(self.found("once"), [1, 1, 1])

    def test_lost_connection_fails_a_call_or_with_retry_is_made_up_for(self):
        client = self.start("node_client.js", "lost", self.endpoint)
        self.assertEqual(client.stdout.readline(), "under way\n")

        self.node.close()
        self.node = Node(self.config)

        name, again, count = self.end(client, "go\n")
        self.assertEqual(name, "ConnectionLost")
        self.assertEqual(again, 2)
        self.assertGreater(count, 0)

    def test_partial_answers_that_were_lost_are_an_error_of_who_iterates(self):
        all_came, lost, whole = [0, 1, "end"], "E_PARTS_LOST", "end"

        self.assertEqual(self.found("parts"), [all_came, whole, lost, whole, lost, whole, *[all_came, whole] * 4])

    def test_keys_of_a_node_that_wants_them(self):
        node, known, unknown = (keygen(os.path.join(self.folder, name)) for name in ("node.key", "known", "unknown"))
        with open(os.path.join(self.folder, "keys"), "w", encoding="utf-8") as file:
            file.write(f'known\n    public_key = "{known[0]}"\n    tools = "upper"\n    serves = "upper"\n')
        pairs = {name: {"server": node[0], "public": pair[0], "secret": pair[1]}
                 for name, pair in (("known", known), ("unknown", unknown))}
        with Node(KEYS.replace("{folder}", self.folder)) as guarded:
            env = dict(os.environ, KEYS=json.dumps(pairs))
            found = self.end(self.start("node_client.js", "keys", guarded.endpoints["majordomo"], env=env))

        self.assertEqual(found, ["A", {"name": "ToolError", "code": "E_FORBIDDEN"}, "Error"])

    def test_both_versions_spelled_out_frame_by_frame(self):
        self.assertEqual(self.found("spelled"), [
            ["MDPW02", 2, 0, "one", "two"], ["", "MDPC01", "spelled2", "part", "end"],
            [0, "MDPW01", 2, 0, "body"], ["MDPC02", "\x03", "spelled1", "end"],
            ["MDPC02", "\x03", "mmi.service", "TRP1\x81\xa2id\xa17", "200"],
            [["", "MDPW01", "\x04"], ["", "MDPW01", "\x05"]], [["MDPW02", "\x05"], ["MDPW02", "\x06"]]])


if __name__ == "__main__":
    unittest.main()
