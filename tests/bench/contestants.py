# SPDX-License-Identifier: MIT
"""Who takes part in the benchmarks: how each is built, and how it is started for one of them."""
import contextlib
import os
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build/bench/peers")

# Peer -> the group of packages.txt that it needs ('' for those that troupe itself needs).
PEERS = {"erlang": "erlang", "caf": "caf", "go": "go", "zmq": "", "czmq": "", "nng": "nng", "sock": "",
         "node": "node"}
SUBSTRATE = {"zmq": ["-lzmq"], "czmq": ["-lczmq", "-lzmq"], "nng": ["-lnng"], "sock": []}

ACTORS = ["ping_pong", "counting", "thread_ring", "fork_join_create", "fork_join_throughput", "big",
          "mailbox_n_to_1", "idle_memory", "request_latency", "supervised_restart"]
HAS = {
    "erlang": ACTORS + ["ipc", "tcp"],  # between two nodes: its one transport, over tcp
    "caf": ACTORS,
    "go": [name for name in ACTORS if name != "supervised_restart"],
    "zmq": ["ping_pong", "counting", "fork_join_create", "fork_join_throughput", "mailbox_n_to_1",
            "request_latency", "ipc", "tcp"],
    "czmq": ["ping_pong", "counting", "fork_join_create", "idle_memory", "request_latency"],
    "nng": ["ping_pong", "counting", "request_latency", "ipc", "tcp"],
    "sock": ["ping_pong", "counting", "request_latency", "ipc", "tcp"],
    "node": ["ipc"],
}
# A peer with several ways of doing the same: each is run, the best counts.
WAYS = {
    ("erlang", "counting"): [[], ["mqd=off_heap"]],
    ("erlang", "mailbox_n_to_1"): [[], ["mqd=off_heap"]],
    ("erlang", "fork_join_throughput"): [[], ["mqd=off_heap"]],
    ("erlang", "idle_memory"): [[], ["hibernate=1"]],
    ("erlang", "request_latency"): [["call=gen"], ["call=bare"]],
    ("sock", "counting"): [["mode=mutex"], ["mode=link"]],
    ("sock", "ping_pong"): [["mode=futex"]],
    ("sock", "request_latency"): [["mode=futex"]],
}


def source(*parts):
    return os.path.join(HERE, "peers", *parts)


def build(peer):
    """Compiles a peer unless that was done already; returns what to run."""
    folder = os.path.join(BUILD, peer)
    program = os.path.join(folder, "bench")
    if peer == "erlang":
        sources, program = [source("erlang", "bench.erl"), source("erlang", "bench_sup.erl")], folder
        product, command = os.path.join(folder, "bench.beam"), ["erlc", "+inline", "-o", folder, *sources]
    elif peer == "caf":
        sources = [source("caf", "bench.cpp")]
        product, command = program, ["g++", "-std=c++17", "-O2", "-DNDEBUG", "-o", program, *sources,
                                     "-lcaf_core", "-pthread"]
    elif peer == "go":
        sources = [source("go", "bench.go")]
        product, command = program, ["go", "build", "-o", program, *sources]
    elif peer == "node":
        return source("node", "ipc.js")
    else:
        sources = [source("c", peer + "_bench.c"), source("c", "bench.h")]
        product, command = program, ["gcc", "-std=gnu11", "-O2", "-Wall", "-o", program, sources[0],
                                     *SUBSTRATE[peer], "-pthread"]
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(product) or any(os.path.getmtime(s) > os.path.getmtime(product) for s in sources):
        subprocess.run(command, check=True)
    return program


def on_one_cpu(threads):
    """What has no scheduler threads to count is held on one CPU instead, both its processes."""
    return ["taskset", "-c", "0"] if threads == 1 else []


def erlang(beams, name, threads, parameters):
    argv = ["erl", "+S", str(threads), "+P", "4000000", "-noshell", "-noinput", "-pa", beams]
    if name in ("ipc", "tcp"):
        argv += ["-start_epmd", "false", "-name", "bench_a@127.0.0.1", "-setcookie", "bench",
                 "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
        name, parameters = "dist", parameters + [f"schedulers={threads}"]
    return argv + ["-s", "bench", "main", "-extra", name, *parameters]


def ways(peer, program, benchmark, threads, quick):
    """The commands of one peer for one benchmark; none when it has nothing like it."""
    name = benchmark.program
    if name not in HAS[peer] or (peer == "nng" and benchmark.parameters.get("window", 1) > 1):
        return []
    parameters = benchmark.arguments(peer, quick)
    if peer == "node":
        size, window = benchmark.parameters["size"], benchmark.parameters["window"]
        count = 2000 if quick else 20000
        return [on_one_cpu(threads) + ["node", program, str(size), str(window), str(count)]]
    commands = []
    for more in WAYS.get((peer, name), [[]]):
        if peer == "erlang":
            commands.append(erlang(program, name, threads, parameters + more))
        elif peer in SUBSTRATE:
            commands.append(on_one_cpu(threads) + [program, name, *parameters, *more])
        else:
            commands.append([program, name, f"threads={threads}", *parameters, *more])
    return commands


def ours(benchmark, threads, quick):
    """Our command for a benchmark; with both processes on one CPU where the peers' are."""
    program = os.path.join(ROOT, "build/bench", benchmark.ours)
    pin = on_one_cpu(threads) if benchmark.program in ("ipc", "tcp") else []
    return pin + [program, benchmark.program, f"threads={threads}", *benchmark.arguments("ours", quick)]


@contextlib.contextmanager
def name_server(wanted, env):
    """Erlang's, which two of its nodes need to find each other; on a port of its own, loopback only."""
    if not wanted:
        yield env
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    server = subprocess.Popen(["epmd", "-address", "127.0.0.1", "-port", port],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        yield dict(env, ERL_EPMD_PORT=port)
    finally:
        server.terminate()
        server.wait()
