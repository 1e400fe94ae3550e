# SPDX-License-Identifier: MIT
"""Kills workers while they work; how soon each was replaced is read from the node's own log."""
import json
import os
import signal
import time


class Killer:
    """Runs in a thread of its own: asks the node, kills, asks until the replacement is ready."""

    def __init__(self, node, log):
        self.node = node
        self.log = log
        self.kills = []  # {"worker", "os_pid", "ready_ms"}

    def victim(self, pool):
        """A row of `ps`: a worker of the pool that has a task now, if one has; rather one that has not
        died before, since the second restart of a streak waits."""
        busy = {worker["pid"]: worker["running"] for row in self.node.ask("pools") for worker in row["workers"]}
        rows = [row for row in self.node.ask("ps") if row["pid"] in busy and row["name"].startswith(pool + ".")]
        if not rows:
            raise RuntimeError(f"pool {pool} has no worker to kill")
        before = {kill["worker"] for kill in self.kills}
        return max(rows, key=lambda row: (busy[row["pid"]] > 0, row["name"] not in before))

    def ready_ms(self, name, killed_ms):
        """When the supervisor saw the replacement ready, in ms after the kill; None: not yet."""
        with open(self.node.log_path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if '"child_started"' in line and f'"{name}"' in line:
                    row = json.loads(line)
                    if row["restarts"] > 0 and row["time"] >= int(killed_ms):
                        return max(0.0, row["time"] - killed_ms)
        return None

    def kill_one(self, pool):
        """Kills a worker and waits until its replacement is ready."""
        victim = self.victim(pool)
        killed_ms = 1000 * time.time()
        os.kill(victim["os_pid"], signal.SIGKILL)
        took, limit = None, time.monotonic() + 10
        while took is None and time.monotonic() < limit:
            time.sleep(0.02)
            took = self.ready_ms(victim["name"], killed_ms)
        self.kills.append({"worker": victim["name"], "os_pid": victim["os_pid"],
                           "ready_ms": None if took is None else round(took, 1)})
        fate = "NOT replaced within 10 s" if took is None else f"replacement ready after {took:.1f} ms"
        self.log(f"killed {victim['name']} (pid {victim['os_pid']}): {fate}")

    def run(self, plan, progress):
        """plan: pools in their order; one kill each time when the next part of the work is done."""
        for i, (pool, job) in enumerate(plan):
            part = (1 + i // 2) / (2 + len(plan) // 2)
            while job.done < part * job.total and not progress.finished:
                time.sleep(0.002)
            if progress.interrupted:
                return
            self.kill_one(pool)
