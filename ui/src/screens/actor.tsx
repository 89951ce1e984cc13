// One source or destination: its form, its test, what uses it, its revisions. And a new one.
import { useState } from 'preact/hooks'
import { Cable, Database, HardDriveUpload, Trash2 } from 'lucide-preact'
import { api, type List, type Problem } from '../api/client'
import { useConnections, useConnectors } from '../api/data'
import { invalidate, refresh, useQuery } from '../api/query'
import type { Actor, Connector, Spec } from '../api/types'
import { Button, Card, Destroy, Empty, Page, ProblemBox, Shown, Tag, Time } from '../parts/basics'
import { CheckAnswer, TestButton, useCheck } from '../parts/check'
import { plural } from '../parts/format'
import { initial, SchemaForm } from '../parts/schema_form'
import { say } from '../parts/toast'
import { navigate, query, setQuery } from '../router'

type Kind = 'sources' | 'destinations'
export const NewSource = () => <NewActor kind="sources" />
export const NewDestination = () => <NewActor kind="destinations" />
export const SourceScreen = ({ id }: { id: string }) => <ActorScreen kind="sources" id={id} />
export const DestinationScreen = ({ id }: { id: string }) => <ActorScreen kind="destinations" id={id} />

const idOf = (a: Actor) => (a.sourceId ?? a.destinationId)!

export function ConnectorTiles({ kind, chosen, onChoose }: { kind: Kind; chosen: string; onChoose: (c: Connector) => void }) {
  const connectors = useConnectors()
  return (
    <Shown query={connectors} rows={2}>
      {(all) => (
        <div class="tiles" role="group" aria-label="Connectors">
          {all
            .filter((c) => (kind === 'sources' ? c.source : c.destination))
            .map((c) => (
              <button key={c.name} type="button" class="tile" aria-pressed={c.name === chosen} onClick={() => onChoose(c)}>
                <span class="tile-icon">{kind === 'sources' ? <Database size={17} aria-hidden="true" /> : <HardDriveUpload size={17} aria-hidden="true" />}</span>
                <span>
                  <strong>{c.title}</strong>
                  <small>{plural((kind === 'sources' ? c.sourceModes : c.destinationModes).length, 'sync mode')}</small>
                </span>
              </button>
            ))}
        </div>
      )}
    </Shown>
  )
}

// Name and configuration of a new one; makes it, tests it, and hands it over once the test went well (or anyway).
export function ActorForm({ kind, connector, onMade }: { kind: Kind; connector: string; onMade: (a: Actor) => void }) {
  const spec = useQuery(`spec:${connector}`, () => api.get<Spec>('/v1/connectors/{name}/spec', { path: { name: connector } }))
  const [name, setName] = useState('')
  const [value, setValue] = useState<Record<string, unknown> | null>(null)
  const [made, setMade] = useState<Actor | null>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const check = useCheck()
  return (
    <Shown query={spec}>
      {(s) => {
        const schema = (kind === 'sources' ? s.sourceSpec : s.destinationSpec)!
        const now = value ?? initial(schema)
        const submit = async (e: Event) => {
          e.preventDefault()
          setBusy(true)
          setProblem(null)
          try {
            const actor = made
              ? await api.put<Actor>(`/v1/${kind}/{id}`, { path: { id: idOf(made) }, body: { name, connector, configuration: now } })
              : await api.post<Actor>(`/v1/${kind}`, { body: { name, connector, configuration: now } })
            setMade(actor)
            invalidate(kind)
            if (await check.run(kind, idOf(actor))) onMade(actor)
          } catch (cause) {
            setProblem(cause as Problem)
          } finally {
            setBusy(false)
          }
        }
        return (
          <form class="form" onSubmit={submit}>
            <label class="field">
              <span class="field-label">Name</span>
              <input type="text" required value={name} onInput={(e) => setName(e.currentTarget.value)} autocomplete="off" placeholder={kind === 'sources' ? 'shop' : 'warehouse'} />
            </label>
            <SchemaForm schema={schema} value={now} onChange={setValue} faults={problem?.errors} />
            {problem && <ProblemBox problem={problem} />}
            <CheckAnswer check={check} />
            <div class="form-foot">
              <Button kind="primary" type="submit" busy={busy}>
                {made ? 'Save and test again' : 'Save and test'}
              </Button>
              {made && check.result?.status === 'failed' && !busy && (
                <Button kind="quiet" onClick={() => onMade(made)}>
                  Go on all the same
                </Button>
              )}
            </div>
          </form>
        )
      }}
    </Shown>
  )
}

function NewActor({ kind }: { kind: Kind }) {
  const connector = query.value.get('connector') ?? ''
  const noun = kind === 'sources' ? 'source' : 'destination'
  return (
    <Page title={`New ${noun}`} crumbs={[[kind === 'sources' ? 'Sources' : 'Destinations', `/${kind}`]]}>
      <div class="stack">
        <Card title="Connector">
          <ConnectorTiles kind={kind} chosen={connector} onChoose={(c) => setQuery({ connector: c.name })} />
        </Card>
        {connector && (
          <Card title="Configuration">
            <ActorForm
              key={connector}
              kind={kind}
              connector={connector}
              onMade={(a) => {
                say(`${a.name} is there`)
                navigate(`/${kind}/${idOf(a)}`)
              }}
            />
          </Card>
        )}
      </div>
    </Page>
  )
}

