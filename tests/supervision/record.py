#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs scenarios (README.md) under the supervisor of the Erlang/OTP that is installed: ./dev setup erlang

    tests/supervision/record.py SCENARIOS.jsonl > TRACES.jsonl

Prints the scenarios with their traces, one JSON object a line.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def term(value):
    """A JSON value as an Erlang term."""
    if isinstance(value, dict):
        return "#{" + ", ".join(f"{key} => {term(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(term(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, int) else f'<<"{value}">>'


def record(scenarios):
    """The scenarios with their traces."""
    with tempfile.TemporaryDirectory(prefix="troupe-record-") as folder:
        path = os.path.join(folder, "scenarios.terms")
        with open(path, "w", encoding="utf-8") as file:
            for one in scenarios:
                file.write(term({key: one[key] for key in ("name", "tree", "steps")}) + ".\n")
        subprocess.run(["erlc", "-o", folder, os.path.join(HERE, "record.erl")], check=True)
        run = subprocess.run(["erl", "+S", "1:1", "-noshell", "-noinput", "-pa", folder, "-eval",
                              f'record:main("{path}").'], check=True, stdout=subprocess.PIPE, text=True)
    traces = {one["name"]: one["trace"] for one in map(json.loads, run.stdout.splitlines())}
    return [dict(one, trace=traces[one["name"]]) for one in scenarios]


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8") as file:
        scenarios = [json.loads(line) for line in file if line.strip()]
    for one in record(scenarios):
        print(json.dumps(one))


if __name__ == "__main__":
    main(sys.argv[1:])
