// A new connection, step by step. Where one is, and what was chosen, stands in the address; going back loses nothing.
import { useEffect, useState } from 'preact/hooks'
import { Check } from 'lucide-preact'
import { api, newKey, type Problem } from '../api/client'
import { useConnectors, useDestinations, useSources } from '../api/data'
import { invalidate, useQuery } from '../api/query'
import type { Actor, CatalogStream, Connection, ConnectionSchedule, JobSummary, StreamConfig } from '../api/types'
import { Button, Card, Empty, Facts, Loading, Page, ProblemBox, Shown } from '../parts/basics'
import { modeName, plural, scheduleText, streamName } from '../parts/format'
import { ScheduleEditor } from '../parts/schedule'
import { lacks, resolve, StreamPicker, toConfig } from '../parts/streams'
import { say } from '../parts/toast'
import { Yaml } from '../parts/yaml'
import { navigate, query, setQuery } from '../router'
import { ActorForm, ConnectorTiles } from './actor'
import { whereOf } from './actors'

const kSteps = [
  ['source', 'Source'],
  ['destination', 'Destination'],
  ['streams', 'Streams'],
  ['schedule', 'Schedule'],
  ['review', 'Review'],
] as const
type Step = (typeof kSteps)[number][0]

interface Draft {
  streams: StreamConfig[] | null
  schedule: ConnectionSchedule
  name: string
  prefix: string
}
// Outlives a step back in the browser's history, not a reload.
let kept: Draft = { streams: null, schedule: { scheduleType: 'manual' }, name: '', prefix: '' }

export const useCatalog = (sourceId: string | null) =>
  useQuery(sourceId ? `catalog:${sourceId}` : null, async () => {
    const found = await api.post<any>('/v1/sources/{id}/discover', { path: { id: sourceId! } })
    if (!found.catalog) throw await failureOf(found)
    return found.catalog.streams as CatalogStream[]
  })

async function failureOf(found: any): Promise<unknown> {
  const { Problem } = await import('../api/client')
  const job = found.jobId ? await api.get<any>('/v1/jobs/{id}', { path: { id: found.jobId } }).catch(() => null) : null
  const f = job?.failure ?? found
  return new Problem({ title: 'the streams could not be found', code: f.code ?? '', detail: f.message ?? 'The job that looks for them has failed.', remedy: f.remedy ?? '' })
}

