// SPDX-License-Identifier: MIT
// Clients of troupe's tools for Node, and workers for it: Majordomo 0.2 over one socket, JSON bodies, many calls
// at a time.
//
//     const { Client, Worker } = require('./troupe_client');
//     const client = new Client('tcp://127.0.0.1:5555');
//     const tree = await client.call('code_parse', { language: 'json', code: '[1]' }, { timeout: 5000 });
//     for await (const part of client.stream('crawl', { url })) console.log(part); // the last answer is the last one
//     client.close();
//
//     const worker = new Worker('tcp://127.0.0.1:5555', 'upper', async (body) => body.text.toUpperCase());
//     worker.stop();
//
// Options of a call: timeout (ms), signal (an AbortSignal: cancels it), key, priority, idem, and retry: a call is done
// at most once, and when its connection is lost it fails with ConnectionLost; with `retry: true` it is sent again
// under one idempotency key, also when it is refused as busy, until its time is up. A Buffer, or an array of them,
// goes as frames to a foreign tool, and its frames come back. Pools of foreign workers need `options = 1`.
'use strict';
const crypto = require('crypto');
const zmq = require('zeromq');

const CLIENT = 'MDPC02', WORKER = 'MDPW02', REQUEST = 1, PARTIAL = 2, FINAL = 3;
const W = { ready: 1, request: 2, partial: 3, final: 4, heartbeat: 5, disconnect: 6 };
const MAGIC = Buffer.from('TRP1');
const UNMET = 3; // connections without a handshake: not a node that dies or begins
const GRACE = 5000; // ms: the node answers at the deadline itself; this much later it counts as lost

// The error map of a reply: `code`, and all that it has in `details`.
class ToolError extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.name = 'ToolError';
    this.code = error.code;
    this.details = error;
  }
}

// The connection ended while the call was under way: it may have been done or not.
class ConnectionLost extends Error {
  constructor(message) {
    super(message);
    this.name = 'ConnectionLost';
    this.code = 'ECONNRESET';
  }
}

// The call's time was up, and the node did not say so itself.
class TimeLimit extends Error {
  constructor(message) {
    super(message);
    this.name = 'TimeLimit';
    this.code = 'ETIMEDOUT';
  }
}

// Partial answers came faster than they were read; `result` is the last answer.
class PartsLost extends ToolError {
  constructor(tool, came, sent, result) {
    super({ code: 'E_PARTS_LOST', message: `only ${came} of ${sent} partial answers of ${tool} came`, came, sent });
    this.name = 'PartsLost';
    this.result = result;
  }
}

// An options frame: TRP1 and a MessagePack map of short strings, numbers and truth values.
function packOptions(options) {
  const string = (text) => {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from([0xd9, bytes.length]), bytes]);
  };
  const number = (value) => {
    const bytes = Buffer.alloc(5, 0xce); // uint 32
    bytes.writeUInt32BE(value, 1);
    return bytes;
  };
  const members = Object.entries(options).filter(([, value]) => value !== undefined);
  const pack = (value) => typeof value === 'boolean' ? Buffer.from([value ? 0xc3 : 0xc2])
    : typeof value === 'number' ? number(value) : string(String(value));
  const parts = members.flatMap(([name, value]) => [string(name), pack(value)]);
  return Buffer.concat([MAGIC, Buffer.from([0x80 | members.length]), ...parts]);
}

const isOptions = (frame) => frame !== undefined && frame.subarray(0, 4).equals(MAGIC);

// The map of a reply's options frame, of short texts and whole numbers, as far as it is such a map.
function readOptions(frame) {
  const options = {};
  let at = MAGIC.length + 1;
  const text = (size) => frame.subarray(at, at += size).toString();
  const number = (size) => frame.readUIntBE((at += size) - size, size);
  const value = () => {
    const type = frame[at++];
    if (type < 0x80) return type;
    if (type >> 5 === 5) return text(type & 0x1f);
    return type === 0xd9 ? text(frame[at++]) : number({ 0xcc: 1, 0xcd: 2, 0xce: 4 }[type]);
  };
  try {
    for (let left = frame[MAGIC.length] & 0x0f; left > 0; left--) options[value()] = value();
  } catch {
    // none of a node's, or more than a client looks at
  }
  return options;
}

function parse(frame) {
  try {
    return JSON.parse(frame.toString());
  } catch {
    return undefined; // a foreign tool's own bytes
  }
}

// Sends on one socket, one message after the other.
class Sender {
  constructor(socket) {
    this.socket = socket;
    this.queue = Promise.resolve();
  }

  send(frames) {
    const sent = this.queue.then(() => this.socket.send(frames));
    this.queue = sent.catch(() => {}); // the next one is sent all the same
    return sent;
  }
}

