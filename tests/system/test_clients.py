# SPDX-License-Identifier: MIT
"""The client examples, as a user would run them, against a real node."""
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from node import PROGRAM, ROOT, Node

CLIENTS = os.path.join(ROOT, "examples", "clients")
sys.path.insert(0, os.path.join(CLIENTS, "python"))

from troupe_client import AsyncClient, ToolError, call  # noqa: E402


SILENT_ZEROMQ = """
let sends = 0;
exports.Dealer = class {
  connect() {}
  close() {}
  async send() { if (sends++ === 0) throw new Error('no buffer'); }
  async *[Symbol.asyncIterator]() {}
};
"""
TWO_FAILURES = """
const { Client } = require('./troupe_client');
const client = new Client('tcp://127.0.0.1:1');
client.call('t', {}).catch((error) => console.log(error.message)).then(() => {
  const second = client.call('t', {}).catch((error) => console.log(error.message));
  setTimeout(() => client.close(), 50);
  return second;
});
"""


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.endpoint = cls.node.endpoints["majordomo"]
        cls.folder = tempfile.mkdtemp(prefix="troupe-clients-")
        cls.source = os.path.join(cls.folder, "sample.py")
        with open(cls.source, "w", encoding="utf-8") as file:
            file.write("def f(x):\n    return x + 1\n")

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        shutil.rmtree(cls.folder)

    def run_example(self, *command, cwd=None):
        env = dict(os.environ, TROUPE=PROGRAM, TROUPE_CONTROL=self.node.endpoints["control"])
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_python_example_prints_the_tree(self):
        script = os.path.join(CLIENTS, "python", "parse.py")

        printed = self.run_example(sys.executable, script, self.source, self.endpoint)

        self.assertTrue(printed.startswith("(module (function_definition name: (identifier)"), printed)

    def test_shell_example_prints_the_result(self):
        printed = self.run_example(os.path.join(CLIENTS, "shell", "parse.sh"), self.source)

        self.assertIn("function_definition", printed)

    def test_node_example_prints_the_tree(self):
        if shutil.which("npm") is None:
            self.skipTest("npm is not installed: apt-get install npm")
        folder = os.path.join(self.folder, "node")
        shutil.copytree(os.path.join(CLIENTS, "node"), folder, ignore=shutil.ignore_patterns("node_modules"))
        self.run_example("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)

        printed = self.run_example("node", "parse.js", self.source, self.endpoint, cwd=folder)

        self.assertTrue(printed.startswith("(module (function_definition name: (identifier)"), printed)

    @unittest.skipIf(shutil.which("node") is None, "node is not installed: apt-get install nodejs")
    def test_node_client_fails_its_calls_when_it_is_closed_or_cannot_send(self):
        module = os.path.join(self.folder, "fails", "node_modules", "zeromq")
        os.makedirs(module)
        with open(os.path.join(module, "index.js"), "w", encoding="utf-8") as file:
            file.write(SILENT_ZEROMQ)
        folder = os.path.dirname(os.path.dirname(module))
        shutil.copy(os.path.join(CLIENTS, "node", "troupe_client.js"), folder)
        done = subprocess.run(["node", "-e", TWO_FAILURES], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=20)

        self.assertEqual(done.stdout, "no buffer\nthe client was closed\n", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_python_client_raises_the_error_of_a_tool(self):
        with self.assertRaises(ToolError) as caught:
            call("code_parse", {"language": "cobol", "code": ""}, self.endpoint)

        self.assertEqual(caught.exception.code, "E_UNSUPPORTED_LANGUAGE")
        self.assertIn("python", caught.exception.details["supported"])

    def test_python_client_keeps_many_calls_apart(self):
        async def many():
            async with AsyncClient(self.endpoint) as client:
                bodies = [{"language": "json", "code": "[" + "1," * i + "1]"} for i in range(60)]
                results = await asyncio.gather(*(client.call("code_parse", body) for body in bodies))
                return [result["root"].count("(number)") for result in results], client.unexpected

        counts, unexpected = asyncio.run(many())

        self.assertEqual(counts, [i + 1 for i in range(60)])
        self.assertEqual(unexpected, 0)


if __name__ == "__main__":
    unittest.main()
