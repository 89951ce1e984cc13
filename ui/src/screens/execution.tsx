import { useEffect, useRef, useState } from 'preact/hooks'
import { ChevronLeft, ChevronRight, FastForward, Octagon, Pause, Play, RotateCcw, Send, Wrench } from 'lucide-preact'
import { api, type List } from '../api/client'
import { useLive } from '../api/live'
import { useQuery } from '../api/query'
import type { ExecutionDetail, ExecutionStep, HistoryEvent } from '../api/types'
import { Button, Card, CopyButton, Destroy, Dialog, Empty, Facts, Menu, Page, ProblemBox, Shown, Status, Tabs, Tag, Time, type MenuItem } from '../parts/basics'
import { bytes, clockTime, count, duration, exact, millis, now, plural } from '../parts/format'
import { Gantt } from '../parts/gantt'
import { Json } from '../parts/json'
import { attempt } from '../parts/toast'
import { query, setQuery } from '../router'
import { groupsOf, wordsOf, type Group } from './history'

const kPiece = 5000
const isRunning = (status: string) => status === 'Running' || status === 'Paused'

// The whole history, in pieces; then what is added.
function useHistory(id: string, run: string | undefined, length: number | undefined) {
  const events = useRef<HistoryEvent[]>([])
  const [, redraw] = useState(0)
  const [done, setDone] = useState(false)
  const busy = useRef(false)
  useEffect(() => {
    events.current = []
    setDone(false)
  }, [id, run])
  useEffect(() => {
    if (!run || busy.current) return
    let on = true
    busy.current = true
    const load = async () => {
      for (;;) {
        const after = events.current[events.current.length - 1]?.id ?? 0
        const page = await api.get<List<HistoryEvent>>('/v1/workflows/{id}/history', { path: { id }, query: { runId: run, after, limit: kPiece } })
        if (!on) return
        const last = events.current[events.current.length - 1]?.id ?? 0
        events.current = events.current.concat(page.data.filter((e) => e.id > last))
        redraw((n) => n + 1)
        if (!page.next) break
      }
      setDone(true)
    }
    load()
      .catch(() => on && setDone(true))
      .finally(() => (busy.current = false))
    return () => {
      on = false
      busy.current = false
    }
  }, [id, run, length])
  return { events: events.current, done }
}

