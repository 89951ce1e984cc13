// How numbers, sizes and times are said. Units always; the exact value is in the title.
import { signal } from '@preact/signals'

export const utc = signal(localStorage.getItem('millrace.utc') === '1')
export const now = signal(Date.now())
setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)

const whole = new Intl.NumberFormat('en')
export const count = (n: number) => whole.format(n)

export function short(n: number): string {
  if (n < 10_000) return whole.format(Math.round(n))
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (n >= size) return (n / size).toFixed(n / size >= 100 ? 0 : 1) + ' ' + unit
  }
  return String(n)
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  const units = ['kB', 'MB', 'GB', 'TB', 'PB']
  let value = n
  let unit = -1
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = ms / 1000
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`
  const m = Math.floor(s / 60)
  if (m < 60) return `${m} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`
  const h = Math.floor(m / 60)
  if (h < 48) return `${h} h ${String(m % 60).padStart(2, '0')} min`
  return `${Math.floor(h / 24)} d ${h % 24} h`
}

export function relative(time: number, from: number): string {
  const s = Math.round((from - time) / 1000)
  const say = (text: string) => (s >= 0 ? `${text} ago` : `in ${text}`)
  const a = Math.abs(s)
  if (a < 5) return s >= 0 ? 'just now' : 'now'
  if (a < 60) return say(`${a} s`)
  if (a < 3600) return say(`${Math.floor(a / 60)} min`)
  if (a < 172_800) return say(`${Math.floor(a / 3600)} h`)
  return say(`${Math.floor(a / 86_400)} d`)
}

const two = (n: number) => String(n).padStart(2, '0')
export function exact(time: number, withMs = false): string {
  const d = new Date(time)
  const u = utc.value
  const date = u ? [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate()] : [d.getFullYear(), d.getMonth() + 1, d.getDate()]
  const clock = u ? [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()] : [d.getHours(), d.getMinutes(), d.getSeconds()]
  const ms = withMs ? '.' + String(d.getUTCMilliseconds()).padStart(3, '0') : ''
  return `${date[0]}-${two(date[1])}-${two(date[2])} ${clock.map(two).join(':')}${ms}${u ? ' UTC' : ''}`
}
export function clockTime(time: number): string {
  return exact(time, true).slice(11)
}

export const millis = (text: string | null | undefined) => (text ? Date.parse(text) : NaN)
export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`
export const streamName = (s: { namespace?: string; name: string }) => (s.namespace ? s.namespace + '.' : '') + s.name

const kModes: Record<string, string> = {
  full_refresh_overwrite: 'Full refresh · overwrite',
  full_refresh_append: 'Full refresh · append',
  full_refresh_overwrite_deduped: 'Full refresh · overwrite, deduplicated',
  incremental_append: 'Incremental · append',
  incremental_deduped_history: 'Incremental · deduplicated',
}
export const modeName = (mode: string) => kModes[mode] ?? mode

export function scheduleText(s: { scheduleType: string; cronExpression?: string; cronTimeZone?: string; basicTiming?: string } | undefined): string {
  if (!s || s.scheduleType === 'manual') return 'Manual'
  if (s.scheduleType === 'basic') return s.basicTiming ?? 'Basic'
  if (s.scheduleType === 'continuous') return 'Continuous'
  return `${s.cronExpression ?? ''}${s.cronTimeZone ? ' · ' + s.cronTimeZone : ''}`
}
