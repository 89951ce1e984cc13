// The frame: navigation, the way in, keys, and the screen that the address names.
import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Activity, BookOpen, Cable, CalendarClock, Database, HardDriveUpload, House, Keyboard, LogOut, Menu as MenuIcon, Moon, Search, Settings, Sun, SunMoon, Workflow } from 'lucide-preact'
import { Problem, reachable, session } from './api/client'
import { liveState } from './api/live'
import icon from './icon.svg'
import { Help, helpOpen } from './parts/help'
import { startKeys } from './parts/keys'
import { Palette, paletteOpen } from './parts/palette'
import { Toasts } from './parts/toast'
import { Loading, ProblemBox } from './parts/basics'
import { match, path } from './router'
import { loadSession, logOut, who } from './session'
import { theme } from './theme'
import { Home } from './screens/home'
import { Login } from './screens/login'

type Screen = ComponentType<any>
type Loader = () => Promise<Record<string, unknown>>

// pattern, the file, the name in it
const kScreens: [pattern: string, load: Loader, name: string][] = [
  ['/connections', () => import('./screens/connections'), 'Connections'],
  ['/connections/new', () => import('./screens/wizard'), 'Wizard'],
  ['/connections/:id', () => import('./screens/connection'), 'ConnectionScreen'],
  ['/connections/:id/:tab', () => import('./screens/connection'), 'ConnectionScreen'],
  ['/jobs', () => import('./screens/jobs'), 'Jobs'],
  ['/jobs/:id', () => import('./screens/job'), 'JobScreen'],
  ['/jobs/:id/:tab', () => import('./screens/job'), 'JobScreen'],
  ['/executions', () => import('./screens/executions'), 'Executions'],
  ['/executions/:id', () => import('./screens/execution'), 'ExecutionScreen'],
  ['/executions/:id/:tab', () => import('./screens/execution'), 'ExecutionScreen'],
  ['/sources', () => import('./screens/actors'), 'Sources'],
  ['/sources/new', () => import('./screens/actor'), 'NewSource'],
  ['/sources/:id', () => import('./screens/actor'), 'SourceScreen'],
  ['/destinations', () => import('./screens/actors'), 'Destinations'],
  ['/destinations/new', () => import('./screens/actor'), 'NewDestination'],
  ['/destinations/:id', () => import('./screens/actor'), 'DestinationScreen'],
  ['/schedules', () => import('./screens/schedules'), 'Schedules'],
  ['/schedules/:id', () => import('./screens/schedules'), 'ScheduleScreen'],
  ['/settings', () => import('./screens/settings'), 'SettingsScreen'],
  ['/settings/:tab', () => import('./screens/settings'), 'SettingsScreen'],
  ['/apply', () => import('./screens/apply'), 'Apply'],
  ['/reference', () => import('./screens/reference'), 'Reference'],
  ['/help/errors', () => import('./screens/errors'), 'ErrorIndex'],
  ['/help/errors/:code', () => import('./screens/errors'), 'ErrorPage'],
]

const loaded = new Map<string, Screen>()

function find(current: string): { key: string; load: Loader; name: string; values: Record<string, string> } | null {
  let best: { key: string; load: Loader; name: string; values: Record<string, string> } | null = null
  for (const [pattern, load, name] of kScreens) {
    const values = match(pattern, current)
    if (values && (!best || Object.keys(values).length < Object.keys(best.values).length)) {
      best = { key: name + load, load, name, values }
    }
  }
  return best
}

function Routed() {
  const current = path.value
  const found = find(current)
  const [, redraw] = useState(0)
  const [failed, setFailed] = useState<Problem | null>(null)
  const key = found?.key ?? ''
  useEffect(() => {
    if (!found || loaded.has(key)) return
    let on = true
    setFailed(null)
    found.load().then(
      (module) => {
        loaded.set(key, module[found.name] as Screen)
        if (on) redraw((n) => n + 1)
      },
      () => {
        // A new version of the server has other file names: one load of the page fetches them.
        if (on) setFailed(new Problem({ title: 'this part of the page could not be loaded', detail: 'The server may have been upgraded.', remedy: 'Load the page again.' }))
      },
    )
    return () => {
      on = false
    }
  }, [key])
  useEffect(() => {
    document.getElementById('main')?.focus({ preventScroll: true })
  }, [current])
  if (current === '/') return <Home />
  if (!found) return <NotFound />
  if (failed) {
    return (
      <main id="main">
        <ProblemBox problem={failed} retry={() => location.reload()} />
      </main>
    )
  }
  const Screen = loaded.get(key)
  return Screen ? (
    <Screen key={found.name + (found.values.id ?? '')} {...found.values} />
  ) : (
    <main id="main">
      <Loading />
    </main>
  )
}

function NotFound() {
  useEffect(() => {
    document.title = 'Not found · Millrace'
  }, [])
  return (
    <main id="main" tabIndex={-1}>
      <header class="page-head">
        <div class="page-title">
          <h1>There is nothing at this address</h1>
          <p class="lead">
            <span>
              <code>{path.value}</code> is no page of this server. <a href="/">Go home</a>, or press <kbd>Ctrl</kbd> <kbd>K</kbd> to find something.
            </span>
          </p>
        </div>
      </header>
    </main>
  )
}

