#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Python client for test_clients_under_faults.py: driver.py sync|asyncio ENDPOINT. A line of input is a call,
`TOOL TIMEOUT_MS RETRY BODY`, a line of output what became of it: `ok RESULT` or `error CLASS CODE MESSAGE`."""
import asyncio
import json
import sys

from troupe_client import AsyncClient, Client


def asked(line):
    tool, timeout_ms, retry, body = line.split(" ", 3)
    return (tool, json.loads(body), int(timeout_ms) / 1000), {"retry": retry == "1"}


def tell(outcome, *words):
    print(outcome, *words, flush=True)


def tell_error(error):
    tell("error", type(error).__name__, getattr(error, "code", None), error)


def use_sync(endpoint):
    with Client(endpoint) as client:
        for line in sys.stdin:
            call, options = asked(line)
            try:
                tell("ok", json.dumps(client.call(*call, **options)))
            except Exception as error:  # pylint: disable=broad-except
                tell_error(error)


async def use_asyncio(endpoint):
    async with AsyncClient(endpoint) as client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            call, options = asked(line)
            try:
                tell("ok", json.dumps(await client.call(*call, **options)))
            except Exception as error:  # pylint: disable=broad-except
                tell_error(error)


if sys.argv[1] == "sync":
    use_sync(sys.argv[2])
else:
    asyncio.run(use_asyncio(sys.argv[2]))
