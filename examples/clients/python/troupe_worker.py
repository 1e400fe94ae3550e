# SPDX-License-Identifier: MIT
"""Serves a tool of a troupe node from Python: a foreign worker by Majordomo 0.2.

    from troupe_worker import Worker

    Worker("tcp://127.0.0.1:5555", "upper", lambda body: {"text": body["text"].upper()}).run()

The node queues, balances, retries and limits its tasks as those of its own workers; a worker has one
at a time, so run as many as there shall be. Needs python3-zmq, python3-msgpack and troupe_client.py.
"""
import concurrent.futures
import json
import time
import uuid

import msgpack
import zmq

from troupe_client import OPTIONS, decode

WORKER = b"MDPW02"
READY, REQUEST, PARTIAL, FINAL, HEARTBEAT, DISCONNECT = (bytes([number]) for number in range(1, 7))


class Worker:
    """Serves one tool with a function: a dict in, a result out; a generator's values are partial answers,
    what it returns is the last one. `raw`: lists of frames in, bytes or lists of frames out.

    The function runs in a thread of its own, so heartbeats go on meanwhile; what it raises is answered as
    the error E_FAILED. A node that is gone, or sends it away, is tried again."""

    def __init__(self, endpoint, tool, function, *, raw=False, keys=None, heartbeat=1.0, liveness=5, context=None):
        self._endpoint, self._tool, self._function, self._raw = endpoint, tool, function, raw
        self._keys, self._heartbeat, self._liveness = keys, heartbeat, liveness
        self._context = context or zmq.Context.instance()
        self._stop = False
        self._address = f"inproc://troupe-worker-{uuid.uuid4().hex}"
        self._answers = self._context.socket(zmq.PULL)  # from the function's thread
        self._answers.bind(self._address)

    def stop(self):
        """From any thread: run returns after at most a heartbeat."""
        self._stop = True

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            while not self._stop:
                self._session(threads)
        self._answers.close(0)

    def _session(self, threads):
        """One connection, until it is lost, sent away, or stopped."""
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 500)
        if self._keys:
            socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = (k.encode() for k in self._keys)
        socket.connect(self._endpoint)
        socket.send_multipart([WORKER, READY, self._tool.encode()])
        poller, serial = zmq.Poller(), uuid.uuid4().bytes
        poller.register(socket, zmq.POLLIN)
        poller.register(self._answers, zmq.POLLIN)
        heard = beat = time.monotonic()
        while not self._stop and time.monotonic() - heard < self._liveness * self._heartbeat * 2.5:
            ready = dict(poller.poll(int(1000 * self._heartbeat)))
            if self._answers in ready:
                owner, *frames = self._answers.recv_multipart()
                if owner == serial:  # else for a node that has given up on it
                    socket.send_multipart([WORKER, *frames])
            if socket in ready:
                heard = time.monotonic()
                frames = socket.recv_multipart()
                if frames[:2] == [WORKER, DISCONNECT]:
                    time.sleep(self._heartbeat / 10)
                    break
                if frames[:2] == [WORKER, REQUEST]:
                    threads.submit(self._serve, serial, frames[2], frames[4:])
            if time.monotonic() - beat >= self._heartbeat:
                beat = time.monotonic()
                socket.send_multipart([WORKER, HEARTBEAT])
        if self._stop:
            socket.send_multipart([WORKER, DISCONNECT])
        socket.close()

    def _serve(self, serial, address, body):
        with self._context.socket(zmq.PUSH) as out:
            out.connect(self._address)
            try:
                for kind, frames in self._answers_to(body):
                    out.send_multipart([serial, kind, address, b"", *frames])
            except Exception as error:  # pylint: disable=broad-except
                reply = {"success": False, "error": {"code": "E_FAILED", "message": f"{type(error).__name__}: {error}"}}
                is_json = body[-1].lstrip()[:1] == b"{" if body else False
                packed = json.dumps(reply).encode() if is_json else msgpack.packb(reply)
                out.send_multipart([serial, FINAL, address, b"", packed])

    def _answers_to(self, body):
        body = body[1:] if body and body[0][:4] == OPTIONS else body
        is_json = not self._raw and body[0].lstrip()[:1] == b"{"
        pack = (lambda value: json.dumps(value).encode()) if is_json else msgpack.packb

        def frames_of(value, is_last):
            if self._raw:
                return value if isinstance(value, list) else [b"" if value is None else value]
            return [pack({"success": True, "result": value} if is_last else value)]

        answer = self._function(body if self._raw else decode(body[0]))
        while hasattr(answer, "__next__"):
            try:
                yield PARTIAL, frames_of(next(answer), False)
            except StopIteration as end:
                answer = end.value
        yield FINAL, frames_of(answer, True)
