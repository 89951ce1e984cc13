// What changes while one looks: one server-sent event stream a tab (GET /v1/events), whatever a screen wants to hear of.
//
// A topic is a text such as `jobs`, `job:14`, `log:14` or `execution:job-14`. After a break the stream is opened again;
// the server then sends the present state first, and log lines after the last one seen, so nothing is missed. A tab
// that nobody sees holds no stream: browsers allow few connections to one host.
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { reachable, session, urlOf } from './client'

type Handler = (data: any) => void
interface Topic {
  handlers: Set<Handler>
  position: () => string // what follows the topic's name, such as the last line's number
}

const kHiddenMs = 20_000
const kFirstRetryMs = 500
const kLongestRetryMs = 10_000

const topics = new Map<string, Topic>()
let source: EventSource | null = null
let reopening = 0
let retryMs = kFirstRetryMs
let hiddenTimer = 0

export const liveState = signal<'idle' | 'connecting' | 'open' | 'lost'>('idle')
// Counts how often the stream came back after a break: screens read again what no topic tells.
export const returns = signal(0)

function close(): void {
  source?.close()
  source = null
}

function open(): void {
  window.clearTimeout(reopening)
  reopening = 0
  close()
  if (topics.size === 0 || session.value !== 'in' || document.hidden) {
    liveState.value = 'idle'
    return
  }
  const names = [...topics].map(([name, topic]) => name + topic.position())
  const query = names.map((name) => 'topic=' + encodeURIComponent(name)).join('&')
  if (liveState.value !== 'lost') liveState.value = 'connecting'
  const mine = new EventSource(urlOf('/v1/events') + '?' + query)
  source = mine
  mine.onopen = () => {
    if (liveState.value === 'lost') returns.value++
    liveState.value = 'open'
    reachable.value = true
    retryMs = kFirstRetryMs
  }
  mine.addEventListener('topic', (event) => {
    const message = JSON.parse((event as MessageEvent).data)
    const topic = topics.get(message.topic)
    if (topic) for (const handler of [...topic.handlers]) handler(message.data)
  })
  // The server ends the stream when it stops, and there is none when it is away: both come here.
  mine.onerror = () => {
    if (source !== mine) return
    close()
    liveState.value = 'lost'
    void probe()
    reopening = window.setTimeout(open, retryMs)
    retryMs = Math.min(retryMs * 2, kLongestRetryMs)
  }
}

async function probe(): Promise<void> {
  try {
    const answer = await fetch('/v1/session', { headers: { Accept: 'application/json' } })
    reachable.value = true
    if (answer.ok && (await answer.json()).authenticated === false) session.value = 'out'
  } catch {
    reachable.value = false
  }
}

function reopenSoon(): void {
  window.clearTimeout(reopening)
  reopening = window.setTimeout(open, 30)
}

document.addEventListener('visibilitychange', () => {
  window.clearTimeout(hiddenTimer)
  if (document.hidden) {
    hiddenTimer = window.setTimeout(() => {
      close()
      liveState.value = 'idle'
    }, kHiddenMs)
  } else if (!source) open()
})
session.subscribe(() => reopenSoon())

// Hears of a topic while the component is on screen. `handler` may change from drawing to drawing.
export function useLive(name: string | null, handler: Handler, position?: () => string): void {
  useEffect(() => {
    if (!name) return
    let topic = topics.get(name)
    if (!topic) {
      topic = { handlers: new Set(), position: position ?? (() => '') }
      topics.set(name, topic)
      reopenSoon()
    }
    topic.handlers.add(handler)
    return () => {
      topic.handlers.delete(handler)
      if (topic.handlers.size === 0) {
        topics.delete(name)
        reopenSoon()
      }
    }
  })
}
