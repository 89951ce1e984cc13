import { useState } from 'preact/hooks'
import { Ban, History, RefreshCw, RotateCcw, ShieldCheck, Undo2 } from 'lucide-preact'
import { api } from '../api/client'
import { isOpen, useJob } from '../api/data'
import { useEnum } from '../api/features'
import { invalidate } from '../api/query'
import type { Job, JobStream } from '../api/types'
import { Button, Card, Dialog, Empty, Facts, Menu, Meter, Page, ProblemBox, Shown, Status, Tabs, Tag, Time, type MenuItem } from '../parts/basics'
import { bytes, count, duration, exact, millis, now, plural, short, streamName } from '../parts/format'
import { Gantt, type GanttRow } from '../parts/gantt'
import { Json } from '../parts/json'
import { Log } from '../parts/log'
import { Table, type Column } from '../parts/table'
import { attempt, say } from '../parts/toast'
import { navigate } from '../router'

const kReplays: Record<string, { label: string; icon: any; hint: string; text: string; verb: string }> = {
  verify: { label: 'Verify', icon: ShieldCheck, hint: 'Run today’s code against its history', text: 'Runs today’s code against the recorded history and compares each decision. No step is run, no row is touched.', verb: 'Verify' },
  rerun: { label: 'Run again', icon: RefreshCw, hint: 'Same input, same revisions, same state', text: 'Starts a new job with the recorded input: the same revisions of source, destination and connection, and the state that this job started from. Rows are read and written again.', verb: 'Run again' },
  reset: { label: 'Reset to a step', icon: History, hint: 'Keep the history up to a step, go on from there', text: 'Keeps the history up to the step and goes on from there in a new run. Steps before it are not run again; it never takes rows back.', verb: 'Reset' },
  redeliver: { label: 'Deliver again', icon: Undo2, hint: 'The very rows, without the source', text: 'Writes the very rows of this job again, from the change log or the archive. The source is not touched.', verb: 'Deliver again' },
}

export function JobScreen({ id, tab = 'overview' }: { id: string; tab?: string }) {
  const query = useJob(id)
  const modes = useEnum('JobReplay', 'mode', ['verify'])
  const [replay, setReplay] = useState<string | null>(null)
  const [cancelling, setCancelling] = useState(false)
  const job = query.data
  const open = job ? isOpen(job.status) : false
  const items: MenuItem[] = modes.filter((m) => kReplays[m]).map((m) => ({ label: kReplays[m].label, icon: kReplays[m].icon, hint: kReplays[m].hint, act: () => setReplay(m) }))
  const again = async () => {
    const made = await attempt(() => api.post<Job>('/v1/jobs', { body: { connectionId: job!.connectionId, jobType: job!.jobType } }))
    if (made) navigate(`/jobs/${made.jobId}`)
  }
  return (
    <Page
      title={`Job ${id}`}
      crumbs={[['Jobs', '/jobs']]}
      lead={
        job && (
          <>
            <Status status={job.partial ? 'partial' : job.status} />
            <span>{job.jobType}</span>
            {job.connectionId && <a href={`/connections/${job.connectionId}`}>{job.connectionName}</a>}
            <span class="muted">
              started <Time at={job.startTime} /> by {job.principal}
            </span>
          </>
        )
      }
      actions={
        job && (
          <>
            {open && (
              <Button kind="danger" icon={Ban} onClick={() => setCancelling(true)}>
                Cancel
              </Button>
            )}
            {!open && job.connectionId && (job.jobType === 'sync' || job.jobType === 'normalize') && (
              <Button icon={RotateCcw} onClick={again}>
                Sync again
              </Button>
            )}
            <Menu label="Replay" items={items} />
          </>
        )
      }
    >
      <Tabs
        current={tab}
        tabs={[
          ['overview', 'Overview', `/jobs/${id}`],
          ['log', 'Log', `/jobs/${id}/log`],
          ['details', 'Details', `/jobs/${id}/details`],
        ]}
      />
      <Shown query={query} rows={8}>
        {(j) =>
          tab === 'log' ? (
            <Card flush>
              <Log jobId={j.jobId} open={open} />
            </Card>
          ) : tab === 'details' ? (
            <Details job={j} />
          ) : (
            <JobOverview job={j} />
          )
        }
      </Shown>
      {replay && job && <Replay job={job} mode={replay} onClose={() => setReplay(null)} />}
      {cancelling && job && (
        <Dialog title={`Cancel job ${id}?`} onClose={() => setCancelling(false)}>
          <div class="dialog-text">
            <p>
              The step that runs is asked to stop at its next checkpoint. Rows that are committed stay at the destination; the next job of {job.connectionName ?? 'this connection'} goes on from there.
            </p>
          </div>
          <div class="dialog-foot">
            <Button onClick={() => setCancelling(false)}>Let it run</Button>
            <Button
              kind="danger"
              onClick={async () => {
                setCancelling(false)
                if (await attempt(() => api.delete('/v1/jobs/{id}', { path: { id } }))) {
                  say(`Job ${id} is being cancelled`)
                  query.reload()
                }
              }}
            >
              Cancel the job
            </Button>
          </div>
        </Dialog>
      )}
    </Page>
  )
}

