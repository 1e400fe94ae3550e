# SPDX-License-Identifier: MIT
"""A storm of deaths in one supervisor: 100 of 10,000 children die every 10 ms while the control socket is asked.

The node is build/bench/tree with its class `storm`. Its memory is looked at when the supervisor's window of
restarts has filled for the first time, and at the end: what it takes is bounded by the window, so nothing
may be added to it then.
"""
import itertools
import os
import time

from node import PROGRAM, SLOW, Node

TREE = os.path.join(os.path.dirname(PROGRAM), "bench", "tree")
CONFIG = """
node
    name = deaths
    log_level = error
tree
    children
        storm
            class = storm
"""
FILL_S = 12  # 100,000 restarts at 10,000 a second, and the start
ANSWER_MS = 50  # p99
MEMORY_MORE_KB = 1024


def resident_kb(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def ask_until(node, limit):
    """How long each answer took, in ms."""
    for verb in itertools.cycle(("ping", "tree", "ledger")):
        if time.monotonic() > limit:
            return
        began = time.monotonic()
        node.ask(verb)
        yield (time.monotonic() - began) * 1000
        time.sleep(0.005)


def run(seconds):
    """The account; `seconds` are those after the window has filled."""
    with Node(CONFIG, program=TREE) as node:
        pid = node.ask("ping")["os_pid"]
        for _ in ask_until(node, time.monotonic() + FILL_S):
            pass
        before, starts = resident_kb(pid), node.ask("ledger")
        answers = sorted(ask_until(node, time.monotonic() + seconds))
        after, ends = resident_kb(pid), node.ask("ledger")
        status = node.stop()
    account = {"seconds": seconds, "deaths": deaths(ends) - deaths(starts), "answers": len(answers),
               "p50_ms": round(answers[len(answers) // 2], 1), "p99_ms": round(answers[len(answers) * 99 // 100], 1),
               "longest_ms": round(answers[-1], 1), "memory_kb": before, "memory_more_kb": after - before,
               "exit_status": status}
    account["clean"] = (account["p99_ms"] < ANSWER_MS * SLOW and account["memory_more_kb"] < MEMORY_MORE_KB
                        and account["deaths"] > 1000 * seconds / SLOW and status == 0)
    return account


def deaths(ledger):
    """Nearly: of all that is sent in this node, all but a few messages tell a child to die."""
    return ledger["sent"]