export function ExecutionScreen({ id, tab = 'timeline' }: { id: string; tab?: string }) {
  const run = query.value.get('run') ?? undefined
  const detail = useQuery(`execution:${id}:${run ?? ''}`, () => api.get<ExecutionDetail>('/v1/workflows/{id}', { path: { id }, query: { runId: run } }))
  const e = detail.data
  useLive(e && isRunning(e.status) ? `execution:${id}` : null, () => detail.reload())
  const history = useHistory(id, e?.runId, e?.historyLength)
  const [dialog, setDialog] = useState<string | null>(null)
  const suffix = run ? `?run=${run}` : ''
  const base = `/executions/${encodeURIComponent(id)}`
  const post = (verb: 'pause' | 'unpause' | 'cancel', said: string) => attempt(() => api.post(`/v1/workflows/{id}/${verb}`, { path: { id }, query: { runId: run }, body: {} }), said).then(() => detail.reload())
  const open = e ? isRunning(e.status) : false
  const items: MenuItem[] = [
    { label: 'Send a signal', icon: Send, disabled: !open, act: () => setDialog('signal') },
    { label: 'Cancel', icon: Octagon, hint: 'Ask it to end; it may clean up', disabled: !open, act: () => void post('cancel', 'It was asked to end') },
    { label: 'Reset', icon: RotateCcw, hint: 'Go on from an event in a new run', act: () => setDialog('reset') },
    { label: 'Terminate', icon: Octagon, hint: 'End it at once, nothing cleans up', danger: true, disabled: !open, act: () => setDialog('terminate') },
  ]
  const pending = e?.steps.filter((s) => !s.closeTime) ?? []
  return (
    <Page
      title={id}
      crumbs={[['Executions', '/executions']]}
      lead={
        e && (
          <>
            <Status status={e.blocked ? 'blocked' : e.status} />
            <Tag>{e.type}</Tag>
            <span class="muted">
              started <Time at={e.startTime} /> · {duration((e.closeTime ? millis(e.closeTime) : now.value) - millis(e.startTime))} · {plural(e.historyLength, 'event')}
            </span>
            {e.memo?.jobId && <a href={`/jobs/${e.memo.jobId}`}>Job {e.memo.jobId}</a>}
          </>
        )
      }
      actions={
        e && (
          <>
            {open && e.status !== 'Paused' && (
              <Button icon={Pause} onClick={() => void post('pause', 'Paused: no step begins until it goes on')}>
                Pause
              </Button>
            )}
            {e.status === 'Paused' && (
              <Button icon={Play} kind="primary" onClick={() => void post('unpause', 'It goes on')}>
                Go on
              </Button>
            )}
            <Menu label="Act" icon={Wrench} items={items} />
          </>
        )
      }
    >
      <Tabs
        current={tab}
        tabs={[
          ['timeline', 'Timeline', base + suffix],
          ['events', 'Events', `${base}/events${suffix}`],
          ['pending', <>Pending {pending.length > 0 && <span class="tally">{pending.length}</span>}</>, `${base}/pending${suffix}`],
          ['relations', 'Relations', `${base}/relations${suffix}`],
          ['data', 'Input and result', `${base}/data${suffix}`],
          ['json', 'JSON', `${base}/json${suffix}`],
        ]}
      />
      <Shown query={detail} rows={8}>
        {(d) => (
          <div class="stack">
            {d.divergence && (
              <div class="notice bad">
                <Status status="blocked" /> at event {d.divergence.eventId}: the history has <code>{d.divergence.expected}</code>, today's code asks for <code>{d.divergence.got}</code> ({d.divergence.position}). It waits until the code fits again, or it is reset.
              </div>
            )}
            {d.failure && <ProblemBox problem={{ ...d.failure, ...(d.failure.details as any), message: d.failure.message, title: 'The execution failed' }} />}
            {tab === 'events' ? (
              <Events events={history.events} done={history.done} />
            ) : tab === 'pending' ? (
              <Pending id={id} run={run} steps={pending} timers={d.timers} reload={detail.reload} />
            ) : tab === 'relations' ? (
              <Relations d={d} />
            ) : tab === 'data' ? (
              <div class="stack">
                <Card title="Input">
                  <Json value={d.input} />
                </Card>
                <Card title="Result">{d.result === null ? <Empty title={open ? 'Not yet' : 'No result'} /> : <Json value={d.result} />}</Card>
                {d.memo && (
                  <Card title="Memo">
                    <Json value={d.memo} />
                  </Card>
                )}
              </div>
            ) : tab === 'json' ? (
              <Card title="History as stored" actions={<CopyButton text={JSON.stringify(history.events, null, 1)} label="Copy the history" />}>
                <Json value={history.events.slice(0, 2000)} open={1} />
                {history.events.length > 2000 && <p class="hint">The first 2,000 events. The copy button takes all.</p>}
              </Card>
            ) : (
              <Timeline groups={groupsOf(history.events)} d={d} done={history.done} />
            )}
          </div>
        )}
      </Shown>
      {e && dialog === 'terminate' && (
        <Destroy
          title="Terminate this execution?"
          name={id}
          verb="Terminate"
          onClose={() => setDialog(null)}
          act={async () => {
            await api.post('/v1/workflows/{id}/terminate', { path: { id }, query: { runId: run }, body: { reason: 'terminated in the web UI' } })
            detail.reload()
          }}
        >
          <p>It ends at once: {pending.length > 0 ? `${plural(pending.length, 'step')} that wait or run are dropped, ` : ''}no code of it runs any more and nothing is cleaned up. Its history stays. Cancel asks it to end in good order instead.</p>
        </Destroy>
      )}
      {e && dialog === 'signal' && <SignalDialog id={id} run={run} onClose={() => setDialog(null)} />}
      {e && dialog === 'reset' && <ResetDialog d={e} onClose={() => setDialog(null)} done={() => setQuery({ run: null })} />}
    </Page>
  )
}