class Call {
  constructor(tool, body, options) {
    const { timeout = 60000, signal, retry = false, ...others } = options;
    this.tool = tool;
    this.frames = Buffer.isBuffer(body) ? [body] : Array.isArray(body) ? body : [JSON.stringify(body)];
    this.isRaw = this.frames[0] === undefined || Buffer.isBuffer(this.frames[0]);
    this.retry = retry;
    this.signal = signal;
    this.deadline = Date.now() + timeout;
    this.options = { ...others, idem: others.idem ?? (retry ? crypto.randomUUID() : undefined) };
    this.parts = [];
    this.came = this.sent = 0; // partial answers of the last attempt: here, and as the node says
    this.done = false;
    this.wake = () => {};
  }

  request(id) {
    this.came = 0;
    const left = Math.max(1, this.deadline - Date.now());
    return [CLIENT, Buffer.from([REQUEST]), this.tool, packOptions({ ...this.options, id, deadline_ms: left }),
      ...this.frames];
  }

  value(frames) {
    if (this.isRaw) return frames;
    const reply = frames.length > 0 ? parse(frames.at(-1)) : undefined;
    if (reply === undefined) { // who passes a Buffer gets a foreign tool's own bytes
      throw new ToolError({ code: 'E_BAD_REPLY', message: `the answer of ${this.tool} is no JSON` });
    }
    return reply !== null && typeof reply === 'object' && 'success' in reply ? reply.result : reply;
  }

  // What the options frame says: of which attempt the answer is, and how many partial answers that has sent.
  count(kind, attempt = this.attempt, sent = 0) {
    if (attempt !== this.attempt) this.came = 0;
    this.attempt = attempt;
    this.came += kind === PARTIAL ? 1 : 0;
    this.sent = Number.isInteger(sent) ? sent : 0;
  }

  end(error, value) {
    this.done = true;
    this.error = error;
    this.last = value;
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.wake();
  }
}

class Client {
  // `keys`: {server, public, secret}, Z85 texts, of a node that wants CURVE.
  constructor(endpoint, keys) {
    this.endpoint = endpoint;
    this.keys = keys;
    this.calls = new Map();
    this.next = 1;
    this.closed = false;
    this.unmet = 0; // connections in a row without a handshake
    this.open();
  }

