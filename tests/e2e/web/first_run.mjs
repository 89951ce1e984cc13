// The banner's link, an empty server, the wizard with two new Postgres databases, and the first synced table.
import { run } from './browser.mjs'

async function fill(page, name, configuration) {
  await page.getByRole('button', { name: /PostgreSQL/ }).click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByText(/^More settings/).click()
  for (const [label, value] of Object.entries(configuration)) await page.getByLabel(label, { exact: true }).fill(String(value))
  await page.getByRole('button', { name: 'Save and test' }).click()
}

await run(async ({ link, open, pg }) => {
  const page = await open()
  await page.goto(link)
  await page.getByRole('heading', { name: 'Welcome to Millrace' }).waitFor()
  const ways = await page.locator('.way').count()
  await page.getByRole('link', { name: 'Start the wizard' }).click()
  await fill(page, 'shop', { Host: pg.host, Port: pg.port, 'Database name': 'shop', Username: 'postgres' })
  await page.locator('.steps [aria-current=step]', { hasText: 'Destination' }).waitFor()
  await fill(page, 'mirror', { Host: pg.host, Port: pg.port, 'Database name': 'mirror', Username: 'postgres', 'Default schema': 'by_hand' })
  await page.getByRole('checkbox', { name: 'public.orders', exact: true }).waitFor()
  await page.getByRole('checkbox', { name: 'public.customers', exact: true }).uncheck()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.locator('.yaml', { hasText: 'kind: Connection' }).waitFor()
  await page.getByRole('button', { name: 'Create and sync' }).click()
  await page.locator('.lead [data-status=succeeded]').waitFor()
  const rows = await page.locator('.figure-value').first().innerText()
  // The link works once.
  const other = await open({ allow: ['401'] })
  await other.goto(link)
  await other.getByText('auth.code_invalid').waitFor()
  return { ways, rows, url: page.url() }
})
