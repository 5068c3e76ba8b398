// Sends calls of each kind with RudderStack's client for Node, which compresses with gzip.
// Usage: node rudderstack.mjs URL KEY NAME
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { cart, person, twoHoursAgo } from './story.mjs'

const [dataPlaneUrl, writeKey, name] = process.argv.slice(2)
const client = new RudderAnalytics(writeKey, { dataPlaneUrl, flushInterval: 100 })

const userId = `${name}-user`
const anonymousId = `${name}-visitor`
const order = { userId, event: 'Order Completed', properties: { order_id: 7 }, timestamp: twoHoursAgo, messageId: `${name}-order` }
let failed = 0
const sent = (send) => new Promise((resolve) => send((error) => {
  if (error) { failed++; console.error(String(error)) }
  resolve()
}))
await Promise.all([
  sent((done) => client.track({ anonymousId, event: 'Cart Updated', properties: cart }, done)),
  sent((done) => client.identify({ userId, anonymousId, traits: person }, done)),
  sent((done) => client.page({ userId, name: 'Pricing', category: 'Docs', properties: { url: '/pricing' } }, done)),
  sent((done) => client.screen({ userId, name: 'Home', properties: { tab: 1 } }, done)),
  sent((done) => client.group({ userId, groupId: 'acme', traits: { plan: 'pro' } }, done)),
  sent((done) => client.alias({ userId, previousId: `${name}-phone` }, done)),
  sent((done) => client.track(order, done)),
  sent((done) => client.track(order, done)),
  sent((done) => client.flush(done)),
])
process.exit(failed ? 1 : 0)
