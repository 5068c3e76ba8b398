// Reads and writes with @clickhouse/client as shipped: only host, user and password are set.
import assert from 'node:assert'
import { createClient } from '@clickhouse/client'

const url = `http://${process.env.CLICKHOUSE_ADDRESS}`
const client = (username, password, more) =>
  createClient({ url, username, password: process.env[password], ...more })

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
const session = client('default', 'CLICKHOUSE_OWNER_PASSWORD', { session_id: 'node' })
await session.command({ query: 'CREATE TEMPORARY TABLE kept (a UInt8)' })
await session.insert({ table: 'kept', values: [{ a: 7 }], format: 'JSONEachRow' })
const kept = await session.query({ query: 'SELECT a FROM kept', format: 'JSONEachRow' })
assert.equal((await kept.json())[0].a, 7)
await session.close()
await owner.close()
console.log('ok')
