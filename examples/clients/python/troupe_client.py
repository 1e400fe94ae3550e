# SPDX-License-Identifier: MIT
"""Clients of troupe's tools: Majordomo 0.2 over one socket, many calls at a time.

    from troupe_client import Client

    with Client("tcp://127.0.0.1:5555") as client:
        tree = client.call("code_parse", {"language": "python", "code": "x = 1"}, timeout=5)
        calls = [client.start("code_parse", {"language": "json", "code": text}) for text in texts]
        trees = [call.result() for call in calls]           # all were under way at once
        for part in client.stream("crawl", {"url": url}):   # each partial answer, then the last one
            print(part)

`AsyncClient` is the same with `await` and `async for`; a task that is cancelled cancels its call.

A dict goes as MessagePack and the result comes back decoded; bytes, or a list of them, are frames for
a foreign tool as they are, and its frames come back. A pool of foreign workers that has no
`options = 1` takes no options frame: pass plain=True, and the call gets a socket of its own.

A call is done at most once: when the connection is lost it raises ConnectionLost, and whether it was
done nobody knows. With retry=True it is sent again, under one idempotency key, until its time is up:
the node does it once as long as it lives and remembers the key, else perhaps again.

`Keys` are for a node that wants CURVE. troupe_worker.py serves tools. Needs python3-zmq, python3-msgpack.
"""
import asyncio
import collections
import itertools
import json
import time
import uuid

import msgpack
import zmq
import zmq.asyncio
import zmq.auth
from zmq.utils.monitor import parse_monitor_message

CLIENT, OPTIONS = b"MDPC02", b"TRP1"
REQUEST, PARTIAL, FINAL = b"\x01", b"\x02", b"\x03"
GRACE = 5.0  # seconds: the node answers at the deadline itself; this much later it counts as lost
UNMET = 3  # connections without a handshake: not a node that dies or begins
EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED


class ToolError(Exception):
    """The error map of a reply: `code`, `message`, and what else it has in `details`."""

    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.details = error


class ToolTimeout(ToolError, TimeoutError):
    """E_EXPIRED, E_TIMEOUT: its time was up."""


class ToolInput(ToolError, ValueError):
    """E_BAD_BODY, E_BAD_PAYLOAD, E_TOO_LARGE: what was sent is wrong; `details` say where."""


class ToolUnknown(ToolError, LookupError):
    """E_UNKNOWN_TOOL: `details["tools"]` are near matches."""


class ToolForbidden(ToolError, PermissionError):
    """E_FORBIDDEN: the key has no right to this tool."""


class ToolBusy(ToolError):
    """E_BUSY, E_RATE: refused for now; `details["retry_after_ms"]` says when to come again."""


class ToolLost(ToolError, ConnectionError):
    """E_NO_WORKER, E_WORKER_LOST: no worker was there, or it died."""


class ToolBadReply(ToolError, ValueError):
    """E_BAD_REPLY: the answer is no value; who passes bytes gets a foreign tool's own bytes."""


class ToolCancelled(ToolError):
    """E_CANCELLED: by its client, or because the node stops."""


class ToolPartsLost(ToolError):
    """E_PARTS_LOST: partial answers came faster than they were read; `result` is the last answer."""

    def __init__(self, tool, came, sent, result):
        super().__init__({"code": "E_PARTS_LOST", "message": f"only {came} of {sent} partial answers of {tool} came"})
        self.result = result


class ConnectionLost(ConnectionError):
    """The connection ended while the call was under way: it may have been done or not."""


ERRORS = {"E_EXPIRED": ToolTimeout, "E_TIMEOUT": ToolTimeout, "E_BAD_BODY": ToolInput, "E_BAD_PAYLOAD": ToolInput,
          "E_TOO_LARGE": ToolInput, "E_UNKNOWN_TOOL": ToolUnknown, "E_FORBIDDEN": ToolForbidden, "E_BUSY": ToolBusy,
          "E_RATE": ToolBusy, "E_NO_WORKER": ToolLost, "E_WORKER_LOST": ToolLost, "E_CANCELLED": ToolCancelled}


class Keys(collections.namedtuple("Keys", "server public secret")):
    """Z85 texts: the node's public key, and a pair of one's own."""

    @classmethod
    def load(cls, path, server):
        """The pair of a file that `troupe keygen` made."""
        public, secret = zmq.auth.load_certificate(path)
        return cls(server, public.decode(), secret.decode())


def decode(frame):
    """A map as JSON, or any value as MessagePack: there a brace alone is the number 123."""
    is_json = len(frame) > 1 and frame.lstrip()[:1] == b"{"
    return json.loads(frame) if is_json else msgpack.unpackb(frame, strict_map_key=False)


