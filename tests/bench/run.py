#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks, ours and where asked the peers', and prints a table.

    ./dev bench curves                  how costs grow: the charts of docs/performance.md
    ./dev bench tasks                   tasks through the router, against a bare libzmq broker
    ./dev bench mixed                   light work beside heavy work, against a server that does all in its own loop
    ./dev bench restart                 from a death to whoever takes over: processes, understudies, pool actors
    ./dev bench [--quick] [--peers caf,erlang,go,zmq] [--threads 1,2] [--json FILE] [NAME...]

All contestants of a row are run in turn, five times over, each run a process of its own; the medians
count. The ratio is ours to the best peer's and above 1 is better, whatever the unit. --quick does one
to three shorter runs: good for "does it work", not for figures. peers/README.md says what each
benchmark does.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

import contestants
import curves
import mixed
import tasks

TIME_LIMIT_S = 120


class Benchmark:
    """One row family: a name to print, what to run with which parameters."""

    def __init__(self, name, ours=None, program=None, parameters=None, quick=None):
        self.name = name
        self.ours = ours  # our program in build/bench, None while we have none
        self.program = program or name.split()[0]
        self.parameters = parameters or {}
        self.quick = quick or {}  # contestant -> its n of a quick run; "" for the rest

    def arguments(self, contestant, quick):
        values = dict(self.parameters)
        if quick:
            values["n"] = self.quick.get(contestant, self.quick.get("", 0)) or values.get("n")
        elif contestant == "erlang" and self.program in ("ipc", "tcp") and values.get("window") == 100:
            values["n"] = 200000
        return [f"{key}={value}" for key, value in values.items() if value is not None]


def between_processes(transport, size, window, ours=None):
    return Benchmark(f"{transport} {size} B window {window}", ours, transport,
                     {"size": size, "window": window, "n": 20000 if window == 1 else 300000},
                     {"": 2000 if window == 1 else 30000})


SLOW = {"zmq": 10000, "czmq": 10000, "nng": 5000, "sock": 10000}
BENCHMARKS = [
    Benchmark("ping_pong", "local", quick={"": 500000, **SLOW}),
    Benchmark("counting", "local", quick={"": 3000000, "nng": 5000}),
    *(between_processes("ipc", size, window, "ipc") for size in (64, 4096) for window in (1, 100)),
    Benchmark("race_transform", "transform", quick={"": 500}),
    Benchmark("thread_ring", "crowd", quick={"": 1500000}),
    Benchmark("fork_join_create", "crowd", quick={"": 50000, "zmq": 200, "czmq": 200}),
    Benchmark("fork_join_throughput", "crowd", quick={"": 15000, "zmq": 1000}),
    Benchmark("big", "crowd", quick={"": 6000}),
    Benchmark("mailbox_n_to_1", "crowd", quick={"": 30000}),
    Benchmark("idle_memory", "crowd", quick={"": 100000, "czmq": 100}),
    Benchmark("request_latency", "crowd", quick={"": 50000, **SLOW}),
    Benchmark("request_latency apart", "crowd", parameters={"mode": "apart", "n": 50000}, quick={"": 5000}),
    Benchmark("process_restart", "restart", quick={"": 50}),
    Benchmark("understudy_restart", "understudy", quick={"": 50}),
    Benchmark("supervised_restart", "supervised", quick={"": 5000}),
    Benchmark("tree", "tree", parameters={"n": 10000, "storm_s": 3}),
    *(between_processes("tcp", 64, window) for window in (1, 100)),
]
GROUPS = {"restart": ["process_restart", "understudy_restart", "supervised_restart"]}  # asked for together


def once(argv, env):
    """One run: {(part of the name after its first dot, unit): value}."""
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                            timeout=TIME_LIMIT_S)
    if result.returncode != 0:
        raise RuntimeError(f"exit status {result.returncode}: {(result.stderr or result.stdout).strip()[-300:]}")
    values = {}
    for line in result.stdout.splitlines():
        fields = line.split()
        if len(fields) == 3:
            values[(fields[0].partition(".")[2], fields[2])] = float(fields[1])
    if not values:
        raise RuntimeError(f"no line 'name value unit' in its output: {result.stdout[-300:]!r}")
    return values


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def higher_is_better(unit):
    return unit.endswith("/s")


def best(unit, values):
    return (max if higher_is_better(unit) else min)(values)


def measure(label, commands, runs, env):
    """Runs every command `runs` times, in turn: ({contestant: {key: value}}, failed)."""
    samples, failed = {}, set()
    for turn in range(runs):
        for contestant, argv in commands:
            if (contestant, tuple(argv)) in failed:
                continue
            progress(f"{label}: run {turn + 1} of {runs}, {contestant}")
            try:
                values = once(argv, env)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as fault:
                progress("")
                print(f"{label}: {contestant} failed: {fault}", file=sys.stderr)
                failed.add((contestant, tuple(argv)))
                continue
            for key, value in values.items():
                samples.setdefault(contestant, {}).setdefault(key, {}).setdefault(tuple(argv), []).append(value)
    progress("")
    medians = {contestant: {key: best(key[1], [statistics.median(v) for v in by_way.values()])
                            for key, by_way in keys.items()}
               for contestant, keys in samples.items()}
    return medians, bool(failed)


