# SPDX-License-Identifier: MIT
"""What the program prints of itself is what docs/ says, and what the README shows can be run."""
import os
import re
import subprocess
import unittest

from node import PROGRAM, ROOT


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


class Docs(unittest.TestCase):
    def test_printed_pages_are_current(self):
        for command in ("config", "messages"):
            with self.subTest(page=f"docs/{command}.md"):
                printed = subprocess.run([PROGRAM, command], stdout=subprocess.PIPE, text=True, check=True).stdout
                self.assertEqual(read(f"docs/{command}.md"), printed, f"build/troupe {command} > docs/{command}.md")

    def test_links_lead_to_files(self):
        pages = ["README.md", "CONTRIBUTING.md"] + ["docs/" + name for name in os.listdir(os.path.join(ROOT, "docs"))
                                                    if name.endswith(".md")]
        for page in pages:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page)):
                if "://" not in link:
                    target = os.path.join(ROOT, os.path.dirname(page), link)
                    self.assertTrue(os.path.exists(target), f"{page} links to {link}, which is not there")

    def test_tests_of_the_requirements_exist(self):
        rows = [line for line in read("docs/requirements.md").splitlines()
                if line.startswith("| ") and not line.endswith("| shown by |")]
        self.assertTrue(rows)
        for row in rows:
            named = re.findall(r"`([^`]+)::([^`]+)`", row)
            self.assertTrue(named, f"no test: {row}")
            for path, name in named:
                text = read(path)
                is_there = re.search(rf"^(Parameterized)?Test\([^)]*\b{name}\b|^ +def {name}\(", text, re.M)
                self.assertTrue(is_there, f"docs/requirements.md names {path}::{name}, which is not there")

    def test_first_actor_of_the_readme_is_the_example(self):
        shown = re.search(r"```c\n(.*?)```", read("README.md"), re.S).group(1)

        self.assertEqual(shown, read("examples/hello/hello.c"))
        self.assertLess(len(shown.splitlines()), 40)


if __name__ == "__main__":
    unittest.main()
