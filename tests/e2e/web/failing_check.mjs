// A source whose database is not there: the test says so in the server's words, with the remedy and the code's page.
import { run } from './browser.mjs'

await run(async ({ enter, url, pg }) => {
  const page = await enter()
  await page.goto(`${url}/sources/new?connector=postgres`)
  await page.getByLabel('Name', { exact: true }).fill('no-such')
  for (const [label, value] of Object.entries({ Host: pg.host, Port: pg.port, 'Database name': 'nowhere', Username: 'postgres' })) await page.getByLabel(label, { exact: true }).fill(String(value))
  await page.getByRole('button', { name: 'Save and test' }).click()
  const problem = page.getByRole('alert')
  await problem.waitFor()
  const words = await problem.innerText()
  await problem.getByRole('link', { name: 'postgres.database_missing' }).click()
  await page.getByRole('heading', { name: 'postgres.database_missing' }).waitFor()
  return { words, page: await page.locator('.doc').innerText() }
})
