// Opens a page in Chromium and lets it send its calls; then prints what the page said and
// leaves it open until its standard input ends. Usage: node page.mjs CHROMIUM URL story|leave
import { chromium } from 'playwright-core'

const [executablePath, url, what] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
})
try {
  const page = await browser.newPage()
  const errors = []
  const asked = new Set()
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => asked.add(new URL(request.url()).host))
  await page.goto(url)
  await page.waitForFunction(() => window.story)
  let failures = []
  if (what === 'leave') {
    await Promise.all([page.waitForEvent('load'), page.evaluate(() => window.leave())])
    await page.waitForFunction(() => window.story)
  } else {
    failures = await page.evaluate(() => window.story())
  }
  console.log(JSON.stringify({ failures, errors, asked: [...asked] }))
  await new Promise((resolve) => process.stdin.on('end', resolve).resume())
} finally {
  await browser.close()
}
process.exit(0)
