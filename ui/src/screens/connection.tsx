import { useState } from 'preact/hooks'
import { Play, Trash2 } from 'lucide-preact'
import { api, type List, type Problem } from '../api/client'
import { healthOf, isOpen, useConnectors, useDestinations, useJob, useJobs, useSources } from '../api/data'
import { invalidate, refresh, useQuery } from '../api/query'
import type { Connection, JobSummary, StreamState } from '../api/types'
import { Button, Card, Destroy, Dialog, Empty, Facts, Page, ProblemBox, Shown, Status, Tabs, Time } from '../parts/basics'
import { JobBars } from '../parts/bars'
import { bytes, count, duration, exact, millis, plural, scheduleText, streamName } from '../parts/format'
import { Json } from '../parts/json'
import { ScheduleEditor } from '../parts/schedule'
import { lacks, resolve, StreamPicker, toConfig } from '../parts/streams'
import { Table } from '../parts/table'
import { attempt, say } from '../parts/toast'
import { Yaml } from '../parts/yaml'
import { navigate } from '../router'
import { streamColumns } from './job'
import { jobColumns } from './jobs'
import { useCatalog } from './wizard'

interface Revision {
  revision: number
  createdAt: string
  principal: string
  resource: Connection
}

export function ConnectionScreen({ id, tab = 'status' }: { id: string; tab?: string }) {
  const connection = useQuery(`connections:${id}`, () => api.get<Connection>('/v1/connections/{id}', { path: { id } }))
  const sources = useSources()
  const destinations = useDestinations()
  const jobs = useJobs(id)
  const c = connection.data
  const running = jobs.data?.find((j) => isOpen(j.status))
  const source = sources.data?.find((s) => s.sourceId === c?.sourceId)
  const destination = destinations.data?.find((d) => d.destinationId === c?.destinationId)
  const base = `/connections/${id}`
  const sync = async () => {
    const job = await attempt(() => api.post<JobSummary>('/v1/jobs', { body: { connectionId: id, jobType: 'sync' } }))
    if (job) {
      say(`Job ${job.jobId} runs`, { href: `/jobs/${job.jobId}` })
      jobs.reload()
    }
  }
  return (
    <Page
      title={c?.name ?? ' '}
      crumbs={[['Connections', '/connections']]}
      lead={
        c && (
          <>
            <Status status={c.status === 'inactive' ? 'inactive' : running ? running.status : healthOf(jobs.data ?? [])} />
            <span>
              <a href={`/sources/${c.sourceId}`}>{source?.name ?? '…'}</a> → <a href={`/destinations/${c.destinationId}`}>{destination?.name ?? '…'}</a>
            </span>
            <span class="muted">{scheduleText(c.schedule)}</span>
          </>
        )
      }
      actions={
        c && (
          <>
            {running ? (
              <Button href={`/jobs/${running.jobId}`}>Job {running.jobId} runs</Button>
            ) : (
              <Button kind="primary" icon={Play} onClick={sync}>
                Sync now
              </Button>
            )}
          </>
        )
      }
    >
      <Tabs
        current={tab}
        tabs={[
          ['status', 'Status', base],
          ['timeline', 'Timeline', `${base}/timeline`],
          ['streams', 'Streams', `${base}/streams`],
          ['state', 'State', `${base}/state`],
          ['settings', 'Settings', `${base}/settings`],
          ['yaml', 'YAML', `${base}/yaml`],
        ]}
      />
      <Shown query={connection}>
        {(one) =>
          tab === 'timeline' ? (
            <Timeline connection={one} jobs={jobs.data ?? []} />
          ) : tab === 'streams' ? (
            <Streams connection={one} reload={connection.reload} />
          ) : tab === 'state' ? (
            <States connection={one} />
          ) : tab === 'settings' ? (
            <Settings key={one.revision} connection={one} reload={connection.reload} />
          ) : tab === 'yaml' ? (
            <Card title="As a resource file">
              <Yaml documents={[asDocument(one, source?.name, destination?.name)]} />
            </Card>
          ) : (
            <Shown query={jobs}>{(j) => <StatusTab jobs={j} start={sync} />}</Shown>
          )
        }
      </Shown>
    </Page>
  )
}