def options_of(frame):
    """The map of an options frame, with an `id` in any case."""
    try:
        options = msgpack.unpackb(frame[4:])
    except (ValueError, TypeError):
        options = None  # not a node's
    return {"id": None, **options} if isinstance(options, dict) and isinstance(options.get("id"), str) else {"id": None}


def refusal_of(frames):
    """The error of a reply that is an error map; None: it is an answer."""
    try:
        reply = decode(frames[-1]) if frames else None
    except ValueError:
        return None  # a foreign tool's own bytes
    is_refusal = isinstance(reply, dict) and reply.get("success") is False and isinstance(reply.get("error"), dict)
    return reply["error"] if is_refusal else None


class Call:
    """One call under way; Client.start makes it."""

    def __init__(self, client, tool, body, options, plain):
        self.tool, self.id, self.plain = tool, options["id"], plain
        self.retry = "idem" in options
        self.is_raw = not isinstance(body, dict)
        self.deadline = time.monotonic() + options["deadline_ms"] / 1000
        self.attempt = None  # with stream=True: of which attempt the partial answers are ...
        self._came = self._sent = 0  # ... how many came here, and how many the node has sent
        self.is_whole = False  # the reply map is wanted, whatever it says
        self.send_at = None  # refused as busy: when to try again
        self._client, self._options = client, options
        self._body = [msgpack.packb(body)] if not self.is_raw else [body] if isinstance(body, bytes) else list(body)
        self._parts = collections.deque()
        self._outcome = None  # (value, error)
        self._on_change = lambda: None

    def frames(self):
        """The request, with the time that is left."""
        self._came = 0
        left = max(1, int(1000 * (self.deadline - time.monotonic())))
        options = [] if self.plain else [OPTIONS + msgpack.packb({**self._options, "deadline_ms": left})]
        return [CLIENT, REQUEST, self.tool.encode(), *options, *self._body]

    def done(self):
        return self._outcome is not None

    def result(self, of_all=False):
        """Waits for the last answer. Raises ToolError, TimeoutError, ConnectionError; `of_all`: ToolPartsLost, too."""
        self._client.wait(self.done)
        value, error = self._outcome
        if of_all and error is None and self._came < self._sent:
            error = ToolPartsLost(self.tool, self._came, self._sent, value)
        if error is not None:
            raise error
        return value

    def __iter__(self):
        """Partial answers as they come, then the last one. Left early, the call is cancelled."""
        try:
            while True:
                self._client.wait(lambda: self._parts or self.done())
                if not self._parts:
                    yield self.result(of_all=True)
                    return
                yield self._parts.popleft()
        finally:
            self.cancel()

    def cancel(self):
        """Nobody wants the answer any more: a worker that has the task is freed."""
        self._client.cancel(self)

    def _value(self, frames):
        if self.is_raw:
            return frames
        reply = decode(frames[-1])
        is_ours = isinstance(reply, dict) and "success" in reply and not self.is_whole
        return reply["result"] if is_ours else reply

    def count(self, kind, attempt, sent):
        """What the options frame says: of which attempt the answer is, and how many parts that has sent."""
        self._came = (self._came if attempt == self.attempt else 0) + (kind == PARTIAL)
        self.attempt, self._sent = attempt, sent if type(sent) is int else 0

    def take(self, kind, frames):
        """Takes an answer from the node."""
        try:
            self._take(kind, frames)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            message = f"the answer of {self.tool} can't be read: {error!r}"
            self.end(None, ToolBadReply({"code": "E_BAD_REPLY", "message": message}))

    def _take(self, kind, frames):
        if kind == PARTIAL:
            self._parts.append(self._value(frames))
            self._on_change()
            return
        is_own = self.is_whole or (self.is_raw and len(frames) != 1)
        error = None if is_own else refusal_of(frames)
        if error is None and not self.is_raw:  # kept, or wanted with the last one
            self._parts.extend(self._value([part]) for part in frames[:-1])
        if error is None:
            self.end(self._value(frames), None)
        elif self.retry and error.get("code") in ("E_BUSY", "E_RATE"):
            self.send_at = time.monotonic() + max(1, error.get("retry_after_ms", 100)) / 1000
            self._on_change()
        else:
            self.end(None, ERRORS.get(error.get("code"), ToolError)(error))

    def end(self, value, error):
        if self._outcome is None:
            self._outcome = (value, error)
            self._client._forget(self)
            self._on_change()

    def due(self):
        """When something is to be done without a word from the node."""
        return min(self.deadline + GRACE, self.send_at or self.deadline + GRACE)

    def is_to_be_sent(self):
        """Ends a call whose time is up; True: it was refused as busy and has waited."""
        now, send_at = time.monotonic(), self.send_at
        if self.deadline + GRACE <= now or (send_at is not None and self.deadline <= now):
            self.end(None, TimeoutError(f"no answer from {self.tool} in time"))
        elif send_at is not None and send_at <= now:
            self.send_at = None
            return not self.done()
        return False


