// The HTTP interface, typed by its own OpenAPI document: a path that the server does not have does not compile.
import { signal } from '@preact/signals'
import type { paths } from './schema'

export type Path = keyof paths
type Values = Record<string, string | number | boolean | null | undefined>

export interface Fault {
  pointer: string
  detail: string
}

// RFC 9457, as the server sends it.
export class Problem extends Error {
  status = 0
  code = ''
  title = ''
  detail = ''
  remedy = ''
  errors: Fault[] = []
  data: Record<string, unknown> | null = null

  constructor(fields: Partial<Problem>) {
    super(fields.detail || fields.title || 'the request failed')
    Object.assign(this, fields)
  }
}

// Whether the server answers; the live stream and each request set it.
export const reachable = signal(true)
// unknown: not asked yet.
export const session = signal<'unknown' | 'in' | 'out'>('unknown')

interface Options {
  path?: Record<string, string | number>
  query?: Values
  body?: unknown
  signal?: AbortSignal
  key?: string // Idempotency-Key
}

export function urlOf(path: string, options: Options = {}): string {
  let url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(options.path?.[name] ?? '')))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value))
  }
  const text = query.toString()
  if (text) url += '?' + text
  return url
}

async function ask<T>(method: string, path: Path, options: Options = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(urlOf(path, options), {
      method,
      signal: options.signal,
      credentials: 'same-origin',
      headers: {
        Accept: 'application/json',
        'X-Millrace-UI': '1', // a foreign page cannot send it: the server's guard of cookie sessions
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(options.key ? { 'Idempotency-Key': options.key } : {}),
      },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    })
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    reachable.value = false
    throw new Problem({
      code: 'unreachable',
      title: 'the server does not answer',
      detail: 'The connection to the server failed.',
      remedy: 'This page tries again by itself. If it goes on, look at whether the server runs.',
    })
  }
  reachable.value = true
  const text = await response.text()
  let body: any = null
  try {
    body = text ? JSON.parse(text) : null
  } catch {
    body = null
  }
  if (response.ok) return body as T
  if (response.status === 401) session.value = 'out'
  throw new Problem({ title: response.statusText, ...(body ?? {}), status: response.status })
}

export const api = {
  get: <T>(path: Path, options?: Options) => ask<T>('GET', path, options),
  post: <T>(path: Path, options?: Options) => ask<T>('POST', path, { body: {}, ...options }),
  put: <T>(path: Path, options?: Options) => ask<T>('PUT', path, options),
  patch: <T>(path: Path, options?: Options) => ask<T>('PATCH', path, options),
  delete: <T>(path: Path, options?: Options) => ask<T>('DELETE', path, options),
}

export interface List<T> {
  data: T[]
  next: string | null
}

// All pages of a list, up to `most` items.
export async function all<T>(path: Path, options: Options = {}, most = 20_000): Promise<T[]> {
  const items: T[] = []
  let next: string | null = null
  do {
    const page: List<T> = await api.get(path, { ...options, query: { limit: 5000, ...options.query, next } })
    items.push(...page.data)
    next = page.next
  } while (next && items.length < most)
  return items
}

export const newKey = () => crypto.randomUUID?.() ?? Math.random().toString(36).slice(2) + Date.now()
