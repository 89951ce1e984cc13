// What starts by itself, and when: the coming runs as a calendar, each schedule with what it did and what it missed.
import { useState } from 'preact/hooks'
import { CalendarClock, Pause, Play, Rewind, Zap } from 'lucide-preact'
import { api, type List, type Path } from '../api/client'
import { useConnections } from '../api/data'
import { useHas } from '../api/features'
import { invalidate, useQuery } from '../api/query'
import { Button, Card, Dialog, Empty, Facts, Loading, Page, Shown, Status, Tag, Time } from '../parts/basics'
import { count, exact, now } from '../parts/format'
import { Json } from '../parts/json'
import { Table } from '../parts/table'
import { attempt } from '../parts/toast'

interface Upcoming {
  nominalTime: string
  time: string
  localTime: string
}
interface Run {
  nominalTime: string
  cause: string
  workflowId: string
  runId: string
  startedAt: string
  status: string
}
interface Schedule {
  scheduleId: string
  connectionId: string | null
  spec: any
  action: any
  overlapPolicy: string
  catchUpWindowSeconds: number
  pauseOnFailure: boolean
  paused: boolean
  note: string
  remainingActions: number | null
  nextRuns: Upcoming[]
  running: Run[]
  waiting: { nominalTime: string; cause: string }[]
  recentRuns: Run[]
  missed: { nominalTime: string; cause: string; reason: string; detail: string; count: number; noticedAt: string }[]
  counters: Record<string, number>
}

const kList = '/v1/schedules' as Path
const kOne = '/v1/schedules/{id}' as Path
const verbPath = (verb: string) => `/v1/schedules/{id}/${verb}` as Path

function timesText(spec: any): string {
  const parts: string[] = []
  for (const c of spec.crons ?? []) parts.push(c)
  for (const i of spec.intervals ?? []) parts.push(`every ${i.everySeconds % 3600 === 0 ? `${i.everySeconds / 3600} h` : i.everySeconds % 60 === 0 ? `${i.everySeconds / 60} min` : `${i.everySeconds} s`}`)
  if (spec.calendars?.length) parts.push(`${spec.calendars.length} calendar${spec.calendars.length > 1 ? 's' : ''}`)
  return (parts.join(', ') || 'never') + (spec.timeZone ? ` · ${spec.timeZone}` : '')
}

export function Schedules() {
  const has = useHas('/v1/schedules')
  const schedules = useQuery(has ? 'schedules' : null, async () => (await api.get<List<Schedule>>(kList, { query: { limit: 1000 } })).data)
  const connections = useConnections()
  const nameOf = (s: Schedule) => connections.data?.find((c) => c.connectionId === s.connectionId)?.name ?? s.scheduleId
  if (has === undefined) return <Page title="Schedules"><Loading /></Page>
  if (!has)
    return (
      <Page title="Schedules">
        <Card flush>
          <Empty title="This server has no schedules" icon={CalendarClock}>
            Connections run when somebody, or a program, asks for it.
          </Empty>
        </Card>
      </Page>
    )
  return (
    <Page title="Schedules">
      <Shown query={schedules}>
        {(all) =>
          all.length === 0 ? (
            <Card flush>
              <Empty title="Nothing is scheduled" icon={CalendarClock}>
                Give a connection a schedule in its settings; it appears here with its coming runs.
              </Empty>
            </Card>
          ) : (
            <div class="stack">
              <Calendar schedules={all} nameOf={nameOf} />
              <Card title="All schedules" flush>
                <Table
                  label="Schedules"
                  rows={all}
                  keyOf={(s) => s.scheduleId}
                  href={(s) => `/schedules/${encodeURIComponent(s.scheduleId)}`}
                  columns={[
                    { id: 'name', name: 'Schedule', width: '2fr', narrow: true, sort: nameOf, cell: (s) => <a class="name" href={`/schedules/${encodeURIComponent(s.scheduleId)}`}>{nameOf(s)}</a> },
                    { id: 'times', name: 'Times', width: '1.4fr', cell: (s) => <span class="muted">{timesText(s.spec)}</span> },
                    { id: 'state', name: 'State', width: '110px', narrow: true, cell: (s) => <Status status={s.paused ? 'paused' : s.running.length ? 'running' : 'active'} /> },
                    { id: 'next', name: 'Next', width: '120px', sort: (s) => s.nextRuns[0]?.time ?? '9', cell: (s) => <Time at={s.nextRuns[0]?.time} empty="none" /> },
                    { id: 'last', name: 'Last run', width: '120px', cell: (s) => (s.recentRuns[0] ? <Status status={s.recentRuns[0].status} /> : <span class="muted">none</span>) },
                    { id: 'missed', name: 'Missed', width: '80px', align: 'right', cell: (s) => count(s.missed.reduce((n, m) => n + m.count, 0)) },
                  ]}
                />
              </Card>
            </div>
          )
        }
      </Shown>
    </Page>
  )
}

