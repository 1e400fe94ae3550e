#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A worker of the tool `upper`: {"text": ...} in capitals, word by word as partial answers.
//
//     node upper.js [ENDPOINT]
'use strict';
const { Worker } = require('./troupe_client');

async function* upper(body) {
  const words = body.text.split(/\s+/).map((word) => word.toUpperCase());
  yield* words;
  return { text: words.join(' ') };
}

const worker = new Worker(process.argv[2] ?? 'tcp://127.0.0.1:5555', 'upper', upper);
process.on('SIGTERM', () => worker.stop());
process.on('SIGINT', () => worker.stop());
