// The small things that every screen is made of.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import {
  AlertTriangle,
  Ban,
  Check,
  CheckCircle2,
  CircleDashed,
  CircleDot,
  Clock,
  Copy,
  LoaderCircle,
  PauseCircle,
  RotateCcw,
  XCircle,
} from 'lucide-preact'
import type { Problem } from '../api/client'
import { exact, millis, now, relative } from './format'

type Children = { children?: ComponentChildren }

// ---- status: an icon, a word and a colour; never the colour alone ----

const kStatus: Record<string, { tone: string; icon: any; label?: string }> = {
  succeeded: { tone: 'good', icon: CheckCircle2 },
  complete: { tone: 'good', icon: CheckCircle2 },
  completed: { tone: 'good', icon: CheckCircle2 },
  healthy: { tone: 'good', icon: CheckCircle2 },
  running: { tone: 'busy', icon: LoaderCircle },
  started: { tone: 'busy', icon: LoaderCircle },
  pending: { tone: 'idle', icon: Clock },
  scheduled: { tone: 'idle', icon: Clock },
  waiting: { tone: 'idle', icon: Clock },
  incomplete: { tone: 'warn', icon: RotateCcw, label: 'retrying' },
  backingoff: { tone: 'warn', icon: RotateCcw, label: 'backing off' },
  retrying: { tone: 'warn', icon: RotateCcw },
  partial: { tone: 'warn', icon: AlertTriangle },
  blocked: { tone: 'bad', icon: AlertTriangle },
  failed: { tone: 'bad', icon: XCircle },
  timedout: { tone: 'bad', icon: XCircle, label: 'timed out' },
  terminated: { tone: 'bad', icon: Ban },
  cancelled: { tone: 'idle', icon: Ban },
  canceled: { tone: 'idle', icon: Ban },
  skipped: { tone: 'idle', icon: Ban },
  paused: { tone: 'idle', icon: PauseCircle },
  inactive: { tone: 'idle', icon: PauseCircle },
  active: { tone: 'good', icon: CircleDot },
  continuedasnew: { tone: 'idle', icon: RotateCcw, label: 'continued as new' },
  'never run': { tone: 'idle', icon: CircleDashed },
}
export function toneOf(status: string): string {
  return kStatus[status.toLowerCase()]?.tone ?? 'idle'
}

export function Status({ status, label }: { status: string; label?: string }) {
  const s = kStatus[status.toLowerCase()] ?? { tone: 'idle', icon: CircleDashed }
  const Icon = s.icon
  return (
    <span class={`status ${s.tone}`} data-status={status.toLowerCase()}>
      <Icon size={14} aria-hidden="true" class={s.tone === 'busy' ? 'spin' : undefined} />
      {label ?? s.label ?? status}
    </span>
  )
}

export function Tag({ children, tone }: Children & { tone?: string }) {
  return <span class={`tag ${tone ?? ''}`}>{children}</span>
}

// ---- time: relative, exact on hover ----

export function Time({ at, empty = '–' }: { at: string | number | null | undefined; empty?: string }) {
  const ms = typeof at === 'number' ? at : millis(at)
  if (!Number.isFinite(ms)) return <span class="muted">{empty}</span>
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {relative(ms, now.value)}
    </time>
  )
}

// ---- buttons ----

type ButtonProps = Children & {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger'
  size?: 'small'
  href?: string
  busy?: boolean
  icon?: any
} & Omit<JSX.HTMLAttributes<HTMLButtonElement>, 'icon' | 'size'> & { disabled?: boolean; type?: 'button' | 'submit' }

