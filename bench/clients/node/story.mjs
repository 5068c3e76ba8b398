// What every client sends: values that are easily changed on the way.
export const cart = {
  cart_id: 'A-1',
  value: 30.5,
  quantity: 3,
  largest: Number.MAX_SAFE_INTEGER,
  title: 'Grüße aus 東京 🛒 "zitiert"\n\\',
  gift: true,
  items: [{ sku: 'S1', price: 9.99 }, { sku: '', price: -1 }],
}
export const person = { email: 'zoe@example.com', name: 'Zoë Müller', age: 41, address: { city: 'Łódź' } }
export const twoHoursAgo = new Date(Date.now() - 2 * 3600 * 1000)
