// Live progress without a reload; the server is killed and started again under the open page, which goes on by itself.
import { createInterface } from 'node:readline'
import { run, until } from './browser.mjs'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const ask = async (what) => {
  console.log(JSON.stringify({ ask: what }))
  await lines.next()
}

await run(async ({ enter, url, jobId }) => {
  const page = await enter({ allow: ['ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'ERR_EMPTY_RESPONSE', 'ERR_CONNECTION_RESET', '503'] })
  await page.goto(`${url}/jobs/${jobId}`)
  const read = async () => Number(((await page.locator('.figure-more').first().innerText()).match(/([\d,]+) read/)?.[1] ?? '0').replace(/,/g, ''))
  const first = await until(async () => await read(), 'rows are read')
  const second = await until(async () => {
    const now = await read()
    return now > first && now
  }, 'more rows are read, without a reload')
  await ask('kill')
  await page.locator('.away').waitFor()
  await ask('start')
  await page.locator('.away').waitFor({ state: 'detached' })
  await page.locator('.live.open').waitFor()
  await until(async () => (await read()) > 0, 'the job is seen to go on')
  // Its log has each line once.
  await page.getByRole('link', { name: 'Log', exact: true }).click()
  await page.locator('.log-line').first().waitFor()
  const log = await page.locator('.log-line').evaluateAll((all) => all.map((line) => line.id))
  // Cancelled from here.
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Cancel the job' }).click()
  await page.locator('.lead [data-status=cancelled]').waitFor()
  lines.return?.()
  return { first, second, lines: log.length, unique: new Set(log).size }
})
process.exit(0)
