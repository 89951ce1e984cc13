// Keys that work everywhere: Ctrl+K, /, ?, and g followed by a letter.
import { navigate } from '../router'
import { helpOpen } from './help'
import { paletteOpen } from './palette'

export const kGoto: [key: string, href: string, text: string][] = [
  ['h', '/', 'Home'],
  ['c', '/connections', 'Connections'],
  ['s', '/sources', 'Sources'],
  ['d', '/destinations', 'Destinations'],
  ['j', '/jobs', 'Jobs'],
  ['e', '/executions', 'Executions'],
  ['l', '/schedules', 'Schedules'],
  ['t', '/settings', 'Settings'],
  ['r', '/reference', 'API reference'],
]

let waitsForGoto = 0
let started = false

export function startKeys(): void {
  if (started) return
  started = true
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      paletteOpen.value = !paletteOpen.value
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target as HTMLElement
    if (target.closest('input, textarea, select, [contenteditable]') || document.querySelector('dialog[open]')) return
    if (waitsForGoto) {
      window.clearTimeout(waitsForGoto)
      waitsForGoto = 0
      const found = kGoto.find(([key]) => key === event.key)
      if (found) {
        event.preventDefault()
        navigate(found[1])
      }
      return
    }
    if (event.key === 'g') waitsForGoto = window.setTimeout(() => (waitsForGoto = 0), 1200)
    else if (event.key === '?') helpOpen.value = true
    else if (event.key === '/') {
      const box = document.querySelector<HTMLInputElement>('[data-search]')
      if (box) box.focus()
      else paletteOpen.value = true
    } else return
    event.preventDefault()
  })
}
