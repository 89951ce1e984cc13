// When a connection runs: by hand, every so often, or by a cron expression, with its next times in words.
import { useEffect, useState } from 'preact/hooks'
import { api, type Path, type Problem } from '../api/client'
import { useHas } from '../api/features'
import type { ConnectionSchedule } from '../api/types'
import { exact, relative } from './format'

const kEvery = ['Every 5 minutes', 'Every 15 minutes', 'Every hour', 'Every 2 hours', 'Every 6 hours', 'Every 12 hours', 'Every 24 hours']
const kCrons: [string, string][] = [
  ['0 * * * *', 'hourly, on the hour'],
  ['0 3 * * *', 'every night at 03:00'],
  ['0 6 * * 1-5', 'working days at 06:00'],
  ['0 0 1 * *', 'on the first of each month'],
]
const zones = (): string[] => (Intl as any).supportedValuesOf?.('timeZone') ?? ['UTC']

export function ScheduleEditor({ value, onChange }: { value: ConnectionSchedule; onChange: (s: ConnectionSchedule) => void }) {
  const can = useHas('/v1/schedules')
  const set = (type: string) => {
    if (type === 'cron') onChange({ scheduleType: 'cron', cronExpression: '0 * * * *', cronTimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' })
    else if (type === 'basic') onChange({ scheduleType: 'basic', basicTiming: 'Every hour' })
    else onChange({ scheduleType: 'manual' })
  }
  const kinds: [string, string, string][] = [
    ['manual', 'By hand', 'It runs when somebody, or a program, asks for it.'],
    ...(can
      ? ([
          ['basic', 'Every so often', 'It runs again and again with this pause between two starts.'],
          ['cron', 'By the clock', 'It runs at the times of a cron expression.'],
        ] as [string, string, string][])
      : []),
  ]
  return (
    <div class="form">
      <fieldset class="field">
        <legend class="field-label">When it runs</legend>
        <div class="stack tight">
          {kinds.map(([type, title, text]) => (
            <label class="check" key={type}>
              <input type="radio" name="schedule" checked={value.scheduleType === type} onChange={() => set(type)} />
              <span>
                <strong>{title}</strong>
                <span class="hint block">{text}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      {value.scheduleType === 'basic' && (
        <label class="field">
          <span class="field-label">Interval</span>
          <select value={value.basicTiming} onChange={(e) => onChange({ ...value, basicTiming: e.currentTarget.value })}>
            {[...new Set([...(value.basicTiming ? [value.basicTiming] : []), ...kEvery])].map((e) => (
              <option key={e}>{e}</option>
            ))}
          </select>
        </label>
      )}
      {value.scheduleType === 'cron' && (
        <>
          <label class="field">
            <span class="field-label">Cron expression</span>
            <input type="text" class="mono" list="crons" value={value.cronExpression} onInput={(e) => onChange({ ...value, cronExpression: e.currentTarget.value })} spellcheck={false} />
            <datalist id="crons">
              {kCrons.map(([c, text]) => (
                <option key={c} value={c}>
                  {text}
                </option>
              ))}
            </datalist>
            <span class="hint">Five fields as in Unix: minute, hour, day, month, weekday. Six or seven fields are Quartz, seconds first.</span>
          </label>
          <label class="field">
            <span class="field-label">Time zone</span>
            <input type="text" list="zones" value={value.cronTimeZone ?? 'UTC'} onInput={(e) => onChange({ ...value, cronTimeZone: e.currentTarget.value })} />
            <datalist id="zones">
              {zones().map((z) => (
                <option key={z} value={z} />
              ))}
            </datalist>
          </label>
          <NextTimes spec={{ crons: [value.cronExpression ?? ''], timeZone: value.cronTimeZone || 'UTC' }} />
        </>
      )}
    </div>
  )
}

export function NextTimes({ spec }: { spec: Record<string, unknown> }) {
  const [times, setTimes] = useState<{ nominalTime: string; localTime: string }[] | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const text = JSON.stringify(spec)
  useEffect(() => {
    const abort = new AbortController()
    const timer = setTimeout(() => {
      api.post<{ data: { nominalTime: string; localTime: string }[] }>('/v1/schedules/preview' as Path, { body: { spec: JSON.parse(text), count: 3 }, signal: abort.signal }).then(
        (answer) => {
          setTimes(answer.data)
          setProblem(null)
        },
        (cause) => !abort.signal.aborted && setProblem(cause as Problem),
      )
    }, 250)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [text])
  if (problem) return <p class="fault">{problem.errors?.[0]?.detail ?? problem.detail}</p>
  if (!times) return null
  return (
    <div class="notice">
      <strong>Next runs</strong>
      <ul>
        {times.map((t) => (
          <li key={t.nominalTime} title={exact(Date.parse(t.nominalTime))}>
            <span class="num">{t.localTime.replace('T', ' ')}</span> <span class="muted">{relative(Date.parse(t.nominalTime), Date.now())}</span>
          </li>
        ))}
        {times.length === 0 && <li>never</li>}
      </ul>
    </div>
  )
}
