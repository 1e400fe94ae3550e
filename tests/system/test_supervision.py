# SPDX-License-Identifier: MIT
"""Real supervisors against the traces that Erlang/OTP's gave of the same scenarios, and on random ones."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPERVISION = os.path.join(ROOT, "tests", "supervision")
sys.path.insert(0, SUPERVISION)
import agree  # noqa: E402
import generate  # noqa: E402
import record  # noqa: E402
from node import PROGRAM as TROUPE, Node, wait_for  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(os.environ.get("TROUPE_PROGRAM", os.path.join(ROOT, "build", "troupe"))),
                       "tests", "supervision_trace")


def traces_of(path):
    run = subprocess.run([PROGRAM, path], check=True, capture_output=True, text=True, timeout=120)
    return [json.loads(line) for line in run.stdout.splitlines()]


def faults_of(trace):
    """What no supervisor may do: two incarnations of a child at a time, an end without a start."""
    alive, starts = {}, {}
    for event in sum(trace, []):
        if event[0] == "start":
            starts[event[1]] = starts.get(event[1], 0) + 1
            if event[2] != starts[event[1]]:
                yield f"{event}: the starts of a path are counted"
            alive.setdefault(event[1], set()).add(event[2])
        elif event[0] == "exit":
            if event[2] not in alive.get(event[1], ()):
                yield f"{event}: it did not live"
            alive.get(event[1], set()).discard(event[2])


class Supervision(unittest.TestCase):
    def test_all_recorded_scenarios_agree_with_erlang(self):
        scenarios = agree.read(agree.RECORDED)

        found = list(agree.differences(traces_of(agree.RECORDED), scenarios))

        self.assertGreaterEqual(len(scenarios), 71)
        self.assertEqual(found, [])

    def test_random_scenarios_that_were_recorded_agree_with_erlang(self):
        path = os.path.join(SUPERVISION, "traces_random.jsonl")
        scenarios = agree.read(path)

        found = list(agree.differences(traces_of(path), scenarios))

        self.assertGreaterEqual(len(scenarios), 150)
        self.assertEqual(found, [])

    @unittest.skipUnless(shutil.which("erl") and shutil.which("erlc"), "./dev setup erlang")
    def test_fresh_scenarios_agree_with_the_erlang_that_is_installed(self):
        families = ["plain", "nested", "template", "hold", "gate", "auto", "killed"]
        scenarios = list(generate.scenarios("fresh", 21, families))
        recorded = record.record(scenarios)
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(one) + "\n" for one in scenarios)
            file.flush()
            found = list(agree.differences(traces_of(file.name), recorded))

        self.assertEqual(found, [])

    def test_random_scenarios_break_no_rule(self):
        scenarios = list(generate.scenarios("ci", 900, generate.FAMILIES))
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("".join(json.dumps(one) + "\n" for one in scenarios))
            file.flush()

            traces = traces_of(file.name)

        self.assertEqual([t["name"] for t in traces], [s["name"] for s in scenarios])
        for scenario, line in zip(scenarios, traces):
            self.assertEqual(len(line["trace"]), len(scenario["steps"]) + 1, scenario["name"])
            self.assertEqual(list(faults_of(line["trace"])), [], scenario["name"])

    def test_comparison_sees_a_lost_report(self):
        scenarios = agree.read(agree.RECORDED)
        traces = [{"name": s["name"], "trace": s["trace"]} for s in scenarios]
        lost = [[[e for e in step if e[0] != "report"] for step in t["trace"]] for t in traces]

        self.assertEqual(list(agree.differences(traces, scenarios)), [])
        self.assertTrue(list(agree.differences(
            [{"name": t["name"], "trace": l} for t, l in zip(traces, lost)], scenarios)))


class NestedSupervisors(unittest.TestCase):
    HELLO = os.path.join(os.path.dirname(TROUPE), "examples", "hello")

    def setUp(self):
        with open(os.path.join(ROOT, "examples", "hello", "tree.conf"), encoding="utf-8") as file:
            self.config = file.read()

    def processes(self, node):
        """The process of each child, when all four have one."""
        rows = {row["name"]: row["os_pid"] for row in node.ask("ps") if row["place"] == "process"}
        return rows if len(rows) == 4 else None

    def test_a_death_restarts_the_branch_and_nothing_else(self):
        with Node(self.config, program=self.HELLO) as node:
            before = self.processes(node)
            os.kill(before["left"], signal.SIGKILL)
            after = wait_for(lambda: (rows := self.processes(node)) and rows["left"] != before["left"] and
                             rows["right"] != before["right"] and rows, what="both of the pair again")

            self.assertEqual((after["front"], after["attic"]), (before["front"], before["attic"]))
            house = [row for row in node.ask("tree")["children"] if row["id"] == "house"][0]
            wing = house["children"][0]
            self.assertEqual([row["id"] for row in house["children"]], ["wing", "attic"])
            self.assertEqual((wing["strategy"], wing["restarts"]), ("one_for_all", 0))
            self.assertEqual([row["id"] for row in wing["children"]], ["left", "right"])
            self.assertEqual(node.stop(), 0)

    def test_one_death_too_many_ends_the_branch_and_its_parent_starts_it_again(self):
        with Node(self.config, ["tree.children.house.children.wing.intensity=0"], program=self.HELLO) as node:
            before = self.processes(node)
            os.kill(before["left"], signal.SIGKILL)
            after = wait_for(lambda: (rows := self.processes(node)) and rows["right"] != before["right"] and rows,
                             what="the wing again")

            self.assertEqual(after["attic"], before["attic"])
            house = [row for row in node.ask("tree")["children"] if row["id"] == "house"][0]
            self.assertEqual(house["children"][0]["restarts"], 1)

    def test_restarts_of_all_branches_share_the_rate_of_the_tree(self):
        with Node(self.config, ["tree.restarts_per_s=1"], program=self.HELLO) as node:
            before = self.processes(node)
            for name in ("front", "left", "attic"):  # of the root, of the wing, of the house
                os.kill(before[name], signal.SIGKILL)
            wait_for(lambda: (rows := self.processes(node)) and all(rows[name] != before[name] for name in
                                                                    ("front", "left", "attic")), what="all again")

            delays = sorted(row["delay_ms"] for row in node.events("child_restarting"))
            self.assertEqual(len(delays), 3)
            self.assertEqual(delays[0], 0)
            self.assertGreater(delays[1], 0)  # one at a time is there
            self.assertGreater(delays[2], 1000)  # behind the two before it

    def test_bad_combination_stops_before_anything_starts_with_file_line_and_reason(self):
        config = self.config.replace("                        left\n                            class = greeter\n",
                                     "                        left\n                            class = greeter\n"
                                     "                            significant = yes\n")
        line = config.splitlines().index("                            significant = yes") + 1
        with Node(config, program=self.HELLO, expect_ready=False) as node:
            self.assertEqual(node.wait_ended(), 2)
            self.assertIn(f"node.conf:{line}: tree.children.house.children.wing.children.left.significant: "
                          "expected restart transient or temporary", node.log())


if __name__ == "__main__":
    unittest.main()