export function Wizard() {
  const sources = useSources()
  const destinations = useDestinations()
  const connectors = useConnectors()
  const sourceId = query.value.get('sourceId')
  const destinationId = query.value.get('destinationId')
  const source = sources.data?.find((s) => s.sourceId === sourceId)
  const destination = destinations.data?.find((d) => d.destinationId === destinationId)
  const asked = query.value.get('step') as Step | null
  const step: Step = asked ?? (!sourceId ? 'source' : !destinationId ? 'destination' : 'streams')
  const [draft, setDraft] = useState(kept)
  const change = (part: Partial<Draft>) => {
    kept = { ...kept, ...part }
    setDraft(kept)
  }
  useEffect(() => {
    if (!asked && !sourceId) kept = { streams: null, schedule: { scheduleType: 'manual' }, name: '', prefix: '' }
  }, [])
  const go = (to: Step, more: Record<string, string> = {}) => {
    const next = new URLSearchParams(location.search)
    for (const [k, v] of Object.entries({ ...more, step: to })) next.set(k, v)
    next.delete('source')
    navigate(`/connections/new?${next}`)
    scrollTo(0, 0)
  }
  const catalog = useCatalog(step === 'streams' || step === 'review' ? sourceId : null)
  const modes = (s: Actor | undefined, d: Actor | undefined) => {
    const a = connectors.data?.find((c) => c.name === s?.sourceType)?.sourceModes ?? []
    const b = connectors.data?.find((c) => c.name === d?.destinationType)?.destinationModes ?? []
    return a.filter((m) => b.includes(m))
  }
  const at = kSteps.findIndex(([id]) => id === step)
  const reachable = (i: number) => i === 0 || (i === 1 && Boolean(sourceId)) || (i > 1 && Boolean(sourceId && destinationId))
  return (
    <Page title="New connection" crumbs={[['Connections', '/connections']]}>
      <ol class="steps" aria-label="Steps">
        {kSteps.map(([id, text], i) => (
          <li key={id} aria-current={id === step ? 'step' : undefined} class={i < at ? 'done' : ''}>
            <button type="button" disabled={!reachable(i)} onClick={() => go(id)}>
              <span class="step-mark">{i < at ? <Check size={13} aria-label="done" /> : i + 1}</span>
              {text}
            </button>
          </li>
        ))}
      </ol>
      {step === 'source' && <PickActor kind="sources" list={sources.data} onPick={(a) => (change({ streams: null }), go('destination', { sourceId: a.sourceId! }))} preset={query.value.get('source') ?? ''} />}
      {step === 'destination' && <PickActor kind="destinations" list={destinations.data} onPick={(a) => go('streams', { destinationId: a.destinationId! })} preset="" />}
      {step === 'streams' && (
        <Card flush title={<>Streams of {source?.name ?? '…'}</>}>
          {catalog.loading ? (
            <div role="status">
              <p class="pad muted">Looking for streams. A large database takes a moment.</p>
              <Loading rows={6} />
            </div>
          ) : (
            <Shown query={catalog}>
              {(all) => {
                const chosen = draft.streams ?? resolve(undefined, all)
                const faults = chosen.filter(lacks)
                if (all.length === 0) return <Empty title="The source has no stream">Look at whether the user may read a table, and at the schemas in the source's configuration.</Empty>
                return (
                  <>
                    <StreamPicker catalog={all} modes={modes(source, destination)} chosen={chosen} onChange={(s) => change({ streams: s })} />
                    <div class="foot">
                      <span class="muted">{faults.length > 0 ? `${streamName(faults[0])} ${lacks(faults[0])}` : chosen.length === 0 ? 'Choose at least one stream.' : ''}</span>
                      <Button
                        kind="primary"
                        disabled={chosen.length === 0 || faults.length > 0}
                        onClick={() => {
                          change({ streams: chosen })
                          go('schedule')
                        }}
                      >
                        Go on
                      </Button>
                    </div>
                  </>
                )
              }}
            </Shown>
          )}
        </Card>
      )}
      {step === 'schedule' && (
        <Card title="Schedule">
          <ScheduleEditor value={draft.schedule} onChange={(s) => change({ schedule: s })} />
          <div class="form-foot">
            <Button kind="primary" onClick={() => go('review')}>
              Go on
            </Button>
          </div>
        </Card>
      )}
      {step === 'review' && (source && destination ? <Review source={source} destination={destination} draft={draft} change={change} catalog={catalog.data} /> : <Loading />)}
    </Page>
  )
}

