#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says where the traces of build/tests/supervision_trace part from those of Erlang/OTP.

    tests/supervision/agree.py TRACES.jsonl [SCENARIOS.jsonl]

SCENARIOS.jsonl holds the scenarios with the traces that OTP gave; default: traces.jsonl beside this file.
Prints the first event of each scenario that differs, then  N of M scenarios agree. Exit status 1 when not all do.
"""
import json
import os
import sys

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "traces.jsonl")


def instances_of(event):
    """The template supervisor whose instances' ends, or grouped reports, stand in no order; else None."""
    if event[0] == "exit" and "#" in event[1]:
        return "exit of " + event[1][:event[1].rindex("#")]
    if event[0] == "report" and event[2] == "shutdown_error" and len(event) == 6:
        return "report of " + event[1]
    return None


def freed(event):
    """An event without what an implementation may choose: the words of a refusal, the order of rows."""
    value = event[-1]
    if isinstance(value, str) and value.startswith("refused"):
        return event[:-1] + ["refused"]
    if event[0] == "result" and isinstance(value, list) and value and isinstance(value[0], list):
        return event[:-1] + [sorted(value, key=repr)]
    return event


def canonical(events, number, any_order):
    """The events of one step, with those that have no defined order brought into one."""
    events = [freed(event) for event in events]
    if any_order:
        return sorted(events, key=repr)
    late = [event for event in events if event[0] == "result" and event[1] < number]
    ordered, run = [], []
    for event in [event for event in events if event not in late] + [None]:
        if run and (event is None or instances_of(event) != instances_of(run[0])):
            ordered += sorted(run, key=repr)
            run = []
        if event is not None and instances_of(event) is not None:
            run.append(event)
        elif event is not None:
            ordered.append(event)
    return ordered + sorted(late, key=repr)


def first_difference(scenario, trace):
    """A line about the first event that is not OTP's; None: the traces agree."""
    wanted = scenario["trace"]
    if len(trace) != len(wanted):
        return f"{len(trace)} steps instead of {len(wanted)}"
    for number, (want, got) in enumerate(zip(wanted, trace)):
        step = scenario["steps"][number - 1] if number else {"op": "the first start"}
        any_order = step.get("order") == "any"
        want, got = canonical(want, number, any_order), canonical(got, number, any_order)
        for place in range(max(len(want), len(got))):
            here = want[place] if place < len(want) else "nothing"
            there = got[place] if place < len(got) else "nothing"
            if here != there:
                return f"step {number} {json.dumps(step)}, event {place}: {there} instead of {here}"
    return None


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def differences(traces, scenarios):
    """(name, what differs) of each scenario that does not agree."""
    got = {line["name"]: line.get("trace") for line in traces}
    for scenario in scenarios:
        name = scenario["name"]
        what = "no trace" if got.get(name) is None else first_difference(scenario, got[name])
        if what is not None:
            yield name, what


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    scenarios = read(arguments[1] if len(arguments) == 2 else RECORDED)
    found = list(differences(read(arguments[0]), scenarios))
    for name, what in found:
        print(f"{name}: {what}")
    print(f"{len(scenarios) - len(found)} of {len(scenarios)} scenarios agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
