# SPDX-License-Identifier: MIT
"""Worker processes of a real node: their black boxes, their limits, and how they end."""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from node import PROGRAM, SLOW, Node, wait_for
from test_kills import is_alive

CONFIG = """
node
    name = workers
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 1
        memory = 268435456
        tools = code_parse
"""
BODY = json.dumps({"filename": "a.c", "code": "int x;"})


class Manager:
    """The service manager's end: a datagram socket, and what came over it, each datagram a list of lines."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.heard = []

    def start(self, *arguments, watchdog_us=0, **options):
        """A node that reports to it."""
        ours = {"NOTIFY_SOCKET": self.path, **({"WATCHDOG_USEC": str(watchdog_us)} if watchdog_us else {})}
        with mock.patch.dict(os.environ, ours):
            return Node(*arguments, **options)

    def wait_for(self, line):
        """The lines of the next datagram that has this one: what came before it is behind."""
        limit = time.monotonic() + 10 * SLOW
        while (left_s := limit - time.monotonic()) > 0:
            self.socket.settimeout(left_s)
            lines = self.socket.recv(4096).decode().split("\n")
            self.heard += lines
            if line in lines:
                return lines
        raise TimeoutError(f"{line} did not come")


class ServiceManager(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.manager = Manager(self.folder)
        self.addCleanup(self.manager.socket.close)

    def start(self, *arguments, **options):
        node = self.manager.start(*arguments, **options)
        self.addCleanup(node.close)
        return node

    def test_it_hears_of_readiness_signs_of_life_and_the_stop(self):
        node = self.start(CONFIG, watchdog_us=200000)

        self.assertIn("STATUS=node workers serves", self.manager.wait_for("READY=1"))
        self.manager.wait_for("WATCHDOG=1")
        self.manager.wait_for("WATCHDOG=1")
        node.send_signal(signal.SIGTERM)
        self.assertIn("STATUS=finishing what was accepted", self.manager.wait_for("STOPPING=1"))

        self.assertEqual(node.wait_ended(), 0)

    def test_it_does_not_hear_of_readiness_before_the_workers_are_ready(self):
        gate, program = os.path.join(self.folder, "gate"), os.path.join(self.folder, "waits.sh")
        os.mkfifo(gate)
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nread line < {gate}\nexec {PROGRAM} --worker\n")
        os.chmod(program, 0o700)
        settings = [f"pools.parser.{setting}" for setting in ("processes=4", "memory=0", f"program={program}")]
        node = self.start(CONFIG, settings, watchdog_us=20000, expect_ready=False)

        with open(gate, "w", encoding="utf-8") as file:  # opens when the worker's program has begun to wait
            for _ in range(10):
                self.manager.wait_for("WATCHDOG=1")
            self.assertNotIn("READY=1", self.manager.heard)
            file.write("go\n")

        self.manager.wait_for("READY=1")
        node.read_ready()

    def test_it_hears_of_readiness_again_when_the_node_was_started_again(self):
        node = self.start(CONFIG)
        self.manager.wait_for("READY=1")

        os.kill(node.ask("ping")["os_pid"], signal.SIGKILL)

        self.manager.wait_for("STATUS=the node died and is started again")
        self.manager.wait_for("READY=1")
        node.read_ready()


def processes_with(argument):
    """Processes that have this among their arguments."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if argument.encode() in file.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                continue
    return found


def end_all(argument):
    for pid in processes_with(argument):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was on its way