function StatusTab({ jobs, start }: { jobs: JobSummary[]; start: () => void }) {
  const syncs = jobs.filter((j) => j.jobType !== 'check' && j.jobType !== 'discover')
  const newest = syncs[0]
  if (!newest)
    return (
      <Card flush>
        <Empty title="It has never run" icon={Play} actions={<Button kind="primary" onClick={start}>Sync now</Button>}>
          The first sync reads each stream whole and makes its table.
        </Empty>
      </Card>
    )
  const last = syncs.find((j) => j.status === 'succeeded')
  return (
    <div class="stack">
      <LatestJob id={newest.jobId} last={last} jobs={syncs} />
      <Card title="Jobs" flush>
        <Table label="Jobs" rows={syncs} columns={jobColumns(false)} keyOf={(j) => j.jobId} href={(j) => `/jobs/${j.jobId}`} />
      </Card>
    </div>
  )
}

function LatestJob({ id, last, jobs }: { id: number; last: JobSummary | undefined; jobs: JobSummary[] }) {
  const job = useJob(String(id))
  return (
    <Shown query={job} rows={4}>
      {(j) => {
        const open = isOpen(j.status)
        return (
          <>
            {j.failure && <ProblemBox problem={{ ...j.failure, title: j.partial ? `Job ${id} left some streams incomplete` : `Job ${id} failed` }} />}
            <div class="figures">
              <div class="figure">
                <div class="figure-name">Last success</div>
                <div class="figure-value">
                  <Time at={last?.lastUpdatedAt} empty="never" />
                </div>
                <div class="figure-more">{last ? `took ${duration(millis(last.lastUpdatedAt) - millis(last.startTime))}` : ' '}</div>
              </div>
              <div class={`figure ${open ? 'busy' : ''}`}>
                <div class="figure-name">{open ? 'Rows so far' : 'Rows, last job'}</div>
                <div class="figure-value">{count(open ? j.streams.reduce((n, s) => n + s.rowsRead, 0) : j.rowsSynced)}</div>
                <div class="figure-more">{bytes(open ? j.streams.reduce((n, s) => n + s.bytesRead, 0) : j.bytesSynced)}</div>
              </div>
              <div class="figure">
                <div class="figure-name">Recent jobs</div>
                <div class="figure-bars">
                  <JobBars jobs={jobs} most={28} />
                </div>
                <div class="figure-more">{plural(jobs.filter((x) => x.status === 'failed').length, 'failure')} of {count(jobs.length)}</div>
              </div>
            </div>
            <Card title={<>Streams <a class="tally" href={`/jobs/${id}`}>in job {id}</a></>} flush>
              {j.streams.length === 0 ? <Empty title={open ? 'Not found yet' : 'The job ended before it came to a stream'} /> : <Table label="Streams" rows={j.streams} columns={streamColumns(open)} keyOf={streamName} sortName="streamSort" />}
            </Card>
          </>
        )
      }}
    </Shown>
  )
}

function Timeline({ connection, jobs }: { connection: Connection; jobs: JobSummary[] }) {
  const revisions = useQuery(`connections:${connection.connectionId}:revisions`, async () => (await api.get<List<Revision>>('/v1/connections/{id}/revisions', { path: { id: connection.connectionId } })).data)
  return (
    <Card flush title="What happened, newest first">
      <Shown query={revisions}>
        {(all) => {
          const entries = [
            ...jobs.map((j) => ({ at: millis(j.startTime), job: j, revision: null as Revision | null, before: null as Revision | null })),
            ...all.map((r, i) => ({ at: millis(r.createdAt), job: null as JobSummary | null, revision: r, before: all[i + 1] ?? null })),
          ].sort((a, b) => b.at - a.at)
          return (
            <ul class="list timeline">
              {entries.slice(0, 500).map((e) =>
                e.job ? (
                  <li key={`j${e.job.jobId}`}>
                    <time class="num muted" title={exact(e.at)}>
                      {exact(e.at)}
                    </time>
                    <Status status={e.job.partial ? 'partial' : e.job.status} />
                    <span>
                      <a href={`/jobs/${e.job.jobId}`}>
                        {e.job.jobType[0].toUpperCase() + e.job.jobType.slice(1)}, job {e.job.jobId}
                      </a>{' '}
                      <span class="muted">
                        by {e.job.principal}, {plural(e.job.rowsSynced, 'row')}
                      </span>
                      {e.job.failure && <span class="hint block">{e.job.failure.message}</span>}
                    </span>
                  </li>
                ) : (
                  <li key={`r${e.revision!.revision}`}>
                    <time class="num muted" title={exact(e.at)}>
                      {exact(e.at)}
                    </time>
                    <span class="muted">{e.revision!.revision === 1 ? 'Created' : 'Changed'}</span>
                    <span>
                      Revision {e.revision!.revision} <span class="muted">by {e.revision!.principal}</span>
                      {e.before && <span class="hint block">{changesOf(e.before.resource, e.revision!.resource)}</span>}
                    </span>
                  </li>
                ),
              )}
            </ul>
          )
        }}
      </Shown>
    </Card>
  )
}