  open() {
    this.joined = false;
    this.socket = new zmq.Dealer({ linger: 0, reconnectMaxInterval: 2000, heartbeatInterval: 5000,
      heartbeatTimeout: 15000, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    if (this.keys) {
      this.socket.curveServerKey = this.keys.server;
      this.socket.curvePublicKey = this.keys.public;
      this.socket.curveSecretKey = this.keys.secret;
    }
    this.sender = new Sender(this.socket);
    this.listen(this.socket);
    this.socket.connect(this.endpoint);
    this.read(this.socket);
  }

  // The last answer of a tool.
  async call(tool, body, options) {
    let last;
    try {
      for await (last of this.stream(tool, body, options));
    } catch (error) {
      if (!(error instanceof PartsLost)) throw error;
      return error.result; // it would pass over them
    }
    return last;
  }

  // Partial answers as they come, then the last one. Left early, the call is cancelled.
  async* stream(tool, body, options = {}) {
    options.signal?.throwIfAborted();
    if (this.keyError) throw this.keyError;
    const id = String(this.next++);
    const call = new Call(tool, body, options);
    const abort = () => call.end(call.signal.reason);
    this.calls.set(id, call);
    call.signal?.addEventListener('abort', abort);
    call.timer = setTimeout(() => call.end(new TimeLimit(`no answer from ${tool} in time`)),
      call.deadline - Date.now() + GRACE);
    this.send(id, call);
    let answered = false;
    try {
      while (!call.done || call.parts.length > 0) {
        if (call.parts.length > 0) yield call.parts.shift();
        else await new Promise((wake) => { call.wake = wake; });
      }
      answered = !call.signal?.aborted;
      if (call.error) throw call.error;
      if (call.came < call.sent) throw new PartsLost(tool, call.came, call.sent, call.last);
      yield call.last;
    } finally {
      this.calls.delete(id);
      clearTimeout(call.timer);
      clearTimeout(call.again);
      call.signal?.removeEventListener('abort', abort);
      if (!answered && !this.closed) {
        this.sender.send([CLIENT, Buffer.from([REQUEST]), 'mmi.cancel', id]).catch(() => {});
      }
    }
  }

  send(id, call) {
    const sender = this.sender;
    sender.send(call.request(id)).catch((error) => {
      if (sender === this.sender) call.end(error); // else the socket was opened anew, and it was sent there
    });
  }

  // A call that is refused as busy and may be tried again comes back after the time that the node says.
  refused(id, call, error) {
    const wait = error.details?.retry_after_ms ?? 100;
    const isBusy = error.code === 'E_BUSY' || error.code === 'E_RATE';
    if (call.retry && isBusy && Date.now() + wait < call.deadline) {
      call.again = setTimeout(() => this.send(id, call), wait);
    } else {
      call.end(error);
    }
  }

  take(frames) {
    const [magic, kind, , options, ...body] = frames;
    if (magic?.toString() !== CLIENT || !isOptions(options)) return;
    const { id, attempt, parts } = readOptions(options);
    const call = this.calls.get(id);
    if (!call || call.done) return;
    call.count(kind[0], attempt, parts);
    try {
      this.takeAnswer(id, call, kind, body);
    } catch (error) {
      call.end(error);
    }
  }

  takeAnswer(id, call, kind, body) {
    if (kind[0] === PARTIAL) {
      call.parts.push(call.value(body));
      call.wake();
    } else if (kind[0] === FINAL) {
      const isOwn = call.isRaw && body.length !== 1;
      const reply = isOwn || body.length === 0 ? undefined : parse(body.at(-1));
      if (reply?.success === false && reply.error) {
        this.refused(id, call, new ToolError(reply.error));
        return;
      }
      if (!call.isRaw) call.parts.push(...body.slice(0, -1).map((part) => call.value([part]))); // kept ones
      call.end(undefined, call.value(body));
    }
  }

  async read(socket) {
    try {
      for await (const frames of socket) this.take(frames);
    } catch (error) {
      if (!socket.closed) throw error; // else it was closed meanwhile
    }
  }

  listen(socket) {
    socket.events?.on('handshake', () => {
      this.joined = true;
      this.unmet = 0;
    });
    socket.events?.on('handshake:error:auth', () => { // libzmq does not try again
      this.keyError = new Error(`${this.endpoint} refused the key`);
      this.fail(this.keyError, true);
    });
    socket.events?.on('disconnect', () => {
      if (this.closed || socket !== this.socket) return;
      if (!this.joined && ++this.unmet < UNMET) return; // nothing was sent; libzmq tries again
      this.fail(new ConnectionLost(`${this.endpoint}: the connection ended`), false);
      if (!this.joined) return; // libzmq tries again by itself
      socket.close(); // and what is queued in it is gone
      this.open();
      for (const [id, call] of this.calls) if (!call.done) this.send(id, call);
    });
  }

  fail(error, all) {
    for (const call of this.calls.values()) if (!call.done && (all || !call.retry)) call.end(error);
  }

  close() {
    this.closed = true;
    this.socket.close();
    this.fail(new Error('the client was closed'), true);
  }
}

// Serves one tool. `serve` gets the body's map and returns, or promises, the result; of an async generator each value
// is a partial answer and what it returns is the last one. With {raw: true} it gets frames and returns a Buffer or an
// array of them. What it throws is answered as the error E_FAILED.
class Worker {
  constructor(endpoint, tool, serve, { raw = false, keys, heartbeat = 1000, liveness = 5 } = {}) {
    Object.assign(this, { endpoint, tool, serve, raw, keys, heartbeat, stopped: false });
    this.silence = heartbeat * liveness * 2.5;
    this.open();
  }

  open() {
    const socket = new zmq.Dealer({ linger: 500 });
    if (this.keys) {
      socket.curveServerKey = this.keys.server;
      socket.curvePublicKey = this.keys.public;
      socket.curveSecretKey = this.keys.secret;
    }
    this.socket = socket;
    this.sender = new Sender(socket);
    this.heard = Date.now();
    socket.connect(this.endpoint);
    this.say(this.sender, 'ready', this.tool);
    this.timer = setInterval(() => this.beat(), this.heartbeat);
    this.read(socket, this.sender);
  }

  say(sender, command, ...frames) {
    sender.send([WORKER, Buffer.from([W[command]]), ...frames]).catch(() => {}); // the node notices its silence
  }

  beat() {
    if (Date.now() - this.heard > this.silence) this.reopen();
    else this.say(this.sender, 'heartbeat');
  }

  reopen() {
    clearInterval(this.timer);
    this.socket.close();
    if (!this.stopped) this.open();
  }

  async read(socket, sender) {
    try {
      for await (const [, command, address, , ...body] of socket) {
        this.heard = Date.now();
        if (command[0] === W.request) this.work(sender, address, body);
        else if (command[0] === W.disconnect) setTimeout(() => socket === this.socket && this.reopen(), this.heartbeat / 10);
      }
    } catch (error) {
      if (!socket.closed) throw error; // else it was closed meanwhile
    }
  }

  async work(sender, address, body) {
    const answer = (command, frames) => this.say(sender, command, address, '', ...frames);
    const pack = (value) => this.raw ? [].concat(value ?? '') : [JSON.stringify(value)];
    const frames = isOptions(body[0]) ? body.slice(1) : body;
    try {
      const made = this.serve(this.raw ? frames : JSON.parse(frames[0].toString()));
      if (typeof made?.next !== 'function') {
        answer('final', pack(this.raw ? await made : { success: true, result: await made }));
        return;
      }
      let step;
      while (!(step = await made.next()).done) answer('partial', pack(step.value));
      answer('final', pack(this.raw ? step.value : { success: true, result: step.value }));
    } catch (error) {
      answer('final', [JSON.stringify({ success: false, error: { code: 'E_FAILED', message: String(error) } })]);
    }
  }

  // Says goodbye and closes.
  async stop() {
    this.stopped = true;
    clearInterval(this.timer);
    await this.sender.send([WORKER, Buffer.from([W.disconnect])]).catch(() => {});
    this.socket.close();
  }
}

module.exports = { Client, Worker, ToolError, PartsLost, ConnectionLost, TimeLimit };
