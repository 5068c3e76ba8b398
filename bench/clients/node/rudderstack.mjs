// Sends one call of each kind with RudderStack's client for Node, which compresses with gzip.
// Usage: node rudderstack.mjs URL KEY NAME
import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const [dataPlaneUrl, writeKey, name] = process.argv.slice(2)
const client = new RudderAnalytics(writeKey, { dataPlaneUrl, gzip: true, flushInterval: 100 })

const userId = `${name}-user`
const anonymousId = `${name}-visitor`
let failed = 0
const sent = (send) => new Promise((resolve) => send((error) => {
  if (error) { failed++; console.error(String(error)) }
  resolve()
}))
await Promise.all([
  sent((done) => client.track({ anonymousId, event: 'Cart Updated', properties: { cart_id: 'A', value: 30 } }, done)),
  sent((done) => client.identify({ userId, anonymousId, traits: { email: 'ann@example.com' } }, done)),
  sent((done) => client.page({ userId, name: 'Pricing', properties: { url: '/pricing' } }, done)),
  sent((done) => client.screen({ userId, name: 'Home' }, done)),
  sent((done) => client.group({ userId, groupId: 'acme', traits: { plan: 'pro' } }, done)),
  sent((done) => client.alias({ userId, previousId: `${name}-phone` }, done)),
  sent((done) => client.track({ userId, event: 'Order Completed', timestamp: new Date() }, done)),
  sent((done) => client.flush(done)),
])
process.exit(failed ? 1 : 0)
