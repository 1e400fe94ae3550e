# SPDX-License-Identifier: MIT
"""`troupe work CLASS`: a worker as a program of its own, over standard input and output, without a node."""
import json
import os
import subprocess
import unittest

from node import PROGRAM, SLOW

PRIMES = os.path.join(os.path.dirname(PROGRAM), "examples", "primes")


def work(name, *lines, program=PROGRAM):
    """Exit status, answers and what it said on standard error."""
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([program, "work", name], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60 * SLOW)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def parse(code, language="json"):
    return {"tool": "code_parse", "body": {"language": language, "code": code}}


class Work(unittest.TestCase):
    def test_each_line_is_a_task_and_the_answers_come_in_their_order(self):
        status, answers, errors = work("parser", *(parse("[" + "1," * i + "1]") for i in range(200)))
        self.assertEqual([answer["result"]["root"].count("(number)") for answer in answers], list(range(1, 201)))
        self.assertEqual((status, errors), (0, ""))

    def test_partial_answers_come_before_the_last_one(self):
        status, answers, _ = work("primes", {"tool": "primes_count", "body": {"to": 1000, "steps": 4}}, program=PRIMES)
        self.assertEqual([answer.get("part", {}).get("done") for answer in answers], [250, 500, 750, None])
        self.assertEqual((status, answers[3]), (0, {"success": True, "result": {"done": 1000, "found": 168}}))

    def test_what_is_wrong_with_a_line_is_its_answer_and_the_next_is_done(self):
        lines = ["\n", "no json\n", "[1]\n", "{\n", '{"tool": 1, "body": {}}\n', '{"tool": "code_parse"}\n',
                 '{"tool": "", "body": {}}\n', '{"tool": "code_parse", "body": []}\n',
                 '{"tool": "\\u0000", "body": {}}\n']
        status, answers, _ = work("parser", *lines, {"tool": "nothing", "body": {}}, parse("", "latin"),
                                  {"tool": "code_parse", "body": {}}, parse("[1]"))
        self.assertEqual(len(answers), len(lines) + 4)
        self.assertFalse(any(answer["success"] for answer in answers[:-1]))
        codes = [answer["error"]["code"] for answer in answers[-4:-1]]
        self.assertEqual(codes, ["E_UNKNOWN_TOOL", "E_UNSUPPORTED_LANGUAGE", "E_BAD_PAYLOAD"])
        self.assertTrue(answers[-1]["success"])
        self.assertEqual(status, 0)

    def test_an_input_that_ends_at_once_is_no_error(self):
        self.assertEqual(work("parser"), (0, [], ""))

    def test_a_class_that_is_none_or_does_not_start_is_told(self):
        status, _, errors = work("latin")
        self.assertEqual(status, 2)
        self.assertIn("parser", errors)
        status, _, errors = work("router", parse("1"))
        self.assertEqual(status, 1)
        self.assertIn("the worker ended", errors)


if __name__ == "__main__":
    unittest.main()
