// The last jobs as bars, oldest first: height by duration, colour by how it went. Each is a link; the words are in its title.
import type { JobSummary } from '../api/types'
import { toneOf } from './basics'
import { duration, exact, millis } from './format'

export function JobBars({ jobs, most = 16 }: { jobs: JobSummary[]; most?: number }) {
  const shown = jobs.slice(0, most).reverse()
  if (shown.length === 0) return <span class="muted">–</span>
  const took = (j: JobSummary) => Math.max(1, millis(j.lastUpdatedAt) - millis(j.startTime))
  const longest = Math.max(...shown.map(took))
  return (
    <span class="bars">
      {shown.map((j) => (
        <a
          key={j.jobId}
          href={`/jobs/${j.jobId}`}
          class={toneOf(j.status)}
          style={{ height: `${Math.round(6 + 18 * Math.sqrt(took(j) / longest))}px` }}
          title={`Job ${j.jobId}: ${j.status}, ${duration(took(j))}, ${exact(millis(j.startTime))}`}
          aria-label={`Job ${j.jobId} ${j.status}`}
        />
      ))}
    </span>
  )
}

// Jobs by hour over a day, failures above successes.
export function DayChart({ jobs, until }: { jobs: JobSummary[]; until: number }) {
  const kHours = 24
  const hour = 3_600_000
  const begin = (Math.floor(until / hour) - kHours + 1) * hour
  const slots = Array.from({ length: kHours }, () => ({ good: 0, bad: 0, rows: 0 }))
  for (const job of jobs) {
    const at = Math.floor((millis(job.startTime) - begin) / hour)
    if (at < 0 || at >= kHours) continue
    if (job.status === 'failed') slots[at].bad++
    else slots[at].good++
    slots[at].rows += job.rowsSynced
  }
  const most = Math.max(4, ...slots.map((s) => s.good + s.bad))
  const kHeight = 92
  const label = (i: number) => String(new Date(begin + i * hour).getHours()).padStart(2, '0') + ':00'
  return (
    <figure class="daychart">
      <svg viewBox={`0 0 480 ${kHeight + 20}`} role="img" aria-label={`Jobs of the last 24 hours: ${jobs.filter((j) => j.status === 'failed').length} failed`}>
        <line x1="0" x2="480" y1={kHeight + 0.5} y2={kHeight + 0.5} class="axis" />
        {slots.map((s, i) => {
          const g = (s.good / most) * (kHeight - 6)
          const b = (s.bad / most) * (kHeight - 6)
          return (
            <g key={i}>
              <title>{`${label(i)}: ${s.good} went well, ${s.bad} failed, ${s.rows} rows`}</title>
              <rect x={i * 20} y={0} width={20} height={kHeight} class="hit" />
              {s.good > 0 && <rect x={i * 20 + 3} y={kHeight - g} width={14} height={g} rx={2} class="good" />}
              {s.bad > 0 && <rect x={i * 20 + 3} y={kHeight - g - b - (s.good ? 1.5 : 0)} width={14} height={b} rx={2} class="bad" />}
              {i % 6 === 0 && (
                <text x={i * 20 + 1} y={kHeight + 15}>
                  {label(i)}
                </text>
              )}
            </g>
          )
        })}
        <text x="479" y={kHeight + 15} text-anchor="end">
          now
        </text>
      </svg>
    </figure>
  )
}
