// The command palette: every screen, every source, destination, connection and job, and what can be done, by typing.
import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Activity, ArrowRight, Cable, Database, FileCode2, HardDriveUpload, Play, Plus, Workflow } from 'lucide-preact'
import { api, type List } from '../api/client'
import type { Actor, Connection, JobSummary } from '../api/types'
import { navigate } from '../router'
import { kGoto } from './keys'
import { attempt, say } from './toast'

export const paletteOpen = signal(false)

interface Item {
  text: string
  kind: string
  icon: any
  act: () => void
}
const kMost = 40

function basics(): Item[] {
  const go = (href: string) => () => navigate(href)
  return [
    ...kGoto.map(([key, href, text]): Item => ({ text, kind: `g ${key}`, icon: ArrowRight, act: go(href) })),
    { text: 'New connection', kind: 'Do', icon: Plus, act: go('/connections/new') },
    { text: 'New source', kind: 'Do', icon: Plus, act: go('/sources/new') },
    { text: 'New destination', kind: 'Do', icon: Plus, act: go('/destinations/new') },
    { text: 'Apply YAML', kind: 'Do', icon: FileCode2, act: go('/apply') },
    { text: 'Error codes', kind: 'Help', icon: ArrowRight, act: go('/help/errors') },
  ]
}

async function things(): Promise<Item[]> {
  const [connections, sources, destinations, jobs] = await Promise.all([
    api.get<List<Connection>>('/v1/connections', { query: { limit: 2000 } }),
    api.get<List<Actor>>('/v1/sources', { query: { limit: 2000 } }),
    api.get<List<Actor>>('/v1/destinations', { query: { limit: 2000 } }),
    api.get<List<JobSummary>>('/v1/jobs', { query: { limit: 20 } }),
  ])
  return [
    ...connections.data.map((c): Item => ({ text: c.name, kind: 'Connection', icon: Cable, act: () => navigate(`/connections/${c.connectionId}`) })),
    ...sources.data.map((s): Item => ({ text: s.name, kind: 'Source', icon: Database, act: () => navigate(`/sources/${s.sourceId}`) })),
    ...destinations.data.map((d): Item => ({ text: d.name, kind: 'Destination', icon: HardDriveUpload, act: () => navigate(`/destinations/${d.destinationId}`) })),
    ...connections.data.map((c): Item => ({
      text: `Sync ${c.name} now`,
      kind: 'Do',
      icon: Play,
      act: async () => {
        const job = await attempt(() => api.post<JobSummary>('/v1/jobs', { body: { connectionId: c.connectionId, jobType: 'sync' } }))
        if (job) {
          say(`Job ${job.jobId} runs`)
          navigate(`/jobs/${job.jobId}`)
        }
      },
    })),
    ...jobs.data.map((j): Item => ({ text: `Job ${j.jobId}${j.connectionName ? ' · ' + j.connectionName : ''}`, kind: j.status, icon: Activity, act: () => navigate(`/jobs/${j.jobId}`) })),
  ]
}

function find(all: Item[], text: string): Item[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const hits = all.filter((item) => words.every((w) => item.text.toLowerCase().includes(w) || item.kind.toLowerCase().startsWith(w)))
  const first = words[0] ?? ''
  return [...hits.filter((i) => i.text.toLowerCase().startsWith(first)), ...hits.filter((i) => !i.text.toLowerCase().startsWith(first))].slice(0, kMost)
}

export function Palette() {
  if (!paletteOpen.value) return null
  return <Open />
}

function Open() {
  const box = useRef<HTMLDialogElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [found, setFound] = useState<Item[]>([])
  // Before the next key arrives: what is typed right after Ctrl+K belongs here.
  useLayoutEffect(() => box.current!.showModal(), [])
  useEffect(() => {
    things().then(setFound, () => {})
  }, [])
  const close = () => (paletteOpen.value = false)
  const wanted = text.trim()
  const items = find([...basics(), ...found], wanted)
  const number = /^(?:job\s*)?(\d+)$/i.exec(wanted)
  if (number && !items.some((i) => i.text.startsWith(`Job ${number[1]} `)))
    items.unshift({ text: `Job ${number[1]}`, kind: 'Job', icon: Activity, act: () => navigate(`/jobs/${number[1]}`) })
  if (wanted.length > 2 && items.length === 0)
    items.push({ text: `Execution ${wanted}`, kind: 'Execution', icon: Workflow, act: () => navigate(`/executions/${encodeURIComponent(wanted)}`) })
  const chosen = Math.min(at, items.length - 1)
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const take = (item: Item | undefined) => {
    if (!item) return
    close()
    item.act()
  }
  const key = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown') setAt((chosen + 1) % Math.max(items.length, 1))
    else if (e.key === 'ArrowUp') setAt((chosen - 1 + items.length) % Math.max(items.length, 1))
    else if (e.key === 'Enter') take(items[chosen])
    else return
    e.preventDefault()
  }
  return (
    <dialog
      ref={box}
      class="palette"
      aria-label="Find or do something"
      onCancel={(e) => {
        e.preventDefault()
        close()
      }}
      onClick={(e) => {
        if (e.target === box.current) close()
      }}
    >
      <input
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={items[chosen] ? `palette-${chosen}` : undefined}
        aria-label="Find or do something"
        placeholder="Find a connection, a job, a screen, or something to do"
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={key}
        autofocus
      />
      <div class="palette-list" id="palette-list" role="listbox" aria-label="Results" ref={list}>
        {items.map((item, i) => (
          <div key={i + item.text} id={`palette-${i}`} role="option" aria-selected={i === chosen} class="palette-item" onPointerMove={() => setAt(i)} onClick={() => take(item)}>
            <item.icon size={15} aria-hidden="true" />
            <span class="ellipsis">{item.text}</span>
            <span class="palette-kind">{item.kind}</span>
          </div>
        ))}
      </div>
      {items.length === 0 && <p class="palette-none">Nothing has this name.</p>}
    </dialog>
  )
}
