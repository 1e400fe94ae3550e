# SPDX-License-Identifier: MIT
"""A node as a child process: started, asked over its control socket, stopped."""
import json
import os
import signal
import subprocess
import tempfile

import zmq


class NodeError(Exception):
    pass


class Node:
    """Runs `troupe run CONF --json`; `endpoints` are those of its ready line."""

    def __init__(self, program, config, settings, log_path):
        self.run_dir = tempfile.mkdtemp(prefix="troupe-workshop-")
        command = [program, "run", config, "--json", "--set", f"node.run_dir={self.run_dir}/node"]
        for setting in settings:
            command += ["--set", setting]
        self.log_path = log_path
        with open(log_path, "wb") as log:
            # a session of its own: Ctrl-C reaches us, and we tell the node
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self._forget_run_dir()
            raise NodeError(f"the node did not start (exit status {self.process.returncode}):\n{self.complaints()}")
        self.endpoints = json.loads(line)["endpoints"]
        self._context = zmq.Context.instance()

    def complaints(self):
        """What its log says is wrong, for people: errors, and lines that are no JSON."""
        found = []
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            for line in log:
                try:
                    row = json.loads(line)
                except ValueError:
                    found.append(line.rstrip())
                    continue
                if row["level"] >= 50:
                    about = [f"{key} {value}" for key, value in row.items()
                             if key not in ("level", "time", "pid", "hostname", "msg")]
                    found.append(f"{row['msg']}: {', '.join(about)}")
        return "\n".join(found[-8:])

    def ask(self, cmd, **members):
        """One verb of the control socket; its result."""
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        try:
            socket.connect(self.endpoints["control"])
            socket.send(json.dumps({"cmd": cmd, **members}).encode())
            if not socket.poll(5000):
                raise NodeError(f"the node did not answer `{cmd}` within 5 s")
            answer = json.loads(socket.recv())
        finally:
            socket.close()
        if not answer.get("ok"):
            raise NodeError(f"{cmd}: {answer.get('error')}")
        return answer["result"]

    def stop(self, limit_s=35):
        """Ctrl-C, as a user would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self._wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.left_behind = sorted(os.listdir(self.run_dir + "/node")) if os.path.isdir(self.run_dir + "/node") else []
        self._forget_run_dir()
        return status

    def _wait(self, limit_s):
        """Its end; a second Ctrl-C is passed on, and stops it at once."""
        while True:
            try:
                return self.process.wait(limit_s)
            except KeyboardInterrupt:
                self.process.send_signal(signal.SIGINT)

    def _forget_run_dir(self):
        for folder, folders, files in os.walk(self.run_dir, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            for name in folders:
                os.rmdir(os.path.join(folder, name))
        os.rmdir(self.run_dir)
