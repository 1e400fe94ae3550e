# SPDX-License-Identifier: MIT
"""The state machine of the examples: its lights follow each other, and who presses the button walks at red."""
import os
import unittest

from node import PROGRAM, ROOT, Node, wait_for

LIGHTS = os.path.join(os.path.dirname(PROGRAM), "examples", "lights")


class Lights(unittest.TestCase):
    def test_the_button_is_put_off_until_the_lights_are_red(self):
        with open(os.path.join(ROOT, "examples", "lights", "lights.conf"), encoding="utf-8") as file:
            config = file.read()
        with Node(config, program=LIGHTS) as node:
            wait_for(lambda: len(node.events("walker")) >= 2, what="two walks")
            rows = {row["name"]: row for row in node.ask("ps")}
            lights = [row["detail"] for row in node.events("lights")]
            walks = [row["detail"] for row in node.events("walker")]
            said = sorted(node.events("lights") + node.events("walker"), key=lambda row: row["time"])

            self.assertIn(rows["lights"]["detail"], ("green", "amber", "red"))
            self.assertEqual(lights, [("amber", "red", "green")[i % 3] for i in range(len(lights))])
            self.assertEqual(set(walks), {"walks"})
            self.assertEqual([row["detail"] for row in said][1:3], ["red", "walks"])
            self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
