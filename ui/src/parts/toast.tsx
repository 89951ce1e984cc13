// Short words about what was done, read out to screen readers too.
import { signal } from '@preact/signals'
import { CheckCircle2, X, XCircle } from 'lucide-preact'
import { Problem } from '../api/client'

interface Toast {
  id: number
  text: string
  bad: boolean
  href?: string
  more?: string
}
const toasts = signal<Toast[]>([])
let last = 0

export function say(text: string, options: { bad?: boolean; href?: string; more?: string } = {}): void {
  const toast = { id: ++last, text, bad: options.bad ?? false, href: options.href, more: options.more }
  toasts.value = [...toasts.value.slice(-3), toast]
  setTimeout(() => drop(toast.id), toast.bad ? 12_000 : 5_000)
}
const drop = (id: number) => (toasts.value = toasts.value.filter((t) => t.id !== id))

// Does it, and says how it went.
export async function attempt<T>(act: () => Promise<T>, done?: string): Promise<T | undefined> {
  try {
    const result = await act()
    if (done) say(done)
    return result
  } catch (cause) {
    const p = cause instanceof Problem ? cause : new Problem({ detail: String(cause) })
    say(p.detail || p.title, { bad: true, more: p.remedy, href: p.code && p.code !== 'unreachable' ? `/help/errors/${p.code}` : undefined })
    return undefined
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div class={`toast ${t.bad ? 'bad' : ''}`} key={t.id}>
          {t.bad ? <XCircle size={16} aria-hidden="true" /> : <CheckCircle2 size={16} aria-hidden="true" />}
          <div>
            {t.text}
            {t.more && <p class="toast-more">{t.more}</p>}
            {t.href && (
              <p class="toast-more">
                <a href={t.href}>{t.bad ? 'What this means' : 'Look at it'}</a>
              </p>
            )}
          </div>
          <button type="button" class="button quiet small bare" aria-label="Dismiss" onClick={() => drop(t.id)}>
            <X size={14} aria-hidden="true" />
          </button>
        </div>
      ))}
    </div>
  )
}
