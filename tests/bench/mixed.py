# SPDX-License-Identifier: MIT
"""Light work beside heavy work, as markdown: ./dev bench mixed. Kept in docs/performance.md.

The same arrivals, drawn from a seed, twice: 200 polls of a race a second (light) and 12 texts a second to parse
(heavy). Once for a server that does all of it in its own loop, one task after the other in the order in which they
came: two workers without a node (`troupe work`), of which one works at a time. Once for a node with a pool for each. A
time is from when the task came, not from when somebody got to it, until its answer is there.
"""
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time

import curves

ROOT = curves.ROOT
sys.path[:0] = [os.path.join(ROOT, *folder) for folder in (("tests", "system"), ("examples", "workshop"),
                                                           ("examples", "clients", "python"))]
from generate_races import generate  # noqa: E402  (the path above)
from node import PROGRAM, Node, wait_for  # noqa: E402
from troupe_client import AsyncClient  # noqa: E402

SECONDS = 20
LIGHT, HEAVY = "race_transform", "code_parse"
RATES = {LIGHT: 200, HEAVY: 12}
CLASSES = {LIGHT: "transform", HEAVY: "parser"}
CONFIG = """
node
    name = mixed
    log_level = error
majordomo
    endpoint = "tcp://127.0.0.1:*"
pools
    transform
        class = transform
        place = process
        tools = race_transform
    parser
        class = parser
        place = process
        tools = code_parse
"""


def bodies():
    """{tool: the body of each of its tasks}"""
    (_, polls), = generate(seed=1, races=1)
    with open(os.path.join(ROOT, "runtime/troupe.h"), encoding="utf-8") as file:
        text = file.read()
    return {LIGHT: polls[0], HEAVY: {"language": "c", "code": text * 4}}


def arrivals(seconds, seed=1):
    """[(seconds from the start, tool)] in order; as by many clients that know nothing of each other."""
    rng, found = random.Random(seed), []
    for tool, rate in RATES.items():
        at = rng.expovariate(rate)
        while at < seconds:
            found.append((at, tool))
            at += rng.expovariate(rate)
    return sorted(found)


def in_loop(plan, body):
    """{tool: [seconds]} of the server that does one after the other."""
    taken = {tool: [] for tool in RATES}
    lines = {tool: json.dumps({"tool": tool, "body": body[tool]}) + "\n" for tool in RATES}
    with contextlib.ExitStack() as stack:
        workers = {tool: stack.enter_context(subprocess.Popen([PROGRAM, "work", name], text=True, stdin=subprocess.PIPE,
                                                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
                   for tool, name in CLASSES.items()}

        def do(tool):
            workers[tool].stdin.write(lines[tool])
            workers[tool].stdin.flush()
            if not json.loads(workers[tool].stdout.readline())["success"]:
                raise RuntimeError(f"{tool} failed")

        for tool in RATES:
            do(tool)  # pages and caches
        begin = time.monotonic()
        for at, tool in plan:
            time.sleep(max(0.0, begin + at - time.monotonic()))
            do(tool)
            taken[tool].append(time.monotonic() - begin - at)
        for worker in workers.values():
            worker.stdin.close()
    return taken


async def in_node(plan, body):
    """{tool: [seconds]} of a node with a pool for each tool."""
    taken = {tool: [] for tool in RATES}
    with Node(CONFIG) as node:
        wait_for(lambda: all(pool["workers"] for pool in node.ask("pools")), what="the workers")
        async with AsyncClient(node.endpoints["majordomo"]) as client:
            for tool in RATES:
                await client.call(tool, body[tool])
            begin = time.monotonic()

            async def do(at, tool):
                await client.call(tool, body[tool])
                taken[tool].append(time.monotonic() - begin - at)

            calls = []
            for at, tool in plan:
                await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
                calls.append(asyncio.ensure_future(do(at, tool)))
            await asyncio.gather(*calls)
    return taken


def quantile_ms(values, part):
    return 1000 * sorted(values)[min(int(part * len(values)), len(values) - 1)]


def main(seconds=SECONDS):
    plan, body = arrivals(seconds), bodies()
    loop, node = in_loop(plan, body), asyncio.run(in_node(plan, body))
    print("### Light work beside heavy work\n")
    print("| ms | tasks | in one loop: p50 | p95 | p99 | troupe: p50 | p95 | p99 | p95, troupe / loop |")
    print("|---|" + "---|" * 8)
    every = {"all": [*RATES], LIGHT: [LIGHT], HEAVY: [HEAVY]}
    for name, tools in every.items():
        sides = [[value for tool in tools for value in side[tool]] for side in (loop, node)]
        cells = [f"{quantile_ms(side, part):.1f}" for side in sides for part in (0.5, 0.95, 0.99)]
        ratio = quantile_ms(sides[1], 0.95) / quantile_ms(sides[0], 0.95)
        print(f"| {name} | {len(sides[1])} | {' | '.join(cells)} | {ratio:.2f} |")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