class Connection:
    """What both clients have: the socket, its events, and the calls that wait for answers."""

    def __init__(self, endpoint, context, keys):
        self._endpoint, self._context, self._keys = endpoint, context, keys
        self._ids = itertools.count(1)
        self._calls = {}
        self._refused = False  # our key
        self._unmet = 0  # connections in a row without a handshake
        self.unexpected = 0  # replies that no call waits for: an answer that came twice, or too late
        self._open()

    def _open(self):
        self._joined = False
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.RCVHWM, 0), (zmq.SNDHWM, 0), (zmq.RECONNECT_IVL_MAX, 2000),
                              (zmq.HEARTBEAT_IVL, 5000), (zmq.HEARTBEAT_TIMEOUT, 15000)):
            self._socket.setsockopt(option, value)
        if self._keys:
            self._socket.curve_serverkey, self._socket.curve_publickey, self._socket.curve_secretkey = (
                key.encode() for key in self._keys)
        self._events = self._socket.get_monitor_socket(EVENTS)
        self._socket.connect(self._endpoint)

    def _shut(self):
        self._socket.disable_monitor()
        self._events.close(0)
        self._socket.close(0)

    def _new_call(self, tool, body, timeout, retry, plain, **options):
        if self._refused:
            raise self._key_error()
        options = {"id": str(next(self._ids)), "deadline_ms": max(1, int(timeout * 1000)), **options}
        if retry and not plain:
            options.setdefault("idem", uuid.uuid4().hex)
        call = self._calls[options["id"]] = Call(self, tool, body, options, plain)
        return call

    def _on_reply(self, frames):
        if len(frames) < 3 or frames[0] != CLIENT or frames[1] not in (PARTIAL, FINAL):
            self.unexpected += 1
            return
        kind, body, call = frames[1], frames[3:], None
        if body and body[0][:4] == OPTIONS:
            options, body = options_of(body[0]), body[1:]
            call = self._calls.get(options["id"])
            if call is not None:
                call.count(kind, options.get("attempt", call.attempt), options.get("parts", 0))
        else:  # of a plain call, beside which there is no other
            call = next((call for call in self._calls.values() if call.plain and frames[2] == call.tool.encode()), None)
        if call is None:
            self.unexpected += frames[2][:4] != b"mmi."
            return
        call.take(kind, body)

    def _on_event(self, event):
        """True: the socket is to be opened anew, so that nothing old is left in it."""
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._joined, self._unmet = True, 0
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._refused = True  # libzmq does not try again
            self._fail(lambda call: True, self._key_error)
        else:
            is_lost = self._joined
            self._unmet += 1
            if not is_lost and self._unmet < UNMET:  # nothing was sent; libzmq tries again
                return False
            what = "the connection ended" if is_lost else "no handshake: not the keys that it wants, or no such node"
            self._fail(lambda call: not call.retry, lambda: ConnectionLost(f"{self._endpoint}: {what}"))
            return is_lost
        return False

    def _fail(self, which, error):
        for call in list(self._calls.values()):
            if which(call):
                call.end(None, error())

    def _key_error(self):
        return PermissionError(f"{self._endpoint} refused the key")

    def _forget(self, call):
        self._calls.pop(call.id, None)

    def _cancel_frames(self, call):
        return [CLIENT, REQUEST, b"mmi.cancel", call.id.encode()]