export function Button({ kind = 'plain', size, href, busy, icon: Icon, children, disabled, type = 'button', ...rest }: ButtonProps) {
  const inner = (
    <>
      {busy ? <LoaderCircle size={15} class="spin" aria-hidden="true" /> : Icon && <Icon size={15} aria-hidden="true" />}
      {children}
    </>
  )
  const look = `button ${kind} ${size ?? ''} ${children ? '' : 'bare'}`
  if (href) {
    return (
      <a class={look} href={href} {...(rest as any)}>
        {inner}
      </a>
    )
  }
  return (
    <button class={look} type={type} disabled={disabled || busy} aria-busy={busy || undefined} {...(rest as any)}>
      {inner}
    </button>
  )
}

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [done, set] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      const area = document.createElement('textarea')
      area.value = text
      document.body.append(area)
      area.select()
      document.execCommand('copy')
      area.remove()
    }
    set(true)
    setTimeout(() => set(false), 1500)
  }
  return (
    <button class="button quiet small bare" type="button" onClick={copy} aria-label={done ? 'Copied' : label} title={done ? 'Copied' : label}>
      {done ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
    </button>
  )
}

// ---- page ----

export function Page({ title, crumbs, actions, children, lead }: Children & { title: ComponentChildren; crumbs?: [string, string][]; actions?: ComponentChildren; lead?: ComponentChildren }) {
  const plain = typeof title === 'string' ? title : ''
  useEffect(() => {
    if (plain) document.title = `${plain} · Millrace`
  }, [plain])
  return (
    <main id="main" tabIndex={-1}>
      <header class="page-head">
        <div class="page-title">
          {crumbs && (
            <nav class="crumbs" aria-label="Breadcrumb">
              {crumbs.map(([text, href]) => (
                <a href={href} key={href}>
                  {text}
                </a>
              ))}
            </nav>
          )}
          <h1>{title}</h1>
          {lead && <div class="lead">{lead}</div>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </main>
  )
}

export function Card({ title, actions, children, flush, class: more = '' }: Children & { title?: ComponentChildren; actions?: ComponentChildren; flush?: boolean; class?: string }) {
  return (
    <section class={`card ${flush ? 'flush' : ''} ${more}`}>
      {(title || actions) && (
        <header class="card-head">
          <h2>{title}</h2>
          {actions && <div class="row">{actions}</div>}
        </header>
      )}
      <div class="card-body">{children}</div>
    </section>
  )
}

export function Empty({ title, children, icon: Icon, actions }: Children & { title: string; icon?: any; actions?: ComponentChildren }) {
  return (
    <div class="empty">
      {Icon && (
        <span class="empty-icon">
          <Icon size={22} aria-hidden="true" />
        </span>
      )}
      <p class="empty-title">{title}</p>
      {children && <p class="empty-text">{children}</p>}
      {actions && <div class="row center">{actions}</div>}
    </div>
  )
}

export function Loading({ rows = 5 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} class={`bone w${i % 4}`} />
      ))}
    </div>
  )
}

// What happened, the cause in the server's words, what to do, and the page of the code.
export function ProblemBox({ problem, retry }: { problem: Problem | { code?: string; type?: string; title?: string; message?: string; detail?: string; remedy?: string }; retry?: () => void }) {
  const p = problem as any
  const code: string = p.code || p.type || ''
  const text: string = p.message && p.message !== p.title ? p.message : p.detail
  const faults: { pointer: string; detail: string }[] = p.errors ?? []
  return (
    <div class="problem" role="alert">
      <XCircle size={18} aria-hidden="true" />
      <div>
        {p.title && <p class="problem-title">{p.title[0].toUpperCase() + p.title.slice(1)}</p>}
        <p class="problem-detail">{text || p.detail}</p>
        {faults.length > 0 && (
          <ul>
            {faults.map((f) => (
              <li key={f.pointer + f.detail}>
                {f.pointer && <code>{f.pointer}</code>} {f.detail}
              </li>
            ))}
          </ul>
        )}
        {p.remedy && (
          <p class="problem-remedy">
            <strong>What to do:</strong> {p.remedy}
          </p>
        )}
        <div class="row">
          {code && code !== 'unreachable' && (
            <a class="code-link" href={`/help/errors/${encodeURIComponent(code)}`}>
              {code}
            </a>
          )}
          {retry && (
            <Button size="small" icon={RotateCcw} onClick={retry}>
              Try again
            </Button>
          )}
        </div>
      </div>
    </div>
  )
}

