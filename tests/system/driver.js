// SPDX-License-Identifier: MIT
// The Node client for test_clients_under_faults.py: driver.js ENDPOINT. Lines as of driver.py.
'use strict';
const readline = require('readline');
const { Client } = require('./troupe_client');

async function main() {
  const client = new Client(process.argv[2]);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [, tool, timeout, retry, body] = /^(\S+) (\d+) (\d) (.*)$/.exec(line);
    try {
      const result = await client.call(tool, JSON.parse(body), { timeout: Number(timeout), retry: retry === '1' });
      console.log(`ok ${JSON.stringify(result)}`);
    } catch (error) {
      console.log(`error ${error.name} ${error.code} ${error.message}`);
    }
  }
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
