// SPDX-License-Identifier: MIT
// A client of troupe's tools for Node: Majordomo 0.2 over one socket, JSON bodies, many calls at a time.
//
//     const { Client } = require('./troupe_client');
//     const client = new Client('tcp://127.0.0.1:5555');
//     const tree = await client.call('code_parse', { language: 'json', code: '[1]' });
//     client.close();
'use strict';
const zmq = require('zeromq');

const CLIENT = 'MDPC02', REQUEST = Buffer.from([1]), FINAL = 3;

class ToolError extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.name = 'ToolError';
    this.code = error.code;
    this.details = error;
  }
}

// The options frame is a MessagePack map: {"id": ..., "deadline_ms": ...}.
function options(id, deadline) {
  const text = Buffer.from(id);
  const head = Buffer.from([0x82, 0xa2, 0x69, 0x64, 0xa0 | text.length]);
  const name = Buffer.from('deadline_ms');
  const tail = Buffer.alloc(5);
  tail[0] = 0xce; // uint 32
  tail.writeUInt32BE(deadline, 1);
  return Buffer.concat([Buffer.from('TRP1'), head, text, Buffer.from([0xa0 | name.length]), name, tail]);
}

// The id of a reply's options frame: a map of one short string.
function idOf(frame) {
  const size = frame[8] & 0x1f;
  return frame.subarray(9, 9 + size).toString();
}

class Client {
  constructor(endpoint) {
    this.socket = new zmq.Dealer({ linger: 0 });
    this.socket.connect(endpoint);
    this.waiting = new Map();
    this.next = 1;
    this.queue = Promise.resolve(); // one send at a time
    this.reading = this.read();
  }

  async call(tool, body, timeout = 60000) {
    const id = String(this.next++);
    const frames = [CLIENT, REQUEST, tool, options(id, timeout), JSON.stringify(body)];
    const reply = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(id, new Error(`no answer to ${tool} within ${timeout} ms`)), timeout + 5000);
      this.waiting.set(id, { resolve, reject, timer });
    });
    const sent = this.queue.then(() => this.socket.send(frames));
    this.queue = sent.catch((error) => this.fail(id, error)); // the next one is sent all the same
    return reply;
  }

  // Takes a call from those that wait; undefined: it waits no more.
  take(id) {
    const call = this.waiting.get(id);
    if (call) {
      clearTimeout(call.timer);
      this.waiting.delete(id);
    }
    return call;
  }

  fail(id, error) {
    this.take(id)?.reject(error);
  }

  async read() {
    for await (const frames of this.socket) {
      if (frames.length !== 5 || frames[1][0] !== FINAL) continue;
      const call = this.take(idOf(frames[3]));
      if (!call) continue;
      const map = JSON.parse(frames[4].toString());
      if (map.success) call.resolve(map.result);
      else call.reject(new ToolError(map.error));
    }
  }

  close() {
    this.socket.close();
    for (const id of [...this.waiting.keys()]) this.fail(id, new Error('the client was closed'));
  }
}

module.exports = { Client, ToolError };
