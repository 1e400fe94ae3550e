# SPDX-License-Identifier: MIT
"""A node of build/tests/ill in a folder of its own, where a file NAME.ILLNESS makes the actor NAME fall ill once."""
import os

from node import PROGRAM, Node, wait_for

ILL = os.path.join(os.path.dirname(PROGRAM), "tests", "ill")


def rows_of(tree):
    """All rows of the answer to `tree`, by id."""
    found = {tree["id"]: tree}
    for child in tree.get("children", []):
        found.update(rows_of(child))
    return found


class IllNode(Node):
    def __init__(self, config, folder, settings=(), program=ILL):
        before = os.getcwd()
        os.chdir(folder)  # the actors look for files where the node runs
        try:
            super().__init__(config, settings, program=program, folder=folder)
        finally:
            os.chdir(before)

    def rows(self):
        return rows_of(self.ask("tree"))

    def fall_ill(self, name, illness):
        """Returns when the actor has taken it."""
        path = os.path.join(self.folder, f"{name}.{illness}")
        with open(path, "wb"):
            pass
        wait_for(lambda: not os.path.exists(path), what=f"{name} to fall ill")

    def kill_node(self, name, illness):
        """The actor takes the node with it, which is started again."""
        deaths = len(self.events("node_died"))
        self.fall_ill(name, illness)
        wait_for(lambda: len(self.events("node_died")) > deaths, what="the death of the node")
        self.read_ready()