function Timeline({ groups, d, done }: { groups: Group[]; d: ExecutionDetail; done: boolean }) {
  const [at, setAt] = useState<string | null>(null)
  if (groups.length === 0) return done ? <Empty title="No event" /> : <Card flush>…</Card>
  const rows = groups.filter((g) => g.kind !== 'execution').slice(0, 400)
  const chosen = groups.find((g) => g.key === at)
  return (
    <>
      <Card title="Steps, timers and children" flush>
        {rows.length === 0 ? (
          <Empty title="Nothing was decided yet" />
        ) : (
          <Gantt
            from={millis(d.startTime)}
            to={d.closeTime ? millis(d.closeTime) : null}
            rows={rows.map((g) => {
              const step = d.steps.find((s) => g.kind === 'step' && g.events[0].id === s.scheduledEventId)
              return {
                id: g.key,
                name: g.name,
                status: step?.status ?? g.status,
                scheduled: g.start,
                attempts: step?.attempts.length
                  ? step.attempts.map((a) => ({ number: a.attempt, start: millis(a.startTime), end: a.endTime ? millis(a.endTime) : null, failed: Boolean(a.failure), note: a.failure?.message }))
                  : [{ number: 1, start: g.start, end: g.end, failed: g.status === 'failed' }],
              }
            })}
          />
        )}
      </Card>
      <Card title="What belongs together" flush>
        <ul class="list groups">
          {groups.slice(0, 1000).map((g) => (
            <li key={g.key}>
              <button type="button" class="group-head" aria-expanded={at === g.key} onClick={() => setAt(at === g.key ? null : g.key)}>
                <ChevronRight size={14} aria-hidden="true" class={at === g.key ? 'turned' : ''} />
                <span class="num muted">{g.events[0].id}</span>
                <Tag>{g.kind}</Tag>
                <span class="strong ellipsis">{g.name}</span>
                <Status status={g.status} />
                <span class="tally">{g.attempts > 1 ? plural(g.attempts, 'attempt') : ''}</span>
                <span class="spread num muted">{g.end === null ? 'open' : duration(g.end - g.start)}</span>
              </button>
              {chosen === g && (
                <div class="group-events">
                  {g.failure && <ProblemBox problem={g.failure} />}
                  {g.events.map((e) => (
                    <EventLine key={e.id} event={e} open />
                  ))}
                </div>
              )}
            </li>
          ))}
        </ul>
      </Card>
    </>
  )
}

function EventLine({ event, open }: { event: HistoryEvent; open?: boolean }) {
  return (
    <div class="event" id={`event-${event.id}`}>
      <div class="event-head">
        <span class="num muted">{event.id}</span>
        <strong>{wordsOf(event.type)}</strong>
        <time class="num muted spread" dateTime={event.time} title={exact(millis(event.time), true)}>
          {clockTime(millis(event.time))}
        </time>
      </div>
      {open && Object.keys(event.attributes).length > 0 && <Json value={event.attributes} open={1} />}
    </div>
  )
}

// Event by event: the history as it was decided, with keys to walk it.
function Events({ events, done }: { events: HistoryEvent[]; done: boolean }) {
  const at = Number(query.value.get('event') ?? 0)
  const list = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const kRow = 32
  const index = Math.max(0, Math.min(events.length - 1, (at || 1) - 1))
  const chosen = events[index]
  const go = (i: number) => {
    const to = Math.max(0, Math.min(events.length - 1, i))
    setQuery({ event: String(to + 1) })
    const box = list.current
    if (!box) return
    if (to * kRow < box.scrollTop) box.scrollTop = to * kRow
    else if ((to + 1) * kRow > box.scrollTop + box.clientHeight) box.scrollTop = (to + 1) * kRow - box.clientHeight
  }
  useEffect(() => {
    if (at > 1 && list.current) list.current.scrollTop = Math.max(0, (at - 5) * kRow)
  }, [done])
  if (events.length === 0) return done ? <Empty title="No event" /> : <Card>Loading…</Card>
  const first = Math.max(0, Math.floor(top / kRow) - 10)
  const last = Math.min(events.length, first + 60)
  return (
    <div class="columns walk">
      <Card
        flush
        title={<>Events <span class="tally">{count(events.length)}</span></>}
        actions={
          <>
            <Button size="small" icon={ChevronLeft} aria-label="Event before" onClick={() => go(index - 1)} disabled={index === 0} />
            <span class="num">
              {index + 1} of {count(events.length)}
            </span>
            <Button size="small" icon={ChevronRight} aria-label="Next event" onClick={() => go(index + 1)} disabled={index === events.length - 1} />
          </>
        }
      >
        <div
          class="event-list"
          ref={list}
          role="listbox"
          aria-label="Events"
          aria-activedescendant={`e-${index}`}
          tabIndex={0}
          onScroll={(e) => setTop(e.currentTarget.scrollTop)}
          onKeyDown={(e) => {
            const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[e.key]
            if (step === undefined) return
            e.preventDefault()
            go(index + step)
          }}
        >
          <div style={{ height: `${first * kRow}px` }} role="presentation" />
          {events.slice(first, last).map((e, i) => (
            <div key={e.id} id={`e-${first + i}`} role="option" aria-selected={first + i === index} class="event-row" onClick={() => go(first + i)}>
              <span class="num muted">{e.id}</span>
              <span class="ellipsis">{wordsOf(e.type)}</span>
              <span class="muted ellipsis">{e.attributes.activityId ?? e.attributes.activityType ?? e.attributes.timerId ?? ''}</span>
              <span class="num muted">{clockTime(millis(e.time))}</span>
            </div>
          ))}
          <div style={{ height: `${Math.max(0, events.length - last) * kRow}px` }} role="presentation" />
        </div>
      </Card>
      <Card title={chosen ? `${chosen.id} · ${wordsOf(chosen.type)}` : ''} class="stick">
        {chosen && (
          <div class="stack">
            <Facts
              items={[
                ['Time', exact(millis(chosen.time), true)],
                ['Type', <code>{chosen.type}</code>],
                ...(index > 0 ? [['After the event before', duration(millis(chosen.time) - millis(events[index - 1].time))] as [string, string]] : []),
              ]}
            />
            <Json value={chosen.attributes} open={2} />
          </div>
        )}
      </Card>
    </div>
  )
}

