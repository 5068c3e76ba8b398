// Reads and writes with @clickhouse/client as shipped: only host, user and password are set.
// With an argument it reads the rows of that customer in a nudged; without one it writes to a
// clickhoused that serves alone, and reads what it wrote.
import assert from 'node:assert'
import { createClient } from '@clickhouse/client'

const url = `http://${process.env.CLICKHOUSE_ADDRESS}`
const client = (username, password, more) =>
  createClient({ url, username, password: process.env[password], ...more })

const customer = process.argv[2]
if (customer) {
  await readRows(customer)
  console.log('ok')
  process.exit(0)
}

const owner = client('default', 'CLICKHOUSE_OWNER_PASSWORD')
await owner.command({ query: 'CREATE DATABASE IF NOT EXISTS nudge' })
await owner.command({
  query: 'CREATE OR REPLACE TABLE nudge.node (n UInt64, s String) ENGINE = MergeTree ORDER BY n',
})
for (const compression of [
  {},
  { compression: { request: true, response: true } },
  { compression: { request: { method: 'zstd' }, response: { method: 'zstd' } } },
]) {
  let writer, reader
  try {
    writer = client('default', 'CLICKHOUSE_OWNER_PASSWORD', { database: 'nudge', ...compression })
    reader = client('reader', 'CLICKHOUSE_READER_PASSWORD', { database: 'nudge', ...compression })
  } catch (error) {
    console.log(`not of this client: ${JSON.stringify(compression)}: ${error.message}`)
    continue
  }
  await writer.insert({
    table: 'node',
    values: Array.from({ length: 1000 }, (_, n) => ({ n, s: 'x'.repeat(100) })),
    format: 'JSONEachRow',
  })
  const rows = await reader.query({
    query: 'SELECT uniqExact(n) AS found FROM node WHERE n >= {low: UInt64}',
    query_params: { low: 500 },
    format: 'JSONEachRow',
  })
  assert.equal((await rows.json())[0].found, '500')
  await assert.rejects(
    reader.insert({ table: 'node', values: [{ n: 1, s: 'x' }], format: 'JSONEachRow' }),
    (error) => error.code === '497',
  )
  await writer.close()
  await reader.close()
}
await readTypes()
const session = client('default', 'CLICKHOUSE_OWNER_PASSWORD', { session_id: 'node' })
await session.command({ query: 'CREATE TEMPORARY TABLE kept (a UInt8)' })
await session.insert({ table: 'kept', values: [{ a: 7 }], format: 'JSONEachRow' })
const kept = await session.query({ query: 'SELECT a FROM kept', format: 'JSONEachRow' })
assert.equal((await kept.json())[0].a, 7)
await session.close()
await owner.close()
console.log('ok')

// readTypes wants each type as the client has it.
async function readTypes() {
  const reader = client('reader', 'CLICKHOUSE_READER_PASSWORD')
  const rows = await reader.query({
    query: `SELECT {text: String} AS text, toInt8(-7) AS small, 18446744073709551615::UInt64 AS large, 0.25::Float64 AS part,
      true AS flag, null::Nullable(String) AS nothing, [1, 2]::Array(UInt8) AS list, map('ü', 1)::Map(String, UInt8) AS names,
      '12345678901.234567'::Decimal(18, 6)::String AS amount, toDateTime64('2026-03-29 01:30:00.125', 3, 'UTC') AS at`,
    query_params: { text: 'Łódź "東京"\n\\ it\'s' },
    format: 'JSONEachRow',
  })
  assert.deepEqual(await rows.json(), [{
    text: 'Łódź "東京"\n\\ it\'s', small: -7, large: '18446744073709551615', part: 0.25, flag: true, nothing: null,
    list: [1, 2], names: { ü: 1 }, amount: '12345678901.234567', at: '2026-03-29 01:30:00.125',
  }])
  const stream = await reader.query({
    query: 'SELECT number, toString(number) AS s FROM numbers(200000)', format: 'JSONCompactEachRow',
  })
  let found = 0
  for await (const part of stream.stream()) {
    for (const row of part) {
      assert.equal(row.json()[1], String(found++))
    }
  }
  assert.equal(found, 200000)
  await assert.rejects(reader.query({ query: 'SELECT nothing FROM nowhere' }), (error) => error.code === '60')
  await reader.close()
}

// readRows wants the row of a cart that another client sent.
async function readRows(customer) {
  const reader = client('reader', 'CLICKHOUSE_READER_PASSWORD', { database: 'nudge', compression: { response: true } })
  const result = await reader.query({
    query: 'SELECT event, properties, event_time, received_at >= event_time AS later FROM events ' +
      "WHERE customer = {customer: String} AND type = 'track'",
    query_params: { customer },
    format: 'JSONEachRow',
  })
  const [row] = await result.json()
  assert.equal(row.event, 'Cart Updated')
  assert.equal(JSON.parse(row.properties).title, 'Grüße aus 東京 🛒 "zitiert"\n\\')
  assert.equal(row.later, 1)
  assert.ok(Math.abs(new Date(row.event_time.replace(' ', 'T') + 'Z') - Date.now()) < 600_000, row.event_time)
  await assert.rejects(
    reader.insert({ table: 'events', values: [{ customer }], format: 'JSONEachRow' }),
    (error) => error.code === '497',
  )
  await assert.rejects(reader.command({ query: 'DROP TABLE events' }), (error) => error.code === '497')
  await reader.close()
}
