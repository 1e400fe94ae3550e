# SPDX-License-Identifier: MIT
"""Kills workers while they work, and watches how soon each is replaced."""
import os
import signal
import time


class Killer:
    """Runs in a thread of its own: asks the node, kills, asks until the replacement is ready."""

    def __init__(self, node, log):
        self.node = node
        self.log = log
        self.kills = []  # {"worker", "os_pid", "ready_ms"}

    def workers(self, pool):
        """Rows of `ps` of that pool's workers."""
        return [row for row in self.node.ask("ps")
                if row["name"].startswith(pool + ".") and row["os_pid"] and row["place"] == "process"]

    def kill_one(self, pool):
        """Kills a worker that is at work, if one is; waits until its replacement is ready."""
        rows = self.workers(pool)
        if not rows:
            raise RuntimeError(f"pool {pool} has no worker to kill")
        victim = max(rows, key=lambda row: (row["mailbox"], row["state"] == "running"))
        begin = time.perf_counter()
        os.kill(victim["os_pid"], signal.SIGKILL)
        while time.perf_counter() - begin < 10:
            new = [row for row in self.workers(pool)
                   if row["name"] == victim["name"] and row["os_pid"] != victim["os_pid"] and row["state"] != "starting"]
            if new:
                took = 1000 * (time.perf_counter() - begin)
                self.kills.append({"worker": victim["name"], "os_pid": victim["os_pid"], "ready_ms": round(took, 2)})
                self.log(f"killed {victim['name']} (pid {victim['os_pid']}), replaced after {took:.1f} ms")
                return
            time.sleep(0.0005)
        self.kills.append({"worker": victim["name"], "os_pid": victim["os_pid"], "ready_ms": None})
        self.log(f"killed {victim['name']} (pid {victim['os_pid']}): NOT replaced within 10 s")

    def run(self, plan, progress):
        """plan: pools in their order; one kill each time when the next part of the work is done."""
        for i, (pool, job) in enumerate(plan):
            part = (1 + i // 2) / (2 + len(plan) // 2)
            while job.done < part * job.total and not progress.finished:
                time.sleep(0.002)
            self.kill_one(pool)