function Pending({ id, run, steps, timers, reload }: { id: string; run?: string; steps: ExecutionStep[]; timers: ExecutionDetail['timers']; reload: () => void }) {
  const act = (step: ExecutionStep, verb: 'retry' | 'pause' | 'unpause' | 'reset', said: string) =>
    attempt(() => api.post(`/v1/workflows/{id}/activities/{activityId}/${verb}`, { path: { id, activityId: step.activityId }, query: { runId: run }, body: {} }), said).then(reload)
  if (steps.length === 0 && timers.length === 0) return <Card flush><Empty title="Nothing is pending">No step waits or runs, and no timer is set.</Empty></Card>
  return (
    <div class="stack">
      {steps.map((s) => (
        <Card
          key={s.activityId}
          title={<>{s.type} <span class="tally mono">{s.activityId}</span></>}
          actions={
            <>
              <Status status={s.paused ? 'paused' : s.status} />
              {s.status === 'BackingOff' && (
                <Button size="small" icon={FastForward} onClick={() => void act(s, 'retry', 'The next attempt starts now')}>
                  Try now
                </Button>
              )}
              {s.paused ? (
                <Button size="small" icon={Play} onClick={() => void act(s, 'unpause', 'The step goes on')}>
                  Go on
                </Button>
              ) : (
                <Button size="small" icon={Pause} onClick={() => void act(s, 'pause', 'No further attempt starts')}>
                  Hold
                </Button>
              )}
            </>
          }
        >
          <div class="stack">
            <Facts
              items={[
                ['Scheduled', exact(millis(s.scheduledTime), true)],
                ['Queue', s.queue],
                ['Attempts', count(s.attempts.length)],
                ...(s.nextAttemptTime ? ([['Next attempt', <Time at={s.nextAttemptTime} />]] as [string, any][]) : []),
                ...(s.waitingFor ? ([['Waits for', `${s.waitingFor.reason}, place ${s.waitingFor.position}`]] as [string, any][]) : []),
              ]}
            />
            {s.lastFailure && <ProblemBox problem={{ ...s.lastFailure, title: 'The last attempt failed' }} />}
            {s.attempts.length > 1 && (
              <ul class="list bordered">
                {s.attempts.map((a) => (
                  <li key={a.attempt} class="attempt">
                    <strong>Attempt {a.attempt}</strong>
                    <span class="muted">
                      {exact(millis(a.startTime))}, {a.endTime ? duration(millis(a.endTime) - millis(a.startTime)) : 'runs'}
                    </span>
                    <span class="cause">{a.failure?.message}</span>
                  </li>
                ))}
              </ul>
            )}
            {s.heartbeatDetails !== null && <Json value={s.heartbeatDetails} open={1} label="Copy the heartbeat" />}
          </div>
        </Card>
      ))}
      {timers.length > 0 && (
        <Card title="Timers">
          <Facts items={timers.map((t): [string, any] => [String(t.timerId), <Time at={(t.fireTime ?? t.dueTime) as string} />])} />
        </Card>
      )}
    </div>
  )
}

