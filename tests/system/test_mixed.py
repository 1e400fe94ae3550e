# SPDX-License-Identifier: MIT
"""What ./dev bench mixed compares does the same work on both sides."""
import asyncio
import os
import sys
import unittest

from node import ROOT

sys.path.append(os.path.join(ROOT, "tests", "bench"))
import mixed  # noqa: E402  (the path above)


class Mixed(unittest.TestCase):
    def test_every_task_that_comes_is_done_once_on_both_sides(self):
        plan, body = mixed.arrivals(0.5), mixed.bodies()
        wanted = {tool: sum(tool == name for _, name in plan) for tool in mixed.RATES}

        loop, node = mixed.in_loop(plan, body), asyncio.run(mixed.in_node(plan, body))

        self.assertGreater(min(wanted.values()), 0)
        for side in (loop, node):
            self.assertEqual({tool: len(side[tool]) for tool in mixed.RATES}, wanted)
            self.assertGreater(min(map(min, side.values())), 0)

    def test_arrivals_are_those_of_their_seed(self):
        self.assertEqual(mixed.arrivals(1, seed=5), mixed.arrivals(1, seed=5))
        self.assertNotEqual(mixed.arrivals(1, seed=5), mixed.arrivals(1, seed=6))


if __name__ == "__main__":
    unittest.main()
