# SPDX-License-Identifier: MIT
"""A real node for a test: started on free ports in a folder of its own, always stopped, its files always removed.

    with Node(CONFIG) as node:
        node.ask("ps")                        # a verb of the control socket: its result
        node.command("tree", "--json")        # the program's own command: CompletedProcess
        node.endpoints["majordomo"]
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import zmq

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("TROUPE_PROGRAM", os.path.join(ROOT, "build", "troupe"))
with open(PROGRAM, "rb") as _program:
    IS_ASAN = b"__asan_init" in _program.read()  # built with the address sanitizer
SLOW = float(os.environ.get("TROUPE_TEST_SLOW", "1"))  # sanitizers and loaded machines: longer limits

WORKSHOP = """
node
    name = test
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    parser
        class = parser
        place = process
        min = 2
        tools = code_parse
    transform
        class = transform
        place = process
        min = 1
        tools = race_transform
    match
        class = match
        place = process
        min = 1
        max = 3
        tools = "match_create match_join match_start match_answer match_state match_end match_control match_leave"
        key_member = match_id
        key_tools_new = match_create
        keys_max = 2
        inflight_max = 64
"""


def wait_for(condition, seconds=10.0, what="the condition"):
    """The first true value of condition(); AssertionError after the limit."""
    limit = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"{what} did not come within {seconds * SLOW:.0f} s")
        time.sleep(0.005)


class Node:
    """One `troupe run`. `expect_ready=False`: only started; see `wait_ended`. `log`: a descriptor
    instead of the file that `log()` reads."""

    def __init__(self, config=WORKSHOP, settings=(), *, program=PROGRAM, expect_ready=True, folder=None, log=None,
                 inherit=()):
        self.folder = folder or tempfile.mkdtemp(prefix="troupe-test-")
        self._own_folder = folder is None
        self.run_dir = os.path.join(self.folder, "run")
        self.config_path = os.path.join(self.folder, "node.conf")
        self.log_path = os.path.join(self.folder, f"log.{os.urandom(4).hex()}")
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(config)
        command = [program, "run", self.config_path, "--json"]
        for setting in (f"node.run_dir={self.run_dir}", *settings):
            command += ["--set", setting]
        with open(self.log_path, "wb") as file:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file if log is None else log,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            pass_fds=inherit)
        self.program = program
        self.endpoints = {}
        if expect_ready:
            self.read_ready()

    def read_ready(self):
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            log = self.log()
            self.close()
            raise AssertionError(f"the node did not get ready (exit status {status}):\n{log}")
        self.endpoints = json.loads(line)["endpoints"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- asking ----

    def ask(self, cmd, **members):
        answer = self.ask_raw(json.dumps({"cmd": cmd, **members}).encode())
        answer = json.loads(answer)
        if not answer.get("ok"):
            raise AssertionError(f"{cmd}: {answer}")
        return answer["result"]

    def ask_raw(self, frame, timeout_ms=10000):
        context = zmq.Context.instance()
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        try:
            socket.connect(self.endpoints["control"])
            socket.send(frame)
            if not socket.poll(int(timeout_ms * SLOW)):
                raise AssertionError(f"no answer from the control socket to {frame[:80]!r}")
            return socket.recv()
        finally:
            socket.close()

    def command(self, *arguments, stdin=None, timeout=30):
        """Runs the program's own command against this node."""
        env = dict(os.environ, TROUPE_CONTROL=self.endpoints.get("control", ""))
        return subprocess.run([self.program, *arguments], env=env, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout * SLOW)

    def start_command(self, *arguments):
        """The same, without waiting for its end."""
        env = dict(os.environ, TROUPE_CONTROL=self.endpoints.get("control", ""))
        return subprocess.Popen([self.program, *arguments], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def workers(self, pool):
        """Rows of `ps` of a pool's workers, by name."""
        rows = [row for row in self.ask("ps") if row["name"].startswith(pool + ".") and row["place"] == "process"]
        return sorted(rows, key=lambda row: row["name"])

    def kill_worker(self, pool, index=0):
        """kill -9; the row of the victim."""
        victim = self.workers(pool)[index]
        os.kill(victim["os_pid"], signal.SIGKILL)
        return victim

    def wait_replaced(self, victim, seconds=10.0):
        """Waits until a worker of the same name has another process and is ready; its row."""
        def replaced():
            for row in self.ask("ps"):
                is_another = row["name"] == victim["name"] and row["os_pid"] not in (0, victim["os_pid"])
                if is_another and row["state"] != "starting":
                    return row
            return None
        return wait_for(replaced, seconds, f"a replacement of {victim['name']}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def events(self, name):
        """Log lines of one event, as maps."""
        found = []
        for line in self.log().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row.get("msg") == name:
                found.append(row)
        return found

    def family(self):
        """Pids of the guardian and all its living descendants."""
        return [self.process.pid] + descendants(self.process.pid)

    # ---- ending ----

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait_ended(self, seconds=40.0):
        """The exit status."""
        return self.process.wait(seconds * SLOW)

    def stop(self, number=signal.SIGTERM, seconds=40.0):
        self.send_signal(number)
        return self.wait_ended(seconds)

    def close(self):
        """Ends what still runs, the hard way if need be, and removes the files."""
        for pid in reversed(self.family() if self.process.poll() is None else []):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stdout.close()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def descendants(pid):
    """All processes below one, from /proc."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found
