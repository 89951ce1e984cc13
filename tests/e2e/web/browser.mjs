// A headless Chromium on the web UI of one server, watched: no error on the console, no request to another host.
//   node SCENARIO.mjs '{"url": …, "link": …, …}'      what the scenario returns is printed as one line of JSON
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from '../../../ui/node_modules/playwright-core/index.mjs'

const kExecutables = [process.env.CHROMIUM, '/usr/bin/chromium'].filter(Boolean)
export const kTimeout = 30_000

export async function run(scenario) {
  const given = JSON.parse(process.argv[2])
  const browser = await chromium.launch({
    executablePath: kExecutables.find((path) => existsSync(path)),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const faults = []
  // `allow`: what the console may say, since the scenario provokes it.
  const open = async ({ theme = 'light', width = 1360, height = 900, allow = [] } = {}) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
    context.setDefaultTimeout(kTimeout)
    const page = await context.newPage()
    page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error' && !allow.some((text) => message.text().includes(text))) faults.push(`console: ${message.text()} (${page.url()})`)
    })
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol !== 'blob:' && url.origin !== given.url) faults.push(`a request to ${url.origin}`)
    })
    return page
  }
  // Logs in with a token; a page of its own.
  const enter = async (options) => {
    const page = await open(options)
    await page.goto(`${given.url}/login`)
    await page.getByLabel('Token').fill(given.token)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('.sidebar').waitFor({ state: 'attached' })
    return page
  }
  try {
    const result = await scenario({ ...given, browser, open, enter })
    console.log(JSON.stringify({ result: result ?? null, faults }))
  } catch (error) {
    const pages = browser.contexts().flatMap((c) => c.pages())
    const seen = pages.length ? await pages[0].locator('body').innerText().catch(() => '') : ''
    console.log(JSON.stringify({ error: `${error.message}\n--- ${pages[0]?.url()}\n${seen.slice(0, 3000)}`, faults }))
  } finally {
    await browser.close()
  }
}

// Waits until `look` gives something else than false, null or undefined.
export async function until(look, what, ms = kTimeout) {
  const end = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

export const here = (name) => fileURLToPath(new URL(name, import.meta.url))
