// Sends one call of each kind with Segment's client for Node. Usage: node segment.mjs URL KEY NAME
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, name] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, maxRetries: 0 })
let failed = 0
analytics.on('error', (e) => { failed++; console.error(e.code, e.reason) })
analytics.on('http_request', () => {})

const userId = `${name}-user`
const anonymousId = `${name}-visitor`
analytics.track({ anonymousId, event: 'Cart Updated', properties: { cart_id: 'A', value: 30 } })
analytics.identify({ userId, anonymousId, traits: { email: 'ann@example.com' } })
analytics.page({ userId, name: 'Pricing', category: 'Docs', properties: { url: '/pricing' } })
analytics.screen({ userId, name: 'Home' })
analytics.group({ userId, groupId: 'acme', traits: { plan: 'pro' } })
analytics.alias({ userId, previousId: `${name}-phone` })
analytics.track({ userId, event: 'Order Completed', timestamp: new Date() })
await analytics.closeAndFlush({ timeout: 10_000 })
process.exit(failed ? 1 : 0)