function Relations({ d }: { d: ExecutionDetail }) {
  return (
    <Card title="Family">
      <div class="stack">
        <Facts
          items={[
            ['Parent', d.parent ? <a href={`/executions/${encodeURIComponent(d.parent.workflowId)}?run=${d.parent.runId}`}>{d.parent.workflowId}</a> : 'none'],
            ['First run', d.firstRunId === d.runId ? 'this one' : <a href={`/executions/${encodeURIComponent(d.workflowId)}?run=${d.firstRunId}`}><code>{d.firstRunId}</code></a>],
            ['This run', <code>{d.runId}</code>],
            ...(d.continuedRunId ? ([['Went on as', <a href={`/executions/${encodeURIComponent(d.workflowId)}?run=${d.continuedRunId}`}><code>{d.continuedRunId}</code></a>]] as [string, any][]) : []),
            ['History', `${plural(d.historyLength, 'event')}, ${bytes(d.historySizeBytes)}`],
          ]}
        />
        {d.children.length === 0 ? (
          <p class="muted">It started no child.</p>
        ) : (
          <ul class="list bordered">
            {d.children.map((c) => (
              <li key={c.workflowId} class="row">
                <a class="strong" href={`/executions/${encodeURIComponent(c.workflowId)}`}>
                  {c.workflowId}
                </a>
                <Tag>{c.type}</Tag>
                <span class="spread">
                  <Status status={c.status} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  )
}

function SignalDialog({ id, run, onClose }: { id: string; run?: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const [input, setInput] = useState('')
  const [fault, setFault] = useState('')
  return (
    <Dialog title="Send a signal" onClose={onClose}>
      <form
        onSubmit={async (e) => {
          e.preventDefault()
          let body: unknown
          try {
            body = input.trim() ? JSON.parse(input) : undefined
          } catch (cause) {
            setFault(`This is no JSON: ${(cause as Error).message}`)
            return
          }
          if (await attempt(() => api.post('/v1/workflows/{id}/signal', { path: { id }, query: { runId: run }, body: { name, ...(body === undefined ? {} : { input: body }) } }), `Signal ${name} is in the history`)) onClose()
        }}
      >
        <label class="field">
          <span class="field-label">Name</span>
          <input type="text" value={name} onInput={(e) => setName(e.currentTarget.value)} required autofocus />
        </label>
        <label class="field">
          <span class="field-label">
            Input <span class="muted">JSON, optional</span>
          </span>
          <textarea class="code" rows={5} value={input} onInput={(e) => setInput(e.currentTarget.value)} spellcheck={false} />
          {fault && <span class="fault">{fault}</span>}
        </label>
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" type="submit">
            Send
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function ResetDialog({ d, onClose, done }: { d: ExecutionDetail; onClose: () => void; done: () => void }) {
  const [step, setStep] = useState(d.steps[d.steps.length - 1]?.activityId ?? '')
  const [reason, setReason] = useState('')
  return (
    <Dialog title="Reset to a step" onClose={onClose}>
      <form
        onSubmit={async (e) => {
          e.preventDefault()
          const made = await attempt(() => api.post<{ runId: string }>('/v1/workflows/{id}/reset', { path: { id: d.workflowId }, query: { runId: d.runId }, body: { step, ...(reason ? { reason } : {}) } }), 'A new run goes on from there')
          if (made) {
            onClose()
            done()
          }
        }}
      >
        <div class="dialog-text">
          <p>A new run keeps the history before the step and does the step again. {isRunning(d.status) ? 'The run that is open is terminated with it. ' : ''}It never takes rows back.</p>
        </div>
        <label class="field">
          <span class="field-label">Step to do again</span>
          <select value={step} onChange={(e) => setStep(e.currentTarget.value)}>
            {d.steps.map((s) => (
              <option key={s.activityId} value={s.activityId}>
                {s.activityId} · {s.status}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="field-label">
            Reason <span class="muted">optional</span>
          </span>
          <input type="text" value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </label>
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" type="submit" disabled={!step}>
            Reset
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
