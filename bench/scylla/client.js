#!/usr/bin/env node
// The cases through npm's cassandra-driver, stitched together in the application; related rows come from PostgreSQL.
//
// A client of bench/scylla/run: README.md there says what its arguments are and what it prints. The numbers are those
// of work.py.
'use strict';

const { parseArgs } = require('util');
const cassandra = require('cassandra-driver');
const postgres = require('pg');

const PARENTS = 20000;
const RELATED = 8;
const ROLES = 10000;
const ROWS = 1000000;
const PARENT_STRIDE = 7919;
const ROLE_STRIDE = 1237;
const EAGER = 1000;
const READS = 500;
const LIST = { attach_1000: 1000, attach_50000: 50000, sync_1000: 1000, toggle_100: 100 };

const DEPTH = 256; // requests in flight
const BATCH = 500; // statements of a batch
const BATCHES = 16; // batches in flight

const PARTITION = 'SELECT user_id, role_id, status, level FROM role_user WHERE user_id = ?';
const IDS = 'SELECT role_id FROM role_user WHERE user_id = ?';
const INSERT = 'INSERT INTO role_user (user_id, role_id) VALUES (?, ?)';
const DELETE = 'DELETE FROM role_user WHERE user_id = ? AND role_id = ?';

// The command line that all clients understand.
function readArguments() {
  const options = { variant: { type: 'string', default: 'batch' } };
  for (const name of ['hosts', 'port', 'case', 'repeat', 'warm-up', 'base']) {
    options[name] = { type: 'string' };
  }
  const { values } = parseArgs({ options });
  for (const name of ['port', 'repeat', 'warm-up', 'base']) {
    values[name] = Number(values[name]);
  }
  return values;
}

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

function parentsOf(turn, count) {
  return Array.from({ length: count }, (_, i) => ((turn * count + i) * PARENT_STRIDE) % PARENTS + 1);
}

function levelsOf(parents) {
  let sum = 0;
  for (const parent of parents) {
    for (let i = 0; i < RELATED; i++) {
      sum += (parent + ((parent * RELATED + i) * ROLE_STRIDE) % ROLES + 1) % 10;
    }
  }
  return sum;
}

const before = (name) => ({ sync_1000: range(1, 1000), toggle_100: range(1, 50) })[name] || [];
const given = (name) => (name === 'sync_1000' ? range(101, 1100) : range(1, LIST[name]));
const after = (name) => (name === 'toggle_100' ? range(51, 100) : given(name));

class Client {
  constructor(options) {
    this.batched = options.variant === 'batch';
    this.cluster = new cassandra.Client({
      contactPoints: options.hosts.split(','),
      localDataCenter: 'datacenter1',
      keyspace: 'bench',
      protocolOptions: { port: options.port, maxVersion: 4 },
      encoding: { useBigIntAsLong: true },
    });
    this.postgres = new postgres.Client({ host: process.env.PGHOST, database: process.env.PGDATABASE });
  }

  async connect() {
    await this.cluster.connect();
    await this.postgres.connect();
  }

  async shutdown() {
    await this.cluster.shutdown();
    await this.postgres.end();
  }

  execute(statement, values) {
    return this.cluster.execute(statement, values.map(BigInt), { prepare: true });
  }

  // Runs action for each of a list, `depth` at a time; the results in order.
  async concurrently(list, depth, action) {
    const results = new Array(list.length);
    let next = 0;
    const worker = async () => {
      while (next < list.length) {
        const number = next++;
        results[number] = await action(list[number]);
      }
    };
    await Promise.all(Array.from({ length: Math.min(depth, list.length) }, worker));
    return results;
  }

  // For each parent its roles with their pivot row.
  async eager(parents) {
    const answers = await this.concurrently(parents, DEPTH, (parent) => this.execute(PARTITION, [parent]));
    const wanted = new Set();
    for (const { rows } of answers) {
      for (const row of rows) {
        wanted.add(Number(row.role_id));
      }
    }
    const found = await this.postgres.query({
      name: 'roles',
      text: 'SELECT id, name, description FROM roles WHERE id = ANY ($1::bigint[])',
      values: [[...wanted]],
    });
    const roles = new Map(found.rows.map((role) => [Number(role.id), role]));
    const results = new Map();
    parents.forEach((parent, i) => {
      results.set(parent, answers[i].rows.map((row) => ({ ...roles.get(Number(row.role_id)), pivot: { ...row } })));
    });
    return results;
  }

