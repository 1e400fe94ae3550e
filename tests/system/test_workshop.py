# SPDX-License-Identifier: MIT
"""The main job, as `./dev run --once` does it: real work, killed workers, an account that adds up."""
import json
import os
import subprocess
import sys
import unittest

from node import PROGRAM, ROOT, SLOW


class Workshop(unittest.TestCase):
    def test_main_job_answers_every_task_once_while_workers_are_killed(self):
        command = [sys.executable, os.path.join(ROOT, "examples", "workshop", "run.py"), "--once", "--json",
                   "--program", PROGRAM, "--set", "majordomo.endpoint=tcp://127.0.0.1:*"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180 * SLOW)

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["lost"], report["doubled"]), (0, 0))
        self.assertEqual((report["workers"]["killed"], report["workers"]["restarted"]), (4, 4))
        sent = {row["tool"]: row["sent"] for row in report["tools"]}
        self.assertGreaterEqual(sent["code_parse"], 300)
        self.assertGreaterEqual(sent["race_transform"], 5 * 60)
        self.assertEqual(sent["match_join"], 50)
        self.assertTrue(all(row["answered"] == row["sent"] and row["failed"] == 0 for row in report["tools"]))


if __name__ == "__main__":
    unittest.main()
