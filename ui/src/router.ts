// Where the person is: the address is the one truth, so that every screen can be linked, shared and gone back to.
import { computed, signal } from '@preact/signals'

const here = () => ({ path: location.pathname.replace(/(.)\/+$/, '$1'), search: location.search, hash: location.hash })

export const place = signal(here())
export const path = computed(() => place.value.path)
export const query = computed(() => new URLSearchParams(place.value.search))

export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const before = location.pathname
  history[options.replace ? 'replaceState' : 'pushState'](null, '', href)
  place.value = here()
  if (location.pathname !== before) window.scrollTo(0, 0)
}

// Sets (or, for an empty value, removes) query parameters of this address without a new entry in the history.
export function setQuery(changes: Record<string, string | null | undefined>): void {
  const next = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value)
    else next.delete(name)
  }
  const text = next.toString()
  navigate(location.pathname + (text ? '?' + text : '') + location.hash, { replace: true })
}

// '/jobs/:id' against '/jobs/12' gives {id: '12'}; null: does not match.
export function match(pattern: string, actual: string): Record<string, string> | null {
  const want = pattern.split('/')
  const have = actual.split('/')
  if (want.length !== have.length) return null
  const values: Record<string, string> = {}
  for (let i = 0; i < want.length; i++) {
    if (want[i].startsWith(':')) {
      try {
        values[want[i].slice(1)] = decodeURIComponent(have[i])
      } catch {
        return null
      }
    } else if (want[i] !== have[i]) return null
  }
  return values
}

export function startRouter(): void {
  addEventListener('popstate', () => (place.value = here()))
  addEventListener('hashchange', () => (place.value = here()))
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element).closest?.('a')
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
    const href = link.getAttribute('href') ?? ''
    if (href.startsWith('#') || isServers(link.pathname)) return
    event.preventDefault()
    navigate(link.pathname + link.search + link.hash)
  })
}

// Paths that the server answers itself.
function isServers(pathname: string): boolean {
  return /^\/(v1|api|docs|openapi\.json|metrics|version|livez|readyz|health)(\/|$)/.test(pathname)
}
