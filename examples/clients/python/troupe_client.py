# SPDX-License-Identifier: MIT
"""A client of troupe's tools: Majordomo 0.2 over one socket, many calls at a time.

    import asyncio
    from troupe_client import Client

    async def main():
        async with Client("tcp://127.0.0.1:5555") as client:
            tree = await client.call("code_parse", {"language": "python", "code": "x = 1"})
            print(tree["root"])

    asyncio.run(main())

Needs python3-zmq and python3-msgpack. Without asyncio: `call("code_parse", {...})`.
"""
import asyncio
import itertools

import msgpack
import zmq
import zmq.asyncio

CLIENT, REQUEST, PARTIAL, FINAL = b"MDPC02", b"\x01", b"\x02", b"\x03"
OPTIONS = b"TRP1"


class ToolError(Exception):
    """The error map of a reply: `code`, `message`, and what else it has in `details`."""

    def __init__(self, error, reply):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.details = error
        self.reply = reply


class Client:
    """One socket, any number of calls under way; each reply finds its call by the id in the options frame."""

    def __init__(self, endpoint, context=None):
        self._socket = (context or zmq.asyncio.Context.instance()).socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.connect(endpoint)
        self._ids = itertools.count(1)
        self._waiting = {}
        self._reader = None
        self.unexpected = 0  # replies that no call waits for: an answer that came twice, or too late

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._socket.close()

    async def request(self, tool, body, timeout=60.0):
        """Sends one request and returns the whole reply map. Raises TimeoutError."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        call_id = str(next(self._ids))
        options = {"id": call_id, "deadline_ms": max(1, int(timeout * 1000))}
        reply = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_multipart(
                [CLIENT, REQUEST, tool.encode(), OPTIONS + msgpack.packb(options), msgpack.packb(body)])
            # the node answers at the deadline itself; a little later it counts as lost
            return await asyncio.wait_for(reply, timeout + 5.0)
        except asyncio.TimeoutError:
            raise TimeoutError(f"no answer to {tool} within {timeout} s") from None
        finally:
            del self._waiting[call_id]

    async def call(self, tool, body, timeout=60.0):
        """The result of a tool. Raises ToolError, TimeoutError."""
        reply = await self.request(tool, body, timeout)
        if not reply["success"]:
            raise ToolError(reply["error"], reply)
        return reply["result"]

    async def _read(self):
        while True:
            frames = await self._socket.recv_multipart()
            if len(frames) != 5 or frames[0] != CLIENT or frames[1] != FINAL or frames[3][:4] != OPTIONS:
                self.unexpected += 1
                continue
            waiting = self._waiting.get(msgpack.unpackb(frames[3][4:]).get("id"))
            if waiting is None or waiting.done():
                self.unexpected += 1
            else:
                waiting.set_result(msgpack.unpackb(frames[4], strict_map_key=False))


def call(tool, body, endpoint="tcp://127.0.0.1:5555", timeout=60.0):
    """One call without asyncio."""

    async def once():
        async with Client(endpoint, zmq.asyncio.Context()) as client:
            return await client.call(tool, body, timeout)

    return asyncio.run(once())
