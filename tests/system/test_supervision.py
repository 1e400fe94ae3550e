# SPDX-License-Identifier: MIT
"""Real supervisors against the traces that Erlang/OTP's gave of the same scenarios."""
import json
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPERVISION = os.path.join(ROOT, "tests", "supervision")
sys.path.insert(0, SUPERVISION)
import agree  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(os.environ.get("TROUPE_PROGRAM", os.path.join(ROOT, "build", "troupe"))),
                       "tests", "supervision_trace")


def traces_of(path):
    run = subprocess.run([PROGRAM, path], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


class Supervision(unittest.TestCase):
    def test_all_recorded_scenarios_agree_with_erlang(self):
        scenarios = agree.read(agree.RECORDED)

        found = list(agree.differences(traces_of(agree.RECORDED), scenarios))

        self.assertGreaterEqual(len(scenarios), 71)
        self.assertEqual(found, [])

    def test_comparison_sees_a_lost_report(self):
        scenarios = agree.read(agree.RECORDED)
        traces = [{"name": s["name"], "trace": s["trace"]} for s in scenarios]
        lost = [[[e for e in step if e[0] != "report"] for step in t["trace"]] for t in traces]

        self.assertEqual(list(agree.differences(traces, scenarios)), [])
        self.assertTrue(list(agree.differences(
            [{"name": t["name"], "trace": l} for t, l in zip(traces, lost)], scenarios)))


if __name__ == "__main__":
    unittest.main()
