// Sends calls of each kind with Segment's client for Node. Usage: node segment.mjs URL KEY NAME
import { Analytics } from '@segment/analytics-node'
import { cart, person, twoHoursAgo } from './story.mjs'

const [host, writeKey, name] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, maxRetries: 0 })
let failed = 0
analytics.on('error', (e) => { failed++; console.error(e.code, e.reason) })

const userId = `${name}-user`
const anonymousId = `${name}-visitor`
const order = { userId, event: 'Order Completed', properties: { order_id: 7 }, timestamp: twoHoursAgo, messageId: `${name}-order` }
analytics.track({ anonymousId, event: 'Cart Updated', properties: cart })
analytics.identify({ userId, anonymousId, traits: person })
analytics.page({ userId, name: 'Pricing', category: 'Docs', properties: { url: '/pricing' } })
analytics.screen({ userId, name: 'Home', properties: { tab: 1 } })
analytics.group({ userId, groupId: 'acme', traits: { plan: 'pro' } })
analytics.alias({ userId, previousId: `${name}-phone` })
analytics.track(order)
analytics.track(order)
await analytics.closeAndFlush({ timeout: 10_000 })
process.exit(failed ? 1 : 0)
