# SPDX-License-Identifier: MIT
"""Tasks through the router, as markdown: ./dev bench tasks. Kept in docs/performance.md.

A client process, the node, and a worker process, against a broker of two ROUTER sockets with nothing but
libzmq in it and the same hops (tasks.c), in turn. Then what a task costs the node, in processor time, as
queues get long and workers many; what 100,000 queued tasks take of memory; and answers from the cache.
"""
import os
import signal
import statistics
import subprocess
import sys
import tempfile

import curves

sys.path.insert(0, os.path.join(curves.ROOT, "tests", "system"))
from node import Node, wait_for  # noqa: E402  (the path above)

PROGRAM = os.path.join(curves.ROOT, "build/bench/tasks")
CONFIG = """
node
    name = tasks
    threads = 1
    log_level = error
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    echo
        class = echo
        place = process
        tools = echo
        queue_max = 200000
        queue_ms = 600000
"""
RUNS = 5
QUEUED = 100000


def start_node(**options):
    """A node with all its workers up."""
    settings = [f"pools.echo.{name}={value}" for name, value in options.items()]
    node = Node(CONFIG, settings, program=PROGRAM)
    wait_for(lambda: len(node.ask("pools")[0]["workers"]) == options.get("min", 1), 60, "the start of all workers")
    return node


def client(endpoint, **parameters):
    """{name: value} of one run."""
    argv = [PROGRAM, "client", endpoint, *(f"{key}={value}" for key, value in parameters.items())]
    lines = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout.splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines}


def cpu_s(pid):
    """Processor time of a process and its threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def both(**parameters):
    """Medians ({name: value} of ours, of the bare broker), run in turn."""
    samples = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder, start_node(inflight_max=100) as node:
        bare = subprocess.Popen([PROGRAM, "bare", folder], stdout=subprocess.PIPE, text=True)
        try:
            ends = {"ours": node.endpoints["majordomo"], "bare": bare.stdout.readline().strip()}
            for _ in range(RUNS):
                for name, endpoint in ends.items():
                    samples[name].append(client(endpoint, **parameters))
        finally:
            bare.kill()
            bare.wait()
            bare.stdout.close()
    return [{key: statistics.median(run[key] for run in runs) for key in runs[0]} for runs in samples.values()]


def against_bare():
    print("### A task of 64 bytes, from a client process to a worker process and back\n")
    print("| | troupe | bare libzmq | ratio |\n|---|---|---|---|")
    ours, bare = both(n=20000, window=100)
    print(f"| 100 under way, tasks/s | {ours['rate']:.0f} | {bare['rate']:.0f} | {ours['rate'] / bare['rate']:.2f} |")
    ours, bare = both(n=5000, window=1)
    for name in ("p50", "p99"):
        print(f"| one under way, {name}, us | {ours[name] / 1000:.0f} | {bare[name] / 1000:.0f} "
              f"| {ours[name] / bare[name]:.2f} |")
    print()


def cost_us(node, **parameters):
    """Processor time of the node for one task; the median of 3."""
    pid, values = node.ask("ping")["os_pid"], []
    client(node.endpoints["majordomo"], **parameters)  # pages and caches
    for _ in range(3):
        before = cpu_s(pid)
        client(node.endpoints["majordomo"], **parameters)
        values.append(1e6 * (cpu_s(pid) - before) / parameters["n"])
    return statistics.median(values)


def curve(title, head, labels, values):
    print(f"### {title}\n")
    labels = [f"{label:,}".replace(",", " ") for label in labels]
    curves.table(head, labels, values, "us")
    curves.chart(title, [f'"{label}"' for label in labels], values, "us")


def by_queue():
    steps = [10, 100, 1000, 10000, 100000]
    with start_node(inflight_max=32) as node:
        values = [cost_us(node, n=max(30000, step), window=step) for step in steps]
    curve("A task's processor time in the node, with so many waiting", "waiting", steps, values)


def by_workers():
    steps, values = [1, 3, 10, 30, 100], []
    for step in steps:
        with start_node(min=step, inflight_max=32) as node:
            values.append(cost_us(node, n=30000, window=1000))
    curve("A task's processor time in the node, with so many workers", "workers", steps, values)


def memory():
    """Megabytes that the queued tasks take while their worker stands still."""
    with start_node(inflight_max=32, probe_ms=600000, run_ms=600000) as node:
        pid, worker = node.ask("ping")["os_pid"], node.workers("echo")[0]["os_pid"]
        client(node.endpoints["majordomo"], n=1000)
        before = resident_mb(pid)
        argv = [PROGRAM, "client", node.endpoints["majordomo"], f"n={QUEUED}", f"window={QUEUED}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as filler:
            wait_for(lambda: node.ask("pools")[0]["queued"] > 1000, what="a queue")
            os.kill(worker, signal.SIGSTOP)
            answered = node.ask("pools")[0]["answered"]
            wait_for(lambda: node.ask("pools")[0]["accepted"] >= QUEUED + 1000 + 200, 60, "all tasks")
            queued = node.ask("pools")[0]["queued"]
            taken = resident_mb(pid) - before
            os.kill(worker, signal.SIGCONT)
            filler.wait()
    print(f"{queued} queued tasks of 64 bytes: {taken:.0f} MB, {1e6 * taken / queued:.0f} bytes each "
          f"({answered} had been answered before).\n")


def cached():
    with start_node(cache=1) as node:
        rates = [client(node.endpoints["majordomo"], n=200000, window=1000)["rate"] for _ in range(3)]
        cost = cost_us(node, n=200000, window=1000)
    print(f"Answers from the cache: {statistics.median(rates):.0f} a second to one client, {cost:.1f} us of the node's "
          "processor time each.\n")


def main():
    against_bare()
    by_queue()
    by_workers()
    memory()
    cached()
