# SPDX-License-Identifier: MIT
"""What the build promises of its parts."""
import os
import subprocess
import unittest

from node import PROGRAM


class Core(unittest.TestCase):
    def test_core_builds_and_runs_without_czmq(self):
        core = os.path.join(os.path.dirname(PROGRAM), "tests/core")

        linked = subprocess.run(["ldd", core], stdout=subprocess.PIPE, text=True, check=True).stdout
        ran = subprocess.run([core], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        self.assertIn("libzmq", linked)
        self.assertNotIn("libczmq", linked)
        self.assertEqual(0, ran.returncode, ran.stdout)


if __name__ == "__main__":
    unittest.main()