function rowsOf(job: Job): GanttRow[] {
  return job.steps.map((s) => ({
    id: s.activityId,
    name: s.name,
    status: s.status,
    attempts: (s.attempts ?? []).map((a) => ({ number: a.number, start: millis(a.startTime), end: a.endTime ? millis(a.endTime) : null, failed: Boolean(a.failure), note: a.failure?.message })),
  }))
}

export function JobOverview({ job }: { job: Job }) {
  const open = isOpen(job.status)
  const end = open ? now.value : millis(job.lastUpdatedAt)
  const rate = job.streams.reduce((sum, s) => sum + (open ? s.rate : 0), 0)
  const took = end - millis(job.startTime)
  const read = job.streams.reduce((sum, s) => sum + s.rowsRead, 0)
  const retrying = job.steps.find((s) => s.status === 'incomplete' || s.nextAttemptTime)
  return (
    <div class="stack">
      {job.failure && <ProblemBox problem={{ ...job.failure, title: job.partial ? 'Some streams are not complete' : 'The job failed' }} />}
      {open && job.waitingFor && (
        <div class="notice">
          <Status status="waiting" /> for {job.waitingFor.reason} in the queue {job.waitingFor.queue}, place {count(job.waitingFor.position)}. {job.waitingFor.detail}
        </div>
      )}
      {open && retrying?.failure && (
        <div class="notice warn">
          <Status status="retrying" /> {retrying.name}: {retrying.failure.message} {retrying.nextAttemptTime && <span class="muted">Next attempt <Time at={retrying.nextAttemptTime} /></span>}
        </div>
      )}
      <div class="figures">
        <div class="figure">
          <div class="figure-name">Rows committed</div>
          <div class="figure-value" title={count(job.rowsSynced)}>
            {count(job.rowsSynced)}
          </div>
          <div class="figure-more">{count(read)} read</div>
        </div>
        <div class="figure">
          <div class="figure-name">Size</div>
          <div class="figure-value">{bytes(job.bytesSynced)}</div>
          <div class="figure-more">committed</div>
        </div>
        <div class="figure">
          <div class="figure-name">Duration</div>
          <div class="figure-value">{duration(took)}</div>
          <div class="figure-more">{open ? 'so far' : `ended ${exact(end)}`}</div>
        </div>
        <div class={`figure ${open ? 'busy' : ''}`}>
          <div class="figure-name">{open ? 'Rows per second' : 'Rows per second, on average'}</div>
          <div class="figure-value">{short(open ? rate : took > 0 ? (job.rowsSynced / took) * 1000 : 0)}</div>
          <div class="figure-more">{slowSide(job.streams)}</div>
        </div>
      </div>
      <Card title="Steps" flush>
        {job.steps.length === 0 ? <Empty title="No step yet" /> : <Gantt rows={rowsOf(job)} from={millis(job.startTime)} to={open ? null : end} />}
      </Card>
      {job.steps
        .filter((s) => s.failure && s.attempts.length > 1)
        .map((s) => (
          <Card key={s.activityId} title={`Attempts of ${s.name}`} flush>
            <ul class="list">
              {s.attempts.map((a) => (
                <li key={a.number} class="attempt">
                  <strong>Attempt {a.number}</strong>
                  <span class="muted">
                    {exact(millis(a.startTime))}, {a.endTime ? duration(millis(a.endTime) - millis(a.startTime)) : 'runs'}
                  </span>
                  <span class="cause">{a.failure?.message ?? (a.endTime ? 'went well' : '')}</span>
                </li>
              ))}
            </ul>
          </Card>
        ))}
      {job.streams.length > 0 && (
        <Card title={<>Streams <span class="tally">{count(job.streams.length)}</span></>} flush>
          <Table label="Streams" rows={job.streams} columns={streamColumns(open)} keyOf={streamName} sortName="streamSort" />
        </Card>
      )}
    </div>
  )
}

function slowSide(streams: JobStream[]): string {
  const sides = new Set(streams.filter((s) => s.status === 'running').map((s) => s.slowSide).filter(Boolean))
  if (sides.size === 1) return `the ${[...sides][0]} sets the pace`
  return ' '
}

