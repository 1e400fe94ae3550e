// SPDX-License-Identifier: MIT
// What test_node_client.py asks of the Node client: node_client.js CASE ENDPOINT, run beside troupe_client.js and an
// installed zeromq. Prints what the case found, as JSON.
'use strict';
const { Client, Worker } = require('./troupe_client');
const zmq = require('zeromq');

const JSON_BODY = { language: 'json', code: '[1]' };
const cases = {};

async function withClient(endpoint, use) {
  const client = new Client(endpoint);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

async function collect(parts) {
  const all = [];
  for await (const part of parts) all.push(part);
  return all;
}

const told = (promise) => promise.then((value) => ({ value }), (error) => ({ name: error.name, code: error.code }));

// A worker whose function waits until `go` is called, once for each task.
function gate(endpoint) {
  const waiting = [], entered = [];
  let serial = 0;
  const worker = new Worker(endpoint, 'gate', () => new Promise((resolve) => {
    waiting.push(() => resolve(++serial));
    entered.splice(0).forEach((wake) => wake());
  }), { heartbeat: 100, liveness: 20 });
  return {
    worker,
    entered: async () => { while (waiting.length === 0) await new Promise((wake) => entered.push(wake)); },
    go: () => waiting.shift()(),
  };
}

const queued = async (client) => JSON.parse((await client.call('mmi.queue', [Buffer.from('gate')]))[1]).queued;

cases.many = (endpoint) => withClient(endpoint, async (client) => {
  const codes = Array.from({ length: 60 }, (_, i) => `[${'1,'.repeat(i)}1]`);
  const trees = await Promise.all(codes.map((code) => client.call('code_parse', { language: 'json', code })));
  return trees.map((tree) => tree.root.split('(number)').length - 1);
});

cases.stream = (endpoint) => withClient(endpoint, (client) => collect(client.stream('upper', { text: 'a b' })));

cases.errors = (endpoint) => withClient(endpoint, async (client) => [
  await told(client.call('code_parse', { language: 'json' })),
  await told(client.call('code_pase', {})),
  await told(client.call('nobody', {}, { timeout: 100 })),
]);

cases.frames = (endpoint) => withClient(endpoint, async (client) => {
  const worker = new Worker(endpoint, 'frames', (frames) => [Buffer.from('got'), ...frames], { raw: true });
  const frames = await client.call('frames', [Buffer.from([0]), Buffer.from('b')]);
  await worker.stop();
  return frames.map((frame) => frame.toString('hex'));
});

cases.cancel = (endpoint) => withClient(endpoint, async (client) => {
  const held = gate(endpoint), abort = new AbortController();
  const first = client.call('gate', { n: 1 });
  await held.entered();
  const second = told(client.call('gate', { n: 2 }, { signal: abort.signal }));
  while (await queued(client) !== 1);
  abort.abort();
  while (await queued(client) !== 0);
  held.go();
  const results = [await first, (await second).name];
  await held.worker.stop();
  return results;
});

cases.once = (endpoint) => withClient(endpoint, async (client) => {
  const answers = [];
  const held = gate(endpoint);
  for (let i = 0; i < 3; i++) {
    const answer = client.call('gate', { n: 1 }, { idem: 'the same' });
    if (i === 0) {
      await held.entered();
      held.go();
    }
    answers.push(await answer);
  }
  await held.worker.stop();
  return answers;
});

// The test ends the node and starts another when it has read the first line, and sends a line then.
cases.lost = (endpoint) => withClient(endpoint, async (client) => {
  const held = gate(endpoint);
  const once = told(client.call('gate', { n: 1 }));
  const again = client.call('gate', { n: 2 }, { retry: true });
  await held.entered();
  console.log('under way');
  const first = await once;
  await new Promise((resume) => process.stdin.once('data', resume));
  process.stdin.destroy();
  held.go();
  await held.entered();
  held.go();
  const results = [first.name, await again, (await client.call('code_parse', JSON_BODY)).node_count];
  await held.worker.stop();
  return results;
});

// KEYS: {known, unknown}, two sets of keys.
cases.keys = async (endpoint) => {
  const { known, unknown } = JSON.parse(process.env.KEYS);
  const client = new Client(endpoint, known), stranger = new Client(endpoint, unknown);
  const worker = new Worker(endpoint, 'upper', (body) => body.text.toUpperCase(), { keys: known });
  try {
    return [await client.call('upper', { text: 'a' }), await told(client.call('code_parse', JSON_BODY)),
      (await told(stranger.call('upper', { text: 'a' }))).name];
  } finally {
    client.close();
    stranger.close();
    await worker.stop();
  }
};

// A Router plays the node and says of `sent` partial answers, of which two came; then as call() takes the same.
cases.parts = async () => {
  const found = [];
  for (const options of [[2, 2], [2, 3], [1, 2], [2, 0xc3], [2, 0xff], [2, 0xcd], [2]]) {
    for (const whole of [false, true]) {
      const router = new zmq.Router({ linger: 0 });
      await router.bind('tcp://127.0.0.1:*');
      await withClient(router.lastEndpoint, async (client) => {
        const answers = client.stream('count', {}, { stream: true, timeout: 20000 });
        const asked = whole ? told(client.call('count', {}, { stream: true, timeout: 20000 })) : told(collect(answers));
        const [head] = await router.receive();
        const map = (attempt, parts) => Buffer.concat([Buffer.from('TRP1'), Buffer.from([parts === undefined ? 0x82 : 0x83]),
          Buffer.from('\xa2id\xa11\xa7attempt', 'latin1'), Buffer.from([attempt]),
          ...(parts === undefined ? [] : [Buffer.from('\xa5parts', 'latin1'), Buffer.from([parts])])]);
        for (const i of [0, 1]) await router.send([head, 'MDPC02', Buffer.from([2]), 'count', map(2), `${i}`]);
        await router.send([head, 'MDPC02', Buffer.from([3]), 'count', map(...options), '{"success": true, "result": "end"}']);
        const { value, code } = await asked;
        found.push(code ?? value);
      });
      router.close();
    }
  }
  return found;
};

// Both versions, client and worker, frame by frame.
cases.spelled = async (endpoint) => {
  const found = [], sockets = [];
  const open = () => {
    const socket = new zmq.Dealer({ linger: 0, receiveTimeout: 20000 });
    socket.connect(endpoint);
    sockets.push(socket);
    return socket;
  };
  const next = async (worker, at, heartbeat) => {
    for (;;) {
      const frames = await worker.receive();
      if (frames[at][0] !== heartbeat) return frames;
    }
  };
  const old = open(), fresh = open(), worker1 = open(), worker2 = open();
  await worker1.send(['', 'MDPW01', Buffer.from([1]), 'spelled1']);
  await worker2.send(['MDPW02', Buffer.from([1]), 'spelled2']);
  for (const name of ['spelled1', 'spelled2']) {
    do await old.send(['', 'MDPC01', 'mmi.service', name]);
    while ((await old.receive())[3].toString() !== '200');
  }
  await old.send(['', 'MDPC01', 'spelled2', 'one', 'two']);
  let frames = await next(worker2, 1, 5);
  found.push([frames[0].toString(), frames[1][0], frames[3].length, String(frames[4]), String(frames[5])]);
  await worker2.send(['MDPW02', Buffer.from([3]), frames[2], '', 'part']);
  await worker2.send(['MDPW02', Buffer.from([4]), frames[2], '', 'end']);
  found.push((await old.receive()).map(String));
  await fresh.send(['MDPC02', Buffer.from([1]), 'spelled1', 'body']);
  frames = await next(worker1, 2, 4);
  found.push([frames[0].length, String(frames[1]), frames[2][0], frames[4].length, String(frames[5])]);
  await worker1.send(['', 'MDPW01', Buffer.from([3]), frames[3], '', 'end']);
  found.push((await fresh.receive()).map(String));
  const options = Buffer.from('TRP1\x81\xa2id\xa17', 'latin1');
  await fresh.send(['MDPC02', Buffer.from([1]), 'mmi.service', options, 'spelled1']);
  found.push((await fresh.receive()).map((frame) => frame.toString('latin1')));
  for (const [worker, head, ready, heartbeat] of [[worker1, ['', 'MDPW01'], 1, 4], [worker2, ['MDPW02'], 1, 5]]) {
    let beat; // the node's own comes of itself
    do beat = await worker.receive(); while (beat[head.length][0] !== heartbeat);
    await worker.send([...head, Buffer.from([heartbeat])]);
    await worker.send([...head, Buffer.from([ready]), 'again']);
    found.push([beat, await next(worker, head.length, heartbeat)].map((frames) => frames.map(String)));
  }
  for (const socket of sockets) socket.close();
  return found;
};

const [name, endpoint] = process.argv.slice(2);
cases[name](endpoint).then((found) => console.log(JSON.stringify(found)), (error) => {
  console.error(error);
  process.exit(1);
});
