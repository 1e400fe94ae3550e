# SPDX-License-Identifier: MIT
"""The kind of worker that CONTRIBUTING.md has people copy: compiles, runs, is served, and refuses what it should."""
import json
import os
import unittest

from node import PROGRAM, ROOT, Node

WORDS = os.path.join(os.path.dirname(PROGRAM), "examples", "words")
FOLDER = os.path.join(ROOT, "examples", "words")


class Words(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(FOLDER, "words.conf"), encoding="utf-8") as file:
            self.node = Node(file.read(), program=WORDS)
        self.addCleanup(self.node.close)

    def call(self, **body):
        return json.loads(self.node.command("call", "words_count", json.dumps(body), "--json").stdout)

    def test_template_of_a_worker_kind_serves_its_tool(self):
        self.assertEqual(self.call(text=" one  two\nthree ")["result"], {"words": 3})
        self.assertEqual(self.call(text="one two three", least=4)["result"], {"words": 1})
        self.assertIs(self.call(text="one two three", least=4)["from_cache"], True)

    def test_it_fails_with_a_code_and_names_what_is_wrong(self):
        self.assertEqual(self.call(text=" ")["error"]["code"], "E_NO_WORDS")
        for body, path in (({"text": 1}, "text"), ({"text": "a", "least": 0}, "least"),
                           ({"text": "a", "more": 1}, "more")):
            error = self.call(**body)["error"]
            self.assertEqual((error["code"], error["path"]), ("E_BAD_PAYLOAD", path))


if __name__ == "__main__":
    unittest.main()
