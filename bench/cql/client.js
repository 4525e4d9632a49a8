#!/usr/bin/env node
// Prepared single-partition reads or writes through npm's cassandra-driver, with many in flight.
//
// A client of bench/cql/run: README.md there says what its arguments are and what it prints.
'use strict';

const { parseArgs } = require('util');
const cassandra = require('cassandra-driver');

// A prime, so that neighbouring requests are for rows that are far from each other.
const STRIDE = 7919;

// The command line that all clients understand.
function readArguments() {
  const options = {};
  for (const name of ['hosts', 'port', 'table', 'kind', 'depth', 'requests', 'warm-up', 'rows']) {
    options[name] = { type: 'string' };
  }
  const { values } = parseArgs({ options });
  for (const name of ['port', 'depth', 'requests', 'warm-up', 'rows']) {
    values[name] = Number(values[name]);
  }
  return values;
}

// One connection to each host, without compression.
function connect(options) {
  const { BTM_CASSANDRA_USER: user, BTM_CASSANDRA_PASSWORD: password } = process.env;
  return new cassandra.Client({
    contactPoints: options.hosts.split(','),
    localDataCenter: 'datacenter1',
    protocolOptions: { port: options.port, maxVersion: 4 },
    encoding: { useBigIntAsLong: true },
    authProvider: user ? new cassandra.auth.PlainTextAuthProvider(user, password) : undefined,
  });
}

// Those of each request, made before the clock starts.
function parameters(options, count) {
  return Array.from({ length: count }, (_, number) => {
    const key = (number * STRIDE) % options.rows;
    return options.kind === 'read' ? [key] : [key, `value ${String(key).padStart(34, '0')}`, BigInt(key * 3)];
  });
}

// All requests; their rows in order.
async function run(client, statement, requests, depth) {
  const rows = new Array(requests.length);
  let next = 0;
  const worker = async () => {
    while (next < requests.length) {
      const number = next++;
      rows[number] = (await client.execute(statement, requests[number], { prepare: true })).first();
    }
  };
  await Promise.all(Array.from({ length: depth }, worker));
  return rows;
}

async function main() {
  const options = readArguments();
  const client = connect(options);
  await client.connect();
  const statement = options.kind === 'read'
    ? `SELECT v, n FROM ${options.table} WHERE id = ?`
    : `INSERT INTO ${options.table} (id, v, n) VALUES (?, ?, ?)`;
  await run(client, statement, parameters(options, options['warm-up']), options.depth);
  const requests = parameters(options, options.requests);
  const processor = process.cpuUsage();
  const start = process.hrtime.bigint();
  const rows = await run(client, statement, requests, options.depth);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(processor);
  if (options.kind === 'read' && rows.some((row, number) => row.n !== BigInt(requests[number][0] * 3))) {
    throw new Error('a row is not what was loaded');
  }
  console.log('kind,depth,requests,seconds,requests_per_second,cpu_seconds');
  console.log([options.kind, options.depth, options.requests, seconds.toFixed(4),
    (options.requests / seconds).toFixed(0), ((used.user + used.system) / 1e6).toFixed(4)].join(','));
  await client.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