class Leftovers(unittest.TestCase):
    """A worker that may have processes starts one in a session of its own, where no process group reaches it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.mark = f"1{os.getpid()}.5"
        program = os.path.join(self.folder.name, "forks.sh")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nsetsid sleep {self.mark} &\nexec {PROGRAM} --worker\n")
        os.chmod(program, 0o700)
        self.settings = ["pools.parser.processes=20", "pools.parser.memory=0", f"pools.parser.program={program}"]
        self.addCleanup(end_all, self.mark)
        self.node = Node(CONFIG, self.settings, folder=self.folder.name)
        self.addCleanup(self.node.close)
        enforced = json.loads(self.node.command("why", "parser.1", "--json").stdout)["enforced"]
        if "processes_end" not in enforced:
            self.skipTest("no control group may be made here")
        wait_for(lambda: processes_with(self.mark), what="the worker's process")

    def test_what_a_worker_started_ends_with_it(self):
        before = processes_with(self.mark)

        victim = self.node.kill_worker("parser")
        self.node.wait_replaced(victim)

        wait_for(lambda: not set(before) & set(processes_with(self.mark)), what="the end of the worker's process")

    def test_what_a_killed_guardian_left_is_ended_by_the_next(self):
        before = processes_with(self.mark)
        self.node.process.kill()
        self.node.wait_ended()
        self.assertEqual(processes_with(self.mark), before)

        with Node(CONFIG, self.settings, folder=self.folder.name):
            self.assertFalse(set(before) & set(processes_with(self.mark)))


class Guardian(unittest.TestCase):

    def test_what_is_in_the_process_group_of_a_worker_ends_with_it_also_without_a_control_group(self):
        mark = f"1{os.getpid()}.7"
        folder = self.enterContext(tempfile.TemporaryDirectory())
        program = os.path.join(folder, "forks.sh")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nsleep {mark} &\nexec {PROGRAM} --worker\n")
        os.chmod(program, 0o700)
        node = Node(CONFIG, ["pools.parser.memory=0", "pools.parser.seccomp=off", f"pools.parser.program={program}"])
        self.addCleanup(node.close)
        before = wait_for(lambda: processes_with(mark), what="the worker's process")
        self.addCleanup(end_all, mark)

        node.wait_replaced(node.kill_worker("parser"))

        wait_for(lambda: not set(before) & set(processes_with(mark)), what="the end of the worker's process")

    def test_nothing_survives_a_killed_guardian(self):
        node = Node(CONFIG)
        self.addCleanup(node.close)
        family = node.family()[1:]
        self.assertGreaterEqual(len(family), 2)

        node.process.kill()
        node.wait_ended()

        wait_for(lambda: not any(is_alive(pid) for pid in family), what="the end of all")

    def test_the_workers_of_a_killed_node_end_before_the_next_one_starts(self):
        node = Node(CONFIG)
        self.addCleanup(node.close)
        old = node.workers("parser")[0]["os_pid"]

        os.kill(node.ask("ping")["os_pid"], signal.SIGKILL)
        node.read_ready()

        self.assertFalse(os.path.exists(f"/proc/{old}"))
        self.assertNotEqual(node.workers("parser")[0]["os_pid"], old)


class Workers(unittest.TestCase):

    def setUp(self):
        self.node = Node(CONFIG)
        self.addCleanup(self.node.close)

    def why(self, who):
        run = self.node.command("why", who, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_why_shows_what_a_live_worker_was_given(self):
        self.assertEqual(self.node.command("call", "code_parse", BODY).returncode, 0)

        box = self.why("parser.1")

        self.assertTrue(box["alive"])
        self.assertIsNone(box["in_hand"])
        payloads = [record["payload"] for record in box["records"] if record["kind"] == "message"]
        self.assertEqual(payloads[-1]["tool"], "code_parse")

    def test_why_tells_of_a_worker_that_was_killed_by_force(self):
        self.assertEqual(self.node.command("call", "code_parse", BODY).returncode, 0)
        victim = self.node.kill_worker("parser")
        self.node.wait_replaced(victim)

        wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")
        box = self.why(str(victim["os_pid"]))

        self.assertFalse(box["alive"])
        self.assertEqual(box["reason"], "signal 9 (Killed)")
        self.assertTrue(any(record["kind"] == "message" for record in box["records"]))
        text = self.node.command("why", str(victim["os_pid"])).stdout
        self.assertIn("signal 9 (Killed)", text)
        self.assertIn("code_parse", text)

    def test_a_signal_from_outside_names_its_sender(self):
        victim = self.node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGSEGV)
        self.node.wait_replaced(victim)
        wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")

        self.assertIn(f"sent by process {os.getpid()}", self.why(str(victim["os_pid"]))["reason"])

    def test_a_box_in_a_file_needs_no_node(self):
        victim = self.node.kill_worker("parser")
        kept = wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

        run = self.node.command("why", kept["file"], "--json", "--control", "ipc:///nowhere")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["os_pid"], victim["os_pid"])

    def test_a_kept_box_is_replayed(self):
        for _ in range(3):
            self.assertEqual(self.node.command("call", "code_parse", BODY).returncode, 0)
        self.node.kill_worker("parser")
        kept = wait_for(lambda: self.node.events("black_box_kept"), what="the kept box")[0]

        run = self.node.command("replay", kept["file"])

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count("... handled"), 3, run.stdout)
        self.assertIn("replayed 3;", run.stdout)

    def test_an_understudy_takes_over_and_is_replaced(self):
        node = Node(CONFIG, ["pools.parser.understudies=1"])
        self.addCleanup(node.close)

        def states():
            return {worker["id"]: worker["state"] for worker in node.ask("pools")[0]["workers"]}

        wait_for(lambda: states() == {"parser.1": "idle", "parser.2": "understudy"}, what="both workers")
        for _ in range(3):
            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
        rows = {worker["id"]: worker["done"] for worker in node.ask("pools")[0]["workers"]}
        self.assertEqual(rows, {"parser.1": 3, "parser.2": 0})

        victim = node.kill_worker("parser")
        wait_for(lambda: states() == {"parser.1": "understudy", "parser.2": "idle"}, what="the change of parts")

        self.assertEqual(victim["name"], "parser.1")
        self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)

    def test_limits_says_what_holds(self):
        box = self.why("parser.1")
        text = self.node.command("limits", "parser.1").stdout

        self.assertEqual(box["limits"]["memory"], 268435456)
        self.assertTrue({"memory_data", "memory_cgroup"} & set(box["enforced"]))
        self.assertNotIn("memory", box["advisory"])
        self.assertIn("no_new_privs", box["enforced"])
        self.assertIn("enforced:", text)

    def test_each_limit_that_was_asked_for_is_enforced_or_said_not_to_be(self):
        node = Node(CONFIG, [f"pools.parser.{setting}" for setting in
                             ("processes=5", "cpu_s=100", "files=200", "read_paths=/", "seccomp=strict")])
        self.addCleanup(node.close)
        box = json.loads(node.command("limits", "parser.1", "--json").stdout)
        text = node.command("limits", "parser.1").stdout

        enforced, advisory = set(box["enforced"]), set(box["advisory"])
        for asked, held_by in (("memory", {"memory_data", "memory_cgroup"}), ("cpu_s", {"cpu"}), ("files", {"files"}),
                               ("processes", {"processes_count"}), ("processes_end", {"processes_end"}),
                               ("no_new_privs", {"no_new_privs"}), ("seccomp", {"seccomp_strict"}),
                               ("paths", {"landlock"})):
            self.assertNotEqual(asked in advisory, bool(held_by & enforced), f"{asked}: {box}")
        self.assertTrue({"cpu", "files"} <= enforced)  # every kernel has these
        for name in advisory:
            self.assertIn(name, text.split("advisory:")[1])

    def test_what_is_said_to_be_enforced_is_known_to_the_kernel(self):
        node = Node(CONFIG, [f"pools.parser.{setting}" for setting in ("cpu_s=100", "files=200", "seccomp=strict")])
        self.addCleanup(node.close)
        box = json.loads(node.command("limits", "parser.1", "--json").stdout)
        process = box["os_pid"]
        with open(f"/proc/{process}/status", encoding="utf-8") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file)

        self.assertTrue({"cpu", "files", "no_new_privs"} <= set(box["enforced"]), box)
        self.assertEqual(resource.prlimit(process, resource.RLIMIT_CPU), (100, 101))
        self.assertEqual(resource.prlimit(process, resource.RLIMIT_NOFILE), (200, 200))
        self.assertEqual(status["NoNewPrivs"], "1")
        if "seccomp_strict" in box["enforced"]:
            self.assertEqual(status["Seccomp"], "2")
        if "memory_data" in box["enforced"]:
            data_max = resource.prlimit(process, resource.RLIMIT_DATA)[1]
            had = 1024 * int(status["VmData"].split()[0])  # with a sanitizer, terabytes
            self.assertTrue(268435456 < data_max <= had + 268435456, (data_max, had))

    def test_who_is_no_worker_is_said_so(self):
        self.assertIn("no black box of one", self.node.command("why", "nobody").stderr)
        self.assertIn("not in a process of its own", self.node.command("why", "router").stderr)

    def test_a_limit_without_a_process_is_refused(self):
        node = Node(CONFIG, ["pools.parser.place=pool"], expect_ready=False)
        self.addCleanup(node.close)

        self.assertEqual(node.wait_ended(), 2)

        self.assertIn("limits only with `place = process`", node.log())

    def test_a_stopped_worker_is_replaced_when_it_owes_something(self):
        node = Node(CONFIG, ["pools.parser.probe_ms=50"])
        self.addCleanup(node.close)
        victim = node.workers("parser")[0]
        os.kill(victim["os_pid"], signal.SIGSTOP)

        run = node.command("call", "code_parse", BODY)

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(node.events("worker_ended_by_probe")[0]["reason"], "stopped")

    def test_a_stopped_worker_that_owes_nothing_is_let_be(self):
        node = Node(CONFIG + "    idle\n        class = parser\n        place = process\n"
                    "        rollout_tools = code_parse\n", ["pools.parser.probe_ms=50", "pools.idle.probe_ms=50"])
        self.addCleanup(node.close)
        idle = node.workers("idle")[0]
        for share in (("100", "take"), ("off",)):  # it has done a task, which it owed
            self.assertEqual(node.command("rollout", "code_parse", *share).returncode, 0)
            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
        self.assertEqual([pool["answered"] for pool in node.ask("pools")], [1, 1])
        os.kill(idle["os_pid"], signal.SIGSTOP)

        for times in (1, 2):  # those that owe something are found meanwhile
            os.kill(node.workers("parser")[0]["os_pid"], signal.SIGSTOP)
            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
            self.assertEqual(len(node.events("worker_ended_by_probe")), times)

        self.assertEqual(node.workers("idle")[0]["os_pid"], idle["os_pid"])
        os.kill(idle["os_pid"], signal.SIGCONT)

    def test_kills_under_load_lose_and_double_nothing(self):
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16"
        env = dict(os.environ, ASAN_OPTIONS=options)  # what is freed and kept for reports is no growth
        chaos = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "chaos.py")
        run = subprocess.run([sys.executable, chaos, "--kills", "40", "--json"], env=env, stdout=subprocess.PIPE,
                             text=True)

        account = json.loads(run.stdout)

        self.assertEqual(run.returncode, 0, account)
        self.assertEqual((account["kills"], account["lost"], account["doubled"], account["zombies"]), (40, 0, 0, 0))
        self.assertEqual(account["answered"], account["sent"])


class FullDisk(unittest.TestCase):

    def test_a_log_that_takes_no_line_ends_nobody(self):
        with open("/dev/full", "wb") as full, Node(CONFIG, log=full) as node:
            node.wait_replaced(node.kill_worker("parser"))

            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
            self.assertEqual(node.stop(), 0)

    def test_a_file_of_a_log_that_may_not_grow_ends_nobody(self):
        limited = self.program("ulimit -f 1024")  # KiB: enough for black boxes, which are memory
        with tempfile.TemporaryFile() as log, Node(CONFIG, ["node.log_level=trace"], program=limited, log=log) as node:
            log.truncate(1024 * 1024)
            log.seek(0, os.SEEK_END)
            node.wait_replaced(node.kill_worker("parser"))

            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
            self.assertEqual(node.stop(), 0)

    @unittest.skipIf(subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode,
                     "it takes root to mount a small disk")
    def test_black_boxes_that_find_no_room_are_told_and_the_worker_is_replaced(self):
        boxes = self.enterContext(tempfile.TemporaryDirectory())
        small = self.program(f"mount -t tmpfs -o size=32k none {boxes}", "unshare -m")
        with Node(CONFIG, [f"node.black_box_dir={boxes}"], program=small) as node:
            for _ in range(3):
                node.wait_replaced(node.kill_worker("parser"))

            lost = wait_for(lambda: node.events("black_box_lost"), what="a box that is lost")[0]
            self.assertEqual((lost["child"], lost["error"]), ("parser.1", "No space left on device"))
            self.assertEqual(node.command("call", "code_parse", BODY).returncode, 0)
            self.assertEqual(node.stop(), 0)

    def program(self, before, how=""):
        """A program that is the node's, with something done before it."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "troupe")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/bash\nexec {how} bash -c '{before} && exec {PROGRAM} \"$@\"' troupe \"$@\"\n")
        os.chmod(path, 0o700)
        return path


if __name__ == "__main__":
    unittest.main()