export function streamColumns(open: boolean): Column<JobStream>[] {
  return [
    {
      id: 'name',
      name: 'Stream',
      width: 'minmax(150px, 2fr)',
      narrow: true,
      sort: streamName,
      cell: (s) => (
        <span class="two-lines">
          <span class="strong ellipsis">{streamName(s)}</span>
          {s.failure ? (
            <small class="bad-text" title={s.failure.message}>
              {s.failure.message}
            </small>
          ) : (
            s.rowsQuarantined > 0 && <small>{plural(s.rowsQuarantined, 'value')} in quarantine</small>
          )}
        </span>
      ),
    },
    { id: 'status', name: 'Status', width: '112px', narrow: true, sort: (s) => s.status, cell: (s) => <Status status={s.status} /> },
    {
      id: 'progress',
      name: 'Progress',
      width: 'minmax(120px, 1.2fr)',
      cell: (s) => {
        const expected = Math.max(s.rowsEstimate ?? 0, s.rowsRead)
        const part = s.status === 'succeeded' || s.status === 'complete' ? 1 : expected > 0 ? s.rowsRead / expected : 0
        const left = open && s.rate > 0 && expected > s.rowsRead ? (expected - s.rowsRead) / s.rate : 0
        return (
          <span class="progress">
            <Meter part={part} label={`Progress of ${streamName(s)}`} />
            <small class="muted num">{left ? `${duration(left * 1000)} left` : `${Math.floor(part * 100)} %`}</small>
          </span>
        )
      },
    },
    { id: 'read', name: 'Read', width: '96px', align: 'right', sort: (s) => s.rowsRead, cell: (s) => <span title={`${bytes(s.bytesRead)} read`}>{count(s.rowsRead)}</span> },
    { id: 'committed', name: 'Committed', width: '96px', align: 'right', sort: (s) => s.rowsCommitted, cell: (s) => <span title={`${bytes(s.bytesCommitted)} committed`}>{count(s.rowsCommitted)}</span> },
    { id: 'rate', name: 'Rows/s', width: '78px', align: 'right', sort: (s) => s.rate, cell: (s) => (open && s.rate ? short(s.rate) : '–') },
    { id: 'consistency', name: 'Read as', width: '112px', cell: (s) => (s.consistency ? <Tag>{s.consistency.replace(/_/g, ' ')}</Tag> : '–') },
  ]
}

function Details({ job }: { job: Job }) {
  const kinds = { connection: 'connections', source: 'sources', destination: 'destinations' } as const
  return (
    <div class="stack">
      <Card title="What it ran with">
        <Facts
          items={[
            ['Execution', <a href={`/executions/${encodeURIComponent(job.workflowId)}`}>{job.workflowId}</a>],
            ['Run', <code>{job.runId}</code>],
            ...(Object.keys(kinds) as (keyof typeof kinds)[])
              .filter((k) => job.revisions[k])
              .map((k): [string, any] => [
                k[0].toUpperCase() + k.slice(1),
                <>
                  <a href={`/${kinds[k]}/${job.revisions[k]!.id}`}>{k === 'connection' ? job.connectionName : job.revisions[k]!.id}</a> <span class="muted">revision {job.revisions[k]!.revision}</span>
                </>,
              ]),
            ['Started', exact(millis(job.startTime), true)],
            ['Last change', exact(millis(job.lastUpdatedAt), true)],
          ]}
        />
      </Card>
      <Card title="As the API shows it">
        <Json value={job} open={1} />
      </Card>
    </div>
  )
}

function Replay({ job, mode, onClose }: { job: Job; mode: string; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const [step, setStep] = useState(job.steps[job.steps.length - 1]?.name ?? '')
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<any>(null)
  const [verified, setVerified] = useState<{ eventsChecked: number; divergence: any } | null>(null)
  const what = kReplays[mode]
  const act = async (e: Event) => {
    e.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const body: Record<string, unknown> = { mode }
      if (mode === 'reset') body.step = step
      if (reason) body.reason = reason
      const answer = await api.post<any>('/v1/jobs/{id}/replay', { path: { id: job.jobId }, body })
      if (mode === 'verify') setVerified(answer)
      else {
        invalidate('jobs', `job:${job.jobId}`)
        onClose()
        if (answer?.jobId) navigate(`/jobs/${answer.jobId}`)
        say(answer?.jobId ? `Job ${answer.jobId} runs` : 'Done')
      }
    } catch (cause) {
      setProblem(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={`${what.label}: job ${job.jobId}`} onClose={onClose}>
      <form onSubmit={act}>
        <div class="dialog-text">
          <p>{what.text}</p>
        </div>
        {mode === 'reset' && (
          <label class="field">
            <span class="field-label">Step to do again</span>
            <select value={step} onChange={(e) => setStep(e.currentTarget.value)}>
              {job.steps.map((s) => (
                <option key={s.activityId} value={s.name}>
                  {s.name}
                </option>
              ))}
            </select>
          </label>
        )}
        {mode !== 'verify' && (
          <label class="field">
            <span class="field-label">
              Reason <span class="muted">optional</span>
            </span>
            <input type="text" value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
        )}
        {problem && <ProblemBox problem={problem} />}
        {verified && (
          <div class={`notice ${verified.divergence ? 'bad' : 'good'}`} role="status">
            {verified.divergence ? (
              <>
                <Status status="blocked" label="Differs" /> at event {verified.divergence.eventId}: the history has <code>{verified.divergence.expected}</code>, today's code asks for <code>{verified.divergence.got}</code>.
              </>
            ) : (
              <>
                <Status status="succeeded" label="Same" /> {plural(verified.eventsChecked, 'event')} checked; today's code decides the same.
              </>
            )}
          </div>
        )}
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          {!verified && (
            <Button kind="primary" type="submit" busy={busy}>
              {what.verb}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  )
}