def rows(benchmark, threads, medians, peers):
    """The printed rows of one measurement: its rate first, then its latencies."""
    keys = []
    for contestant in ["ours", *peers]:
        keys += [key for key in medians.get(contestant, {}) if key not in keys]
    for part, unit in keys:
        mine = medians.get("ours", {}).get((part, unit))
        theirs = {peer: medians[peer][(part, unit)] for peer in peers if (part, unit) in medians.get(peer, {})}
        ratio = None
        if mine and theirs:
            rival = best(unit, theirs.values())
            ratio = mine / rival if higher_is_better(unit) else rival / mine
        yield {"name": " ".join(filter(None, [benchmark.name, part])), "threads": threads, "unit": unit,
               "ours": mine, "peers": theirs, "ratio": ratio and round(ratio, 3)}


def human(value):
    if value is None:
        return "-"
    for limit, suffix in ((1e6, " M"), (1e4, " k")):
        if value >= limit:
            return f"{value / (1e6 if suffix == ' M' else 1e3):.4g}{suffix}"
    return f"{value:.4g}"


def print_row(row, peers):
    cells = [human(row["ours"]), *(human(row["peers"].get(peer)) for peer in peers)]
    ratio = f"{row['ratio']:.2f}" if row["ratio"] else "-"
    print(f"{row['name']:<28}{row['threads']:>8}  {row['unit']:<14}"
          + "".join(f"{cell:>11}" for cell in cells) + (f"{ratio:>8}" if peers else ""), flush=True)


def selected(names):
    """The benchmarks with these names, by first word, in full or by group; all that are ours when none is given."""
    if not names:
        return [b for b in BENCHMARKS if b.ours]
    known = sorted({*GROUPS, *(name for b in BENCHMARKS for name in (b.program, b.name))})
    for name in names:
        if name not in known:
            sys.exit(f"bench: no benchmark '{name}'; there are: {', '.join(known)}")
    wanted = {*names, *(member for name in names for member in GROUPS.get(name, []))}
    return [b for b in BENCHMARKS if b.name in wanted or b.program in wanted]


def peers_built(text):
    """{peer: what to run}; installs what each needs."""
    names = [name for name in (text or "").split(",") if name]
    names = list(contestants.PEERS) if names == ["all"] else names
    for name in names:
        if name not in contestants.PEERS:
            sys.exit(f"bench: no peer '{name}'; there are: {', '.join(contestants.PEERS)}")
    groups = [contestants.PEERS[name] for name in names if contestants.PEERS[name]]
    if groups and subprocess.run([os.path.join(contestants.ROOT, "dev"), "setup", *groups]).returncode != 0:
        sys.exit(1)
    return {name: contestants.build(name) for name in names}


def contest(benchmark, threads, options, peers, env):
    """Measures and prints one benchmark with that many threads: (rows, whether a run failed)."""
    if threads < 2 and benchmark.parameters.get("mode") == "apart":
        return [], False  # there is nothing to be apart from
    commands = [("ours", contestants.ours(benchmark, threads, options.quick))] if benchmark.ours else []
    for peer, program in peers.items():
        commands += [(peer, argv) for argv in contestants.ways(peer, program, benchmark, threads, options.quick)]
    title = f"{benchmark.name}, {threads} thread{'s' if threads > 1 else ''}"
    medians, failed = measure(title, commands, options.runs, env)
    found = list(rows(benchmark, threads, medians, peers))
    for row in found:
        print_row(row, peers)
    return found, failed


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", help="of: " + ", ".join(contestants.PEERS) + "; or all")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    pages = {"curves": curves.main, "tasks": tasks.main, "mixed": mixed.main}
    if len(options.names) == 1 and options.names[0] in pages:
        pages[options.names[0]]()
        return
    options.runs = options.runs or (3 if options.quick else 5)
    chosen = selected(options.names)
    peers = peers_built(options.peers)
    env = dict(os.environ, ERL_CRASH_DUMP="/dev/null", ERL_CRASH_DUMP_SECONDS="0")
    print(f"{'benchmark':<28}{'threads':>8}  {'unit':<14}" + "".join(f"{name:>11}" for name in ["ours", *peers])
          + (f"{'ratio':>8}" if peers else ""), flush=True)
    every, failed = [], False
    nodes = "erlang" in peers and any(b.program in ("ipc", "tcp") for b in chosen)
    with contestants.name_server(nodes, env) as env:
        for benchmark in chosen:
            for threads in [int(count) for count in options.threads.split(",")]:
                found, bad = contest(benchmark, threads, options, peers, env)
                every += found
                failed |= bad
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in every)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