function changesOf(before: any, after: any): string {
  const skip = new Set(['updatedAt', 'revision'])
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((k) => !skip.has(k) && JSON.stringify(before[k]) !== JSON.stringify(after[k]))
  return names.map((n) => (typeof after[n] === 'object' ? `${n} changed` : `${n}: ${before[n] ?? '–'} → ${after[n] ?? '–'}`)).join('; ')
}

function Streams({ connection, reload }: { connection: Connection; reload: () => void }) {
  const catalog = useCatalog(connection.sourceId)
  const connectors = useConnectors()
  const sources = useSources()
  const destinations = useDestinations()
  const [chosen, setChosen] = useState<any[] | null>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const a = connectors.data?.find((x) => x.name === sources.data?.find((s) => s.sourceId === connection.sourceId)?.sourceType)?.sourceModes ?? []
  const b = connectors.data?.find((x) => x.name === destinations.data?.find((d) => d.destinationId === connection.destinationId)?.destinationType)?.destinationModes ?? []
  return (
    <Card flush title="Streams and how they are read" actions={<Button size="small" busy={catalog.loading} onClick={catalog.reload}>Look again</Button>}>
      <Shown query={catalog} rows={6}>
        {(all) => {
          const now = chosen ?? resolve(connection.configurations.streams, all)
          const missing = (connection.configurations.streams ?? []).filter((s) => !s.name.includes('*') && !all.some((c) => streamName(c) === streamName(s)))
          const faults = now.filter(lacks)
          return (
            <>
              {missing.length > 0 && (
                <p class="notice warn flat">
                  The source no longer has {missing.map(streamName).join(', ')}. {missing.length === 1 ? 'It is' : 'They are'} dropped from the connection when you save.
                </p>
              )}
              <StreamPicker catalog={all} modes={a.filter((m) => b.includes(m))} chosen={now} onChange={setChosen} />
              {problem && <ProblemBox problem={problem} />}
              <div class="foot">
                <span class="muted">{faults.length ? `${streamName(faults[0])} ${lacks(faults[0])}` : chosen ? 'Not saved yet' : ''}</span>
                {chosen && <Button kind="quiet" onClick={() => setChosen(null)}>Put back</Button>}
                <Button
                  kind="primary"
                  busy={busy}
                  disabled={!chosen || now.length === 0 || faults.length > 0}
                  onClick={async () => {
                    setBusy(true)
                    setProblem(null)
                    try {
                      await api.patch('/v1/connections/{id}', { path: { id: connection.connectionId }, body: { configurations: { streams: now.map(toConfig) } } })
                      setChosen(null)
                      invalidate('connections')
                      reload()
                      say('Saved; the next job uses it')
                    } catch (cause) {
                      setProblem(cause as Problem)
                    } finally {
                      setBusy(false)
                    }
                  }}
                >
                  Save
                </Button>
              </div>
            </>
          )
        }}
      </Shown>
    </Card>
  )
}