const kNav: [href: string, text: string, icon: any, group?: string][] = [
  ['/', 'Home', House],
  ['/connections', 'Connections', Cable],
  ['/sources', 'Sources', Database],
  ['/destinations', 'Destinations', HardDriveUpload],
  ['/jobs', 'Jobs', Activity, 'What runs'],
  ['/executions', 'Executions', Workflow],
  ['/schedules', 'Schedules', CalendarClock],
  ['/settings', 'Settings', Settings, 'Server'],
  ['/reference', 'API reference', BookOpen],
]

const menuOpen = signal(false)

function Sidebar() {
  const current = path.value
  useEffect(() => {
    menuOpen.value = false
  }, [current])
  const themes = { system: [SunMoon, 'dark', 'Theme: as the system'], dark: [Moon, 'light', 'Theme: dark'], light: [Sun, 'system', 'Theme: light'] } as const
  const [ThemeIcon, nextTheme, themeName] = themes[theme.value]
  const live = liveState.value
  return (
    <>
      {menuOpen.value && <button class="scrim" type="button" aria-label="Close the menu" onClick={() => (menuOpen.value = false)} />}
      <aside class={`sidebar ${menuOpen.value ? 'open' : ''}`} id="sidebar">
        <a class="brand" href="/">
          <img src={icon} alt="" />
          Millrace
        </a>
        <button type="button" class="nav-find" onClick={() => (paletteOpen.value = true)}>
          <Search size={14} aria-hidden="true" />
          Find or do…
          <kbd>Ctrl K</kbd>
        </button>
        <nav aria-label="Main">
          {kNav.map(([href, text, Icon, group]) => {
            const on = href === '/' ? current === '/' : current === href || current.startsWith(href + '/')
            return (
              <div key={href}>
                {group && <p class="nav-group">{group}</p>}
                <a class="nav-link" href={href} aria-current={on ? 'page' : undefined}>
                  <Icon size={16} aria-hidden="true" />
                  {text}
                </a>
              </div>
            )
          })}
        </nav>
        <div class="sidebar-foot">
          <p class={`live ${live}`}>
            <i aria-hidden="true" />
            {live === 'open' ? 'Live' : live === 'lost' ? 'Connection lost' : live === 'connecting' ? 'Connecting' : 'Up to date'}
          </p>
          <div class="row">
            <button type="button" class="button quiet small bare" title={themeName} aria-label={`${themeName}. Change`} onClick={() => (theme.value = nextTheme)}>
              <ThemeIcon size={15} aria-hidden="true" />
            </button>
            <button type="button" class="button quiet small bare" title="Keyboard shortcuts (?)" aria-label="Keyboard shortcuts" onClick={() => (helpOpen.value = true)}>
              <Keyboard size={15} aria-hidden="true" />
            </button>
            {who.value && !who.value.noAuth && (
              <button type="button" class="button quiet small bare" title="Log out" aria-label="Log out" onClick={() => void logOut()}>
                <LogOut size={15} aria-hidden="true" />
              </button>
            )}
            <span class="muted spread" style={{ fontSize: '12px', paddingRight: '6px' }}>
              {who.value?.version}
            </span>
          </div>
        </div>
      </aside>
    </>
  )
}

function Away() {
  if (reachable.value) return null
  return (
    <div class="away" role="status">
      The server does not answer. What you see is the last that was known; this page goes on by itself when it is back.
    </div>
  )
}

export function App() {
  const [failed, setFailed] = useState<Problem | null>(null)
  useEffect(() => {
    startKeys()
    let timer = 0
    const begin = () =>
      loadSession().then(
        () => setFailed(null),
        (cause) => {
          setFailed(cause as Problem)
          timer = window.setTimeout(begin, 1500)
        },
      )
    void begin()
    return () => window.clearTimeout(timer)
  }, [])
  if (session.value === 'out') return <Login />
  if (session.value === 'unknown') {
    return failed ? (
      <main id="main">
        <ProblemBox problem={failed} />
      </main>
    ) : null
  }
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <div class="topbar">
        <button type="button" class="button quiet bare" aria-label="Menu" aria-controls="sidebar" aria-expanded={menuOpen.value} onClick={() => (menuOpen.value = !menuOpen.value)}>
          <MenuIcon size={18} aria-hidden="true" />
        </button>
        <a class="brand" href="/">
          <img src={icon} alt="" />
          Millrace
        </a>
        <button type="button" class="button quiet bare spread" aria-label="Find or do" onClick={() => (paletteOpen.value = true)}>
          <Search size={17} aria-hidden="true" />
        </button>
      </div>
      <div class="frame">
        <Sidebar />
        <div class="content">
          <Away />
          <Routed />
        </div>
      </div>
      <Palette />
      <Help />
      <Toasts />
    </>
  )
}
