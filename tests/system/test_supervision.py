# SPDX-License-Identifier: MIT
"""Real supervisors against the traces that Erlang/OTP's gave of the same scenarios, and on random ones."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPERVISION = os.path.join(ROOT, "tests", "supervision")
sys.path.insert(0, SUPERVISION)
import agree  # noqa: E402
import generate  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