function States({ connection }: { connection: Connection }) {
  const id = connection.connectionId
  const states = useQuery(`state:${id}`, async () => (await api.get<{ streams: StreamState[] }>('/v1/connections/{id}/state', { path: { id } })).streams)
  const [editing, setEditing] = useState<StreamState | null>(null)
  const [past, setPast] = useState<StreamState | null>(null)
  return (
    <div class="stack">
      <Shown query={states}>
        {(all) =>
          all.length === 0 ? (
            <Card flush>
              <Empty title="No stream has a state">Streams that are read whole each time need none. An incremental one has the point where its next job goes on.</Empty>
            </Card>
          ) : (
            all.map((s) => (
              <Card
                key={streamName(s)}
                title={<>{streamName(s)} <span class="tally">revision {s.revision}</span></>}
                actions={
                  <>
                    <Button size="small" onClick={() => setPast(s)}>History</Button>
                    <Button size="small" onClick={() => setEditing(s)}>Edit</Button>
                  </>
                }
              >
                <div class="stack">
                  <Facts
                    items={[
                      ['Set by', s.jobId ? <a href={`/jobs/${s.jobId}`}>Job {s.jobId}</a> : s.author],
                      ['When', <Time at={s.updatedAt} />],
                    ]}
                  />
                  <Json value={s.state} />
                </div>
              </Card>
            ))
          )
        }
      </Shown>
      {editing && <EditState id={id} state={editing} onClose={() => setEditing(null)} done={states.reload} />}
      {past && <PastStates id={id} state={past} onClose={() => setPast(null)} done={states.reload} />}
    </div>
  )
}

