#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Parses a source file with a node's code_parse tool and prints its tree.
//
//     npm install        (once, in this folder)
//     node parse.js FILE [ENDPOINT]
'use strict';
const fs = require('fs');
const path = require('path');
const { Client } = require('./troupe_client');

async function main() {
  const [file, endpoint = 'tcp://127.0.0.1:5555'] = process.argv.slice(2);
  if (!file) {
    console.error('usage: node parse.js FILE [ENDPOINT]');
    process.exit(2);
  }
  const client = new Client(endpoint);
  try {
    const body = { filename: path.basename(file), code: fs.readFileSync(file, 'utf8') };
    const tree = await client.call('code_parse', body, { timeout: 10000 });
    console.log(tree.root);
    console.error(`${tree.language}: ${tree.node_count} nodes`);
  } finally {
    client.close();
  }
}

main().catch((error) => {
  console.error(`parse.js: ${error.message}`);
  process.exit(1);
});
