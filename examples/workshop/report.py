# SPDX-License-Identifier: MIT
"""The report of a run, as tables for people and as JSON for programs."""
import statistics

from record import percentile
from rich.console import Console
from rich.table import Table


def summarise(record, kills, jobs, seconds):
    """Everything that the report says, as one map."""
    tools = []
    for name, row in sorted(record.tools.items()):
        tools.append({"tool": name, "sent": row["sent"], "answered": row["answered"], "failed": row["failed"],
                      "retried": row["retried"], "p50_ms": round(percentile(row["ms"], 0.50), 2),
                      "p99_ms": round(percentile(row["ms"], 0.99), 2), "errors": row["codes"]})
    ready = [kill["ready_ms"] for kill in kills if kill["ready_ms"] is not None]
    median = round(statistics.median(ready), 1) if ready else None
    return {"tools": tools,
            "workers": {"killed": len(kills), "restarted": len(ready), "kills": kills,
                        "ready_ms": {"median": median, "max": max(ready, default=None)}},
            "jobs": [{"job": job.name, "done": job.done, "of": job.total, "result": job.result, "error": job.failed}
                     for job in jobs],
            "seconds": round(seconds, 2), "lost": len(record.lost), "doubled": record.doubled}


def is_good(summary, kills_wanted):
    """Every task answered exactly once, every job done, every killed worker replaced."""
    return (summary["lost"] == 0 and summary["doubled"] == 0 and
            all(row["sent"] == row["answered"] and row["failed"] == 0 for row in summary["tools"]) and
            all(job["error"] is None and job["done"] == job["of"] for job in summary["jobs"]) and
            summary["workers"]["killed"] == summary["workers"]["restarted"] == kills_wanted)


def show(summary, good):
    console = Console(highlight=False, soft_wrap=True)
    table = Table(title="tasks", title_justify="left", header_style="bold")
    table.add_column("tool")
    for column in ("sent", "answered", "failed", "retried", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for row in summary["tools"]:
        table.add_row(row["tool"], str(row["sent"]), str(row["answered"]), str(row["failed"]), str(row["retried"]),
                      f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}")
    console.print(table)
    for row in summary["tools"]:
        if row["errors"]:
            console.print(f"errors of {row['tool']}: {row['errors']}")
    for job in summary["jobs"]:
        told = job["result"] if job["error"] is None else f"FAILED: {job['error']}"
        console.print(f"{job['job']}: {told}")
    workers = summary["workers"]
    each = ", ".join("-" if k["ready_ms"] is None else f"{k['ready_ms']:.1f}" for k in workers["kills"])
    console.print(f"workers killed: {workers['killed']}, restarted: {workers['restarted']}; from kill to ready: "
                  f"median {workers['ready_ms']['median']} ms (each {each})", soft_wrap=True)
    console.print(f"time: {summary['seconds']:.1f} s")
    console.print(f"lost: {summary['lost']}, doubled: {summary['doubled']}", style="bold green" if good else "bold red")
