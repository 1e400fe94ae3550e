// SPDX-License-Identifier: MIT
// Node child_process: request/reply over the IPC channel of fork().
// usage: node ipc.js SIZE WINDOW N
'use strict';
const { fork } = require('child_process');
if (process.argv[2] === 'child') {
  process.on('message', (m) => process.send(m));
  process.on('disconnect', () => process.exit(0));
} else {
  const [size, window, n] = process.argv.slice(2).map(Number);
  const body = 'x'.repeat(size), warm = 1000, v = [];
  const c = fork(__filename, ['child']);
  const now = () => Number(process.hrtime.bigint());
  let sent = 0, got = 0, t0 = 0;
  const send = () => { sent++; c.send({ t: now(), b: body }); };
  c.on('message', (m) => {
    const x = now();
    if (got === warm) t0 = x;
    if (got++ >= warm) v.push(x - m.t);
    if (sent < n + warm) send();
    else if (got === n + warm) {
      console.log(`ipc ${((n - 1) * 1e9 / (now() - t0)).toFixed(1)} round_trips/s`);
      v.sort((a, b) => a - b);
      for (const [k, f] of [['p50', 0.5], ['p99', 0.99], ['p99.9', 0.999]])
        console.log(`ipc.${k} ${v[Math.floor(v.length * f)]} ns`);
      c.disconnect();
    }
  });
  for (let i = 0; i < window; i++) send();
}