  // The number of rows, and the sum of a column.
  async scan() {
    let count = 0;
    let total = 0;
    for await (const row of this.cluster.stream('SELECT id, v, n FROM bench.rows', [], { prepare: true, fetchSize: 5000, autoPage: true })) {
      count += 1;
      total += Number(row.n);
    }
    return [count, total];
  }

  // Inserts and deletes pairs.
  async apply(parent, added, gone) {
    const writes = [...added.map((role) => ({ query: INSERT, params: [BigInt(parent), BigInt(role)] })),
      ...gone.map((role) => ({ query: DELETE, params: [BigInt(parent), BigInt(role)] }))];
    if (!this.batched) {
      await this.concurrently(writes, DEPTH, ({ query, params }) => this.execute(query, params));
      return;
    }
    const batches = [];
    for (let first = 0; first < writes.length; first += BATCH) {
      batches.push(writes.slice(first, first + BATCH));
    }
    await this.concurrently(batches, BATCHES, (batch) => this.cluster.batch(batch, { prepare: true, logged: false }));
  }

  async ids(parent) {
    const ids = [];
    const result = await this.cluster.execute(IDS, [BigInt(parent)], { prepare: true, fetchSize: 100000 });
    for (const row of result.rows) {
      ids.push(Number(row.role_id));
    }
    return ids;
  }

  // attach, sync or toggle: a look at what is there, and then the difference.
  async write(name, parent, list) {
    const there = new Set(await this.ids(parent));
    const wanted = new Set(list);
    let gone = [];
    if (name === 'sync_1000') {
      gone = [...there].filter((role) => !wanted.has(role));
    } else if (name === 'toggle_100') {
      gone = [...there].filter((role) => wanted.has(role));
    }
    await this.apply(parent, list.filter((role) => !there.has(role)), gone);
  }
}

async function measure(action) {
  const processor = process.cpuUsage();
  const start = process.hrtime.bigint();
  const result = await action();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(processor);
  return { result, seconds, processor: (used.user + used.system) / 1e6 };
}

// One turn of a case: its seconds and processor time; fails if the result is not right.
async function turnOf(client, options, turn) {
  const name = options.case;
  let measured;
  let right;
  if (name === 'eager') {
    const parents = parentsOf(turn, EAGER);
    measured = await measure(() => client.eager(parents));
    let sum = 0;
    for (const rows of measured.result.values()) {
      rows.forEach((row) => { sum += row.pivot.level; });
    }
    right = sum === levelsOf(parents);
  } else if (name === 'partition') {
    const parents = parentsOf(turn, READS);
    measured = await measure(async () => {
      const results = [];
      for (const parent of parents) {
        results.push((await client.execute(PARTITION, [parent])).rows);
      }
      return results;
    });
    right = measured.result.flat().reduce((sum, row) => sum + row.level, 0) === levelsOf(parents);
  } else if (name === 'scan') {
    measured = await measure(() => client.scan());
    right = measured.result[0] === ROWS && measured.result[1] === (ROWS * (ROWS + 1)) / 2;
  } else {
    const parent = options.base + turn;
    await client.apply(parent, before(name), []);
    measured = await measure(() => client.write(name, parent, given(name)));
    right = JSON.stringify(await client.ids(parent)) === JSON.stringify(after(name));
  }
  if (!right) {
    throw new Error(`${name}: the result is not right`);
  }
  return measured;
}

async function main() {
  const options = readArguments();
  const client = new Client(options);
  await client.connect();
  console.log('case,variant,repeat,seconds,cpu_seconds');
  for (let turn = 0; turn < options['warm-up'] + options.repeat; turn++) {
    const { seconds, processor } = await turnOf(client, options, turn);
    if (turn >= options['warm-up']) {
      console.log([options.case, options.variant, turn, seconds.toFixed(6), processor.toFixed(6)].join(','));
    }
  }
  await client.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
