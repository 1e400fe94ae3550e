# SPDX-License-Identifier: MIT
"""Actors that wait cost no processor time, however many they are."""
import os
import re
import subprocess
import unittest

from node import ROOT

CURVE = os.path.join(ROOT, "build", "bench", "curve")


class Idle(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(CURVE), "the benches are not built")
    def test_a_million_idle_actors_use_no_cpu(self):
        """The program makes them, lets them start, and prints the processor time of its next second."""
        done = subprocess.run([CURVE, "idle", "n=1000000", "threads=2"], stdout=subprocess.PIPE, text=True,
                              timeout=120, check=True)

        used_us = float(re.search(r"idle ([\d.]+) us", done.stdout).group(1))
        self.assertLess(used_us, 10000, "of a second")


if __name__ == "__main__":
    unittest.main()