class Client(Connection):
    """For one thread. `keys`: of a node that wants CURVE."""

    def __init__(self, endpoint="tcp://127.0.0.1:5555", *, keys=None, context=None):
        super().__init__(endpoint, context or zmq.Context.instance(), keys)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._fail(lambda call: True, lambda: ConnectionLost("the client was closed"))
        self._shut()

    def start(self, tool, body, timeout=60.0, *, retry=False, plain=False, **options):
        """Sends a request and returns its Call. `options`: key, priority, idem, stream of the options frame."""
        if plain and self._calls:
            raise ValueError("one plain call at a time, and none beside it")
        while self._events.poll(0):  # what ended before this call is not its end
            self._turn(0)
        call = self._new_call(tool, body, timeout, retry, plain, **options)
        self._socket.send_multipart(call.frames())
        return call

    def call(self, tool, body, timeout=60.0, *, plain=False, **options):
        """The result of a tool. Raises ToolError, TimeoutError, ConnectionError."""
        if not plain:
            return self.start(tool, body, timeout, **options).result()
        with Client(self._endpoint, keys=self._keys, context=self._context) as own:
            return own.start(tool, body, timeout, plain=True).result()

    def stream(self, tool, body, timeout=60.0, **options):
        """Iterates over partial answers and the last one."""
        return iter(self.start(tool, body, timeout, **options))

    def cancel(self, call):
        if not call.done():
            call.end(None, ToolCancelled({"code": "E_CANCELLED", "message": "cancelled by its client"}))
            self._socket.send_multipart(self._cancel_frames(call))

    def wait(self, condition):
        """Serves the socket until the condition holds, which the end of any call brings about."""
        while not condition():
            for call in list(self._calls.values()):
                if call.is_to_be_sent():
                    self._socket.send_multipart(call.frames())
            if not condition():
                due = min((call.due() for call in self._calls.values()), default=0)
                self._turn(max(0, int(1000 * (due - time.monotonic())) + 1))

    def _turn(self, timeout_ms):
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._events, zmq.POLLIN)
        ready = dict(poller.poll(timeout_ms))
        while self._socket in ready and self._socket.poll(0):
            self._on_reply(self._socket.recv_multipart())
        if self._events in ready and self._on_event(parse_monitor_message(self._events.recv_multipart())["event"]):
            self._shut()
            self._open()
            for call in self._calls.values():
                self._socket.send_multipart(call.frames())


class AsyncClient(Connection):
    """For one event loop: `async with AsyncClient(endpoint) as client`."""

    def __init__(self, endpoint="tcp://127.0.0.1:5555", *, keys=None, context=None):
        super().__init__(endpoint, context or zmq.asyncio.Context.instance(), keys)
        self._tasks = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        self._fail(lambda call: True, lambda: ConnectionLost("the client was closed"))
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._shut()

    async def call(self, tool, body, timeout=60.0, *, plain=False, **options):
        """The result of a tool. Raises ToolError, TimeoutError, ConnectionError."""
        if plain:
            async with AsyncClient(self._endpoint, keys=self._keys, context=self._context) as own:
                return await own._last(own.stream(tool, body, timeout, plain=True))
        return await self._last(self.stream(tool, body, timeout, **options))

    async def request(self, tool, body, timeout=60.0, **options):
        """The whole reply map of one of troupe's own tools, errors too: with its `task_id` and `metrics`."""
        return await self._last(self.stream(tool, body, timeout, whole=True, **options))

    async def _last(self, answers):
        last = None
        try:
            async for last in answers:
                pass
        except ToolPartsLost as error:  # which it would pass over
            return error.result
        return last

    async def stream(self, tool, body, timeout=60.0, *, retry=False, plain=False, whole=False, **options):
        """Partial answers as they come, then the last one. Left early, the call is cancelled."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._listen())]
        changed = asyncio.Event()
        call = self._new_call(tool, body, timeout, retry, plain, **options)
        call._on_change, call.is_whole = changed.set, whole
        try:
            await self._socket.send_multipart(call.frames())
            while not call.done():
                await self._step(call, changed)
                while call._parts:
                    yield call._parts.popleft()
            yield call.result(of_all=True)
        finally:
            self._forget(call)
            if not call.done() and not self._socket.closed:
                await self._socket.send_multipart(self._cancel_frames(call))

    async def _step(self, call, changed):
        """Waits until something came for a call, or its next moment."""
        if call.is_to_be_sent():
            await self._socket.send_multipart(call.frames())
        if not call.done():
            try:
                await asyncio.wait_for(changed.wait(), max(0.001, call.due() - time.monotonic()))
            except asyncio.TimeoutError:
                return
            changed.clear()

    def wait(self, condition):  # of a call that is done
        assert condition()

    async def _read(self):
        while True:
            self._on_reply(await self._socket.recv_multipart())

    async def _listen(self):
        while True:
            if not self._on_event(parse_monitor_message(await self._events.recv_multipart())["event"]):
                continue
            reader = self._tasks[0]
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            self._shut()
            self._open()
            self._tasks[0] = asyncio.create_task(self._read())
            for call in list(self._calls.values()):
                await self._socket.send_multipart(call.frames())


def call(tool, body, endpoint="tcp://127.0.0.1:5555", timeout=60.0, **options):
    """One call, without a client to keep."""
    with Client(endpoint, keys=options.pop("keys", None), context=zmq.Context.instance()) as client:
        return client.call(tool, body, timeout, **options)