function ActorScreen({ kind, id }: { kind: Kind; id: string }) {
  const actor = useQuery(`${kind}:${id}`, () => api.get<Actor>(`/v1/${kind}/{id}`, { path: { id } }))
  const connectors = useConnectors()
  const connections = useConnections()
  const revisions = useQuery(`${kind}:${id}:revisions`, async () => (await api.get<List<{ revision: number; createdAt: string; principal: string }>>(`/v1/${kind}/{id}/revisions`, { path: { id } })).data)
  const check = useCheck()
  const [removing, setRemoving] = useState(false)
  const a = actor.data
  const type = a?.sourceType ?? a?.destinationType ?? ''
  const used = (connections.data ?? []).filter((c) => (kind === 'sources' ? c.sourceId : c.destinationId) === id)
  return (
    <Page
      title={a?.name ?? ' '}
      crumbs={[[kind === 'sources' ? 'Sources' : 'Destinations', `/${kind}`]]}
      lead={a && <><Tag>{connectors.data?.find((c) => c.name === type)?.title ?? type}</Tag><span class="muted">revision {a.revision}, changed <Time at={a.updatedAt * 1000} /></span></>}
      actions={
        a && (
          <>
            <TestButton check={check} kind={kind} id={id} />
            {used.length === 0 && (
              <Button icon={Cable} href={`/connections/new?${kind === 'sources' ? 'sourceId' : 'destinationId'}=${id}`}>
                Connect
              </Button>
            )}
            <Button kind="danger" icon={Trash2} aria-label={`Delete ${a.name}`} title={used.length ? 'A connection uses it' : 'Delete'} disabled={used.length > 0} onClick={() => setRemoving(true)} />
          </>
        )
      }
    >
      <div class="stack">
        <CheckAnswer check={check} />
        <Shown query={actor}>
          {(one) => (
            <div class="columns">
              <Card title="Configuration">
                <Edit key={one.revision} kind={kind} actor={one} connector={type} saved={() => invalidate(kind)} />
              </Card>
              <div class="stack">
                <Card title="Used by" flush>
                  {used.length === 0 ? (
                    <Empty title="No connection uses it" />
                  ) : (
                    <ul class="list">
                      {used.map((c) => (
                        <li key={c.connectionId}>
                          <a href={`/connections/${c.connectionId}`}>{c.name}</a>
                        </li>
                      ))}
                    </ul>
                  )}
                </Card>
                <Card title="Revisions" flush>
                  <Shown query={revisions} rows={2}>
                    {(all) => (
                      <ul class="list">
                        {all.slice(0, 20).map((r) => (
                          <li key={r.revision} class="row">
                            <span class="num">{r.revision}</span>
                            <span class="muted">by {r.principal}</span>
                            <span class="muted spread">
                              <Time at={r.createdAt} />
                            </span>
                          </li>
                        ))}
                      </ul>
                    )}
                  </Shown>
                </Card>
              </div>
            </div>
          )}
        </Shown>
      </div>
      {removing && a && (
        <Destroy
          title={`Delete ${a.name}?`}
          name={a.name}
          verb="Delete"
          onClose={() => setRemoving(false)}
          act={async () => {
            await api.delete(`/v1/${kind}/{id}`, { path: { id } })
            refresh(kind)
            navigate(`/${kind}`)
          }}
        >
          <p>Its configuration and its stored secrets go. No table and no row is touched, neither there nor at any destination. Jobs that used it keep their history.</p>
        </Destroy>
      )}
    </Page>
  )
}

function Edit({ kind, actor, connector, saved }: { kind: Kind; actor: Actor; connector: string; saved: () => void }) {
  const spec = useQuery(`spec:${connector}`, () => api.get<Spec>('/v1/connectors/{name}/spec', { path: { name: connector } }))
  const [name, setName] = useState(actor.name)
  const [value, setValue] = useState(actor.configuration)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const changed = name !== actor.name || JSON.stringify(value) !== JSON.stringify(actor.configuration)
  return (
    <Shown query={spec}>
      {(s) => (
        <form
          class="form"
          onSubmit={async (e) => {
            e.preventDefault()
            setBusy(true)
            setProblem(null)
            try {
              await api.put(`/v1/${kind}/{id}`, { path: { id: idOf(actor) }, body: { name, connector, configuration: value } })
              say('Saved as a new revision')
              saved()
            } catch (cause) {
              setProblem(cause as Problem)
            } finally {
              setBusy(false)
            }
          }}
        >
          <label class="field">
            <span class="field-label">Name</span>
            <input type="text" required value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          <SchemaForm schema={(kind === 'sources' ? s.sourceSpec : s.destinationSpec)!} value={value} onChange={setValue} faults={problem?.errors} />
          {problem && <ProblemBox problem={problem} />}
          <div class="form-foot">
            <Button kind="primary" type="submit" busy={busy} disabled={!changed}>
              Save
            </Button>
            {changed && (
              <Button
                kind="quiet"
                onClick={() => {
                  setName(actor.name)
                  setValue(actor.configuration)
                }}
              >
                Put back
              </Button>
            )}
          </div>
        </form>
      )}
    </Shown>
  )
}
