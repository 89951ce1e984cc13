// Reading: a small cache over the client. A screen shows what was there at once, then what is there now.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Problem, reachable } from './client'
import { returns } from './live'

interface Entry {
  data: unknown
  at: number
}

const kMostEntries = 200
const cache = new Map<string, Entry>()
const watchers = new Map<string, Set<() => void>>()

function store(key: string, data: unknown): void {
  cache.delete(key)
  cache.set(key, { data, at: Date.now() })
  for (const old of cache.keys()) {
    if (cache.size <= kMostEntries) break
    if (!watchers.has(old)) cache.delete(old)
  }
  for (const tell of watchers.get(key) ?? []) tell()
}

// Forgets what was read under keys that begin so; what is on screen is read again.
const refetchers = new Map<string, Set<() => void>>()
export function invalidate(...prefixes: string[]): void {
  for (const key of [...cache.keys()]) if (prefixes.some((p) => key.startsWith(p))) cache.delete(key)
  for (const [key, all] of refetchers) if (prefixes.some((p) => key.startsWith(p))) for (const again of [...all]) again()
}

// The same for one key and no other: what was read of a thing that is gone is not asked for again.
export function refresh(key: string): void {
  cache.delete(key)
  for (const again of [...(refetchers.get(key) ?? [])]) again()
}

export function patchCache<T>(key: string, change: (data: T) => T): void {
  const entry = cache.get(key)
  if (entry) store(key, change(entry.data as T))
}
export function putCache(key: string, data: unknown): void {
  store(key, data)
}

export interface Query<T> {
  data: T | undefined
  error: Problem | undefined
  loading: boolean
  reload: () => void
}

function add(map: Map<string, Set<() => void>>, key: string, f: () => void): () => void {
  let set = map.get(key)
  if (!set) map.set(key, (set = new Set()))
  set.add(f)
  return () => {
    set.delete(f)
    if (set.size === 0) map.delete(key)
  }
}

// key null: asks nothing.
export function useQuery<T>(key: string | null, read: () => Promise<T>): Query<T> {
  const [, redraw] = useState(0)
  const error = useRef<Problem | undefined>(undefined)
  const busy = useRef(false)
  const current = useRef(key)
  const reader = useRef(read)
  reader.current = read
  if (current.current !== key) {
    current.current = key
    error.current = undefined
  }
  const load = () => {
    if (key === null) return
    busy.current = true
    redraw((n) => n + 1)
    reader
      .current()
      .then(
        (data) => {
          if (current.current === key) error.current = undefined
          store(key, data)
        },
        (cause) => {
          if (current.current !== key) return
          error.current = cause instanceof Problem ? cause : new Problem({ title: 'this page failed', detail: String(cause) })
        },
      )
      .finally(() => {
        if (current.current !== key) return
        busy.current = false
        redraw((n) => n + 1)
      })
  }
  useEffect(() => {
    if (key === null) return
    const stopWatching = add(watchers, key, () => redraw((n) => n + 1))
    const stopRefetching = add(refetchers, key, load)
    load()
    let before = returns.peek()
    const stopReturns = returns.subscribe((n) => {
      if (n !== before) {
        before = n
        load()
      }
    })
    return () => {
      stopWatching()
      stopRefetching()
      stopReturns()
    }
  }, [key])
  // What failed because the server was away is tried again until it is back.
  useEffect(() => {
    if (error.current?.code !== 'unreachable' && error.current?.code !== 'server.not_ready') return
    const timer = window.setTimeout(load, reachable.value ? 500 : 1500)
    return () => window.clearTimeout(timer)
  })
  const data = key === null ? undefined : (cache.get(key)?.data as T | undefined)
  return { data, error: error.current, loading: key !== null && data === undefined && !error.current, reload: load }
}