function EditState({ id, state, onClose, done }: { id: string; state: StreamState; onClose: () => void; done: () => void }) {
  const [text, setText] = useState(JSON.stringify(state.state, null, 2))
  const [fault, setFault] = useState('')
  return (
    <Dialog title={`State of ${streamName(state)}`} onClose={onClose} wide>
      <form
        onSubmit={async (e) => {
          e.preventDefault()
          try {
            const value = JSON.parse(text)
            if (await attempt(() => api.put('/v1/connections/{id}/state', { path: { id }, body: { streams: [{ namespace: state.namespace, name: state.name, state: value }] } }), 'The next job starts from there')) {
              done()
              onClose()
            }
          } catch (cause) {
            setFault(`This is no JSON: ${(cause as Error).message}`)
          }
        }}
      >
        <div class="dialog-text">
          <p>The next job of this stream starts from here. Rows at the destination stay as they are: an earlier point reads rows again, a later one leaves rows out. <code>null</code> reads everything again.</p>
        </div>
        <label class="field">
          <span class="field-label">State</span>
          <textarea class="code" rows={12} value={text} onInput={(e) => setText(e.currentTarget.value)} spellcheck={false} />
          {fault && <span class="fault">{fault}</span>}
        </label>
        <div class="dialog-foot">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" type="submit">
            Save as a new revision
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function PastStates({ id, state, onClose, done }: { id: string; state: StreamState; onClose: () => void; done: () => void }) {
  const past = useQuery(`state:${id}:${streamName(state)}`, async () => (await api.get<List<StreamState>>('/v1/connections/{id}/state/history', { path: { id }, query: { namespace: state.namespace, name: state.name } })).data)
  return (
    <Dialog title={`Past states of ${streamName(state)}`} onClose={onClose} wide>
      <Shown query={past}>
        {(all) => (
          <ul class="list bordered past">
            {all.map((s, i) => (
              <li key={s.revision}>
                <div class="row">
                  <strong class="num">Revision {s.revision}</strong>
                  <span class="muted">
                    by {s.jobId ? `job ${s.jobId}` : s.author}, <Time at={s.updatedAt} />
                  </span>
                  {i > 0 && (
                    <span class="spread">
                      <Button
                        size="small"
                        onClick={async () => {
                          if (await attempt(() => api.put('/v1/connections/{id}/state', { path: { id }, body: { streams: [{ namespace: s.namespace, name: s.name, state: s.state ?? null }] } }), `State is as in revision ${s.revision}`)) {
                            done()
                            onClose()
                          }
                        }}
                      >
                        Go back to it
                      </Button>
                    </span>
                  )}
                </div>
                <pre>{JSON.stringify(s.state)}</pre>
              </li>
            ))}
          </ul>
        )}
      </Shown>
      <div class="dialog-foot">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  )
}

const kPolicies: [string, string][] = [
  ['propagate_columns', 'Take new columns'],
  ['propagate_fully', 'Take new columns and new streams'],
  ['ignore', 'Leave them out'],
  ['disable_connection', 'Stop the connection'],
]

function Settings({ connection, reload }: { connection: Connection; reload: () => void }) {
  const id = connection.connectionId
  const [draft, setDraft] = useState({ name: connection.name, prefix: connection.prefix, status: connection.status, schedule: connection.schedule, nonBreakingSchemaUpdatesBehavior: connection.nonBreakingSchemaUpdatesBehavior, metadataColumns: connection.metadataColumns })
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [removing, setRemoving] = useState(false)
  const changes = Object.fromEntries(Object.entries(draft).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify((connection as any)[k])))
  const set = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part })
  return (
    <div class="stack">
      <Card title="Settings">
        <form
          class="form"
          onSubmit={async (e) => {
            e.preventDefault()
            setBusy(true)
            setProblem(null)
            try {
              await api.patch('/v1/connections/{id}', { path: { id }, body: changes })
              invalidate('connections')
              reload()
              say('Saved as a new revision')
            } catch (cause) {
              setProblem(cause as Problem)
            } finally {
              setBusy(false)
            }
          }}
        >
          <label class="field">
            <span class="field-label">Name</span>
            <input type="text" required value={draft.name} onInput={(e) => set({ name: e.currentTarget.value })} />
          </label>
          <label class="check">
            <input type="checkbox" checked={draft.status === 'active'} onChange={(e) => set({ status: e.currentTarget.checked ? 'active' : 'inactive' })} />
            <span>
              <strong>Active</strong>
              <span class="hint block">While it is inactive no schedule fires.</span>
            </span>
          </label>
          <ScheduleEditor value={draft.schedule} onChange={(s) => set({ schedule: s })} />
          <label class="field">
            <span class="field-label">Prefix of the tables</span>
            <input type="text" value={draft.prefix} onInput={(e) => set({ prefix: e.currentTarget.value })} />
            <span class="hint">Another prefix means other tables: the present ones stay and are no longer written.</span>
          </label>
          <label class="field">
            <span class="field-label">When the source changes its schema</span>
            <select value={draft.nonBreakingSchemaUpdatesBehavior} onChange={(e) => set({ nonBreakingSchemaUpdatesBehavior: e.currentTarget.value })}>
              {kPolicies.map(([v, text]) => (
                <option key={v} value={v}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span class="field-label">Columns added to yours</span>
            <select value={draft.metadataColumns} onChange={(e) => set({ metadataColumns: e.currentTarget.value })}>
              <option value="none">None</option>
              <option value="minimal">What the mode needs</option>
              <option value="airbyte">Airbyte's, under Airbyte's names</option>
            </select>
          </label>
          {problem && <ProblemBox problem={problem} />}
          <div class="form-foot">
            <Button kind="primary" type="submit" busy={busy} disabled={Object.keys(changes).length === 0}>
              Save
            </Button>
          </div>
        </form>
      </Card>
      <Card title="Delete this connection">
        <div class="row">
          <p class="muted">Its streams, schedule and state go. The tables at the destination stay.</p>
          <span class="spread">
            <Button kind="danger" icon={Trash2} onClick={() => setRemoving(true)}>
              Delete
            </Button>
          </span>
        </div>
      </Card>
      {removing && (
        <Destroy
          title={`Delete ${connection.name}?`}
          name={connection.name}
          verb="Delete"
          onClose={() => setRemoving(false)}
          act={async () => {
            await api.delete('/v1/connections/{id}', { path: { id } })
            refresh('connections')
            navigate('/connections')
          }}
        >
          <p>What goes:</p>
          <ul>
            <li>its choice of streams, its schedule and its settings</li>
            <li>the state of each stream: a new connection reads everything again</li>
          </ul>
          <p>Tables and rows at the destination stay, and so do past jobs and their histories.</p>
        </Destroy>
      )}
    </div>
  )
}

function asDocument(c: Connection, source = '', destination = '') {
  const { name, schedule, status, namespaceDefinition, namespaceFormat, prefix, nonBreakingSchemaUpdatesBehavior, metadataColumns, configurations } = c
  return {
    apiVersion: 'millrace/v1',
    kind: 'Connection',
    metadata: { name },
    spec: { source, destination, status, schedule, namespaceDefinition, ...(namespaceFormat ? { namespaceFormat } : {}), prefix, nonBreakingSchemaUpdatesBehavior, metadataColumns, ...(configurations.streams?.length ? { configurations } : {}) },
  }
}
