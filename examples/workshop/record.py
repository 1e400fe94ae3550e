# SPDX-License-Identifier: MIT
"""What happened to each task: the account that must come out at nothing lost and nothing doubled."""
import time


class Record:
    """Calls through one client, counted by tool."""

    def __init__(self, client):
        self.client = client
        self.tools = {}
        self.task_ids = set()
        self.same_task_id = 0
        self.lost = []

    def row(self, tool):
        return self.tools.setdefault(tool, {"sent": 0, "answered": 0, "failed": 0, "retried": 0, "ms": [], "codes": {}})

    async def request(self, tool, body, timeout=60.0):
        """One task; its reply map, or None when no answer came."""
        row = self.row(tool)
        row["sent"] += 1
        begin = time.perf_counter()
        try:
            reply = await self.client.request(tool, body, timeout)
        except TimeoutError as error:
            self.lost.append(str(error))
            return None
        row["ms"].append(1000 * (time.perf_counter() - begin))
        row["answered"] += 1
        row["retried"] += max(0, reply["metrics"]["attempts"] - 1)
        if not reply["success"]:
            row["failed"] += 1
            code = reply["error"].get("code")
            row["codes"][code] = row["codes"].get(code, 0) + 1
        if reply["task_id"] in self.task_ids:
            self.same_task_id += 1
        self.task_ids.add(reply["task_id"])
        return reply

    @property
    def doubled(self):
        return self.same_task_id + self.client.unexpected

    @property
    def done(self):
        return sum(row["answered"] for row in self.tools.values())


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
