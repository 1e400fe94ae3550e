# SPDX-License-Identifier: MIT
"""The main job, as `./dev run --once` does it: real work, killed workers, an account that adds up."""
import json
import os
import signal
import subprocess
import sys
import unittest

from node import PROGRAM, ROOT, SLOW, descendants


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

    def test_interrupt_during_the_work_stops_the_node_and_ends(self):
        command = [sys.executable, os.path.join(ROOT, "examples", "workshop", "run.py"), "--once",
                   "--program", PROGRAM, "--set", "majordomo.endpoint=tcp://127.0.0.1:*"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("parse: ", process.stderr.readline())  # it works
        process.send_signal(signal.SIGSTOP)  # on a busy machine the work would be done before the interrupt
        family = [process.pid] + descendants(process.pid)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)

        self.assertEqual(process.wait(20 * SLOW), 1)
        self.assertEqual([pid for pid in family if os.path.exists(f"/proc/{pid}")], [])


if __name__ == "__main__":
    unittest.main()
