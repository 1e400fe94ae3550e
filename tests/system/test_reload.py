# SPDX-License-Identifier: MIT
"""SIGHUP: a running node reads its configuration again."""
import json
import os
import signal
import tempfile
import unittest

from majordomo import Client
from node import Node, wait_for
from test_workers import Manager

CONFIG = """
node
    name = reload
    log_level = {level}
majordomo
    endpoint = "tcp://127.0.0.1:*"
    body_max = {body_max}
pools
    parser
        class = parser
        place = process
        min = {min}
        max = {max}
        queue_max = {queue_max}
        files = {files}
        tools = "{tools}"
"""
DEFAULTS = {"level": "info", "body_max": 1048576, "min": 1, "max": 1, "queue_max": 100, "files": 0,
            "tools": "code_parse"}
CODE = {"language": "c", "code": "int main(void) { return 0; }"}


class Reload(unittest.TestCase):
    def setUp(self):
        self.node = Node(CONFIG.format(**DEFAULTS))
        self.addCleanup(self.node.close)

    def write(self, text):
        other = self.node.config_path + ".new"
        with open(other, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(other, self.node.config_path)  # the node may be reading: it sees one of the two, whole

    def reload(self, event="reloaded", **options):
        """Changes the file and waits for what the node says of it."""
        self.write(CONFIG.format(**{**DEFAULTS, **options}))
        return self.hang_up(event)

    def hang_up(self, event):
        before = len(self.node.events(event))
        self.node.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.node.events(event)) > before, what=event)
        return self.node.events(event)[-1]

    def client(self):
        client = Client(self.node.endpoints["majordomo"])
        self.addCleanup(client.socket.close)
        return client

    def pool(self):
        return self.node.ask("pools")[0]

    def count(self, number):
        wait_for(lambda: len(self.pool()["workers"]) == number, what=f"{number} workers")

    def test_rules_of_a_pool_hold_at_once_and_nothing_is_restarted(self):
        self.count(1)
        before = self.node.workers("parser")[0]["os_pid"]

        done = self.reload(queue_max=7)

        self.assertEqual((done["changed"], done["needs_start"]), (1, 0))
        client = self.client()
        client.send(b"", b"MDPC01", b"mmi.queue", b"code_parse")
        self.assertIn(b'"limit":7', client.receive()[4].replace(b" ", b""))
        self.assertEqual(self.node.workers("parser")[0]["os_pid"], before)

    def test_a_pool_gets_more_workers_and_fewer(self):
        self.reload(min=3, max=4)
        self.count(3)

        victim = self.node.kill_worker("parser", 2)
        self.node.wait_replaced(victim)
        self.count(3)

        self.reload(min=1, max=4)
        self.assertEqual(self.node.command("set", "parser", "idle_ms=10").returncode, 0)
        self.count(1)

    def test_limits_hold_for_workers_that_are_started_from_now_on(self):
        self.count(1)
        self.reload(files=321)
        victim = self.node.kill_worker("parser")
        self.node.wait_replaced(victim)

        shown = self.node.command("why", "parser.1", "--json").stdout

        self.assertEqual(json.loads(shown)["limits"]["files"], 321)

    def test_options_that_are_looked_up_each_time_hold_at_once(self):
        self.reload(body_max=1024)

        reply = self.client().call_01("code_parse", {"language": "c", "code": "x" * 2000})

        self.assertIs(reply["success"], False)

    def test_the_log_level_changes(self):
        self.reload(level="warn")
        self.node.send_signal(signal.SIGHUP)  # says `reloaded` at level info: not any more
        self.reload(level="info")
        self.assertEqual([row["value"] for row in self.node.events("option_changed")], ["warn", "info"])

    def test_what_needs_a_start_is_named(self):
        done = self.reload(tools="code_parse code_other")

        self.assertEqual((done["changed"], done["needs_start"]), (0, 1))
        self.assertEqual(self.node.events("option_needs_a_start")[0]["option"], "pools.parser.tools")
        self.assertIs(self.client().call_01("code_parse", CODE)["success"], True)

    def test_a_pool_that_came_is_named(self):
        self.write(CONFIG.format(**DEFAULTS) + CONFIG.format(**DEFAULTS).split("pools\n")[1].replace(
            "    parser", "    other").replace("code_parse", "code_other"))

        self.hang_up("reloaded")

        self.assertEqual([row["option"] for row in self.node.events("option_needs_a_start")], ["pools.other"])

    def test_a_bad_file_is_refused_whole_with_its_line(self):
        said = self.reload("reload_refused", queue_max=7, min=-1)

        self.assertEqual(said["line"], 12)
        self.assertEqual(said["option"], "pools.parser.min")
        self.assertIn("integer", said["expected"])
        self.assert_as_before()

    def test_a_combination_that_is_refused_is_refused_whole(self):
        self.write(CONFIG.format(**{**DEFAULTS, "queue_max": 7}) +
                   "        backoff_ms = 100\n        backoff_max_ms = 50\n")

        said = self.hang_up("reload_refused")

        self.assertIn("backoff", said["option"])
        self.assert_as_before()

    def assert_as_before(self):
        client = self.client()
        client.send(b"", b"MDPC01", b"mmi.queue", b"code_parse")
        self.assertIn(b'"limit":100', client.receive()[4].replace(b" ", b""))
        self.assertEqual(self.node.events("option_changed"), [])

    def test_a_missing_file_is_refused(self):
        os.unlink(self.node.config_path)
        self.hang_up("reload_refused")
        self.assertIs(self.client().call_01("code_parse", CODE)["success"], True)

    def test_a_node_that_dies_later_starts_with_the_changed_file(self):
        self.reload(queue_max=7)
        os.kill(self.node.family()[1], signal.SIGKILL)
        self.node.read_ready()

        client = self.client()
        client.send(b"", b"MDPC01", b"mmi.queue", b"code_parse")

        self.assertIn(b'"limit":7', client.receive()[4].replace(b" ", b""))


class ServiceManager(unittest.TestCase):
    def setUp(self):
        self.manager = Manager(self.enterContext(tempfile.TemporaryDirectory()))
        self.addCleanup(self.manager.socket.close)
        self.node = self.manager.start(CONFIG.format(**DEFAULTS))
        self.addCleanup(self.node.close)
        self.manager.wait_for("READY=1")

    def test_it_hears_of_a_reload_and_of_its_end(self):
        self.node.send_signal(signal.SIGHUP)

        lines = self.manager.wait_for("RELOADING=1")
        self.assertTrue([line for line in lines if line.startswith("MONOTONIC_USEC=")])
        self.assertIn("STATUS=reading its file", lines)
        self.manager.wait_for("READY=1")

    def test_it_hears_the_end_of_a_reload_that_was_refused_and_why(self):
        with open(self.node.config_path, "a", encoding="utf-8") as file:
            file.write("nonsense\n    here = 1\n")
        self.node.send_signal(signal.SIGHUP)

        self.manager.wait_for("RELOADING=1")
        lines = self.manager.wait_for("READY=1")  # else the manager waits for ever
        self.assertTrue([line for line in lines if line.startswith("STATUS=") and "refused" in line], lines)


if __name__ == "__main__":
    unittest.main()