// The coming runs, day by day.
function Calendar({ schedules, nameOf }: { schedules: Schedule[]; nameOf: (s: Schedule) => string }) {
  const runs = schedules.flatMap((s) => s.nextRuns.map((r) => ({ at: Date.parse(r.time), s }))).sort((a, b) => a.at - b.at).slice(0, 24)
  const days = new Map<string, typeof runs>()
  for (const r of runs) {
    const day = exact(r.at).slice(0, 10)
    days.set(day, [...(days.get(day) ?? []), r])
  }
  return (
    <Card title="Coming runs" flush>
      {runs.length === 0 ? (
        <Empty title="No run is coming" />
      ) : (
        <div class="calendar">
          {[...days].map(([day, all]) => (
            <section key={day}>
              <h3>{day === exact(now.value).slice(0, 10) ? 'Today' : day}</h3>
              <ul>
                {all.map((r) => (
                  <li key={r.s.scheduleId + r.at}>
                    <span class="num">{exact(r.at).slice(11, 16)}</span>
                    <a class="ellipsis" href={`/schedules/${encodeURIComponent(r.s.scheduleId)}`}>
                      {nameOf(r.s)}
                    </a>
                    <span class="muted nowrap">
                      <Time at={r.at} />
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
    </Card>
  )
}

export function ScheduleScreen({ id }: { id: string }) {
  const schedule = useQuery(`schedules:${id}`, () => api.get<Schedule>(kOne, { path: { id } }))
  const [filling, setFilling] = useState(false)
  const s = schedule.data
  const act = (verb: string, said: string) => attempt(() => api.post(verbPath(verb), { path: { id }, body: {} }), said).then(() => invalidate('schedules'))
  return (
    <Page
      title={id}
      crumbs={[['Schedules', '/schedules']]}
      lead={s && <><Status status={s.paused ? 'paused' : 'active'} /><span>{timesText(s.spec)}</span>{s.connectionId && <a href={`/connections/${s.connectionId}`}>its connection</a>}</>}
      actions={
        s && (
          <>
            <Button icon={Zap} onClick={() => void act('trigger', 'Triggered')}>
              Trigger now
            </Button>
            <Button icon={Rewind} onClick={() => setFilling(true)}>
              Backfill
            </Button>
            {s.paused ? (
              <Button kind="primary" icon={Play} onClick={() => void act('unpause', 'It fires again')}>
                Go on
              </Button>
            ) : (
              <Button icon={Pause} onClick={() => void act('pause', 'It fires no more until it goes on')}>
                Pause
              </Button>
            )}
          </>
        )
      }
    >
      <Shown query={schedule}>
        {(one) => (
          <div class="columns">
            <div class="stack">
              <Card title="Recent runs" flush>
                {one.recentRuns.length === 0 ? (
                  <Empty title="It has not fired yet" />
                ) : (
                  <ul class="list">
                    {one.recentRuns.map((r) => (
                      <li key={r.runId} class="row">
                        <Status status={r.status || 'started'} />
                        <a href={`/executions/${encodeURIComponent(r.workflowId)}`}>{r.workflowId}</a>
                        <Tag>{r.cause}</Tag>
                        <span class="muted spread">
                          <Time at={r.startedAt} />
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
              </Card>
              <Card title="Missed" flush>
                {one.missed.length === 0 ? (
                  <Empty title="Nothing was missed" />
                ) : (
                  <ul class="list">
                    {one.missed.map((m) => (
                      <li key={m.nominalTime + m.reason}>
                        <div class="row">
                          <span class="num">{exact(Date.parse(m.nominalTime))}</span>
                          <Tag tone="warn">{m.reason}</Tag>
                          {m.count > 1 && <span class="tally">{count(m.count)} times</span>}
                        </div>
                        <p class="hint">{m.detail}</p>
                      </li>
                    ))}
                  </ul>
                )}
              </Card>
            </div>
            <div class="stack">
              <Card title="Next runs" flush>
                {one.nextRuns.length === 0 ? (
                  <Empty title={one.paused ? 'It is paused' : 'No run is coming'} />
                ) : (
                  <ul class="list">
                    {one.nextRuns.map((r) => (
                      <li key={r.nominalTime} class="row">
                        <span class="num">{r.localTime.replace('T', ' ')}</span>
                        <span class="muted spread">
                          <Time at={r.time} />
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
              </Card>
              <Card title="How it fires">
                <div class="stack">
                  <Facts
                    items={[
                      ['Overlap', one.overlapPolicy.replace(/_/g, ' ')],
                      ['Catches up', `${count(one.catchUpWindowSeconds)} s`],
                      ['Note', one.note || '–'],
                    ]}
                  />
                  <Json value={one.spec} />
                </div>
              </Card>
            </div>
          </div>
        )}
      </Shown>
      {filling && <Backfill id={id} onClose={() => setFilling(false)} />}
    </Page>
  )
}

function Backfill({ id, onClose }: { id: string; onClose: () => void }) {
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  return (
    <Dialog title="Backfill" onClose={onClose}>
      <form
        onSubmit={async (e) => {
          e.preventDefault()
          const body = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
          if (await attempt(() => api.post(verbPath('backfill'), { path: { id }, body }), 'The times of that range start one after the other')) {
            invalidate('schedules')
            onClose()
          }
        }}
      >
        <div class="dialog-text">
          <p>Starts each time of the schedule that lies in this range, both ends included, one after the other.</p>
        </div>
        <label class="field">
          <span class="field-label">From</span>
          <input type="datetime-local" required value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="field-label">To</span>
          <input type="datetime-local" required value={to} onInput={(e) => setTo(e.currentTarget.value)} />
        </label>
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" type="submit">
            Backfill
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