function PickActor({ kind, list, onPick, preset }: { kind: 'sources' | 'destinations'; list: Actor[] | undefined; onPick: (a: Actor) => void; preset: string }) {
  const connector = query.value.get('connector') ?? preset
  const noun = kind === 'sources' ? 'source' : 'destination'
  const [fresh, setFresh] = useState(Boolean(preset))
  const making = fresh || list?.length === 0
  return (
    <div class="stack">
      {list && list.length > 0 && (
        <Card title={`Use a ${noun} that is there`} flush>
          <ul class="list choose">
            {list.map((a) => (
              <li key={a.sourceId ?? a.destinationId}>
                <button type="button" class="choose-item" onClick={() => onPick(a)}>
                  <span class="strong">{a.name}</span>
                  <span class="muted mono ellipsis">{whereOf(a.configuration)}</span>
                  <span class="muted spread">{a.sourceType ?? a.destinationType}</span>
                </button>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {!making ? (
        <div>
          <Button onClick={() => setFresh(true)}>Make a new {noun}</Button>
        </div>
      ) : (
        <Card title={`New ${noun}`}>
          <div class="stack">
            <ConnectorTiles kind={kind} chosen={connector} onChoose={(c) => setQuery({ connector: c.name, source: null })} />
            {connector && <ActorForm key={connector} kind={kind} connector={connector} onMade={(a) => (setQuery({ connector: null }), onPick(a))} />}
          </div>
        </Card>
      )}
    </div>
  )
}

function Review({ source, destination, draft, change, catalog }: { source: Actor; destination: Actor; draft: Draft; change: (d: Partial<Draft>) => void; catalog: CatalogStream[] | undefined }) {
  const [sync, setSync] = useState(true)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [key] = useState(newKey)
  const chosen = draft.streams ?? resolve(undefined, catalog ?? [])
  const name = draft.name || `${source.name}-to-${destination.name}`
  const all = catalog && chosen.length === catalog.length && chosen.every((s) => s.syncMode === 'full_refresh_overwrite' && !s.selectedFields)
  const streams: StreamConfig[] | undefined = all ? undefined : chosen.map(toConfig)
  const shared = { schedule: draft.schedule, ...(draft.prefix ? { prefix: draft.prefix } : {}), ...(streams ? { configurations: { streams } } : {}) }
  const modes = new Map<string, number>()
  for (const s of chosen) modes.set(s.syncMode!, (modes.get(s.syncMode!) ?? 0) + 1)
  return (
    <div class="columns">
      <Card title="What will be made">
        <form
          class="form"
          onSubmit={async (e) => {
            e.preventDefault()
            setBusy(true)
            setProblem(null)
            try {
              const made = await api.post<Connection>('/v1/connections', { body: { name, sourceId: source.sourceId, destinationId: destination.destinationId, ...shared }, key: `${key}-${name}` })
              invalidate('connections')
              if (!sync) {
                say(`${name} is there`)
                navigate(`/connections/${made.connectionId}`)
                return
              }
              const job = await api.post<JobSummary>('/v1/jobs', { body: { connectionId: made.connectionId, jobType: 'sync' } })
              navigate(`/jobs/${job.jobId}`)
            } catch (cause) {
              setProblem(cause as Problem)
            } finally {
              setBusy(false)
            }
          }}
        >
          <label class="field">
            <span class="field-label">Name</span>
            <input type="text" required value={name} onInput={(e) => change({ name: e.currentTarget.value })} />
          </label>
          <label class="field">
            <span class="field-label">
              Prefix of the tables <span class="muted">optional</span>
            </span>
            <input type="text" value={draft.prefix} onInput={(e) => change({ prefix: e.currentTarget.value })} />
          </label>
          <Facts
            items={[
              ['From', source.name],
              ['To', destination.name],
              ['Streams', all ? `all, ${plural(chosen.length, 'stream')} now` : plural(chosen.length, 'stream')],
              ['Modes', [...modes].map(([m, n]) => `${modeName(m)} (${n})`).join(', ')],
              ['Schedule', scheduleText(draft.schedule)],
            ]}
          />
          <label class="check">
            <input type="checkbox" checked={sync} onChange={(e) => setSync(e.currentTarget.checked)} />
            <span>Start the first sync now</span>
          </label>
          {problem && <ProblemBox problem={problem} />}
          <div class="form-foot">
            <Button kind="primary" type="submit" busy={busy}>
              {sync ? 'Create and sync' : 'Create'}
            </Button>
          </div>
        </form>
      </Card>
      <Card title="The same as YAML">
        <Yaml documents={[{ apiVersion: 'millrace/v1', kind: 'Connection', metadata: { name }, spec: { source: source.name, destination: destination.name, ...shared } }]} />
      </Card>
    </div>
  )
}