// Loading, error, empty or the thing itself.
export function Shown<T>({ query, rows, children }: { query: { data: T | undefined; error?: Problem; loading: boolean; reload: () => void }; rows?: number; children: (data: T) => ComponentChildren }) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error && query.error.code !== 'unreachable' && <ProblemBox problem={query.error} retry={query.reload} />}
        {children(query.data)}
      </>
    )
  }
  if (query.error) return <ProblemBox problem={query.error} retry={query.reload} />
  return <Loading rows={rows} />
}

// ---- tabs that are links ----

export function Tabs({ tabs, current }: { tabs: [id: string, label: ComponentChildren, href: string][]; current: string }) {
  return (
    <nav class="tabs" aria-label="Sections">
      {tabs.map(([id, label, href]) => (
        <a key={id} href={href} aria-current={id === current ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  )
}

export function Facts({ items }: { items: [ComponentChildren, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {items.map(([name, value], i) => (
        <div key={i}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Meter({ part, label }: { part: number; label: string }) {
  const percent = Math.max(0, Math.min(100, part * 100))
  return (
    <span class={`meter ${percent === 100 ? 'done' : ''}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(percent)}>
      <span style={{ width: `${percent}%` }} />
    </span>
  )
}

// ---- dialog ----

export function Dialog({ title, children, onClose, wide }: Children & { title: string; onClose: () => void; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = box.current!
    dialog.showModal()
    return () => dialog.close()
  }, [])
  return (
    <dialog
      ref={box}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault()
        onClose()
      }}
      onClick={(e) => {
        if (e.target === box.current) onClose()
      }}
    >
      <div class="dialog-box">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

// Names what will go, and asks for the name.
export function Destroy({ title, name, verb, children, onClose, act }: Children & { title: string; name: string; verb: string; onClose: () => void; act: () => Promise<unknown> }) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const submit = async (e: Event) => {
    e.preventDefault()
    if (typed !== name) return
    setBusy(true)
    setProblem(null)
    try {
      await act()
      onClose()
    } catch (cause) {
      setProblem(cause as Problem)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <div class="dialog-text">{children}</div>
        <label class="field">
          <span class="field-label">
            Type <strong class="mono">{name}</strong> to confirm
          </span>
          <input type="text" value={typed} onInput={(e) => setTyped(e.currentTarget.value)} autocomplete="off" spellcheck={false} autofocus />
        </label>
        {problem && <ProblemBox problem={problem} />}
        <div class="dialog-foot">
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" type="submit" busy={busy} disabled={typed !== name}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

// ---- menu ----

export interface MenuItem {
  label: string
  icon?: any
  danger?: boolean
  disabled?: boolean
  hint?: string
  act: () => void
}
export function Menu({ label, icon: Icon, items, kind = 'plain' }: { label: string; icon?: any; items: MenuItem[]; kind?: 'plain' | 'quiet' }) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const away = (e: Event) => {
      if (!root.current?.contains(e.target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', away)
    root.current?.querySelector<HTMLElement>('[role=menuitem]:not([disabled])')?.focus()
    return () => document.removeEventListener('pointerdown', away)
  }, [open])
  const key = (e: KeyboardEvent) => {
    const all = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]:not([disabled])') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    if (e.key === 'Escape') {
      setOpen(false)
      root.current?.querySelector('button')?.focus()
      e.stopPropagation()
    } else if (e.key === 'ArrowDown') all[(at + 1) % all.length]?.focus()
    else if (e.key === 'ArrowUp') all[(at - 1 + all.length) % all.length]?.focus()
    else return
    e.preventDefault()
  }
  return (
    <div class="menu" ref={root} onKeyDown={open ? key : undefined}>
      <button class={`button ${kind}`} type="button" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        {Icon && <Icon size={15} aria-hidden="true" />}
        {label}
        <span class="caret" aria-hidden="true" />
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              role="menuitem"
              type="button"
              class={item.danger ? 'danger' : ''}
              disabled={item.disabled}
              onClick={() => {
                setOpen(false)
                item.act()
              }}
            >
              {item.icon && <item.icon size={15} aria-hidden="true" />}
              <span>
                {item.label}
                {item.hint && <small>{item.hint}</small>}
              </span>
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
