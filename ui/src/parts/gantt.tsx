// Steps as bars on one time axis, an attempt a bar; the wait between two attempts is a thin line.
import { Status, toneOf } from './basics'
import { clockTime, duration, millis, now } from './format'

export interface GanttRow {
  id: string
  name: string
  status: string
  attempts: { number: number; start: number; end: number | null; failed: boolean; note?: string }[]
  scheduled?: number
}

export function Gantt({ rows, from, to }: { rows: GanttRow[]; from: number; to: number | null }) {
  const end = Math.max(to ?? now.value, from + 1)
  const span = end - from
  const at = (t: number) => Math.max(0, Math.min(100, ((t - from) / span) * 100))
  const ticks = [0, 0.25, 0.5, 0.75, 1]
  return (
    <div class="gantt">
      <div class="gantt-axis" aria-hidden="true">
        <span />
        <div>
          {ticks.map((t) => (
            <span key={t} style={{ left: `${t * 100}%` }}>
              {t === 0 ? '0' : duration(span * t)}
            </span>
          ))}
        </div>
        <span />
      </div>
      <ul>
        {rows.map((row) => {
          const first = row.attempts[0]?.start
          const last = row.attempts[row.attempts.length - 1]
          const took = first === undefined ? null : (last.end ?? end) - first
          return (
            <li key={row.id}>
              <div class="gantt-name">
                <Status status={row.status} label=" " />
                <span class="ellipsis" title={row.name}>
                  {row.name}
                </span>
                <span class="hidden">{row.status}</span>
                {row.attempts.length > 1 && <span class="tally">{row.attempts.length}×</span>}
              </div>
              <div class="gantt-track">
                {row.attempts.map((a, i) => {
                  const left = at(a.start)
                  const width = at(a.end ?? end) - left
                  const before = i === 0 ? row.scheduled : row.attempts[i - 1].end
                  const tone = a.failed ? 'bad' : a.end === null ? 'busy' : toneOf(row.status) === 'bad' ? 'bad' : 'good'
                  const words = `Attempt ${a.number}: ${clockTime(a.start)}, ${duration((a.end ?? end) - a.start)}${a.failed ? ', failed' : a.end === null ? ', runs' : ''}${a.note ? ' – ' + a.note : ''}`
                  return (
                    <span key={a.number}>
                      {before != null && a.start - before > span / 400 && <span class="gantt-wait" style={{ left: `${at(before)}%`, width: `${left - at(before)}%` }} />}
                      <span class={`gantt-bar ${tone}`} style={{ left: `${left}%`, width: `max(4px, ${width}%)` }} title={words} role="img" aria-label={words} />
                    </span>
                  )
                })}
              </div>
              <div class="gantt-took">{took === null ? '–' : duration(took)}</div>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

export { millis }
