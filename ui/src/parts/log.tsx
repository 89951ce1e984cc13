// A job's log: what was written, then what is being written. Only the lines in sight are in the page.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Download } from 'lucide-preact'
import { api } from '../api/client'
import { useLive } from '../api/live'
import type { LogLine } from '../api/types'
import { Button, Loading } from './basics'
import { clockTime, count, exact, millis } from './format'
import { query, setQuery } from '../router'

const kLine = 21
const kMostLines = 200_000
const kLevels = ['debug', 'info', 'warn', 'error']

export function Log({ jobId, open }: { jobId: number; open: boolean }) {
  const lines = useRef<LogLine[]>([])
  const [version, setVersion] = useState(0)
  const [ready, setReady] = useState(false)
  const [follow, setFollow] = useState(true)
  const [view, setView] = useState({ top: 0, height: 500 })
  const box = useRef<HTMLDivElement>(null)

  const take = (more: LogLine[]) => {
    const last = lines.current[lines.current.length - 1]?.seq ?? 0
    const fresh = more.filter((l) => l.seq > last)
    if (fresh.length === 0) return
    lines.current = lines.current.concat(fresh).slice(-kMostLines)
    setVersion((v) => v + 1)
  }
  useEffect(() => {
    let on = true
    const load = async () => {
      let after = 0
      for (;;) {
        const page = await api.get<{ data: LogLine[]; next: number | null; ended: boolean }>('/v1/jobs/{id}/logs', { path: { id: jobId }, query: { after, limit: 5000 } })
        if (!on) return
        take(page.data)
        if (page.data.length < 5000) break
        after = page.data[page.data.length - 1].seq
      }
      setReady(true)
    }
    load().catch(() => on && setReady(true))
    return () => {
      on = false
    }
  }, [jobId])
  useLive(ready && open ? `log:${jobId}` : null, (message: { lines: (Omit<LogLine, 'seq'> & { id: number })[] }) => take(message.lines.map((l) => ({ ...l, seq: l.id }))), () => ':' + (lines.current[lines.current.length - 1]?.seq ?? 0))

  const text = (query.value.get('find') ?? '').toLowerCase()
  const level = query.value.get('level') ?? ''
  const least = level ? kLevels.indexOf(level) : 0
  const shown = text || least > 0 ? lines.current.filter((l) => kLevels.indexOf(l.level) >= least && (!text || `${l.step} ${l.text}`.toLowerCase().includes(text))) : lines.current
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [version, follow, shown.length])
  useEffect(() => {
    if (box.current) setView({ top: box.current.scrollTop, height: box.current.clientHeight })
  }, [ready])

  const download = () => {
    const body = lines.current.map((l) => `${l.time} ${l.level.padEnd(5)} ${l.step} ${l.text}\n`).join('')
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([body], { type: 'text/plain' }))
    link.download = `job-${jobId}.log`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }
  const first = Math.max(0, Math.floor(view.top / kLine) - 20)
  const last = Math.min(shown.length, Math.ceil((view.top + view.height) / kLine) + 20)
  return (
    <>
      <div class="toolbar">
        <input class="search" type="search" data-search aria-label="Search the log" placeholder="Search the log" value={query.value.get('find') ?? ''} onInput={(e) => setQuery({ find: e.currentTarget.value })} />
        <label class="choice">
          <select aria-label="Least level" value={level} onChange={(e) => setQuery({ level: e.currentTarget.value })}>
            <option value="">All levels</option>
            <option value="info">Info and above</option>
            <option value="warn">Warnings and errors</option>
            <option value="error">Errors</option>
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} />
          <span>Follow</span>
        </label>
        <span class="tally spread">
          {shown.length === lines.current.length ? `${count(shown.length)} lines` : `${count(shown.length)} of ${count(lines.current.length)} lines`}
        </span>
        <Button size="small" icon={Download} onClick={download}>
          Download
        </Button>
      </div>
      {!ready ? (
        <Loading />
      ) : (
        <div
          class="log"
          ref={box}
          tabIndex={0}
          role="log"
          aria-label="Log lines"
          onScroll={(e) => {
            const el = e.currentTarget
            setView({ top: el.scrollTop, height: el.clientHeight })
            const atEnd = el.scrollTop + el.clientHeight >= el.scrollHeight - kLine
            if (follow && !atEnd) setFollow(false)
          }}
        >
          {shown.length === 0 ? (
            <p class="log-none">{lines.current.length ? 'No line matches.' : 'Nothing was written yet.'}</p>
          ) : (
            <div style={{ height: `${shown.length * kLine}px`, paddingTop: `${first * kLine}px` }}>
              {shown.slice(first, last).map((l) => (
                <div key={l.seq} class={`log-line ${l.level}`} id={`line-${l.seq}`}>
                  <span class="log-time" title={exact(millis(l.time), true)}>
                    {clockTime(millis(l.time)).replace(' UTC', '')}
                  </span>
                  <span class="log-level">{l.level}</span>
                  <span class="log-step">{l.step}</span>
                  <span class="log-text" title={l.text}>
                    {l.text}
                  </span>
                </div>
              ))}
            </div>
          )}
        </div>
      )}
    </>
  )
}
