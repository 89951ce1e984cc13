// Each screen in both themes and narrow: axe finds nothing, and nothing is wider than the window. With `pictures` also
// a picture of each, wide and narrow, light and dark.
import { readFileSync } from 'node:fs'
import { here, run } from './browser.mjs'

const axe = readFileSync(here('../../../ui/node_modules/axe-core/axe.min.js'), 'utf8')
const kRules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

await run(async ({ enter, screens, pictures }) => {
  const found = []
  const looks = [['light', 1360, true], ['dark', 1360, true], ['light', 390, false]]
  if (pictures) looks.push(['dark', 390, false])
  for (const [theme, width, examine] of looks) {
    const page = await enter({ theme, width, height: width < 500 ? 844 : 860 })
    await page.evaluate(axe)
    for (const [name, path] of Object.entries(screens)) {
      // As a click would: the page itself stays.
      await page.evaluate((to) => {
        history.pushState(null, '', to)
        dispatchEvent(new PopStateEvent('popstate'))
      }, path)
      await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('.skeleton'))
      if (pictures) await page.waitForTimeout(250)
      if (examine) {
        const { violations } = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }), kRules)
        for (const v of violations) found.push(`${name} (${theme}): ${v.id} ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`)
      }
      const wide = await page.evaluate(() => {
        const over = document.documentElement.scrollWidth - document.documentElement.clientWidth
        if (over <= 0) return ''
        const far = [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
        return `${over} pixels wider than the window: ${far.slice(0, 3).map((e) => e.tagName + '.' + e.className).join(' ')}`
      })
      if (wide) found.push(`${name} (${theme}, ${width}): ${wide}`)
      if (pictures) await page.screenshot({ path: `${pictures}/${name}-${width < 500 ? 'narrow' : 'wide'}-${theme}.png` })
    }
    await page.context().close()
  }
  return found
})
